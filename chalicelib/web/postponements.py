"""Moving the moment to a later one, up to ten seconds before it."""

from __future__ import annotations

from typing import Any

import msgspec
from chalice import Blueprint, Response

from .. import launches, notices
from ..campaigns import Campaign
from ..errors import GroundswellError
from . import times
from .campaigns import organised, standing
from .http import Visit
from .launches import Launch, told
from .routes import route

bp = Blueprint(__name__)


class Postponement(msgspec.Struct):
    """The new moment, and until when people can join in."""

    at: str
    closes_at: str
    zone: str


@route(bp, "POST", "/v1/campaigns/{slug}/launch/postpone", needs="organiser", takes=Postponement, gives=Launch, errors=(409,))
def postpone(visit: Visit, slug: str) -> Response:
    """Move the launch to a later moment. It has to be approved again; who agreed to one more than an hour away is asked again."""
    campaign, organiser = organised(visit, slug)
    return visit.json(told(_postpone(visit, campaign, organiser), visit))


@route(bp, "GET", "/c/{slug}/launch/postpone", needs="organiser")
def page(visit: Visit, slug: str) -> Response:
    campaign, _ = organised(visit, slug)
    return _page(visit, campaign)


@route(bp, "POST", "/c/{slug}/launch/postpone", needs="organiser")
def postpone_on_page(visit: Visit, slug: str) -> Response:
    campaign, organiser = organised(visit, slug)
    try:
        _postpone(visit, campaign, organiser)
    except GroundswellError as error:
        return _page(visit, campaign, typed=visit.typed, wrong=error)
    return visit.redirect(f"/c/{slug}/launch")


def _postpone(visit: Visit, campaign: Campaign, organiser: str) -> launches.Launch:
    body = visit.read(Postponement)
    zone = body.zone.strip()
    read = times.rfc3339 if visit.is_api else times.on_the_clock_of(zone)
    when = times.read_all({"at": body.at, "closes_at": body.closes_at}, read)
    launch = launches.postpone(campaign, organiser, at=when["at"], closes_at=when["closes_at"], zone=zone, now=visit.now)
    notices.note_page(launch, visit.address(f"/c/{campaign.slug}/launch"))
    return launch


def _page(visit: Visit, campaign: Campaign, **shown: Any) -> Response:
    launch = launches.of(campaign)
    typed = {"zone": launch.zone} | {name: times.on_the_clock(getattr(launch, name), launch.zone) for name in ("at", "closes_at")}
    context: dict[str, Any] = {"launch": launch, "typed": typed, "wrong": None, "people": launches.supporters(launch).people}
    return visit.page("postpone.html", campaign=campaign, **standing(visit, campaign), **context | shown)
