"""Campaigns: what is asked, when, on whose behalf. What may be done is decided here, on the server, by the clock."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from pynamodb.attributes import JSONAttribute, ListAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from . import enrolments, ids, phases, pseudonyms, settings, store, team, texts
from .details import LIMITS, ZONE, Details, cleaned, missing, needed, refuse, texts_of, wrong_in
from .enrolments import Enrolment
from .errors import Conflict, Invalid, NotFound
from .phases import KINDS, RIGHTS, Kind, NewPhase, Phase, Right

__all__ = ["KINDS", "RIGHTS", "Campaign", "Details", "Kind", "NewPhase", "Phase", "Right"]
_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{1,58}[a-z0-9])")


class Campaign(store.Record):
    """`launch` is the id of the campaign's launch, once there is one; `founder` the pseudonym of who made it. `opened`
    (epoch milliseconds): nobody takes part before. `zone`, `choices`, `partners`, `controllers`, `limits`: as in `Details`.
    `revision` counts the organisers' changes. Long texts and logos: `texts`."""

    class Meta:
        table_name = settings.table("campaigns")

    pk = UnicodeAttribute(hash_key=True)
    title = UnicodeAttribute()
    question = UnicodeAttribute()
    zone = UnicodeAttribute(default=ZONE)
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
        begun = [phase for phase in self.phases if not phase.is_ahead(now)]
        return self.open_phase(now) or (begun[-1] if begun else None)

    def limit(self, name: str) -> int:
        """How often one account may do a thing in an hour."""
        return int(self.limits.get(name, LIMITS[name]))


def create(slug: str, details: Details, *, organiser: str, now: datetime) -> Campaign:
    """Makes a campaign, not open yet, whose first organiser is the person `organiser`. Safe to repeat.

    Raises `Invalid` with every wrong field, `Conflict` (taken) where there is another campaign at this address."""
    details = cleaned(details)
    wrong = {} if _SLUG.fullmatch(slug) else {"slug": "3 to 60 small letters, digits and hyphens, such as change-challenge"}
    refuse(wrong | wrong_in(details))
    pseudonyms.create(slug)
    campaign = Campaign(pk=slug, created=ids.milliseconds(now), revision=1)
    campaign.founder = campaign.changed_by = pseudonyms.of(slug, organiser)
    _fill(campaign, details)

    def fill(transaction: TransactWrite) -> None:
        transaction.save(campaign, condition=Campaign.pk.does_not_exist())
        transaction.save(texts.item(slug, texts_of(details)))

    if store.write_together(fill) is not None:
        founder, campaign = campaign.founder, get(slug, consistent=True)
        if campaign.founder != founder or (campaign.revision == 1 and details_of(campaign) != details):
            raise Conflict(f"slug: {slug} is taken; please choose another", code="taken", fields={"slug": "taken"})
    team.found(slug, organiser, now=now)
    return campaign


def change(campaign: Campaign, changes: Mapping[str, Any], organiser: str, *, now: datetime, revision: int | None = None) -> Campaign:
    """Changes some of `Details`. `revision`: of what the organiser had before them. Safe to repeat: the same again changes
    nothing.

    Raises `Invalid` with every wrong field, `Conflict` (phase_begun; changed: somebody else changed it meanwhile; opened:
    an open campaign cannot do without what opening asks for)."""
    before = details_of(campaign)
    after = cleaned(replace(before, **changes))
    refuse(wrong_in(after))
    if after == before:
        return campaign
    if revision not in (None, int(campaign.revision)):
        raise _changed()
    if campaign.opened:
        phases.check_change(list(campaign.phases), list(after.phases), now=now)
        if missing(after):
            raise Conflict(needed(missing(after)), code="opened", fields=missing(after))
    _write(campaign, after, organiser)
    for partner in {one["id"] for one in before.partners} - {one["id"] for one in after.partners}:
        texts.drop_logo(campaign.slug, partner)
    return get(campaign.slug, consistent=True)


def _write(campaign: Campaign, after: Details, organiser: str) -> None:
    revision = int(campaign.revision)
    wanted = Campaign(pk=campaign.slug, revision=revision + 1, changed_by=organiser)
    _fill(wanted, after)
    actions: list[Action] = [getattr(Campaign, name).set(getattr(wanted, name)) for name in _SET]
    age = Campaign.minimum_age
    actions.append(age.remove() if after.minimum_age is None else age.set(after.minimum_age))

    def fill(transaction: TransactWrite) -> None:
        transaction.update(wanted, actions=actions, condition=Campaign.revision == revision)
        transaction.save(texts.item(campaign.slug, texts_of(after)))

    if store.write_together(fill) is not None:
        there = get(campaign.slug, consistent=True)  # a lost response: what stands is what we wrote
        if details_of(there) != after or there.changed_by != organiser:
            raise _changed()


