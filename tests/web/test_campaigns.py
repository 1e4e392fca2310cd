"""Making and finding campaigns."""

from __future__ import annotations

from typing import Any

import pytest
from chalice.test import Client

from chalicelib import clock, participants
from tests.aws import Skipping
from tests.web.browser import Browser, Program
from tests.web.conftest import API, HERE, signed_in

PHASE = {
    "title": "What gets in the way?",
    "opens_at": "2027-01-09T08:00:00+00:00",
    "closes_at": "2027-01-29T18:00:00Z",
    "kinds": ["barrier", "solution"],
}
NEW: dict[str, Any] = {"slug": "calm", "title": "A calmer ward", "question": "What would make it calmer?", "phase": PHASE}
TYPED = {
    "slug": "calm",
    "title": "A calmer ward",
    "question": "What would make it calmer?",
    "phase.title": "What gets in the way?",
    "phase.opens_at": "2027-01-09T08:00",
    "phase.closes_at": "2027-01-29T18:00",
    "phase.kinds": ["barrier", "solution"],
    "zone": "Europe/London",
}


@pytest.fixture
def founder(client: Client, aws: None) -> Browser:
    """The browser of an organiser whom the operator appointed."""
    participants.appoint("fay@example.org", now=clock.utc_now())
    made = Browser(client)
    made.cookies["gs_session"] = signed_in("fay@example.org")
    return made


def test_first_page_without_a_campaign_says_so(client: Client) -> None:
    assert "There is no campaign yet" in Browser(client).get("/").text


def test_campaign_can_be_found_and_read_without_an_account(browser: Browser, program: Program) -> None:
    assert HERE in browser.get("/").read.links
    assert "Nobody has added an idea yet" in browser.get(HERE).text

    found = program.ask("GET", API)
    assert found["open_phase"] == 1
    assert found["phases"][0]["closes_at"] == "2027-01-23T09:00:00+00:00"
    assert program.ask("GET", "/v1/campaigns")["items"][0]["slug"] == "change-challenge"


def test_organiser_can_make_a_campaign_on_a_page(founder: Browser) -> None:
    assert "/campaigns/new" in founder.get("/").read.links
    founder.get("/campaigns/new")

    page = founder.send("/campaigns", **{name.replace(".", "__"): value for name, value in TYPED.items()})

    assert "What would make it calmer?" in page.text
    assert "Stage 1 of 1: What gets in the way?" in page.text


def test_organiser_can_make_a_campaign_as_json(founder: Browser, client: Client) -> None:
    program = Program(client, founder.cookies["gs_session"])

    assert program.ask("POST", "/v1/campaigns", NEW)["slug"] == "calm"
    assert program.status == 201
    assert program.ask("POST", "/v1/campaigns", NEW)["slug"] == "calm"
    assert program.ask("GET", "/v1/campaigns/calm")["organiser"] is True


def test_nobody_else_can_make_a_campaign(ann: Browser, ann_program: Program) -> None:
    assert ann.get("/campaigns/new").status == 403
    assert ann_program.refused("POST", "/v1/campaigns", NEW)[:2] == (403, "not_organiser")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"slug": ""}, "slug"),
        ({"slug": "Calm Ward"}, "slug"),
        ({"slug": "x" * 61}, "slug"),
        ({"slug": 7}, "slug"),
        ({"title": " "}, "title"),
        ({"title": "x" * 121}, "title"),
        ({"question": ""}, "question"),
        ({"phase": "now"}, "phase"),
        ({"phase": {}}, "phase.title"),
        ({"phase": PHASE | {"title": ""}}, "phase.title"),
        ({"phase": PHASE | {"kinds": []}}, "phase.kinds"),
        ({"phase": PHASE | {"kinds": "barrier"}}, "phase.kinds"),
        ({"phase": PHASE | {"kinds": ["wish"]}}, "phase.kinds"),
        ({"phase": PHASE | {"opens_at": "2027-01-09T08:00:00"}}, "phase.opens_at"),
        ({"phase": PHASE | {"opens_at": "soon"}}, "phase.opens_at"),
        ({"phase": PHASE | {"closes_at": "2027-01-09T07:00:00+00:00"}}, "phase.closes_at"),
        ({"phase": PHASE | {"closes_at": "9999-12-31T23:59:59-14:00"}}, "phase.closes_at"),
        ({"phase": PHASE | {"lane": 1}}, "phase.lane"),
    ],
)
def test_campaign_is_refused_naming_the_field(founder: Browser, client: Client, changes: dict[str, Any], field: str) -> None:
    status, _, fields = Program(client, founder.cookies["gs_session"]).refused("POST", "/v1/campaigns", NEW | changes)

    assert status == 400
    assert field in fields


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("slug", "Calm Ward"),
        ("title", ""),
        ("phase.title", ""),
        ("phase.opens_at", ""),
        ("phase.closes_at", "2027-01-09T07:00"),
        ("phase.opens_at", "2027-03-28T01:30"),
        ("zone", "Mars/Olympus"),
        ("zone", ""),
    ],
)
def test_campaign_on_a_page_is_refused_and_kept(founder: Browser, name: str, typed: str) -> None:
    founder.get("/campaigns/new")

    page = founder.send("/campaigns", **TYPED | {name: typed})

    assert page.status == 400
    assert f"#{name}" in page.read.links
    kept = page.form("/campaigns").fields
    assert kept[name] == typed
    assert all(kept[other] == value for other, value in TYPED.items() if other not in (name, "phase.kinds"))


def test_taken_address_is_refused_and_kept(founder: Browser, campaign: object) -> None:
    founder.get("/campaigns/new")

    page = founder.send("/campaigns", **TYPED | {"slug": "change-challenge"})

    assert page.status == 409
    assert page.form("/campaigns").fields["slug"] == "change-challenge"


def test_campaign_that_has_not_begun_says_when(founder: Browser, skipping: Skipping) -> None:
    founder.get("/campaigns/new")
    founder.send("/campaigns", **TYPED | {"phase.opens_at": "2027-01-20T08:00"})

    assert "The first stage opens on Wednesday 20 January 2027 at 8.00am" in founder.page.text
    assert founder.get("/c/calm/contributions/new").status == 200
