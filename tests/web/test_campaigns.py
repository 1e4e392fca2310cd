"""Making, finding, changing, opening and joining campaigns."""

from __future__ import annotations

from typing import Any

import pytest
from chalice.test import Client

from chalicelib import campaigns, clock, participants
from chalicelib.campaigns import Campaign
from tests.aws import Skipping
from tests.web.browser import Browser, Program
from tests.web.conftest import API, HERE, signed_in

PHASE = {
    "title": "What gets in the way?",
    "opens_at": "2027-01-09T08:00:00+00:00",
    "closes_at": "2027-01-29T18:00:00Z",
    "kinds": ["barrier", "solution"],
}
NEW: dict[str, Any] = {"slug": "calm", "title": "A calmer ward", "question": "What would make it calmer?", "phases": [PHASE]}
REST: dict[str, Any] = {
    "about": "We ask everybody.",
    "rules": "Be kind.",
    "urgent": "Ring 999.",
    "contact": "hello@example.org",
    "minimum_age": 16,
    "zone": "Europe/Paris",
    "tags": ["noise", "light"],
    "controllers": [{"name": "Example Trust", "contact": "data@example.org"}],
    "partners": [{"name": "Nursing Times", "link": "https://nt.example"}],
    "choices": [
        {"id": "scope", "label": "Where?", "options": [{"id": "within", "label": "Within"}, {"id": "between", "label": "Between"}]}
    ],
    "limits": {"votes_per_hour": 30},
}
TYPED = {
    "slug": "calm",
    "title": "A calmer ward",
    "question": "What would make it calmer?",
    "opens_at": "2027-01-09T08:00",
    "zone": "Europe/London",
    "template": "2015",
}


@pytest.fixture
def founder(client: Client, aws: None) -> Browser:
    """The browser of an organiser whom the operator appointed."""
    participants.appoint("fay@example.org", now=clock.utc_now())
    made = Browser(client)
    made.cookies["gs_session"] = signed_in("fay@example.org")
    return made


@pytest.fixture
def fay(client: Client, founder: Browser) -> Program:
    return Program(client, founder.cookies["gs_session"])


@pytest.fixture
def olive_program(client: Client, olive: Browser) -> Program:
    return Program(client, olive.cookies["gs_session"])


def test_first_page_without_a_campaign_says_so(client: Client) -> None:
    assert "There is no campaign yet" in Browser(client).get("/").text


def test_campaign_can_be_found_and_read_without_an_account(browser: Browser, program: Program) -> None:
    assert HERE in browser.get("/").read.links
    assert browser.get(HERE).status == 200

    found = program.ask("GET", API)
    assert found["open_phase"] == 1
    assert found["phases"][0]["closes_at"] == "2027-01-23T09:00:00+00:00"
    assert found["phases"][0]["allows"] == ["contribute", "comment", "vote"]
    assert (found["role"], found["duties"]) == (None, [])
    assert program.ask("GET", "/v1/campaigns")["items"][0]["slug"] == "change-challenge"


def test_campaign_as_json_holds_everything_public_and_nobody_behind_it(fay: Program, client: Client) -> None:
    fay.ask("POST", "/v1/campaigns", NEW | REST)
    fay.ask("POST", "/v1/campaigns/calm/open", {})

    found = Program(client).ask("GET", "/v1/campaigns/calm")
    assert {name: found[name] for name in REST if name not in ("partners", "limits")} == {
        name: REST[name] for name in REST if name not in ("partners", "limits")
    }
    assert found["partners"] == [{"id": "nursing-times", "name": "Nursing Times", "link": "https://nt.example", "logo": None}]
    assert found["limits"] == {"contributions_per_hour": 60, "comments_per_hour": 120, "votes_per_hour": 30}
    assert found["opened"] == "2027-01-09T10:00:00+01:00"
    assert "fay" not in str(found)


