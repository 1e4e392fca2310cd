"""Moderators decide, on pages and as JSON; the record says what."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from chalicelib import comments, contributions, enrolments, moderation, revisions
from chalicelib.campaigns import Campaign, NewPhase
from tests.conftest import Make, make_campaign, said
from tests.web.browser import Browser, Program
from tests.web.conftest import API, HERE, signed_in

DESK = f"{HERE}/organise/moderation"


@pytest.fixture
def campaign(person: Make, now: datetime) -> Campaign:
    """Pre-moderated."""
    phase = NewPhase("First days", now - timedelta(days=1), now + timedelta(days=2), ["barrier"], premoderated=True)
    return make_campaign(person("olive@example.org"), now, phases=[phase])


@pytest.fixture
def idea(campaign: Campaign, person: Make, now: datetime) -> str:
    """Of Ann; it waits."""
    ann = enrolments.join(campaign.slug, person("ann@example.org"), "patient", now=now).pseudonym
    return contributions.add(campaign, ann, said(), request="1", now=now).id


@pytest.fixture
def mona(program: Program, campaign: Campaign, person: Make, now: datetime) -> Program:
    """A moderator."""
    enrolments.appoint(campaign.slug, person("mona@example.org"), ["moderator"], now=now)
    return Program(program.client, signed_in("mona@example.org"))


def state(campaign: Campaign, idea: str) -> str:
    return str(contributions.find(campaign.slug, idea, consistent=True).state)


def test_moderator_can_publish_hide_and_restore_as_json(mona: Program, campaign: Campaign, idea: str) -> None:
    revision = mona.ask("GET", f"{API}/flags")["items"][0]["revision"]

    made = mona.ask("POST", f"{API}/decisions", {"target": idea, "action": "publish", "revision": revision})
    assert (mona.status, made["action"], made["reason"], state(campaign, idea)) == (201, "publish", None, "published")
    hide = {"target": idea, "action": "hide", "reason": "identifies", "note": "Names a ward."}
    made = [mona.ask("POST", f"{API}/decisions", hide, Idempotency_Key="1") for _ in range(2)]
    assert made[0] == made[1]
    assert state(campaign, idea) == "hidden"
    mona.ask("POST", f"{API}/decisions", {"target": idea, "action": "restore"})
    assert state(campaign, idea) == "published"

    record = mona.ask("GET", f"{API}/decisions")
    assert [(one["action"], one["reason"], one["note"]) for one in record["items"]] == [
        ("restore", None, ""),
        ("hide", "identifies", "Names a ward."),
        ("publish", None, ""),
    ]
    assert len({one["by"] for one in record["items"]}) == 1
    assert record["next"] is None


def test_decision_is_refused_naming_the_field(mona: Program, idea: str) -> None:
    for body, field in (
        ({"target": idea, "action": "delete"}, "action"),
        ({"target": idea, "action": "hide"}, "reason"),
        ({"target": idea, "action": "hide", "reason": "rude"}, "reason"),
        ({"target": idea, "action": "hide", "reason": "other", "note": "x" * 501}, "note"),
        ({"action": "hide", "reason": "other"}, "target"),
    ):
        assert mona.refused("POST", f"{API}/decisions", body)[::2] == (
            400,
            {field: mona.ask("POST", f"{API}/decisions", body)["fields"][field]},
        )
    assert mona.refused("POST", f"{API}/decisions", {"target": f"1-{'0' * 26}", "action": "keep"})[0] == 404
    assert mona.refused("GET", f"{API}/decisions?cursor=x")[2].keys() == {"cursor"}


def test_words_that_changed_meanwhile_are_not_published(mona: Program, campaign: Campaign, idea: str, now: datetime) -> None:
    ann = contributions.find(campaign.slug, idea).author
    revisions.edit(campaign, idea, ann, said(text="Other words."), now=now)

    body = {"target": idea, "action": "publish", "revision": 1}
    assert mona.refused("POST", f"{API}/decisions", body)[:2] == (409, "changed")
    assert state(campaign, idea) == "pending"


def test_moderator_works_through_the_queue_on_pages(olive: Browser, ann: Browser, campaign: Campaign, idea: str, now: datetime) -> None:
    page = olive.get(DESK)
    assert "Too many forms." in page.text
    assert "Waits to be published" in page.text
    page = olive.send("/moderation", action="publish")
    assert (page.status, state(campaign, idea)) == (200, "published")
    assert "Nothing waits." in page.text

    comment = comments.add(campaign, idea, "ben", text="Rude words.", request="1", now=now)
    target = f"{idea}/{comment.id}"
    moderation.report(campaign, target, reason="danger", note="They mean it.", pseudonym=None, request="1", now=now)
    page = olive.get(DESK)
    assert page.text.index("Someone may be in danger") < page.text.index("Rude words.") < page.text.index("They mean it.")
    refused = olive.send("/moderation", action="hide", note="Be kind.")
    assert refused.status == 400
    assert "please choose one of these" in refused.text
    assert refused.form("/moderation").fields["note"] == "Be kind."
    olive.send("/moderation", action="hide", reason="abusive", note="Be kind.")

    assert comments.find(campaign.slug, idea, comment.id).state == "hidden"
    record = olive.get(f"{DESK}/record")
    assert "Hidden: It is abusive or hateful" in record.text
    back = next(link for link in record.read.links if "target=" in link)
    assert "Rude words." in olive.get(back).text
    olive.send("/moderation", action="restore")
    assert comments.find(campaign.slug, idea, comment.id).state == "published"


def test_moderator_can_hide_from_the_ideas_own_page_and_its_author_is_told_why(
    olive: Browser, ann: Browser, campaign: Campaign, idea: str
) -> None:
    olive.get(f"{HERE}/contributions/{idea}")
    page = olive.send("/moderation", action="publish")
    assert page.form("/comments").action.endswith(f"/contributions/{idea}/comments")
    refused = olive.send("/moderation", action="hide", note="Names a ward.")
    assert (refused.status, refused.form("/moderation").fields["note"]) == (400, "Names a ward.")
    olive.send("/moderation", action="hide", reason="identifies")

    for path in (f"{HERE}/me", f"{HERE}/contributions/{idea}"):
        page = ann.get(path)
        assert "it could show who a patient or a colleague is" in page.text
        assert "Names a ward." in page.text
    assert Browser(ann.client).get(f"{HERE}/contributions/{idea}").status == 404


def test_moderator_can_suspend_and_let_back_in(olive: Browser, ann: Browser, campaign: Campaign, idea: str) -> None:
    olive.get(DESK)
    olive.send("/moderation", action="suspend", reason="abusive")
    assert "has been suspended" in ann.get(f"{HERE}/me").text

    olive.get(f"{DESK}?target={idea}")
    olive.send("/moderation", action="reinstate")
    assert "has been suspended" not in ann.get(f"{HERE}/me").text


def test_who_is_no_moderator_decides_nothing(ann: Browser, ann_program: Program, idea: str, campaign: Campaign) -> None:
    csrf = ann.get(f"{HERE}/me").form("/sign-out").fields["csrf"]

    assert ann_program.refused("POST", f"{API}/decisions", {"target": idea, "action": "keep"})[:2] == (403, "not_moderator")
    assert ann_program.refused("GET", f"{API}/decisions")[:2] == (403, "not_moderator")
    for page in (ann.get(DESK), ann.get(f"{DESK}/record"), ann.post(DESK, {"csrf": csrf, "target": idea, "action": "publish"})):
        assert page.status == 403
    assert state(campaign, idea) == "pending"
    assert "Moderate" not in ann.get(f"{HERE}/contributions/{idea}").text
