"""A person in one campaign: the role they chose, under their pseudonym, and the duties they were given."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.transactions import TransactWrite

from . import ids, pseudonyms, settings, store
from .errors import Forbidden, Invalid

Role = Literal["patient", "volunteer", "staff", "other"]
ROLES: tuple[Role, ...] = ("patient", "volunteer", "staff", "other")
Duty = Literal["organiser", "moderator", "coder"]
DUTIES: tuple[Duty, ...] = ("organiser", "moderator", "coder")


class Enrolment(store.Record):
    """`suspended` (epoch milliseconds): may do nothing, and their votes do not count. `of_age`: said to have reached the
    campaign's minimum age."""

    class Meta:
        table_name = settings.table("enrolments")

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    role = UnicodeAttribute(null=True)
    organiser = BooleanAttribute(default=False)
    moderator = BooleanAttribute(default=False)
    coder = BooleanAttribute(default=False)
    of_age = BooleanAttribute(default=False)
    suspended = NumberAttribute(null=True)
    joined = NumberAttribute(null=True)

    @property
    def pseudonym(self) -> str:
        return str(self.sk)

    @property
    def duties(self) -> list[Duty]:
        return [duty for duty in DUTIES if getattr(self, duty)]

    def has(self, *duties: Duty) -> bool:
        """Whether one of these duties is theirs; organisers have all."""
        return not self.suspended and (bool(self.organiser) or any(getattr(self, duty) for duty in duties))


class Suspension(store.Record):
    """Who is suspended in a campaign, found by campaign: a recount leaves them out."""

    class Meta:
        table_name = settings.table("enrolments")

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)


def join(campaign: str, person: str, role: str, *, now: datetime, of_age: bool = False) -> Enrolment:
    """Enrols the person or changes their role. Of their age only that they said to have reached it is recorded. Safe to
    repeat. What a campaign asks of who joins is checked by `campaigns.admit`.

    Raises `Invalid` (role), `Forbidden` (suspended)."""
    if role not in ROLES:
        raise Invalid.field("role", f"please choose one of {', '.join(ROLES)}")
    item = Enrolment(pk=campaign, sk=pseudonyms.of(campaign, person))
    actions = [Enrolment.role.set(role), Enrolment.joined.set(Enrolment.joined | ids.milliseconds(now))]
    if of_age:
        actions.append(Enrolment.of_age.set(True))
    if not store.update_if(item, actions, Enrolment.suspended.does_not_exist()):
        raise suspended()
    return item


def appoint(campaign: str, person: str, duties: Sequence[Duty], *, now: datetime) -> Enrolment:
    """Gives the person these duties in the campaign, besides those they have. Safe to repeat. `team` lists who was invited."""
    item = Enrolment(pk=campaign, sk=pseudonyms.of(campaign, person))
    given = [getattr(Enrolment, duty).set(True) for duty in duties]
    item.update(actions=[*given, Enrolment.joined.set(Enrolment.joined | ids.milliseconds(now))])
    return item


def set_duties(transaction: TransactWrite, campaign: str, person: str, duties: Sequence[str], *, now: datetime) -> None:
    """Gives the person exactly these duties, as a part of a transaction; their role stays."""
    item = Enrolment(pk=campaign, sk=pseudonyms.of(campaign, person))
    given = [getattr(Enrolment, duty).set(duty in duties) for duty in DUTIES]
    transaction.update(item, actions=[*given, Enrolment.joined.set(Enrolment.joined | ids.milliseconds(now))])


def find(campaign: str, person: str) -> Enrolment | None:
    return Enrolment.find(campaign, pseudonyms.of(campaign, person), consistent=False)


def is_of_age(campaign: str, person: str) -> bool:
    """Whether they have said so."""
    found = find(campaign, person)
    return found is not None and bool(found.of_age)


def require(campaign: str, person: str) -> Enrolment:
    """The enrolment with a role. Raises `Forbidden` (not_enrolled, suspended)."""
    enrolment = find(campaign, person)
    if enrolment is None or not enrolment.role:  # they may have joined a moment ago
        enrolment = Enrolment.find(campaign, pseudonyms.of(campaign, person))
    if enrolment is not None and enrolment.suspended:
        raise suspended()
    if enrolment is None or not enrolment.role:
        raise Forbidden("Please join the campaign first: say which describes you best.", code="not_enrolled")
    return enrolment


def require_duty(campaign: str, person: str, *duties: Duty) -> Enrolment:
    """An enrolment with one of the duties, or an organiser's. Raises `Forbidden` (not_organiser, not_moderator, not_coder),
    also for an organiser of other campaigns."""
    enrolment = find(campaign, person)
    if enrolment is None or not enrolment.has(*duties):
        asked = duties[0] if duties else "organiser"
        raise Forbidden(f"Only {'an' if asked == 'organiser' else 'a'} {asked} of this campaign can do this.", code=f"not_{asked}")
    return enrolment


def suspend(campaign: str, pseudonym: str, *, now: datetime) -> None:
    """Safe to repeat. The recount of their votes is the caller's (`votes.touch`), afterwards."""
    Suspension(pk=f"{campaign}#suspended", sk=pseudonym).save()
    Enrolment(pk=campaign, sk=pseudonym).update(actions=[Enrolment.suspended.set(Enrolment.suspended | ids.milliseconds(now))])


def reinstate(campaign: str, pseudonym: str) -> None:
    """Safe to repeat."""
    Suspension(pk=f"{campaign}#suspended", sk=pseudonym).delete()
    Enrolment(pk=campaign, sk=pseudonym).update(actions=[Enrolment.suspended.remove()])


def suspended_in(campaign: str) -> frozenset[str]:
    """The pseudonyms, read consistently."""
    return frozenset(str(item.sk) for item in Suspension.query(f"{campaign}#suspended", consistent_read=True))


def suspended() -> Forbidden:
    return Forbidden("Your access to this campaign has been suspended by its moderators.", code="suspended")
