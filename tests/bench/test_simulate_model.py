"""The model that `make simulate` draws from: what is documented goes in, and a lead that is too short shows."""

from __future__ import annotations

import random

import pytest

from chalicelib.figures import percentiles
from chalicelib.volleys import SEND_AFTER_S
from tests.bench import simulate, simulate_model
from tests.bench.simulate_model import Machine
from tests.bench.waking import QUEUE_DELAY, Spread, minute_ms

MACHINE = Machine(post_ms=0.1)


def p99(pledges: int, lead_s: float, machine: Machine = MACHINE) -> float:
    found = percentiles(list(simulate_model.sent_ms(pledges, lead_s, machine, random.Random(1))))
    assert found
    return found["p99_ms"]


def test_spread_meets_its_quantiles_and_ascends() -> None:
    spread = Spread([(0.0, 0.0), (0.5, 10.0), (1.0, 1000.0)])

    assert [spread.at(share) for share in (0.0, 0.25, 0.5, 1.0)] == pytest.approx([0.0, 5.0, 10.0, 1000.0])
    assert spread.at(0.75) == pytest.approx(100.0)
    drawn = sorted(QUEUE_DELAY.drawn(random.Random(seed)) for seed in range(1000))
    assert drawn[0] >= 4
    assert drawn[500] == pytest.approx(16, rel=0.3)
    assert drawn[-1] <= 1000


def test_rule_of_one_minute_fires_within_its_minute() -> None:
    drawn = [minute_ms(random.Random(seed)) for seed in range(200)]

    assert min(drawn) >= 0
    assert 50_000 < max(drawn) <= 59_000


@pytest.mark.parametrize(
    ("place", "count", "seconds"),
    [(4, 400, 0.0), (5, 400, 0.2), (304, 400, 60.0), (1999, 4000, 10.0), (2999, 4000, 60.0), (3999, 4000, 120.0)],
    ids=["five at once", "then five a second", "300 a minute", "an environment of 2,000", "provisioned", "the last of 4,000"],
)
def test_workers_are_started_as_documented(place: int, count: int, seconds: float) -> None:
    assert simulate_model.woken_after(place, count) == pytest.approx(seconds)


def test_pollers_are_provisioned_above_900_workers_only() -> None:
    assert [simulate_model.pollers(count) for count in (1, 900, 901, 4000)] == [0, 0, 91, 200]


def test_every_pledge_is_sent_once() -> None:
    assert len(list(simulate_model.sent_ms(1001, 120, MACHINE, random.Random(1)))) == 1001


@pytest.mark.parametrize("pledges", [100_000, 1_000_000])
def test_lead_of_the_code_is_long_enough_and_half_of_it_is_not(pledges: int, monkeypatch: pytest.MonkeyPatch) -> None:
    from chalicelib import settings

    monkeypatch.delenv("LEAD_S")
    settings.current.cache_clear()
    lead = simulate.lead_s(pledges)
    settings.current.cache_clear()

    assert p99(pledges, lead) < 100
    assert p99(pledges, lead / 3) > 1000


def test_posts_are_as_far_apart_as_measured_and_further_where_processors_are_shared() -> None:
    here = Machine(0.1, clock_ms=0, woken=False)

    assert p99(250, 60, here) == pytest.approx(SEND_AFTER_S * 1000 + 25, abs=5.5)
    assert p99(2000, 60, Machine(0.1, processes=8, clock_ms=0, woken=False)) == pytest.approx(SEND_AFTER_S * 1000 + 200, abs=10)


def run(**values: object) -> dict[str, object]:
    return {"mode": "warm", "stand_in": "steady", "workers": 1, "pledges": 250, "first_ms": 5.0, "p99_ms": 29.65} | values


def test_spacing_is_that_of_one_warm_worker() -> None:
    measured = [run(), run(mode="cold", p99_ms=900.0), run(workers=8, pledges=2000, p99_ms=500.0)]

    assert simulate.spacing_ms(measured) == pytest.approx(0.1)
    assert simulate.spacing_ms([]) is None


def test_simulation_beyond_its_bars_is_told() -> None:
    runs = [{"pledges": 10_000, "p99_ms": 9e9}, {"pledges": 100_000, "p99_ms": 250.1}, {"pledges": 1_000_000, "p99_ms": 999.0}]

    assert simulate.beyond(runs) == ["100,000: p99 250.1 ms after T, bar 250"]


@pytest.mark.parametrize(("measured_ms", "told"), [(30.0, 0), (3.0, 1), (300.0, 1)])
def test_simulation_that_is_far_from_the_bench_is_told(measured_ms: float, told: int) -> None:
    found = simulate.compared([run(p99_ms=measured_ms)], 0.1)

    assert len([what for one in found if (what := simulate._disagreeing(*one))]) == told
