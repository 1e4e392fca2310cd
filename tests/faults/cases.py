"""Every way in which one release can be cut off, repeated and answered badly, and what must hold whatever happened."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass

import pytest

from chalicelib import clock, fan_out, release
from chalicelib.networks.transport import Connection
from infra.stand_ins.faults import Fault
from tests.aws import Killed, Queued, Skipping, die, nth
from tests.faults.scene import NAMES, Scene, cut_off, each_call

# What the network does to each person's first requests. After the second of these it may have been posted, for all that we can
# know: a 500 says so as little as silence does (`fail` and `hang` publish nothing, `fail_after` and `hang_after` do).
CLEAR = ("throttle",)
UNSURE = ("fail", "hang", "hang_after", "drop_after", "fail_after")
FAULTS = ("none", *CLEAR, *UNSURE, "revoke")
SENDS = (0, 1, 2)
STALLED = {"overtaken": ("send", 13), "resolved": ("resolve", 100)}  # what the other worker does, and after how many seconds
LEASED_BY = 2  # calls: the launch is read, the chunk leased


@dataclass(frozen=True, slots=True)
class Case:
    """`cut`, at the worker's n-th call of AWS: it is killed before or after it, or when it has sent so many; its response is lost;
    an intruder comes, another worker with the same message that soon dies; it stalls for so long that another worker does all of
    it (overtaken), or resolves it; or none. `redelivered`: the queue hands the message out again. `twice`: two fan-outs send it."""

    cut: str = "none"
    number: int = 0
    fault: str = "none"
    redelivered: bool = False
    twice: bool = False

    def __str__(self) -> str:
        more = [word for word, true in (("redelivered", self.redelivered), ("twice", self.twice)) if true]
        return ", ".join([f"{self.cut} {self.number}", f"network: {self.fault}", *more])

    @property
    def unsure(self) -> bool:
        """Whether a network that recognises no repetition cannot tell what became of all posts."""
        return self.fault in UNSURE or self.cut in ("before call", "after call", "sends", "resolved")


def cuts(calls: int) -> list[tuple[str, int]]:
    each = range(1, calls + 1)
    killed = [(cut, number) for cut in ("before call", "after call") for number in each]
    others = [(cut, number) for cut in ("intruder", *STALLED) for number in each if number > LEASED_BY]
    return [("none", 0), *killed, *(("sends", number) for number in SENDS), *(("lost response", number) for number in each), *others]


def every(calls: int) -> list[Case]:
    """Each cut with each fault of the network, and with each repetition where the network does nothing wrong."""
    repeated = [Case(cut, number, "none", *twice) for cut, number in cuts(calls) for twice in itertools.product((False, True), repeat=2)]
    faulty = [Case(cut, number, fault, redelivered=True, twice=True) for cut, number in cuts(calls) for fault in FAULTS[1:]]
    return repeated + faulty


def count_calls(scene: Scene) -> int:
    """How many calls of AWS one worker makes."""
    seen: list[None] = []
    scene.restore("fanned out")
    with each_call(lambda: seen.append(None)):
        scene.launching.work(scene.queued)
    return len(seen)


def play(scene: Scene, case: Case) -> None:
    """The whole launch with this case's worker first; then everything that comes after, until the launch has ended."""
    scene.restore("fanned out")
    queued = list(scene.queued)
    scene.launching.clock.at(scene.launching.moment(-600))
    if case.twice:
        for item in fan_out.Progress.query(scene.launching.launch.id, fan_out.Progress.sk.startswith("lane#")):
            item.delete()
        queued += scene.launching.tick()
    first, *others = sorted(queued, key=lambda sent: str(sent.message["do"]))  # send before watch
    _misbehave(scene, case.fault)
    scene.launching.clock.at(scene.launching.moment(-60))
    try:
        with _cut(case, first):
            release.handle(first.body)
    except Killed:
        pass
    scene.go_on([first, *others] if case.redelivered else others)


def _misbehave(scene: Scene, fault: str) -> None:
    if fault == "revoke":
        scene.revoke(NAMES[0])
    elif fault != "none":
        scene.towns.world.faults.add("*", Fault(fault, times=2 * len(NAMES), status=500))  # type: ignore[arg-type]


def _cut(case: Case, sent: Queued) -> AbstractContextManager[object]:
    if case.cut == "intruder":
        return each_call(nth(case.number, lambda: _intrude(sent)))
    if case.cut in STALLED:
        return each_call(nth(case.number, lambda: _overtake(sent, *STALLED[case.cut])))
    return _killed_after(case.number) if case.cut == "sends" else cut_off(case.cut, case.number)


def _intrude(sent: Queued) -> None:
    """Another worker, killed as soon as it holds the chunk, if it does."""
    with suppress(Killed), each_call(nth(LEASED_BY + 1, die)):
        release.handle(sent.body)


def _overtake(sent: Queued, do: str, after_s: float) -> None:
    skipping = clock.current
    assert isinstance(skipping, Skipping)
    skipping.at(skipping.now() + after_s)
    release.handle(json.dumps(sent.message | {"do": do}))


@contextmanager
def _killed_after(sends: int) -> Iterator[None]:
    """The process ends when so many requests have been written."""
    real: Callable[[Connection], None] = Connection.send
    left = [sends]

    def send(connection: Connection) -> None:
        if not left[0]:
            raise Killed
        left[0] -= 1
        real(connection)

    with ExitStack() as stack:
        stack.enter_context(pytest.MonkeyPatch.context()).setattr(Connection, "send", send)
        yield


def check(scene: Scene, case: Case) -> None:
    """Never twice. Every pledge has its outcome, and it is true. Unknown only where the network cannot tell; nothing is lost."""
    published, outcomes, report = scene.published(), scene.outcomes(), scene.report()
    revoked = {NAMES[0]} if case.fault == "revoke" else set()
    assert all(times == 1 for times in published.values()), published
    assert set(outcomes) == set(NAMES)
    assert sum(report[outcome] for outcome in set(outcomes.values())) == report["pledged"] == len(NAMES), report
    unknown = {name for name, outcome in outcomes.items() if outcome == "unknown"}
    assert {name for name, outcome in outcomes.items() if outcome == "posted"} == set(published) - unknown
    assert all(outcomes[name] == "reconnect" for name in revoked - unknown)
    if case.cut == "intruder":
        assert not sum(lane["late_chunks"] for lane in report["lanes"]), "an intruder made it late"
    if scene.repeatable or not case.unsure:
        assert not unknown
        assert set(published) == set(NAMES) - revoked
