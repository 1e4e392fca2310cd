"""One's own page."""

from __future__ import annotations

from datetime import datetime

from chalicelib import contributions, moderation
from chalicelib.campaigns import Campaign
from tests.web.browser import Browser, Program
from tests.web.conftest import API, HERE, signed_in

IDEA = {"kind": "barrier", "title": "Too many forms", "text": "A form to ask for a form."}


def test_own_ideas_are_listed_with_their_states(ann: Browser, ann_program: Program, campaign: Campaign, now: datetime) -> None:
    first = ann_program.ask("POST", f"{API}/contributions", IDEA)["id"]
    second = ann_program.ask("POST", f"{API}/contributions", IDEA | {"title": "Late rotas"})["id"]
    gone = ann_program.ask("POST", f"{API}/contributions", IDEA | {"title": "Gone"})["id"]
    ann_program.ask("DELETE", f"{API}/contributions/{gone}")
    ann_program.ask("PUT", f"{API}/contributions/{second}/vote", {"value": 1})
    moderation.decide(campaign, first, "hide", reason="off-topic", note="Ask PALS.", moderator="moderator", request="1", now=now)

    found = ann_program.ask("GET", f"{API}/me")
    assert (found["role"], found["duties"], found["suspended"]) == ("patient", [], False)
    assert {(one["id"], one["state"], one["reason"], one["note"], one["own_vote"], one["votes"]) for one in found["contributions"]} == {
        (second, "published", None, None, 1, None),
        (first, "hidden", "off-topic", "Ask PALS.", 0, None),
    }
    page = ann.get(f"{HERE}/me")
    assert "Late rotas" in page.text
    assert "A moderator has taken it away: it has nothing to do with the question." in page.text
    assert "Ask PALS." in page.text
    assert "Gone" not in page.text
    assert f"{HERE}/pledges" in page.read.links


def test_page_of_who_has_added_nothing_says_what_to_do(browser: Browser) -> None:
    browser.cookies["gs_session"] = signed_in("bob@example.org")
    page = browser.get(f"{HERE}/me")

    assert "You have not joined yet." in page.text
    assert f"{HERE}/contributions/new" in page.read.links


def test_own_page_needs_a_sign_in_and_leads_back(browser: Browser, program: Program) -> None:
    assert program.refused("GET", f"{API}/me")[0] == 401
    page = browser.get(f"{HERE}/me")
    assert page.status == 401
    assert any(link.startswith("/sign-in?next=") for link in page.read.links)


def test_organisers_own_page_tells_their_duties(program: Program, campaign: Campaign) -> None:
    olive = Program(program.client, signed_in("olive@example.org"))

    assert olive.ask("GET", f"{API}/me")["duties"] == ["organiser"]
    assert contributions.of_author(campaign.slug, "nobody") == []
