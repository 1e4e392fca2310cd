"""Comments on a contribution, oldest first, and replies to them: one level, so that a talk stays readable on a phone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from . import campaigns, contributions, cursors, ids, limits, pseudonyms, settings, store
from .campaigns import Campaign
from .contributions import Contribution
from .errors import Forbidden, Invalid, NotFound

TEXT_MAX = 2000
SHOWN = 200
_ID = re.compile(r"[0-9a-z]{26}")


class Comment(store.Record):
    """`parent` is the comment that this one replies to. `state`: published, hidden, or withdrawn (then without text).
    `reason`, `note`: why a moderator hid it."""

    class Meta:
        table_name = settings.table("comments")

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    text = UnicodeAttribute()
    author = UnicodeAttribute()
    created = NumberAttribute()
    parent = UnicodeAttribute(null=True)
    state = UnicodeAttribute(default="published")
    reason = UnicodeAttribute(null=True)
    note = UnicodeAttribute(null=True)

    @property
    def id(self) -> str:
        return str(self.sk)

    @property
    def campaign(self) -> str:
        return str(self.pk).partition("#")[0]

    @property
    def contribution(self) -> str:
        return str(self.pk).partition("#")[2]

    @property
    def author_id(self) -> str:
        """The same id as the contribution's author where it is the same person, and nothing to join on elsewhere."""
        return pseudonyms.author(self.campaign, self.contribution, self.author)


def add(
    campaign: Campaign, contribution: str, pseudonym: str, *, text: str, request: str, now: datetime, parent: str | None = None
) -> Comment:
    """Adds a comment while the contribution's phase is open. Repeating with the same `request` key adds nothing.

    Raises `NotFound`, `Conflict` (not_open, phase_closed, not_in_phase), `Invalid` (text, parent), `TooMany`."""
    found = contributions.get(campaign.slug, contribution)
    campaigns.require(campaign, found.phase, "comment", now=now)
    text, key = _checked(text), contributions.key(campaign.slug, contribution)
    if parent is not None:
        _check_parent(key, parent)
    allowed = campaign.limit("comments_per_hour")
    limits.take("comment", f"{campaign.slug}#{pseudonym}", allowed=allowed, window_s=3600, now=now)
    made = limits.once(f"{campaign.slug}#{pseudonym}", f"comment#{contribution}#{request}", now=now)
    item = Comment(pk=key, sk=made, text=text, author=pseudonym, parent=parent, created=ids.milliseconds(now))
    if not store.save_if(item, Comment.pk.does_not_exist()):
        item.refresh(consistent_read=True)
    recount(found)
    return item


def _checked(text: str) -> str:
    text = text.strip()
    if not text:
        raise Invalid.field("text", "please write something")
    if len(text) > TEXT_MAX:
        raise Invalid.field("text", f"{len(text)} characters; at most {TEXT_MAX} fit")
    return text


def _check_parent(key: str, parent: str) -> None:
    found = Comment.find(key, parent) if _ID.fullmatch(parent) else None
    if found is None or found.state != "published":
        raise Invalid.field("parent", "the comment that this replies to is not there any more")
    if found.parent:
        raise Invalid.field("parent", "one can reply to a comment, not to a reply")


@dataclass(frozen=True, slots=True)
class Page:
    items: list[Comment]
    next: str | None


def of(campaign: str, contribution: str, *, cursor: str | None = None) -> Page:
    """Published ones, oldest first, each followed by its replies; about `SHOWN` at once. What was taken away stays, as a
    place, where it has replies. Raises `Invalid` (cursor)."""
    key = contributions.key(campaign, contribution)
    after = cursors.read(key, cursor) if cursor else ""
    items: list[Comment] = []
    for thread in _threads(key):
        if len(items) >= SHOWN:
            return Page(items, cursors.make(key, after))
        if thread[0].id > after:
            items, after = [*items, *thread], thread[0].id
    return Page(items, None)


def _threads(key: str) -> list[list[Comment]]:
    replies: dict[str, list[Comment]] = {}
    read = list(Comment.query(key, consistent_read=True))
    for comment in read:
        if comment.parent and comment.state == "published":
            replies.setdefault(comment.parent, []).append(comment)
    tops = [comment for comment in read if not comment.parent and (comment.state == "published" or comment.id in replies)]
    return [[top, *replies.get(top.id, [])] for top in tops]


def find(campaign: str, contribution: str, comment: str) -> Comment:
    """Whatever its state. Raises `NotFound`."""
    found = Comment.find(contributions.key(campaign, contribution), comment) if _ID.fullmatch(comment) else None
    if found is None:
        raise NotFound("There is no such comment.")
    return found


def withdraw(campaign: str, contribution: str, comment: str, pseudonym: str) -> None:
    """Takes one's own comment back, at any time, with its words. Safe to repeat. Raises `NotFound`, `Forbidden` (not_author)."""
    found = find(campaign, contribution, comment)
    if found.author != pseudonym:
        raise Forbidden("Only who wrote this comment can take it back.", code="not_author")
    found.update(actions=[Comment.state.set("withdrawn"), Comment.text.set(" ")])
    recount(contributions.find(campaign, contribution))


def recount(found: Contribution) -> int:
    """Counts the visible comments and writes the number beside the contribution, unless somebody else has counted since:
    then it is counted again. Safe to repeat."""
    key = contributions.key(found.campaign, found.id)
    while True:
        there = contributions.find(found.campaign, found.id, consistent=True)
        counted = int(there.comments_counted or 0)
        n = sum(1 for comment in Comment.query(key, consistent_read=True) if comment.state == "published")
        unchanged = Contribution.comments_counted == counted if counted else Contribution.comments_counted.does_not_exist()
        if store.update_if(there, [Contribution.comments.set(n), Contribution.comments_counted.set(counted + 1)], unchanged):
            return n
