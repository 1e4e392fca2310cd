"""Two workers at one chunk, and one that was overtaken: every post goes out, and goes out once. Every way to be cut off: `faults`."""

from __future__ import annotations

import pytest

from tests.aws import Queued, hook
from tests.launching import Launching

# A killed worker leaves its sockets to the operating system.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")

NAMES = ["ann", "ben", "cat"]


def lane(launching: Launching, network: str = "mastodon") -> list[Queued]:
    launching.propose(networks=[network])
    for town, name in enumerate(NAMES):
        launching.pledge(name, town, network=network)
    launching.withdraw(launching.pledge("dan", network=network))
    return launching.ready()


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
