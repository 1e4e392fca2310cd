"""What moderators decide, each act on the record: hide, restore, publish what waits, suspend somebody, let them back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Literal

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from . import comments, contributions, enrolments, flags, ids, limits, settings, store, votes
from .campaigns import Campaign
from .comments import Comment
from .contributions import Contribution
from .errors import Conflict, Invalid

Action = Literal["publish", "hide", "restore", "keep", "suspend", "reinstate"]
ACTIONS: tuple[Action, ...] = ("publish", "hide", "restore", "keep", "suspend", "reinstate")
NOTE_MAX = 500
LISTED = 200


class Decision(store.Record):
    """`target`: as in `flags`. `moderator` is a pseudonym, told to nobody but the record."""

    class Meta:
        table_name = settings.table("decisions")

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    target = UnicodeAttribute()
    action = UnicodeAttribute()
    reason = UnicodeAttribute()
    note = UnicodeAttribute(default="")
    moderator = UnicodeAttribute()
    decided = NumberAttribute()

    @property
    def id(self) -> str:
        return str(self.sk)


def decide(
    campaign: Campaign, target: str, action: str, *, reason: str, note: str = "", moderator: str, request: str, now: datetime
) -> Decision:
    """Decides on a contribution, a comment, or (suspend, reinstate) on whoever wrote it. Repeating with the same `request`
    key decides once. Written down first, so that no act is ever missing from the record.

    Raises `Invalid` (action, reason, note), `NotFound`, `Conflict` (withdrawn, not_pending, oneself)."""
    _check(action, reason, note)
    item = _target(campaign.slug, target)
    if action in ("suspend", "reinstate") and item.author == moderator:
        raise Conflict("Nobody decides on their own access.", code="oneself")
    if action in ("publish", "hide", "restore") and item.state == "withdrawn":
        raise Conflict("Its author has taken it back.", code="withdrawn")
    if action == "publish" and item.state not in ("pending", "published"):
        raise Conflict("This does not wait for anybody.", code="not_pending")
    made = limits.once(f"{campaign.slug}#{moderator}", f"decision#{target}#{request}", now=now)
    decision = Decision(pk=campaign.slug, sk=made, target=target, action=action, reason=reason, note=note.strip(), moderator=moderator)
    decision.decided = ids.milliseconds(now)
    if not store.save_if(decision, Decision.pk.does_not_exist()):
        decision.refresh(consistent_read=True)
    _ACTS[action](item, now)
    if action != "reinstate":
        flags.close(campaign.slug, target, until=now)
    return decision


def _check(action: str, reason: str, note: str) -> None:
    wrong: dict[str, str] = {}
    if action not in ACTIONS:
        wrong["action"] = f"one of {', '.join(ACTIONS)}"
    if action in ("hide", "suspend") and reason not in flags.REASONS:
        wrong["reason"] = f"one of {', '.join(flags.REASONS)}"
    if len(note) > NOTE_MAX:
        wrong["note"] = f"{len(note)} characters; at most {NOTE_MAX} fit"
    if wrong:
        raise Invalid.fields_of(wrong)


def _target(campaign: str, target: str) -> Contribution | Comment:
    contribution, _, comment = target.partition("/")
    found = contributions.find(campaign, contribution, consistent=True)
    return comments.find(campaign, contribution, comment) if comment else found


def _show(item: Contribution | Comment, _now: datetime) -> None:
    _set_state(item, "published")


def _hide(item: Contribution | Comment, _now: datetime) -> None:
    _set_state(item, "hidden")


def _set_state(item: Contribution | Comment, state: str) -> None:
    """Never over a withdrawal, which may have come meanwhile."""
    model = type(item)
    store.update_if(item, [model.state.set(state)], model.pk.exists() & (model.state != "withdrawn"))
    if isinstance(item, Comment):
        comments.recount(contributions.find(item.campaign, item.contribution))


def _suspend(item: Contribution | Comment, now: datetime) -> None:
    enrolments.suspend(item.campaign, item.author, now=now)
    votes.touch(item.campaign, item.author)


def _reinstate(item: Contribution | Comment, _now: datetime) -> None:
    enrolments.reinstate(item.campaign, item.author)
    votes.touch(item.campaign, item.author)


def _keep(_item: Contribution | Comment, _now: datetime) -> None:
    """Nothing changes but that the reports are dealt with."""


_ACTS: dict[str, Callable[[Contribution | Comment, datetime], None]] = {
    "publish": _show,
    "restore": _show,
    "hide": _hide,
    "keep": _keep,
    "suspend": _suspend,
    "reinstate": _reinstate,
}


def record(campaign: str) -> list[Decision]:
    """The latest decisions, newest first."""
    return list(Decision.query(campaign, scan_index_forward=False, limit=LISTED))


def why(campaign: str, target: str) -> Decision | None:
    """The last decision on a target, for its author."""
    return next((decision for decision in record(campaign) if decision.target == target), None)
