"""What moto does not have, done as AWS documents it, by botocore's own hooks; and faults of AWS to order."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import boto3
from botocore.awsrequest import AWSResponse
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from moto.kms.models import kms_backends
from moto.sqs.models import sqs_backends

from chalicelib import keyring, mail, store
from chalicelib.clock import Clock


def data_key_pair(params: dict[str, Any], context: dict[str, Any], **_: Any) -> tuple[AWSResponse, dict[str, Any]] | None:
    """kms:GenerateDataKeyPairWithoutPlaintext, which moto lacks: a pair whose private half is encrypted by moto's KMS.
    https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateDataKeyPairWithoutPlaintext.html"""
    body = json.loads(params["body"])
    assert body["KeyPairSpec"] == "ECC_NIST_P256"
    private = ec.generate_private_key(ec.SECP256R1())
    der = private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    sealed = boto3.client("kms").encrypt(KeyId=body["KeyId"], Plaintext=der, EncryptionContext=body["EncryptionContext"])
    public = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    answer = {"KeyId": sealed["KeyId"], "KeyPairSpec": body["KeyPairSpec"], "PublicKey": public}
    return AWSResponse("", 200, {}, None), answer | {"PrivateKeyCiphertextBlob": sealed["CiphertextBlob"]}


def sign_digest(params: dict[str, Any], **_: Any) -> tuple[AWSResponse, dict[str, Any]] | None:
    """kms:Sign of a digest, which moto takes for the message itself and would hash once more.
    https://docs.aws.amazon.com/kms/latest/APIReference/API_Sign.html#KMS-Sign-request-MessageType"""
    body = json.loads(params["body"])
    if body.get("MessageType") != "DIGEST":
        return None
    assert body["SigningAlgorithm"] == "ECDSA_SHA_256"
    key = kms_backends["123456789012"]["eu-west-2"].describe_key(body["KeyId"])
    value = key.private_key.private_key.sign(base64.b64decode(body["Message"]), ec.ECDSA(Prehashed(SHA256())))
    return AWSResponse("", 200, {}, None), {"KeyId": key.arn, "Signature": value, "SigningAlgorithm": body["SigningAlgorithm"]}


@contextmanager
def lost_response(service: str, operation: str, *, which: int = 1) -> Iterator[list[str]]:
    """The `which`-th call of an operation reaches AWS, and its response is lost: botocore asks again. Yields the calls."""
    events = (store.dynamodb() if service == "dynamodb" else store.client(service)).meta.events
    seen: list[str] = []

    def lose(attempts: int, response: Any, **_: Any) -> int | None:
        seen.append(operation)
        if len(seen) == which and response is not None:
            return 0  # seconds until botocore sends the same request again
        return None

    name = f"needs-retry.{service}.{operation}"
    events.register_first(name, lose)
    try:
        yield seen
    finally:
        events.unregister(name, lose)


class Killed(BaseException):
    """The process ends here: nothing after it runs, as when a function is killed."""


@contextmanager
def hook(service: str, operation: str, act: Callable[[], None], *, after: bool = False) -> Iterator[None]:
    """Runs `act` just before (or after) each call of an operation reaches AWS."""
    events = (store.dynamodb() if service == "dynamodb" else store.client(service)).meta.events
    name = f"{'after-call' if after else 'before-call'}.{service}.{operation}"

    def run(**_: Any) -> None:
        act()

    events.register_first(name, run)
    try:
        yield
    finally:
        events.unregister(name, run)


def nth(number: int, act: Callable[[], object]) -> Callable[[], None]:
    """Does it at the `number`-th call, once."""
    seen = [0]

    def counted() -> None:
        seen[0] += 1
        if seen[0] == number:
            act()

    return counted


def die() -> None:
    raise Killed


_TURN_S = 0.02


class Skipping(Clock):
    """A clock that starts when it is told and skips over waiting. `at(...)` moves it. Of several that sleep, who wakes up first
    moves it."""

    def __init__(self, start: datetime) -> None:
        self._offset = 0.0
        self._alarms: list[float] = []
        self.at(start)

    def at(self, moment: datetime | float) -> None:
        self._offset = (moment if isinstance(moment, float) else moment.timestamp()) - time.time()

    def now(self) -> float:
        return time.time() + self._offset

    async def sleep(self, seconds: float) -> None:
        alarm = self.now() + max(0.0, seconds)
        self._alarms.append(alarm)
        try:
            await asyncio.sleep(0)
            while self.now() < alarm:
                await asyncio.sleep(_TURN_S if len(self._alarms) > 1 else 0)  # whoever works meanwhile is let work
                if alarm == min(self._alarms):
                    self._offset += max(0.0, alarm - self.now())
        finally:
            self._alarms.remove(alarm)

    def spin(self, until: float) -> None:
        self._offset += max(0.0, until - self.now())


@dataclass(frozen=True, slots=True)
class Queued:
    """A message as it lies in moto's queue; `delay_s` as it was sent."""

    body: str
    delay_s: float

    @property
    def message(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found


def take_queued(queue: str) -> list[Queued]:
    """Everything in one of our queues, hidden by its delay or not, in the order it was sent; the queue is empty then."""
    held = sqs_backends["123456789012"]["eu-west-2"].queues[f"groundswell-local-{queue}"]
    found = [
        Queued(m.body, round((m.delayed_until - m.sent_timestamp) / 1000) if m.delayed_until > m.sent_timestamp else 0)
        for m in held._messages
    ]
    held._messages.clear()
    return found


def take_mailed() -> list[dict[str, Any]]:
    """Every e-mail that the API has queued, opened; the queue is empty then."""
    sealed = [base64.b64decode(one.body) for one in take_queued("mail") if not one.body.startswith("{")]
    return [json.loads(keyring.unseal("email_seal", one, mail._CONTEXT)) for one in sealed]


def take_records(table: str) -> list[dict[str, Any]]:
    """All records of a table's stream so far, as a stream's function is handed them."""
    streams = boto3.client("dynamodbstreams")
    arn = boto3.client("dynamodb").describe_table(TableName=f"groundswell-local-{table}")["Table"]["LatestStreamArn"]
    records: list[dict[str, Any]] = []
    for shard in streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]:
        start = streams.get_shard_iterator(StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON")
        records += streams.get_records(ShardIterator=start["ShardIterator"])["Records"]
    for record in records:  # a function is handed seconds, not boto3's datetime
        record["dynamodb"]["ApproximateCreationDateTime"] = record["dynamodb"]["ApproximateCreationDateTime"].timestamp()
    return [{**record, "eventSourceARN": arn} for record in records]
