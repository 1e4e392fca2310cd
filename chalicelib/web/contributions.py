"""Contributions, which pages call ideas: the list as JSON, one with its comments, adding one."""

from __future__ import annotations

from typing import Any

import msgspec
from chalice import Blueprint, Response

from .. import campaigns, comments, contributions, enrolments, pseudonyms, tallies, votes
from ..campaigns import Campaign
from ..contributions import Contribution, Said
from ..errors import GroundswellError, Invalid
from ..tallies import Counts
from . import times
from .campaigns import standing
from .http import Visit
from .routes import route

bp = Blueprint(__name__)


class New(msgspec.Struct):
    kind: str
    title: str
    text: str


@route(bp, "GET", "/v1/campaigns/{slug}/contributions")
def listed(visit: Visit, slug: str) -> Response:
    campaign = campaigns.get(slug)
    phase = campaign.phase_to_show(visit.now)
    if phase is None:
        return visit.json({"items": [], "next": None})
    page = contributions.newest(slug, int(phase.number), cursor=visit.query("cursor"), limit=_limit(visit))
    ids = [item.id for item in page.items]
    counts = tallies.get_all(slug, ids) if phase.shows_tallies(visit.now) else None
    own = votes.own_of(slug, ids, pseudonyms.of(slug, visit.person)) if visit.person and ids else {}

    def one(item: Contribution) -> dict[str, Any]:
        tally = None if counts is None else counts.get(item.id, Counts(0, 0))
        return told(item, tally=tally, own=own.get(item.id, 0) if visit.person else None)

    return visit.json({"items": [one(item) for item in page.items], "next": page.next})


def _limit(visit: Visit) -> int:
    """Raises `Invalid` (limit)."""
    given = visit.query("limit")
    if given is None:
        return contributions.PAGE
    if not (given.isascii() and given.isdigit() and len(given) < 5):
        raise Invalid.field("limit", f"1 to {contributions.PAGE_MAX}")
    return int(given)


@route(bp, "GET", "/v1/campaigns/{slug}/contributions/{id}")
def get(visit: Visit, slug: str, id: str) -> Response:  # noqa: A002  # the name in the address
    campaign, found = campaigns.get(slug), contributions.get(slug, id)
    own = votes.own(slug, id, pseudonyms.of(slug, visit.person)) if visit.person else None
    return visit.json(told(found, tally=_tally(visit, campaign, found), own=own))


@route(bp, "POST", "/v1/campaigns/{slug}/contributions")
def add(visit: Visit, slug: str) -> Response:
    return visit.json(told(_add(visit, campaigns.get(slug)), tally=None, own=0), 201)


def _add(visit: Visit, campaign: Campaign) -> Contribution:
    enrolment = enrolments.require(campaign.slug, visit.require_person())
    body = visit.read(New)
    return contributions.add(campaign, enrolment.pseudonym, Said(body.kind, body.title, body.text), request=visit.key, now=visit.now)


def told(item: Contribution, *, tally: Counts | None, own: int | None) -> dict[str, Any]:
    """A contribution as JSON. `tally` is None while it is hidden, `own` where nobody is signed in."""
    return {
        "id": item.id,
        "campaign": item.campaign,
        "phase": item.phase,
        "kind": item.kind,
        "title": item.title,
        "text": item.text,
        "author": item.author_id,
        "created_at": times.stamp(int(item.created) / 1000),
        "votes": {"up": tally.up, "down": tally.down} if tally else None,
        "own_vote": own,
    }


def _tally(visit: Visit, campaign: Campaign, item: Contribution) -> Counts | None:
    return tallies.get(campaign.slug, item.id) if campaign.phase(item.phase).shows_tallies(visit.now) else None


@route(bp, "GET", "/c/{slug}/contributions/new")
def new_page(visit: Visit, slug: str) -> Response:
    return _new(visit, campaigns.get(slug))


@route(bp, "POST", "/c/{slug}/contributions")
def add_on_page(visit: Visit, slug: str) -> Response:
    campaign = campaigns.get(slug)
    try:
        made = _add(visit, campaign)
    except GroundswellError as error:
        if "kind" in error.fields:
            error.fields["kind"] = "please choose one of these"  # the codes' own names are not the page's words
        return _new(visit, campaign, typed=visit.typed, wrong=error)
    return visit.redirect(f"/c/{slug}/contributions/{made.id}")


def _new(visit: Visit, campaign: Campaign, **shown: Any) -> Response:
    phase = campaign.open_phase(visit.now)
    context: dict[str, Any] = {
        "typed": {},
        "wrong": None,
        "phase": phase,
        "title_max": contributions.TITLE_MAX,
        "text_max": contributions.TEXT_MAX,
    }
    return visit.page("new_contribution.html", campaign=campaign, **standing(visit, campaign), **context | shown)


@route(bp, "GET", "/c/{slug}/contributions/{id}")
def page(visit: Visit, slug: str, id: str) -> Response:  # noqa: A002
    return shown(visit, campaigns.get(slug), id)


def shown(visit: Visit, campaign: Campaign, contribution: str, **more: Any) -> Response:
    """The page of one contribution, its comments and, if `more` says so, a comment that was refused."""
    item = contributions.get(campaign.slug, contribution)
    known: dict[str, Any] = {
        "item": item,
        "phase": campaign.phase(item.phase),
        "is_open": campaign.phase(item.phase).is_open(visit.now),
        "comments": comments.of(campaign.slug, item.id),
        "tally": _tally(visit, campaign, item),
        "own": votes.own(campaign.slug, item.id, pseudonyms.of(campaign.slug, visit.person)) if visit.person else 0,
        "text_max": comments.TEXT_MAX,
        "typed": {},
        "wrong": None,
    }
    return visit.page("contribution.html", campaign=campaign, **standing(visit, campaign), **known | more)
