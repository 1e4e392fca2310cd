"""Dead letters: shown without anybody's data, and given back without losing one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse

from chalicelib import mail, messages
from chalicelib.messages import Message
from infra import dead_letters, redrive
from infra.console import Problem
from infra.dead_letters import Letter, Queue
from tests.aws import Killed

SEND = Message("send", "01abc", 2, "mastodon.0", 3)
FAILED_RECORDS = {
    "requestContext": {
        "requestId": "316aa6d0-8154-xmpl-9af7-85d5f4a6bc81",
        "functionArn": "arn:aws:lambda:eu-west-2:123456789012:function:groundswell-local-tally",
        "condition": "RetryAttemptsExhausted",
        "approximateInvokeCount": 6,
    },
    "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
    "version": "1.0",
    "timestamp": "2026-11-24T00:13:49.717Z",
    "DDBStreamBatchInfo": {
        "shardId": "shardId-00000001573689847184-864758bb",
        "startSequenceNumber": "800000000003126276362",
        "endSequenceNumber": "800000000003126276362",
        "approximateArrivalOfFirstRecord": "2026-11-24T00:13:19Z",
        "approximateArrivalOfLastRecord": "2026-11-24T00:13:19Z",
        "batchSize": 7,
        "streamArn": "arn:aws:dynamodb:eu-west-2:123456789012:table/groundswell-local-votes/stream/2026-11-24",
    },
}


def url(queue: str) -> str:
    return str(boto3.client("sqs").get_queue_url(QueueName=f"groundswell-local-{queue}")["QueueUrl"])


def bury(noun: str, *bodies: str, **attributes: str) -> None:
    """Puts messages where they lie after their last failure."""
    for body in bodies:
        told = {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()}
        boto3.client("sqs").send_message(QueueUrl=url(f"{noun}-dead"), MessageBody=body, MessageAttributes=told)


def held_in(queue: str) -> list[str]:
    """The bodies in a queue, which is empty then."""
    sqs, bodies = boto3.client("sqs"), list[str]()
    while found := sqs.receive_message(QueueUrl=url(queue), MaxNumberOfMessages=10).get("Messages"):
        bodies += [message["Body"] for message in found]
    return bodies


Answer = dict[str, Any]


@pytest.fixture
def invoked(aws: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, str]]]:
    """Every invocation of a function, which moto cannot run: (name, type). All are accepted."""
    monkeypatch.setattr(dead_letters, "_WAIT_S", 0)
    calls: list[tuple[str, str]] = []
    boto3.setup_default_session()

    def accept(params: Answer, **_: Any) -> tuple[AWSResponse, Answer]:
        calls.append((params["url_path"].split("/")[-2], params["headers"]["X-Amz-Invocation-Type"]))
        return AWSResponse("", 202, {}, None), {"StatusCode": 202}

    boto3.DEFAULT_SESSION.events.register("before-call.lambda.Invoke", accept)
    yield calls
    boto3.DEFAULT_SESSION = None


@pytest.fixture
def failing(invoked: list[tuple[str, str]]) -> Callable[[str], None]:
    """Makes the process end just before a call of SQS, or just after it: `failing("before-call", "DeleteMessageBatch")`."""

    def end(when: str, operation: str) -> None:
        def die(**_: Any) -> None:
            boto3.DEFAULT_SESSION.events.unregister(f"{when}.sqs.{operation}", die)
            raise Killed

        boto3.DEFAULT_SESSION.events.register(f"{when}.sqs.{operation}", die)

    return end  # type: ignore[return-value]


def body(message: Message) -> str:
    return json.dumps({name: getattr(message, name) for name in Message.__slots__})


def test_dead_letters_are_told_by_kind_and_without_addresses(invoked: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    mail.send("ann@example.org", "code", {"code": "123456", "minutes": 10})
    bury("mail", *held_in("mail"))
    bury("chunks", body(SEND), body(SEND), body(Message("watch", "01abc", 2, "mastodon.0")), "no JSON")
    bury("streams", json.dumps(FAILED_RECORDS))
    bury("rules", "{}", RULE_ARN="arn:aws:events:eu-west-2:123456789012:rule/groundswell-local-fan_out-event", ERROR_CODE="NO_PERMISSIONS")

    redrive.run("local", confirmed=True)

    said = capsys.readouterr().out
    assert "groundswell-local-chunks-dead: 4, the oldest sent " in said
    assert "2 x send: launch 01abc, epoch 2, mastodon.0 chunk 3" in said
    assert "1 x watch: launch 01abc, epoch 2, mastodon.0\n" in said
    assert "1 x unreadable" in said
    assert "1 x an e-mail, sealed" in said
    assert "groundswell-local-tally: 7 records of shardId-00000001573689847184-864758bb" in said
    assert "Unhandled, RetryAttemptsExhausted after 6 times" in said
    assert "groundswell-local-fan_out-event: NO_PERMISSIONS" in said
    assert "ann@" not in said
    assert "123456" not in said.replace("123456789012", "")


@pytest.mark.parametrize(
    ("seconds", "told"), [(-1, "0 seconds"), (100, "100 seconds"), (150, "2 minutes"), (7200, "2 hours"), (345_600, "4 days")]
)
def test_age_is_told_from_the_oldest_in_words(seconds: int, told: str) -> None:
    letters = [Letter("1", "", body(SEND), 5_000, {}), Letter("2", "", body(SEND), 900_000, {})]

    said = redrive.told(Queue("local", "chunks"), letters, now=5 + seconds)

    assert said.splitlines()[0] == f"groundswell-local-chunks-dead: 2, the oldest sent {told} ago"


def test_nothing_is_asked_and_nothing_done_where_there_are_none(invoked: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    assert redrive.run("local", confirmed=False) == 0
    assert capsys.readouterr().out.count("none") == 4


def test_messages_go_back_to_their_queue_and_leave_the_dead_letters(invoked: list[Any]) -> None:
    bodies = [body(Message("send", "01abc", 2, "mastodon.0", number)) for number in range(23)]
    bury("chunks", *bodies)

    assert redrive.run("local", confirmed=True) == 23
    assert sorted(held_in("chunks")) == sorted(bodies)
    assert held_in("chunks-dead") == []
    assert redrive.run("local", confirmed=True) == 0


def test_messages_arrive_as_their_consumer_reads_them(invoked: list[Any]) -> None:
    messages.send([SEND])
    bury("chunks", *held_in("chunks"))

    redrive.run("local", confirmed=True)

    assert [messages.parse(found) for found in held_in("chunks")] == [SEND]


@pytest.mark.parametrize("answer", ["", "no", "y"])
def test_nothing_is_sent_unless_somebody_types_yes(invoked: list[Any], monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    monkeypatch.setattr("builtins.input", lambda _: answer)
    bury("chunks", body(SEND))

    with pytest.raises(Problem, match="Nothing was sent"):
        redrive.run("local", confirmed=False)

    assert held_in("chunks") == []
    assert held_in("chunks-dead") == [body(SEND)]


def test_cut_off_before_sending_nothing_is_lost(invoked: list[Any], failing: Callable[[str, str], None]) -> None:
    bury("chunks", body(SEND))
    failing("before-call", "SendMessageBatch")

    with pytest.raises(Killed):
        redrive.run("local", confirmed=True)

    make_visible("chunks-dead")
    assert redrive.run("local", confirmed=True) == 1
    assert held_in("chunks") == [body(SEND)]


def test_cut_off_between_sending_and_deleting_a_message_comes_twice_and_is_never_lost(
    invoked: list[Any], failing: Callable[[str, str], None]
) -> None:
    bury("chunks", body(SEND))
    failing("before-call", "DeleteMessageBatch")

    with pytest.raises(Killed):
        redrive.run("local", confirmed=True)

    make_visible("chunks-dead")
    redrive.run("local", confirmed=True)
    assert held_in("chunks") == [body(SEND)] * 2
    assert held_in("chunks-dead") == []


def make_visible(queue: str) -> None:
    """What was taken comes back, as after the minute for which it is held."""
    from moto.sqs.models import sqs_backends

    for message in sqs_backends["123456789012"]["eu-west-2"].queues[f"groundswell-local-{queue}"]._messages:
        message.change_visibility(0)


def test_what_was_not_accepted_stays_and_is_told(invoked: list[Any]) -> None:
    bury("chunks", body(SEND), body(SEND))

    def refuse(params: Answer, **_: Any) -> tuple[AWSResponse, Answer]:
        failed = {"Id": "1", "SenderFault": False, "Code": "InternalError"}
        return AWSResponse("", 200, {}, None), {"Successful": [{"Id": "0"}], "Failed": [failed]}

    boto3.DEFAULT_SESSION.events.register("before-call.sqs.SendMessageBatch", refuse)
    with pytest.raises(Problem, match="1 of chunks were not accepted"):
        redrive.run("local", confirmed=True)

    make_visible("chunks-dead")
    assert held_in("chunks-dead") == [body(SEND)]


def test_failed_records_of_streams_are_answered_by_one_recount(invoked: list[tuple[str, str]]) -> None:
    bury("streams", *[json.dumps(FAILED_RECORDS)] * 12)

    assert redrive.run("local", confirmed=True) == 12
    assert invoked == [("groundswell-local-nightly", "RequestResponse")]
    assert held_in("streams-dead") == []


def test_failed_recount_keeps_the_records_that_asked_for_it(invoked: list[tuple[str, str]]) -> None:
    def fail(**_: Any) -> tuple[AWSResponse, Answer]:
        return AWSResponse("", 200, {}, None), {"StatusCode": 200, "FunctionError": "Unhandled"}

    bury("streams", json.dumps(FAILED_RECORDS))
    boto3.DEFAULT_SESSION.events.register_first("before-call.lambda.Invoke", fail)

    with pytest.raises(Problem, match="log of groundswell-local-nightly says why"):
        redrive.run("local", confirmed=True)
    assert held_in("streams-dead") == [json.dumps(FAILED_RECORDS)]


def test_what_fails_during_a_recount_is_not_taken_for_recounted(invoked: list[tuple[str, str]]) -> None:
    bury("streams", json.dumps(FAILED_RECORDS))
    later = json.dumps(FAILED_RECORDS | {"timestamp": "2026-11-24T00:20:00Z"})
    boto3.DEFAULT_SESSION.events.register_first("before-call.lambda.Invoke", lambda **_: bury("streams", later))

    assert redrive.run("local", confirmed=True) == 1

    make_visible("streams-dead")
    assert held_in("streams-dead") == [later]


def test_missed_ticks_are_made_up_once_for_each_function(invoked: list[tuple[str, str]]) -> None:
    for rule in ("fan_out", "fan_out", "nightly"):
        bury("rules", "{}", RULE_ARN=f"arn:aws:events:eu-west-2:123456789012:rule/groundswell-local-{rule}-event")

    assert redrive.run("local", confirmed=True) == 3
    assert invoked == [("groundswell-local-fan_out", "Event"), ("groundswell-local-nightly", "Event")]
    assert held_in("rules-dead") == []


def test_tick_of_a_rule_that_is_not_ours_is_told_and_kept(invoked: list[tuple[str, str]]) -> None:
    bury("rules", "{}", RULE_ARN="arn:aws:events:eu-west-2:123456789012:rule/other")

    with pytest.raises(Problem, match="a tick of other"):
        redrive.run("local", confirmed=True)
    assert invoked == []
    assert held_in("rules-dead") == ["{}"]


def test_every_dead_letter_queue_of_the_template_is_looked_at(invoked: list[Any]) -> None:
    queues = [queue.rpartition("/")[2] for queue in boto3.client("sqs").list_queues()["QueueUrls"]]

    assert {queue for queue in queues if queue.endswith("-dead")} == {Queue("local", noun).name for noun in dead_letters.NOUNS}
