"""Comments on a contribution, oldest first."""

from __future__ import annotations

from datetime import datetime

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from . import campaigns, contributions, ids, limits, pseudonyms, settings, store
from .campaigns import Campaign
from .errors import Invalid

TEXT_MAX = 2000
PER_HOUR = 120
SHOWN = 200


class Comment(store.Record):
    class Meta:
        table_name = settings.table("comments")

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    text = UnicodeAttribute()
    author = UnicodeAttribute()
    created = NumberAttribute()

    @property
    def id(self) -> str:
        return str(self.sk)

    @property
    def author_id(self) -> str:
        """The same id as the contribution's author where it is the same person, and nothing to join on elsewhere."""
        campaign, _, contribution = str(self.pk).partition("#")
        return pseudonyms.author(campaign, contribution, self.author)


def add(campaign: Campaign, contribution: str, pseudonym: str, *, text: str, request: str, now: datetime) -> Comment:
    """Adds a comment while the contribution's phase is open. Repeating with the same `request` key adds nothing.

    Raises `NotFound`, `Conflict` (phase_closed), `Invalid` (text), `TooMany`."""
    found = contributions.get(campaign.slug, contribution)
    campaigns.require_open(campaign, found.phase, now=now)
    text = text.strip()
    if not text:
        raise Invalid.field("text", "please write something")
    if len(text) > TEXT_MAX:
        raise Invalid.field("text", f"{len(text)} characters; at most {TEXT_MAX} fit")
    limits.take("comment", f"{campaign.slug}#{pseudonym}", allowed=PER_HOUR, window_s=3600, now=now)
    made = limits.once(f"{campaign.slug}#{pseudonym}", f"comment#{contribution}#{request}", now=now)
    item = Comment(pk=contributions.key(campaign.slug, contribution), sk=made, text=text, author=pseudonym)
    item.created = ids.milliseconds(now)
    if not store.save_if(item, Comment.pk.does_not_exist()):
        item.refresh(consistent_read=True)
    return item


def of(campaign: str, contribution: str) -> list[Comment]:
    """The first `SHOWN` comments, oldest first."""
    return list(Comment.query(contributions.key(campaign, contribution), limit=SHOWN))
