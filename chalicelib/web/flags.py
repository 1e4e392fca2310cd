"""Reports: anybody makes one, with or without an account; moderators see what waits."""

from __future__ import annotations

from typing import Annotated, Any, cast

import msgspec
from chalice import Blueprint, Response

from .. import enrolments, flags, moderation, team, texts
from ..campaigns import Campaign
from ..contributions import Contribution, State
from ..errors import GroundswellError, NotFound
from ..flags import Reason
from . import participation, times
from .campaigns import seen, standing
from .http import Visit
from .routes import route

bp = Blueprint(__name__)


class NewFlag(msgspec.Struct):
    """`target`: a contribution's id, or `<contribution>/<comment>`."""

    target: str
    reason: Reason
    note: Annotated[str, msgspec.Meta(max_length=flags.NOTE_MAX)] = ""


class Flag(msgspec.Struct):
    """A report that was made. Nobody is told who made it."""

    target: str
    reason: Reason


class FlagForm(msgspec.Struct):
    target: str
    reason: str = ""
    note: str = ""


class Waiting(msgspec.Struct):
    """One target in the queue with its words. `reasons`: how often each was given; `review`: a pre-moderated stage holds it back.
    The words are null where there is nothing any more."""

    target: str
    urgent: bool
    reasons: dict[str, int]
    notes: list[str]
    since: str
    title: str | None
    text: str | None
    state: State | None
    revision: int | None


class FlagQueue(msgspec.Struct):
    """What may be dangerous first, then the oldest; what is decided makes room for the rest."""

    items: list[Waiting]
    next: str | None = None


@route(bp, "POST", "/v1/campaigns/{slug}/flags", takes=NewFlag, gives=Flag, status=201, errors=(429,))
def add(visit: Visit, slug: str) -> Response:
    """Reports a contribution or a comment to the moderators; no account is needed."""
    campaign, body = seen(visit, slug), visit.read(NewFlag)
    _add(visit, campaign, body.target, body.reason, body.note)
    return visit.json(Flag(body.target, body.reason), 201)


def _add(visit: Visit, campaign: Campaign, target: str, reason: str, note: str) -> None:
    own = participation.pseudonym(visit, campaign.slug)
    moderation.report(campaign, target, reason=reason, note=note, pseudonym=own, request=visit.key, now=visit.now)
    if reason == flags.DANGER:
        there = visit.address(f"/c/{campaign.slug}/organise/moderation")
        team.warn(campaign.slug, target, team.Welcome(campaign.title, there), now=visit.now)


@route(bp, "GET", "/v1/campaigns/{slug}/flags", needs="moderator", gives=FlagQueue)
def waiting(visit: Visit, slug: str) -> Response:
    """What waits for a moderator: reports, and what a pre-moderated stage holds back."""
    seen(visit, slug)
    enrolments.require_duty(slug, visit.require_person(), "moderator")
    return visit.json(FlagQueue([_told(queued) for queued in moderation.queue(slug)]))


def _told(queued: moderation.Queued) -> Waiting:
    found, item = queued.waiting, queued.item
    whole = item if isinstance(item, Contribution) else None
    return Waiting(
        target=found.target,
        urgent=found.is_urgent,
        reasons=dict(found.reasons),
        notes=found.notes,
        since=times.stamp(found.since / 1000),
        title=whole.title if whole else None,
        text=item.text if item else None,
        state=cast("State", item.state) if item else None,
        revision=int(whole.revision) if whole else None,
    )


@route(bp, "GET", "/c/{slug}/report")
def page(visit: Visit, slug: str) -> Response:
    """Where one reports an idea or a comment, and learns who helps at once."""
    return _reporting(visit, seen(visit, slug), visit.query("target") or "")


@route(bp, "POST", "/c/{slug}/report")
def add_on_page(visit: Visit, slug: str) -> Response:
    """Reports an idea or a comment."""
    campaign = seen(visit, slug)
    try:
        body = visit.read(FlagForm)
        _add(visit, campaign, body.target, body.reason, body.note)
    except NotFound:
        raise
    except GroundswellError as error:
        if "reason" in error.fields:
            error.fields["reason"] = "please choose one of these"
        return _reporting(visit, campaign, visit.typed.get("target", ""), typed=visit.typed, wrong=error)
    return visit.redirect(f"/c/{slug}/reported")


def _reporting(visit: Visit, campaign: Campaign, target: str, **shown: Any) -> Response:
    known: dict[str, Any] = {
        "target": target,
        "item": moderation.shown(campaign.slug, target) if target else None,
        "reasons": flags.REASONS,
        "note_max": flags.NOTE_MAX,
        "urgent": texts.get(campaign.slug).urgent,
        "typed": {},
        "wrong": None,
    }
    return visit.page("report_this.html", campaign=campaign, **standing(visit, campaign), **known | shown)


@route(bp, "GET", "/c/{slug}/reported")
def thanks(visit: Visit, slug: str) -> Response:
    """What happens with a report."""
    campaign = seen(visit, slug)
    return visit.page("reported.html", campaign=campaign, urgent=texts.get(slug).urgent, **standing(visit, campaign))
