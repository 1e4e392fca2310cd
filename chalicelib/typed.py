"""What somebody typed into a form before they could send it, kept on the server while they sign in: sealed, for an hour at
most, and deleted once it has been sent. Never in the browser: wards share computers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from pynamodb.attributes import BinaryAttribute, NumberAttribute, UnicodeAttribute

from . import ids, keyring, limits, settings, store
from .errors import Invalid

KEPT_S = 3600
BYTES_MAX = 65_536
PER_HOUR = 3600
Form = Mapping[str, Sequence[str]]


class Typed(store.Record, store.Expiring):
    """Keyed by the hash of a token that only the browser holds."""

    class Meta:
        table_name = settings.table("sessions")

    pk = UnicodeAttribute(hash_key=True)
    sealed = BinaryAttribute(legacy_encoding=False)
    expires = NumberAttribute()


def keep(page: str, form: Form, *, now: datetime) -> str:
    """Keeps what was typed into the form of a page (its path); returns the token that finds it again.

    Raises `Invalid` where it is too long, `TooMany` where very many are kept."""
    data = json.dumps({"page": page, "form": {name: list(values) for name, values in form.items()}}).encode()
    if len(data) > BYTES_MAX:
        raise Invalid("This is too long to be kept while you sign in.")
    limits.take("typed", "everybody", allowed=PER_HOUR, window_s=3600, now=now)
    token = ids.token()
    pk = _key(token)
    Typed(pk=pk, sealed=keyring.seal("email_seal", data, pk), expires=int(now.timestamp()) + KEPT_S).save()
    return token


def find(token: str, page: str, *, now: datetime) -> dict[str, list[str]] | None:
    """What was typed into the form of this page, or None."""
    kept = Typed.find(_key(token), now=now.timestamp())
    if kept is None:
        return None
    found = json.loads(keyring.unseal("email_seal", bytes(kept.sealed), str(kept.pk)))
    return dict(found["form"]) if found["page"] == page else None


def forget(token: str) -> None:
    """Safe to repeat."""
    Typed(pk=_key(token)).delete()


def _key(token: str) -> str:
    return f"typed#{keyring.public_hash(token)}"
