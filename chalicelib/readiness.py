"""Whether a launch is ready: gathered from what is planned, what rehearsals found and what the operator has noted of the AWS
account, in a handful of reads; what it will cost. What it means is decided in `findings`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from . import costs, findings, launches, networks, quotas, rehearsals, settings, slots, store, supporters
from .costs import Cost
from .findings import POLLERS_FROM, TOGETHER_S, Finding, Known, Window
from .launches import Launch
from .rehearsals import Looked
from .supporters import Count


class _Host(store.Record):
    """How many pledges a host was given (see `slots.ordinal`): `host#<network>#<host>`."""

    class Meta:
        table_name = settings.table("launches")

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    given = NumberAttribute(default=0)


@dataclass(frozen=True, slots=True)
class Readiness:
    """`findings`: the worst first. `account_read_at`: when the operator's commands last looked at the AWS account."""

    findings: Sequence[Finding]
    windows: Sequence[Window]
    costs: Sequence[Cost]
    probe: Looked | None
    dress: Looked | None
    account_read_at: datetime | None

    @property
    def ready(self) -> bool:
        """Nothing stops it; there may be warnings, and what nobody knows."""
        return not any(finding.level == "stops" for finding in self.findings)

    @property
    def points(self) -> list[Finding]:
        """What whoever approves has to know."""
        return [finding for finding in self.findings if finding.level != "fine"]

    @property
    def dollars(self) -> float:
        return sum(cost.dollars for cost in self.costs)

    @property
    def dollars_without_email(self) -> float:
        return sum(cost.dollars for cost in self.costs if cost.item != "email")


def of(launch: Launch, *, now: datetime) -> Readiness:
    """Of a launch as it stands, before its freeze or after it."""
    known = known_of(launch, now=now)
    read_at = datetime.fromtimestamp(float(known.account.read_at) / 1000, UTC) if known.account else None
    return Readiness(findings.assess(known), known.windows, _costs(known), known.probe, known.dress, read_at)


def known_of(launch: Launch, *, now: datetime) -> Known:
    plan = launch.plan if launch.plan is not None else slots.given(launch.id)
    return Known(
        windows=_windows(launch, plan),
        goal=int(launch.goal),
        is_open=launch.state == "open",
        now=now,
        lead_s=launch.lead_s(),
        others=_others(launch),
        account=quotas.account(),
        pollers=quotas.pollers() is not None,
        reminders=sum(int(one.mails or 0) for one in Count.query(launch.id, Count.sk.startswith("reminders#"))),
        people=supporters.count(launch.id).people,
        mail_per_s=settings.current().mail_per_s,
        probe=rehearsals.look(launch.id, "probe", now=now),
        dress=rehearsals.look(launch.id, "dress", now=now),
    )


def _windows(launch: Launch, plan: Mapping[str, int]) -> list[Window]:
    """Earliest first."""
    busiest = dict[str, int]()
    for host in _Host.query(launch.id, _Host.sk.startswith("host#")):
        network = str(host.sk).split("#")[1]
        busiest[network] = max(busiest.get(network, 0), int(host.given))
    found = []
    for lane in sorted(plan, key=lambda lane: (slots.lane_delay(lane), lane)):
        network, _, window = lane.rpartition(".")
        chosen = networks.get(network)
        on_host = min(chosen.BUDGET, max(1, busiest.get(network, 0) - int(window) * chosen.BUDGET))
        at = datetime.fromtimestamp(slots.planned_at(launch, lane), launch.moment.tzinfo)
        found.append(Window(network, at, plan[lane], slots.chunks_for(plan[lane]), (on_host - 1) // chosen.PER_S))
    return found


def _others(launch: Launch) -> int:
    """Chunks of other launches that wake up at nearly the same time."""
    near = [one for one in launches.active() if one.id != launch.id and abs(float(one.at) - float(launch.at)) <= TOGETHER_S]
    plans = [one.plan if one.plan is not None else slots.given(one.id) for one in near if not one.stopped_at]
    return sum(slots.chunks_for(given) for plan in plans for given in plan.values())


def _costs(known: Known) -> list[Cost]:
    chunks = max(sum(window.chunks for window in known.windows), slots.chunks_for(known.posts))
    pollers = -(-known.chunks // 10) if known.chunks > POLLERS_FROM else 0
    return costs.of_launch(chunks=chunks, posts=known.posts, letters=known.letters, lead_s=known.lead_s, pollers=pollers)
