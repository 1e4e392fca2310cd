"""What people say stands in the way, what helps, and how to solve it. Keyed by campaign and phase, newest last."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from pynamodb.attributes import JSONAttribute, ListAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection

from . import campaigns, cursors, flags, ids, limits, pseudonyms, settings, store
from .campaigns import Campaign
from .errors import Invalid, NotFound

State = Literal["published", "pending", "hidden", "withdrawn"]
TITLE_MAX, TEXT_MAX, TAGS_MAX = 120, 5000, 5
PAGE, PAGE_MAX = 20, 100
_QUERIES_MAX = 5
_ID = re.compile(r"([1-9][0-9]?)-[0-9a-z]{26}")


class ByAuthor(GlobalSecondaryIndex["Contribution"]):  # type: ignore[no-untyped-call]
    class Meta:
        index_name = "by_author"
        projection = KeysOnlyProjection()

    author = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)


class Contribution(store.Record):
    """`author` is the writer's pseudonym and never leaves the server; see `author_id`. `choices`: field id -> option id;
    `answers`: ids of framework entries; `comments`: how many are visible, recounted. `revision` counts its texts; older
    ones that people voted on are `revisions.Revision`s. `reason`, `note`: why a moderator hid it. What was withdrawn has no
    text any more."""

    class Meta:
        table_name = settings.table("contributions")

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    kind = UnicodeAttribute()
    title = UnicodeAttribute()
    text = UnicodeAttribute()
    author = UnicodeAttribute()
    created = NumberAttribute()
    state = UnicodeAttribute(default="published")
    tags: ListAttribute[str] = ListAttribute(of=UnicodeAttribute, default=list)  # type: ignore[arg-type]
    choices: JSONAttribute = JSONAttribute(default=dict)
    answers: ListAttribute[str] = ListAttribute(of=UnicodeAttribute, default=list)  # type: ignore[arg-type]
    comments = NumberAttribute(default=0)
    comments_counted = NumberAttribute(null=True)
    revision = NumberAttribute(default=1)
    edited = NumberAttribute(null=True)
    reason = UnicodeAttribute(null=True)
    note = UnicodeAttribute(null=True)
    by_author = ByAuthor()

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

    @property
    def is_published(self) -> bool:
        return bool(self.state == "published")


@dataclass(frozen=True, slots=True)
class Said:
    """What a contribution says."""

    kind: str
    title: str
    text: str
    tags: Sequence[str] = ()
    choices: Mapping[str, str] = field(default_factory=dict)


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
    """The partition of everything that hangs on one contribution: comments, votes, revisions."""
    return f"{campaign}#{contribution}"


def find(campaign: str, contribution: str, *, consistent: bool = False) -> Contribution:
    """Whatever its state. What was added a moment ago is there: before saying that nothing is, it is read consistently.

    Raises `NotFound`."""
    pk = f"{campaign}#{phase_of(contribution)}"
    found = Contribution.find(pk, contribution, consistent=consistent)
    if found is None and not consistent:
        found = Contribution.find(pk, contribution)
    if found is None:
        raise NotFound("There is no contribution at this address.")
    return found


def get(campaign: str, contribution: str) -> Contribution:
    """A published one. Raises `NotFound`."""
    return visible(find(campaign, contribution))


def visible(found: Contribution, *, pseudonym: str | None = None, moderates: bool = False) -> Contribution:
    """The contribution, if it is published, or waits or is hidden and is asked for by its author or who moderates.

    Raises `NotFound` (is_pending, is_hidden, is_withdrawn)."""
    own = moderates or (pseudonym is not None and found.author == pseudonym)
    if found.is_published or (own and found.state != "withdrawn"):
        return found
    raise NotFound("There is no contribution at this address, or it has been taken away.", code=f"is_{found.state}")


def add(campaign: Campaign, pseudonym: str, said: Said, *, request: str, now: datetime, organises: bool = False) -> Contribution:
    """Adds one to the open phase, where it waits if the phase is pre-moderated. `organises`: an organiser adds also where
    others may not. Repeating with the same `request` key answers with the first one.

    Raises `Conflict` (phase_closed, not_in_phase), `Invalid` with every wrong field, `TooMany`."""
    phase = campaigns.writable_phase(campaign, now=now, organises=organises)
    said = cleaned(said)
    check(campaign, said, list(phase.kinds))
    allowed = campaign.limit("contributions_per_hour")
    limits.take("contribute", f"{campaign.slug}#{pseudonym}", allowed=allowed, window_s=3600, now=now)
    made = limits.once(f"{campaign.slug}#{pseudonym}", f"contribution#{request}", now=now)
    item = Contribution(pk=f"{campaign.slug}#{int(phase.number)}", sk=f"{int(phase.number)}-{made}", author=pseudonym, revision=1)
    item.created, item.state = ids.milliseconds(now), "pending" if phase.premoderated else "published"
    say(item, said)
    if phase.premoderated:  # first, so that nothing waits unseen
        flags.await_review(campaign.slug, item.id, now=now)
    if not store.save_if(item, Contribution.pk.does_not_exist()):
        item.refresh(consistent_read=True)
        if item.state != "pending":
            flags.end_review(campaign.slug, item.id)
    return item


def cleaned(said: Said) -> Said:
    tags, choices = [tag.strip() for tag in said.tags if tag.strip()], {name: chosen for name, chosen in said.choices.items() if chosen}
    return Said(said.kind, said.title.strip(), said.text.strip(), tags, choices)


def say(item: Contribution, said: Said) -> None:
    item.kind, item.title, item.text = said.kind, said.title, said.text
    item.tags, item.choices = list(said.tags), dict(said.choices)


def said_by(item: Contribution) -> Said:
    """What it says now, as `cleaned` gives it."""
    return Said(item.kind, item.title, item.text, list(item.tags), dict(item.choices))


def check(campaign: Campaign, said: Said, kinds: list[str]) -> None:
    """Raises `Invalid` with every wrong field."""
    wrong: dict[str, str] = {}
    if said.kind not in kinds:
        wrong["kind"] = f"this stage asks for {' or '.join(kinds)}"
    for name, value, most in (("title", said.title, TITLE_MAX), ("text", said.text, TEXT_MAX)):
        if not value:
            wrong[name] = "please write something"
        elif len(value) > most:
            wrong[name] = f"{len(value)} characters; at most {most} fit"
    if len(said.tags) > TAGS_MAX or len(set(said.tags)) != len(said.tags) or not set(said.tags) <= set(campaign.tags):
        wrong["tags"] = f"at most {TAGS_MAX} of: {', '.join(campaign.tags) or 'this campaign has none'}"
    wrong |= _wrong_choices(campaign, said.choices)
    if wrong:
        raise Invalid.fields_of(wrong)


def _wrong_choices(campaign: Campaign, chosen: Mapping[str, str]) -> dict[str, str]:
    known = {str(one["id"]): [str(option["id"]) for option in one["options"]] for one in campaign.choices}
    wrong = {f"choices.{name}": "this campaign does not ask it" for name in chosen if name not in known}
    for name, options in known.items():
        if chosen.get(name) not in options:
            wrong[f"choices.{name}"] = f"please choose one of {', '.join(options)}"
    return wrong


def newest(campaign: str, phase: int, *, cursor: str | None = None, limit: int = PAGE) -> Page:
    """Published ones, newest first, straight from the table: one's own new idea is there at once.

    Raises `Invalid` (cursor, limit)."""
    if not 1 <= limit <= PAGE_MAX:
        raise Invalid.field("limit", f"1 to {PAGE_MAX}")
    pk, items = f"{campaign}#{phase}", list[Contribution]()
    position = cursors.read(pk, cursor) if cursor else None
    for _ in range(_QUERIES_MAX):  # only where much of a page is hidden is one query not enough
        start = {"pk": {"S": pk}, "sk": {"S": position}} if position else None
        found = Contribution.query(pk, scan_index_forward=False, limit=limit, last_evaluated_key=start, consistent_read=True)
        for item in found:
            position = item.id
            items += [item] if item.is_published else []
            if len(items) == limit:
                return Page(items, cursors.make(pk, position))
        if found.last_evaluated_key is None:
            return Page(items, None)
    return Page(items, cursors.make(pk, position) if position else None)


def of_author(campaign: str, pseudonym: str) -> list[Contribution]:
    """Everything of one person in a campaign that they have not withdrawn, newest first."""
    keys = [(str(item.pk), str(item.sk)) for item in Contribution.by_author.query(pseudonym, scan_index_forward=False, limit=500)]
    own = [pair for pair in keys if pair[0].rpartition("#")[0] == campaign]
    found = [item for item in Contribution.batch_get(own) if item.state != "withdrawn"]
    return sorted(found, key=lambda item: item.id, reverse=True)


def get_all(campaign: str, wanted: Sequence[str]) -> list[Contribution]:
    """Published ones among these, in this order."""
    found = {item.id: item for item in Contribution.batch_get([(f"{campaign}#{phase_of(one)}", one) for one in wanted])}
    return [found[one] for one in wanted if one in found and found[one].is_published]
