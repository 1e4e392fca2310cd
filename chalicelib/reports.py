"""The launch report: what happened to every post, and how exactly. Counts and our own send times; no names, no addresses. It is
written and signed once, when the launch has ended."""

from __future__ import annotations

import json
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pynamodb.attributes import BinaryAttribute, JSONAttribute, NumberAttribute, UnicodeAttribute

from . import chunks, figures, ids, pledges, settings, signatures, slots, store
from .chunks import State
from .errors import NotFound
from .figures import FORMAT, OUTCOMES
from .launches import Launch
from .pledges import Pledge
from .supporters import Count

READERS = 8
_BEFORE_ALL = ("goal_missed", "not_approved")
# Their terms forbid to publish how fast their service answers.
_NOT_ACKED = ("x", "tumblr")


class Report(store.Record):
    """`body`: the signed bytes, deflated; as long as a launch has less than some thousand lanes they fit into an item."""

    class Meta:
        table_name = settings.table("reports")

    pk = UnicodeAttribute(hash_key=True)
    body = BinaryAttribute(legacy_encoding=False)
    signature: JSONAttribute = JSONAttribute()
    written = NumberAttribute()


@dataclass(frozen=True, slots=True)
class _Chunk:
    """Outcomes by slot, and what the worker that wrote them said of itself; None where none has."""

    items: Mapping[str, Mapping[str, Any]]
    meta: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class _Counted:
    """What the report needs of a chunk: a million outcomes do not fit into the function's memory, their times do. `late`: its
    first sends were made after the lane's time by a second worker."""

    outcomes: Counter[str]
    times: Mapping[str, list[float]]
    late: bool
    meta: Mapping[str, Any] | None


def get(launch: str) -> dict[str, Any]:
    """What was signed, and with it `signature`. Raises `NotFound` until the launch has ended."""
    report = Report.find(launch)
    if report is None:
        raise NotFound("The launch report is written once the launch has ended.", code="not_ended")
    body: dict[str, Any] = json.loads(zlib.decompress(bytes(report.body)))
    return body | {"signature": report.signature}


def write(launch: Launch, *, now: datetime) -> None:
    """Builds the report from the outcomes, has it signed and stores it, once: repeating changes nothing."""
    if Report.find(launch.id) is not None:
        return
    body = _body(launch, now)
    packed, signature = zlib.compress(signatures.canonical(body), 9), signatures.sign(body)
    report = Report(pk=launch.id, body=packed, signature=signature, written=ids.milliseconds(now))
    store.save_if(report, Report.pk.does_not_exist())