_PLAIN = ("title", "question", "zone", "contact", "choices", "tags", "partners", "controllers", "limits")
_SET = (*_PLAIN, "phases", "revision", "changed_by")


def _changed() -> Conflict:
    return Conflict("Somebody else changed the campaign meanwhile; please look again at what it says now.", code="changed")


def open_up(campaign: Campaign, *, now: datetime) -> Campaign:
    """Lets people take part. Safe to repeat. Raises `Conflict` (not_ready: with every field that is still missing; changed)."""
    if campaign.opened:
        return campaign
    lacking = missing(details_of(campaign))
    if lacking:
        raise Conflict(needed(lacking), code="not_ready", fields=lacking)
    actions: list[Action] = [Campaign.opened.set(ids.milliseconds(now)), Campaign.revision.set(campaign.revision + 1)]
    if not store.update_if(campaign, actions, (Campaign.revision == campaign.revision) & Campaign.opened.does_not_exist()):
        campaign = get(campaign.slug, consistent=True)
        if not campaign.opened:
            raise _changed()
    return campaign


def details_of(campaign: Campaign) -> Details:
    """What stands, as `change` takes it."""
    told = texts.get(campaign.slug, consistent=True)
    return cleaned(
        Details(
            **{name: getattr(campaign, name) for name in _PLAIN},
            **{name: getattr(told, name) for name in texts.MAX},
            phases=[phases.as_new(phase) for phase in campaign.phases],
            minimum_age=None if campaign.minimum_age is None else int(campaign.minimum_age),
        )
    )


def _fill(campaign: Campaign, found: Details) -> None:
    for name in _PLAIN:
        setattr(campaign, name, getattr(found, name))
    campaign.minimum_age = found.minimum_age
    campaign.phases = [phases.build(number, phase) for number, phase in enumerate(found.phases, 1)]


def get(slug: str, *, consistent: bool = False) -> Campaign:
    """Raises `NotFound`."""
    campaign = Campaign.find(slug, consistent=consistent) if _SLUG.fullmatch(slug) else None
    if campaign is None:
        raise NotFound("There is no campaign at this address.")
    return campaign


def every() -> list[Campaign]:
    """All campaigns of this deployment, newest first: there are few."""
    return sorted(Campaign.scan(), key=lambda campaign: -int(campaign.created))


def admit(campaign: Campaign, person: str, role: str, *, of_age: bool, now: datetime) -> Enrolment:
    """Lets a person join, or change their role. Who joins says once that they are old enough. Safe to repeat.

    Raises `Conflict` (not_open), `Invalid` (role, of_age), `Forbidden` (suspended)."""
    if not campaign.opened:
        raise _not_open()
    if campaign.minimum_age is not None and not of_age and not enrolments.is_of_age(campaign.slug, person):
        raise Invalid.field("of_age", f"only people of {int(campaign.minimum_age)} or older can take part")
    return enrolments.join(campaign.slug, person, role, now=now, of_age=of_age)


def _not_open() -> Conflict:
    return Conflict("This campaign is not open yet.", code="not_open")


def require(campaign: Campaign, number: int, right: Right, *, now: datetime, organises: bool = False) -> Phase:
    """The phase if it allows this now. An organiser may contribute where others may not: a stage that ranks what went
    before is given its shortlist so. Raises `Conflict` (not_open, phase_closed, not_in_phase)."""
    phase = campaign.phase(number)
    if not campaign.opened:
        raise _not_open()
    if not phase.is_open(now):
        raise Conflict(f"The stage “{phase.title}” is not open, so this can no longer be changed.", code="phase_closed")
    if not phase.allows(right, now) and not (organises and right == "contribute"):
        raise Conflict(f"The stage “{phase.title}” is not for this: {_NOT_FOR[right]}", code="not_in_phase")
    return phase


_NOT_FOR: Mapping[Right, str] = {
    "contribute": "nothing new is added in it.",
    "comment": "comments are closed.",
    "vote": "there is no voting in it.",
}


def writable_phase(campaign: Campaign, *, now: datetime, organises: bool = False) -> Phase:
    """The phase in which people can contribute now. Raises `Conflict` (not_open, phase_closed, not_in_phase)."""
    phase = campaign.open_phase(now)
    if phase is None and campaign.opened:
        raise Conflict("No stage of this campaign is open at the moment, so nothing can be added or voted on.", code="phase_closed")
    return require(campaign, int(phase.number) if phase else 1, "contribute", now=now, organises=organises)
