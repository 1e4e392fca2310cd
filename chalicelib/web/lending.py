"""The pages on which a post is lent: what to say, then exactly what will happen, then yes; how it went; the way back."""

from __future__ import annotations

from typing import Any

import msgspec
from chalice import Blueprint, Response

from .. import consents, launches, networks, pledges, reminders, reports, slots
from ..campaigns import Campaign
from ..drafts import Access, Draft
from ..errors import GroundswellError, Invalid, NotFound
from ..reminders import Reminder
from .campaigns import seen, standing
from .http import PLEDGE, SUPPORTER, Visit
from .pledges import Consent, NewPledge, NewWords, confirm, find, make, take_back
from .routes import route

bp = Blueprint(__name__)
KEEP_S = 60 * 86_400
_ONCE, _ONCE_S = "gs_once", 300


class Keep(msgspec.Struct):
    """`keep`: the browser is the supporter's own."""

    keep: str = ""


@route(bp, "GET", "/c/{slug}/pledges")
def mine_page(visit: Visit, slug: str) -> Response:
    """What this browser, or who is signed in, has lent, and of what it will be reminded."""
    campaign = seen(visit, slug)
    mine, launch = reminders.of_supporter(campaign, visit.access), launches.of(campaign)
    known: dict[str, Any] = {"mine": mine, "launch": launch, "is_off": reminders.is_off(launch), "stands": pledges.stands}
    known["outcomes"] = {one.id: reports.outcome(launch, one) for one in mine if isinstance(one, pledges.Pledge)}
    return visit.page("pledges.html", campaign=campaign, is_reminder=_is_reminder, **standing(visit, campaign), **known)


def _is_reminder(found: object) -> bool:
    return isinstance(found, Reminder)


@route(bp, "GET", "/c/{slug}/pledges/new")
def new_page(visit: Visit, slug: str) -> Response:
    return _new(visit, seen(visit, slug))


def _new(visit: Visit, campaign: Campaign, **shown: Any) -> Response:
    launch = launches.of(campaign)
    typed = {"text": f"{launch.message} {launch.url}", "network": launch.networks[0]}
    context: dict[str, Any] = {"typed": typed, "launch": launch, "is_open": launch.is_open(visit.now)}
    return visit.page("pledge_new.html", campaign=campaign, **standing(visit, campaign), **context | shown)


@route(bp, "POST", "/c/{slug}/pledges", errors=(409, 503))
def draft_on_page(visit: Visit, slug: str) -> Response:
    campaign = seen(visit, slug)
    try:
        found, token = make(visit, campaign, visit.read(NewPledge))
    except GroundswellError as error:
        return _new(visit, campaign, typed=visit.typed, wrong=error)
    if token:
        visit.set_cookie(SUPPORTER, token)
    return visit.redirect(f"/c/{slug}/pledges/{found.id}")


@route(bp, "GET", "/c/{slug}/pledges/{id}", needs="supporter")
def page(visit: Visit, slug: str, id: str) -> Response:  # noqa: A002
    return _page(visit, seen(visit, slug), id)


def _page(visit: Visit, campaign: Campaign, pledge: str, **more: Any) -> Response:
    found = find(visit, campaign, pledge)
    if isinstance(found, Reminder):
        return visit.redirect(f"/c/{campaign.slug}/remind/{found.id}")
    if isinstance(found, Draft):
        return visit.redirect(f"/c/{campaign.slug}/pledges/{found.pledge}") if found.pledge else _asking(visit, campaign, found, **more)
    launch = launches.of(campaign)
    context: dict[str, Any] = {"launch": launch, "pledge": found, "outcome": reports.outcome(launch, found), "typed": {"text": found.text}}
    context |= {"planned_at": pledges.planned_at(launch, found), "changing": False, "back": _back(visit, campaign, found.id)}
    context["stands"] = pledges.stands(launch, found)
    context["already"] = visit.cookies.get(_ONCE) == f"{found.id}.already"
    if _ONCE in visit.cookies:
        visit.drop_cookie(_ONCE)
    return visit.page("pledge.html", campaign=campaign, **standing(visit, campaign), **context | more)


def _back(visit: Visit, campaign: Campaign, pledge: str) -> str | None:
    """The private link, once after confirming, for who has no account here."""
    token = visit.cookies.get(SUPPORTER)
    once = visit.cookies.get(_ONCE, "").startswith(pledge)
    return visit.address(f"/c/{campaign.slug}/pledges/back/{token}") if once and token and visit.person is None else None


