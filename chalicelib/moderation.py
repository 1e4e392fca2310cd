"""What moderators decide, each act on the record before it is done: hide, restore, publish what waits, suspend somebody, let
them back. And what they decide on: reports, and what a pre-moderated phase holds back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action as UpdateAction

from . import comments, contributions, cursors, enrolments, flags, ids, limits, pseudonyms, settings, store, votes
from .campaigns import Campaign
from .comments import Comment
from .contributions import Contribution
from .enrolments import Enrolment
from .errors import Conflict, Invalid, NotFound
from .flags import Flag, Waiting

Action = Literal["publish", "hide", "restore", "keep", "suspend", "reinstate"]
ACTIONS: tuple[Action, ...] = ("publish", "hide", "restore", "keep", "suspend", "reinstate")
Item = Contribution | Comment
NOTE_MAX = 500
LISTED, QUEUED = 100, 100


class Decision(store.Record):
    """`target`: as in `flags`. `moderator` is a pseudonym and never leaves the server; see `moderator_id`."""

    class Meta:
        table_name = settings.table("decisions")

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    target = UnicodeAttribute()
    action = UnicodeAttribute()
    reason = UnicodeAttribute(default="")
    note = UnicodeAttribute(default="")
    moderator = UnicodeAttribute()
    decided = NumberAttribute()

    @property
    def id(self) -> str:
        return str(self.sk)

    @property
    def moderator_id(self) -> str:
        """The same for all decisions of one moderator, and nothing to join on elsewhere."""
        return pseudonyms.author(str(self.pk), "decisions", self.moderator)


@dataclass(frozen=True, slots=True)
class Queued:
    """One target in the queue with its words; `item` is None where there is nothing at that address."""

    waiting: Waiting
    item: Item | None


def find(campaign: str, target: str) -> Item:
    """What a target names, whatever its state. Raises `NotFound`."""
    contribution, slash, comment = target.partition("/")
    found = contributions.find(campaign, contribution, consistent=True)
    return comments.find(campaign, contribution, comment) if slash else found


def shown(campaign: str, target: str) -> Item:
    """What a target names, if everybody can read it. Raises `NotFound`."""
    contribution, slash, comment = target.partition("/")
    found = contributions.get(campaign, contribution)
    if not slash:
        return found
    said = comments.find(campaign, contribution, comment)
    if said.state != "published":
        raise NotFound("This comment has been taken away.", code=f"is_{said.state}")
    return said


def report(campaign: Campaign, target: str, *, reason: str, note: str, pseudonym: str | None, request: str, now: datetime) -> Flag:
    """Reports what everybody can read. Safe to repeat. Raises `NotFound`, `Invalid` (reason, note), `TooMany`."""
    shown(campaign.slug, target)
    return flags.add(campaign.slug, target, reason=reason, note=note, pseudonym=pseudonym, request=request, now=now)


def queue(campaign: str) -> list[Queued]:
    """What waits, most urgent first: the first `QUEUED` of it, with its words."""
    return [Queued(waiting, _find_or_none(campaign, waiting.target)) for waiting in flags.waiting(campaign)[:QUEUED]]


def _find_or_none(campaign: str, target: str) -> Item | None:
    try:
        return find(campaign, target)
    except NotFound:
        return None


def decide(
    campaign: Campaign,
    target: str,
    action: str,
    *,
    reason: str = "",
    note: str = "",
    revision: int | None = None,
    moderator: str,
    request: str,
    now: datetime,
) -> Decision:
    """Decides on a contribution, a comment, or (suspend, reinstate) on whoever wrote it. `revision`: the one that the
    moderator has read. Repeating with the same `request` key decides once, also where something else was decided since.

    Raises `Invalid` (action, reason, note), `NotFound`, `Conflict` (withdrawn, not_pending, changed, oneself, has_duty)."""
    _check(action, reason, note)
    item = find(campaign.slug, target)
    _check_fits(item, action, moderator, revision)
    made = limits.once(f"{campaign.slug}#{moderator}", f"decision#{target}#{request}", now=now)
    decision = Decision(pk=campaign.slug, sk=made, target=target, action=action, reason=reason, note=note.strip(), moderator=moderator)
    decision.decided = ids.milliseconds(now)
    if not store.save_if(decision, Decision.pk.does_not_exist()):
        decision.refresh(consistent_read=True)
        if _last(campaign.slug, target) != decision.id:
            return decision
    _ACTS[decision.action](item, decision, now)
    if decision.action != "reinstate":
        flags.close(campaign.slug, target, until=now)
    return decision


def _check(action: str, reason: str, note: str) -> None:
    wrong: dict[str, str] = {}
    if action not in ACTIONS:
        wrong["action"] = f"one of {', '.join(ACTIONS)}"
    if reason not in (flags.REASONS if action in ("hide", "suspend") else (*flags.REASONS, "")):
        wrong["reason"] = f"one of {', '.join(flags.REASONS)}"
    if len(note) > NOTE_MAX:
        wrong["note"] = f"{len(note)} characters; at most {NOTE_MAX} fit"
    if wrong:
        raise Invalid.fields_of(wrong)


def _check_fits(item: Item, action: str, moderator: str, revision: int | None) -> None:
    if action in ("suspend", "reinstate"):
        _check_author(item, action, moderator)
    elif action != "keep" and item.state == "withdrawn":
        raise Conflict("Its author has taken it back.", code="withdrawn")
    if action == "publish" and item.state not in ("pending", "published"):
        raise Conflict("This does not wait for anybody.", code="not_pending")
    if action == "publish" and isinstance(item, Contribution) and revision not in (None, int(item.revision)):
        raise Conflict("Its author has changed it meanwhile; please read it again.", code="changed")


def _check_author(item: Item, action: str, moderator: str) -> None:
    if item.author == moderator:
        raise Conflict("Nobody decides on their own access.", code="oneself")
    author = Enrolment.find(item.campaign, item.author)
    if action == "suspend" and author is not None and author.duties:
        raise Conflict("Its author has a duty in this campaign; an organiser has to remove them from the team first.", code="has_duty")


def _show(item: Item, _decision: Decision, _now: datetime) -> None:
    model = type(item)
    unread = Contribution.revision == item.revision if isinstance(item, Contribution) else None
    _set_state(item, "published", [model.reason.remove(), model.note.remove()], unread)


def _hide(item: Item, decision: Decision, _now: datetime) -> None:
    model = type(item)
    _set_state(item, "hidden", [model.reason.set(decision.reason), model.note.set(decision.note)])


def _set_state(item: Item, state: str, why: list[UpdateAction], only_if: Condition | None = None) -> None:
    """Never over a withdrawal, which may have come meanwhile, and nothing is shown that the moderator has not read."""
    model = type(item)
    condition = model.pk.exists() & (model.state != "withdrawn")
    if not store.update_if(item, [model.state.set(state), *why], condition if only_if is None else condition & only_if):
        raise Conflict("Its author has changed it or taken it back meanwhile; please look again.", code="changed")
    if isinstance(item, Comment):
        comments.recount(contributions.find(item.campaign, item.contribution))


def _suspend(item: Item, _decision: Decision, now: datetime) -> None:
    enrolments.suspend(item.campaign, item.author, now=now)
    votes.touch(item.campaign, item.author)


def _reinstate(item: Item, _decision: Decision, _now: datetime) -> None:
    enrolments.reinstate(item.campaign, item.author)
    votes.touch(item.campaign, item.author)


def _keep(_item: Item, _decision: Decision, _now: datetime) -> None:
    """Nothing changes but that the reports are dealt with."""


_ACTS: dict[str, Callable[[Item, Decision, datetime], None]] = {
    "publish": _show,
    "restore": _show,
    "hide": _hide,
    "keep": _keep,
    "suspend": _suspend,
    "reinstate": _reinstate,
}


@dataclass(frozen=True, slots=True)
class Page:
    items: list[Decision]
    next: str | None


def record(campaign: str, *, cursor: str | None = None) -> Page:
    """Every decision, newest first. Raises `Invalid` (cursor)."""
    scope = f"{campaign}#decisions"
    start = {"pk": {"S": campaign}, "sk": {"S": cursors.read(scope, cursor)}} if cursor else None
    found = Decision.query(campaign, scan_index_forward=False, limit=LISTED, last_evaluated_key=start, consistent_read=True)
    items = list(found)
    return Page(items, cursors.make(scope, items[-1].id) if items and found.last_evaluated_key else None)


def _last(campaign: str, target: str) -> str | None:
    """The id of the last decision on a target, among the latest."""
    return next((decision.id for decision in record(campaign).items if decision.target == target), None)
