"""The launch report, once the launch has ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from chalice import Blueprint, Response

from .. import aftermath, launches, reports
from . import charts
from .campaigns import seen, standing
from .http import Visit
from .launches import State
from .routes import route

bp = Blueprint(__name__)


class Percentiles(msgspec.Struct):
    """Milliseconds after the planned time, of so many `posts` that were sent."""

    posts: int
    p50_ms: float
    p99_ms: float
    max_ms: float


class Outcomes(msgspec.Struct):
    """`reconnect`: the permission had run out; `halted`: the network stopped us first, `stopped`: the organisers did;
    `not_agreed` to the moment as it was moved; `unknown`: the network cannot tell; `missed`: no worker came in time."""

    posted: int
    refused: int
    reconnect: int
    halted: int
    stopped: int
    not_agreed: int
    unknown: int
    missed: int


class MachineClocks(msgspec.Struct):
    """In how many chunks the clock was `measured` against a time server (SNTP): its offset was at most `max_offset_ms`, the
    true time at most `max_error_ms` from what the server said."""

    measured: int
    unknown: int
    max_offset_ms: float | None
    max_error_ms: float | None


class Lane(msgspec.Struct):
    """One network's posts of one planned time. Of the `slots` given, `empty` ones were taken back (or, rarely, never filled).
    `sent` are first sends on time, `late_sent` those of a second worker, `acked` the network's answers to those on time, where
    its terms let us tell. Each histogram says how many fall into each tenth of a second, by its beginning in seconds."""

    lane: str
    network: str
    window: int
    planned_at: str
    slots: int
    empty: int
    pledged: int
    chunks: int
    late_chunks: int
    outcomes: Outcomes
    sent: Percentiles | None
    sent_histogram: dict[str, int]
    acked: Percentiles | None
    acked_histogram: dict[str, int]
    late_sent: Percentiles | None
    late_sent_histogram: dict[str, int]
    clock: MachineClocks


class RemindersReport(msgspec.Struct):
    """`opened` the network's own form from here, `done` said that they have posted: neither is a post that we know of."""

    made: int
    opened: int
    done: int


class Signature(msgspec.Struct):
    """Of the report without `signature` and `came_of_it`, as RFC 8785 writes it. Shows that nobody has changed it since; not that it, or
    our clock, was right. `public_key` (DER) and `value` (DER) in base64; `key_id`: the key's SHA-256."""

    algorithm: str
    key_id: str
    public_key: str
    value: str


class Came(msgspec.Struct):
    """In 72 hours: pages opened by the launch's link, people who joined the campaign, ideas that they and others added."""

    visits: int
    joins: int
    ideas: int


class CameOfIt(msgspec.Struct):
    """In the 72 hours before the moment, and after it."""

    before: Came
    after: Came


class Report(Outcomes, kw_only=True):
    """What happened to every post, and how exactly; by our own clock. Every count of posts, and every time to a tenth of a second, can
    be recounted from what stands here (`python -m infra verify-report`); milliseconds rest on the signature alone. `came_of_it` is counted
    in the first night after 72 hours, and not signed."""

    format: str
    launch: str
    campaign: str
    state: State
    at: str
    zone: str
    goal: int
    people: int
    pledged: int
    lanes: list[Lane]
    reminders: RemindersReport
    written_at: str
    signature: Signature
    came_of_it: CameOfIt | None = None


@route(bp, "GET", "/v1/campaigns/{slug}/launch/report", gives=Report)
def report(visit: Visit, slug: str) -> Response:
    """The launch report, once the launch has ended."""
    return visit.json(_told(launches.of(seen(visit, slug)).id))


def _told(launch: str) -> Report:
    return msgspec.convert(reports.get(launch) | {"came_of_it": aftermath.get(launch)}, Report)


@route(bp, "GET", "/c/{slug}/launch/report")
def report_page(visit: Visit, slug: str) -> Response:
    campaign = seen(visit, slug)
    launch = launches.of(campaign)
    found = _told(launch.id)
    known: dict[str, Any] = {"launch": launch, "report": found, "timed": _timed(found), "chart": charts.of(_sent(found.lanes))}
    known |= {
        "clock": _clock(found.lanes),
        "places": charts,
        "written": _seconds(found.written_at),
        "due": aftermath.due(launch).timestamp(),
    }
    return visit.page("report.html", campaign=campaign, **known, **standing(visit, campaign))


def _timed(report: Report) -> list[tuple[Lane, float]]:
    """The lanes of which something was sent, and the time that was planned for them, in epoch seconds."""
    return [(lane, _seconds(lane.planned_at)) for lane in report.lanes if lane.sent or lane.late_sent]


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _sent(lanes: Iterable[Lane]) -> dict[str, int]:
    """First sends of all lanes, each after its own planned time."""
    total = Counter[str]()
    for lane in lanes:
        total += Counter(lane.sent_histogram) + Counter(lane.late_sent_histogram)
    return total


def _clock(lanes: Sequence[Lane]) -> MachineClocks:
    """Of all lanes together."""
    measured, unknown = (sum(getattr(lane.clock, name) for lane in lanes) for name in ("measured", "unknown"))
    offset, error = (max((getattr(lane.clock, name) or 0.0 for lane in lanes), default=0.0) for name in ("max_offset_ms", "max_error_ms"))
    return MachineClocks(measured, unknown, offset if measured else None, error if measured else None)
