"""What an export says itself, counted by the csv module alone: shares nothing with how it is read, played or tallied."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

Tallies = dict[str, tuple[int, int]]


def tallies(folder: Path, first: int | None = None) -> Tallies:
    """Statement -> (agrees, disagrees) by the last vote of each person, after all votes or the first few. Statements without
    any vote are in it only where all are counted."""
    with (folder / "comments.csv").open(newline="", encoding="utf-8") as lines:
        known = [row["comment-id"] for row in csv.DictReader(lines)]
    last = _last_by_time(folder, first) if (folder / "votes.csv").exists() else _last_by_person(folder, first)
    if first is not None:
        touched = {statement for statement, _ in last}
        known = [statement for statement in known if statement in touched]
    counts = {statement: [0, 0] for statement in known}
    for (statement, _), value in last.items():
        if value in ("1", "-1"):
            counts[statement][value == "-1"] += 1
    return {statement: (up, down) for statement, (up, down) in counts.items()}


def _last_by_time(folder: Path, first: int | None) -> dict[tuple[str, str], str]:
    with (folder / "votes.csv").open(newline="", encoding="utf-8") as lines:
        rows = sorted(csv.DictReader(lines), key=lambda row: int(row["timestamp"]))
    return {(row["comment-id"], row["voter-id"]): row["vote"] for row in rows[:first]}


def _last_by_person(folder: Path, first: int | None) -> dict[tuple[str, str], str]:
    with (folder / "participants-votes.csv").open(newline="", encoding="utf-8") as lines:
        header, *rows = csv.reader(lines)
    cells = [((header[column], row[0]), row[column]) for row in rows for column in range(6, len(header)) if row[column]]
    return dict(cells[:first])


@dataclass(frozen=True, slots=True)
class Difference:
    """One statement whose tally is not what the file says. None: there is no such statement on that side."""

    statement: str
    wanted: tuple[int, int] | None
    found: tuple[int, int] | None

    def __str__(self) -> str:
        return f"statement {self.statement}: the file says {_told(self.wanted)}, the system {_told(self.found)}"


def _told(counts: tuple[int, int] | None) -> str:
    return "nothing" if counts is None else f"{counts[0]} up, {counts[1]} down"


def differences(wanted: Mapping[str, tuple[int, int]], found: Mapping[str, tuple[int, int]]) -> list[Difference]:
    """Every statement of either side whose tallies are not equal, in the file's order."""
    every = dict.fromkeys([*wanted, *found])
    return [Difference(one, wanted.get(one), found.get(one)) for one in every if wanted.get(one) != found.get(one)]
