"""One idea, as JSON and as a page: who may read it, and what is told of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from chalicelib import contributions, moderation, revisions, tallies, votes
from chalicelib.campaigns import Campaign
from tests.aws import Skipping
from tests.conftest import said
from tests.web.browser import Browser, Program
from tests.web.conftest import API, HERE, signed_in

IDEA = {"kind": "barrier", "title": "Too many forms", "text": "A form to ask for a form."}
HTML = "<script>alert(1)</script><img src=x onerror=alert(2)> \"quoted\" 'so' &amp; {{ 7 * 7 }}"
FOR_INSIDERS = ("revision", "reason", "note")


@pytest.fixture
def idea(ann_program: Program) -> str:
    """The id of one that Ann added."""
    return str(ann_program.ask("POST", f"{API}/contributions", IDEA)["id"])


@pytest.fixture
def bob(program: Program) -> Program:
    """Somebody who has signed in and not joined."""
    return Program(program.client, signed_in("bob@example.org"))


def test_participant_can_add_an_idea_as_json(ann_program: Program) -> None:
    made = ann_program.ask("POST", f"{API}/contributions", IDEA)

    assert ann_program.status == 201
    assert made.items() >= IDEA.items()
    assert (made["state"], made["votes"], made["own_vote"], made["revision"]) == ("published", None, 0, 1)
    assert ann_program.ask("GET", f"{API}/contributions/{made['id']}") == made


def test_who_is_not_signed_in_is_told_less(program: Program, ann_program: Program, idea: str) -> None:
    made = ann_program.ask("GET", f"{API}/contributions/{idea}")
    told = Program(program.client).ask("GET", f"{API}/contributions/{idea}")

    assert told == made | {"own_vote": None} | dict.fromkeys(FOR_INSIDERS)


def test_same_idempotency_key_adds_one(ann_program: Program) -> None:
    made = [ann_program.ask("POST", f"{API}/contributions", IDEA, Idempotency_Key="first")["id"] for _ in range(2)]
    other = ann_program.ask("POST", f"{API}/contributions", IDEA, Idempotency_Key="second")["id"]

    assert len({*made, other}) == 2
    assert ann_program.refused("POST", f"{API}/contributions", IDEA, Idempotency_Key="x" * 201)[0] == 400


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"title": ""}, "title"),
    ({"title": "  \n "}, "title"),
    ({"title": "x" * 121}, "title"),
    ({"text": ""}, "text"),
    ({"text": "x" * 5001}, "text"),
    ({"kind": ""}, "kind"),
    ({"kind": "wish"}, "kind"),
    ({"kind": "solution"}, "kind"),
]


@pytest.mark.parametrize(("changes", "field"), WRONG)
def test_idea_is_refused_naming_the_field(ann_program: Program, changes: dict[str, Any], field: str) -> None:
    status, _, fields = ann_program.refused("POST", f"{API}/contributions", IDEA | changes)

    assert (status, list(fields)) == (400, [field])


def test_who_has_not_joined_cannot_add_comment_or_vote(bob: Program, idea: str) -> None:
    for method, path, body in (
        ("POST", "contributions", IDEA),
        ("POST", f"contributions/{idea}/comments", {"text": "x"}),
        ("PUT", f"contributions/{idea}/vote", {"value": 1}),
    ):
        assert bob.refused(method, f"{API}/{path}", body)[:2] == (403, "not_enrolled")


def test_nothing_is_added_while_no_stage_is_open(ann: Browser, ann_program: Program, idea: str, skipping: Skipping, now: datetime) -> None:
    skipping.at(now + timedelta(days=20))
    token = signed_in("ann@example.org")
    ann.cookies["gs_session"], ann_program.token = token, token
    csrf = ann.get("/sign-in").form("/sign-in").fields["csrf"]

    page = ann.post(f"{HERE}/contributions", {"csrf": csrf, **IDEA})
    comment = ann.post(f"{HERE}/contributions/{idea}/comments", {"csrf": csrf, "text": "Late."})
    vote = ann.post(f"{HERE}/contributions/{idea}/vote", {"csrf": csrf, "value": "1"})

    assert (page.status, page.form("/contributions").fields["text"]) == (409, IDEA["text"])
    assert (comment.status, comment.form("/comments").fields["text"]) == (409, "Late.")
    assert vote.status == 409
    assert ann_program.refused("POST", f"{API}/contributions", IDEA)[:2] == (409, "phase_closed")
    assert ann_program.refused("POST", f"{API}/contributions/{idea}/comments", {"text": "x"})[:2] == (409, "phase_closed")
    assert ann_program.refused("PUT", f"{API}/contributions/{idea}/vote", {"value": 1})[:2] == (409, "phase_closed")


def test_html_is_shown_and_never_run(ann: Browser, ann_program: Program) -> None:
    made = ann_program.ask("POST", f"{API}/contributions", {"kind": "barrier", "title": HTML[:110], "text": HTML})
    ann_program.ask("POST", f"{API}/contributions/{made['id']}/comments", {"text": HTML})

    page = ann.get(f"{HERE}/contributions/{made['id']}")
    assert not {"script", "img"} & set(page.read.tags)
    assert page.text.count(HTML) >= 2
    refused = ann.send("/comments", text=HTML + "x" * 2000)
    assert not {"script", "img"} & set(refused.read.tags)
    assert refused.form("/comments").fields["text"].startswith(HTML)


def test_votes_are_hidden_until_the_stage_closes(
    ann: Browser, ann_program: Program, idea: str, campaign: Campaign, skipping: Skipping, now: datetime
) -> None:
    votes.cast(campaign, idea, "somebody", 1, now=now)
    tallies.recount(contributions.key(campaign.slug, idea))

    assert ann_program.ask("GET", f"{API}/contributions/{idea}")["votes"] is None
    assert "Votes are shown when this stage closes" in ann.get(f"{HERE}/contributions/{idea}").text

    skipping.at(now + timedelta(days=20))
    ann_program.token = None
    assert ann_program.ask("GET", f"{API}/contributions/{idea}")["votes"] == {"up": 1, "down": 0}
    assert "1 up, 0 down" in ann.get(f"{HERE}/contributions/{idea}").text


@pytest.mark.parametrize("state", ["pending", "hidden"])
def test_what_is_not_published_is_there_for_its_author_and_moderators(
    ann: Browser, ann_program: Program, olive: Browser, bob: Program, idea: str, campaign: Campaign, state: str
) -> None:
    item = contributions.find(campaign.slug, idea)
    item.update(actions=[contributions.Contribution.state.set(state), contributions.Contribution.reason.set("identifies")])

    for somebody in (bob, Program(bob.client)):
        assert somebody.refused("GET", f"{API}/contributions/{idea}")[:2] == (404, f"is_{state}")
        for part in ("comments", "revisions"):
            assert somebody.refused("GET", f"{API}/contributions/{idea}/{part}")[0] == 404
    assert ann_program.ask("GET", f"{API}/contributions/{idea}")["reason"] == "identifies"
    for browser in (ann, olive):
        page = browser.get(f"{HERE}/contributions/{idea}")
        assert (page.status, IDEA["text"] in page.text) == (200, True)
        assert "/vote" not in [form.action for form in page.read.forms]


@pytest.mark.parametrize("state", ["hidden", "withdrawn"])
def test_old_link_to_what_was_taken_away_leads_to_a_page_that_says_so(browser: Browser, idea: str, campaign: Campaign, state: str) -> None:
    contributions.find(campaign.slug, idea).update(actions=[contributions.Contribution.state.set(state)])
    browser.cookies.clear()

    page = browser.get(f"{HERE}/contributions/{idea}")

    assert page.status == 404
    assert "taken this idea" in page.text
    assert f"{HERE}/ideas" in page.read.links
    assert "A form to ask" not in page.text


def test_author_can_change_an_idea(
    ann: Browser, ann_program: Program, bob: Program, idea: str, campaign: Campaign, skipping: Skipping, now: datetime
) -> None:
    votes.cast(campaign, idea, "somebody", 1, now=now)
    changed = ann_program.ask("PATCH", f"{API}/contributions/{idea}", {"text": "Other words."})

    assert (changed["title"], changed["text"]) == (IDEA["title"], "Other words.")
    assert bob.refused("PATCH", f"{API}/contributions/{idea}", {"text": "Mine."})[:2] == (403, "not_enrolled")
    assert ann_program.refused("PATCH", f"{API}/contributions/{idea}", {"text": " ", "title": None})[2].keys() == {"title"}
    assert ann_program.refused("PATCH", f"{API}/contributions/{idea}", {"text": " "})[2].keys() == {"text"}

    assert changed["edited_at"] is None
    assert ann_program.ask("GET", f"{API}/contributions/{idea}/revisions")["items"] == []
    assert "Earlier words" not in ann.get(f"{HERE}/contributions/{idea}").text
    skipping.at(now + timedelta(days=20))
    ann_program.token = None
    assert ann_program.ask("GET", f"{API}/contributions/{idea}")["edited_at"]
    found = ann_program.ask("GET", f"{API}/contributions/{idea}/revisions")["items"]
    assert [(one["number"], one["title"], one["text"]) for one in found] == [(1, IDEA["title"], IDEA["text"])]
    assert "Earlier words" in ann.get(f"{HERE}/contributions/{idea}").text


def test_voter_is_told_that_the_words_have_changed(ann_program: Program, campaign: Campaign, now: datetime) -> None:
    other = contributions.add(campaign, "another", said(), request="1", now=now).id
    ann_program.ask("PUT", f"{API}/contributions/{other}/vote", {"value": 1})
    revisions.edit(campaign, other, "another", said(text="Other words."), now=now + timedelta(minutes=5))

    assert ann_program.ask("GET", f"{API}/contributions/{other}")["edited_at"]
    assert [one["text"] for one in ann_program.ask("GET", f"{API}/contributions/{other}/revisions")["items"]] == ["Too many forms."]


def test_author_can_take_an_idea_back(ann_program: Program, idea: str) -> None:
    for _ in range(2):
        ann_program.ask("DELETE", f"{API}/contributions/{idea}")
        assert ann_program.status == 204

    assert ann_program.refused("GET", f"{API}/contributions/{idea}")[:2] == (404, "is_withdrawn")


def test_idea_of_somebody_else_can_be_neither_changed_nor_taken_back(
    ann_program: Program, olive: Browser, campaign: Campaign, now: datetime
) -> None:
    other = contributions.add(campaign, "another", said(), request="1", now=now).id

    assert ann_program.refused("PATCH", f"{API}/contributions/{other}", {"text": "Mine."})[:2] == (403, "not_author")
    assert ann_program.refused("DELETE", f"{API}/contributions/{other}")[:2] == (403, "not_author")


def test_suspended_person_may_do_nothing_and_is_told_so(
    ann: Browser, ann_program: Program, idea: str, campaign: Campaign, now: datetime
) -> None:
    moderation.decide(campaign, idea, "suspend", reason="abusive", moderator="moderator", request="1", now=now)

    for method, path, body in (
        ("POST", "contributions", IDEA),
        ("PATCH", f"contributions/{idea}", {"text": "x"}),
        ("DELETE", f"contributions/{idea}", None),
        ("POST", f"contributions/{idea}/comments", {"text": "x"}),
        ("PUT", f"contributions/{idea}/vote", {"value": 1}),
        ("DELETE", f"contributions/{idea}/vote", None),
    ):
        assert ann_program.refused(method, f"{API}/{path}", body)[:2] == (403, "suspended")
    csrf = ann.get(f"{HERE}/contributions/{idea}").form("/vote").fields["csrf"]
    for path, fields in (
        ("contributions", IDEA),
        (f"contributions/{idea}/edit", IDEA),
        (f"contributions/{idea}/withdraw", {}),
        (f"contributions/{idea}/comments", {"text": "x"}),
        (f"contributions/{idea}/vote", {"value": "1"}),
        (f"contributions/{idea}/vote/withdraw", {}),
    ):
        page = ann.post(f"{HERE}/{path}", {"csrf": csrf, **fields})
        assert page.status == 403
        assert "Your access to this campaign has been suspended" in page.text


def test_page_links_to_reporting_and_says_what_was_chosen(ann: Browser, idea: str) -> None:
    page = ann.get(f"{HERE}/contributions/{idea}")

    assert f"{HERE}/report?target={idea}" in page.read.links
    assert "What gets in the way" in page.text
    assert len(page.read.ids) == len(set(page.read.ids))
