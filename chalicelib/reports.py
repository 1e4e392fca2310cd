"""The launch report: what happened to every post, and how exactly. Counts and our own send times; no names."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pynamodb.attributes import JSONAttribute, NumberAttribute, UnicodeAttribute

from . import chunks, ids, pledges, settings, slots, store
from .errors import NotFound
from .launches import NOT_OUT, Launch
from .pledges import Pledge
from .supporters import Count

OUTCOMES = ("posted", "refused", "reconnect", "halted", "stopped", "not_agreed", "unknown", "missed")


class Report(store.Record):
    class Meta:
        table_name = settings.table("reports")

    pk = UnicodeAttribute(hash_key=True)
    body: JSONAttribute = JSONAttribute()
    written = NumberAttribute()


@dataclass(frozen=True, slots=True)
class _Chunk:
    """Outcomes by slot; `late`: its first sends were made after the lane's time by a second worker."""

    items: Mapping[str, Mapping[str, Any]]
    late: bool


def get(launch: str) -> dict[str, Any]:
    """Raises `NotFound` until the launch has ended."""
    report = Report.find(launch)
    if report is None:
        raise NotFound("The launch report is written once the launch has ended.", code="not_ended")
    body: dict[str, Any] = report.body
    return body


def write(launch: Launch, *, now: datetime) -> None:
    """Builds the report from the outcomes and stores it, once: repeating changes nothing."""
    lanes = [_lane(launch, lane) for lane in sorted(launch.plan or {}, key=lambda lane: (slots.lane_delay(lane), lane))]
    counts = {outcome: sum(lane["outcomes"][outcome] for lane in lanes) for outcome in OUTCOMES}
    body = {
        "launch": launch.id,
        "campaign": launch.campaign,
        "state": launch.state,
        "at": _time(float(launch.at)),
        "zone": launch.zone,
        "goal": int(launch.goal),
        "people": int(launch.people or 0),
        "pledged": sum(lane["pledged"] for lane in lanes),
        **counts,
        "lanes": lanes,
        "reminders": _reminders(launch),
        "written_at": _time(now.timestamp()),
    }
    store.save_if(Report(pk=launch.id, body=body, written=ids.milliseconds(now)), Report.pk.does_not_exist())


def _reminders(launch: Launch) -> dict[str, int]:
    """Apart from the posts: nobody knows whether who was reminded has posted."""
    counts = list(Count.query(launch.id, Count.sk.startswith("reminders#"), consistent_read=True))
    having = {"made": "n", "opened": "opened", "done": "done"}
    return {name: sum(int(getattr(one, of) or 0) for one in counts) for name, of in having.items()}


@dataclass(frozen=True, slots=True)
class Live:
    """How far one network's posts are. `waiting`: neither posted nor failed so far."""

    network: str
    posted: int
    failed: int
    waiting: int


def live(launch: Launch, *, now: datetime) -> list[Live]:
    """By network, once the moment has come; up to a few seconds old."""
    if launch.plan is None or not launch.epoch or now.timestamp() < float(launch.at):
        return []
    places = {slots.chunk_key(launch.id, lane, number): lane.rpartition(".")[0] for lane, number in slots.chunks_of(launch.plan)}
    states = chunks.get_all(places, int(launch.epoch))
    total, done, posted = Counter[str](), Counter[str](), Counter[str]()
    for one in Count.query(launch.id, Count.sk.startswith("live#")):
        total[str(one.sk).split("#")[1].rpartition(".")[0]] += int(one.n)
    for key, network in places.items():
        found = (states[key].counts if key in states else None) or {}
        done[network] += sum(found.values())
        posted[network] += found.get("posted", 0)
    return [Live(name, posted[name], done[name] - posted[name], max(0, total[name] - done[name])) for name in sorted(total)]


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def _lane(launch: Launch, lane: str) -> dict[str, Any]:
    network, _, window = lane.rpartition(".")
    numbers = range(-(-int(launch.plan[lane]) // settings.SLOTS_PER_CHUNK))
    found = [_chunk(launch, lane, number) for number in numbers]
    counted = Counter(str(item["outcome"]) for chunk in found for item in chunk.items.values())
    return {
        "lane": lane,
        "network": network,
        "window": int(window),
        "planned_at": _time(slots.planned_at(launch, lane)),
        "pledged": sum(counted.values()),
        "chunks": len(found),
        "late_chunks": sum(chunk.late for chunk in found),
        "outcomes": {outcome: counted[outcome] for outcome in OUTCOMES},
        "sent": percentiles(_times(found, "sent_ms", late=False)),
        "acked": percentiles(_times(found, "acked_ms", late=False)),
        "late_sent": percentiles(_times(found, "sent_ms", late=True)),
    }


def _chunk(launch: Launch, lane: str, number: int) -> _Chunk:
    key = slots.chunk_key(launch.id, lane, number)
    found = chunks.outcomes(key, int(launch.epoch)) if launch.epoch else None
    if found is not None:
        return _Chunk(found.items, bool(found.meta.get("late")))
    state = chunks.get(key, int(launch.epoch)) if launch.epoch else None
    outcome = "unknown" if state and state.sealed else _not_sent(launch, slots.network_of(lane))
    return _Chunk({str(pledge.sk): {"outcome": outcome} for pledge in pledges.of_chunk(key)}, late=False)


def _not_sent(launch: Launch, network: str) -> str:
    """Why no worker sealed: the outcome of all posts of such a chunk."""
    if launch.is_stopped(network):
        return "stopped"
    return "halted" if chunks.is_halted(launch.id, network) else "missed"


def items_of(launch: Launch, lane: str, number: int) -> Mapping[str, Mapping[str, Any]]:
    """What happened to the posts of one chunk, by slot."""
    return _chunk(launch, lane, number).items


def _times(found: Iterable[_Chunk], name: str, *, late: bool) -> list[float]:
    items = (item for chunk in found if chunk.late is late for item in chunk.items.values())
    return [float(item[name]) for item in items if item.get(name) is not None]


def percentiles(times: Sequence[float]) -> dict[str, float] | None:
    """p50, p99 (nearest rank) and max in milliseconds after the planned time; None where there is nothing to measure."""
    if not times:
        return None
    ordered = sorted(times)

    def rank(share: float) -> float:
        return ordered[max(0, math.ceil(share * len(ordered)) - 1)]

    return {"p50_ms": rank(0.5), "p99_ms": rank(0.99), "max_ms": ordered[-1]}


def outcome(launch: Launch, pledge: Pledge) -> dict[str, Any] | None:
    """What happened to one pledge: outcome, url, said, sent_ms; None while it has not been tried."""
    if pledge.withdrawn:
        return {"outcome": "withdrawn"}
    found = chunks.outcomes(str(pledge.pk), int(launch.epoch)) if launch.epoch else None
    if found is not None and str(pledge.sk) in found.items:
        return dict(found.items[str(pledge.sk)])
    return {"outcome": launch.state if launch.state in NOT_OUT else "missed"} if launch.settled_at else None