def test_organiser_can_make_a_campaign_on_a_page(founder: Browser) -> None:
    assert "/campaigns/new" in founder.get("/").read.links
    founder.get("/campaigns/new")

    page = founder.send("/campaigns", **TYPED)

    assert "Before it can open" in page.text
    assert "Stage 4 of 4: Develop: write up the best" in page.text
    assert "Saturday 9 January 2027 at 8.00am (GMT, Europe/London)" in page.text


@pytest.mark.parametrize(("template", "number"), [("2015", 4), ("single", 1)])
def test_template_makes_the_stages(fay: Program, template: str, number: int) -> None:
    asked = {name: NEW[name] for name in ("slug", "title", "question")}
    found = fay.ask("POST", "/v1/campaigns", asked | {"template": template, "opens_at": "2027-03-01T09:00:00+00:00"})

    assert fay.status == 201
    assert len(found["phases"]) == number
    assert {phase["opens_at"][11:16] for phase in found["phases"]} == {"09:00"}


def test_organiser_can_make_a_campaign_as_json_again_and_again(fay: Program) -> None:
    assert fay.ask("POST", "/v1/campaigns", NEW)["slug"] == "calm"
    assert fay.status == 201
    assert fay.ask("POST", "/v1/campaigns", NEW)["duties"] == ["organiser"]
    assert fay.refused("POST", "/v1/campaigns", NEW | {"title": "Another"})[:2] == (409, "taken")


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
        ({"phases": "now"}, "phases"),
        ({"phases": []}, "phases"),
        ({"phases": [{}]}, "phases.1.title"),
        ({"phases": [PHASE | {"title": ""}]}, "phases.1.title"),
        ({"phases": [PHASE | {"kinds": []}]}, "phases.1.kinds"),
        ({"phases": [PHASE | {"kinds": "barrier"}]}, "phases.1.kinds"),
        ({"phases": [PHASE | {"kinds": ["wish"]}]}, "phases.1.kinds"),
        ({"phases": [PHASE | {"opens_at": "2027-01-09T08:00:00"}]}, "phases.1.opens_at"),
        ({"phases": [PHASE, PHASE | {"opens_at": "soon"}]}, "phases.2.opens_at"),
        ({"phases": [PHASE, PHASE]}, "phases.2.opens_at"),
        ({"phases": [PHASE | {"closes_at": "2027-01-09T07:00:00+00:00"}]}, "phases.1.closes_at"),
        ({"phases": [PHASE | {"closes_at": "9999-12-31T23:59:59-14:00"}]}, "phases.1.closes_at"),
        ({"phases": [PHASE | {"lane": 1}]}, "phases.1.lane"),
        ({"template": "2015", "opens_at": "2027-03-01T09:00:00Z"}, "template"),
        ({"template": "1999"}, "template"),
        ({"minimum_age": 12}, "minimum_age"),
        ({"controllers": [{"name": "Trust"}]}, "controllers.1.contact"),
        ({"controllers": [{"name": "", "contact": ""}]}, "controllers.1.name"),
        ({"partners": [{"name": "NT", "link": "http://nt.example"}]}, "partners.1.link"),
        ({"choices": [{"id": "scope", "label": "Where?", "options": []}]}, "choices.1.options"),
        ({"limits": {"votes_per_hour": 0}}, "limits.votes_per_hour"),
        ({"limits": {"dances_per_hour": 1}}, "limits.dances_per_hour"),
        ({"tags": "noise"}, "tags"),
        ({"zone": "Mars/Olympus"}, "zone"),
        ({"about": "x" * 10_001}, "about"),
    ],
)
def test_campaign_is_refused_naming_the_field(fay: Program, changes: dict[str, Any], field: str) -> None:
    status, _, fields = fay.refused("POST", "/v1/campaigns", NEW | changes)

    assert status == 400
    assert field in fields


