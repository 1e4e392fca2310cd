"""Whether the launch is ready, and rehearsing it: for organisers, before they approve. Counts only, nobody's name."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec
from chalice import Blueprint, Response

from .. import launches, readiness, rehearsals
from ..campaigns import Campaign
from ..errors import GroundswellError
from ..findings import Level
from . import times
from .campaigns import organised, standing
from .http import Visit
from .routes import route

bp = Blueprint(__name__)


class Rehearse(msgspec.Struct):
    """probe: one harmless read with each permission. dress: everything up to sending nothing, at a time `at` of its own, at
    least an hour away from the moment."""

    do: Literal["probe", "dress"] = "probe"
    at: str | None = None


class RehearseForm(msgspec.Struct):
    do: Literal["probe", "dress"] = "probe"
    at: str = ""


class Finding(msgspec.Struct):
    """`name` is for programs. `unknown` is what could not be read; `do`, for people, is empty where there is nothing to do."""

    name: str
    level: Level
    found: str
    do: str


class Window(msgspec.Struct):
    """The posts of one network that have one planned time; `chunks` of them are held by a worker each."""

    network: str
    planned_at: str
    posts: int
    chunks: int


class Cost(msgspec.Struct):
    """An estimate, from AWS's list prices."""

    item: str
    dollars: float


class Permissions(msgspec.Struct):
    """Of one network, as the last probe found them."""

    network: str
    ok: int
    reconnect: int
    unreachable: int


class Rehearsal(msgspec.Struct):
    """`done` of `chunks`. `asked`: the next minute begins it. `again_at`: until then asking again changes nothing."""

    state: Literal["asked", "running", "done", "unfinished"]
    at: str
    asked_at: str
    again_at: str
    chunks: int
    done: int


class Readiness(msgspec.Struct):
    """`ready`: nothing stops it. `account_read_at`: when the operator's commands last looked at the AWS account."""

    ready: bool
    findings: list[Finding]
    windows: list[Window]
    probe: Rehearsal | None
    permissions: list[Permissions]
    dress: Rehearsal | None
    costs: list[Cost]
    dollars: float
    dollars_without_email: float
    account_read_at: str | None


@route(bp, "GET", "/v1/campaigns/{slug}/launch/rehearse", needs="organiser", gives=Readiness)
def get(visit: Visit, slug: str) -> Response:
    """Whether the launch is ready, with what the last rehearsals found."""
    campaign, _ = organised(visit, slug)
    return visit.json(_told(campaign, visit.now))


@route(bp, "POST", "/v1/campaigns/{slug}/launch/rehearse", needs="organiser", takes=Rehearse, gives=Readiness, errors=(409,))
def start(visit: Visit, slug: str) -> Response:
    """Start a rehearsal, which the next minute begins. While one is under way, asking again changes nothing."""
    (campaign, organiser), body = organised(visit, slug), visit.read(Rehearse)
    at = times.read_all({"at": body.at}, times.rfc3339)["at"] if body.do == "dress" and body.at else None
    rehearsals.start(campaign, organiser, body.do, at=at, now=visit.now)
    return visit.json(_told(campaign, visit.now))


def _told(campaign: Campaign, now: datetime) -> Readiness:
    launch = launches.of(campaign)
    found, zone = readiness.of(launch, now=now), launch.zone
    return Readiness(
        ready=found.ready,
        findings=[Finding(one.name, one.level, one.found, one.do) for one in found.findings],
        windows=[Window(one.network, one.planned_at.isoformat(timespec="seconds"), one.posts, one.chunks) for one in found.windows],
        probe=_rehearsal(found.probe, zone),
        permissions=_permissions(found.probe),
        dress=_rehearsal(found.dress, zone),
        costs=[Cost(one.item, one.dollars) for one in found.costs],
        dollars=round(found.dollars, 6),
        dollars_without_email=round(found.dollars_without_email, 6),
        account_read_at=times.stamp(found.account_read_at.timestamp()) if found.account_read_at else None,
    )


def _rehearsal(found: rehearsals.Looked | None, zone: str) -> Rehearsal | None:
    if found is None:
        return None
    at, asked, again = (times.stamp(one.timestamp(), zone) for one in (found.at, found.asked, found.again_at))
    return Rehearsal(found.standing, at, asked, again, found.chunks, found.done)


def _permissions(found: rehearsals.Looked | None) -> list[Permissions]:
    counts = sorted(found.counts.items()) if found else []
    return [Permissions(network, one.get("ok", 0), one.get("reconnect", 0), one.get("unreachable", 0)) for network, one in counts]


@route(bp, "GET", "/c/{slug}/launch/rehearsal", needs="organiser")
def page(visit: Visit, slug: str) -> Response:
    campaign, _ = organised(visit, slug)
    return _page(visit, campaign)


@route(bp, "POST", "/c/{slug}/launch/rehearsal", needs="organiser")
def start_on_page(visit: Visit, slug: str) -> Response:
    campaign, organiser = organised(visit, slug)
    try:
        body = visit.read(RehearseForm)
        read = times.on_the_clock_of(launches.of(campaign).zone)
        at = times.read_all({"at": body.at}, read)["at"] if body.do == "dress" else None
        rehearsals.start(campaign, organiser, body.do, at=at, now=visit.now)
    except GroundswellError as error:
        return _page(visit, campaign, typed=visit.typed, wrong=error)
    return visit.redirect(f"/c/{slug}/launch/rehearsal")


def _page(visit: Visit, campaign: Campaign, **shown: Any) -> Response:
    launch = launches.of(campaign)
    known: dict[str, Any] = {"launch": launch, "readiness": readiness.of(launch, now=visit.now), "typed": {}, "wrong": None}
    return visit.page("rehearsal.html", campaign=campaign, **known | shown, **standing(visit, campaign))
