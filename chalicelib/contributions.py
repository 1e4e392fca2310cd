"""What people say stands in the way, what helps, and how to solve it. Keyed by campaign and phase, newest last."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from . import campaigns, cursors, ids, limits, pseudonyms, settings, store
from .campaigns import Campaign
from .errors import Invalid, NotFound

TITLE_MAX, TEXT_MAX = 120, 5000
PAGE, PAGE_MAX = 20, 100
PER_HOUR = 60
_ID = re.compile(r"([1-9][0-9]?)-[0-9a-z]{26}")


class Contribution(store.Record):
    """`author` is the writer's pseudonym and never leaves the server; see `author_id`."""

    class Meta:
        table_name = settings.table("contributions")

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    kind = UnicodeAttribute()
    title = UnicodeAttribute()
    text = UnicodeAttribute()
    author = UnicodeAttribute()
    created = NumberAttribute()

    @property
    def id(self) -> str:
        return str(self.sk)

    @property
    def campaign(self) -> str:
        return str(self.pk).rpartition("#")[0]

    @property
    def phase(self) -> int:
        return phase_of(self.id)

    @property
    def author_id(self) -> str:
        return pseudonyms.author(self.campaign, self.id, self.author)


@dataclass(frozen=True, slots=True)
class Page:
    items: list[Contribution]
    next: str | None


def phase_of(contribution: str) -> int:
    """The phase's number, which an id begins with. Raises `NotFound`."""
    match = _ID.fullmatch(contribution)
    if match is None:
        raise NotFound("There is no contribution at this address.")
    return int(match[1])


def key(campaign: str, contribution: str) -> str:
    """The partition of everything that hangs on one contribution: comments, votes, tally."""
    return f"{campaign}#{contribution}"


def get(campaign: str, contribution: str) -> Contribution:
    """Raises `NotFound`."""
    found = Contribution.find(f"{campaign}#{phase_of(contribution)}", contribution, consistent=False)
    if found is None:
        raise NotFound("There is no contribution at this address.")
    return found


def add(campaign: Campaign, pseudonym: str, *, kind: str, title: str, text: str, request: str, now: datetime) -> Contribution:
    """Adds one to the open phase. Repeating with the same `request` key answers with the first one.

    Raises `Conflict` (phase_closed), `Invalid` with every wrong field, `TooMany`."""
    phase = campaigns.writable_phase(campaign, now=now)
    title, text = title.strip(), text.strip()
    _check(kind, title, text, list(phase.kinds))
    limits.take("contribute", f"{campaign.slug}#{pseudonym}", allowed=PER_HOUR, window_s=3600, now=now)
    made = limits.once(f"{campaign.slug}#{pseudonym}", f"contribution#{request}", now=now)
    item = Contribution(pk=f"{campaign.slug}#{int(phase.number)}", sk=f"{int(phase.number)}-{made}", kind=kind, title=title, text=text)
    item.author, item.created = pseudonym, ids.milliseconds(now)
    if not store.save_if(item, Contribution.pk.does_not_exist()):
        item.refresh(consistent_read=True)
    return item


def _check(kind: str, title: str, text: str, kinds: list[str]) -> None:
    wrong: dict[str, str] = {}
    if kind not in kinds:
        wrong["kind"] = f"this stage asks for {' or '.join(kinds)}"
    for name, value, most in (("title", title, TITLE_MAX), ("text", text, TEXT_MAX)):
        if not value:
            wrong[name] = "please write something"
        elif len(value) > most:
            wrong[name] = f"{len(value)} characters; at most {most} fit"
    if wrong:
        raise Invalid("; ".join(f"{name}: {what}" for name, what in wrong.items()), fields=wrong)


def page(campaign: str, phase: int, *, cursor: str | None = None, limit: int = PAGE) -> Page:
    """Newest first. Raises `Invalid` (cursor, limit)."""
    if not 1 <= limit <= PAGE_MAX:
        raise Invalid.field("limit", f"1 to {PAGE_MAX}")
    pk = f"{campaign}#{phase}"
    start = {"pk": {"S": pk}, "sk": {"S": cursors.read(pk, cursor)}} if cursor else None
    found = Contribution.query(pk, scan_index_forward=False, limit=limit, last_evaluated_key=start)
    items = list(found)
    more = items and found.last_evaluated_key
    return Page(items, cursors.make(pk, items[-1].id) if more else None)
