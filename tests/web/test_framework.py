"""Themes: typed in by organisers and coders, read by everybody."""

from __future__ import annotations

from typing import Any

import pytest
from chalice.test import Client

from chalicelib import clock, enrolments, participants
from chalicelib.campaigns import Campaign
from tests.web.browser import Browser, Program
from tests.web.conftest import API, HERE, signed_in

FRAMEWORK = f"{HERE}/organise/framework"
SAFE = {"kind": "barrier", "title": "Playing it safe", "text": "Nobody dares."}


@pytest.fixture
def cody(client: Client, campaign: Campaign) -> Program:
    """A coder."""
    person = participants.find_or_create("cody@example.org", now=clock.utc_now()).id
    enrolments.appoint(campaign.slug, person, ["coder"], now=clock.utc_now())
    return Program(client, signed_in("cody@example.org"))


def test_coder_adds_changes_and_removes(cody: Program, client: Client) -> None:
    assert cody.ask("PUT", f"{API}/framework/safe", SAFE) == {"id": "safe"} | SAFE
    cody.ask("PUT", f"{API}/framework/trust", {"kind": "building-block", "title": "Trust"})
    cody.ask("PUT", f"{API}/framework/safe", SAFE | {"title": "Safety first"})

    found = Program(client).ask("GET", f"{API}/framework")
    assert [(entry["id"], entry["title"]) for entry in found["items"]] == [("safe", "Safety first"), ("trust", "Trust")]
    for _ in range(2):
        cody.ask("DELETE", f"{API}/framework/safe")
        assert cody.status == 204
    assert [entry["id"] for entry in cody.ask("GET", f"{API}/framework")["items"]] == ["trust"]


@pytest.mark.parametrize(
    ("entry", "changes", "field"),
    [
        ("safe", {"kind": "solution"}, "kind"),
        ("safe", {"title": " "}, "title"),
        ("safe", {"text": "x" * 2001}, "text"),
        ("safe", {"colour": "red"}, "colour"),
        ("Not%20an%20id", {}, "entry"),
    ],
)
def test_entry_is_refused_naming_the_field(cody: Program, entry: str, changes: dict[str, Any], field: str) -> None:
    status, _, fields = cody.refused("PUT", f"{API}/framework/{entry}", SAFE | changes)

    assert (status, set(fields)) == (400, {field})


def test_participant_cannot_change_it(ann_program: Program, ann: Browser) -> None:
    assert ann_program.refused("PUT", f"{API}/framework/safe", SAFE)[:2] == (403, "not_coder")
    assert ann_program.refused("DELETE", f"{API}/framework/safe")[:2] == (403, "not_coder")
    assert ann.get(FRAMEWORK).status == 403


def test_organiser_types_themes_in_on_a_page(olive: Browser) -> None:
    olive.get(FRAMEWORK)
    page = olive.send("/framework", **SAFE)
    assert "Playing it safe" in page.text
    assert f"{FRAMEWORK}/playing-it-safe" in page.read.links

    olive.get(f"{FRAMEWORK}/playing-it-safe")
    page = olive.send("/playing-it-safe", kind="building-block", title="Daring")
    assert "Daring" in page.text
    assert "Playing it safe" not in page.text

    olive.get(f"{FRAMEWORK}/playing-it-safe")
    page = olive.send("/remove")
    assert "Daring" not in page.text
    assert olive.get(f"{FRAMEWORK}/playing-it-safe").status == 404


def test_refused_theme_keeps_what_was_typed(olive: Browser) -> None:
    olive.get(FRAMEWORK)
    page = olive.send("/framework", title="", text="Typed for long.")
    assert page.status == 400
    assert {"#title", "#kind"} <= set(page.read.links)
    assert page.form("/framework").fields["text"] == "Typed for long."

    olive.send("/framework", **SAFE)
    page = olive.send("/framework", **SAFE | {"text": "Another."})
    assert page.status == 409
    assert page.form("/framework").fields["text"] == "Another."

    olive.get(f"{FRAMEWORK}/playing-it-safe")
    page = olive.send("/playing-it-safe", title="x" * 121)
    assert page.status == 400
    assert page.form("/playing-it-safe").fields["title"] == "x" * 121
