"""The framework: the named barriers and building blocks that the campaign's coders made of what people said, and which
solutions answer them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from . import contributions, ids, settings, store
from .campaigns import Campaign
from .contributions import Contribution
from .enrolments import Enrolment
from .errors import Conflict, Forbidden, Invalid, NotFound

KINDS = ("barrier", "building-block")
TITLE_MAX, TEXT_MAX, ENTRIES_MAX, ANSWERS_MAX = 120, 2000, 60, 10
_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,58}[a-z0-9])?")


class Entry(store.Record):
    """One barrier or building block, under an id that its first writer chose."""

    class Meta:
        table_name = settings.table("framework")

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    kind = UnicodeAttribute()
    title = UnicodeAttribute()
    text = UnicodeAttribute(default="")
    created = NumberAttribute()

    @property
    def id(self) -> str:
        return str(self.sk)


@dataclass(frozen=True, slots=True)
class Said:
    kind: str
    title: str
    text: str


def of(campaign: str) -> list[Entry]:
    """Barriers first, then building blocks, each in the order in which they were added."""
    return sorted(Entry.query(campaign, consistent_read=True), key=lambda entry: (entry.kind, int(entry.created), entry.id))


def put(campaign: str, entry: str, said: Said, *, now: datetime) -> Entry:
    """Adds or changes an entry. Safe to repeat. Raises `Invalid` with every wrong field, `Conflict` (too_many_entries)."""
    known = {one.id: one for one in of(campaign)}
    item = _item(campaign, entry, said, now)
    if entry not in known and len(known) >= ENTRIES_MAX:
        raise Conflict(f"A framework has at most {ENTRIES_MAX} entries.", code="too_many_entries")
    item.created = int(known[entry].created) if entry in known else item.created
    item.save()
    return item


def add(campaign: str, said: Said, *, now: datetime) -> Entry:
    """Adds an entry under an id made from its title. Safe to repeat.

    Raises `Invalid` with every wrong field, `Conflict` (too_many_entries, entry_exists: another one has this title)."""
    entry = id_of(said.title)
    there = Entry.find(campaign, entry)
    if there is not None and (there.kind, there.title, there.text) != (said.kind, said.title.strip(), said.text.strip()):
        raise Conflict("There is an entry with this title already.", code="entry_exists", fields={"title": "there is one already"})
    return put(campaign, entry, said, now=now)


def _item(campaign: str, entry: str, said: Said, now: datetime) -> Entry:
    """Raises `Invalid` with every wrong field."""
    title, text = said.title.strip(), said.text.strip()
    wrong: dict[str, str] = {}
    if not _ID.fullmatch(entry):
        wrong["entry"] = "1 to 60 small letters, digits and hyphens"
    if said.kind not in KINDS:
        wrong["kind"] = f"one of {', '.join(KINDS)}"
    if not 1 <= len(title) <= TITLE_MAX:
        wrong["title"] = f"1 to {TITLE_MAX} characters"
    if len(text) > TEXT_MAX:
        wrong["text"] = f"{len(text)} characters; at most {TEXT_MAX} fit"
    if wrong:
        raise Invalid.fields_of(wrong)
    return Entry(pk=campaign, sk=entry, kind=said.kind, title=title, text=text, created=ids.milliseconds(now))


def id_of(title: str) -> str:
    """`Playing it safe` -> `playing-it-safe`."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:60].strip("-") or "entry"


def remove(campaign: str, entry: str) -> None:
    """Ties of solutions to it are no longer shown. Safe to repeat."""
    Entry(pk=campaign, sk=entry).delete()


def answer(campaign: Campaign, contribution: str, entry: str, who: Enrolment) -> Contribution:
    """Says that a solution answers an entry: its author's to say, or a coder's. Safe to repeat.

    Raises `NotFound`, `Forbidden` (not_author), `Conflict` (not_a_solution, too_many_answers)."""
    found = _solution(campaign, contribution, who)
    if Entry.find(campaign.slug, entry) is None:
        raise NotFound("There is no such entry in the framework.", code="no_entry")
    return _write(found, entry, there=True)


def unanswer(campaign: Campaign, contribution: str, entry: str, who: Enrolment) -> Contribution:
    """Takes such a tie away. Safe to repeat. Raises `NotFound`, `Forbidden` (not_author)."""
    return _write(_solution(campaign, contribution, who), entry, there=False)


def _solution(campaign: Campaign, contribution: str, who: Enrolment) -> Contribution:
    found = contributions.visible(contributions.find(campaign.slug, contribution, consistent=True), pseudonym=who.pseudonym)
    if found.author != who.pseudonym and not who.has("coder"):
        raise Forbidden("Only who had this idea, or a coder, can say what it answers.", code="not_author")
    if found.kind != "solution":
        raise Conflict("Only a solution answers barriers and building blocks.", code="not_a_solution")
    return found


def _write(found: Contribution, entry: str, *, there: bool) -> Contribution:
    """The list is replaced if it is still what was read; otherwise it is read again."""
    for _ in range(10):
        before = list(found.answers)
        if (entry in before) is there:
            return found
        after = [*before, entry] if there else [one for one in before if one != entry]
        if len(after) > ANSWERS_MAX:
            raise Conflict(f"A solution answers at most {ANSWERS_MAX} entries.", code="too_many_answers")
        unchanged = Contribution.answers == before
        if store.update_if(found, [Contribution.answers.set(after)], unchanged):
            return found
        found = contributions.find(found.campaign, found.id, consistent=True)
    raise Conflict("Somebody else is changing this at the same moment; please try again.", code="changed")
