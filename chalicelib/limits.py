"""How often one account or address may do a thing, counted in fixed windows. Never per network address: a hospital
is one address. A lost response may count one too many, which only errs on the safe side."""

from __future__ import annotations

from datetime import datetime

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from . import ids, settings, store
from .errors import TooMany


class Limit(store.Record, store.Expiring):
    class Meta:
        table_name = settings.table("limits")

    pk = UnicodeAttribute(hash_key=True)
    n = NumberAttribute(default=0)
    expires = NumberAttribute()


class Request(store.Record, store.Expiring):
    """What a request with this key made, so that repeating it makes nothing new."""

    class Meta:
        table_name = settings.table("limits")

    pk = UnicodeAttribute(hash_key=True)
    made = UnicodeAttribute()
    expires = NumberAttribute()


def take(what: str, whom: str, *, allowed: int, window_s: int, now: datetime) -> None:
    """Counts one use. Raises `TooMany` with the seconds to wait once `allowed` are used up in this window."""
    seconds = int(now.timestamp())
    window = seconds // window_s
    item = Limit(pk=f"{what}#{whom}#{window}")
    actions = [Limit.n.add(1), Limit.expires.set((window + 2) * window_s)]
    if not store.update_if(item, actions, Limit.n.does_not_exist() | (Limit.n < allowed)):
        wait = (window + 1) * window_s - seconds
        raise TooMany(f"That is more than {allowed} times; please try again in {_minutes(wait)}.", retry_after=wait)


def _minutes(seconds: int) -> str:
    minutes = -(-seconds // 60)
    return "a minute" if minutes == 1 else f"{minutes} minutes"


def once(whose: str, key: str, *, now: datetime) -> str:
    """A new id, or the one that the same person's request with the same key got within the last day."""
    pk, made = f"request#{whose}#{key}", ids.ordered(now)
    if store.save_if(Request(pk=pk, made=made, expires=int(now.timestamp()) + 86_400), Request.pk.does_not_exist()):
        return made
    earlier = Request.find(pk)
    return earlier.made if earlier else made
