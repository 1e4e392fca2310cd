"""Lending one post: what to say, then exactly what will happen, then yes; and how it went. Needs no account here."""

from __future__ import annotations

from typing import Any

import msgspec
from chalice import Blueprint, Response

from .. import campaigns, drafts, launches, networks, pledges, reports
from ..campaigns import Campaign
from ..drafts import Draft, Drafted
from ..errors import GroundswellError
from ..launches import Launch
from ..pledges import Pledge
from . import times
from .campaigns import standing
from .http import PLEDGE, SUPPORTER, Visit
from .routes import route

bp = Blueprint(__name__)
_KEEP_S = 60 * 86_400


class New(msgspec.Struct):
    network: str
    mode: str
    server: str
    text: str


class Change(msgspec.Struct):
    text: str


class Consent(msgspec.Struct):
    token: str


@route(bp, "POST", "/v1/campaigns/{slug}/pledges")
def draft(visit: Visit, slug: str) -> Response:
    campaign = campaigns.get(slug)
    if visit.bearer:
        visit.require_person()
    made = _draft(visit, campaign)
    body = _draft_told(made.draft)
    return visit.json(body | {"token": made.token} if made.token else body, 201)


@route(bp, "GET", "/v1/campaigns/{slug}/pledges/{id}")
def get(visit: Visit, slug: str, id: str) -> Response:  # noqa: A002  # the name in the address
    campaign = campaigns.get(slug)
    return visit.json(told(campaign, pledges.find(campaign, id, visit.access, now=visit.now)))


@route(bp, "PATCH", "/v1/campaigns/{slug}/pledges/{id}")
def change(visit: Visit, slug: str, id: str) -> Response:  # noqa: A002
    changed = drafts.change(campaigns.get(slug), id, visit.read(Change).text, visit.access, now=visit.now)
    return visit.json(_draft_told(changed))


@route(bp, "POST", "/v1/campaigns/{slug}/pledges/{id}/consent")
def consent(visit: Visit, slug: str, id: str) -> Response:  # noqa: A002
    campaign = campaigns.get(slug)
    return visit.json(told(campaign, pledges.confirm(campaign, id, visit.read(Consent).token, visit.access, now=visit.now)), 201)


@route(bp, "DELETE", "/v1/campaigns/{slug}/pledges/{id}")
def withdraw(visit: Visit, slug: str, id: str) -> Response:  # noqa: A002
    _withdraw(visit, campaigns.get(slug), id)
    return visit.json(None, 204)


def _draft(visit: Visit, campaign: Campaign) -> Drafted:
    body, who = visit.read(New), visit.access
    return drafts.draft(
        campaign,
        network=body.network,
        mode=body.mode,
        server=body.server,
        text=body.text,
        person=who.person,
        token=who.token,
        now=visit.now,
    )


def _withdraw(visit: Visit, campaign: Campaign, pledge: str) -> str | None:
    """By the id of the pledge, or of the draft that became it. The pledge that was taken back; None for a mere draft.

    Raises `NotFound`, `Conflict` (sealed)."""
    found = pledges.find(campaign, pledge, visit.access, now=visit.now)
    confirmed = found.pledge if isinstance(found, Draft) else found.id
    pledges.withdraw(campaign, confirmed or pledge, visit.access, now=visit.now)
    return confirmed


def told(campaign: Campaign, found: Draft | Pledge) -> dict[str, Any]:
    """A draft or a pledge as JSON, to its own supporter."""
    return _draft_told(found) if isinstance(found, Draft) else _pledge_told(found, launches.of(campaign))


def _draft_told(found: Draft) -> dict[str, Any]:
    return {
        "id": found.id,
        "state": "draft",
        "network": found.network,
        "mode": found.mode,
        "server": found.server,
        "text": found.text,
        "length": int(found.length),
        "limit": int(found.limit),
        "expires": times.stamp(found.expires),
        "pledge": found.pledge,
    }


def _pledge_told(found: Pledge, launch: Launch) -> dict[str, Any]:
    return {
        "id": found.id,
        "state": found.state,
        "network": found.network,
        "account": found.account,
        "text": found.text,
        "planned_at": times.stamp(pledges.planned_at(launch, found), launch.zone),
        "consented_at": times.stamp(found.consented_at),
        "wording": found.wording,
        "outcome": reports.outcome(launch, found),
    }


@route(bp, "GET", "/c/{slug}/pledges/new")
def new_page(visit: Visit, slug: str) -> Response:
    return _new(visit, campaigns.get(slug))


