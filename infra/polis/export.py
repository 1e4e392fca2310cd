"""An export of a Pol.is conversation: statements by authors, and votes by voters, in the order of time."""

from __future__ import annotations

import csv
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from infra.console import Problem

TITLE_MAX = 120
_BEFORE_VOTES = ("participant", "group-id", "n-comments", "n-votes", "n-agree", "n-disagree")
Row = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Statement:
    """`at` in epoch milliseconds. `hidden`: its moderators took it out of the conversation."""

    id: str
    author: str
    text: str
    at: int
    hidden: bool

    @property
    def title(self) -> str:
        """Its beginning, where it is longer than a title."""
        return textwrap.shorten(self.text, TITLE_MAX, placeholder="…") if " " in self.text[:TITLE_MAX] else self.text[:TITLE_MAX]


@dataclass(frozen=True, slots=True)
class Vote:
    """1 agrees, -1 disagrees, 0 passes: it takes an earlier vote back. `at` in epoch milliseconds."""

    statement: str
    voter: str
    value: int
    at: int


@dataclass(frozen=True)
class Export:
    """`statements` and `votes` oldest first."""

    statements: Sequence[Statement]
    votes: Sequence[Vote]

    @cached_property
    def voters(self) -> list[str]:
        """In the order of their first vote."""
        return list(dict.fromkeys(vote.voter for vote in self.votes))

    @cached_property
    def authors(self) -> list[str]:
        return list(dict.fromkeys(statement.author for statement in self.statements))

    def of_voter(self) -> dict[str, list[Vote]]:
        """Each voter's votes, in their order."""
        found: dict[str, list[Vote]] = {voter: [] for voter in self.voters}
        for vote in self.votes:
            found[vote.voter].append(vote)
        return found

    def first(self, count: int) -> Export:
        """The first votes, and the statements that they touch."""
        votes = self.votes[:count]
        touched = {vote.statement for vote in votes}
        return Export([statement for statement in self.statements if statement.id in touched], votes)

    def share(self, number: int, of: int) -> Export:
        """One of `of` parts, with all the votes on its statements."""
        statements = self.statements[number::of]
        kept = {statement.id for statement in statements}
        return replace(self, statements=statements, votes=[vote for vote in self.votes if vote.statement in kept])


def read(folder: Path) -> Export:
    """Raises `Problem` where this is no export."""
    try:
        statements = sorted((_statement(row) for row in _rows(folder / "comments.csv")), key=lambda one: (one.at, int(one.id)))
        votes = _votes(folder) if (folder / "votes.csv").exists() else _matrix(folder, latest=statements[-1].at)
    except FileNotFoundError as error:
        raise Problem(f"{folder} is no export of Pol.is: there is no {Path(error.filename).name}.") from error
    except (KeyError, ValueError, IndexError) as error:
        raise Problem(f"{folder} is no export of Pol.is that can be read: {error!r}.") from error
    strange = {vote.statement for vote in votes} - {statement.id for statement in statements}
    if strange:
        raise Problem(f"{folder}: there are votes on {len(strange)} statements that comments.csv does not have.")
    return Export(statements, votes)


def _rows(file: Path) -> Iterator[Row]:
    with file.open(newline="", encoding="utf-8") as lines:
        yield from csv.DictReader(lines)


def _statement(row: Row) -> Statement:
    return Statement(row["comment-id"], row["author-id"], row["comment-body"].strip(), int(row["timestamp"]), row["moderated"] == "-1")


def _votes(folder: Path) -> list[Vote]:
    """The file is ordered by statement; votes of the same millisecond stay in its order."""
    found = [Vote(row["comment-id"], row["voter-id"], int(row["vote"]), int(row["timestamp"])) for row in _rows(folder / "votes.csv")]
    return sorted(found, key=lambda vote: vote.at)


def _matrix(folder: Path, *, latest: int) -> list[Vote]:
    """The votes that stood in the end, person by person; when they were cast is not in the file, so: after everything was said."""
    return [
        Vote(statement, row["participant"], int(value), latest)
        for row in _rows(folder / "participants-votes.csv")
        for statement, value in row.items()
        if statement not in _BEFORE_VOTES and value
    ]
