"""How an export is read, and how it is counted without being read that way."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.console import Problem
from infra.polis import export, truth
from infra.polis.truth import Difference
from tests.polis.conftest import TALLIES


def tallied(found: export.Export) -> dict[str, tuple[int, int]]:
    """What the votes come to when they are played one after the other."""
    standing = {(vote.statement, vote.voter): vote.value for vote in found.votes}
    values = {one.id: [value for (statement, _), value in standing.items() if statement == one.id] for one in found.statements}
    return {statement: (cast.count(1), cast.count(-1)) for statement, cast in values.items()}


def test_statements_come_in_the_order_of_time_and_hidden_ones_are_marked(export_folder: Path) -> None:
    found = export.read(export_folder)

    assert [(one.id, one.author, one.hidden) for one in found.statements] == [
        ("0", "0", False),
        ("1", "0", False),
        ("10", "2", False),
        ("2", "7", True),
    ]
    assert found.statements[3].text == 'Buy my book, "Birds"!'
    assert found.authors == ["0", "2", "7"]


def test_votes_come_in_the_order_of_time_with_changes_and_passes(export_folder: Path) -> None:
    found = export.read(export_folder)

    assert [(vote.at, vote.statement, vote.voter, vote.value) for vote in found.votes][-3:] == [
        (3500, "2", "3", -1),
        (4000, "0", "1", 1),
        (4100, "0", "2", 0),
    ]
    assert found.voters == ["0", "1", "2", "3"]
    assert [vote.value for vote in found.of_voter()["1"]] == [-1, -1, 1, 1]


def test_matrix_is_read_person_by_person_where_there_are_no_votes_in_time(matrix_folder: Path) -> None:
    found = export.read(matrix_folder)

    assert [(vote.voter, vote.statement, vote.value) for vote in found.votes][:4] == [
        ("0", "0", 1),
        ("1", "0", 1),
        ("1", "1", -1),
        ("1", "2", 1),
    ]
    assert {vote.at for vote in found.votes} == {3000}
    assert len(found.votes) == 8


@pytest.mark.parametrize("folder", ["export_folder", "matrix_folder"])
def test_count_of_the_file_is_what_playing_its_votes_comes_to(folder: str, request: pytest.FixtureRequest) -> None:
    place: Path = request.getfixturevalue(folder)

    assert truth.tallies(place) == TALLIES
    assert tallied(export.read(place)) == TALLIES


@pytest.mark.parametrize("folder", ["export_folder", "matrix_folder"])
@pytest.mark.parametrize("count", [1, 3, 5, 7])
def test_first_votes_bring_only_the_statements_that_they_touch(folder: str, count: int, request: pytest.FixtureRequest) -> None:
    place: Path = request.getfixturevalue(folder)
    found = export.read(place).first(count)

    assert len(found.votes) == count
    assert tallied(found) == truth.tallies(place, count)


@pytest.mark.parametrize("of", [1, 2, 3])
def test_shares_have_every_statement_and_vote_once(export_folder: Path, of: int) -> None:
    whole = export.read(export_folder)
    shares = [whole.share(number, of) for number in range(of)]

    assert sorted(one.id for share in shares for one in share.statements) == sorted(one.id for one in whole.statements)
    assert sum(len(share.votes) for share in shares) == len(whole.votes)
    assert {statement: counts for share in shares for statement, counts in tallied(share).items()} == TALLIES


def test_title_is_the_statement_or_its_beginning_and_always_fits(export_folder: Path) -> None:
    titles = [one.title for one in export.read(export_folder).statements]

    assert titles[0] == "Plant native trees."
    assert titles[1].startswith("Keep cats in at night, and tell")
    assert titles[1].endswith("…")
    assert all(1 <= len(title) <= export.TITLE_MAX for title in titles)
    assert len(export.Statement("1", "1", "a" * 300, 0, False).title) == export.TITLE_MAX


def test_differences_are_told_by_statement_and_side() -> None:
    found = {"0": (2, 0), "1": (0, 1), "11": (1, 0)}

    wrong = truth.differences(TALLIES, found)

    assert wrong == [
        Difference("1", (0, 2), (0, 1)),
        Difference("2", (1, 1), None),
        Difference("10", (0, 0), None),
        Difference("11", None, (1, 0)),
    ]
    assert str(wrong[0]) == "statement 1: the file says 0 up, 2 down, the system 0 up, 1 down"
    assert str(wrong[1]).endswith("the system nothing")
    assert truth.differences(TALLIES, dict(TALLIES)) == []


def test_folder_that_is_no_export_is_told(tmp_path: Path, export_folder: Path) -> None:
    with pytest.raises(Problem, match=r"no comments\.csv"):
        export.read(tmp_path / "nowhere")
    (export_folder / "votes.csv").write_text("timestamp,comment-id,voter-id,vote\n1,99,0,1\n")
    with pytest.raises(Problem, match="votes on 1 statements"):
        export.read(export_folder)
    (export_folder / "comments.csv").write_text("a,b\n1,2\n")
    with pytest.raises(Problem, match="can be read"):
        export.read(export_folder)


def test_real_conversations_are_read_whole(real_folder: Path) -> None:
    found = export.read(real_folder)

    assert tallied(found) == truth.tallies(real_folder)
    sizes = (len(found.statements), len(found.votes), len(found.voters), sum(one.hidden for one in found.statements))
    assert sizes in ((316, 29_802, 536, 162), (896, 225_524, 2031, 289))
    if len(found.statements) == 316:
        own = {one.id: one.author for one in found.statements}
        assert sum(own[vote.statement] == vote.voter for vote in found.votes) == 304
        assert tallied(found.first(2000)) == truth.tallies(real_folder, 2000)
