"""Writing an idea: what is refused keeps what was typed, and what was typed before the sign-in is there afterwards."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from chalice.test import Client

from chalicelib import contributions, typed
from chalicelib.campaigns import Campaign, NewPhase
from tests.aws import Skipping
from tests.conftest import Make, make_campaign
from tests.web.browser import Browser
from tests.web.conftest import HERE, mailed_code, signed_in
from tests.web.test_contributions import IDEA, WRONG

NEW = f"{HERE}/contributions/new"


def kept() -> int:
    return sum(1 for item in typed.Typed.scan() if str(item.pk).startswith("typed#"))


def test_participant_can_add_an_idea_on_a_page(ann: Browser) -> None:
    ann.get(NEW)

    page = ann.send("/contributions", **IDEA)

    assert page.status == 200
    assert "Too many forms" in page.text


def test_sending_the_same_form_twice_adds_one(ann: Browser, campaign: Campaign) -> None:
    form = ann.get(NEW).form("/contributions")

    first, second = (ann.post(f"{HERE}/contributions", form.fields | IDEA) for _ in range(2))

    assert first.form("/comments").action == second.form("/comments").action
    assert len(contributions.newest(campaign.slug, 1).items) == 1


@pytest.mark.parametrize(("changes", "field"), WRONG)
def test_idea_on_a_page_is_refused_and_kept(ann: Browser, changes: dict[str, Any], field: str) -> None:
    form = ann.get(NEW).form("/contributions")

    page = ann.send("/contributions", **IDEA | changes)

    assert page.status == 400
    assert f"#{field}" in page.read.links
    assert field in page.read.ids
    fields = page.form("/contributions").fields
    assert (fields["title"], fields["text"]) == ((IDEA | changes)["title"], (IDEA | changes)["text"])
    assert fields["request"] == form.fields["request"]
    assert "Problem:" in page.text


def test_lines_come_back_as_they_were_typed(ann: Browser) -> None:
    ann.get(NEW)

    page = ann.send("/contributions", **IDEA | {"title": "", "text": "\r\nfirst\r\n\r\nsecond\r\n"})

    assert page.form("/contributions").fields["text"] == "\nfirst\n\nsecond\n"


def sign_in(browser: Browser, email: str) -> None:
    browser.send("/sign-in", email=email)
    browser.send("/sign-in/code", code=mailed_code())


def test_who_is_not_signed_in_writes_first_signs_in_joins_and_sends(browser: Browser, campaign: Campaign) -> None:
    browser.get(NEW)
    page = browser.send("/contributions", **IDEA)
    assert page.form("/sign-in").fields["next"] == NEW
    assert kept() == 1

    sign_in(browser, "new@example.org")
    form = browser.page.form("/contributions")
    assert form.fields.items() >= IDEA.items()
    assert "what you wrote is below" in browser.page.text

    page = browser.send("/contributions")
    assert page.status == 400
    assert "#role" in page.read.links
    browser.send("/contributions", role="staff", of_age="1")

    assert browser.page.status == 200
    assert [item.text for item in contributions.newest(campaign.slug, 1).items] == [IDEA["text"]]
    assert kept() == 0
    assert "gs_typed" not in browser.cookies
    assert browser.get(NEW).form("/contributions").fields["text"] == ""
    assert "Which describes you best?" not in browser.page.text


def test_what_was_typed_is_shown_to_nobody_who_has_not_signed_in(browser: Browser) -> None:
    browser.get(NEW)
    browser.send("/contributions", **IDEA)

    assert browser.get(NEW).form("/contributions").fields["text"] == ""
    assert "Max-Age" not in browser.attributes["gs_typed"]
    assert "HttpOnly" in browser.attributes["gs_typed"]


def test_what_was_typed_is_gone_with_the_sign_out_and_after_an_hour(browser: Browser, skipping: Skipping, now: datetime) -> None:
    browser.get(NEW)
    browser.send("/contributions", **IDEA)
    sign_in(browser, "new@example.org")
    skipping.at(now + timedelta(minutes=61))
    assert browser.get(NEW).form("/contributions").fields["text"] == ""

    browser.send("/sign-out")
    assert kept() == 0
    assert "gs_typed" not in browser.cookies


def test_what_was_typed_in_another_browser_is_not_found(browser: Browser, client: Client) -> None:
    browser.get(NEW)
    browser.send("/contributions", **IDEA)
    other = Browser(client)
    other.cookies["gs_session"] = signed_in("other@example.org")

    assert other.get(NEW).form("/contributions").fields["text"] == ""


def test_session_that_ended_while_somebody_wrote_loses_nothing(ann: Browser, skipping: Skipping) -> None:
    form = ann.get(NEW).form("/contributions")
    skipping.at(skipping.now() + 13 * 3600)

    ann.post(f"{HERE}/contributions", form.fields | IDEA)
    sign_in(ann, "ann@example.org")

    assert ann.page.form("/contributions").fields.items() >= {**IDEA, "request": form.fields["request"]}.items()


def test_too_much_is_not_kept_and_stands_on_the_page(browser: Browser) -> None:
    browser.get(NEW)

    page = browser.send("/contributions", **IDEA | {"text": "x" * 70_000})

    assert page.status == 400
    assert page.form("/contributions").fields["text"] == "x" * 70_000


@pytest.fixture
def detailed(person: Make, now: datetime) -> Campaign:
    """A campaign that asks where it happens, has tags, an urgent text, and a first phase that is pre-moderated."""
    where = {
        "id": "where",
        "label": "Where is it?",
        "options": [{"id": "within", "label": "Within one"}, {"id": "between", "label": "Between"}],
    }
    phase = NewPhase("First days", now - timedelta(days=1), now + timedelta(days=2), ["barrier"], premoderated=True)
    changes = {"phases": [phase], "choices": [where], "tags": ["rotas", "forms"], "urgent": "Ring the ward’s own number."}
    return make_campaign(person("olive@example.org"), now, **changes)


def test_campaigns_own_fields_are_asked_kept_and_shown(detailed: Campaign, ann: Browser) -> None:
    page = ann.get(NEW)
    assert "Ring the ward’s own number." in page.text

    refused = ann.send("/contributions", title="Forms", text="Too many.", tags=["rotas", "forms"])
    assert refused.status == 400
    assert "#choices.where" in refused.read.links
    assert refused.html.count("checked") == 3

    page = ann.send("/contributions", choices__where="between", tags=["forms"])
    assert "Where is it? Between" in page.text
    assert "About: forms" in page.text
    assert "Your idea waits for a moderator" in page.text


def test_author_can_change_an_idea_on_a_page(ann: Browser, campaign: Campaign) -> None:
    ann.get(NEW)
    ann.send("/contributions", **IDEA)
    edit = next(link for link in ann.page.read.links if link.endswith("/edit"))

    assert ann.get(edit).form("/edit").fields.items() >= IDEA.items()
    refused = ann.send("/edit", text="")
    assert (refused.status, refused.form("/edit").fields["title"]) == (400, IDEA["title"])
    page = ann.send("/edit", text="Other words.")

    assert "Other words." in page.text
    assert IDEA["text"] not in page.text


def test_edit_survives_a_sign_in(ann: Browser, skipping: Skipping) -> None:
    ann.get(NEW)
    ann.send("/contributions", **IDEA)
    ann.get(next(link for link in ann.page.read.links if link.endswith("/edit")))
    del ann.cookies["gs_session"]

    ann.send("/edit", text="Other words.")
    sign_in(ann, "ann@example.org")
    assert ann.page.form("/edit").fields["text"] == "Other words."

    assert "Other words." in ann.send("/edit").text
    assert kept() == 0


def test_author_can_take_an_idea_back_on_a_page(ann: Browser) -> None:
    ann.get(NEW)
    ann.send("/contributions", **IDEA)

    page = ann.send("/withdraw")

    assert page.status == 200
    assert "My page" in page.text
    assert IDEA["title"] not in page.text


def test_only_the_author_finds_the_page_to_change_an_idea(ann: Browser, olive: Browser, browser: Browser) -> None:
    ann.get(NEW)
    ann.send("/contributions", **IDEA)
    edit = next(link for link in ann.page.read.links if link.endswith("/edit"))

    assert olive.get(edit).status == 403
    assert Browser(ann.client).get(edit).status == 401
