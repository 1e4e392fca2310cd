"""What moto does not have, done as AWS documents it, by botocore's own hooks; and faults of AWS to order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectionClosedError
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from chalicelib import store


def data_key_pair(params: dict[str, Any], context: dict[str, Any], **_: Any) -> tuple[AWSResponse, dict[str, Any]] | None:
    """kms:GenerateDataKeyPairWithoutPlaintext, which moto lacks: a pair whose private half is encrypted by moto's KMS.
    https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateDataKeyPairWithoutPlaintext.html"""
    import json

    body = json.loads(params["body"])
    assert body["KeyPairSpec"] == "ECC_NIST_P256"
    private = ec.generate_private_key(ec.SECP256R1())
    der = private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    sealed = boto3.client("kms").encrypt(KeyId=body["KeyId"], Plaintext=der, EncryptionContext=body["EncryptionContext"])
    public = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    answer = {"KeyId": sealed["KeyId"], "KeyPairSpec": body["KeyPairSpec"], "PublicKey": public}
    return AWSResponse("", 200, {}, None), answer | {"PrivateKeyCiphertextBlob": sealed["CiphertextBlob"]}


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


def unreachable(**_: Any) -> None:
    raise ConnectionClosedError(endpoint_url="aws")
