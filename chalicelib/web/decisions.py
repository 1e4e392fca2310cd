"""What moderators decide, and the record of it."""

from __future__ import annotations

from typing import Annotated, Any, cast

import msgspec
from chalice import Blueprint, Response

from .. import enrolments, flags, ids, moderation
from ..campaigns import Campaign
from ..enrolments import Enrolment
from ..errors import GroundswellError, NotFound
from ..flags import Reason
from ..moderation import Action
from . import times
from .campaigns import seen, standing
from .http import Visit, local_path
from .routes import route

bp = Blueprint(__name__)


class NewDecision(msgspec.Struct):
    """`target`: a contribution's id, or `<contribution>/<comment>`; suspend and reinstate are about who wrote it. `reason`: needed to
    hide and to suspend. `revision`: the one that was read, so that nothing else is published."""

    target: str
    action: Action
    reason: Reason | None = None
    note: Annotated[str, msgspec.Meta(max_length=moderation.NOTE_MAX)] = ""
    revision: int | None = None


class DecisionForm(msgspec.Struct):
    target: str
    action: str
    reason: str = ""
    note: str = ""
    revision: int | None = None


class Decision(msgspec.Struct):
    """`by`: the same for all decisions of one moderator."""

    id: str
    target: str
    action: Action
    reason: Reason | None
    note: str
    by: str
    decided_at: str


class Decisions(msgspec.Struct):
    """Newest first."""

    items: list[Decision]
    next: str | None


class DecisionsAsked(msgspec.Struct):
    """`cursor`: the `next` of the part before."""

    cursor: str | None = None


def _moderator(visit: Visit, slug: str) -> Enrolment:
    """Raises `Unauthenticated`, `Forbidden` (not_moderator)."""
    return enrolments.require_duty(slug, visit.require_person(), "moderator")


@route(bp, "POST", "/v1/campaigns/{slug}/decisions", needs="moderator", takes=NewDecision, gives=Decision, status=201, errors=(409,))
def add(visit: Visit, slug: str) -> Response:
    """Decides on a contribution, a comment or its author. It is written down before it is done."""
    campaign, moderator = seen(visit, slug), _moderator(visit, slug)
    body = visit.read(NewDecision)
    form = DecisionForm(body.target, body.action, body.reason or "", body.note, body.revision)
    return visit.json(_told(_decide(visit, campaign, moderator, form)), 201)


def _decide(visit: Visit, campaign: Campaign, moderator: Enrolment, body: DecisionForm) -> moderation.Decision:
    return moderation.decide(
        campaign,
        body.target,
        body.action,
        reason=body.reason,
        note=body.note,
        revision=body.revision,
        moderator=moderator.pseudonym,
        request=visit.key,
        now=visit.now,
    )


def _told(decision: moderation.Decision) -> Decision:
    return Decision(
        id=decision.id,
        target=decision.target,
        action=cast("Action", decision.action),
        reason=cast("Reason | None", decision.reason or None),
        note=decision.note,
        by=decision.moderator_id,
        decided_at=times.stamp(int(decision.decided) / 1000),
    )


@route(bp, "GET", "/v1/campaigns/{slug}/decisions", needs="moderator", asks=DecisionsAsked, gives=Decisions)
def record(visit: Visit, slug: str) -> Response:
    """The record of what moderators decided."""
    seen(visit, slug)
    _moderator(visit, slug)
    page = moderation.record(slug, cursor=visit.ask(DecisionsAsked).cursor)
    return visit.json(Decisions([_told(decision) for decision in page.items], page.next))


@route(bp, "GET", "/c/{slug}/organise/moderation", needs="moderator")
def page(visit: Visit, slug: str) -> Response:
    """What waits for a moderator."""
    campaign = seen(visit, slug)
    _moderator(visit, slug)
    target = visit.query("target")
    return _moderating(visit, campaign, **({"typed": {"target": target}} if target else {}))


@route(bp, "POST", "/c/{slug}/organise/moderation", needs="moderator")
def decide_on_page(visit: Visit, slug: str) -> Response:
    """Decides, and leads back to where the moderator was."""
    campaign, moderator = seen(visit, slug), _moderator(visit, slug)
    try:
        _decide(visit, campaign, moderator, visit.read(DecisionForm))
    except NotFound:
        raise
    except GroundswellError as error:
        if "reason" in error.fields:
            error.fields["reason"] = "please choose one of these"
        return _moderating(visit, campaign, typed=visit.typed, wrong=error)
    then = local_path(visit.typed.get("next"))
    return visit.redirect(then if then != "/" else f"/c/{slug}/organise/moderation")


def _moderating(visit: Visit, campaign: Campaign, **more: Any) -> Response:
    typed: dict[str, str] = more.get("typed", {})
    queue = moderation.queue(campaign.slug)
    if typed.get("target") and typed["target"] not in [queued.waiting.target for queued in queue]:
        queue = [_decided_on(visit, campaign, typed["target"]), *queue]
    known: dict[str, Any] = {"queue": queue, "reasons": flags.REASONS, "note_max": moderation.NOTE_MAX, "typed": {}, "wrong": None}
    return visit.page("moderation.html", campaign=campaign, **standing(visit, campaign), **known | more)


def _decided_on(visit: Visit, campaign: Campaign, target: str) -> moderation.Queued:
    """What a refused decision was about, which nobody has reported."""
    waiting = flags.Waiting(target, {}, [], ids.milliseconds(visit.now))
    return moderation.Queued(waiting, moderation.find(campaign.slug, target))


@route(bp, "GET", "/c/{slug}/organise/moderation/record", needs="moderator")
def record_page(visit: Visit, slug: str) -> Response:
    """What moderators decided."""
    campaign = seen(visit, slug)
    _moderator(visit, slug)
    listed = moderation.record(slug, cursor=visit.query("cursor"))
    return visit.page("decisions.html", campaign=campaign, listed=listed, **standing(visit, campaign))
