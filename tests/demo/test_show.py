"""What the demonstration does not let pass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from infra.demo.comparison import Comparison, LateChunk, Pledged
from infra.demo.show import complaints

PLEDGED = [
    Pledged(f"abc.{network}.0.{number // 250}.{number % 250:03}", network, f"{place}-{number % 24}.test", f"p{number}", "x", 0)
    for network, place in (("mastodon", "town"), ("bluesky", "pds"))
    for number in range(500)
]
LATE = LateChunk("mastodon.0.1", "worker killed", 250, 9_000.0, 74_000.0)
WELL = Comparison(1000, 1000, [], [], [], [], 0, [LATE], {"mastodon": {"sent_p99_ms": 90.0}})
REPORT: Mapping[str, Any] = {"posted": 1000}


def said(found: Comparison, pledged: list[Pledged] = PLEDGED, report: Mapping[str, Any] = REPORT) -> list[str]:
    return complaints(found, pledged, report, "mastodon.0.1")


def test_nothing_is_said_where_all_holds() -> None:
    assert said(WELL) == []


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"lost": ["a", "b"]}, "2 pledges were lost"),
        ({"doubled": ["a"]}, "1 posts were doubled"),
        ({"before": ["a"]}, "1 posts went out before their time"),
        ({"strange": ["a"]}, "1 posts came from accounts without a live pledge"),
        ({"unknown": 3}, "3 outcomes are unknown"),
        ({"posted": 999}, "1 posts are not what the launch report says"),
        ({"late": [replace(LATE, sent_max_ms=75_001.0)]}, "the killed chunk mastodon.0.1 was not out within 75 s"),
        ({"late": []}, "the killed chunk mastodon.0.1 was not out within 75 s"),
    ],
)
def test_what_does_not_hold_is_said(changed: dict[str, Any], expected: str) -> None:
    assert said(replace(WELL, **changed)) == [expected]


def test_too_small_a_demonstration_is_none() -> None:
    few = [pledge for pledge in PLEDGED if pledge.chunk != "bluesky.0.1" and pledge.host in ("town-0.test", "town-1.test", "pds-0.test")]

    found = said(WELL, few)

    assert [complaint.partition(" ")[2] for complaint in found] == [
        "pledges too few on a network: 500 are wanted on each",
        "chunks too few: 4 are wanted",
        "servers too few: 20 are wanted",
    ]
