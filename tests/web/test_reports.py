"""The launch report as JSON and as a page, on a network that has had a late chunk."""

from __future__ import annotations

import re
import types
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from chalice.test import Client
from hypothesis import given
from hypothesis import strategies as st

from chalicelib import chunks, nightly, settings, visits
from chalicelib.campaigns import Campaign
from chalicelib.pledges import Pledge
from chalicelib.web import charts, landings
from chalicelib.web.http import Visit
from infra import verify_report
from tests.conftest import NOW
from tests.launching import Launching
from tests.web.browser import Browser, Page, Program
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


def mine(launch: Launching, browser: Browser, pledge: Pledge) -> Page:
    """The page of a pledge, in the browser of its supporter."""
    browser.cookies["gs_supporter"] = launch.tokens[pledge.id]
    return browser.get(f"{HERE}/pledges/{pledge.id}")


def test_supporter_learns_that_their_post_was_late_and_why(launch: Launching, browser: Browser, program: Program) -> None:
    pledge = launch.pledge("ann")
    launch.work(launch.ready(), at=90.0)

    page = mine(launch, browser, pledge)

    assert re.search(r"It went out at the latest 9\d seconds after the agreed time, because the machine", page.text)
    assert [link for link in page.read.links if link.startswith("https://town-")]
    program.token = launch.tokens[pledge.id]
    assert program.ask("GET", f"{API}/pledges/{pledge.id}")["outcome"]["late"] is True


def test_supporter_learns_that_their_post_was_on_time_with_its_address(launch: Launching, browser: Browser) -> None:
    pledge = launch.pledge("ann")
    launch.work(launch.ready())

    page = mine(launch, browser, pledge)

    assert "It was sent at the agreed time, Saturday 9 January 2027 at 9.30am" in page.text
    address = next(link for link in page.read.links if link.startswith("https://town-"))
    assert f"See your post: {address}" in page.text


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (
            {"outcome": "posted", "sent_ms": 4100.0},
            "It went out 4 seconds after the agreed time, because town-01.test could not be reached",
        ),
        ({"outcome": "refused", "said": "Text is too long"}, "town-01.test said: Text is too long"),
        ({"outcome": "reconnect"}, "The permission that you gave no longer worked"),
        ({"outcome": "halted", "said": "suspended"}, "took no more posts from this service before yours was sent"),
        ({"outcome": "stopped"}, "The organisers stopped it before your post was sent"),
        ({"outcome": "not_agreed"}, "you had not agreed to the new one"),
        ({"outcome": "unknown"}, "Please look at your account before you post it again"),
    ],
)
def test_supporter_learns_what_happened_in_plain_words(launch: Launching, browser: Browser, outcome: dict[str, Any], words: str) -> None:
    pledge = launch.pledge("ann")
    launch.approve()
    chunks.Outcomes(pk=pledge.pk, sk=chunks._outcomes_key(1), items={str(pledge.sk): outcome}, meta={"late": False}).save()

    assert words in mine(launch, browser, pledge).text


def test_supporter_learns_that_nothing_could_send_their_post(launch: Launching, browser: Browser) -> None:
    pledge = launch.pledge("ann")
    launch.ready()
    launch.tick(launch.moment(700))

    assert "within ten minutes of the agreed time nothing could send your post" in mine(launch, browser, pledge).text


def landed(launch: Launching) -> int:
    return visits.between(launch.campaign.slug, launch.now - timedelta(hours=1), launch.now + timedelta(hours=1))


ADD = f"{HERE}/contributions/new?from=launch"


def test_visits_by_the_link_are_counted_without_a_cookie(launch: Launching, browser: Browser) -> None:
    for address in (ADD, f"{HERE}?from=launch", f"{HERE}/ideas?from=launch&sort=new"):
        assert browser.get(address).status == 200

    assert landed(launch) == 3
    assert not [name for name in browser.cookies if name not in ("gs_browser",)]


@pytest.mark.parametrize("address", [HERE, f"{HERE}?from=elsewhere", f"{API}?from=launch", "/?from=launch", "/c/nowhere?from=launch"])
def test_other_visits_are_not_counted(launch: Launching, client: Client, address: str) -> None:
    client.http.get(address)

    assert landed(launch) == visits.between("nowhere", launch.now, launch.now + timedelta(hours=1)) == 0


@pytest.mark.parametrize("agent", ["Mastodon/4.3.1 (http.rb/5.2.0; +https://town-01.test/) Bot", "facebookexternalhit/1.1", "Slackbot"])
def test_machines_that_say_so_are_not_counted(launch: Launching, client: Client, agent: str) -> None:
    assert client.http.get(ADD, headers={"User-Agent": agent}).status_code == 200

    assert landed(launch) == 0


def test_page_is_shown_even_if_its_visit_cannot_be_counted(launch: Launching, client: Client) -> None:
    boto3.client("dynamodb").delete_table(TableName="groundswell-local-visits")

    assert client.http.get(ADD).status_code == 200


def test_what_came_of_it_is_told_on_page_and_in_json_beside_what_is_signed(over: Launching, browser: Browser, program: Program) -> None:
    before = browser.get(f"{HERE}/launch/report")
    assert "counted for 72 hours, until Tuesday 12 January 2027 at 9.30am" in before.text
    assert program.ask("GET", f"{API}/launch/report")["came_of_it"] is None
    over.clock.at(over.moment(7200))
    browser.get(ADD)
    over.clock.at(over.moment(73 * 3600))
    nightly.run()

    page, report = browser.get(f"{HERE}/launch/report"), program.ask("GET", f"{API}/launch/report")

    assert report["came_of_it"]["after"] == {"visits": 1, "joins": 0, "ideas": 0}
    assert "Visits by the link in the posts</th><td>0</td><td>1</td>" in page.html
    assert "not part of what is signed" in page.text
    assert any("not signed" in line for line in verify_report.checked(report))


def test_new_launch_is_proposed_to_lead_where_an_idea_is_added(
    client: Client, olive: Browser, monkeypatch: pytest.MonkeyPatch, campaign: Campaign
) -> None:
    assert olive.get(f"{HERE}/launch/edit").form("/launch").fields["url"] == ""  # http on the local stage, which nobody posts
    visit = Visit(
        types.SimpleNamespace(path="/c/{slug}", headers={}, context={"path": f"/api{HERE}", "domainName": "change.example.org"}), NOW
    )
    monkeypatch.setenv("STAGE", "dev")
    monkeypatch.delenv("LEAD_S")
    settings.current.cache_clear()
    try:
        found = landings.proposed(visit, "change-challenge")
    finally:
        monkeypatch.undo()
        settings.current.cache_clear()

    assert found == {"url": f"https://change.example.org/api{ADD}"}
