"""Joining a campaign: which describes you best, and are you old enough?"""

from __future__ import annotations

from typing import Any

import msgspec
from chalice import Blueprint, Response

from .. import campaigns
from ..campaigns import Campaign
from ..enrolments import Role
from ..errors import GroundswellError, NotFound
from .campaigns import seen, standing
from .http import Visit, local_path
from .routes import route

bp = Blueprint(__name__)


class Join(msgspec.Struct):
    """`of_age`: says that they have reached the campaign's minimum age; needed once."""

    role: Role
    of_age: bool = False


class Enrolment(msgspec.Struct):
    role: Role


@route(bp, "PUT", "/v1/campaigns/{slug}/enrolment", needs="person", takes=Join, gives=Enrolment, errors=(403, 409))
def join(visit: Visit, slug: str) -> Response:
    """Joins the campaign, or changes the role."""
    person, campaign = visit.require_person(), seen(visit, slug)
    return visit.json(Enrolment(_join(visit, campaign, person)))


def _join(visit: Visit, campaign: Campaign, person: str) -> Any:
    body = visit.read(Join)
    return campaigns.admit(campaign, person, body.role, of_age=body.of_age, now=visit.now).role


@route(bp, "POST", "/c/{slug}/enrolment", needs="person")
def join_on_page(visit: Visit, slug: str) -> Response:
    then = local_path(visit.typed.get("next"))
    then = then if then != "/" else f"/c/{slug}"
    campaign = seen(visit, slug)
    try:
        _join(visit, campaign, visit.require_person())
    except NotFound:
        raise
    except GroundswellError as error:
        if "role" in error.fields:
            error.fields["role"] = "please choose one of these"  # the roles' own names are not the page's words
        return visit.page("join.html", campaign=campaign, then=then, typed=visit.typed, wrong=error, **standing(visit, campaign))
    return visit.redirect(then)
