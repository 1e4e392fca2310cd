"""How a chunk's posts go out: no host gets more in a second than it is to get, and a network that stops us is left alone."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest

from chalicelib import chunks, networks, reports, slots
from chalicelib.clock import Clock
from chalicelib.networks import mastodon
from chalicelib.networks.base import Network, Response, Verdict
from chalicelib.outcomes import Sending
from chalicelib.volleys import Volley
from infra.stand_ins.faults import Fault
from tests.launching import Launching

NAMES = ["ann", "ben", "cat", "dan", "eve"]


def outcomes(launching: Launching, lane: str = "mastodon.0") -> list[dict[str, Any]]:
    found = chunks.outcomes(f"{launching.launch.id}#{lane}#0", int(launching.launch.epoch))
    assert found is not None
    return [found.items[slot] for slot in sorted(found.items)]


@pytest.fixture
def two_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mastodon, "PER_S", 2)


def test_ordinal_on_the_host_decides_the_second() -> None:
    assert [slots.offset_of("mastodon", ordinal) for ordinal in (0, 49, 50, 299, 300, 350)] == [0, 0, 1, 5, 0, 1]


async def _nothing() -> None:
    """Nobody else is after this lease."""


async def _not_ended() -> None:
    """Nobody has stopped it."""


def fire(launching: Launching, at: float) -> Volley:
    """Five people on one host, one on another, planned for `at` (epoch seconds) on the real clock."""
    launching.propose()
    lent = [launching.pledge(name) for name in NAMES] + [launching.pledge("fay", town=1)]
    volley = Volley(cast("Network", mastodon), at + time.time(), Clock(), _nothing)
    for pledge, name in zip(lent, [*NAMES, "fay"], strict=True):
        volley.sendings.append(Sending(pledge, volley.at + int(pledge.offset_s), launching.towns.token(str(pledge.server), name)))

    async def run() -> None:
        await volley.permit(volley.at - 0.5)
        await volley.fire()
        await volley.settle(time.time() + 60, _not_ended)

    asyncio.run(run())
    return volley


def seconds(launching: Launching, begin: float) -> list[float]:
    """When the posts of the busy host came, after `begin`."""
    return sorted(arrival.at_ns / 1e9 - begin for arrival in launching.towns.posts if arrival.account != "fay")


@pytest.mark.usefixtures("two_a_second")
def test_host_gets_no_more_posts_in_a_second_than_it_is_to_get(launching: Launching) -> None:
    volley = fire(launching, 1.0)

    assert [int(one.pledge.offset_s) for one in volley.sendings] == [0, 0, 1, 1, 2, 0]
    assert [int(one.pledge.agreed_at) - int(launching.launch.at) for one in volley.sendings] == [0, 0, 1, 1, 2, 0]
    assert [int(late_s) for late_s in seconds(launching, volley.at)] == [0, 0, 1, 1, 2]
    assert all(5 <= (one.outcome.sent_ms or 0) < 900 for one in volley.sendings)
    assert all(one.outcome.outcome == "posted" for one in volley.sendings)


@pytest.mark.usefixtures("two_a_second")
def test_late_posts_are_paced_too(launching: Launching) -> None:
    volley = fire(launching, -60.0)

    came = seconds(launching, volley.at + 60)
    assert [round(late_s - came[0]) for late_s in came] == [0, 0, 1, 1, 2]
    assert all(one.outcome.outcome == "posted" for one in volley.sendings)


@pytest.mark.usefixtures("two_a_second")
def test_repetitions_are_paced_too(launching: Launching) -> None:
    launching.towns.world.faults.add("town-01.test", Fault("fail", times=len(NAMES)))
    volley = fire(launching, -60.0)

    came = [arrival.at_ns / 1e9 for arrival in launching.towns.posts if arrival.published and arrival.account != "fay"]
    assert max(sum(1 for other in came if 0 <= other - one < 0.9) for one in came) <= 2
    assert all(one.outcome.outcome == "posted" for one in volley.sendings)


@pytest.fixture
def halting(monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    """A network of which 402 means that it takes nothing more from this app, as X does."""

    def classify(response: Response, *, now: float) -> Verdict:
        return Verdict("halt", said="credits gone") if response.status == 402 else mastodon.classify(response, now=now)

    network = SimpleNamespace(**{name: getattr(mastodon, name) for name in dir(mastodon)} | {"classify": classify, "BUDGET": 2})
    monkeypatch.setattr(networks, "get", lambda _: network)
    return network  # type: ignore[return-value]


@pytest.mark.usefixtures("halting")
def test_network_that_stops_the_app_gets_no_retries_and_no_later_windows(launching: Launching) -> None:
    launch = launching.propose()
    for name in NAMES[:4]:  # two windows of two
        launching.pledge(name)
    launching.towns.world.faults.add("*", Fault("fail", times=1, status=402))
    launching.towns.world.faults.add("*", Fault("throttle"))
    queued = launching.ready()
    first, later = ([sent for sent in queued if sent.message["lane"] == lane] for lane in ("mastodon.0", "mastodon.1"))
    launching.work(first)
    launching.towns.world.faults.clear()
    assert [item["outcome"] for item in outcomes(launching)] == ["halted", "halted"]

    launching.work(later, at=240)

    assert chunks.is_halted(launch.id, "mastodon")
    assert chunks.get(f"{launch.id}#mastodon.1#0", 1).sealed is None  # type: ignore[union-attr]
    assert launching.posts() == []
    launching.tick(launching.moment(1000))
    report = reports.get(launch.id)
    assert (report["posted"], report["halted"], report["missed"]) == (0, 4, 0)
