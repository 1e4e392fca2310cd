"""The demonstration's verdict, on made-up arrivals: it must find what is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from infra.demo.comparison import Pledged, compare, nanoseconds, percentile

T = 1_000_000_000_000
MS = 1_000_000


def pledge(slot: int, chunk: int = 0) -> Pledged:
    return Pledged(f"abc.mastodon.0.{chunk}.{slot:03d}", "mastodon", "town-01.test", f"person{chunk}_{slot}", f"text {slot}", T)


def arrival(pledge: Pledged, after_ms: float, *, published: bool = True, text: str | None = None) -> dict[str, Any]:
    at = T + int(after_ms * MS)
    return {"host": pledge.host, "account": pledge.account, "at_ns": at, "published": published, "text": text or pledge.text}


REPORT: Mapping[str, Any] = {"unknown": 0, "lanes": [{"network": "mastodon", "acked": {"p99_ms": 321.0}}]}


def test_all_well() -> None:
    pledged = [pledge(0), pledge(1), pledge(0, chunk=1)]
    arrivals = [arrival(pledged[0], 10), arrival(pledged[1], 20), arrival(pledged[2], 5000)]

    found = compare(pledged, arrivals, REPORT, {"mastodon.0.1": "worker killed"})

    late = {"chunk": "mastodon.0.1", "why": "worker killed", "posts": 1, "sent_p50_ms": 5000.0, "sent_max_ms": 5000.0}
    assert found.as_json() == {
        "pledges": 3,
        "posted": 3,
        "lost": 0,
        "doubled": 0,
        "before_T": 0,
        "unknown": 0,
        "late_chunks": [late],
        "networks": {"mastodon": {"sent_p50_ms": 10.0, "sent_p99_ms": 20.0, "sent_max_ms": 20.0, "acked_p99_ms": 321.0}},
    }


def test_a_repetition_that_published_nothing_is_no_double_and_only_the_first_request_is_timed() -> None:
    one = pledge(0)

    found = compare([one], [arrival(one, 900, published=False), arrival(one, 7, published=True)], REPORT, {})

    assert (found.doubled, found.networks["mastodon"]["sent_max_ms"]) == ([], 7.0)


def test_what_is_wrong_is_found() -> None:
    lost, doubled, early, changed = (pledge(n) for n in range(4))
    stranger = pledge(9)
    arrivals = [
        arrival(doubled, 10),
        arrival(doubled, 11),
        arrival(early, -0.001),
        arrival(changed, 10, text="other words"),
        arrival(stranger, 10),
        arrival(lost, 12, published=False),
    ]

    found = compare([lost, doubled, early, changed], arrivals, {"unknown": 2}, {})

    assert found.lost == [lost.id, changed.id]
    assert found.doubled == [doubled.id]
    assert found.before == [early.id]
    assert found.strange == [f"{stranger.account}@{stranger.host}"]
    assert (found.posted, found.unknown) == (2, 2)


def test_times_are_exact() -> None:
    assert nanoseconds("2026-11-24T13:30:00+00:00") == 1_795_527_000_000_000_000
    assert nanoseconds("2026-11-24T14:30:00.000001+01:00") == 1_795_527_000_000_001_000


@pytest.mark.parametrize(("share", "expected"), [(0.5, 50.0), (0.99, 99.0), (1.0, 100.0), (0.001, 1.0)])
def test_percentiles_are_nearest_rank(share: float, expected: float) -> None:
    assert percentile([float(n) for n in range(1, 101)], share) == expected


def test_nothing_has_no_percentile() -> None:
    assert percentile([], 0.5) is None
