"""Campaigns as JSON, the list of them, and what every page of a campaign knows of who looks. Before it is opened, a campaign
is there for its team only: nobody else finds it, in a list or at its address."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import quote

import msgspec
from chalice import Blueprint, Response

from .. import campaigns, details, enrolments, participants, phases, texts
from ..campaigns import Kind, Right
from ..enrolments import Duty, Role
from ..errors import Forbidden, NotFound
from . import times
from .details import CampaignChanges, Choice, Controller, Limits, NewCampaign, changes_in, details_in
from .http import Visit
from .routes import route

bp = Blueprint(__name__)


class Phase(msgspec.Struct):
    """`allows`: what people may do at this moment; `shows_votes`: whether they are shown."""

    number: int
    title: str
    question: str
    opens_at: str
    closes_at: str
    state: Literal["ahead", "open", "closed"]
    kinds: list[Kind]
    contribute: bool
    comment: bool
    vote: bool
    blind: bool
    premoderated: bool
    allows: list[Right]
    shows_votes: bool


class Partner(msgspec.Struct):
    """`logo`: where its SVG is, if there is one."""

    id: str
    name: str
    link: str
    logo: str | None


class Campaign(msgspec.Struct):
    """`opened`: since when people can take part. `role`, `duties`: of whoever asks, in this campaign."""

    slug: str
    title: str
    question: str
    zone: str
    about: str
    rules: str
    urgent: str
    phases: list[Phase]
    open_phase: int | None
    opened: str | None
    choices: list[Choice]
    tags: list[str]
    partners: list[Partner]
    controllers: list[Controller]
    contact: str
    minimum_age: int | None
    limits: Limits
    launch: bool
    revision: int
    role: Role | None
    duties: list[Duty]


class ListedCampaign(msgspec.Struct):
    slug: str
    title: str
    question: str
    open_phase: int | None
    opened: str | None


class Campaigns(msgspec.Struct):
    items: list[ListedCampaign]
    next: str | None


class Opening(msgspec.Struct):
    """Nothing more has to be said."""


@route(bp, "GET", "/v1/campaigns", gives=Campaigns)
def every(visit: Visit) -> Response:
    """All campaigns that are open to people, and those that whoever asks prepares."""
    return visit.json(Campaigns([_listed(campaign, visit) for campaign in seen_by(visit)], None))


def _listed(campaign: campaigns.Campaign, visit: Visit) -> ListedCampaign:
    return ListedCampaign(campaign.slug, campaign.title, campaign.question, _open_phase(campaign, visit), _opened(campaign))


def seen_by(visit: Visit) -> list[campaigns.Campaign]:
    """Newest first: those that are opened, and those whose team the visitor is in."""
    return [campaign for campaign in campaigns.every() if campaign.opened or _duties(visit, campaign)]


def seen(visit: Visit, slug: str, *, consistent: bool = False) -> campaigns.Campaign:
    """The campaign, if the visitor may see it. Raises `NotFound`, also where it is not opened and the visitor not in its team."""
    campaign = campaigns.get(slug, consistent=consistent)
    if not campaign.opened and not _duties(visit, campaign):
        raise NotFound("There is no campaign at this address.")
    return campaign


def _duties(visit: Visit, campaign: campaigns.Campaign) -> list[Duty]:
    found = enrolments.find(campaign.slug, visit.person) if visit.person else None
    return found.duties if found and not found.suspended else []


def organised(visit: Visit, slug: str) -> tuple[campaigns.Campaign, str]:
    """The campaign as it stands, and the pseudonym of the organiser who asks.

    Raises `Unauthenticated`, `NotFound`, `Forbidden` (not_organiser)."""
    person, campaign = visit.require_person(), seen(visit, slug, consistent=True)
    return campaign, enrolments.require_duty(slug, person).pseudonym


@route(bp, "POST", "/v1/campaigns", needs="founder", takes=NewCampaign, gives=Campaign, status=201, errors=(409,))
def create(visit: Visit) -> Response:
    """Makes a campaign, which is not open yet. Making the same one again changes nothing."""
    founder, body = require_founder(visit), visit.read(NewCampaign)
    return visit.json(told(campaigns.create(body.slug.strip(), details_in(body), organiser=founder, now=visit.now), visit), 201)


@route(bp, "GET", "/v1/campaigns/{slug}", gives=Campaign)
def get(visit: Visit, slug: str) -> Response:
    """Everything public about a campaign."""
    return visit.json(told(seen(visit, slug), visit))


@route(bp, "PATCH", "/v1/campaigns/{slug}", needs="organiser", takes=CampaignChanges, gives=Campaign, errors=(409,))
def change(visit: Visit, slug: str) -> Response:
    """Changes what is given."""
    (campaign, organiser), body = organised(visit, slug), visit.read(CampaignChanges)
    revision = None if body.revision is msgspec.UNSET else body.revision
    return visit.json(told(campaigns.change(campaign, changes_in(body), organiser, now=visit.now, revision=revision), visit))


@route(bp, "POST", "/v1/campaigns/{slug}/open", needs="organiser", takes=Opening, gives=Campaign, errors=(409,))
def open_up(visit: Visit, slug: str) -> Response:
    """Lets people take part, once nothing is missing."""
    campaign, _ = organised(visit, slug)
    visit.read(Opening)
    return visit.json(told(campaigns.open_up(campaign, now=visit.now), visit))


def told(campaign: campaigns.Campaign, visit: Visit) -> Campaign:
    """A campaign as JSON."""
    long, who = texts.get(campaign.slug), standing(visit, campaign)
    return Campaign(
        **{name: getattr(campaign, name) for name in ("slug", "title", "question", "zone", "contact")},
        **{name: getattr(long, name) for name in texts.MAX},
        phases=[_phase(phase, campaign, visit) for phase in campaign.phases],
        open_phase=_open_phase(campaign, visit),
        opened=_opened(campaign),
        choices=msgspec.convert(campaign.choices, list[Choice]),
        tags=list(campaign.tags),
        partners=_partners(campaign, visit),
        controllers=msgspec.convert(campaign.controllers, list[Controller]),
        minimum_age=None if campaign.minimum_age is None else int(campaign.minimum_age),
        limits=Limits(**{name: campaign.limit(name) for name in details.LIMITS}),
        launch=bool(campaign.launch),
        revision=int(campaign.revision),
        role=who["role"],
        duties=who["duties"],
    )


def _open_phase(campaign: campaigns.Campaign, visit: Visit) -> int | None:
    found = campaign.open_phase(visit.now)
    return int(found.number) if found else None


def _opened(campaign: campaigns.Campaign) -> str | None:
    return times.stamp(int(campaign.opened) // 1000, campaign.zone) if campaign.opened else None


def _phase(phase: phases.Phase, campaign: campaigns.Campaign, visit: Visit) -> Phase:
    is_open, has_closed = phase.is_open(visit.now), phase.has_closed(visit.now)
    return Phase(
        number=int(phase.number),
        title=phase.title,
        question=phase.question,
        opens_at=times.stamp(phase.opens_at, campaign.zone),
        closes_at=times.stamp(phase.closes_at, campaign.zone),
        state="open" if is_open else "closed" if has_closed else "ahead",
        kinds=[kind for kind in phases.KINDS if kind in phase.kinds],
        **{name: bool(getattr(phase, name)) for name in (*phases.RIGHTS, "blind", "premoderated")},
        allows=[right for right in phases.RIGHTS if campaign.opened and phase.allows(right, visit.now)],
        shows_votes=phase.shows_tallies(visit.now),
    )


def _partners(campaign: campaigns.Campaign, visit: Visit) -> list[Partner]:
    there = texts.logos(campaign.slug) if campaign.partners else frozenset[str]()
    return [Partner(one["id"], one["name"], one["link"], logo(visit, campaign, one["id"], there)) for one in campaign.partners]


def logo(visit: Visit, campaign: campaigns.Campaign, partner: str, there: frozenset[str]) -> str | None:
    """Where the partner's logo is, if it is one of those that are there."""
    return visit.link(f"/c/{quote(campaign.slug)}/partners/{partner}/logo.svg") if partner in there else None


def require_founder(visit: Visit) -> str:
    """Who may make campaigns. Raises `Unauthenticated`, `Forbidden` (not_organiser)."""
    person = visit.require_person()
    if not may_found(visit):
        raise Forbidden("Only organisers can make a campaign. Whoever runs this service can add you.", code="not_organiser")
    return person


def may_found(visit: Visit) -> bool:
    found = participants.get(visit.person) if visit.person else None
    return bool(found and found.organiser)


def standing(visit: Visit, campaign: campaigns.Campaign) -> Mapping[str, Any]:
    """What the campaign's pages have to know of who looks: signed in, with which role, and which duties."""
    person = visit.person
    found = enrolments.find(campaign.slug, person) if person else None
    duties = found.duties if found and not found.suspended else []
    return {"person": person, "role": found.role if found else None, "duties": duties, "organiser": "organiser" in duties}
