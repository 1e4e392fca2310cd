"""Votes: one for each person and contribution, up or down, changed or taken back while the phase is open."""

from __future__ import annotations

import msgspec
from chalice import Blueprint, Response

from .. import campaigns, enrolments, votes
from ..campaigns import Campaign
from .http import Visit
from .routes import route

bp = Blueprint(__name__)


class Cast(msgspec.Struct):
    value: int


@route(bp, "PUT", "/v1/campaigns/{slug}/contributions/{id}/vote")
def cast(visit: Visit, slug: str, id: str) -> Response:  # noqa: A002  # the name in the address
    campaign, pseudonym = _voter(visit, slug)
    return visit.json({"value": votes.cast(campaign, id, pseudonym, visit.read(Cast).value, now=visit.now)})


@route(bp, "DELETE", "/v1/campaigns/{slug}/contributions/{id}/vote")
def withdraw(visit: Visit, slug: str, id: str) -> Response:  # noqa: A002
    campaign, pseudonym = _voter(visit, slug)
    votes.withdraw(campaign, id, pseudonym, now=visit.now)
    return visit.json(None, 204)


@route(bp, "POST", "/c/{slug}/contributions/{id}/vote")
def cast_on_page(visit: Visit, slug: str, id: str) -> Response:  # noqa: A002
    body = visit.read(Cast)
    campaign, pseudonym = _voter(visit, slug)
    votes.cast(campaign, id, pseudonym, body.value, now=visit.now)
    return visit.redirect(f"/c/{slug}/contributions/{id}")


@route(bp, "POST", "/c/{slug}/contributions/{id}/vote/withdraw")
def withdraw_on_page(visit: Visit, slug: str, id: str) -> Response:  # noqa: A002
    visit.check_csrf()
    campaign, pseudonym = _voter(visit, slug)
    votes.withdraw(campaign, id, pseudonym, now=visit.now)
    return visit.redirect(f"/c/{slug}/contributions/{id}")


def _voter(visit: Visit, slug: str) -> tuple[Campaign, str]:
    """Raises `Unauthenticated`, `NotFound`, `Forbidden` (not_enrolled)."""
    person, campaign = visit.require_person(), campaigns.get(slug)
    return campaign, enrolments.require(slug, person).pseudonym
