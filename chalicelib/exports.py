"""Open data: every published idea as a row of a CSV file, in parts that fit into one answer. Authors are left out: an id
for each idea says nothing, and one for all would join what somebody said."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from . import board, cursors, shelf, tallies
from .board import Entry, Head
from .campaigns import Campaign
from .tallies import Counts

COLUMNS = ("id", "phase", "kind", "title", "text", "tags", "choices", "answers", "comments", "created", "up", "down")
# An answer of a function is at most 6 MB, as JSON: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
PART_MAX = 4_000_000
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


@dataclass(frozen=True, slots=True)
class Export:
    """A part of the file, with its line of names; `next` is the cursor of the next part."""

    csv: str
    next: str | None


def part(campaign: Campaign, head: Head | None, *, cursor: str | None, now: datetime) -> Export:
    """In the order of phases and times. `up` and `down` are empty while they are hidden. Raises `Invalid` (cursor)."""
    scope = f"export#{campaign.slug}"
    after = cursors.read(scope, cursor) if cursor else ""
    lines, size, last = [_line(COLUMNS)], 0, ""
    for place, row in _rows(campaign, head, now):
        if place <= after:
            continue
        line = _line(row)
        size += len(json.dumps(line))
        if size > PART_MAX and last:
            return Export("".join(lines), cursors.make(scope, last))
        lines.append(line)
        last = place
    return Export("".join(lines), None)


def _rows(campaign: Campaign, head: Head | None, now: datetime) -> Iterator[tuple[str, list[object]]]:
    """Each with its place in the file, as text that sorts."""
    for number in sorted(board.outlines_of(head)):
        shown = campaign.phase(number).shows_tallies(now)
        counts = tallies.of_phase(campaign.slug, number, now=now) if shown else None
        for entry in shelf.read(campaign.slug, number, head):
            yield f"{number:02d}#{entry.id}", _row(number, entry, counts)


def _row(number: int, entry: Entry, counts: Mapping[str, Counts] | None) -> list[object]:
    tally = counts.get(entry.id, Counts(0, 0)) if counts is not None else None
    choices = "; ".join(f"{name}: {chosen}" for name, chosen in sorted(entry.choices.items()))
    said = [entry.kind, entry.title, entry.text, "; ".join(entry.tags), choices, "; ".join(entry.answers)]
    created = datetime.fromtimestamp(entry.created / 1000, UTC).date().isoformat()
    return [entry.id, number, *said, entry.comments, created, *((tally.up, tally.down) if tally else ("", ""))]


def _line(row: Iterator[object] | list[object] | tuple[object, ...]) -> str:
    written = io.StringIO()
    csv.writer(written).writerow([_guarded(value) if isinstance(value, str) else value for value in row])
    return written.getvalue()


def _guarded(text: str) -> str:
    """Behind an apostrophe where a spreadsheet would run it as a formula. https://owasp.org/www-community/attacks/CSV_Injection"""
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text
