"""Schedules that nobody thought of: messages in any order and again, workers killed anywhere, people who leave, organisers who
stop, a network that misbehaves for a while. Whatever happens, nothing is posted twice and every pledge has its outcome."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib import launches, pledges, release
from chalicelib.errors import Conflict
from infra.stand_ins import StandIns
from infra.stand_ins.faults import Fault
from tests.aws import Killed, Queued, take_queued
from tests.faults import scene
from tests.faults.cases import CLEAR, UNSURE
from tests.faults.scene import CUTS, NAMES, NETWORKS, Scene, cut_off

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")

EXAMPLES = settings.default.max_examples // 3 if os.environ.get("FAULTS_PART") != "1" else settings.default.max_examples
DELIVER = st.tuples(st.just("deliver"), st.integers(0, 7), st.sampled_from(["none", *CUTS]), st.integers(1, 26))
WAIT = st.tuples(st.just("wait"), st.sampled_from([1.0, 5.0, 13.0, 30.0, 61.0, 95.0]))
SCHEDULES = st.lists(
    st.one_of(
        DELIVER,
        DELIVER,
        WAIT,
        st.tuples(st.just("minute")),
        st.tuples(st.just("misbehave"), st.sampled_from([*CLEAR, *UNSURE]), st.integers(1, 4)),
        st.tuples(st.just("withdraw"), st.sampled_from(NAMES)),
        st.tuples(st.just("stop"), st.booleans()),
    ),
    min_size=3,
    max_size=14,
)


@pytest.fixture(scope="module")
def played(request: pytest.FixtureRequest, _serving: StandIns, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with scene.set_up(request.param, _serving, tmp_path_factory.mktemp("schedules")) as made:
        yield made


@pytest.mark.parametrize("played", NETWORKS, indirect=True)
def test_nothing_is_doubled_or_lost_in_any_schedule(played: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    counted = [0]

    @settings(print_blob=True, max_examples=EXAMPLES)
    @given(schedule=SCHEDULES, begin=st.sampled_from([-60.0, -20.0, -6.0, 1.0, 45.0]))
    def run(schedule: list[tuple[object, ...]], begin: float) -> None:
        counted[0] += 1
        Schedule(played, begin).play(schedule)

    run()
    with capsys.disabled():
        sys.stdout.write(f"\nfaults on {played.name}: {counted[0]} schedules, 0 with posts doubled or lost\n")


class Schedule:
    """`seen`: every message so far, any of which may be delivered again. `left`: who withdrew in time."""

    def __init__(self, played: Scene, begin: float) -> None:
        self.scene, self.launching = played, played.launching
        played.restore("fanned out")
        self.launching.clock.at(self.launching.moment(begin))
        self.seen: list[Queued] = list(played.queued)
        self.left: set[str] = set()
        self.sure, self.stopped = True, False

    def play(self, schedule: list[tuple[object, ...]]) -> None:
        for act, *arguments in schedule:
            getattr(self, f"_{act}")(*arguments)
            self.seen += take_queued("chunks")
        self.scene.towns.world.faults.clear()
        self.scene.go_on(list({sent.body: sent for sent in self.seen}.values()))
        self._check()

    def _deliver(self, which: int, cut: str, number: int) -> None:
        sent = self.seen[which % len(self.seen)]
        try:
            with cut_off(cut, number):
                release.handle(sent.body)
        except Killed:
            self.sure = False

    def _wait(self, seconds: float) -> None:
        self.launching.clock.at(self.launching.clock.now() + seconds)

    def _minute(self) -> None:
        self.seen += self.launching.tick()

    def _misbehave(self, kind: str, times: int) -> None:
        self.sure = self.sure and kind in CLEAR
        self.scene.towns.world.faults.add("*", Fault(kind, times=times, status=500))  # type: ignore[arg-type]

    def _withdraw(self, name: str) -> None:
        if self.launching.launch.settled_at:
            return  # the report has been written, and nothing will be sent
        with suppress(Conflict):  # it is just being sent, or has been
            self.launching.withdraw(next(one for one in pledges.Pledge.query(self.scene.chunk) if f"@{name}" in one.account))
            self.left.add(name)

    def _stop(self, whole: bool) -> None:
        network = None if whole else str(self.launching.launch.networks[0])
        with suppress(Conflict):  # it has ended
            launches.stop(self.launching.campaign, "oscar", network=network, now=self.launching.now)
            self.stopped = True

    def _check(self) -> None:
        published, outcomes, report = self.scene.published(), self.scene.outcomes(), self.scene.report()
        assert self.launching.launch.settled_at
        assert all(times == 1 for times in published.values())
        assert not self.left & set(published)
        assert set(outcomes) == set(NAMES) - self.left
        assert report["pledged"] == len(outcomes)
        unknown = {name for name, outcome in outcomes.items() if outcome == "unknown"}
        assert {name for name, outcome in outcomes.items() if outcome == "posted"} == set(published) - unknown
        if (self.scene.repeatable or self.sure) and not self.stopped:
            assert not unknown
