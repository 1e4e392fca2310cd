"""Campaigns: what is asked, when, on whose behalf. What may be done is decided here, on the server, by the clock."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from pynamodb.attributes import JSONAttribute, ListAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.transactions import TransactWrite

from . import enrolments, ids, phases, pseudonyms, settings, store, texts
from .details import LIMITS, Details, missing, needed, refuse, texts_of, wrong_in
from .errors import Conflict, Invalid, NotFound
from .phases import KINDS, RIGHTS, Kind, NewPhase, Phase, Right

__all__ = ["KINDS", "RIGHTS", "Campaign", "Details", "Kind", "NewPhase", "Phase", "Right"]
_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{1,58}[a-z0-9])")


class Campaign(store.Record):
    """`launch` is the id of the campaign's launch, once there is one; `founder` the pseudonym of who made it. `opened`
    (epoch milliseconds): nobody takes part before. `choices`: [{id, label, options: [{id, label}]}], the campaign's own
    fields of a contribution. `partners`: [{name, link, logo}], `controllers`: [{name, contact}]. Long texts: `texts`."""

    class Meta:
        table_name = settings.table("campaigns")

    pk = UnicodeAttribute(hash_key=True)
    title = UnicodeAttribute()
    question = UnicodeAttribute()
    phases = ListAttribute(of=Phase)
    choices: JSONAttribute = JSONAttribute(default=list)
    tags: ListAttribute[str] = ListAttribute(of=UnicodeAttribute, default=list)  # type: ignore[arg-type]
    partners: JSONAttribute = JSONAttribute(default=list)
    controllers: JSONAttribute = JSONAttribute(default=list)
    contact = UnicodeAttribute(default="")
    minimum_age = NumberAttribute(null=True)
    limits: JSONAttribute = JSONAttribute(default=dict)
    launch = UnicodeAttribute(null=True)
    founder = UnicodeAttribute()
    created = NumberAttribute()
    opened = NumberAttribute(null=True)
    revision = NumberAttribute(default=1)
    changed_by = UnicodeAttribute(null=True)

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
        return next((phase for phase in self.phases if phase.is_open(now)), None) if self.opened else None

    def phase_to_show(self, now: datetime) -> Phase | None:
        """The open one, else the last that has been."""
        begun = [phase for phase in self.phases if float(phase.opens_at) <= now.timestamp()]
        return self.open_phase(now) or (begun[-1] if begun else None)

    def limit(self, name: str) -> int:
        """How often one account may do a thing in an hour."""
        return int(self.limits.get(name, LIMITS[name]))


def create(slug: str, details: Details, *, organiser: str, now: datetime) -> Campaign:
    """Makes a campaign, not open yet, whose first organiser is the person `organiser`. Safe to repeat by the same person.

    Raises `Invalid` with every wrong field, `Conflict` (taken) where the slug is somebody else's."""
    wrong = {} if _SLUG.fullmatch(slug) else {"slug": "3 to 60 small letters, digits and hyphens, such as change-challenge"}
    refuse(wrong | wrong_in(details))
    pseudonyms.create(slug)
    campaign = Campaign(pk=slug, created=ids.milliseconds(now), revision=1)
    campaign.founder = campaign.changed_by = pseudonyms.of(slug, organiser)
    _fill(campaign, details)
    if not store.save_if(campaign, Campaign.pk.does_not_exist()):
        founder, campaign = campaign.founder, get(slug, consistent=True)
        if campaign.founder != founder:
            raise Conflict(f"slug: {slug} is taken; please choose another", code="taken", fields={"slug": "taken"})
    else:
        texts.put(slug, texts_of(details))
    enrolments.appoint(slug, organiser, ["organiser"], now=now)
    return campaign


def change(campaign: Campaign, changes: Mapping[str, Any], organiser: str, *, now: datetime) -> Campaign:
    """Changes some of `Details`. Safe to repeat: the same again changes nothing.

    Raises `Invalid` with every wrong field, `Conflict` (phase_begun; changed: somebody else changed it meanwhile; opened:
    an open campaign cannot do without what opening asks for)."""
    before = details(campaign)
    after = replace(before, **changes)
    refuse(wrong_in(after))
    if before.minimum_age is not None and after.minimum_age is None:
        raise Invalid.field("minimum_age", "an age of at least 13")
    if "phases" in changes:
        phases.check_change(list(campaign.phases), list(after.phases), now=now)
    if campaign.opened and missing(after):
        raise Conflict(needed(missing(after)), code="opened", fields=missing(after))
    if after == before:
        return campaign
    _write(campaign, after, organiser)
    return get(campaign.slug, consistent=True)


