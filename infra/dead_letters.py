"""What failed for good: the dead letters of a stage, read without anybody's data.

A queue's dead letter is its message. A stream's is metadata only (shard and sequence numbers), and a rule's is a tick:
https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import boto3

from chalicelib import messages
from infra import stack

NOUNS = ("chunks", "mail", "streams", "rules")
TOLD_MAX = 1000
_BATCH, _WAIT_S, _HELD_S = 10, 1, 60


@dataclass(frozen=True, slots=True)
class Letter:
    """`sent_ms`: when it was first sent, before it had failed. `attributes`: those of its sender, as texts."""

    id: str
    receipt: str
    body: str
    sent_ms: int
    attributes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Queue:
    """The dead letters of one noun; what is read is held for a minute, then there for everybody again."""

    stage: str
    noun: str

    @property
    def name(self) -> str:
        return f"{stack.name(self.stage)}-{self.noun}-dead"

    @property
    def url(self) -> str:
        return str(boto3.client("sqs").get_queue_url(QueueName=self.name)["QueueUrl"])

    def take(self) -> Iterator[list[Letter]]:
        """Batches, until there are none. Each letter is to be deleted, or comes again."""
        sqs, url = boto3.client("sqs"), self.url
        while True:
            answer = sqs.receive_message(
                QueueUrl=url,
                MaxNumberOfMessages=_BATCH,
                VisibilityTimeout=_HELD_S,
                WaitTimeSeconds=_WAIT_S,
                AttributeNames=["SentTimestamp"],
                MessageAttributeNames=["All"],
            )
            if not answer.get("Messages"):
                return
            yield [_letter(message) for message in answer["Messages"]]

    def look(self) -> list[Letter]:
        """At most about `TOLD_MAX`, put back at once."""
        found: list[Letter] = []
        try:
            for batch in self.take():
                found += batch
                if len(found) >= TOLD_MAX:
                    break
        finally:
            self._put_back(found)
        return found

    def _put_back(self, letters: Sequence[Letter]) -> None:
        sqs, url = boto3.client("sqs"), self.url
        for start in range(0, len(letters), _BATCH):
            batch = letters[start : start + _BATCH]
            entries = [{"Id": str(number), "ReceiptHandle": one.receipt, "VisibilityTimeout": 0} for number, one in enumerate(batch)]
            sqs.change_message_visibility_batch(QueueUrl=url, Entries=entries)

    def delete(self, letters: Sequence[Letter]) -> None:
        """At most a batch. What could not be deleted comes again, and is dealt with twice."""
        entries = [{"Id": str(number), "ReceiptHandle": one.receipt} for number, one in enumerate(letters)]
        if entries:
            boto3.client("sqs").delete_message_batch(QueueUrl=self.url, Entries=entries)


def _letter(message: Mapping[str, Any]) -> Letter:
    attributes = {name: str(value.get("StringValue", "")) for name, value in message.get("MessageAttributes", {}).items()}
    return Letter(message["MessageId"], message["ReceiptHandle"], message["Body"], int(message["Attributes"]["SentTimestamp"]), attributes)


def about(noun: str, letter: Letter) -> str:
    """What a letter is about: never who."""
    try:
        return _ABOUT[noun](letter)
    except (ValueError, TypeError, KeyError, AttributeError):
        return "unreadable"


def _chunk(letter: Letter) -> str:
    message = messages.parse(letter.body)
    chunk = f" chunk {message.chunk}" if message.chunk >= 0 else ""
    return f"{message.do}: launch {message.launch}, epoch {message.epoch}, {message.lane}{chunk}"


def _stream(letter: Letter) -> str:
    told = json.loads(letter.body)
    asked, records = told["requestContext"], told["DDBStreamBatchInfo"]
    function, failed = str(asked["functionArn"]).split(":")[6], told.get("responseContext", {}).get("functionError", "no answer")
    return (
        f"{function}: {records['batchSize']} records of {records['shardId']}, {records['startSequenceNumber']} to "
        f"{records['endSequenceNumber']}; {failed}, {asked['condition']} after {asked['approximateInvokeCount']} times"
    )


def _tick(letter: Letter) -> str:
    return f"{letter.attributes['RULE_ARN'].rpartition('/')[2]}: {letter.attributes.get('ERROR_CODE', 'no error told')}"


_ABOUT: Mapping[str, Callable[[Letter], str]] = {
    "chunks": _chunk,
    "mail": lambda _: "an e-mail, sealed",
    "streams": _stream,
    "rules": _tick,
}
