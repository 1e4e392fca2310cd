"""Provisioned pollers for one launch, undone afterwards whatever happens; executions kept for the release worker; the limits of the
account, noted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib import launches, quotas
from infra import account, deploy, finish, pollers
from infra.console import Problem
from tests.deploy.limits import Limits, kept, limited, mapping
from tests.launching import Launching

FEW, MANY = 900 * 250, 4000 * 250


@pytest.fixture
def limits(aws: None) -> Iterator[Limits]:
    with limited() as made:
        yield made


@pytest.fixture
def large(limits: Limits, launching: Launching) -> Launching:
    """A launch whose goal needs 4,000 workers, on an account that can run them."""
    limits.functions = 6000
    finish._reserve("dev")
    launching.propose(goal=MANY)
    return launching


def configured() -> tuple[Any, Any]:
    found = mapping()
    return found.get("ScalingConfig") or None, found.get("ProvisionedPollerConfig") or None


USUAL = ({"MaximumConcurrency": 900}, None)


@pytest.mark.parametrize(("chunks", "least", "most"), [(901, 91, 103), (2000, 200, 225), (4000, 200, 450), (10**6, 200, 10_000), (1, 2, 2)])
def test_pollers_are_as_many_as_the_chunks_need(chunks: int, least: int, most: int) -> None:
    assert pollers.size(chunks) == pollers.Size(least, most)


def test_pollers_stay_until_the_launch_has_ended_and_are_undone(large: Launching, limits: Limits) -> None:
    seen: list[Any] = []

    def pause(seconds: float) -> None:
        seen.append((configured(), kept(), quotas.pollers() is not None))
        if len(seen) == 2:
            launches.stop(large.campaign, "olive", now=large.now)
            large.tick()

    pollers.launch("dev", "change-challenge", pause=pause)

    assert seen == [((None, {"MinimumPollers": 200, "MaximumPollers": 450}), 4500, True)] * 2
    assert (configured(), kept(), quotas.pollers()) == (USUAL, 900, None)
    assert [list(change) for change in limits.changes] == [
        ["ScalingConfig"],
        ["ProvisionedPollerConfig"],
        ["ProvisionedPollerConfig"],
        ["ScalingConfig"],
    ]


def test_ctrl_c_undoes_them(large: Launching) -> None:
    def interrupt(seconds: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pollers.launch("dev", None, pause=interrupt)

    assert (configured(), kept(), quotas.pollers()) == (USUAL, 900, None)


def test_command_that_was_killed_leaves_a_note_and_can_be_run_again(large: Launching) -> None:
    """Killed between any two steps, nothing knows any more what there was before but the note."""
    for _ in range(2):
        pollers.provide("dev", 4000)
    found = quotas.pollers()
    assert found is not None
    assert (found.concurrency_before, found.reserved_before) == (900, 900)
    with pytest.raises(Problem, match="python -m infra pollers --undo --stage dev"):
        pollers.refuse_while_provisioned("dev")

    for _ in range(2):
        pollers.undo("dev")
    assert (configured(), kept()) == (USUAL, 900)
    pollers.refuse_while_provisioned("dev")


def test_deploy_refuses_meanwhile_before_it_does_anything(large: Launching, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infra.stack.enter", lambda stage: None)  # the embedded AWS does not run here
    pollers.provide("dev", 4000)

    with pytest.raises(Problem, match="nothing is deployed"):
        deploy.run("dev")


def test_first_deploy_which_has_no_table_is_not_refused() -> None:
    from moto import mock_aws

    with mock_aws():
        pollers.refuse_while_provisioned("dev")


def test_account_without_room_for_the_workers_is_told_and_nothing_stays_provisioned(large: Launching, limits: Limits) -> None:
    limits.functions = 1100
    with pytest.raises(Problem, match="1000 workers at once, and 4000 are needed"):
        pollers.launch("dev", None)

    assert (configured(), kept(), quotas.pollers()) == (USUAL, 900, None)


def test_few_workers_need_none(limits: Limits, launching: Launching) -> None:
    launching.propose(goal=FEW)
    with pytest.raises(Problem, match="Not needed: 900 workers"):
        pollers.launch("dev", None)

    assert limits.changes == []


def test_launch_that_is_far_away_or_over_is_told(limits: Limits, launching: Launching) -> None:
    with pytest.raises(Problem, match="no launch within the next 24 hours"):
        pollers.launch("dev", None)
    with pytest.raises(Problem, match="no campaign"):
        pollers.launch("dev", "elsewhere")


def test_undoing_what_never_was_changes_nothing(limits: Limits) -> None:
    pollers.undo("dev")

    assert limits.changes == []


@pytest.mark.parametrize(
    ("functions", "others", "keeps"),
    [(10, 0, None), (199, 0, None), (200, 0, 100), (1000, 0, 900), (1000, 850, None), (1000, 500, 400), (5000, 0, 900)],
)
def test_release_keeps_what_the_account_can_spare(
    limits: Limits, capsys: pytest.CaptureFixture[str], functions: int, others: int, keeps: int | None
) -> None:
    limits.functions, limits.others = functions, others
    for _ in range(2):
        finish._reserve("dev")

        assert kept() == keeps
    assert ("too few functions" in capsys.readouterr().err) is (keeps is None)


def test_what_is_kept_already_is_left_where_the_account_has_become_too_small(limits: Limits) -> None:
    finish._reserve("dev")
    limits.functions = 150
    finish._reserve("dev")

    assert kept() == 900


def test_limits_of_the_account_are_noted(limits: Limits) -> None:
    limits.functions, limits.mail_open = 10, False
    account.note("dev")
    found = quotas.account()

    assert found is not None
    assert (found.concurrent, found.unreserved, found.reserved) == (10, 10, None)
    assert (found.mail_per_s, found.mail_per_day, found.mailed, found.mail_open) == (14, 50_000, 0, 0)


def test_what_cannot_be_read_is_noted_as_not_known(limits: Limits, capsys: pytest.CaptureFixture[str]) -> None:
    limits.may_be_read = False
    account.note("dev")
    found = quotas.account()

    assert found is not None
    assert {found.concurrent, found.unreserved, found.reserved, found.mail_per_s, found.mail_open} == {None}
    assert "AccessDeniedException" in capsys.readouterr().err