def _write(campaign: Campaign, after: Details, organiser: str) -> None:
    revision = int(campaign.revision)
    wanted = Campaign(pk=campaign.slug, revision=revision + 1, changed_by=organiser)
    _fill(wanted, after)
    names = (*_SET, *(["minimum_age"] if after.minimum_age is not None else []))
    actions = [getattr(Campaign, name).set(getattr(wanted, name)) for name in names]

    def fill(transaction: TransactWrite) -> None:
        transaction.update(wanted, actions=actions, condition=Campaign.revision == revision)
        transaction.save(texts.item(campaign.slug, texts_of(after)))

    if store.write_together(fill) is not None:
        now_there = get(campaign.slug, consistent=True)  # a lost response: what stands is what we wrote
        if details(now_there) != after or now_there.changed_by != organiser:
            raise Conflict("Somebody else changed the campaign meanwhile; please look again.", code="changed")


_SET = ("title", "question", "contact", "phases", "choices", "partners", "controllers", "tags", "limits", "revision", "changed_by")


def open_up(campaign: Campaign, *, now: datetime) -> Campaign:
    """Lets people take part. Safe to repeat. Raises `Conflict` (not_ready) with every field that is still missing."""
    lacking = missing(details(campaign))
    if lacking:
        raise Conflict(needed(lacking), code="not_ready", fields=lacking)
    campaign.update(actions=[Campaign.opened.set(Campaign.opened | ids.milliseconds(now))], condition=Campaign.pk.exists())
    return campaign


def details(campaign: Campaign) -> Details:
    """What stands, as `change` takes it."""
    told = texts.get(campaign.slug)
    return Details(
        title=campaign.title,
        question=campaign.question,
        phases=[_as_new(phase) for phase in campaign.phases],
        about=told.about,
        rules=told.rules,
        urgent=told.urgent,
        choices=campaign.choices,
        tags=list(campaign.tags),
        partners=campaign.partners,
        controllers=campaign.controllers,
        contact=campaign.contact,
        minimum_age=None if campaign.minimum_age is None else int(campaign.minimum_age),
        limits=campaign.limits,
    )


def _as_new(phase: Phase) -> NewPhase:
    names = ("title", "question", "contribute", "comment", "vote", "blind", "premoderated")
    opens_at, closes_at = (datetime.fromtimestamp(float(at), UTC) for at in (phase.opens_at, phase.closes_at))
    return NewPhase(opens_at=opens_at, closes_at=closes_at, kinds=list(phase.kinds), **{name: getattr(phase, name) for name in names})


def _fill(campaign: Campaign, found: Details) -> None:
    campaign.title, campaign.question, campaign.contact = found.title.strip(), found.question.strip(), found.contact.strip()
    campaign.phases = [phases.build(number, phase) for number, phase in enumerate(found.phases, 1)]
    campaign.choices, campaign.partners, campaign.controllers = list(found.choices), list(found.partners), list(found.controllers)
    campaign.tags, campaign.minimum_age, campaign.limits = list(found.tags), found.minimum_age, dict(found.limits)


def get(slug: str, *, consistent: bool = False) -> Campaign:
    """Raises `NotFound`."""
    campaign = Campaign.find(slug, consistent=consistent) if _SLUG.fullmatch(slug) else None
    if campaign is None:
        raise NotFound("There is no campaign at this address.")
    return campaign


def every() -> list[Campaign]:
    """All campaigns of this deployment, newest first: there are few."""
    return sorted(Campaign.scan(), key=lambda campaign: -int(campaign.created))


def require(campaign: Campaign, number: int, right: Right, *, now: datetime) -> Phase:
    """The phase if it allows this now. Raises `Conflict` (not_open, phase_closed, not_in_phase)."""
    phase = campaign.phase(number)
    if not campaign.opened:
        raise Conflict("This campaign is not open yet.", code="not_open")
    if not phase.is_open(now):
        raise Conflict(f"The stage “{phase.title}” is not open, so this can no longer be changed.", code="phase_closed")
    if not phase.allows(right, now):
        raise Conflict(f"The stage “{phase.title}” is not for this: {_NOT_FOR[right]}", code="not_in_phase")
    return phase


_NOT_FOR: Mapping[Right, str] = {
    "contribute": "nothing new is added in it.",
    "comment": "comments are closed.",
    "vote": "there is no voting in it.",
}


def writable_phase(campaign: Campaign, *, now: datetime) -> Phase:
    """The phase in which people can contribute now. Raises `Conflict` (not_open, phase_closed, not_in_phase)."""
    phase = campaign.open_phase(now)
    if phase is None and campaign.opened:
        raise Conflict("No stage of this campaign is open at the moment, so nothing can be added or voted on.", code="phase_closed")
    return require(campaign, int(phase.number) if phase else 1, "contribute", now=now)
