"""The pledges that `make bench-fanout` draws, and its bars."""

from __future__ import annotations

import random
from datetime import datetime
from types import SimpleNamespace

import pytest

from chalicelib import networks, slots
from chalicelib.errors import Invalid
from tests.bench import fanout, fanout_plan
from tests.bench.fanout_plan import Plan


def test_five_missing_networks_are_there_for_the_bench_only() -> None:
    before = networks.NAMES
    with fanout_plan.seven():
        assert len(networks.NAMES) == 7
        assert slots.lane_of("x", 10_000) == "x.1"
        assert slots.lane_delay("tumblr.2") == 7200

    assert before == networks.NAMES
    for name in set(fanout_plan.MISSING) - set(before):
        with pytest.raises(Invalid):
            networks.get(name)


def test_pledges_are_drawn_by_zipfs_law_on_hosts_of_all_networks() -> None:
    of = fanout_plan.hosts()
    with fanout_plan.seven():
        plan = fanout_plan.drawn(50_000, random.Random(1))

    assert len(of) == 1500
    assert set(of) == set(fanout_plan.NETWORKS)
    assert plan.pledges == 50_000
    assert plan.hosts > 1000
    assert plan.slots["threads.0"] == pytest.approx(50_000 / 7.89, rel=0.1)
    assert plan.slots["threads.0"] == pytest.approx(2 * plan.slots["facebook.0"], rel=0.1)
    assert plan.slots["tumblr.0"] == 1000
    assert "mastodon.1" in plan.slots


def test_ticks_are_those_at_which_a_lane_has_something_to_send() -> None:
    found = fanout.ticks(SimpleNamespace(at=1_000_000), Plan({"mastodon.0": 1, "mastodon.2": 1}, 1))

    seconds = [1_000_000 + delay for delay in (-1500, -900, 600 - 1500, 600 - 900)]
    assert [at.timestamp() for at in found] == sorted(set(seconds))
    assert all(isinstance(at, datetime) for at in found)


def test_fan_out_beyond_its_bars_is_told() -> None:
    plan = Plan({"mastodon.0": 1000, "mastodon.1": 1}, 2)
    within = {"pledges": 1001, "hosts": 2, "messages": 8, "pledge_reads": 0, "cpu_s": 99.0}
    million = {"pledges": 1_000_000, "hosts": 1500, "messages": 8, "pledge_reads": 0, "cpu_s": 60.1}

    assert fanout.beyond(plan, within) == []
    assert len(fanout.beyond(plan, within | {"messages": 9, "pledge_reads": 1})) == 2
    assert len(fanout.beyond(plan, million)) == 1
    assert len(fanout.beyond(plan, million | {"cpu_s": 1.0, "hosts": 999})) == 1
