"""`infra approve`: the operator's approval, of exactly what was shown, as one of the two."""

from __future__ import annotations

from datetime import timedelta

import pytest

from chalicelib import launches
from chalicelib.errors import Conflict
from infra import __main__ as commands
from infra import approve
from infra.console import Problem
from tests.aws import lost_response
from tests.launching import Launching

SLUG, NAME = "change-challenge", "Pat Operator"


@pytest.fixture
def due(launching: Launching) -> Launching:
    launching.propose(at=launching.now + timedelta(hours=5), closes_at=launching.now + timedelta(hours=4), goal=1)
    launching.pledge("ann")
    return launching


def say_yes(question: str) -> str:
    return "yes"


def test_operator_sees_the_launch_and_is_the_second_of_two(due: Launching, capsys: pytest.CaptureFixture[str]) -> None:
    launches.approve(due.campaign, "olive", now=due.now)

    approve.run(SLUG, NAME, confirmed=False, ask=say_yes)

    assert due.launch.approvals == ["olive", f"operator:{NAME}"]
    assert (due.launch.approved, due.launch.epoch) == (True, 1)
    said = capsys.readouterr().out
    for shown in (
        "Change Challenge: Saturday 9 January 2027, 14:00 (Europe/London)",
        "Change starts with the people who do the work.",
        "https://change.example.org/solutions",
        "mastodon",
        "of 1 needed",
        "approved by     an organiser; 2 are needed, until Saturday 9 January 2027, 13:57",
        "Nobody has looked whether the permissions to post still work.",
        "It may go out.",
    ):
        assert shown in said
    assert "olive" not in said


def test_launch_approved_by_the_operator_goes_out(due: Launching) -> None:
    approve.run(SLUG, NAME, confirmed=True)
    launches.approve(due.campaign, "olive", now=due.now)
    due.tick(due.moment(-3590))
    due.work(due.tick(due.moment(-590)))

    assert due.posts() == ["ann"]


@pytest.mark.parametrize("name", [NAME, "Somebody Else"])
def test_operator_is_one_person_whatever_name_they_give(due: Launching, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    approve.run(SLUG, NAME, confirmed=True)
    if name == NAME:
        approve.run(SLUG, name, confirmed=True)
        assert "has approved it already" in capsys.readouterr().out
    else:
        with pytest.raises(Problem, match="has to be an organiser"):
            approve.run(SLUG, name, confirmed=True)

    assert due.launch.approvals == [f"operator:{NAME}"]
    assert not due.launch.approved


def test_nothing_is_approved_without_a_yes(due: Launching) -> None:
    with pytest.raises(Problem, match="Nothing was approved"):
        approve.run(SLUG, NAME, confirmed=False, ask=lambda _: "y")

    assert due.launch.approvals == []


def test_launch_that_changes_while_the_operator_reads_is_not_approved(due: Launching) -> None:
    def meanwhile(question: str) -> str:
        due.propose(at=due.now + timedelta(hours=5), closes_at=due.now + timedelta(hours=4), goal=1, message="Other words.")
        return "yes"

    with pytest.raises(Problem, match="since it was shown"):
        approve.run(SLUG, NAME, confirmed=False, ask=meanwhile)

    assert due.launch.approvals == []


def test_lost_response_approves_once(due: Launching) -> None:
    with lost_response("dynamodb", "UpdateItem") as calls:
        approve.run(SLUG, NAME, confirmed=True)

    assert len(calls) == 2
    assert due.launch.approvals == [f"operator:{NAME}"]


@pytest.mark.parametrize("name", ["", "x", "a\nb", "<b>", "operator:" + NAME, "n" * 61])
def test_name_that_would_not_tell_who_it_was_is_refused(due: Launching, name: str) -> None:
    with pytest.raises(Problem, match="--as takes your name"):
        approve.run(SLUG, name, confirmed=True)


@pytest.mark.parametrize(("slug", "why"), [("no-such-campaign", "no campaign"), (SLUG, "ended"), (SLUG, "too late")])
def test_what_cannot_be_approved_says_why(due: Launching, slug: str, why: str) -> None:
    if why == "ended":
        launches.stop(due.campaign, "olive", now=due.now)
        due.tick(due.moment(-7000))
    if why == "too late":
        due.clock.at(due.moment(-60))
    with pytest.raises(Problem, match=why):
        approve.run(slug, NAME, confirmed=True)


def test_two_operators_are_refused_by_the_domain_itself(due: Launching) -> None:
    launches.approve(due.campaign, "operator:Ann", now=due.now)
    with pytest.raises(Conflict) as refused:
        launches.approve(due.campaign, "operator:Ben", now=due.now)

    assert refused.value.code == "operator_approved"


def test_command_takes_the_campaign_and_the_name() -> None:
    found = commands.parser().parse_args(["approve", "--stage", "dev", "--campaign", SLUG, "--as", NAME, "--yes"])

    assert (found.command, found.campaign, found.name, found.yes) == (commands.approve, SLUG, NAME, True)