def _body(launch: Launch, now: datetime) -> dict[str, Any]:
    lanes = [_lane(launch, lane) for lane in sorted(launch.plan or {}, key=lambda lane: (slots.lane_delay(lane), lane))]
    counts = {outcome: sum(lane["outcomes"][outcome] for lane in lanes) for outcome in OUTCOMES}
    return {
        "format": FORMAT,
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
    places = {slots.chunk_key(launch.id, lane, number): slots.network_of(lane) for lane, number in slots.chunks_of(launch.plan)}
    states = chunks.get_all(places, int(launch.epoch))
    total, done, posted = Counter[str](), Counter[str](), Counter[str]()
    for one in Count.query(launch.id, Count.sk.startswith("live#")):
        total[slots.network_of(str(one.sk).split("#")[1])] += int(one.n)
    for key, network in places.items():
        found = (states[key].counts if key in states else None) or {}
        done[network] += sum(found.values())
        posted[network] += found.get("posted", 0)
    return [Live(name, posted[name], done[name] - posted[name], max(0, total[name] - done[name])) for name in sorted(total)]


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def _lane(launch: Launch, lane: str) -> dict[str, Any]:
    network, _, window = lane.rpartition(".")
    found, given = _chunks(launch, lane), int(launch.plan[lane])
    counted = sum((chunk.outcomes for chunk in found), Counter[str]())
    on_time, late = _times(found, "sent_ms", late=False), _times(found, "sent_ms", late=True)
    acked = _times(found, "acked_ms", late=False) if network not in _NOT_ACKED else []
    return {
        "lane": lane,
        "network": network,
        "window": int(window),
        "planned_at": _time(slots.planned_at(launch, lane)),
        "slots": given,
        "empty": given - counted.total(),
        "pledged": counted.total(),
        "chunks": len(found),
        "late_chunks": sum(chunk.late for chunk in found),
        "outcomes": {outcome: counted[outcome] for outcome in OUTCOMES},
        "sent": figures.percentiles(on_time),
        "sent_histogram": figures.histogram(on_time),
        "acked": figures.percentiles(acked),
        "acked_histogram": figures.histogram(acked),
        "late_sent": figures.percentiles(late),
        "late_sent_histogram": figures.histogram(late),
        "clock": figures.clock(chunk.meta for chunk in found if chunk.meta is not None),
    }


def _chunks(launch: Launch, lane: str) -> list[_Counted]:
    """In order, several read at once: four thousand one after another would take the better part of the function's minute."""
    keys = [slots.chunk_key(launch.id, lane, number) for number in range(slots.chunks_for(launch.plan[lane]))]
    states = chunks.get_all(keys, int(launch.epoch)) if launch.epoch else {}
    with ThreadPoolExecutor(READERS) as pool:
        return list(pool.map(lambda key: _counted(_chunk(launch, lane, key, states.get(key))), keys))


def _counted(chunk: _Chunk) -> _Counted:
    items = chunk.items.values()
    times = {name: [float(item[name]) for item in items if item.get(name) is not None] for name in ("sent_ms", "acked_ms")}
    outcomes = Counter(str(item["outcome"]) for item in items)
    return _Counted(outcomes, times, bool(chunk.meta and chunk.meta.get("late")), chunk.meta)


def _chunk(launch: Launch, lane: str, key: str, state: State | None) -> _Chunk:
    """Where no worker has written outcomes in this epoch, those of an earlier one stand; all other posts have the same one."""
    found = chunks.outcomes(key, int(launch.epoch)) if launch.epoch else None
    items, meta = (found.items, found.meta) if found else ({}, None)
    if state is None or not state.done:
        others = _not_sent(launch, slots.network_of(lane), state)
        items = {str(pledge.sk): {"outcome": others} for pledge in pledges.of_chunk(key)} | items
    return _Chunk(items, meta)


def _not_sent(launch: Launch, network: str, state: State | None) -> str:
    """The outcome of all posts of a chunk without outcomes: why no worker sealed; where one did, nobody can tell."""
    if state is not None and state.sealed:
        return "unknown"
    if launch.is_stopped(network):
        return "stopped"
    return "halted" if chunks.is_halted(launch.id, network) else "missed"


def items_of(launch: Launch, lane: str, number: int) -> Mapping[str, Mapping[str, Any]]:
    """What happened to the posts of one chunk, by slot."""
    key = slots.chunk_key(launch.id, lane, number)
    return _chunk(launch, lane, key, chunks.get(key, int(launch.epoch))).items


def _times(found: Iterable[_Counted], name: str, *, late: bool) -> list[float]:
    return [time for chunk in found if chunk.late is late for time in chunk.times[name]]


def outcome(launch: Launch, pledge: Pledge) -> dict[str, Any] | None:
    """What happened to one pledge: outcome, url, said, sent_ms, and `late` where its chunk was sent, or asked for, after the
    lane's time by a second worker; None while it has not been tried."""
    if pledge.withdrawn:
        return {"outcome": "withdrawn"}
    found = chunks.outcomes(str(pledge.pk), int(launch.epoch)) if launch.epoch else None
    if found is not None and str(pledge.sk) in found.items:
        return dict(found.items[str(pledge.sk)], late=bool(found.meta.get("late")))
    if not launch.settled_at or launch.state in _BEFORE_ALL:
        return {"outcome": launch.state} if launch.settled_at else None
    return {"outcome": _not_sent(launch, pledge.network, chunks.get(str(pledge.pk), int(launch.epoch)))}