@pytest.mark.parametrize("changes", [{}, {"opens_at": "soon"}, {"zone": "Mars/Olympus", "opens_at": "2027-03-01T09:00:00Z"}])
def test_template_needs_its_beginning(fay: Program, changes: dict[str, Any]) -> None:
    asked = {name: NEW[name] for name in ("slug", "title", "question")} | {"template": "2015"} | changes
    status, _, fields = fay.refused("POST", "/v1/campaigns", asked)

    assert (status, set(fields)) == (400, {"zone" if "zone" in changes else "opens_at"})


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("slug", "Calm Ward"),
        ("title", ""),
        ("question", ""),
        ("opens_at", ""),
        ("opens_at", "2027-03-28T01:30"),
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
    assert {name: kept[name] for name in TYPED} == TYPED | {name: typed}


def test_taken_address_is_refused_and_kept(founder: Browser, campaign: object) -> None:
    founder.get("/campaigns/new")

    page = founder.send("/campaigns", **TYPED | {"slug": "change-challenge"})

    assert page.status == 409
    assert page.form("/campaigns").fields["slug"] == "change-challenge"


def test_campaign_that_is_not_open_is_there_for_its_team_only(founder: Browser, fay: Program, client: Client) -> None:
    fay.ask("POST", "/v1/campaigns", NEW)
    stranger, program = Browser(client), Program(client, signed_in("ann@example.org"))

    assert stranger.get("/c/calm/about").status == 404
    assert "calm" not in stranger.get("/").html
    assert program.refused("GET", "/v1/campaigns/calm")[0] == 404
    assert program.refused("PUT", "/v1/campaigns/calm/enrolment", {"role": "staff"})[0] == 404
    assert program.refused("PATCH", "/v1/campaigns/calm", {"title": "Mine"})[0] == 404
    assert program.ask("GET", "/v1/campaigns")["items"] == []
    assert "/c/calm/organise" in founder.get("/").read.links
    assert founder.get("/c/calm/about").status == 200
    assert [one["opened"] for one in fay.ask("GET", "/v1/campaigns")["items"]] == [None]


def test_campaign_cannot_open_before_everything_is_there(fay: Program) -> None:
    fay.ask("POST", "/v1/campaigns", NEW)

    status, code, fields = fay.refused("POST", "/v1/campaigns/calm/open", {})
    assert (status, code, set(fields)) == (409, "not_ready", {"controllers", "contact", "minimum_age", "rules"})
    fay.ask("PATCH", "/v1/campaigns/calm", {name: REST[name] for name in fields})
    for _ in range(2):
        assert fay.ask("POST", "/v1/campaigns/calm/open", {})["open_phase"] == 1


def test_change_keeps_what_is_left_out(olive_program: Program) -> None:
    before = olive_program.ask("GET", API)
    after = olive_program.ask("PATCH", API, {"title": "Calm", "revision": before["revision"]})

    assert after == before | {"title": "Calm", "revision": before["revision"] + 1}
    assert olive_program.ask("PATCH", API, {}) == after


def test_everything_can_be_changed(olive_program: Program) -> None:
    found = olive_program.ask("PATCH", API, REST | {"minimum_age": 18})

    assert found["minimum_age"] == 18
    assert found["choices"] == REST["choices"]
    assert found["phases"][0]["closes_at"].endswith("+01:00")


def test_of_two_who_edit_at_once_the_second_is_told(olive_program: Program, organiser: Any) -> None:
    seen = olive_program.ask("GET", API)["revision"]
    organiser("ben@example.org").ask("PATCH", API, {"title": "First", "revision": seen})

    assert olive_program.refused("PATCH", API, {"title": "Second", "revision": seen})[:2] == (409, "changed")
    assert olive_program.ask("GET", API)["title"] == "First"


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"rules": ""}, "opened", "rules"),
        ({"minimum_age": None}, "opened", "minimum_age"),
        ({"controllers": []}, "opened", "controllers"),
        ({"title": ""}, "invalid", "title"),
        ({"phases": []}, "invalid", "phases"),
        ({"phases": [PHASE | {"blind": False}]}, "invalid", "phases.1.blind"),
        ({"phases": [PHASE | {"opens_at": "2027-01-20T08:00:00Z"}]}, "invalid", "phases.1.opens_at"),
        ({"colour": "red"}, "invalid", "colour"),
    ],
)
def test_change_is_refused_naming_the_field(olive_program: Program, changes: dict[str, Any], code: str, field: str) -> None:
    _, found, fields = olive_program.refused("PATCH", API, changes)

    assert (found, set(fields)) == (code, {field})


