"""Votes are items, one per contribution and person; tallies are recounted from them (see `tallies`), never incremented."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection

from . import campaigns, contributions, enrolments, ids, limits, pseudonyms, settings, store
from .campaigns import Campaign
from .contributions import Contribution
from .enrolments import Enrolment
from .errors import Invalid


class ByPseudonym(GlobalSecondaryIndex["Vote"]):  # type: ignore[no-untyped-call]
    class Meta:
        index_name = "by_pseudonym"
        projection = KeysOnlyProjection()

    sk = UnicodeAttribute(hash_key=True)
    pk = UnicodeAttribute(range_key=True)


class Vote(store.Record):
    """`value` 1 or -1; 0 once withdrawn. The item stays, so that a late repetition of an older request, which carries
    an older `at` (milliseconds), cannot bring back what was changed since."""

    class Meta:
        table_name = settings.table("votes")

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    value = NumberAttribute()
    at = NumberAttribute()
    touched = NumberAttribute(null=True)
    by_pseudonym = ByPseudonym()


@dataclass(frozen=True, slots=True)
class Ballot:
    """What a vote is judged by."""

    campaign: Campaign
    pseudonym: str
    contribution: Contribution


def ballot(slug: str, contribution: str, person: str) -> Ballot:
    """Everything that a vote of this person needs, in one eventually consistent read. Only where that shows nothing to vote
    on, or nobody who may, is it looked for one by one, so that what was made a moment ago is found.

    Raises `NotFound`, `Forbidden` (not_enrolled, suspended)."""
    phase, pseudonym = contributions.phase_of(contribution), pseudonyms.of(slug, person)
    wanted: Mapping[type[store.Record], list[store.Key]] = {
        Campaign: [(slug,)],
        Enrolment: [(slug, pseudonym)],
        Contribution: [(f"{slug}#{phase}", contribution)],
    }
    campaign, enrolment, found = (next(iter(items), None) for items in store.read_together(wanted).values())
    if campaign is None or enrolment is None or not enrolment.role or enrolment.suspended:
        campaign, enrolment = campaigns.get(slug), enrolments.require(slug, person)
    return Ballot(campaign, enrolment.pseudonym, found or contributions.find(slug, contribution))


def cast(campaign: Campaign, contribution: str, pseudonym: str, value: int, *, now: datetime, found: Contribution | None = None) -> int:
    """Casts or changes the person's vote; returns the value that stands. Safe to repeat. `found`: the contribution, where
    it has been read already.

    Raises `Invalid` (value), `NotFound`, `Conflict` (not_open, phase_closed, not_in_phase), `TooMany`."""
    if isinstance(value, bool) or value not in (1, -1):
        raise Invalid.field("value", "1 votes up, -1 votes down; to take a vote back, withdraw it")
    _require_votable(campaign, contribution, pseudonym, now, found)
    return _write(contributions.key(campaign.slug, contribution), pseudonym, value, now)


def withdraw(campaign: Campaign, contribution: str, pseudonym: str, *, now: datetime, found: Contribution | None = None) -> None:
    """Takes the person's vote back. Safe to repeat, and without a vote nothing happens. `found`: as for `cast`.

    Raises `NotFound`, `Conflict` (not_open, phase_closed, not_in_phase), `TooMany`."""
    _require_votable(campaign, contribution, pseudonym, now, found)
    key = contributions.key(campaign.slug, contribution)
    if Vote.find(key, pseudonym) is not None:
        _write(key, pseudonym, 0, now)


def _require_votable(campaign: Campaign, contribution: str, pseudonym: str, now: datetime, found: Contribution | None) -> None:
    campaigns.require(campaign, contributions.phase_of(contribution), "vote", now=now)
    contributions.visible(found or contributions.find(campaign.slug, contribution))
    limits.take("vote", f"{campaign.slug}#{pseudonym}", allowed=campaign.limit("votes_per_hour"), window_s=3600, now=now)


def _write(key: str, pseudonym: str, value: int, now: datetime) -> int:
    at = ids.milliseconds(now)
    vote = Vote(pk=key, sk=pseudonym)
    if store.update_if(vote, [Vote.value.set(value), Vote.at.set(at)], Vote.at.does_not_exist() | (Vote.at <= at)):
        return value
    newer = Vote.find(key, pseudonym)
    return int(newer.value) if newer else value


def find(campaign: str, contribution: str, pseudonym: str) -> Vote | None:
    """The person's vote, also a withdrawn one. Read consistently: a voter sees their vote at once."""
    return Vote.find(contributions.key(campaign, contribution), pseudonym)


def own(campaign: str, contribution: str, pseudonym: str) -> int:
    """The person's own live vote: 1, -1, or 0 for none."""
    vote = find(campaign, contribution, pseudonym)
    return int(vote.value) if vote else 0


def own_of(campaign: str, keys: list[str], pseudonym: str) -> dict[str, int]:
    """The person's own live votes on several contributions (ids), in one batch read."""
    pairs = [(contributions.key(campaign, contribution), pseudonym) for contribution in keys]
    return by_id(Vote.batch_get(pairs, consistent_read=True))


def by_id(found: Iterable[Vote]) -> dict[str, int]:
    """Live ones, by contribution id."""
    return {str(vote.pk).rpartition("#")[2]: int(vote.value) for vote in found if vote.value}


def ever(key: str) -> Iterator[Vote]:
    """Every vote on a contribution (by its `contributions.key`), also withdrawn ones, read consistently."""
    yield from Vote.query(key, consistent_read=True, attributes_to_get=["pk", "sk", "value", "at"])


def values(key: str) -> Iterator[int]:
    """The votes that count on a contribution (by its `contributions.key`), read consistently: neither withdrawn ones nor
    those of who is suspended."""
    suspended = enrolments.suspended_in(key.split("#", maxsplit=1)[0])
    for vote in ever(key):
        if vote.value and str(vote.sk) not in suspended:
            yield int(vote.value)


def touch(campaign: str, pseudonym: str) -> None:
    """Has every tally that the person's votes count in recounted, through the stream. Safe to repeat."""
    for key in Vote.by_pseudonym.query(pseudonym):
        if str(key.pk).startswith(f"{campaign}#"):
            store.update_if(Vote(pk=str(key.pk), sk=pseudonym), [Vote.touched.set((Vote.touched | 0) + 1)], Vote.pk.exists())
