"""Campaigns and their phases. What may be done is decided here, on the server, by the clock."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pynamodb.attributes import BooleanAttribute, ListAttribute, MapAttribute, NumberAttribute, UnicodeAttribute

from . import enrolments, ids, pseudonyms, settings, store
from .errors import Conflict, Invalid, NotFound

Kind = Literal["barrier", "building-block", "solution"]
KINDS: tuple[Kind, ...] = ("barrier", "building-block", "solution")
_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{1,58}[a-z0-9])")


class Phase(MapAttribute[str, object]):
    """Numbered from 1. Open from `opens_at` until just before `closes_at` (epoch seconds).
    `blind`: tallies are hidden until the phase has closed."""

    number = NumberAttribute()
    title = UnicodeAttribute()
    opens_at = NumberAttribute()
    closes_at = NumberAttribute()
    kinds: ListAttribute[str] = ListAttribute(of=UnicodeAttribute)  # type: ignore[arg-type]
    blind = BooleanAttribute(default=True)

    def is_open(self, now: datetime) -> bool:
        return float(self.opens_at) <= now.timestamp() < float(self.closes_at)

    def shows_tallies(self, now: datetime) -> bool:
        return not self.blind or now.timestamp() >= float(self.closes_at)


class Campaign(store.Record):
    """`launch` is the id of the campaign's launch, once there is one; `founder` the pseudonym of who made it."""

    class Meta:
        table_name = settings.table("campaigns")

    pk = UnicodeAttribute(hash_key=True)
    title = UnicodeAttribute()
    question = UnicodeAttribute()
    phases = ListAttribute(of=Phase)
    launch = UnicodeAttribute(null=True)
    founder = UnicodeAttribute()
    created = NumberAttribute()

    @property
    def slug(self) -> str:
        return str(self.pk)

    def phase(self, number: int) -> Phase:
        """Raises `NotFound`."""
        for phase in self.phases:
            if phase.number == number:
                return phase
        raise NotFound("There is no such phase in this campaign.")

    def open_phase(self, now: datetime) -> Phase | None:
        return next((phase for phase in self.phases if phase.is_open(now)), None)


@dataclass(frozen=True, slots=True)
class NewPhase:
    title: str
    opens_at: datetime
    closes_at: datetime
    kinds: Sequence[str]
    blind: bool = True


def create(slug: str, title: str, question: str, phases: Sequence[NewPhase], *, organiser: str, now: datetime) -> Campaign:
    """Makes a campaign whose first organiser is the person `organiser`. Safe to repeat by the same person.

    Raises `Invalid` with every wrong field, `Conflict` (taken) where the slug is somebody else's."""
    _check(slug, title, question, phases)
    pseudonyms.create(slug)
    campaign = Campaign(pk=slug, title=title.strip(), question=question.strip(), created=ids.milliseconds(now))
    campaign.phases = [_phase(number, phase) for number, phase in enumerate(phases, 1)]
    campaign.founder = pseudonyms.of(slug, organiser)
    if not store.save_if(campaign, Campaign.pk.does_not_exist()):
        founder, campaign = campaign.founder, get(slug)
        if campaign.founder != founder:
            raise Conflict(f"slug: {slug} is taken; please choose another", code="taken", fields={"slug": "taken"})
    enrolments.appoint(slug, organiser, now=now)
    return campaign


def _phase(number: int, phase: NewPhase) -> Phase:
    return Phase(  # type: ignore[no-untyped-call]
        number=number,
        title=phase.title.strip(),
        opens_at=int(phase.opens_at.timestamp()),
        closes_at=int(phase.closes_at.timestamp()),
        kinds=list(phase.kinds),
        blind=phase.blind,
    )


def _check(slug: str, title: str, question: str, phases: Sequence[NewPhase]) -> None:
    wrong: dict[str, str] = {}
    if not _SLUG.fullmatch(slug):
        wrong["slug"] = "3 to 60 small letters, digits and hyphens, such as change-challenge"
    if not 1 <= len(title.strip()) <= 120:
        wrong["title"] = "1 to 120 characters"
    if not 1 <= len(question.strip()) <= 300:
        wrong["question"] = "1 to 300 characters"
    if not phases:
        wrong["phases"] = "at least one phase"
    for phase in phases:
        wrong.update(_wrong_in(phase))
    if wrong:
        raise Invalid("; ".join(f"{name}: {what}" for name, what in wrong.items()), fields=wrong)


def _wrong_in(phase: NewPhase) -> dict[str, str]:
    wrong: dict[str, str] = {}
    if not 1 <= len(phase.title.strip()) <= 120:
        wrong["phase.title"] = "1 to 120 characters"
    if phase.closes_at <= phase.opens_at:
        wrong["phase.closes_at"] = "must be after opens_at"
    if not phase.kinds or any(kind not in KINDS for kind in phase.kinds):
        wrong["phase.kinds"] = f"one or more of {', '.join(KINDS)}"
    return wrong


def get(slug: str) -> Campaign:
    """Raises `NotFound`."""
    campaign = Campaign.find(slug, consistent=False) if _SLUG.fullmatch(slug) else None
    if campaign is None:
        raise NotFound("There is no campaign at this address.")
    return campaign


def every() -> list[Campaign]:
    """All campaigns of this deployment, newest first: there are few."""
    return sorted(Campaign.scan(), key=lambda campaign: -int(campaign.created))


def writable_phase(campaign: Campaign, *, now: datetime) -> Phase:
    """The phase in which people can contribute now. Raises `Conflict` (phase_closed) saying when."""
    phase = campaign.open_phase(now)
    if phase is None:
        raise Conflict("No stage of this campaign is open at the moment, so nothing can be added or voted on.", code="phase_closed")
    return phase


def require_open(campaign: Campaign, number: int, *, now: datetime) -> Phase:
    """The phase if it is open. Raises `Conflict` (phase_closed)."""
    phase = campaign.phase(number)
    if not phase.is_open(now):
        raise Conflict(f"The stage “{phase.title}” is not open, so this can no longer be changed.", code="phase_closed")
    return phase
