"""The launch: what everybody can see of the moment, and what organisers can do to it."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, Literal, cast

import msgspec
from chalice import Blueprint, Response

from .. import chunks, enrolments, launches, networks, notices, readiness, reports, slots
from ..campaigns import Campaign
from ..errors import GroundswellError, NotFound
from ..proposals import GOAL_MAX, NewLaunch
from . import landings, times
from .campaigns import organised, seen, standing
from .http import PLEDGE, Visit
from .pages import NETWORKS
from .routes import route

bp = Blueprint(__name__)


State = Literal["open", "frozen", "goal_missed", "not_approved", "stopped", "settled"]


class Proposal(msgspec.Struct):
    """What an organiser proposes. `networks`: those on which posts are sent for people; `goal`: people."""

    message: str
    url: str
    at: str
    zone: str
    closes_at: str
    goal: Annotated[int, msgspec.Meta(ge=1, le=GOAL_MAX)]
    networks: list[str]


class Nothing(msgspec.Struct):
    """A body without fields."""


class Stop(msgspec.Struct):
    """`network`: only what is sent there; left out, all of it."""

    network: str | None = None


class Live(msgspec.Struct):
    """How far one network's posts are. `waiting`: neither posted nor failed so far."""

    network: str
    posted: int
    failed: int
    waiting: int


class Launch(msgspec.Struct):
    """`people` have lent a post or are reminded: `automatic` posts are sent for them, `reminders` they send themselves.
    `live` is empty until the moment. `sealed_chunks`: of what was stopped, parts of up to 250 posts that were being sent
    already. `postponed_from`: the moments that it was moved from."""

    id: str
    message: str
    url: str
    at: str
    zone: str
    closes_at: str
    goal: int
    networks: list[str]
    state: State
    approvals: int
    approved: bool
    stopped_at: str | None
    stopped_networks: list[str]
    sealed_chunks: int
    postponed_from: list[str]
    revision: int
    people: int
    automatic: int
    reminders: int
    live: list[Live]


@route(bp, "GET", "/v1/campaigns/{slug}/launch", gives=Launch)
def get(visit: Visit, slug: str) -> Response:
    """The campaign's launch."""
    return visit.json(told(launches.of(seen(visit, slug)), visit))


@route(bp, "PUT", "/v1/campaigns/{slug}/launch", needs="organiser", takes=Proposal, gives=Launch, errors=(409,))
def propose(visit: Visit, slug: str) -> Response:
    """Propose the launch, or change it: that takes the approvals back."""
    campaign, organiser = organised(visit, slug)
    return visit.json(told(_propose(visit, campaign, organiser), visit))


@route(bp, "POST", "/v1/campaigns/{slug}/launch/approve", needs="organiser", takes=Nothing, gives=Launch, errors=(409,))
def approve(visit: Visit, slug: str) -> Response:
    """Approve the launch as it stands; two different organisers must."""
    campaign, organiser = organised(visit, slug)
    visit.read(Nothing)
    return visit.json(told(launches.approve(campaign, organiser, now=visit.now), visit))


@route(bp, "POST", "/v1/campaigns/{slug}/launch/stop", needs="organiser", takes=Stop, gives=Launch, errors=(409,))
def stop(visit: Visit, slug: str) -> Response:
    """Stop the launch, or what is sent on one network, for good; posts that are out cannot be recalled."""
    campaign, organiser = organised(visit, slug)
    return visit.json(told(launches.stop(campaign, organiser, network=visit.read(Stop).network, now=visit.now), visit))


def told(launch: launches.Launch, visit: Visit) -> Launch:
    """A launch as JSON. Who approved is told to nobody, only how many."""
    counts = launches.supporters(launch)
    return Launch(
        id=launch.id,
        message=launch.message,
        url=launch.url,
        at=times.stamp(launch.at, launch.zone),
        zone=launch.zone,
        closes_at=times.stamp(launch.closes_at, launch.zone),
        goal=int(launch.goal),
        networks=list(launch.networks),
        state=cast("State", launch.state),
        approvals=len(launch.approvals),
        approved=launch.approved,
        stopped_at=times.stamp(int(launch.stopped_at) / 1000) if launch.stopped_at else None,
        stopped_networks=launch.stopped_networks,
        sealed_chunks=_sealed(launch),
        postponed_from=[times.stamp(one["at"], launch.zone) for one in launch.postponed],
        revision=int(launch.revision),
        people=counts.people,
        automatic=counts.automatic,
        reminders=counts.reminders,
        live=[Live(one.network, one.posted, one.failed, one.waiting) for one in reports.live(launch, now=visit.now)],
    )


