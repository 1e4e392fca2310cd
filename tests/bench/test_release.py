"""The figures of `make bench-release`, and its bars."""

from __future__ import annotations

from collections import Counter

import pytest

from infra.stand_ins.arrivals import Arrival
from tests.bench import release
from tests.bench.release import Mode

AT = 1_800_000_000


def arrival(key: str, ms: float, *, post: str | None = "1") -> Arrival:
    return Arrival(AT * 10**9 + int(ms * 1e6), "mastodon", "host", 1, "POST", "/api/v1/statuses", key=key, post=post)


def test_arrivals_are_told_in_milliseconds_after_the_moment() -> None:
    assert release.after([arrival("a", 5.5), arrival("b", -1)], AT, expected=2) == [5.5, -1]


@pytest.mark.parametrize(
    "arrivals",
    [[arrival("a", 5)], [arrival("a", 5), arrival("a", 6)], [arrival("a", 5), arrival("b", 6, post=None)]],
    ids=["one is lost", "one came twice", "one was not taken"],
)
def test_run_that_lost_or_doubled_a_post_does_not_count(arrivals: list[Arrival]) -> None:
    with pytest.raises(AssertionError):
        release.after(arrivals, AT, expected=2)


def test_figures_of_a_run() -> None:
    found = release.figures([-2.0, *[float(ms) for ms in range(1, 100)]], [300.04] * 100)

    assert found == {"before_T": 1, "first_ms": -2.0, "p50_ms": 49.0, "p99_ms": 98.0, "max_ms": 99.0, "acked_p99_ms": 300.0}


def test_workers_share_the_pledges_and_no_host_gets_more_than_its_part() -> None:
    hosts = [f"host-{number}" for number in range(250)]
    found = release.chunks(Mode("warm", "steady", 2000, 8, 1), hosts)

    assert [(chunk.number, chunk.pledges, chunk.total) for chunk in found] == [(number, 250, 2000) for number in range(8)]
    asked = Counter(chunk.hosts[place % len(chunk.hosts)] for chunk in found for place in range(chunk.pledges))
    assert set(asked.values()) == {8}


def run(mode: str = "warm", p99_ms: float = 30.0, **values: object) -> release.Run:
    return {"mode": mode, "stand_in": "steady", "pledges": 250, "workers": 1, "before_T": 0, "p99_ms": p99_ms} | values


def test_bars_are_those_of_the_medians() -> None:
    baselines = [run("cold", 500.0), run("unheld", 600.0)]

    assert release.beyond([run(), run(p99_ms=31.0), run(p99_ms=900.0), *baselines]) == []
    assert release.beyond([run(p99_ms=51.0), *baselines]) == ["250 in one worker: p99 51.0 ms after T, bar 50"]
    assert release.beyond([run(before_T=1), *baselines]) == ["1 posts before T in warm steady 250 in 1"]
    assert release.beyond([run(), run("cold", 149.0), run("unheld", 600.0)]) == ["only 5.0 times tighter than cold, bar 5"]
    many = run(pledges=2000, workers=8, p99_ms=1001.0)
    assert release.beyond([run(), many, *baselines]) == ["2,000 in 8 workers: p99 1001 ms after T, bar 1000"]
