"""The moment: what everybody sees, what organisers can do, what is refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from chalice.test import Client

from chalicelib import campaigns, clock, counts, fan_out, launches, notices, participants, supporters
from tests.launching import Launching
from tests.web.browser import Browser, Program
from tests.web.conftest import API, HERE, signed_in

NEW: dict[str, Any] = {
    "message": "Change starts with the people who do the work.",
    "url": "https://change.example.org/solutions",
    "at": "2027-07-14T13:30:00+01:00",
    "zone": "Europe/London",
    "closes_at": "2027-07-14T13:00:00+01:00",
    "goal": 500,
    "networks": ["mastodon"],
}
TYPED = NEW | {"at": "2027-07-14T13:30", "closes_at": "2027-07-14T13:00", "goal": "500"}


def test_organiser_can_set_change_and_see_the_moment(olive: Browser) -> None:
    assert "No moment has been set yet" in olive.get(f"{HERE}/launch").text
    olive.get(f"{HERE}/launch/edit")

    page = olive.send("/launch", **TYPED)

    assert "Wednesday 14 July 2027 at 1.30pm (BST, Europe/London)" in page.text
    assert "500 people join in" in page.text
    kept = olive.get(f"{HERE}/launch/edit").form("/launch").fields
    assert {name: kept[name] for name in TYPED} == TYPED | {"networks": "mastodon"}
    assert "at 2.00pm" in olive.send("/launch", at="2027-07-14T14:00").text


def test_launch_as_json_keeps_its_zone(organiser: Callable[[str], Program]) -> None:
    oscar = organiser("oscar@example.org")

    made = oscar.ask("PUT", f"{API}/launch", NEW)

    assert oscar.status == 200
    assert made.items() >= NEW.items()
    assert made.items() >= {"state": "open", "approvals": 0, "approved": False, "people": 0}.items()
    oscar.token = None
    assert oscar.ask("GET", f"{API}/launch") == made


def test_two_people_approve_and_one_can_stop(olive: Browser, organiser: Callable[[str], Program]) -> None:
    oscar = organiser("oscar@example.org")
    oscar.ask("PUT", f"{API}/launch", NEW)
    olive.get(f"{HERE}/launch")

    assert "1 of 2 people have approved" in olive.send("/launch/approve").text
    assert "You have approved it" in olive.page.text
    assert oscar.ask("POST", f"{API}/launch/approve", {})["approved"] is True
    assert "It may go out" in olive.get(f"{HERE}/launch").text
    assert "Being stopped" in olive.send("/launch/stop").text
    assert oscar.ask("POST", f"{API}/launch/stop", {})["stopped_at"]


def test_approvals_cannot_be_told_from_each_other(launch: Launching, program: Program) -> None:
    launch.approve()

    found = program.ask("GET", f"{API}/launch")

    assert found["approvals"] == 2
    assert "olive" not in str(found)


@pytest.mark.parametrize(("method", "path"), [("PUT", "/launch"), ("POST", "/launch/approve"), ("POST", "/launch/stop")])
def test_nobody_else_can_touch_the_launch(launch: Launching, ann_program: Program, ann: Browser, method: str, path: str) -> None:
    assert ann_program.refused(method, API + path, NEW)[:2] == (403, "not_organiser")
    csrf = ann.get("/sign-in").form("/sign-in").fields["csrf"]

    assert ann.post(HERE + path, TYPED | {"csrf": csrf}).status == 403
    assert ann.get(f"{HERE}/launch/edit").status == 403
    assert "For organisers" not in ann.get(f"{HERE}/launch").text


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"at": "2027-01-08T13:30:00+00:00", "closes_at": "2027-01-08T13:00:00+00:00"}, "at"),
    ({"at": "2027-07-14T13:30:00"}, "at"),
    ({"at": "2027-07-14T13:30:00+05:00"}, "at"),
    ({"at": "tomorrow"}, "at"),
    ({"at": 1815222600}, "at"),
    ({"closes_at": "2027-07-14T13:29:00+01:00"}, "closes_at"),
    ({"closes_at": ""}, "closes_at"),
    ({"zone": ""}, "zone"),
    ({"zone": "Mars/Olympus"}, "zone"),
    ({"zone": "../../etc/passwd"}, "zone"),
    ({"zone": None}, "zone"),
    ({"goal": 0}, "goal"),
    ({"goal": "many"}, "goal"),
    ({"goal": 10**20}, "goal"),
    ({"message": ""}, "message"),
    ({"message": "x" * 501}, "message"),
    ({"url": "javascript:alert(1)"}, "url"),
    ({"url": "http://example.org"}, "url"),
    ({"networks": []}, "networks"),
    ({"networks": ["friendface"]}, "networks"),
    ({"networks": "mastodon"}, "networks"),
]


@pytest.mark.parametrize(("changes", "field"), WRONG)
def test_launch_is_refused_naming_the_field(organiser: Callable[[str], Program], changes: dict[str, Any], field: str) -> None:
    oscar = organiser("oscar@example.org")

    status, _, fields = oscar.refused("PUT", f"{API}/launch", NEW | changes)

    assert status == 400
    assert field in fields


def test_launch_without_a_zone_is_refused(organiser: Callable[[str], Program]) -> None:
    without = {name: value for name, value in NEW.items() if name != "zone"}

    assert organiser("oscar@example.org").refused("PUT", f"{API}/launch", without)[2] == {"zone": "is missing"}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"at": "2027-01-08T13:30", "closes_at": "2027-01-08T13:00"}, "at"),
        ({"at": ""}, "at"),
        ({"at": "2027-03-28T01:30", "closes_at": "2027-03-27T01:30"}, "at"),
        ({"closes_at": "2027-07-14T13:29"}, "closes_at"),
        ({"zone": ""}, "zone"),
        ({"zone": "Mars/Olympus"}, "zone"),
        ({"goal": "many"}, "goal"),
        ({"goal": ""}, "goal"),
        ({"message": ""}, "message"),
        ({"url": "<script>alert(1)</script>"}, "url"),
    ],
)
def test_launch_on_a_page_is_refused_and_kept(olive: Browser, changes: dict[str, Any], field: str) -> None:
    olive.get(f"{HERE}/launch/edit")

    page = olive.send("/launch", **TYPED | changes)

    assert page.status == 400
    assert f"#{field}" in page.read.links
    kept = page.form("/launch").fields
    assert {name: kept[name] for name in TYPED if name != "networks"} == {
        name: value for name, value in (TYPED | changes).items() if name != "networks"
    }
    assert "No moment has been set yet" in olive.get(f"{HERE}/launch").text


def test_launch_without_networks_on_a_page_is_refused(olive: Browser) -> None:
    form = olive.get(f"{HERE}/launch/edit").form("/launch")
    sent = {name: value for name, value in (form.fields | TYPED).items() if name != "networks"}

    page = olive.post(f"{HERE}/launch", sent)

    assert page.status == 400
    assert "#networks" in page.read.links


def test_approving_too_late_says_which_moment_can_still_be_met(launch: Launching, olive: Browser) -> None:
    olive.get(f"{HERE}/launch")
    launch.clock.at(launch.moment(-60))

    page = olive.send("/launch/approve")

    assert page.status == 409
    assert "too late" in page.text


def test_launch_can_be_followed_to_its_report(launch: Launching, browser: Browser, program: Program) -> None:
    pledge = launch.pledge("jane")
    counts.recount([supporters.partition(launch.launch.id, "people", pledge.supporter)])
    assert program.refused("GET", f"{API}/launch/report")[:2] == (404, "not_ended")
    assert "1 person" in browser.get(f"{HERE}/launch").text
    launch.work(launch.ready())

    launch.tick(launch.moment(60))
    while not launch.launch.settled_at:
        launch.clock.at(launch.clock.now() + timedelta(minutes=10).total_seconds())
        fan_out.run(launch.now)

    report = program.ask("GET", f"{API}/launch/report")
    assert (report["pledged"], report["posted"], report["people"]) == (1, 1, 1)
    assert f"{HERE}/launch/report" in browser.get(f"{HERE}/launch").read.links
    page = browser.get(f"{HERE}/launch/report")
    assert "How exact it was" in page.text
    assert "1 person (the goal was 1)" in page.text


def test_organiser_of_another_campaign_cannot_touch_the_launch(client: Client, launch: Launching) -> None:
    """Whom the operator lets create campaigns organises only their own."""
    participants.appoint("fay@example.org", now=clock.utc_now())
    fay = Program(client, signed_in("fay@example.org"))
    for method, path, body in (("PUT", "", NEW), ("POST", "/approve", {}), ("POST", "/stop", {})):
        assert fay.refused(method, f"{API}/launch{path}", body)[:2] == (403, "not_organiser")


def test_organisers_see_that_the_operator_approved(olive: Browser, launch: Launching) -> None:
    launches.approve(launch.campaign, "operator:Pat Operator", now=launch.now)
    olive.get(f"{HERE}/launch")
    page = olive.send("/launch/approve")

    assert "Approved by the operator Pat Operator and an organiser." in page.text
    assert "It may go out" in page.text
    assert "Pat Operator" not in Browser(olive.client).get(f"{HERE}/launch").text


def test_organisers_letters_lead_to_the_page_as_they_reached_it(olive: Browser, organiser: Callable[[str], Program]) -> None:
    olive.get(f"{HERE}/launch/edit")
    olive.send("/launch", **TYPED)
    found = campaigns.get("change-challenge", consistent=True)

    page = notices.page_of(launches.of(found))

    assert page is not None
    assert page.startswith("http")
    assert page.endswith(f"{HERE}/launch")
