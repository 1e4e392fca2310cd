"""The first page, which lists the campaigns, and the form that makes one."""

from __future__ import annotations

from typing import Any

import msgspec
from chalice import Blueprint, Response

from .. import campaigns
from ..campaigns import Campaign, Details
from ..details import ZONE
from ..errors import GroundswellError
from . import times
from .campaigns import may_found, require_founder, seen_by
from .details import TEMPLATES, Template
from .http import Visit
from .routes import route

bp = Blueprint(__name__)


class Founding(msgspec.Struct):
    title: str
    slug: str
    question: str
    opens_at: str
    zone: str
    template: Template


@route(bp, "GET", "/")
def home(visit: Visit) -> Response:
    return visit.page("home.html", campaigns=seen_by(visit), may_found=may_found(visit))


@route(bp, "GET", "/campaigns/new", needs="founder")
def new_page(visit: Visit) -> Response:
    require_founder(visit)
    return _new(visit)


@route(bp, "POST", "/campaigns", needs="founder")
def create_on_page(visit: Visit) -> Response:
    try:
        campaign = _create(visit)
    except GroundswellError as error:
        return _new(visit, typed=visit.typed, wrong=error)
    return visit.redirect(f"/c/{campaign.slug}/organise")


def _create(visit: Visit) -> Campaign:
    founder, body = require_founder(visit), visit.read(Founding)
    zone = body.zone.strip()
    begins = times.read_all({"opens_at": body.opens_at}, times.on_the_clock_of(zone))["opens_at"]
    found = Details(body.title, body.question, TEMPLATES[body.template](begins), zone=zone)
    return campaigns.create(body.slug.strip(), found, organiser=founder, now=visit.now)


def _new(visit: Visit, **shown: Any) -> Response:
    return visit.page("new_campaign.html", **{"typed": {"zone": ZONE, "template": "2015"}, "wrong": None} | shown)
