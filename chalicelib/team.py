"""Who has a duty in a campaign: organisers invite and remove people by their e-mail address. A duty holds from the moment
of the invitation: whoever signs in with that address has it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pynamodb.attributes import BinaryAttribute, ListAttribute, NumberAttribute, UnicodeAttribute

from . import enrolments, ids, keyring, limits, mail, participants, settings, store
from .campaigns import Campaign
from .enrolments import DUTIES, Duty
from .errors import Conflict, Invalid, NotFound

MEMBERS_MAX = 100
INVITATIONS_PER_HOUR = 30


class MemberItem(store.Record):
    """Under a key of the address, not of the pseudonym: which member writes what is not to be seen from here."""

    class Meta:
        table_name = settings.table("team")

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    email = BinaryAttribute(legacy_encoding=False)
    duties: ListAttribute[str] = ListAttribute(of=UnicodeAttribute)  # type: ignore[arg-type]
    invited = NumberAttribute()


@dataclass(frozen=True, slots=True)
class Member:
    id: str
    email: str
    duties: list[str]
    invited: int


def invite(campaign: Campaign, email: str, duties: Sequence[str], address: str, *, now: datetime) -> Member:
    """Gives the person with this e-mail address duties (in place of those they had), and tells them where to sign in
    (`address`). Safe to repeat.

    Raises `Invalid` (email, duties), `TooMany`, `Conflict` (last_organiser, too_many_members)."""
    email = participants.clean_email(email)
    chosen: list[Duty] = [duty for duty in DUTIES if duty in duties]
    if not chosen or len(chosen) != len(set(duties)):
        raise Invalid.field("duties", f"one or more of {', '.join(DUTIES)}")
    limits.take("invite", campaign.slug, allowed=INVITATIONS_PER_HOUR, window_s=3600, now=now)
    members, key = _items(campaign.slug), _key(campaign.slug, email)
    known = next((member for member in members if member.sk == key), None)
    if known is None and len(members) >= MEMBERS_MAX:
        raise Conflict(f"A campaign has at most {MEMBERS_MAX} members.", code="too_many_members")
    if known and "organiser" not in chosen:
        _check_not_last(members, key)
    person = participants.find_or_create(email, now=now)
    item = MemberItem(pk=campaign.slug, sk=key, duties=list(chosen), invited=known.invited if known else ids.milliseconds(now))
    item.email = keyring.seal("email_seal", email.encode(), f"{campaign.slug}#{key}")
    if known:
        enrolments.dismiss(campaign.slug, person.id)
    item.save()
    enrolments.appoint(campaign.slug, person.id, chosen, now=now)
    if known is None or list(known.duties) != list(chosen):
        mail.send(email, "invitation", {"campaign": campaign.title, "duties": " and ".join(chosen), "address": address})
    return _opened(item)


def add_founder(campaign: Campaign, person: str, *, now: datetime) -> None:
    """Puts the campaign's founder, or whom the operator appointed, on the list. Safe to repeat."""
    found = participants.get(person)
    assert found is not None
    email = participants.address(found)
    key = _key(campaign.slug, email)
    item = MemberItem(pk=campaign.slug, sk=key, duties=["organiser"], invited=ids.milliseconds(now))
    item.email = keyring.seal("email_seal", email.encode(), f"{campaign.slug}#{key}")
    store.save_if(item, MemberItem.pk.does_not_exist())


def remove(campaign: Campaign, member: str) -> None:
    """Takes every duty from a member. Safe to repeat. Raises `NotFound`, `Conflict` (last_organiser)."""
    members = _items(campaign.slug)
    found = next((item for item in members if item.sk == member), None)
    if found is None:
        raise NotFound("There is no such member; perhaps they have been removed already.")
    _check_not_last(members, member)
    person = participants.find(_opened(found).email)
    if person:
        enrolments.dismiss(campaign.slug, person.id)
    found.delete()


def _check_not_last(members: Sequence[MemberItem], leaving: str) -> None:
    organisers = {str(item.sk) for item in members if "organiser" in item.duties}
    if organisers == {leaving}:
        raise Conflict("A campaign keeps at least one organiser; please invite another first.", code="last_organiser")


def members(campaign: str) -> list[Member]:
    """In the order of their invitation."""
    return sorted((_opened(item) for item in _items(campaign)), key=lambda member: (member.invited, member.id))


def _items(campaign: str) -> list[MemberItem]:
    return list(MemberItem.query(campaign, consistent_read=True))


def _key(campaign: str, email: str) -> str:
    return keyring.keyed_hash("email_lookup", "team", campaign, email.lower())[:20]


def _opened(item: MemberItem) -> Member:
    email = keyring.unseal("email_seal", bytes(item.email), f"{item.pk}#{item.sk}").decode()
    return Member(str(item.sk), email, list(item.duties), int(item.invited))
