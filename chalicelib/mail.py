"""E-mail: put into the queue sealed, so that no address and no code lies there in the clear; sent by its own function
within SES's rate. Delivered at least once; a code that arrives twice is the same code."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import Any

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from . import clock, ids, keyring, settings, store

_CONTEXT = "mail"
_BATCH, _DELAY_MAX_S = 10, 900
_CLAIMED_S = 90 * 86_400  # longer than the queue keeps a message, and than a launch whose one network was stopped is ahead
_SENT = "sent"
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
    "danger": (
        "Somebody may be in danger: {campaign}",
        "Somebody has reported in “{campaign}” that someone may be in danger.\n\nPlease look at once:\n{address}\n",
    ),
    "remind_day": (
        "Tomorrow: {campaign}",
        "You asked to be reminded to post for “{campaign}”. The moment is {at}.\n\nYour words, and a way to post them:\n{link}\n\n"
        "You get one more e-mail, shortly before the moment. You can take the reminder back on that page.\n",
    ),
    "remind_moment": (
        "Now: post for {campaign}",
        "The moment is {at}. Your words, and a way to post them:\n{link}\n\nThank you for taking part in “{campaign}”.\n",
    ),
    "not_sent": (
        "Your post for {campaign} was not sent",
        "You lent a post to “{campaign}” for {at}, and asked to be told if it could not be sent.\n\n{why}\n\n{permission}\n\n"
        "Your post:\n{link}\n",
    ),
    "postponed": (
        "A new time: {campaign}",
        "The organisers of “{campaign}” have moved the moment: you agreed to {before}, and now your post is planned for {at}.\n\n{what}\n\n"
        "Your post:\n{link}\n",
    ),
    "reminder_postponed": (
        "A new time: {campaign}",
        "The organisers of “{campaign}” have moved the moment at which you post: it was {before}, and now it is {at}.\n\n"
        "We remind you at the new time. If the moment is in your calendar, please get the new entry, which takes the place of the old "
        "one; or take the reminder back:\n{link}\n",
    ),
    "nothing_to_post": (
        "Nothing to post: {campaign}",
        "You asked to be reminded to post for “{campaign}”. The moment was to be {at}.\n\n{why}\n\n"
        "So there is nothing for you to post, and we do not remind you. If the moment is in your calendar, please delete it there.\n\n"
        "Your reminder:\n{link}\n",
    ),
    "not_approved_yet": (
        "Not approved yet: {campaign}",
        "The launch of “{campaign}” is planned for {at}, and {missing}.\n\nIt can be approved until {until}. If it is not, nothing "
        "is posted for anybody, and everybody who left an e-mail address is told.\n\nPlease look at it, and approve it if it is right:\n"
        "{link}\n\nYou get this because you organise the campaign.\n",
    ),
    "did_not_go_out": (
        "The launch of {campaign} did not go out",
        "The launch of “{campaign}”, planned for {at}, did not go out.\n\n{why}\n\n{counts}\n\nOur copies of all permissions have "
        "been deleted. Everybody who left an e-mail address is told; the others see it on their pages.\n\nThe launch report:\n{link}\n\n"
        "You get this because you organise the campaign.\n",
    ),
    "closing": (
        "The launch of {campaign} is over",
        "The launch of “{campaign}” on {at} is over.\n\n{counts}\n\nOur copies of all permissions have been deleted.\n\n"
        "The launch report, for everybody to read:\n{link}\n\nYou get this because you organise the campaign.\n",
    ),
}


class NotAccepted(RuntimeError):
    """SQS refused some of a batch; whoever queues does so again."""


class Claim(store.Record, store.Expiring):
    """Which message may send a letter, and whether it has: `claim` is the message's own, then "sent"."""

    class Meta:
        table_name = settings.table("limits")

    pk = UnicodeAttribute(hash_key=True)
    claim = UnicodeAttribute()
    expires = NumberAttribute()


@cache
def _queue_url() -> str:
    return str(store.client("sqs").get_queue_url(QueueName=settings.queue("mail"))["QueueUrl"])


def send(to: str, kind: str, data: Mapping[str, str | int]) -> None:
    """Queues one plain-text e-mail of a kind in `TEXTS`."""
    message = json.dumps({"to": to, "kind": kind, "data": dict(data)}).encode()
    sealed = base64.b64encode(keyring.seal("email_seal", message, _CONTEXT)).decode()
    store.client("sqs").send_message(QueueUrl=_queue_url(), MessageBody=sealed)


def sealed(address: str, context: str) -> bytes:
    """An address as a table keeps it."""
    return keyring.seal("email_seal", address.encode(), context)


@dataclass(frozen=True, slots=True)
class Letter:
    """An e-mail from a function that cannot open addresses: `address` is sealed in `context`. Of all letters with the same
    `once` one is sent, however often they were queued."""

    address: bytes
    context: str
    kind: str
    data: Mapping[str, str | int]
    once: str


def queue(letters: Iterable[tuple[Letter, int]]) -> int:
    """Queues letters, each with its delay in seconds (at most 900); returns how many. Raises `NotAccepted`. May be repeated."""
    sent = 0
    iterator = iter(letters)
    while batch := list(islice(iterator, _BATCH)):
        entries = [
            {"Id": str(number), "MessageBody": _body(letter), "DelaySeconds": min(_DELAY_MAX_S, max(0, delay))}
            for number, (letter, delay) in enumerate(batch)
        ]
        answer = store.client("sqs").send_message_batch(QueueUrl=_queue_url(), Entries=entries)
        if answer.get("Failed"):
            raise NotAccepted(answer["Failed"][0].get("Message", "SQS refused a letter"))
        sent += len(batch)
    return sent


def _body(letter: Letter) -> str:
    whole = {"kind": letter.kind, "data": dict(letter.data), "once": letter.once, "claim": ids.short()}
    return json.dumps({"address": base64.b64encode(letter.address).decode(), "context": letter.context, **whole})


def deliver(body: str) -> None:
    """Sends one queued e-mail through SES. Raises what SES raises, so that the queue tries again."""
    if not body.startswith("{"):
        message: dict[str, Any] = json.loads(keyring.unseal("email_seal", base64.b64decode(body), _CONTEXT))
        _send(message["to"], message)
        return
    letter: dict[str, Any] = json.loads(body)
    if _claim(letter["once"], letter["claim"]):
        _send(keyring.unseal("email_seal", base64.b64decode(letter["address"]), letter["context"]).decode(), letter)
        Claim(pk=_claim_key(letter["once"]), claim=_SENT, expires=_expires()).save()


def _claim(once: str, claim: str) -> bool:
    """Whether this message is the one to send: the first that asked, until it has been sent."""
    item = Claim(pk=_claim_key(once), claim=claim, expires=_expires())
    if store.save_if(item, Claim.pk.does_not_exist()):
        return True
    found = Claim.find(str(item.pk))
    return found is not None and found.claim == claim


def _claim_key(once: str) -> str:
    return f"letter#{once}"


def _expires() -> int:
    return int(clock.current.now()) + _CLAIMED_S


def _send(to: str, message: Mapping[str, Any]) -> None:
    subject, text = (part.format(**message["data"]) for part in TEXTS[message["kind"]])
    store.client("sesv2").send_email(
        FromEmailAddress=settings.current().mail_from,
        Destination={"ToAddresses": [to]},
        Content={"Simple": {"Subject": {"Data": subject}, "Body": {"Text": {"Data": text}}}},
    )
