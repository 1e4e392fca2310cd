"""Who has a duty in a campaign: organisers invite and remove people by their e-mail address. A duty holds from the moment
of the invitation: whoever signs in with that address has it. The list and the enrolments change together or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pynamodb.attributes import BinaryAttribute, ListAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.transactions import TransactWrite

from . import enrolments, ids, keyring, limits, mail, participants, settings, store
from .enrolments import DUTIES, Duty
from .errors import Conflict, Invalid, TooMany

MEMBERS_MAX = 100
INVITATIONS_PER_HOUR, WARNINGS_PER_HOUR = 30, 20
_ATTEMPTS = 10


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
    """`invited` in epoch milliseconds."""

    id: str
    email: str
    duties: list[str]
    invited: int


@dataclass(frozen=True, slots=True)
class Addressee:
    """A member for a function that cannot open addresses: `address` is sealed in `context`."""

    id: str
    address: bytes
    context: str


@dataclass(frozen=True, slots=True)
class Welcome:
    """What an invitation says: the campaign's title, and the address at which its team signs in."""

    title: str
    address: str


def found(campaign: str, person: str, *, now: datetime) -> None:
    """Makes who makes a campaign its first organiser. Where it has a team already nothing happens, so that nobody comes
    back by making it again. Safe to repeat."""
    if not _items(campaign):
        appoint(campaign, person, now=now)


def appoint(campaign: str, person: str, *, now: datetime) -> None:
    """Makes a person an organiser without an invitation, as the operator does. Keeps the duties that they have. Safe to
    repeat. Raises `Conflict` (too_many_members, changed)."""
    known = participants.get(person)
    assert known is not None, "only people who exist are appointed"
    email = participants.address(known)
    before = next((list(item.duties) for item in _items(campaign) if item.sk == _key(campaign, email)), [])
    _set(campaign, email, person, [duty for duty in DUTIES if duty == "organiser" or duty in before], now=now)


def invite(campaign: str, email: str, duties: Sequence[str], welcome: Welcome, *, now: datetime) -> Member:
    """Gives the person with this e-mail address duties, in place of those they had, and tells them where to sign in.
    Safe to repeat: only the e-mail goes again.

    Raises `Invalid` (email, duties), `TooMany`, `Conflict` (last_organiser, too_many_members, changed)."""
    email = participants.clean_email(email)
    chosen: list[Duty] = [duty for duty in DUTIES if duty in duties]
    if not chosen or len(chosen) != len(set(duties)):
        raise Invalid.field("duties", f"one or more of {', '.join(DUTIES)}")
    limits.take("invite", campaign, allowed=INVITATIONS_PER_HOUR, window_s=3600, now=now)
    person = participants.find_or_create(email, now=now)
    member = _set(campaign, email, person.id, chosen, now=now)
    mail.send(email, "invitation", {"campaign": welcome.title, "duties": " and ".join(chosen), "address": welcome.address})
    return member


def _set(campaign: str, email: str, person: str, duties: Sequence[Duty], *, now: datetime) -> Member:
    """Puts a member on the list with these duties, and gives them to the person."""
    key = _key(campaign, email)
    for _ in range(_ATTEMPTS):
        listed = _items(campaign)
        before = next((item for item in listed if item.sk == key), None)
        if before is None and len(listed) >= MEMBERS_MAX:
            raise Conflict(f"A campaign has at most {MEMBERS_MAX} members.", code="too_many_members")
        after = MemberItem(pk=campaign, sk=key, duties=list(duties), invited=before.invited if before else ids.milliseconds(now))
        after.email = keyring.seal("email_seal", email.encode(), _context(after))
        stays = _who_stays(listed, key) if "organiser" not in duties else None
        if _write(before, after, person, stays, now=now):
            return _opened(after)
    raise _changed()


def remove(campaign: str, member: str, *, now: datetime) -> None:
    """Takes every duty from a member. Safe to repeat: nothing happens where there is no such member. Raises `Conflict`
    (last_organiser, changed)."""
    for _ in range(_ATTEMPTS):
        listed = _items(campaign)
        before = next((item for item in listed if item.sk == member), None)
        if before is None:
            return
        person = participants.find(_opened(before).email)
        assert person is not None, "an address that was invited has its person"
        if _write(before, None, person.id, _who_stays(listed, member), now=now):
            return
    raise _changed()


def _write(before: MemberItem | None, after: MemberItem | None, person: str, stays: MemberItem | None, *, now: datetime) -> bool:
    """The list and the enrolment in one transaction; False where either is not as it was read."""
    unchanged = MemberItem.pk.does_not_exist() if before is None else MemberItem.duties == list(before.duties)
    campaign = str((before or after).pk)  # type: ignore[union-attr]  # one of them is there

    def fill(transaction: TransactWrite) -> None:
        if stays:
            transaction.condition_check(MemberItem, stays.pk, stays.sk, condition=MemberItem.duties.contains("organiser"))
        if after:
            transaction.save(after, condition=unchanged)
        elif before:
            transaction.delete(before, condition=unchanged)
        enrolments.set_duties(transaction, campaign, person, list(after.duties) if after else [], now=now)

    return store.write_together(fill) is None


def _changed() -> Conflict:
    return Conflict("Somebody else is changing the team at the same moment; please look again.", code="changed")


def _who_stays(listed: Sequence[MemberItem], leaving: str) -> MemberItem | None:
    """Another organiser, if an organiser leaves: a condition of the write, so that two who leave at the same moment cannot
    both be let go. Raises `Conflict` (last_organiser)."""
    organisers = [item for item in listed if "organiser" in item.duties]
    if not any(item.sk == leaving for item in organisers):
        return None
    others = [item for item in organisers if item.sk != leaving]
    if not others:
        raise Conflict("A campaign keeps at least one organiser; please invite another first.", code="last_organiser")
    return others[0]


def warn(campaign: str, target: str, welcome: Welcome, *, now: datetime) -> None:
    """Tells everybody who moderates that somebody reported danger; `welcome.address` leads to the report. At most once an
    hour for a target and `WARNINGS_PER_HOUR` in all, so that no flood of reports makes one of e-mails."""
    try:
        limits.take("warn", f"{campaign}#{target}", allowed=1, window_s=3600, now=now)
        limits.take("warn", campaign, allowed=WARNINGS_PER_HOUR, window_s=3600, now=now)
    except TooMany:
        return
    for member in members(campaign):
        if {"organiser", "moderator"} & set(member.duties):
            mail.send(member.email, "danger", {"campaign": welcome.title, "address": welcome.address})


def members(campaign: str) -> list[Member]:
    """In the order of their invitation."""
    return sorted((_opened(item) for item in _items(campaign)), key=lambda member: (member.invited, member.id))


def addressees(campaign: str, duty: Duty) -> list[Addressee]:
    """Whom to write to about a duty, without a look at who they are."""
    return [Addressee(str(item.sk), bytes(item.email), _context(item)) for item in _items(campaign) if duty in item.duties]


def _items(campaign: str) -> list[MemberItem]:
    return list(MemberItem.query(campaign, consistent_read=True))


def _key(campaign: str, email: str) -> str:
    return keyring.keyed_hash("email_lookup", "team", campaign, email.lower())[:20]


def _opened(item: MemberItem) -> Member:
    email = keyring.unseal("email_seal", bytes(item.email), _context(item)).decode()
    return Member(str(item.sk), email, list(item.duties), int(item.invited))


def _context(item: MemberItem) -> str:
    return f"{item.pk}#{item.sk}"
