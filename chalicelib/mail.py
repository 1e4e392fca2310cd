"""E-mail: put into the queue sealed, so that no address and no code lies there in the clear; sent by its own function
within SES's rate. Delivered at least once; a code that arrives twice is the same code."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from . import keyring, settings, store

_CONTEXT = "mail"
TEXTS = {
    "code": (
        "Your code is {code}",
        "Your code is {code}\n\nIt works for {minutes} minutes, in the browser in which you asked for it.\n"
        "If you did not ask for a code, you can ignore this e-mail.\n",
    ),
    "invitation": (
        "You are invited to help with {campaign}",
        "You have been made {duties} of the campaign “{campaign}”.\n\nTo begin, sign in with this e-mail address at\n{address}\n\n"
        "If you do not want this, ignore this e-mail, or ask the organisers to remove you.\n",
    ),
}


@cache
def _queue_url() -> str:
    return str(store.client("sqs").get_queue_url(QueueName=settings.queue("mail"))["QueueUrl"])


def send(to: str, kind: str, data: Mapping[str, str | int]) -> None:
    """Queues one plain-text e-mail of a kind in `TEXTS`."""
    message = json.dumps({"to": to, "kind": kind, "data": dict(data)}).encode()
    sealed = base64.b64encode(keyring.seal("email_seal", message, _CONTEXT)).decode()
    store.client("sqs").send_message(QueueUrl=_queue_url(), MessageBody=sealed)


def deliver(body: str) -> None:
    """Sends one queued e-mail through SES. Raises what SES raises, so that the queue tries again."""
    message: dict[str, Any] = json.loads(keyring.unseal("email_seal", base64.b64decode(body), _CONTEXT))
    subject, text = (part.format(**message["data"]) for part in TEXTS[message["kind"]])
    store.client("sesv2").send_email(
        FromEmailAddress=settings.current().mail_from,
        Destination={"ToAddresses": [message["to"]]},
        Content={"Simple": {"Subject": {"Data": subject}, "Body": {"Text": {"Data": text}}}},
    )
