"""`infra redrive`: shows every dead letter of a stage, and gives each back to what deals with it. A letter is deleted only
after it was accepted again; cut off anywhere, at worst it is dealt with twice, which everything here bears."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import boto3

from infra import dead_letters, deployed, finish, recount, stack
from infra.console import Problem, say, step
from infra.dead_letters import Letter, Queue


def run(stage: str, *, confirmed: bool) -> int:
    """Returns how many were dealt with. Raises `Problem` where nobody confirms, or some were not accepted."""
    found = {noun: Queue(stage, noun).look() for noun in dead_letters.NOUNS}
    for noun, letters in found.items():
        say(told(Queue(stage, noun), letters, now=time.time()))
    if not any(found.values()):
        return 0
    if not confirmed and input("Type yes to send them again: ") != "yes":
        raise Problem("Nothing was sent.")
    return sum(_ANSWERS[noun](Queue(stage, noun), letters) for noun, letters in found.items() if letters)


def told(queue: Queue, letters: Sequence[Letter], *, now: float) -> str:
    """One line for the queue, and one for each kind of thing that failed."""
    if not letters:
        return f"{queue.name}: none"
    many = f"{len(letters)} or more" if len(letters) >= dead_letters.TOLD_MAX else str(len(letters))
    oldest = now - min(letter.sent_ms for letter in letters) / 1000
    kinds = Counter(dead_letters.about(queue.noun, letter) for letter in letters).most_common()
    return "\n".join([f"{queue.name}: {many}, the oldest sent {_ago(oldest)}", *(f"  {count} x {what}" for what, count in kinds)])


def _ago(seconds: float) -> str:
    for unit, length in (("days", 86_400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit} ago"
    return f"{max(0.0, seconds):.0f} seconds ago"


def _send_again(queue: Queue, _letters: Sequence[Letter]) -> int:
    """To the queue that they come from."""
    sqs, count = boto3.client("sqs"), 0
    source = sqs.get_queue_url(QueueName=f"{stack.name(queue.stage)}-{queue.noun}")["QueueUrl"]
    with step(f"sending {queue.noun} again"):
        for letters in queue.take():
            entries = [{"Id": str(number), "MessageBody": letter.body} for number, letter in enumerate(letters)]
            answer = sqs.send_message_batch(QueueUrl=source, Entries=entries)
            accepted = [letters[int(one["Id"])] for one in answer.get("Successful", [])]
            queue.delete(accepted)
            count += len(accepted)
            if len(accepted) < len(letters):
                raise Problem(f"{len(letters) - len(accepted)} of {queue.noun} were not accepted, and stay where they are. Run it again.")
    return count


def _recount(queue: Queue, letters: Sequence[Letter]) -> int:
    """What a stream's function could not take is not in the letter; a full recount finds what is true now."""
    with step("recounting everything, since records of streams failed"):
        recount.run(queue.stage)
    return _delete(queue, letters)


def _tick_again(queue: Queue, letters: Sequence[Letter]) -> int:
    """Once for each function, however many ticks it missed: a tick does everything that is due."""
    for function in sorted({_function(queue.stage, letter) for letter in letters}):
        with step(f"a tick of {function}"):
            name = deployed.function_name(queue.stage, function)
            boto3.client("lambda").invoke(FunctionName=name, InvocationType="Event", Payload=b"{}")
    return _delete(queue, letters)


def _delete(queue: Queue, letters: Sequence[Letter]) -> int:
    """Only those that were dealt with: what has failed since stays."""
    known, count = {letter.id for letter in letters}, 0
    for batch in queue.take():
        dealt_with = [letter for letter in batch if letter.id in known]
        queue.delete(dealt_with)
        count += len(dealt_with)
    return count


def _function(stage: str, letter: Letter) -> str:
    """The function that a rule's tick is for. Raises `Problem`."""
    rule = letter.attributes.get("RULE_ARN", "").rpartition("/")[2]
    for function in finish.SCHEDULED:
        if rule == f"{stack.name(stage)}-{function}-event":
            return function
    raise Problem(f"There is a tick of {rule or 'no rule'} among the dead letters, which is none of ours: look at it in the SQS console.")


_ANSWERS: Mapping[str, Callable[[Queue, Sequence[Letter]], int]] = {
    "chunks": _send_again,
    "mail": _send_again,
    "streams": _recount,
    "rules": _tick_again,
}