def _sealed(launch: launches.Launch) -> int:
    lanes = slots.chunks_of(launch.plan or {}) if launch.stopped_at or launch.stops else []
    keys = [slots.chunk_key(launch.id, lane, chunk) for lane, chunk in lanes if launch.is_stopped(slots.network_of(lane))]
    return sum(1 for state in chunks.get_all(keys, int(launch.epoch)).values() if state.sealed)


def _propose(visit: Visit, campaign: Campaign, organiser: str) -> launches.Launch:
    body = visit.read(Proposal)
    read = times.rfc3339 if visit.is_api else times.on_the_clock_of(body.zone.strip())
    when = times.read_all({"at": body.at, "closes_at": body.closes_at}, read)
    new = NewLaunch(body.message, body.url, when["at"], body.zone.strip(), when["closes_at"], body.goal, body.networks)
    launch = launches.propose(campaign, organiser, new, now=visit.now)
    notices.note_page(launch, visit.address(f"/c/{campaign.slug}/launch"))
    return launch


@route(bp, "GET", "/c/{slug}/launch")
def page(visit: Visit, slug: str) -> Response:
    return _page(visit, seen(visit, slug))


def _page(visit: Visit, campaign: Campaign, **more: Any) -> Response:
    launch = launches.of(campaign) if campaign.launch else None
    who = standing(visit, campaign)
    approver = enrolments.require_duty(campaign.slug, visit.require_person()).pseudonym if who["organiser"] else None
    lent = visit.cookies.get(PLEDGE, "")
    known: dict[str, Any] = {
        "launch": launch,
        "counts": launches.supporters(launch) if launch else None,
        "live": reports.live(launch, now=visit.now) if launch else [],
        "sealed": _sealed(launch) if launch else 0,
        "is_open": bool(launch and launch.is_open(visit.now)),
        "has_approved": bool(launch and approver in launch.approvals),
        "needed": launches.APPROVERS,
        "readiness": readiness.of(launch, now=visit.now) if launch and launch.active and who["organiser"] else None,
        "lent": lent if launch and lent.split(".")[0] == launch.id else None,
        "wrong": None,
    }
    return visit.page("launch.html", campaign=campaign, **who, **known | more)


@route(bp, "GET", "/c/{slug}/launch/edit", needs="organiser")
def edit_page(visit: Visit, slug: str) -> Response:
    campaign, _ = organised(visit, slug)
    return _edit(visit, campaign)


@route(bp, "POST", "/c/{slug}/launch", needs="organiser")
def propose_on_page(visit: Visit, slug: str) -> Response:
    try:
        campaign, organiser = organised(visit, slug)
        _propose(visit, campaign, organiser)
    except NotFound:
        raise
    except GroundswellError as error:
        chosen = visit.form.get("networks", [])
        return _edit(visit, seen(visit, slug), typed=visit.typed, chosen=chosen, wrong=error)
    return visit.redirect(f"/c/{slug}/launch")


def _edit(visit: Visit, campaign: Campaign, **shown: Any) -> Response:
    launch = launches.of(campaign) if campaign.launch else None
    chosen = list(launch.networks) if launch else list(networks.NAMES)
    offered = {name: NETWORKS[name] for name in networks.NAMES}
    context: dict[str, Any] = {
        "launch": launch,
        "typed": _typed(launch) | ({} if launch else landings.proposed(visit, campaign.slug)),
        "chosen": chosen,
        "offered": offered,
    }
    return visit.page("launch_edit.html", campaign=campaign, **standing(visit, campaign), **context | shown)


def _typed(launch: launches.Launch | None) -> dict[str, str]:
    """What stands, as a form shows it."""
    if launch is None:
        return {"zone": "Europe/London"}
    texts = {"message": launch.message, "url": launch.url, "zone": launch.zone, "goal": str(int(launch.goal))}
    return texts | {"at": times.on_the_clock(launch.at, launch.zone), "closes_at": times.on_the_clock(launch.closes_at, launch.zone)}


@route(bp, "POST", "/c/{slug}/launch/approve", needs="organiser")
def approve_on_page(visit: Visit, slug: str) -> Response:
    visit.check_csrf()
    return _act(visit, slug, launches.approve)


@route(bp, "POST", "/c/{slug}/launch/stop", needs="organiser")
def stop_on_page(visit: Visit, slug: str) -> Response:
    network = visit.read(Stop).network
    return _act(visit, slug, partial(launches.stop, network=network or None))


def _act(visit: Visit, slug: str, act: Any) -> Response:
    campaign, organiser = organised(visit, slug)
    try:
        act(campaign, organiser, now=visit.now)
    except GroundswellError as error:
        return _page(visit, campaign, wrong=error)
    return visit.redirect(f"/c/{slug}/launch")
