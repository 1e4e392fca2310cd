"""The campaign's team: invited by e-mail address, removed after asking. Addresses are for organisers only."""

from __future__ import annotations

from typing import Any

import msgspec
from chalice import Blueprint, Response

from .. import team
from ..campaigns import Campaign
from ..enrolments import Duty
from ..errors import GroundswellError, NotFound
from ..team import Welcome
from . import times
from .campaigns import organised, standing
from .http import Visit
from .routes import route

bp = Blueprint(__name__)


class Invitation(msgspec.Struct):
    """`duties`: in place of those that the person has."""

    email: str
    duties: list[Duty]


class InvitationForm(msgspec.Struct):
    email: str
    duties: list[str] = []


class Member(msgspec.Struct):
    id: str
    email: str
    duties: list[Duty]
    invited_at: str


class Team(msgspec.Struct):
    items: list[Member]
    next: str | None


@route(bp, "GET", "/v1/campaigns/{slug}/team", needs="organiser", gives=Team)
def listed(visit: Visit, slug: str) -> Response:
    """Who has a duty in the campaign, with their e-mail addresses."""
    campaign, _ = organised(visit, slug)
    return visit.json(Team([_told(member) for member in team.members(campaign.slug)], None))


@route(bp, "POST", "/v1/campaigns/{slug}/team", needs="organiser", takes=Invitation, gives=Member, status=201, errors=(409,))
def invite(visit: Visit, slug: str) -> Response:
    """Gives duties to whoever has this e-mail address, and tells them."""
    (campaign, _), body = organised(visit, slug), visit.read(Invitation)
    return visit.json(_told(_invite(visit, campaign, body.email, body.duties)), 201)


@route(bp, "DELETE", "/v1/campaigns/{slug}/team/{member}", needs="organiser", status=204, errors=(409,))
def remove(visit: Visit, slug: str, member: str) -> Response:
    """Takes all duties from a member; from who is none already, nothing."""
    campaign, _ = organised(visit, slug)
    team.remove(campaign.slug, member, now=visit.now)
    return visit.json(None, 204)


def _told(member: team.Member) -> Member:
    return Member(member.id, member.email, msgspec.convert(member.duties, list[Duty]), times.stamp(member.invited // 1000))


def _invite(visit: Visit, campaign: Campaign, email: str, duties: list[Any]) -> team.Member:
    welcome = Welcome(campaign.title, visit.address(f"/c/{campaign.slug}/organise"))
    return team.invite(campaign.slug, email, duties, welcome, now=visit.now)


@route(bp, "GET", "/c/{slug}/organise/team", needs="organiser")
def page(visit: Visit, slug: str) -> Response:
    campaign, _ = organised(visit, slug)
    return _page(visit, campaign)


@route(bp, "POST", "/c/{slug}/organise/team", needs="organiser")
def invite_on_page(visit: Visit, slug: str) -> Response:
    campaign, _ = organised(visit, slug)
    try:
        body = visit.read(InvitationForm)
        _invite(visit, campaign, body.email, body.duties)
    except GroundswellError as error:
        if "duties" in error.fields:
            error.fields["duties"] = "please choose at least one"  # the duties' own names are not the page's words
        return _page(visit, campaign, typed=visit.typed, chosen=visit.form.get("duties", []), wrong=error)
    return visit.redirect(f"/c/{slug}/organise/team")


def _page(visit: Visit, campaign: Campaign, **shown: Any) -> Response:
    known: dict[str, Any] = {"members": team.members(campaign.slug), "typed": {}, "chosen": [], "wrong": None}
    return visit.page("organise_team.html", campaign=campaign, **known | shown, **standing(visit, campaign))


@route(bp, "GET", "/c/{slug}/organise/team/{member}/remove", needs="organiser")
def ask_to_remove(visit: Visit, slug: str, member: str) -> Response:
    campaign, _ = organised(visit, slug)
    return _asking(visit, campaign, member)


@route(bp, "POST", "/c/{slug}/organise/team/{member}/remove", needs="organiser")
def remove_on_page(visit: Visit, slug: str, member: str) -> Response:
    visit.check_csrf()
    campaign, _ = organised(visit, slug)
    try:
        team.remove(campaign.slug, member, now=visit.now)
    except GroundswellError as error:
        return _asking(visit, campaign, member, error)
    return visit.redirect(f"/c/{slug}/organise/team")


def _asking(visit: Visit, campaign: Campaign, member: str, wrong: GroundswellError | None = None) -> Response:
    found = next((one for one in team.members(campaign.slug) if one.id == member), None)
    if found is None:
        raise NotFound("There is no such member; perhaps they have been removed already.")
    return visit.page("organise_remove.html", campaign=campaign, member=found, wrong=wrong, **standing(visit, campaign))
