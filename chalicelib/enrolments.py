"""A person in one campaign: the role they chose, under their pseudonym, and the duties they were given."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute

from . import ids, pseudonyms, settings, store
from .errors import Forbidden, Invalid

Role = Literal["patient", "volunteer", "staff", "other"]
ROLES: tuple[Role, ...] = ("patient", "volunteer", "staff", "other")


class Enrolment(store.Record):
    class Meta:
        table_name = settings.table("enrolments")

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    role = UnicodeAttribute(null=True)
    organiser = BooleanAttribute(default=False)
    joined = NumberAttribute(null=True)

    @property
    def pseudonym(self) -> str:
        return str(self.sk)


def join(campaign: str, person: str, role: str, *, now: datetime) -> Enrolment:
    """Enrols the person or changes their role. Safe to repeat. Raises `Invalid` (role)."""
    if role not in ROLES:
        raise Invalid.field("role", f"please choose one of {', '.join(ROLES)}")
    item = Enrolment(pk=campaign, sk=pseudonyms.of(campaign, person))
    first = Enrolment.joined.set(Enrolment.joined | ids.milliseconds(now))
    item.update(actions=[Enrolment.role.set(role), first])
    return item


def appoint(campaign: str, person: str, *, now: datetime) -> Enrolment:
    """Makes the person an organiser of the campaign. Safe to repeat."""
    item = Enrolment(pk=campaign, sk=pseudonyms.of(campaign, person))
    item.update(actions=[Enrolment.organiser.set(True), Enrolment.joined.set(Enrolment.joined | ids.milliseconds(now))])
    return item


def find(campaign: str, person: str) -> Enrolment | None:
    return Enrolment.find(campaign, pseudonyms.of(campaign, person), consistent=False)


def require(campaign: str, person: str) -> Enrolment:
    """The enrolment with a role. Raises `Forbidden` (not_enrolled)."""
    enrolment = find(campaign, person)
    if enrolment is None or not enrolment.role:
        raise Forbidden("Please join the campaign first: say which describes you best.", code="not_enrolled")
    return enrolment


def is_organiser(campaign: str, person: str) -> bool:
    enrolment = find(campaign, person)
    return bool(enrolment and enrolment.organiser)


def require_organiser(campaign: str, person: str) -> Enrolment:
    """Raises `Forbidden`, also for an organiser of other campaigns."""
    enrolment = find(campaign, person)
    if enrolment is None or not enrolment.organiser:
        raise Forbidden("Only an organiser of this campaign can do this.", code="not_organiser")
    return enrolment
