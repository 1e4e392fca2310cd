"""Campaigns: the first page lists them, an organiser makes one, and each has a page of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from chalice import Blueprint, Response

from .. import campaigns, contributions, enrolments, launches, participants, pseudonyms, tallies, votes
from ..campaigns import Campaign, Details, NewPhase, Phase
from ..errors import Forbidden, GroundswellError, NotFound
from . import times
from .http import Visit
from .routes import route

bp = Blueprint(__name__)


class NewPhaseBody(msgspec.Struct):
    title: str
    opens_at: str
    closes_at: str
    kinds: list[str]


class NewCampaign(msgspec.Struct):
    slug: str
    title: str
    question: str
    phase: NewPhaseBody


class Zone(msgspec.Struct):
    zone: str


@route(bp, "GET", "/v1/campaigns")
def every(visit: Visit) -> Response:
    return visit.json({"items": [told(campaign, visit) for campaign in campaigns.every()], "next": None})


@route(bp, "POST", "/v1/campaigns")
def create(visit: Visit) -> Response:
    organiser = _require_founder(visit)
    return visit.json(told(_create(visit, visit.read(NewCampaign), organiser, times.rfc3339), visit), 201)


@route(bp, "GET", "/v1/campaigns/{slug}")
def get(visit: Visit, slug: str) -> Response:
    campaign = campaigns.get(slug)
    found = enrolments.find(slug, visit.person) if visit.person else None
    mine = {"role": found.role if found else None, "organiser": bool(found and found.organiser)} if visit.person else {}
    return visit.json(told(campaign, visit) | mine)


def told(campaign: Campaign, visit: Visit) -> dict[str, Any]:
    """A campaign as JSON."""
    now = campaign.open_phase(visit.now)
    return {
        "slug": campaign.slug,
        "title": campaign.title,
        "question": campaign.question,
        "open_phase": int(now.number) if now else None,
        "phases": [_phase(phase) for phase in campaign.phases],
        "launch": bool(campaign.launch),
    }


def _phase(phase: Phase) -> dict[str, Any]:
    return {
        "number": int(phase.number),
        "title": phase.title,
        "opens_at": times.stamp(phase.opens_at),
        "closes_at": times.stamp(phase.closes_at),
        "kinds": list(phase.kinds),
        "blind": bool(phase.blind),
    }


def _require_founder(visit: Visit) -> str:
    """Raises `Unauthenticated`, `Forbidden`."""
    person = visit.require_person()
    if not may_found(visit):
        raise Forbidden("Only organisers can make a campaign. Whoever runs this service can add you.", code="not_organiser")
    return person


def may_found(visit: Visit) -> bool:
    found = participants.get(visit.person) if visit.person else None
    return bool(found and found.organiser)


def _create(visit: Visit, body: NewCampaign, organiser: str, read: times.Read) -> Campaign:
    spans = times.read_all({"phase.opens_at": body.phase.opens_at, "phase.closes_at": body.phase.closes_at}, read)
    phase = NewPhase(body.phase.title, spans["phase.opens_at"], spans["phase.closes_at"], body.phase.kinds)
    return campaigns.create(body.slug.strip(), Details(body.title, body.question, [phase]), organiser=organiser, now=visit.now)


@route(bp, "GET", "/")
def home(visit: Visit) -> Response:
    return visit.page("home.html", campaigns=campaigns.every(), may_found=may_found(visit))


@route(bp, "GET", "/campaigns/new")
def new_page(visit: Visit) -> Response:
    _require_founder(visit)
    return _new(visit)


@route(bp, "POST", "/campaigns")
def create_on_page(visit: Visit) -> Response:
    try:
        organiser = _require_founder(visit)
        body = visit.read(NewCampaign)
        campaign = _create(visit, body, organiser, times.on_the_clock_of(visit.read(Zone).zone))
    except GroundswellError as error:
        return _new(visit, typed=visit.typed, chosen=visit.form.get("phase.kinds", []), wrong=error)
    return visit.redirect(f"/c/{campaign.slug}")


def _new(visit: Visit, **shown: Any) -> Response:
    typed = {"zone": "Europe/London"}
    return visit.page("new_campaign.html", **{"typed": typed, "chosen": list(campaigns.KINDS), "wrong": None} | shown)


@route(bp, "GET", "/c/{slug}")
def page(visit: Visit, slug: str) -> Response:
    campaign = campaigns.get(slug)
    phase = campaign.phase_to_show(visit.now)
    listed = contributions.newest(slug, int(phase.number), cursor=visit.query("cursor")) if phase else None
    ids = [item.id for item in listed.items] if listed else []
    shown: dict[str, Any] = {
        "phase": phase,
        "is_open": bool(phase and phase.is_open(visit.now)),
        "listed": listed,
        "tallies": tallies.get_all(slug, ids) if phase and phase.shows_tallies(visit.now) else None,
        "own": votes.own_of(slug, ids, pseudonyms.of(slug, visit.person)) if visit.person and ids else {},
    }
    return visit.page("campaign.html", campaign=campaign, launch=_launch(campaign), **shown, **standing(visit, campaign))


def _launch(campaign: Campaign) -> launches.Launch | None:
    try:
        return launches.of(campaign)
    except NotFound:
        return None


def standing(visit: Visit, campaign: Campaign) -> Mapping[str, Any]:
    """What the campaign's pages have to know of who looks: signed in, with which role, and whether an organiser."""
    person = visit.person
    found = enrolments.find(campaign.slug, person) if person else None
    duties = found.duties if found and not found.suspended else []
    return {"person": person, "role": found.role if found else None, "duties": duties, "organiser": "organiser" in duties}
