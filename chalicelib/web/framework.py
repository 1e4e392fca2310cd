"""The framework, which pages call themes: typed in by an organiser or a coder, and read by everybody."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from chalice import Blueprint, Response

from .. import enrolments, framework
from ..campaigns import Campaign
from ..errors import GroundswellError, NotFound
from ..framework import Said
from .campaigns import seen, standing
from .http import Visit
from .routes import route

bp = Blueprint(__name__)


class NewEntry(msgspec.Struct):
    kind: Literal["barrier", "building-block"]
    title: Annotated[str, msgspec.Meta(min_length=1, max_length=framework.TITLE_MAX)]
    text: Annotated[str, msgspec.Meta(max_length=framework.TEXT_MAX)] = ""


class Entry(msgspec.Struct):
    id: str
    kind: Literal["barrier", "building-block"]
    title: str
    text: str


class Framework(msgspec.Struct):
    """Barriers first, then building blocks, each in the order in which they were added."""

    items: list[Entry]
    next: str | None


class EntryForm(msgspec.Struct):
    title: str
    kind: str = ""
    text: str = ""


@route(bp, "GET", "/v1/campaigns/{slug}/framework", gives=Framework)
def get(visit: Visit, slug: str) -> Response:
    """The named barriers and building blocks."""
    return visit.json(Framework([_told(entry) for entry in framework.of(seen(visit, slug).slug)], None))


@route(bp, "PUT", "/v1/campaigns/{slug}/framework/{entry}", needs="coder", takes=NewEntry, gives=Entry, errors=(409,))
def put(visit: Visit, slug: str, entry: str) -> Response:
    """Adds or changes an entry under an id of one's own choice."""
    campaign, body = _coded(visit, slug), visit.read(NewEntry)
    return visit.json(_told(framework.put(campaign.slug, entry, Said(body.kind, body.title, body.text), now=visit.now)))


@route(bp, "DELETE", "/v1/campaigns/{slug}/framework/{entry}", needs="coder", status=204)
def remove(visit: Visit, slug: str, entry: str) -> Response:
    """Takes an entry away; where there is none, nothing."""
    framework.remove(_coded(visit, slug).slug, entry)
    return visit.json(None, 204)


def _told(entry: framework.Entry) -> Entry:
    return msgspec.convert({name: getattr(entry, name) for name in ("id", "kind", "title", "text")}, Entry)


def _coded(visit: Visit, slug: str) -> Campaign:
    """Raises `Unauthenticated`, `NotFound`, `Forbidden` (not_coder)."""
    person, campaign = visit.require_person(), seen(visit, slug)
    enrolments.require_duty(slug, person, "coder")
    return campaign


@route(bp, "GET", "/c/{slug}/organise/framework", needs="coder")
def page(visit: Visit, slug: str) -> Response:
    return _page(visit, _coded(visit, slug))


@route(bp, "POST", "/c/{slug}/organise/framework", needs="coder")
def add_on_page(visit: Visit, slug: str) -> Response:
    campaign = _coded(visit, slug)
    try:
        body = visit.read(EntryForm)
        framework.add(campaign.slug, Said(body.kind, body.title, body.text), now=visit.now)
    except GroundswellError as error:
        return _page(visit, campaign, typed=visit.typed, wrong=_in_words(error))
    return visit.redirect(f"/c/{slug}/organise/framework")


def _in_words(error: GroundswellError) -> GroundswellError:
    if "kind" in error.fields:
        error.fields["kind"] = "please choose one of these"  # the kinds' own names are not the page's words
    return error


def _page(visit: Visit, campaign: Campaign, **shown: Any) -> Response:
    known: dict[str, Any] = {"entries": framework.of(campaign.slug), "typed": {}, "wrong": None}
    return visit.page("organise_framework.html", campaign=campaign, **known | shown, **standing(visit, campaign))


@route(bp, "GET", "/c/{slug}/organise/framework/{entry}", needs="coder")
def edit_page(visit: Visit, slug: str, entry: str) -> Response:
    campaign = _coded(visit, slug)
    found = _there(campaign, entry)
    return _edit(visit, campaign, entry, typed={"kind": found.kind, "title": found.title, "text": found.text})


def _there(campaign: Campaign, entry: str) -> framework.Entry:
    found = framework.Entry.find(campaign.slug, entry)
    if found is None:
        raise NotFound("There is no such entry; perhaps it has been removed already.")
    return found


@route(bp, "POST", "/c/{slug}/organise/framework/{entry}", needs="coder")
def change_on_page(visit: Visit, slug: str, entry: str) -> Response:
    campaign = _coded(visit, slug)
    try:
        body = visit.read(EntryForm)
        _there(campaign, entry)
        framework.put(campaign.slug, entry, Said(body.kind, body.title, body.text), now=visit.now)
    except NotFound:
        raise
    except GroundswellError as error:
        return _edit(visit, campaign, entry, typed=visit.typed, wrong=_in_words(error))
    return visit.redirect(f"/c/{slug}/organise/framework")


def _edit(visit: Visit, campaign: Campaign, entry: str, **shown: Any) -> Response:
    return visit.page("organise_entry.html", campaign=campaign, entry=entry, **{"wrong": None} | shown, **standing(visit, campaign))


@route(bp, "POST", "/c/{slug}/organise/framework/{entry}/remove", needs="coder")
def remove_on_page(visit: Visit, slug: str, entry: str) -> Response:
    visit.check_csrf()
    framework.remove(_coded(visit, slug).slug, entry)
    return visit.redirect(f"/c/{slug}/organise/framework")
