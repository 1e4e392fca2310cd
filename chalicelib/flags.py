"""What waits for a moderator: reports of people (with or without an account), and what a pre-moderated phase holds back.
A target is a contribution's id, or `<contribution>/<comment>`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from . import ids, limits, settings, store
from .errors import Invalid

Reason = Literal["identifies", "abusive", "off-topic", "danger", "other"]
REASONS: tuple[Reason, ...] = ("danger", "identifies", "abusive", "off-topic", "other")
NOTE_MAX = 500
PER_HOUR, PER_PERSON_PER_HOUR = 600, 30
DANGER, _REVIEW = "danger", "review"


class Flag(store.Record):
    """`reason` is "review" for what a pre-moderated phase holds back. Nobody is told who reported."""

    class Meta:
        table_name = settings.table("flags")

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    reason = UnicodeAttribute()
    note = UnicodeAttribute(default="")
    created = NumberAttribute()

    @property
    def target(self) -> str:
        return str(self.sk).rpartition("#")[0]


@dataclass(frozen=True, slots=True)
class Waiting:
    """One target in the queue. `reasons`: how often each was given; `since` in epoch milliseconds."""

    target: str
    reasons: Mapping[str, int]
    notes: list[str]
    since: int

    @property
    def is_urgent(self) -> bool:
        return DANGER in self.reasons


def add(campaign: str, target: str, *, reason: str, note: str, pseudonym: str | None, request: str, now: datetime) -> Flag:
    """Reports a target; who is signed in reports it once, saying it again replaces what they said.

    Raises `Invalid` (reason, note), `TooMany`."""
    note = note.strip()
    if reason not in REASONS:
        raise Invalid.field("reason", f"please choose one of {', '.join(REASONS)}")
    if len(note) > NOTE_MAX:
        raise Invalid.field("note", f"{len(note)} characters; at most {NOTE_MAX} fit")
    if pseudonym is None:
        limits.take("flags", campaign, allowed=PER_HOUR, window_s=3600, now=now)
    else:  # apart, so that no flood of reports keeps who is signed in from making one
        limits.take("flag", f"{campaign}#{pseudonym}", allowed=PER_PERSON_PER_HOUR, window_s=3600, now=now)
    by = pseudonym or f"once-{limits.once(campaign, f'flag#{target}#{request}', now=now)}"
    flag = Flag(pk=campaign, sk=f"{target}#{by}", reason=reason, note=note, created=ids.milliseconds(now))
    flag.save()
    return flag


def await_review(campaign: str, contribution: str, *, now: datetime) -> None:
    """Puts what a pre-moderated phase holds back into the queue. Safe to repeat."""
    Flag(pk=campaign, sk=f"{contribution}#{_REVIEW}", reason=_REVIEW, created=ids.milliseconds(now)).save()


def end_review(campaign: str, contribution: str) -> None:
    """Takes the wait for a moderator out of the queue; reports stay. Safe to repeat."""
    Flag(pk=campaign, sk=f"{contribution}#{_REVIEW}").delete()


def waiting(campaign: str) -> list[Waiting]:
    """The queue: what may be dangerous first, then the oldest."""
    by_target: dict[str, list[Flag]] = {}
    for flag in Flag.query(campaign, consistent_read=True):
        by_target.setdefault(flag.target, []).append(flag)
    found = [_gathered(target, flags) for target, flags in by_target.items()]
    return sorted(found, key=lambda one: (not one.is_urgent, one.since, one.target))


def _gathered(target: str, flags: Iterable[Flag]) -> Waiting:
    listed = sorted(flags, key=lambda flag: int(flag.created))
    reasons: dict[str, int] = {}
    for flag in listed:
        reasons[flag.reason] = reasons.get(flag.reason, 0) + 1
    return Waiting(target, reasons, [flag.note for flag in listed if flag.note], int(listed[0].created))


def close(campaign: str, target: str, *, until: datetime) -> None:
    """Takes a target out of the queue, with the reports made up to then. Safe to repeat."""
    for flag in Flag.query(campaign, Flag.sk.startswith(f"{target}#"), consistent_read=True):
        if int(flag.created) <= ids.milliseconds(until):
            flag.delete()
