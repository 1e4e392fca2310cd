"""A campaign's launch: the moment, what supporters are asked to lend, who approved it, and its state.

open -> frozen -> settled; or goal_missed, not_approved, stopped, which end it too. What each minute does: `fan_out`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pynamodb.attributes import BinaryAttribute, JSONAttribute, ListAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex

from . import campaigns, grants, ids, networks, settings, store
from .campaigns import Campaign
from .errors import Conflict, Invalid, NotFound
from .supporters import Counts, count

State = Literal["open", "frozen", "goal_missed", "not_approved", "stopped", "settled"]
NOT_OUT = ("goal_missed", "not_approved", "stopped")
MESSAGE_MAX, URL_MAX, GOAL_MAX = 500, 500, 1_000_000
STOP_BEFORE_S = 10
APPROVE_BEFORE_LEAD_S = 120
FRESH_CONSENT_AFTER_S = 3600
APPROVERS = 2


class Active(GlobalSecondaryIndex["Launch"]):  # type: ignore[no-untyped-call]
    """Launches that the minute has to look at; an ended one leaves the index."""

    class Meta:
        index_name = "active"
        projection = AllProjection()

    active = UnicodeAttribute(hash_key=True)
    at = NumberAttribute(range_key=True)


class Launch(store.Record):
    """Times in epoch seconds. `epoch` is 0 until the launch is first approved, and a new number at each approval.
    `plan`: lane -> slots given, from the freeze on. `revision` counts the organisers' changes; `changed_by`, `stopped_by`
    and `approvals` are organisers' pseudonyms."""

    class Meta:
        table_name = settings.table("launches")

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True, default="launch")
    campaign = UnicodeAttribute()
    message = UnicodeAttribute()
    url = UnicodeAttribute()
    at = NumberAttribute()
    zone = UnicodeAttribute()
    closes_at = NumberAttribute()
    goal = NumberAttribute()
    networks: ListAttribute[str] = ListAttribute(of=UnicodeAttribute)  # type: ignore[arg-type]
    public_key = BinaryAttribute(legacy_encoding=False)
    state = UnicodeAttribute(default="open")
    active = UnicodeAttribute(null=True)
    revision = NumberAttribute(default=1)
    approvals: ListAttribute[str] = ListAttribute(of=UnicodeAttribute, default=list)  # type: ignore[arg-type]
    epoch = NumberAttribute(default=0)
    plan = JSONAttribute(null=True)
    people = NumberAttribute(null=True)
    stopped_at = NumberAttribute(null=True)
    stopped_by = UnicodeAttribute(null=True)
    changed_by = UnicodeAttribute()
    settled_at = NumberAttribute(null=True)
    created = NumberAttribute()
    index = Active()

    @property
    def id(self) -> str:
        return str(self.pk)

    @property
    def moment(self) -> datetime:
        return datetime.fromtimestamp(float(self.at), ZoneInfo(self.zone))

    @property
    def in_words(self) -> str:
        """The moment, for an e-mail."""
        return f"{self.moment:%A} {self.moment.day} {self.moment:%B %Y}, {self.moment:%H:%M} ({self.zone})"

    @property
    def approved(self) -> bool:
        return len(self.approvals) >= APPROVERS

    def is_open(self, now: datetime) -> bool:
        return self.state == "open" and now.timestamp() < float(self.closes_at)

    def lead_s(self) -> int:
        """How long before a lane's time its workers are woken: 60 s, more for many chunks (SQS pollers start at 5 and
        grow by up to 300 a minute), at most 300."""
        fixed = settings.current().lead_s
        if fixed is not None:
            return fixed
        chunks = sum(-(-slots // settings.SLOTS_PER_CHUNK) for slots in (self.plan or {}).values())
        return 180 if chunks > 900 else min(300, 60 + 60 * -(-max(0, chunks - 5) // 300))


@dataclass(frozen=True, slots=True)
class NewLaunch:
    """`zone`: an IANA name, in which the moment is told. `goal`: people."""

    message: str
    url: str
    at: datetime
    zone: str
    closes_at: datetime
    goal: int
    networks: Sequence[str]


def get(launch: str) -> Launch | None:
    return Launch.find(launch, "launch")


def of(campaign: Campaign) -> Launch:
    """The campaign's launch. Raises `NotFound`."""
    launch = get(campaign.launch) if campaign.launch else None
    if launch is None:
        raise NotFound("This campaign has no launch yet.", code="no_launch")
    return launch


def active() -> list[Launch]:
    """Launches that have not ended, soonest first. Read through an index, so a new one may show up a moment later."""
    return list(Launch.index.query("yes"))


def propose(campaign: Campaign, organiser: str, new: NewLaunch, *, now: datetime) -> Launch:
    """Sets or changes the launch. A change takes every approval back. Safe to repeat: the same again changes nothing.

    Raises `Invalid` with every wrong field; `Conflict` once it is frozen, or (consent_needed) where supporters have
    agreed to another link or a time more than 60 minutes away."""
    check(new, now=now)
    if campaign.launch:
        return _change(of(campaign), organiser, new, now)
    return _create(campaign, organiser, new, now)


def _create(campaign: Campaign, organiser: str, new: NewLaunch, now: datetime) -> Launch:
    launch = Launch(
        pk=ids.short(), sk="launch", campaign=campaign.slug, state="open", active="yes", revision=1, epoch=0, changed_by=organiser
    )
    launch.created, launch.public_key = ids.milliseconds(now), grants.create_key(campaign.slug, launch.id)
    _set(launch, new)
    launch.save(condition=Launch.pk.does_not_exist() | (Launch.campaign == campaign.slug))
    none_yet = campaigns.Campaign.launch.does_not_exist()
    if not store.update_if(campaign, [campaigns.Campaign.launch.set(launch.id)], none_yet):
        campaign.refresh(consistent_read=True)
        if campaign.launch != launch.id:
            launch.delete()
        return of(campaign)
    return launch


def _change(launch: Launch, organiser: str, new: NewLaunch, now: datetime) -> Launch:
    before = fields_of(launch)
    old_at, old_url, revision = float(launch.at), launch.url, int(launch.revision)
    if not launch.is_open(now):
        raise Conflict("The launch is closed for changes: its supporters have been counted.", code="frozen")
    _set(launch, new)
    if fields_of(launch) == before:
        return launch
    moved = abs(float(launch.at) - old_at) > FRESH_CONSENT_AFTER_S or launch.url != old_url
    if moved and supporters(launch).people:
        raise Conflict(
            "People have lent a post for another link or another time; each of them would have to agree again.", code="consent_needed"
        )
    launch.revision, launch.approvals, launch.changed_by = revision + 1, [], organiser
    wanted = fields_of(launch)
    if not store.save_if(launch, (Launch.revision == revision) & (Launch.state == "open")):
        launch.refresh(consistent_read=True)
        if fields_of(launch) == wanted and int(launch.revision) == revision + 1:
            return launch
        raise Conflict("Somebody else changed the launch meanwhile; please look again.", code="changed")
    return launch


def fields_of(launch: Launch) -> dict[str, Any]:
    names = ("message", "url", "at", "zone", "closes_at", "goal")
    return {name: getattr(launch, name) for name in names} | {"networks": list(launch.networks)}


def _set(launch: Launch, new: NewLaunch) -> None:
    launch.message, launch.url, launch.zone, launch.goal = new.message.strip(), new.url.strip(), new.zone, new.goal
    launch.at, launch.closes_at, launch.networks = int(new.at.timestamp()), int(new.closes_at.timestamp()), list(new.networks)


def check(new: NewLaunch, *, now: datetime) -> None:
    """Raises `Invalid` with every wrong field."""
    wrong = _wrong_words(new) | _wrong_times(new, now)
    if wrong:
        raise Invalid("; ".join(f"{name}: {what}" for name, what in wrong.items()), fields=wrong)


def _wrong_words(new: NewLaunch) -> dict[str, str]:
    wrong: dict[str, str] = {}
    if not 1 <= len(new.message.strip()) <= MESSAGE_MAX:
        wrong["message"] = f"1 to {MESSAGE_MAX} characters"
    link = urlsplit(new.url.strip())
    if link.scheme != "https" or not link.hostname or len(new.url) > URL_MAX or any(c.isspace() for c in new.url.strip()):
        wrong["url"] = "a whole link that begins with https://"
    if not 1 <= new.goal <= GOAL_MAX:
        wrong["goal"] = f"a number of people from 1 to {GOAL_MAX}"
    if not new.networks or any(network not in networks.NAMES for network in new.networks):
        wrong["networks"] = f"one or more of {', '.join(networks.NAMES)}"
    return wrong


def _wrong_times(new: NewLaunch, now: datetime) -> dict[str, str]:
    wrong: dict[str, str] = {}
    try:
        zone = ZoneInfo(new.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return {"zone": "the name of a time zone, such as Europe/London"}
    before = settings.current().freeze_before_s
    if new.at.tzinfo is None or new.closes_at.tzinfo is None:
        return {"at" if new.at.tzinfo is None else "closes_at": "please give the offset too, such as +00:00"}
    if new.at.utcoffset() not in (new.at.astimezone(zone).utcoffset(), timedelta(0)):
        wrong["at"] = f"its offset is not that of {new.zone} at that time"
    if new.at <= now + timedelta(seconds=before):
        wrong["at"] = "the moment is in the past or too near: pledges close some minutes before it"
    if new.closes_at > new.at - timedelta(seconds=before):
        wrong["closes_at"] = f"at least {_span(before)} before the moment"
    elif new.closes_at <= now:
        wrong["closes_at"] = "must be in the future"
    return wrong


def _span(seconds: int) -> str:
    return f"{seconds // 60} minutes" if seconds % 60 == 0 else f"{seconds} seconds"


def approve(campaign: Campaign, organiser: str, *, now: datetime) -> Launch:
    """One organiser's approval of the launch as it stands; with the second person's it gets an epoch and may go out.
    Safe to repeat. Raises `Conflict` (too_late, with the first moment that can still be met; ended)."""
    launch = of(campaign)
    if launch.state not in ("open", "frozen"):
        raise Conflict("This launch has ended.", code="ended")
    if organiser in launch.approvals:
        return launch
    latest = float(launch.at) - launch.lead_s() - APPROVE_BEFORE_LEAD_S
    if now.timestamp() > latest:
        first = datetime.fromtimestamp(now.timestamp() + launch.lead_s() + APPROVE_BEFORE_LEAD_S + 60, UTC).replace(second=0, microsecond=0)
        raise Conflict(f"It is too late to approve this moment; the first that could still be met is {first.isoformat()}.", code="too_late")
    approvals = [*launch.approvals, organiser]
    actions: list[Any] = [Launch.approvals.set(approvals)]
    if len(approvals) == APPROVERS:
        actions.append(Launch.epoch.set(int(launch.epoch) + 1))
    unchanged = (Launch.revision == launch.revision) & (Launch.approvals == list(launch.approvals)) & (Launch.epoch == launch.epoch)
    return _act(campaign, launch, actions, unchanged, lambda current: organiser in current.approvals)


def stop(campaign: Campaign, organiser: str, *, now: datetime) -> Launch:
    """Stops the launch, until 10 s before the moment; later it still stops later lanes and retries. Posts that are out
    cannot be recalled. Safe to repeat. Raises `Conflict` (ended)."""
    launch = of(campaign)
    if launch.stopped_at:
        return launch
    if launch.state not in ("open", "frozen"):
        raise Conflict("This launch has ended.", code="ended")
    actions = [Launch.stopped_at.set(ids.milliseconds(now)), Launch.stopped_by.set(organiser)]
    return _act(campaign, launch, actions, Launch.stopped_at.does_not_exist(), lambda current: current.stopped_at is not None)


def _act(campaign: Campaign, launch: Launch, actions: list[Any], condition: Condition, done: Any) -> Launch:
    if store.update_if(launch, actions, Launch.pk.exists() & condition):
        return launch
    current = of(campaign)
    if not done(current):
        raise Conflict("Somebody else changed the launch at the same moment; please look again.", code="changed")
    return current


def supporters(launch: Launch, *, consistent: bool = False) -> Counts:
    """What the recounts found: up to a few seconds old."""
    return count(launch.id, consistent=consistent)
