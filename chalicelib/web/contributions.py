"""Contributions, which pages call ideas: one of them as JSON and as a page, adding one. Lists are in `boards`."""

from __future__ import annotations

from typing import Any, Literal, cast

import msgspec
from chalice import Blueprint, Response

from .. import campaigns, comments, contributions, enrolments, pseudonyms, tallies, votes
from ..campaigns import Campaign
from ..contributions import Said, State
from ..errors import GroundswellError
from ..phases import Kind
from ..tallies import Counts
from . import times
from .campaigns import standing
from .http import Visit
from .routes import route

bp = Blueprint(__name__)

OwnVote = Literal[-1, 0, 1]


class Votes(msgspec.Struct):
    """How many voted up, and how many down."""

    up: int
    down: int


class Contribution(msgspec.Struct):
    """`choices`: the option chosen of each of the campaign's own fields. `answers`: entries of the framework. `author`: another id
    for the same person on each contribution. `edited_at`: since when it says something else than people voted on. `votes` is null
    while votes are hidden, `own_vote` where nobody is signed in. `reason`, `note`: why a moderator has hidden it, told to its
    author and to moderators only."""

    id: str
    campaign: str
    phase: int
    kind: Kind
    title: str
    text: str
    tags: list[str]
    choices: dict[str, str]
    answers: list[str]
    author: str
    state: State
    comments: int
    created_at: str
    edited_at: str | None
    votes: Votes | None
    own_vote: OwnVote | None
    reason: str | None = None
    note: str | None = None


class NewContribution(msgspec.Struct):
    """`tags`: of the campaign's own. `choices`: an option of each of the campaign's own fields."""

    kind: str
    title: str
    text: str
    tags: list[str] = []
    choices: dict[str, str] = {}


@route(bp, "GET", "/v1/campaigns/{slug}/contributions/{id}", gives=Contribution)
def get(visit: Visit, slug: str, id: str) -> Response:  # noqa: A002  # the name in the address
    campaign, found = campaigns.get(slug), contributions.get(slug, id)
    own = votes.own(slug, id, pseudonyms.of(slug, visit.person)) if visit.person else None
    return visit.json(told(found, tally=_tally(visit, campaign, found), own=own))


@route(
    bp,
    "POST",
    "/v1/campaigns/{slug}/contributions",
    needs="enrolled",
    takes=NewContribution,
    gives=Contribution,
    status=201,
    errors=(409, 429),
)
def add(visit: Visit, slug: str) -> Response:
    return visit.json(told(_add(visit, campaigns.get(slug)), tally=None, own=0), 201)


def _add(visit: Visit, campaign: Campaign) -> contributions.Contribution:
    enrolment = enrolments.require(campaign.slug, visit.require_person())
    body = visit.read(NewContribution)
    said = Said(body.kind, body.title, body.text, body.tags, body.choices)
    return contributions.add(campaign, enrolment.pseudonym, said, request=visit.key, now=visit.now)


def told(item: contributions.Contribution, *, tally: Counts | None, own: int | None, reason: bool = False) -> Contribution:
    """A contribution as JSON. `tally` is None while it is hidden, `own` where nobody is signed in. `reason`: tell why it was
    taken away, as only its author and moderators are told."""
    return Contribution(
        id=item.id,
        campaign=item.campaign,
        phase=item.phase,
        kind=cast("Kind", item.kind),
        title=item.title,
        text=item.text,
        tags=list(item.tags),
        choices=dict(item.choices),
        answers=list(item.answers),
        author=item.author_id,
        state=cast("State", item.state),
        comments=int(item.comments),
        created_at=times.stamp(int(item.created) / 1000),
        edited_at=times.stamp(int(item.edited) / 1000) if item.edited else None,
        votes=Votes(tally.up, tally.down) if tally else None,
        own_vote=cast("OwnVote | None", own),
        reason=item.reason if reason else None,
        note=item.note if reason else None,
    )


def _tally(visit: Visit, campaign: Campaign, item: contributions.Contribution) -> Counts | None:
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
