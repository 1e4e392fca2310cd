"""The pages on which people write: a new idea, and other words for one of theirs. Who is not signed in may write first; what
they typed is there again when they have signed in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalice import Blueprint, Response

from .. import campaigns, contributions, pseudonyms, revisions, texts
from ..campaigns import Campaign, Phase
from ..errors import Conflict, Forbidden, GroundswellError
from . import bodies, participation
from .campaigns import seen, standing
from .contributions import NewContribution, said
from .http import Visit
from .routes import route

bp = Blueprint(__name__)
Form = Mapping[str, list[str]]


@route(bp, "GET", "/c/{slug}/contributions/new")
def new_page(visit: Visit, slug: str) -> Response:
    """Where an idea is written."""
    kept = participation.kept(visit, f"/c/{slug}/contributions/new")
    return _new(visit, seen(visit, slug), kept, restored=bool(kept))


@route(bp, "POST", "/c/{slug}/contributions", needs="enrolled")
def add_on_page(visit: Visit, slug: str) -> Response:
    """Adds an idea, or keeps it while its author signs in."""
    campaign = seen(visit, slug)
    try:
        if visit.person is None:
            return participation.sign_in(visit, f"/c/{slug}/contributions/new")
        body = visit.read(NewContribution)
        enrolment = participation.enrolled(visit, campaign)
        found, organises = said(body), enrolment.has()
        made = contributions.add(campaign, enrolment.pseudonym, found, request=visit.key, now=visit.now, organises=organises)
    except GroundswellError as error:
        return _new(visit, campaign, visit.form, wrong=_in_words(error))
    participation.forget(visit)
    return visit.redirect(f"/c/{slug}/contributions/{made.id}")


def _in_words(error: GroundswellError) -> GroundswellError:
    """The codes' own names are not the page's words."""
    for name in error.fields:
        if name in ("kind", "role") or name.startswith("choices."):
            error.fields[name] = "please choose one of these"
    return error


def _new(visit: Visit, campaign: Campaign, form: Form, **shown: Any) -> Response:
    return _composing(visit, campaign, "new_contribution.html", campaign.open_phase(visit.now), form, **shown)


def _composing(visit: Visit, campaign: Campaign, template: str, phase: Phase | None, form: Form, **shown: Any) -> Response:
    known: dict[str, Any] = {
        "typed": bodies.typed(form),
        "tags": form.get("tags", []),
        "wrong": None,
        "restored": False,
        "phase": phase,
        "urgent": texts.get(campaign.slug).urgent,
        "title_max": contributions.TITLE_MAX,
        "text_max": contributions.TEXT_MAX,
    }
    return visit.page(template, campaign=campaign, **standing(visit, campaign), **known | shown)


@route(bp, "GET", "/c/{slug}/contributions/{id}/edit", needs="author")
def edit_page(visit: Visit, slug: str, id: str) -> Response:  # noqa: A002  # the name in the address
    """Where an idea's author gives it other words."""
    campaign, found = seen(visit, slug), _own(visit, slug, id)
    organises = bool(standing(visit, campaign)["organiser"])
    campaigns.require(campaign, found.phase, "contribute", now=visit.now, organises=organises)
    kept = participation.kept(visit, f"/c/{slug}/contributions/{id}/edit")
    return _edit(visit, campaign, found, kept or _form_of(found), restored=bool(kept))


@route(bp, "POST", "/c/{slug}/contributions/{id}/edit", needs="author")
def edit_on_page(visit: Visit, slug: str, id: str) -> Response:  # noqa: A002
    """Changes an idea, or keeps its new words while its author signs in again."""
    campaign = seen(visit, slug)
    if visit.person is None:
        return participation.sign_in(visit, f"/c/{slug}/contributions/{id}/edit")
    found = _own(visit, slug, id)
    try:
        body = visit.read(NewContribution)
        enrolment = participation.enrolled(visit, campaign)
        revisions.edit(campaign, id, enrolment.pseudonym, said(body), now=visit.now, organises=enrolment.has())
    except GroundswellError as error:
        return _edit(visit, campaign, found, visit.form, wrong=_in_words(error))
    participation.forget(visit)
    return visit.redirect(f"/c/{slug}/contributions/{id}")


def _own(visit: Visit, slug: str, contribution: str) -> contributions.Contribution:
    """Raises `Unauthenticated`, `NotFound`, `Forbidden` (not_author), `Conflict` (hidden)."""
    pseudonym, found = pseudonyms.of(slug, visit.require_person()), contributions.find(slug, contribution)
    if contributions.visible(found, pseudonym=pseudonym).author != pseudonym:
        raise Forbidden("Only who had this idea can change it.", code="not_author")
    if found.state == "hidden":
        raise Conflict("What has been taken away can no longer be changed.", code="hidden")
    return found


def _form_of(found: contributions.Contribution) -> dict[str, list[str]]:
    several = {f"choices.{name}": [chosen] for name, chosen in found.choices.items()} | ({"tags": list(found.tags)} if found.tags else {})
    return {"kind": [found.kind], "title": [found.title], "text": [found.text], **several}


def _edit(visit: Visit, campaign: Campaign, found: contributions.Contribution, form: Form, **shown: Any) -> Response:
    return _composing(visit, campaign, "edit.html", campaign.phase(found.phase), form, item=found, **shown)


@route(bp, "POST", "/c/{slug}/contributions/{id}/withdraw", needs="author")
def withdraw_on_page(visit: Visit, slug: str, id: str) -> Response:  # noqa: A002
    """Takes an idea back, with its words."""
    visit.check_csrf()
    campaign = seen(visit, slug)
    revisions.withdraw(campaign, id, participation.enrolled(visit, campaign).pseudonym)
    return visit.redirect(f"/c/{slug}/me")
