"""Every cut of a worker x every repetition x every fault of the network, over the real code: nothing twice, nothing lost.

`make test` plays a part of the cases, another with each day of the month; `make faults` plays them all."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from chalicelib import release
from infra.stand_ins import StandIns
from tests.aws import Killed
from tests.faults import cases, scene
from tests.faults.cases import Case
from tests.faults.scene import CUTS, NAMES, NETWORKS, Scene, cut_off, each_call

# A killed worker leaves its sockets to the operating system.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")

PART = int(os.environ.get("FAULTS_PART", "48"))  # one case of so many
STEPS = {"freeze": ("open", -1200), "fan-out": ("frozen", -600), "settle": ("fanned out", 60)}


@pytest.fixture(scope="module")
def played(request: pytest.FixtureRequest, _serving: StandIns, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with scene.set_up(request.param, _serving, tmp_path_factory.mktemp("faults")) as made:
        yield made


@pytest.mark.parametrize("played", NETWORKS, indirect=True)
def test_nothing_is_doubled_or_lost_however_a_worker_is_cut_off(played: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    every = cases.every(cases.count_calls(played))
    some = every[datetime.now(UTC).day % PART :: PART]
    failed = [f"{case}: {found}" for case in some if (found := _wrong(played, case))]
    with capsys.disabled():
        sys.stdout.write(f"\nfaults on {played.name}: {len(some)} of {len(every)} cases, {len(failed)} with posts doubled or lost\n")

    assert not failed, "\n".join(failed)


def _wrong(played: Scene, case: Case) -> str | None:
    cases.play(played, case)
    try:
        cases.check(played, case)
    except AssertionError as error:
        return repr(error)  # never empty
    return None


@pytest.mark.parametrize("played", ["mastodon"], indirect=True)
@pytest.mark.parametrize("step", STEPS)
def test_minute_that_is_cut_off_is_done_again_in_the_next(played: Scene, step: str) -> None:
    """Killed before and after each of its calls, and with each response lost."""
    calls = _minute(played, step, "none", 0)
    every = max(1, PART * calls // 250)
    for number in range(1 + datetime.now(UTC).day % every, calls + 1, every):
        for cut in CUTS:
            _minute(played, step, cut, number)
            assert played.published() == dict.fromkeys(NAMES, 1), (cut, number)
            assert set(played.outcomes().values()) == {"posted"}, (cut, number)


def _minute(played: Scene, step: str, cut: str, number: int) -> int:
    """One tick that is cut off, then all that follows; gives how many calls it made."""
    when, at = STEPS[step]
    played.restore(when)
    launching, seen = played.launching, list[None]()
    if step == "settle":
        launching.work(played.queued)
    launching.clock.at(launching.moment(at))
    queued = []
    try:
        with cut_off(cut, number) if number else each_call(lambda: seen.append(None)):
            queued = launching.tick()
    except Killed:
        pass
    for after in (at + 60, -540, -480):
        if launching.launch.moment.timestamp() + after > launching.clock.now():
            queued += launching.tick(launching.moment(after))
    launching.clock.at(max(launching.clock.now(), launching.moment(-60).timestamp()))
    for sent in queued:
        if sent.message["do"] in ("send", "prepare"):
            release.handle(sent.body)
    played.go_on([])
    return len(seen)
