"""Changing a contribution, taking it back, and what it said when people voted on it."""

from __future__ import annotations

import msgspec
from chalice import Blueprint, Response
from msgspec import UNSET, UnsetType

from .. import contributions, enrolments, revisions
from ..contributions import Said
from ..phases import Kind
from . import participation, times
from .campaigns import seen
from .contributions import Contribution, Tags, Title, Words, answer, earlier, own_vote
from .http import Visit
from .routes import route

bp = Blueprint(__name__)


class ChangedContribution(msgspec.Struct):
    """What is left out stays as it is."""

    kind: Kind | UnsetType = UNSET
    title: Title | UnsetType = UNSET
    text: Words | UnsetType = UNSET
    tags: Tags | UnsetType = UNSET
    choices: dict[str, str] | UnsetType = UNSET


class Revision(msgspec.Struct):
    """Earlier words that people voted on."""

    number: int
    title: str
    text: str
    replaced_at: str


class Revisions(msgspec.Struct):
    """Oldest first."""

    items: list[Revision]
    next: str | None = None


@route(bp, "PATCH", "/v1/campaigns/{slug}/contributions/{id}", needs="author", takes=ChangedContribution, gives=Contribution, errors=(409,))
def edit(visit: Visit, slug: str, id: str) -> Response:  # noqa: A002  # the name in the address
    """Changes one's own contribution while its stage is open. Words that people voted on stay, as revisions."""
    campaign = seen(visit, slug)
    who = enrolments.require(slug, visit.require_person())
    body = visit.read(ChangedContribution)
    said = _changed(contributions.find(slug, id, consistent=True), body)
    edited = revisions.edit(campaign, id, who.pseudonym, said, now=visit.now, organises=who.has())
    return visit.json(answer(visit, campaign, edited, True))


def _changed(found: contributions.Contribution, body: ChangedContribution) -> Said:
    now = contributions.said_by(found)
    given = {name: value for name in body.__struct_fields__ if (value := getattr(body, name)) is not UNSET}
    return Said(**{"kind": now.kind, "title": now.title, "text": now.text, "tags": now.tags, "choices": now.choices} | given)


@route(bp, "DELETE", "/v1/campaigns/{slug}/contributions/{id}", needs="author", status=204)
def withdraw(visit: Visit, slug: str, id: str) -> Response:  # noqa: A002
    """Takes one's own contribution back, at any time: its words are deleted for good."""
    campaign = seen(visit, slug)
    revisions.withdraw(campaign, id, enrolments.require(slug, visit.require_person()).pseudonym)
    return visit.json(None, 204)


@route(bp, "GET", "/v1/campaigns/{slug}/contributions/{id}/revisions", gives=Revisions)
def listed(visit: Visit, slug: str, id: str) -> Response:  # noqa: A002
    """What a contribution said earlier, when people voted on it; while votes are hidden, told to who voted on it then."""
    campaign = seen(visit, slug)
    found, _ = participation.readable(visit, slug, id)
    return visit.json(Revisions([_told(revision) for revision in earlier(visit, campaign, found, own_vote(visit, found))]))


def _told(revision: revisions.Revision) -> Revision:
    return Revision(revision.number, revision.title, revision.text, times.stamp(int(revision.replaced) / 1000))
