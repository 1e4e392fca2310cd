"""Tallies: absolute recounts of the live votes, written only if nobody wrote since the version was read.

Without that condition an older count can overwrite a newer one for good: of two recounts, the slower one wins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from . import contributions, settings, store, votes

KEPT_S = 10


class Tally(store.Record):
    """Keyed by campaign and phase, so that one query reads all tallies of a list."""

    class Meta:
        table_name = settings.table("tallies")

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    up = NumberAttribute(default=0)
    down = NumberAttribute(default=0)
    version = NumberAttribute(default=0)


@dataclass(frozen=True, slots=True)
class Counts:
    up: int
    down: int


def key_of(campaign: str, contribution: str) -> tuple[str, str]:
    """Where the tally of a contribution is."""
    return f"{campaign}#{contributions.phase_of(contribution)}", contribution


def get(campaign: str, contribution: str) -> Counts:
    """What the last recount found: up to a few seconds old."""
    tally = Tally.find(*key_of(campaign, contribution), consistent=False)
    return Counts(int(tally.up), int(tally.down)) if tally else Counts(0, 0)


def get_all(campaign: str, ids: Iterable[str]) -> dict[str, Counts]:
    """By contribution id; what was never recounted is left out."""
    return by_id(Tally.batch_get([key_of(campaign, contribution) for contribution in ids]))


def by_id(found: Iterable[Tally]) -> dict[str, Counts]:
    return {str(tally.sk): Counts(int(tally.up), int(tally.down)) for tally in found}


def of_phase(campaign: str, phase: int, *, now: datetime) -> Mapping[str, Counts]:
    """All tallies of a phase, by contribution id: at most `KEPT_S` older than `get_all` tells them. Whether they may be shown
    is the caller's to know."""
    return _of_phase(campaign, phase, int(now.timestamp()) // KEPT_S)


@lru_cache(maxsize=8)
def _of_phase(campaign: str, phase: int, _window: int) -> Mapping[str, Counts]:
    """Without a model for each item, which takes ten times as long where there are thousands."""
    asked = {"KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": {":pk": {"S": f"{campaign}#{phase}"}}}
    pages = store.dynamodb().get_paginator("query").paginate(TableName=Tally.Meta.table_name, **asked)
    items = (item for page in pages for item in page["Items"])
    return {item["sk"]["S"]: Counts(int(item["up"]["N"]), int(item["down"]["N"])) for item in items}


def recount(key: str) -> Counts:
    """Counts the live votes of one contribution (`contributions.key`) and stores the result. Safe to repeat, at any time,
    from any number of places: a count that was overtaken is taken again."""
    while True:
        tally = Tally.find(*key_of(*key.split("#")))
        version = int(tally.version) if tally else 0
        values = list(votes.values(key))
        counts = Counts(values.count(1), values.count(-1))
        # Also where nothing changed: a slower recount still on its way must find its version overtaken.
        if _store(key, counts, version):
            return counts


def _store(key: str, counts: Counts, version: int) -> bool:
    unchanged = Tally.version == version if version else Tally.version.does_not_exist()
    pk, sk = key_of(*key.split("#"))
    return store.save_if(Tally(pk=pk, sk=sk, up=counts.up, down=counts.down, version=version + 1), unchanged)


def recount_touched(keys: Iterable[str]) -> None:
    """Recounts each contribution of a batch of stream records once."""
    for key in sorted(set(keys)):
        recount(key)
