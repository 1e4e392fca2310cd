"""The import: an export through the domain's functions, one share after the other, and what the processes tell of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from chalicelib import contributions, errors, limits, votes
from chalicelib.campaigns import Campaign
from infra.polis import export, load, truth, workers
from infra.polis.load import Load
from infra.polis.workers import Done, Work
from tests.polis.conftest import TALLIES

SLUG = "birds"
OLIVE = "olive@example.org"


def loaded(folder: Path, number: int = 0, of: int = 1) -> tuple[Load, truth.Tallies]:
    whole = export.read(folder)
    made = Load(load.campaign(SLUG, whole, organiser=OLIVE), whole.share(number, of), lambda: None)
    return made, made.run()


@pytest.mark.parametrize("folder", ["export_folder", "matrix_folder"])
def test_export_is_loaded_without_a_difference(aws: None, folder: str, request: pytest.FixtureRequest) -> None:
    place: Path = request.getfixturevalue(folder)

    _, found = loaded(place)

    assert truth.differences(truth.tallies(place), found) == []
    states = {one.title[:3]: one.state for one in contributions.Contribution.query(f"{SLUG}#1")}
    assert states == {"Pla": "published", "Kee": "published", "Nob": "published", "Buy": "hidden"}


def test_votes_and_statements_have_the_times_of_the_file(aws: None, export_folder: Path) -> None:
    loaded(export_folder)

    assert sorted(int(one.created) for one in contributions.Contribution.query(f"{SLUG}#1")) == [1000, 2000, 2500, 3000]
    assert {int(vote.at) for vote in votes.Vote.scan()} == {1000, 2100, 2200, 3500, 4000, 4100}


def test_shares_on_one_stage_come_to_the_whole(aws: None, export_folder: Path) -> None:
    found: truth.Tallies = {}
    for number in range(3):
        found |= loaded(export_folder, number, 3)[1]

    assert found == TALLIES


def test_loading_again_finds_everything_and_changes_nothing(aws: None, export_folder: Path) -> None:
    loaded(export_folder)
    for request in list(limits.Request.scan()):  # as a day later
        request.delete()

    _, found = loaded(export_folder)

    assert found == TALLIES
    assert len(list(contributions.Contribution.query(f"{SLUG}#1"))) == 4


def test_campaigns_own_limits_hold(campaign: Campaign, export_folder: Path) -> None:
    campaign.update(actions=[type(campaign).limits.set({"contributions_per_hour": 1})])
    campaign.phases[0].opens_at = 0
    whole = export.read(export_folder)

    with pytest.raises(errors.TooMany):
        Load(campaign, whole, lambda: None).run()


def test_processes_end_is_told_with_rate_memory_and_differences(export_folder: Path) -> None:
    whole = export.read(export_folder)
    done = [Done(dict(TALLIES), 300, 2.0, 200.4), Done({}, 500, 5.0, 190.0)]
    wrong = truth.differences(TALLIES, TALLIES | {"0": (1, 0)})

    said = workers.told(whole, done, wrong, 7.0)

    assert said.splitlines() == [
        "statement 0: the file says 2 up, 0 down, the system 1 up, 0 down",
        "4 statements, 10 votes, 1 differences",
        "7 s in all; 800 votes cast, the others passed: 250 votes a second",
        "peak memory 200 + 190 MB",
    ]


def test_import_in_processes_of_its_own_memory(export_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert workers.run(Work(export_folder, SLUG, OLIVE, None, None), 2) == 0

    said = capsys.readouterr().out
    assert "2 processes, each on an embedded AWS of its own" in said
    assert "4 statements, 10 votes, 0 differences" in said
