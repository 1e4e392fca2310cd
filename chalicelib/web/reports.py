"""The launch report, once the launch has ended."""

from __future__ import annotations

import msgspec
from chalice import Blueprint, Response

from .. import launches, reports
from .campaigns import seen, standing
from .http import Visit
from .launches import State
from .routes import route

bp = Blueprint(__name__)


class Percentiles(msgspec.Struct):
    """Milliseconds after the planned time."""

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


class Lane(msgspec.Struct):
    """One network's posts of one planned time. `sent` are first sends on time, `late_sent` those of a second worker."""

    lane: str
    network: str
    window: int
    planned_at: str
    pledged: int
    chunks: int
    late_chunks: int
    outcomes: Outcomes
    sent: Percentiles | None
    acked: Percentiles | None
    late_sent: Percentiles | None


class RemindersReport(msgspec.Struct):
    """`opened` the network's own form from here, `done` said that they have posted: neither is a post that we know of."""

    made: int
    opened: int
    done: int


class Report(msgspec.Struct):
    """What happened to every post, and how exactly; by our own clock."""

    launch: str
    campaign: str
    state: State
    at: str
    zone: str
    goal: int
    people: int
    pledged: int
    posted: int
    refused: int
    reconnect: int
    halted: int
    stopped: int
    not_agreed: int
    unknown: int
    missed: int
    lanes: list[Lane]
    reminders: RemindersReport
    written_at: str


@route(bp, "GET", "/v1/campaigns/{slug}/launch/report", gives=Report)
def report(visit: Visit, slug: str) -> Response:
    """The launch report, once the launch has ended."""
    return visit.json(msgspec.convert(reports.get(launches.of(seen(visit, slug)).id), Report))


@route(bp, "GET", "/c/{slug}/launch/report")
def report_page(visit: Visit, slug: str) -> Response:
    campaign = seen(visit, slug)
    launch = launches.of(campaign)
    return visit.page("report.html", campaign=campaign, launch=launch, report=reports.get(launch.id), **standing(visit, campaign))
