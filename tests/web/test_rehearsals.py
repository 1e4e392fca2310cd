"""Organisers see whether the launch is ready, and rehearse it, before they approve."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from chalicelib import release
from chalicelib.quotas import Account
from tests.launching import Launching
from tests.web.browser import Browser, Program
from tests.web.conftest import API, HERE


def later(launching: Launching) -> None:
    launching.propose(at=launching.now + timedelta(hours=5), closes_at=launching.now + timedelta(hours=4))


def work(launching: Launching) -> None:
    for message in launching.tick():
        release.handle(message.body)


def test_organiser_rehearses_and_sees_counts_and_nobodys_name(launching: Launching, olive: Browser) -> None:
    later(launching)
    launching.pledge("wilhelmina")
    olive.get(f"{HERE}/launch")
    assert "Nobody has looked whether the permissions" in olive.page.text
    assert any(link.endswith("/launch/rehearsal") for link in olive.page.read.links)

    olive.get(f"{HERE}/launch/rehearsal")
    assert "It begins within a minute" in olive.send("/launch/rehearsal").text
    work(launching)

    page = olive.get(f"{HERE}/launch/rehearsal")
    assert "Finished; it began" in page.text
    assert "Mastodon: the one permission works." in page.text
    assert "wilhelmina" not in page.html
    assert "the next one can start on" in page.text
    assert "Nobody has looked whether the permissions" not in olive.get(f"{HERE}/launch").text


def test_account_with_ten_functions_at_once_is_told_beside_the_approve_button(launching: Launching, olive: Browser) -> None:
    launching.propose(goal=3000)
    Account(pk="account", sk="quotas", concurrent=10, unreserved=10, read_at=0).save()

    page = olive.get(f"{HERE}/launch")
    assert "Stops the launch: This launch needs 12 workers" in page.text
    assert "room for 5 of its 10 functions at once" in page.text
    assert page.form("/launch/approve")
    assert "something stops it" in olive.get(f"{HERE}/launch/rehearsal").text


def test_supporters_are_shown_none_of_it(launching: Launching, ann: Browser) -> None:
    launching.propose()

    page = ann.get(f"{HERE}/launch")
    assert "Not known:" not in page.text
    assert not any(link.endswith("/rehearsal") for link in page.read.links)


def test_dress_rehearsal_is_set_by_the_clock_of_the_launch(launching: Launching, olive: Browser) -> None:
    later(launching)
    olive.get(f"{HERE}/launch/rehearsal")
    page = olive.post(f"{HERE}/launch/rehearsal", dress(olive, "2027-01-09T10:00"))

    assert "It takes place on Saturday 9 January 2027 at 10.00am (GMT, Europe/London)" in page.text


def test_dress_rehearsal_too_near_the_moment_is_refused_on_the_page(launching: Launching, olive: Browser) -> None:
    later(launching)
    olive.get(f"{HERE}/launch/rehearsal")

    refused = olive.post(f"{HERE}/launch/rehearsal", dress(olive, "2027-01-09T13:30"))
    assert refused.status == 409
    assert "at least an hour away from every launch" in refused.text
    unread = olive.post(f"{HERE}/launch/rehearsal", dress(olive, "at ten"))
    assert unread.status == 400
    assert unread.read.forms[-1].fields["at"] == "at ten"


def dress(browser: Browser, at: str) -> dict[str, str]:
    return {"csrf": browser.page.form("/launch/rehearsal").fields["csrf"], "do": "dress", "at": at}


def test_readiness_as_json(launching: Launching, organiser: Callable[[str], Program]) -> None:
    oscar = organiser("oscar@example.org")
    later(launching)
    launching.pledge("ann")
    asked = oscar.ask("POST", f"{API}/launch/rehearse", {})
    assert (asked["probe"]["state"], asked["ready"]) == ("asked", True)
    assert oscar.ask("POST", f"{API}/launch/rehearse", {"do": "probe"})["probe"]["asked_at"] == asked["probe"]["asked_at"]
    work(launching)

    found = oscar.ask("GET", f"{API}/launch/rehearse")
    assert found["probe"].items() >= {"state": "done", "chunks": 1, "done": 1}.items()
    assert found["permissions"] == [{"network": "mastodon", "ok": 1, "reconnect": 0, "unreachable": 0}]
    assert found["windows"] == [{"network": "mastodon", "planned_at": "2027-01-09T14:00:00+00:00", "posts": 1, "chunks": 1}]
    assert {one["level"] for one in found["findings"] if one["name"] in ("workers", "email")} == {"unknown"}
    assert found["dollars"] >= found["dollars_without_email"] > 0


def test_dress_rehearsal_as_json(launching: Launching, organiser: Callable[[str], Program]) -> None:
    oscar = organiser("oscar@example.org")
    later(launching)
    body = {"do": "dress", "at": "2027-01-09T10:00:00+00:00"}

    assert oscar.ask("POST", f"{API}/launch/rehearse", body)["dress"].items() >= {"state": "asked", "at": body["at"]}.items()
    assert oscar.refused("POST", f"{API}/launch/rehearse", {"do": "dress"})[::2] == (400, {"at": "when the dress rehearsal is to be"})
    assert oscar.refused("POST", f"{API}/launch/rehearse", body | {"at": "2027-01-09T10:30:00+00:00"})[:2] == (409, "rehearsing")


def test_there_is_nothing_to_rehearse_without_a_launch(launching: Launching, organiser: Callable[[str], Program]) -> None:
    oscar = organiser("oscar@example.org")

    assert oscar.refused("POST", f"{API}/launch/rehearse", {})[0] == 404
    assert oscar.refused("GET", f"{API}/launch/rehearse")[0] == 404
