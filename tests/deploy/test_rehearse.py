"""`infra rehearse`: starts a rehearsal, waits for it, prints whether the launch is ready, and fails where something stops it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from chalicelib import release
from infra import __main__ as commands
from infra import rehearse
from infra.console import Problem
from tests.deploy.limits import Limits, limited
from tests.launching import Launching

SLUG = "change-challenge"


@pytest.fixture
def limits(aws: None) -> Iterator[Limits]:
    with limited() as made:
        yield made


@pytest.fixture
def due(limits: Limits, launching: Launching) -> Launching:
    launching.propose(at=launching.now + timedelta(hours=5), closes_at=launching.now + timedelta(hours=4))
    launching.pledge("ann")
    return launching


def minutes(launching: Launching, *, at: float | None = None) -> object:
    """Each wait of the command is a minute's tick, and its workers' work; those of a dress rehearsal wake up at their time."""

    def pause(seconds: float) -> None:
        for message in launching.tick():
            if at is not None:
                launching.clock.at(at)
            release.handle(message.body)

    return pause


def test_launch_that_nothing_stops_is_ready(due: Launching, capsys: pytest.CaptureFixture[str]) -> None:
    assert rehearse.run("dev", SLUG, None, pause=minutes(due)) is True  # type: ignore[arg-type]

    said = capsys.readouterr().out
    assert "[##############################] 1 of 1" in said
    assert "Ready: nothing stops the launch." in said
    assert "Mastodon: the one permission works." in said
    assert "This launch needs 1 worker" in said
    assert "without e-mail" in said
    assert "ann" not in said.replace("planned", "")


def test_account_with_ten_functions_at_once_stops_a_large_launch(
    due: Launching, limits: Limits, capsys: pytest.CaptureFixture[str]
) -> None:
    limits.functions = 10
    due.propose(at=due.moment(), closes_at=due.moment(-3600), goal=5000)

    assert rehearse.run("dev", SLUG, None, pause=minutes(due)) is False  # type: ignore[arg-type]
    said = capsys.readouterr().out
    assert "Not ready" in said
    assert "STOPS  This launch needs 20 workers" in said
    assert "room for 5 of its 10 functions at once" in said


def test_what_the_operator_may_not_read_is_not_known(due: Launching, limits: Limits, capsys: pytest.CaptureFixture[str]) -> None:
    limits.may_be_read = False
    rehearse.run("dev", SLUG, None, pause=minutes(due))  # type: ignore[arg-type]

    assert capsys.readouterr().out.count("not known  ") >= 2


def test_dress_rehearsal_is_waited_for(due: Launching, capsys: pytest.CaptureFixture[str]) -> None:
    at = (due.now + timedelta(minutes=10)).replace(microsecond=0)

    rehearse.run("dev", SLUG, at.isoformat(), pause=minutes(due, at=at.timestamp() - 60))  # type: ignore[arg-type]
    assert "In the dress rehearsal 1 of 1 connections stood open" in capsys.readouterr().out
    assert due.towns.posts == []


def test_ctrl_c_ends_the_waiting_only(due: Launching, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupt(seconds: float) -> None:
        raise KeyboardInterrupt

    rehearse.run("dev", SLUG, None, pause=interrupt)

    assert "goes on without this terminal" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("slug", "dress", "words"),
    [
        ("elsewhere", None, "no campaign"),
        (SLUG, "tonight", "with an offset"),
        (SLUG, "2027-01-09T20:00", "with an offset"),
        (SLUG, "2027-01-09T14:00:00+00:00", "at least an hour away"),
    ],
)
def test_what_cannot_be_rehearsed_says_why(due: Launching, slug: str, dress: str | None, words: str) -> None:
    with pytest.raises(Problem, match=words):
        rehearse.run("dev", slug, dress)


def test_command_fails_where_something_stops_the_launch(due: Launching, limits: Limits, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infra.stack.enter", lambda stage: None)
    monkeypatch.setattr("time.sleep", minutes(due))
    monkeypatch.setattr("sys.argv", ["infra", "rehearse", "--stage", "dev", "--campaign", SLUG])
    assert commands.main() == 0

    limits.functions = 10
    due.propose(at=due.moment(), closes_at=due.moment(-3600), goal=5000)
    assert commands.main() == 1
