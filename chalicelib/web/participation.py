"""Who takes part, as every route of the conversation asks it: who may read what, who has joined or joins now, and what
somebody typed before they signed in."""

from __future__ import annotations

from urllib.parse import quote

from chalice import Response

from .. import campaigns, contributions, enrolments, pseudonyms, typed
from ..campaigns import Campaign
from ..contributions import Contribution
from ..enrolments import Enrolment
from ..errors import Invalid
from .http import TYPED, Visit

_NOT_KEPT = ("csrf",)


def pseudonym(visit: Visit, slug: str) -> str | None:
    """Who asks, in this campaign; None for who is not signed in."""
    return pseudonyms.of(slug, visit.person) if visit.person else None


def readable(visit: Visit, slug: str, contribution: str) -> tuple[Contribution, bool]:
    """The contribution, and whether who asks is its author or a moderator, to whom more is told. Raises `NotFound`."""
    found, own = contributions.find(slug, contribution), pseudonym(visit, slug)
    if own is None:
        return contributions.visible(found), False
    insider = found.author == own
    if not found.is_published and not insider:
        enrolment = enrolments.find(slug, visit.require_person())
        insider = bool(enrolment and enrolment.has("moderator"))
    return contributions.visible(found, pseudonym=own, moderates=insider), insider


def enrolled(visit: Visit, campaign: Campaign) -> Enrolment:
    """Who takes part. On pages the role is asked once, together with somebody's first vote, comment or idea.

    Raises `Unauthenticated`, `Forbidden` (not_enrolled, suspended), `Invalid` (role, of_age), `Conflict` (not_open)."""
    person = visit.require_person()
    if visit.is_api or "joining" not in visit.form:
        return enrolments.require(campaign.slug, person)
    visit.check_csrf()
    if not visit.typed.get("role"):
        raise Invalid.field("role", "please choose one of these", code="not_enrolled")
    return campaigns.admit(campaign, person, visit.typed["role"], of_age=bool(visit.typed.get("of_age")), now=visit.now)


def sign_in(visit: Visit, then: str, *, keep: bool = True) -> Response:
    """Leads through sign-in and back to the page `then`, in whose form stands again what was typed.

    Raises `Forbidden` (form_expired), `Invalid`, `TooMany`."""
    visit.check_csrf()
    if keep:
        form = {name: values for name, values in visit.form.items() if name not in _NOT_KEPT}
        forget(visit)
        visit.set_cookie(TYPED, typed.keep(then, form, now=visit.now))
    return visit.redirect(f"/sign-in?next={quote(then, safe='/')}")


def kept(visit: Visit, page: str) -> dict[str, list[str]]:
    """What was typed into the form of this page before the sign-in; told only to who has signed in."""
    token = visit.cookies.get(TYPED)
    return (typed.find(token, page, now=visit.now) if token and visit.person else None) or {}


def forget(visit: Visit) -> None:
    """What was typed has been sent, or is not wanted any more."""
    if TYPED in visit.cookies:
        typed.forget(visit.cookies[TYPED])
        visit.drop_cookie(TYPED)
