"""A worker killed at every step of a release, each with the message delivered again and a second fan-out:
every post goes out, and goes out once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import pytest

from chalicelib import clock, fan_out, release, reports
from tests.aws import Killed, Queued, Skipping, die, hook, nth, take_queued
from tests.launching import Launching

# A killed worker leaves its sockets to the operating system.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")

NAMES = ["ann", "ben", "cat"]


class Mortal(Skipping):
    """Kills after `sends` requests of the volley have been written."""

    def __init__(self, other: Skipping, sends: int) -> None:
        super().__init__(other.now())  # type: ignore[arg-type]
        self.sends, self.fired = sends, False

    def spin(self, until: float) -> None:
        super().spin(until)
        self.fired = True

    def now(self) -> float:
        if self.fired:
            self.sends -= 1
            if self.sends < 0:
                raise Killed
        return super().now()


@contextmanager
def killing_clock(sends: int) -> Iterator[None]:
    before = clock.current
    assert isinstance(before, Skipping)
    clock.current = Mortal(before, sends)
    try:
        yield
    finally:
        clock.current = before


POINTS: dict[str, Callable[[], AbstractContextManager[object]]] = {
    "before the lease": lambda: hook("dynamodb", "UpdateItem", nth(1, die)),
    "leased": lambda: hook("dynamodb", "Query", nth(1, die)),
    "sealed, nothing sent": lambda: hook("dynamodb", "Query", nth(3, die)),
    "one sent": lambda: killing_clock(1),
    "two sent": lambda: killing_clock(2),
    "all sent, no outcome": lambda: hook("dynamodb", "TransactWriteItems", nth(1, die)),
    "outcome written": lambda: hook("dynamodb", "TransactWriteItems", nth(1, die), after=True),
    "not killed": nullcontext,
}


def lane(launching: Launching, network: str = "mastodon") -> list[Queued]:
    launching.propose(networks=[network])
    for town, name in enumerate(NAMES):
        launching.pledge(name, town, network=network)
    launching.withdraw(launching.pledge("dan", network=network))
    return launching.ready()


def forget_progress(launching: Launching) -> None:
    """As if the tick had died before it wrote how far it had come."""
    for item in fan_out.Progress.query(launching.launch.id, fan_out.Progress.sk.startswith("lane#")):
        item.delete()


@pytest.mark.parametrize("second_fan_out", [False, True], ids=["one fan-out", "two fan-outs"])
@pytest.mark.parametrize("redelivered", [False, True], ids=["delivered once", "redelivered"])
@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("network", ["mastodon", "bluesky"])
def test_every_post_goes_out_once(launching: Launching, network: str, point: str, redelivered: bool, second_fan_out: bool) -> None:
    queued = lane(launching, network)
    if second_fan_out:
        forget_progress(launching)
        queued += launching.tick()
    sends = [sent for sent in queued if sent.message["do"] == "send"]

    launching.clock.at(launching.moment(-60))
    try:
        with POINTS[point]():
            release.handle(sends[0].body)
    except Killed:
        pass
    else:
        assert point == "not killed"
    launching.work(sends[1:], at=3)
    if redelivered:
        launching.work(sends, at=16)
    for after in (17, 60, 120, 180):  # the watch message at T+10 is late here; then one tick after another
        launching.clock.at(launching.moment(after))
        again = launching.tick() if after > 17 else watched(queued)
        launching.work(again, "send", at=None)
        launching.work(again, "resolve", at=None)

    assert launching.posts() == NAMES
    launching.tick(launching.moment(300))
    report = reports.get(launching.launch.id)
    assert (report["pledged"], report["posted"], report["unknown"], report["missed"]) == (3, 3, 0, 0)


def watched(queued: list[Queued]) -> list[Queued]:
    for sent in queued:
        if sent.message["do"] == "watch":
            release.handle(sent.body)
    return take_queued("chunks")


def test_two_workers_at_once_send_once(launching: Launching) -> None:
    sends = [sent for sent in lane(launching) if sent.message["do"] == "send"]
    launching.work([*sends, *sends, *sends])

    assert launching.posts() == NAMES


@pytest.mark.parametrize("when", ["while it holds", "between its last look and its seal"])
def test_worker_that_was_overtaken_sends_nothing(launching: Launching, when: str) -> None:
    """Another worker took the chunk over: the fence is no longer this one's, whether its renewal or its seal finds out."""
    from chalicelib import chunks

    sends = [sent for sent in lane(launching) if sent.message["do"] == "send"]
    key, opened = f"{launching.launch.id}#mastodon.0#0", []

    def overtaken() -> None:
        state = chunks.State(pk=key, sk=chunks._state_key(1))
        state.update(actions=[chunks.State.fence.set(chunks.State.fence + 1)])

    def at_the_gate() -> None:
        if opened == ["key"]:
            opened.append("gate")
            overtaken()

    if when == "while it holds":
        with hook("kms", "Decrypt", overtaken):
            launching.work(sends)
    else:
        with hook("kms", "Decrypt", lambda: opened.append("key")), hook("dynamodb", "GetItem", at_the_gate):
            launching.work(sends)
        assert opened == ["key", "gate"]

    assert launching.posts() == []
    state = chunks.get(key, 1)
    assert state is not None
    assert state.sealed is None


def test_messages_of_another_epoch_are_dropped(launching: Launching) -> None:
    sends = [sent for sent in lane(launching) if sent.message["do"] == "send"]
    launch = launching.launch
    launch.update(actions=[type(launch).epoch.set(2)])

    launching.work(sends)

    assert launching.posts() == []
