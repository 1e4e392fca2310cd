"""The public page about the campaign: who asks, by which rules, who answers for the data, where to get help."""

from __future__ import annotations

from chalice.test import Client

from chalicelib import campaigns, clock
from chalicelib.campaigns import Campaign
from tests.conftest import Make, new_details
from tests.web.browser import Browser
from tests.web.conftest import HERE, signed_in


def test_about_says_who_answers_and_by_which_rules(browser: Browser, campaign: Campaign) -> None:
    changes = {"about": "We <b>ask</b> everybody.", "urgent": "Ring 999 first."}
    campaigns.change(campaign, changes, "olive", now=clock.utc_now())
    page = browser.get(f"{HERE}/about")

    for words in (
        "We <b>ask</b> everybody.",
        "Name nobody. Be kind.",
        "Ring 999 first.",
        "Example Trust",
        "data@example.org",
        "hello@example.org",
        "from the age of 16",
        "Stage 1 of 1: What gets in the way?",
        "Saturday 23 January 2027 at 9.00am (GMT, Europe/London)",
    ):
        assert words in page.text
    assert {"rules", "contact", "data", "urgent"} <= set(page.read.ids)


def test_about_before_everything_is_written_says_so_to_the_team(client: Client, person: Make) -> None:
    now = clock.utc_now()
    found = new_details(now, rules="", contact="", controllers=[], minimum_age=None)
    campaigns.create("calm", found, organiser=person("fay@example.org"), now=now)
    fay = Browser(client)
    assert fay.get("/c/calm/about").status == 404
    fay.cookies["gs_session"] = signed_in("fay@example.org")

    page = fay.get("/c/calm/about")
    assert page.text.count("have not") == 3
    assert "ring 999" in page.text
