"""How often a campaign's pages were opened by the link of its launch: how many, a minute, and nothing of anybody."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from . import settings, store

SHARDS, KEEP_DAYS = 4, 40


class Visits(store.Record, store.Expiring):
    """Of one minute, in one of a campaign's few partitions: together they take more than one item would, at the moment."""

    class Meta:
        table_name = settings.table("visits")

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    n = NumberAttribute(default=0)
    expires = NumberAttribute()


def count(campaign: str, *, now: datetime) -> None:
    """One more. Added up, unlike votes and people: a view of a page has no key by which it could be counted again, and one
    that is counted twice after a lost response decides nothing."""
    shard = random.randrange(SHARDS)  # noqa: S311  # spreads writes
    expires = int((now + timedelta(days=KEEP_DAYS)).timestamp())
    Visits(pk=_partition(campaign, shard), sk=_minute(now)).update(actions=[Visits.n.add(1), Visits.expires.set(expires)])


def between(campaign: str, start: datetime, end: datetime) -> int:
    """From the minute of `start` up to, and without, that of `end`."""
    last = _minute(end - timedelta(minutes=1))
    parts = (Visits.query(_partition(campaign, shard), Visits.sk.between(_minute(start), last)) for shard in range(SHARDS))
    return sum(int(one.n) for part in parts for one in part)


def _partition(campaign: str, shard: int) -> str:
    return f"{campaign}#{shard}"


def _minute(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M}"
