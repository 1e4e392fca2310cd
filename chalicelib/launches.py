"""A campaign's launch: the moment, what supporters are asked to lend, who approved it, and its state.

open -> frozen -> settled; or goal_missed, not_approved, stopped, which end it too. What each minute does: `fan_out`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pynamodb.attributes import BinaryAttribute, JSONAttribute, ListAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex
from pynamodb.transactions import TransactWrite

from . import campaigns, grants, ids, proposals, settings, slots, store
from .campaigns import Campaign
from .errors import Conflict, Invalid, NotFound
from .proposals import NewLaunch
from .supporters import Counts, count

State = Literal["open", "frozen", "goal_missed", "not_approved", "stopped", "settled"]
ACTIVE = "yes"
NOT_OUT = ("goal_missed", "not_approved", "stopped")
STOP_BEFORE_S = 10
APPROVE_BEFORE_LEAD_S = 120
FRESH_CONSENT_AFTER_S = 3600
APPROVERS = 2
OPERATOR = "operator:"


class Active(GlobalSecondaryIndex["Launch"]):  # type: ignore[no-untyped-call]
    """Launches that the minute has to look at; one that has ended, and of which everybody was told, leaves the index."""

    class Meta:
        index_name = "active"
        projection = AllProjection()

    active = UnicodeAttribute(hash_key=True)
    at = NumberAttribute(range_key=True)


class Launch(store.Record):
    """Times in epoch seconds. `epoch` is 0 until the launch is first approved, and a new number at each approval.
    `plan`: lane -> slots given, from the freeze on. `revision` counts the organisers' changes; `changed_by`, `stopped_by` and
    `approvals` are organisers' pseudonyms, or `OPERATOR` and a name. `stopped_at`: all of it; `stops`: single networks, each
    with who stopped it and when. `postponed`: earlier moments, each with who moved it and when."""

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
    stops: JSONAttribute = JSONAttribute(default=list)
    postponed: JSONAttribute = JSONAttribute(default=list)
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
    def approved(self) -> bool:
        return len(self.approvals) >= APPROVERS

    def is_open(self, now: datetime) -> bool:
        return self.state == "open" and now.timestamp() < float(self.closes_at)

    @property
    def stopped_networks(self) -> list[str]:
        return [str(one["network"]) for one in self.stops]

    @property
    def moved(self) -> bool:
        """Whether it was postponed so far that its supporters had to agree again."""
        return any(abs(float(one["at"]) - float(self.at)) > FRESH_CONSENT_AFTER_S for one in self.postponed)

    def is_stopped(self, network: str) -> bool:
        """Whether organisers have stopped what is sent on this network."""
        return bool(self.stopped_at) or network in self.stopped_networks

    def lead_s(self) -> int:
        """How long before a lane's time its workers are woken: 60 s, more for many chunks (SQS pollers start at 5 and
        grow by up to 300 a minute), at most 300."""
        fixed = settings.current().lead_s
        if fixed is not None:
            return fixed
        chunks = sum(map(slots.chunks_for, (self.plan or {}).values()))
        return 180 if chunks > 900 else min(300, 60 + 60 * -(-max(0, chunks - 5) // 300))


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
    return list(Launch.index.query(ACTIVE))


def propose(campaign: Campaign, organiser: str, new: NewLaunch, *, now: datetime) -> Launch:
    """Sets or changes the launch. A change takes every approval back. Safe to repeat: the same again changes nothing.

    Raises `Invalid` with every wrong field; `Conflict` once it is frozen, or (consent_needed) where supporters have
    agreed to another link or a time more than 60 minutes away."""
    proposals.check(new, now=now)
    if campaign.launch:
        return _change(of(campaign), organiser, new, now)
    return _create(campaign, organiser, new, now)


def _create(campaign: Campaign, organiser: str, new: NewLaunch, now: datetime) -> Launch:
    launch = Launch(
        pk=ids.short(), sk="launch", campaign=campaign.slug, state="open", active=ACTIVE, revision=1, epoch=0, changed_by=organiser
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
            "People have lent a post for another link or another time; each of them would have to agree again. Postpone the launch,"
            " and they are asked to.",
            code="consent_needed",
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


def approve(campaign: Campaign, organiser: str, *, revision: int | None = None, now: datetime) -> Launch:
    """An organiser's or the operator's approval of the launch as it stands (`revision`: as shown); with the second it gets an
    epoch. Safe to repeat. Raises `Conflict` (too_late, with the first moment that can be met; ended; changed; operator_approved)."""
    launch = of(campaign)
    _not_ended(launch)
    if revision not in (None, int(launch.revision)):
        raise Conflict("Somebody has changed the launch since it was shown; please look again.", code="changed")
    if organiser in launch.approvals:
        return launch
    if organiser.startswith(OPERATOR) and any(one.startswith(OPERATOR) for one in launch.approvals):
        raise Conflict("The operator has approved it; the other approval has to be an organiser’s.", code="operator_approved")
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


def stop(campaign: Campaign, organiser: str, *, network: str | None = None, now: datetime) -> Launch:
    """Stops the launch, or what is sent on one network, until 10 s before the moment; later it still stops later lanes and
    retries. Posts that are out cannot be recalled. Safe to repeat. Raises `Conflict` (ended), `Invalid` (network)."""
    launch = of(campaign)
    if network is not None and network not in launch.networks:
        raise Invalid.field("network", f"please choose one of {', '.join(launch.networks)}")
    if launch.stopped_at or network in launch.stopped_networks:
        return launch
    _not_ended(launch)
    at = ids.milliseconds(now)
    if network is None:
        actions = [Launch.stopped_at.set(at), Launch.stopped_by.set(organiser)]
        return _act(campaign, launch, actions, Launch.stopped_at.does_not_exist(), lambda current: current.stopped_at is not None)
    stops = [*launch.stops, {"network": network, "by": organiser, "at": at}]
    return _act(campaign, launch, [Launch.stops.set(stops)], _still(launch), lambda current: network in current.stopped_networks)


def _not_ended(launch: Launch) -> None:
    if launch.state not in ("open", "frozen"):
        raise Conflict("This launch has ended.", code="ended")


def _still(launch: Launch) -> Condition:
    """Nobody has stopped or postponed anything since it was read."""
    unchanged: Condition = (Launch.stops == launch.stops) & (Launch.revision == launch.revision)
    return unchanged


def postpone(campaign: Campaign, organiser: str, *, at: datetime, closes_at: datetime, zone: str, now: datetime) -> Launch:
    """Moves the launch to a later moment, also after the freeze, until 10 s before the one that stands: takes every approval
    back, and opens it for more people until `closes_at`. Who has agreed to a moment more than an hour away is asked again, and
    nothing is sent for them unless they agree. Safe to repeat.

    Raises `Invalid` (at, closes_at, zone), `Conflict` (ended, too_late, changed)."""
    launch = of(campaign)
    new = NewLaunch(launch.message, launch.url, at, zone, closes_at, int(launch.goal), list(launch.networks))
    wanted = (int(at.timestamp()), int(closes_at.timestamp()), zone)
    if (int(launch.at), int(launch.closes_at), launch.zone) == wanted and launch.postponed:
        return launch
    _not_ended(launch)
    if launch.stopped_at:
        raise Conflict("This launch has been stopped for good.", code="ended")
    if now.timestamp() > float(launch.at) - STOP_BEFORE_S:
        raise Conflict("It is too late to postpone: the posts are being sent.", code="too_late")
    proposals.check(new, now=now)
    if int(at.timestamp()) <= int(launch.at):
        raise Invalid.field("at", "must be later than the moment that stands")
    return _postpone(campaign, launch, organiser, wanted, now)


def _postpone(campaign: Campaign, launch: Launch, organiser: str, wanted: tuple[int, int, str], now: datetime) -> Launch:
    """Launch and slots in one transaction, so that they are never open and closed at once. The epoch moves on: whatever was
    sent for the moment before is dropped."""
    moved = [*launch.postponed, {"at": int(launch.at), "by": organiser, "when": ids.milliseconds(now), "revision": int(launch.revision)}]
    values = {"at": wanted[0], "closes_at": wanted[1], "zone": wanted[2], "state": "open", "approvals": [], "postponed": moved}
    values |= {"revision": int(launch.revision) + 1, "epoch": int(launch.epoch) + 1, "changed_by": organiser}
    actions = [getattr(Launch, name).set(value) for name, value in values.items()] + [Launch.plan.remove(), Launch.people.remove()]
    standing = (Launch.epoch == launch.epoch) & (Launch.state == launch.state) & Launch.stopped_at.does_not_exist()

    def fill(transaction: TransactWrite) -> None:
        transaction.update(launch, actions=actions, condition=_still(launch) & standing)
        slots.reopen(transaction, launch.id, postponed=len(moved))

    refused = store.write_together(fill)
    current = of(campaign)
    if refused is not None and (int(current.at), int(current.closes_at), current.zone) != wanted:
        raise Conflict("Somebody else changed the launch at the same moment; please look again.", code="changed")
    return current


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