def _asking(visit: Visit, campaign: Campaign, found: Draft, **more: Any) -> Response:
    """The screen on which the supporter agrees: everything that will happen, and nothing else."""
    launch, network = launches.of(campaign), networks.get(found.network)
    context: dict[str, Any] = {"typed": {"text": found.text}, "changing": False, "launch": launch, "draft": found}
    context |= {"budget": network.BUDGET, "period": network.PERIOD_S, "is_open": launch.is_open(visit.now)}
    context["expected_at"] = int(launch.at) + slots.expected_delay(launch.id, found.network, found.server)
    context |= {"counts": launches.supporters(launch), "chosen": visit.typed if visit.request.method == "POST" else {}}
    return visit.page("consent.html", campaign=campaign, **standing(visit, campaign), **context | more)


@route(bp, "POST", "/c/{slug}/pledges/{id}/text", needs="supporter", errors=(409,))
def change_on_page(visit: Visit, slug: str, id: str) -> Response:  # noqa: A002
    """Other words. For a post that was lent, first the screen that asks for the new yes."""
    campaign = seen(visit, slug)
    find(visit, campaign, id)  # whatever is wrong with the words, what is shown of the post is shown to its supporter only
    try:
        body = visit.read(NewWords)
        changed = consents.change(campaign, id, body.text, visit.access, agree=body.agree, now=visit.now)
    except Invalid as error:
        if list(error.fields) == ["agree"]:
            return _asking_again(visit, campaign, id, visit.typed["text"])
        return _page(visit, campaign, id, typed=visit.typed, changing=True, wrong=error)
    except GroundswellError as error:
        return _page(visit, campaign, id, typed=visit.typed, changing=True, wrong=error)
    return visit.redirect(f"/c/{slug}/pledges/{changed.id}")


def _asking_again(visit: Visit, campaign: Campaign, pledge: str, text: str) -> Response:
    found, launch = pledges.find_confirmed(pledge), launches.of(campaign)
    context: dict[str, Any] = {"pledge": found, "launch": launch, "text": text, "planned_at": pledges.planned_at(launch, found)}
    return visit.page("consent_again.html", campaign=campaign, **standing(visit, campaign), **context)


@route(bp, "POST", "/c/{slug}/pledges/{id}/consent", needs="supporter", errors=(409, 503))
def consent_on_page(visit: Visit, slug: str, id: str) -> Response:  # noqa: A002
    """The pasted token is in no answer, not even after a mistake."""
    campaign = seen(visit, slug)
    try:
        made = confirm(visit, campaign, id, visit.read(Consent))
    except GroundswellError as error:
        return _page(visit, campaign, id, wrong=error)
    remember(visit, made.id, keep=bool(visit.typed.get("keep")))
    visit.set_cookie(_ONCE, f"{made.id}.{'already' if made.draft != id else 'new'}", max_age=_ONCE_S)
    return visit.redirect(f"/c/{slug}/pledges/{made.id}")


def remember(visit: Visit, pledge: str, *, keep: bool, token: str | None = None) -> None:
    """The way back, for longer only on the supporter's own device."""
    age, token = KEEP_S if keep else None, token or visit.cookies.get(SUPPORTER)
    visit.set_cookie(PLEDGE, pledge, max_age=age)
    if token and visit.person is None:
        visit.set_cookie(SUPPORTER, token, max_age=age)


@route(bp, "POST", "/c/{slug}/pledges/{id}/withdraw", needs="supporter", errors=(409,))
def withdraw_on_page(visit: Visit, slug: str, id: str) -> Response:  # noqa: A002
    visit.check_csrf()
    campaign = seen(visit, slug)
    try:
        taken = take_back(visit, campaign, id)
    except GroundswellError as error:
        return _page(visit, campaign, id, wrong=error)
    return visit.redirect(f"/c/{slug}/pledges/{taken}" if taken else f"/c/{slug}/launch")


@route(bp, "GET", "/c/{slug}/pledges/back/{token}")
def back_page(visit: Visit, slug: str, token: str) -> Response:
    """The private link. Opening it changes nothing: filters open every link."""
    campaign = seen(visit, slug)
    _known(campaign, token)
    found = visit.page("pledge_back.html", campaign=campaign, token=token, **standing(visit, campaign))
    found.headers["Referrer-Policy"] = "no-referrer"
    return found


@route(bp, "POST", "/c/{slug}/pledges/back/{token}")
def back_on_page(visit: Visit, slug: str, token: str) -> Response:
    keep = visit.read(Keep).keep
    _known(seen(visit, slug), token)
    visit.set_cookie(SUPPORTER, token, max_age=KEEP_S if keep else None)
    return visit.redirect(f"/c/{slug}/pledges")


def _known(campaign: Campaign, token: str) -> None:
    """Raises `NotFound`."""
    if not reminders.of_supporter(campaign, Access(None, token)):
        raise NotFound("This link leads nowhere (any more): what it led to may have been taken back.")
