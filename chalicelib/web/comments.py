"""Comments on a contribution."""

from __future__ import annotations

from typing import Any

import msgspec
from chalice import Blueprint, Response

from .. import campaigns, comments, contributions, enrolments
from ..campaigns import Campaign
from ..comments import Comment
from ..errors import GroundswellError, NotFound
from . import times
from .contributions import shown
from .http import Visit
from .routes import route

bp = Blueprint(__name__)


class New(msgspec.Struct):
    text: str


@route(bp, "GET", "/v1/campaigns/{slug}/contributions/{id}/comments")
def listed(visit: Visit, slug: str, id: str) -> Response:  # noqa: A002  # the name in the address
    campaigns.get(slug)
    found = contributions.get(slug, id)
    return visit.json({"items": [told(comment) for comment in comments.of(slug, found.id)], "next": None})


@route(bp, "POST", "/v1/campaigns/{slug}/contributions/{id}/comments")
def add(visit: Visit, slug: str, id: str) -> Response:  # noqa: A002
    return visit.json(told(_add(visit, campaigns.get(slug), id)), 201)


def _add(visit: Visit, campaign: Campaign, contribution: str) -> Comment:
    enrolment = enrolments.require(campaign.slug, visit.require_person())
    text = visit.read(New).text
    return comments.add(campaign, contribution, enrolment.pseudonym, text=text, request=visit.key, now=visit.now)


def told(comment: Comment) -> dict[str, Any]:
    """A comment as JSON."""
    created = times.stamp(int(comment.created) / 1000)
    return {"id": comment.id, "text": comment.text, "author": comment.author_id, "created_at": created}


@route(bp, "POST", "/c/{slug}/contributions/{id}/comments")
def add_on_page(visit: Visit, slug: str, id: str) -> Response:  # noqa: A002
    campaign = campaigns.get(slug)
    try:
        _add(visit, campaign, id)
    except NotFound:
        raise
    except GroundswellError as error:
        return shown(visit, campaign, id, typed=visit.typed, wrong=error)
    return visit.redirect(f"/c/{slug}/contributions/{id}")
