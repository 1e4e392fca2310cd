"""Messages about chunks, between the fan-out and the release worker, through SQS."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from itertools import islice
from typing import Literal

from . import settings, slots, store

Do = Literal["prepare", "send", "watch", "resolve", "probe", "dress"]
_BATCH, DELAY_MAX_S = 10, 900


@dataclass(frozen=True, slots=True)
class Message:
    """`chunk` is -1 in a watch message, which is about a whole lane. `rehearsal`, and `part` of it: of a probe or a dress rehearsal."""

    do: Do
    launch: str
    epoch: int
    lane: str
    chunk: int = -1
    rehearsal: str = ""
    part: int = 0

    @property
    def key(self) -> str:
        """The partition of the chunk's pledges, grants and states."""
        return slots.chunk_key(self.launch, self.lane, self.chunk)


def parse(body: str) -> Message:
    return Message(**json.loads(body))


@cache
def _queue_url() -> str:
    return str(store.client("sqs").get_queue_url(QueueName=settings.queue("chunks"))["QueueUrl"])


class NotAccepted(RuntimeError):
    """SQS refused some of a batch; whoever sends does so again."""


def send(messages: Iterable[Message], *, delay_s: int = 0) -> int:
    """Sends with a delay in whole seconds (at most 900); returns how many. Raises `NotAccepted`. May send twice what is
    sent again, which the chunk's lease makes harmless."""
    sent = 0
    for batch in _batches(messages):
        entries = [
            {"Id": str(number), "MessageBody": json.dumps(asdict(message)), "DelaySeconds": min(DELAY_MAX_S, max(0, delay_s))}
            for number, message in enumerate(batch)
        ]
        answer = store.client("sqs").send_message_batch(QueueUrl=_queue_url(), Entries=entries)
        if answer.get("Failed"):
            raise NotAccepted(answer["Failed"][0].get("Message", "SQS refused a message"))
        sent += len(batch)
    return sent


def _batches(messages: Iterable[Message]) -> Iterator[Sequence[Message]]:
    iterator = iter(messages)
    while batch := list(islice(iterator, _BATCH)):
        yield batch
