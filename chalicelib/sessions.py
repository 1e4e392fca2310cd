"""Sign-in by a six-digit code, and the sessions it leads to. A flow is known only to the browser that asked (its token is
the binding); the same answer is given for known and unknown addresses; nothing ever signs in on GET."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime

from pynamodb.attributes import BinaryAttribute, NumberAttribute, UnicodeAttribute

from . import ids, keyring, limits, mail, participants, settings, store
from .errors import Invalid

CODE_S = 600
SESSION_S = 12 * 3600
TRIES = 5
CODES_PER_HOUR = 6


class Flow(store.Record, store.Expiring):
    class Meta:
        table_name = settings.table("sessions")

    pk = UnicodeAttribute(hash_key=True)
    email = BinaryAttribute(legacy_encoding=False)
    code = UnicodeAttribute()
    tries = NumberAttribute(default=0)
    expires = NumberAttribute()


class Session(store.Record, store.Expiring):
    class Meta:
        table_name = settings.table("sessions")

    pk = UnicodeAttribute(hash_key=True)
    person = UnicodeAttribute()
    expires = NumberAttribute()


@dataclass(frozen=True, slots=True)
class SignedIn:
    """`token` is the bearer of a session until `expires` (epoch seconds)."""

    token: str
    person: str
    expires: int


def ask(email: str, *, now: datetime) -> str:
    """Mails a code; returns the flow's token. Raises `Invalid` (email) and `TooMany` (codes for one address)."""
    email = participants.clean_email(email)
    limits.take("sign-in", participants.lookup_key(email), allowed=CODES_PER_HOUR, window_s=3600, now=now)
    flow, code = ids.token(), ids.code()
    pk = f"flow#{keyring.public_hash(flow)}"
    sealed = keyring.seal("email_seal", email.encode(), pk)
    Flow(pk=pk, email=sealed, code=_hashed(flow, code), expires=int(now.timestamp()) + CODE_S).save()
    mail.send(email, "code", {"code": code, "minutes": CODE_S // 60})
    return flow


def verify(flow: str, code: str, *, now: datetime) -> SignedIn:
    """The session. Answers a repeated right code with the same session, so a lost response costs nothing.

    Raises `Invalid` (code): wrong, expired, unknown, or tried more than five times."""
    code = "".join(code.split())
    if not (len(code) == 6 and code.isascii() and code.isdigit()):
        raise Invalid.field("code", "the code is six digits; you find it in the e-mail")
    found = _counted(flow, now)
    if not hmac.compare_digest(found.code, _hashed(flow, code)):
        left = TRIES - int(found.tries)
        raise Invalid.field("code", f"that is not the code we sent; {left} more {'try' if left == 1 else 'tries'}" if left else _OVER)
    email = keyring.unseal("email_seal", bytes(found.email), str(found.pk)).decode()
    person = participants.find_or_create(email, now=now)
    return _session(flow, person.id, now)


_OVER = "the code has been used up or has expired; please ask for a new one"


def _counted(flow: str, now: datetime) -> Flow:
    """The flow with one more try counted, before the code is looked at: guesses at the same time count too."""
    item = Flow(pk=f"flow#{keyring.public_hash(flow)}")
    seconds = int(now.timestamp())
    usable = Flow.pk.exists() & (Flow.tries < TRIES) & (Flow.expires > seconds)
    if not store.update_if(item, [Flow.tries.add(1)], usable):
        raise Invalid.field("code", _OVER, code="code_expired")
    return item


def _hashed(flow: str, code: str) -> str:
    return keyring.keyed_hash("codes", flow, code)


def _session(flow: str, person: str, now: datetime) -> SignedIn:
    token = keyring.keyed_hash("codes", "session", flow, person)
    session = Session(pk=keyring.public_hash(token), person=person, expires=int(now.timestamp()) + SESSION_S)
    if not store.save_if(session, Session.pk.does_not_exist()):
        session.refresh(consistent_read=True)
    return SignedIn(token, person, int(session.expires))


def find(token: str, *, now: datetime) -> str | None:
    """The person whose session this is, or None."""
    session = Session.find(keyring.public_hash(token), now=now.timestamp(), consistent=False)
    return session.person if session else None


def end(token: str) -> None:
    """Signs out. Safe to repeat."""
    Session(pk=keyring.public_hash(token)).delete()
