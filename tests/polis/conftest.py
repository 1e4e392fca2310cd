"""A small export, with everything that real ones have: re-votes, passes, authors' own votes, hidden statements."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

import pytest

REAL = Path(__file__).parents[3] / "shared" / "data" / "polis"
COMMENTS = (
    # timestamp, comment-id, author-id, moderated, body; as in real exports not in the order of time
    (1000, 0, 0, 1, "Plant native trees."),
    (3000, 2, 7, -1, 'Buy my book, "Birds"!'),
    (2000, 1, 0, 0, "Keep cats in at night, " + "and tell everybody why " * 6),
    (2500, 10, 2, 1, "Nobody voted on this, ever."),
)
VOTES = (
    # timestamp, comment-id, voter-id, vote; ordered by statement, as real exports are
    (1000, 0, 0, 1),  # the author's own
    (1500, 0, 1, -1),
    (4000, 0, 1, 1),  # changed
    (1600, 0, 2, 1),
    (4100, 0, 2, 0),  # taken back
    (1700, 0, 3, 0),  # passed
    (2100, 1, 1, -1),
    (2200, 1, 3, -1),
    (3500, 2, 1, 1),
    (3500, 2, 3, -1),
)
TALLIES = {"0": (2, 0), "1": (0, 2), "2": (1, 1), "10": (0, 0)}


def write(file: Path, header: str, rows: Iterable[Iterable[object]]) -> None:
    with file.open("w", newline="", encoding="utf-8") as lines:
        csv.writer(lines).writerows([header.split(","), *rows])


def write_comments(folder: Path) -> None:
    header = "timestamp,datetime,comment-id,author-id,agrees,disagrees,moderated,comment-body"
    rows = [(at, "some time", statement, author, 9, 9, moderated, body) for at, statement, author, moderated, body in COMMENTS]
    write(folder / "comments.csv", header, rows)


@pytest.fixture
def export_folder(tmp_path: Path) -> Path:
    """With votes in the order of time."""
    write_comments(tmp_path)
    rows = [(at, "some time", statement, voter, vote) for at, statement, voter, vote in VOTES]
    write(tmp_path / "votes.csv", "timestamp,datetime,comment-id,voter-id,vote", rows)
    return tmp_path


@pytest.fixture
def matrix_folder(tmp_path: Path) -> Path:
    """With the votes that stood in the end, person by person."""
    write_comments(tmp_path)
    last = {(statement, voter): vote for _, statement, voter, vote in VOTES}
    statements = (0, 1, 2, 10)
    rows = [(voter, 0, 1, 2, 3, 4, *(last.get((one, voter), "") for one in statements)) for voter in (0, 1, 2, 3)]
    write(tmp_path / "participants-votes.csv", "participant,group-id,n-comments,n-votes,n-agree,n-disagree,0,1,2,10", rows)
    return tmp_path


@pytest.fixture(params=["scoop-hivemind.biodiversity", "american-assembly.bowling-green"])
def real_folder(request: pytest.FixtureRequest) -> Path:
    folder = REAL / request.param
    if not folder.exists():
        pytest.skip(f"the real conversation {request.param} is not beside this checkout")
    return folder
