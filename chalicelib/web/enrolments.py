"""Joining a campaign: which describes you best?"""

from __future__ import annotations

import msgspec
from chalice import Blueprint, Response

from .. import campaigns, enrolments
from .http import Visit, local_path
from .routes import route

bp = Blueprint(__name__)


class Join(msgspec.Struct):
    role: str


@route(bp, "PUT", "/v1/campaigns/{slug}/enrolment")
def join(visit: Visit, slug: str) -> Response:
    person, campaign = visit.require_person(), campaigns.get(slug)
    return visit.json({"role": enrolments.join(campaign.slug, person, visit.read(Join).role, now=visit.now).role})


@route(bp, "POST", "/c/{slug}/enrolment")
def join_on_page(visit: Visit, slug: str) -> Response:
    body, campaign = visit.read(Join), campaigns.get(slug)
    enrolments.join(campaign.slug, visit.require_person(), body.role, now=visit.now)
    then = local_path(visit.typed.get("next"))
    return visit.redirect(then if then != "/" else f"/c/{slug}")
