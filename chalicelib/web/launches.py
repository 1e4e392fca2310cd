"""The launch: what everybody can see of the moment, what organisers can do to it, and its report."""

from __future__ import annotations

from typing import Any

import msgspec
from chalice import Blueprint, Response

from .. import campaigns, enrolments, launches, reports
from ..campaigns import Campaign
from ..errors import GroundswellError, NotFound
from ..launches import Launch, NewLaunch
from . import times
from .campaigns import standing
from .http import PLEDGE, Visit
from .routes import route

bp = Blueprint(__name__)


class Propose(msgspec.Struct):
    message: str
    url: str
    at: str
    zone: str
    closes_at: str
    goal: int
    networks: list[str]


class Nothing(msgspec.Struct):
    pass


@route(bp, "GET", "/v1/campaigns/{slug}/launch")
def get(visit: Visit, slug: str) -> Response:
    return visit.json(told(launches.of(campaigns.get(slug))))


@route(bp, "PUT", "/v1/campaigns/{slug}/launch")
def propose(visit: Visit, slug: str) -> Response:
    campaign, organiser = _organiser(visit, slug)
    return visit.json(told(_propose(visit, campaign, organiser)))


@route(bp, "POST", "/v1/campaigns/{slug}/launch/approve")
def approve(visit: Visit, slug: str) -> Response:
    campaign, organiser = _organiser(visit, slug)
    visit.read(Nothing)
    return visit.json(told(launches.approve(campaign, organiser, now=visit.now)))


@route(bp, "POST", "/v1/campaigns/{slug}/launch/stop")
def stop(visit: Visit, slug: str) -> Response:
    campaign, organiser = _organiser(visit, slug)
    visit.read(Nothing)
    return visit.json(told(launches.stop(campaign, organiser, now=visit.now)))


@route(bp, "GET", "/v1/campaigns/{slug}/launch/report")
def report(visit: Visit, slug: str) -> Response:
    return visit.json(reports.get(launches.of(campaigns.get(slug)).id))


def told(launch: Launch) -> dict[str, Any]:
    """A launch as JSON. Who approved is told to nobody, only how many."""
    counts = launches.supporters(launch)
    return {
        "id": launch.id,
        "message": launch.message,
        "url": launch.url,
        "at": times.stamp(launch.at, launch.zone),
        "zone": launch.zone,
        "closes_at": times.stamp(launch.closes_at, launch.zone),
        "goal": int(launch.goal),
        "networks": list(launch.networks),
        "state": launch.state,
        "approvals": len(launch.approvals),
        "approved": launch.approved,
        "stopped_at": times.stamp(int(launch.stopped_at) / 1000) if launch.stopped_at else None,
        "revision": int(launch.revision),
        "people": counts.people,
        "automatic": counts.automatic,
    }


def _organiser(visit: Visit, slug: str) -> tuple[Campaign, str]:
    """The campaign and the organiser's pseudonym. Raises `Unauthenticated`, `NotFound`, `Forbidden`."""
    person, campaign = visit.require_person(), campaigns.get(slug)
    return campaign, enrolments.require_duty(slug, person).pseudonym


def _propose(visit: Visit, campaign: Campaign, organiser: str) -> Launch:
    body = visit.read(Propose)
    read = times.rfc3339 if visit.is_api else times.on_the_clock_of(body.zone.strip())
    when = times.read_all({"at": body.at, "closes_at": body.closes_at}, read)
    new = NewLaunch(body.message, body.url, when["at"], body.zone.strip(), when["closes_at"], body.goal, body.networks)
    return launches.propose(campaign, organiser, new, now=visit.now)


@route(bp, "GET", "/c/{slug}/launch")
def page(visit: Visit, slug: str) -> Response:
    return _page(visit, campaigns.get(slug))


def _page(visit: Visit, campaign: Campaign, **more: Any) -> Response:
    launch = launches.of(campaign) if campaign.launch else None
    who = standing(visit, campaign)
    approver = enrolments.require_duty(campaign.slug, visit.require_person()).pseudonym if who["organiser"] else None
    lent = visit.cookies.get(PLEDGE, "")
    known: dict[str, Any] = {
        "launch": launch,
        "counts": launches.supporters(launch) if launch else None,
        "is_open": bool(launch and launch.is_open(visit.now)),
        "has_approved": bool(launch and approver in launch.approvals),
        "needed": launches.APPROVERS,
        "lent": lent if launch and lent.split(".")[0] == launch.id else None,
        "wrong": None,
    }
    return visit.page("launch.html", campaign=campaign, **who, **known | more)


@route(bp, "GET", "/c/{slug}/launch/edit")
def edit_page(visit: Visit, slug: str) -> Response:
    campaign, _ = _organiser(visit, slug)
    return _edit(visit, campaign)


@route(bp, "POST", "/c/{slug}/launch")
def propose_on_page(visit: Visit, slug: str) -> Response:
    try:
        campaign, organiser = _organiser(visit, slug)
        _propose(visit, campaign, organiser)
    except NotFound:
        raise
    except GroundswellError as error:
        chosen = visit.form.get("networks", [])
        return _edit(visit, campaigns.get(slug), typed=visit.typed, chosen=chosen, wrong=error)
    return visit.redirect(f"/c/{slug}/launch")


def _edit(visit: Visit, campaign: Campaign, **shown: Any) -> Response:
    launch = launches.of(campaign) if campaign.launch else None
    chosen = list(launch.networks) if launch else ["mastodon"]
    context: dict[str, Any] = {"launch": launch, "typed": _typed(launch), "chosen": chosen}
    return visit.page("launch_edit.html", campaign=campaign, **standing(visit, campaign), **context | shown)


def _typed(launch: Launch | None) -> dict[str, str]:
    """What stands, as a form shows it."""
    if launch is None:
        return {"zone": "Europe/London"}
    texts = {"message": launch.message, "url": launch.url, "zone": launch.zone, "goal": str(int(launch.goal))}
    return texts | {"at": times.on_the_clock(launch.at, launch.zone), "closes_at": times.on_the_clock(launch.closes_at, launch.zone)}


@route(bp, "POST", "/c/{slug}/launch/approve")
def approve_on_page(visit: Visit, slug: str) -> Response:
    return _act(visit, slug, launches.approve)


@route(bp, "POST", "/c/{slug}/launch/stop")
def stop_on_page(visit: Visit, slug: str) -> Response:
    return _act(visit, slug, launches.stop)


def _act(visit: Visit, slug: str, act: Any) -> Response:
    visit.check_csrf()
    campaign, organiser = _organiser(visit, slug)
    try:
        act(campaign, organiser, now=visit.now)
    except GroundswellError as error:
        return _page(visit, campaign, wrong=error)
    return visit.redirect(f"/c/{slug}/launch")


@route(bp, "GET", "/c/{slug}/launch/report")
def report_page(visit: Visit, slug: str) -> Response:
    campaign = campaigns.get(slug)
    launch = launches.of(campaign)
    return visit.page("report.html", campaign=campaign, launch=launch, report=reports.get(launch.id), **standing(visit, campaign))
