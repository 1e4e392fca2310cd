"""Contributions, which pages call ideas: one of them as JSON and as a page. Lists are in `boards`, adding one on a page in
`compositions`."""

from __future__ import annotations

from typing import Annotated, Any, Literal, cast

import msgspec
from chalice import Blueprint, Response

from .. import comments, contributions, enrolments, flags, framework, revisions, tallies, votes
from ..campaigns import Campaign
from ..contributions import Said, State
from ..errors import NotFound
from ..phases import RIGHTS, Kind
from ..tallies import Counts
from ..votes import Vote
from . import participation, times
from .campaigns import seen, standing
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
    for the same person on each contribution. `edited_at`: since when it says something else than people voted on; while votes are
    hidden, only who voted on the earlier words is told. `votes` is null while they are hidden, `own_vote` where nobody is signed in.
    `revision`, and why a moderator has hidden it (`reason`, `note`), are told to its author and to moderators only."""

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
    revision: int | None = None
    reason: str | None = None
    note: str | None = None


Title = Annotated[str, msgspec.Meta(min_length=1, max_length=contributions.TITLE_MAX)]
Words = Annotated[str, msgspec.Meta(min_length=1, max_length=contributions.TEXT_MAX)]
Tags = Annotated[list[str], msgspec.Meta(max_length=contributions.TAGS_MAX)]


class NewContribution(msgspec.Struct):
    """`tags`: of the campaign's own. `choices`: an option of each of the campaign's own fields."""

    kind: Kind
    title: Title
    text: Words
    tags: Tags = []
    choices: dict[str, str] = {}


@route(bp, "GET", "/v1/campaigns/{slug}/contributions/{id}", gives=Contribution)
def get(visit: Visit, slug: str, id: str) -> Response:  # noqa: A002  # the name in the address
    """One contribution. What waits for a moderator or is hidden is there for its author and for moderators only."""
    campaign = seen(visit, slug)
    return visit.json(answer(visit, campaign, *participation.readable(visit, slug, id)))


def answer(visit: Visit, campaign: Campaign, found: contributions.Contribution, insider: bool) -> Contribution:
    """A contribution as JSON, as whoever asks may see it."""
    vote = own_vote(visit, found)
    own = (int(vote.value) if vote else 0) if visit.person else None
    edited = bool(earlier(visit, campaign, found, vote))
    return told(found, tally=tally(visit, campaign, found), own=own, insider=insider, edited=edited)


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
    """Adds a contribution to the open stage. Where that is pre-moderated it waits for a moderator (`state`: pending)."""
    campaign = seen(visit, slug)
    who, found = enrolments.require(slug, visit.require_person()), said(visit.read(NewContribution))
    made = contributions.add(campaign, who.pseudonym, found, request=visit.key, now=visit.now, organises=who.has())
    return visit.json(answer(visit, campaign, made, True), 201)


def said(body: NewContribution) -> Said:
    return Said(body.kind, body.title, body.text, body.tags, body.choices)


def told(
    item: contributions.Contribution, *, tally: Counts | None, own: int | None, insider: bool = False, edited: bool = False
) -> Contribution:
    """A contribution as JSON. `tally` is None while it is hidden, `own` where nobody is signed in. `insider`: told to its author or
    a moderator. `edited`: told to who may know, while the tally is hidden, that it was changed since somebody voted."""
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
        edited_at=times.stamp(int(item.edited) / 1000) if item.edited and (edited or tally is not None) else None,
        votes=Votes(tally.up, tally.down) if tally else None,
        own_vote=cast("OwnVote | None", own),
        revision=int(item.revision) if insider else None,
        reason=item.reason if insider else None,
        note=item.note if insider else None,
    )


def tally(visit: Visit, campaign: Campaign, item: contributions.Contribution) -> Counts | None:
    """None while votes are hidden: then it is not even read."""
    return tallies.get(campaign.slug, item.id) if campaign.phase(item.phase).shows_tallies(visit.now) else None


def own_vote(visit: Visit, item: contributions.Contribution) -> Vote | None:
    own = participation.pseudonym(visit, item.campaign)
    return votes.find(item.campaign, item.id, own) if own else None


def earlier(visit: Visit, campaign: Campaign, item: contributions.Contribution, own: Vote | None) -> list[revisions.Revision]:
    """The earlier words that who asks may know of."""
    return revisions.of(item, campaign.phase(item.phase), own, now=visit.now)


@route(bp, "GET", "/c/{slug}/contributions/{id}")
def page(visit: Visit, slug: str, id: str) -> Response:  # noqa: A002
    """One idea with its votes and comments."""
    campaign, kept = seen(visit, slug), participation.kept(visit, f"/c/{slug}/contributions/{id}")
    try:
        return shown(visit, campaign, id, typed={name: values[-1] for name, values in kept.items()})
    except NotFound as error:
        return visit.page("gone.html", campaign=campaign, wrong=error, **standing(visit, campaign))


def shown(visit: Visit, campaign: Campaign, contribution: str, **more: Any) -> Response:
    """The page of one contribution; `more`: what was typed and refused there."""
    item, _ = participation.readable(visit, campaign.slug, contribution)
    own, stands, vote = participation.pseudonym(visit, campaign.slug), standing(visit, campaign), own_vote(visit, item)
    phase, talk = campaign.phase(item.phase), comments.of(campaign.slug, item.id, cursor=visit.query("cursor"))
    shown = {
        "item": item,
        "phase": phase,
        "allows": {right: bool(campaign.opened) and item.is_published and phase.allows(right, visit.now) for right in RIGHTS},
        "may_edit": item.state in ("published", "pending") and bool(campaign.opened) and phase.allows("contribute", visit.now),
        "talk": talk,
        "own_comments": {comment.id for comment in talk.items if own and comment.author == own},
        "mine": own == item.author,
        "moderates": not {"moderator", "organiser"}.isdisjoint(stands["duties"]),
        "codes": not {"coder", "organiser"}.isdisjoint(stands["duties"]),
        "entries": {entry.id: entry for entry in framework.of(campaign.slug)} if item.kind == "solution" else {},
        "earlier": earlier(visit, campaign, item, vote),
        "tally": tally(visit, campaign, item),
        "own": int(vote.value) if vote else 0,
        "text_max": comments.TEXT_MAX,
        "reply": visit.query("reply"),
        "reasons": flags.REASONS,
        "typed": {},
        "wrong": None,
    }
    return visit.page("contribution.html", campaign=campaign, **stands, **shown | more)
