"""One's own page in a campaign: what one has added, and what became of it."""

from __future__ import annotations

from typing import cast

import msgspec
from chalice import Blueprint, Response

from .. import contributions, enrolments, launches, pseudonyms, tallies, votes
from ..campaigns import Campaign
from ..enrolments import Duty, Role
from ..tallies import Counts
from .campaigns import seen, standing
from .contributions import Contribution, told
from .http import Visit
from .routes import route

bp = Blueprint(__name__)


class OwnPage(msgspec.Struct):
    """`role`: null before one has joined. `contributions`: one's own, newest first, with their states, and why a moderator has
    hidden one."""

    role: Role | None
    duties: list[Duty]
    suspended: bool
    contributions: list[Contribution]


@route(bp, "GET", "/v1/campaigns/{slug}/me", needs="person", gives=OwnPage)
def get(visit: Visit, slug: str) -> Response:
    """What one is and has added in a campaign."""
    person, campaign = visit.require_person(), seen(visit, slug)
    found = enrolments.find(slug, person)
    role = cast("Role | None", found.role) if found else None
    own = _own(visit, campaign, pseudonyms.of(slug, person))
    return visit.json(OwnPage(role, found.duties if found else [], bool(found and found.suspended), own))


def _own(visit: Visit, campaign: Campaign, pseudonym: str) -> list[Contribution]:
    items = contributions.of_author(campaign.slug, pseudonym)
    shown = [item.id for item in items if campaign.phase(item.phase).shows_tallies(visit.now)]
    counts, cast_ = tallies.get_all(campaign.slug, shown), votes.own_of(campaign.slug, [item.id for item in items], pseudonym)

    def one(item: contributions.Contribution) -> Contribution:
        tally = counts.get(item.id, Counts(0, 0)) if item.id in shown else None
        return told(item, tally=tally, own=cast_.get(item.id, 0), insider=True)

    return [one(item) for item in items]


@route(bp, "GET", "/c/{slug}/me", needs="person")
def page(visit: Visit, slug: str) -> Response:
    """What one has added, with what became of it."""
    person, campaign = visit.require_person(), seen(visit, slug)
    found = enrolments.find(slug, person)
    items = contributions.of_author(slug, pseudonyms.of(slug, person))
    context = {"suspended": bool(found and found.suspended), "launch": launches.of(campaign) if campaign.launch else None}
    return visit.page("me.html", campaign=campaign, items=items, **context, **standing(visit, campaign))
