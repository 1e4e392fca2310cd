"""The launch report as JSON and as a page, on a network that has had a late chunk."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from chalice.test import Client
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.web import charts
from infra import verify_report
from tests.launching import Launching
from tests.web.browser import Browser, Program
from tests.web.conftest import API, HERE


@pytest.fixture
def over(launch: Launching) -> Launching:
    """Ended: three posts on time, one on another network a minute late."""
    launch.propose(networks=["mastodon", "bluesky"])
    for name in ("ann", "ben", "cat"):
        launch.pledge(name)
    launch.pledge("eve", network="bluesky")
    queued = launch.ready()
    late = [message for message in queued if message.message["lane"].startswith("bluesky")]
    launch.work([message for message in queued if message not in late])
    launch.work(late, at=75.0)
    launch.tick(launch.moment(120))
    return launch


def test_report_that_the_site_gives_holds(over: Launching, client: Client, tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    file.write_bytes(bytes(client.http.get(f"{API}/launch/report").body))

    verify_report.run(str(file), None)


def test_report_says_the_planned_time_in_words(over: Launching, browser: Browser) -> None:
    page = browser.get(f"{HERE}/launch/report")

    assert "9 January at 9.30am" in page.text
    assert "T09:30" not in page.html


def test_report_says_what_a_signature_shows_and_what_not(over: Launching, browser: Browser, program: Program) -> None:
    page = browser.get(f"{HERE}/launch/report")

    assert "nobody has changed it since. It does not prove that our clock was right" in page.text
    assert program.ask("GET", f"{API}/launch/report")["signature"]["key_id"] in page.text
    assert f"{API}/launch/report" in page.read.links


def test_report_shows_a_chart_that_can_be_read_without_seeing_it(over: Launching, browser: Browser) -> None:
    page = browser.get(f"{HERE}/launch/report")

    chart = re.search(r"<svg.*?</svg>", page.html, re.S)
    assert chart
    assert 'role="img" aria-labelledby="chart-title chart-desc"' in chart[0]
    assert {"chart-title", "chart-desc"} <= set(page.read.ids)
    assert "style=" not in chart[0]
    drawn = [int(count) for count in re.findall(r">(\d+)</text>", chart[0])]
    table = [int(count) for count in re.findall(r"s</th><td>(\d+)</td>", page.html)]
    assert drawn == table
    assert sum(table) == 4
    assert "60 to 120 s: 1." in chart[0]


def test_report_says_that_the_clock_is_not_known(over: Launching, browser: Browser) -> None:
    assert "Clock error of our machines: not known." in browser.get(f"{HERE}/launch/report").text


@given(st.dictionaries(st.integers(-3, 8000).map(lambda tenth: f"{tenth / 10:.1f}"), st.integers(1, 10**6), min_size=1))
def test_chart_has_every_post_in_its_span(histogram: dict[str, int]) -> None:
    chart = charts.of(histogram)

    assert chart.total == sum(histogram.values())
    assert chart.bars[-1].count
    assert all(bar.width <= charts.WIDTH - charts.LEFT - charts.RIGHT and (bar.width >= 2) is bool(bar.count) for bar in chart.bars)


@pytest.mark.parametrize(
    ("begin", "label"),
    [("0.0", "up to 0.1 s"), ("0.1", "0.1 to 0.2 s"), ("0.9", "0.5 to 1 s"), ("59.9", "30 to 60 s"), ("600.0", "over 600 s")],
)
def test_times_are_in_the_span_that_they_begin_in(begin: str, label: str) -> None:
    assert charts.of({begin: 1}).bars[-1].label == label