def test_participant_cannot_change_or_open(ann_program: Program) -> None:
    assert ann_program.refused("PATCH", API, {"title": "Mine"})[:2] == (403, "not_organiser")
    assert ann_program.refused("POST", f"{API}/open", {})[:2] == (403, "not_organiser")


def test_rights_switch_at_the_minute(olive_program: Program, skipping: Skipping, campaign: Campaign) -> None:
    closes_at = float(campaign.phases[0].closes_at)
    assert olive_program.ask("GET", API)["phases"][0]["shows_votes"] is False
    skipping.at(closes_at - 30)
    assert olive_program.ask("GET", API)["open_phase"] == 1
    skipping.at(closes_at)

    found = olive_program.ask("GET", API)
    assert found["open_phase"] is None
    assert (found["phases"][0]["state"], found["phases"][0]["allows"], found["phases"][0]["shows_votes"]) == ("closed", [], True)


def test_program_can_join_and_change_the_role(program: Program, campaign: Campaign) -> None:
    program.token = signed_in("new@example.org")

    assert program.refused("PUT", f"{API}/enrolment", {"role": "patient"}) == (
        400,
        "invalid",
        {"of_age": "only people of 16 or older can take part"},
    )
    assert program.ask("PUT", f"{API}/enrolment", {"role": "patient", "of_age": True}) == {"role": "patient"}
    assert program.ask("PUT", f"{API}/enrolment", {"role": "staff"}) == {"role": "staff"}
    assert program.refused("PUT", f"{API}/enrolment", {"role": "king"})[2] == {"role": "must be one of patient, volunteer, staff, other"}
    assert program.ask("GET", API)["role"] == "staff"


def test_who_joins_on_a_page_ticks_that_they_are_old_enough(browser: Browser, campaign: Campaign) -> None:
    browser.cookies["gs_session"] = signed_in("new@example.org")
    token = {"csrf": browser.get("/sign-in").form("/sign-in").fields["csrf"], "next": f"{HERE}/about"}

    page = browser.post(f"{HERE}/enrolment", token | {"role": "staff"})
    assert page.status == 400
    assert "I am 16 or older" in page.text
    assert "#of_age" in page.read.links
    assert page.form("/enrolment").fields["role"] == "staff"

    page = browser.send("/enrolment", of_age="1")
    assert "About this campaign" in page.text


def test_who_joins_without_having_signed_in_is_led_there_and_back(browser: Browser, campaign: Campaign) -> None:
    token = {"csrf": browser.get("/sign-in").form("/sign-in").fields["csrf"], "next": f"{HERE}/about"}
    page = browser.post(f"{HERE}/enrolment", token | {"role": "staff", "of_age": "1"})

    assert page.status == 401
    assert f"/sign-in?next={HERE}/about" in page.read.links


def test_joining_without_a_role_says_what_is_missing(browser: Browser, campaign: Campaign) -> None:
    browser.cookies["gs_session"] = signed_in("new@example.org")
    token = {"csrf": browser.get("/sign-in").form("/sign-in").fields["csrf"]}

    page = browser.post(f"{HERE}/enrolment", token | {"of_age": "1"})
    assert page.status == 400
    assert "#role" in page.read.links
    assert page.form("/enrolment").fields["of_age"] == "1"


def test_campaign_never_tells_more_than_it_stores(campaign: Campaign, olive_program: Program) -> None:
    """Who made it and who changed it last stay on the server."""
    found = str(olive_program.ask("GET", API))

    assert campaign.founder not in found
    assert str(campaigns.get(campaign.slug).changed_by) not in found