def _new(visit: Visit, campaign: Campaign, **shown: Any) -> Response:
    launch = launches.of(campaign)
    typed = {"text": f"{launch.message} {launch.url}"}
    context: dict[str, Any] = {"typed": typed, "launch": launch, "is_open": launch.is_open(visit.now)}
    return visit.page("pledge_new.html", campaign=campaign, **standing(visit, campaign), **context | shown)


@route(bp, "POST", "/c/{slug}/pledges")
def draft_on_page(visit: Visit, slug: str) -> Response:
    campaign = campaigns.get(slug)
    try:
        made = _draft(visit, campaign)
    except GroundswellError as error:
        return _new(visit, campaign, typed=visit.typed, wrong=error)
    if made.token:
        visit.set_cookie(SUPPORTER, made.token)
    return visit.redirect(f"/c/{slug}/pledges/{made.draft.id}")


@route(bp, "GET", "/c/{slug}/pledges/{id}")
def page(visit: Visit, slug: str, id: str) -> Response:  # noqa: A002
    return _page(visit, campaigns.get(slug), id)


def _page(visit: Visit, campaign: Campaign, pledge: str, **more: Any) -> Response:
    found = pledges.find(campaign, pledge, visit.access, now=visit.now)
    if isinstance(found, Draft):
        return visit.redirect(f"/c/{campaign.slug}/pledges/{found.pledge}") if found.pledge else _asking(visit, campaign, found, **more)
    launch = launches.of(campaign)
    context: dict[str, Any] = {"launch": launch, "pledge": found, "outcome": reports.outcome(launch, found)}
    context["planned_at"] = pledges.planned_at(launch, found)
    return visit.page("pledge.html", campaign=campaign, **standing(visit, campaign), **context | more)


def _asking(visit: Visit, campaign: Campaign, found: Draft, **more: Any) -> Response:
    """The screen on which the supporter agrees: everything that will happen, and nothing else."""
    launch, network = launches.of(campaign), networks.get(found.network)
    context: dict[str, Any] = {"typed": {"text": found.text}, "changing": False, "launch": launch, "draft": found}
    context |= {"budget": network.BUDGET, "period": network.PERIOD_S, "is_open": launch.is_open(visit.now)}
    context |= {"counts": launches.supporters(launch)}
    return visit.page("consent.html", campaign=campaign, **standing(visit, campaign), **context | more)


@route(bp, "POST", "/c/{slug}/pledges/{id}/text")
def change_on_page(visit: Visit, slug: str, id: str) -> Response:  # noqa: A002
    campaign = campaigns.get(slug)
    try:
        drafts.change(campaign, id, visit.read(Change).text, visit.access, now=visit.now)
    except GroundswellError as error:
        return _page(visit, campaign, id, typed=visit.typed, changing=True, wrong=error)
    return visit.redirect(f"/c/{slug}/pledges/{id}")


@route(bp, "POST", "/c/{slug}/pledges/{id}/consent")
def consent_on_page(visit: Visit, slug: str, id: str) -> Response:  # noqa: A002
    """The pasted token is in no answer, not even after a mistake."""
    campaign = campaigns.get(slug)
    try:
        made = pledges.confirm(campaign, id, visit.read(Consent).token, visit.access, now=visit.now)
    except GroundswellError as error:
        return _page(visit, campaign, id, wrong=error)
    _remember(visit, made)
    return visit.redirect(f"/c/{slug}/pledges/{made.id}")


def _remember(visit: Visit, made: Pledge) -> None:
    """The way back to the post, for longer only on the supporter's own device."""
    age = _KEEP_S if visit.typed.get("keep") else None
    visit.set_cookie(PLEDGE, made.id, max_age=age)
    if SUPPORTER in visit.cookies and visit.person is None:
        visit.set_cookie(SUPPORTER, visit.cookies[SUPPORTER], max_age=age)


@route(bp, "POST", "/c/{slug}/pledges/{id}/withdraw")
def withdraw_on_page(visit: Visit, slug: str, id: str) -> Response:  # noqa: A002
    visit.check_csrf()
    campaign = campaigns.get(slug)
    try:
        taken = _withdraw(visit, campaign, id)
    except GroundswellError as error:
        return _page(visit, campaign, id, wrong=error)
    return visit.redirect(f"/c/{slug}/pledges/{taken}" if taken else f"/c/{slug}/launch")
