"""Comments and replies, as JSON and on the idea's page, without a script."""

from __future__ import annotations

from datetime import datetime

import pytest

from chalicelib import comments, contributions, moderation
from chalicelib.campaigns import Campaign
from tests.conftest import said
from tests.web.browser import Browser, Program
from tests.web.conftest import API, HERE, mailed_code


@pytest.fixture
def idea(campaign: Campaign, now: datetime) -> str:
    return contributions.add(campaign, "author", said(), request="1", now=now).id


@pytest.fixture
def there(campaign: Campaign, idea: str, now: datetime) -> str:
    """The id of a comment by somebody else."""
    return comments.add(campaign, idea, "ben", text="Which forms?", request="1", now=now).id


def test_participant_can_comment(ann: Browser, ann_program: Program, idea: str) -> None:
    ann.get(f"{HERE}/contributions/{idea}")
    page = ann.send("/comments", text="I agree.\nWith all of it.")
    found = ann_program.ask("GET", f"{API}/contributions/{idea}/comments")["items"]

    assert "I agree." in page.text
    assert [comment["text"] for comment in found] == ["I agree.\nWith all of it."]
    assert ann_program.ask("GET", f"{API}/contributions/{idea}")["comments"] == 1


def test_who_had_the_idea_is_known_by_the_same_author_id(ann: Browser, ann_program: Program) -> None:
    made = ann_program.ask("POST", f"{API}/contributions", {"kind": "barrier", "title": "Forms", "text": "Too many."})
    comment = ann_program.ask("POST", f"{API}/contributions/{made['id']}/comments", {"text": "More of it."})

    assert comment["author"] == made["author"]
    assert "Who had the idea" in ann.get(f"{HERE}/contributions/{made['id']}").text


@pytest.mark.parametrize("text", ["", " ", "x" * (comments.TEXT_MAX + 1)])
def test_comment_is_refused_and_kept(ann: Browser, ann_program: Program, idea: str, text: str) -> None:
    assert ann_program.refused("POST", f"{API}/contributions/{idea}/comments", {"text": text})[2].keys() == {"text"}
    ann.get(f"{HERE}/contributions/{idea}")

    page = ann.send("/comments", text=text)

    assert page.status == 400
    assert page.form("/comments").fields["text"] == text
    assert "#text" in page.read.links


def test_participant_can_reply_without_a_script(ann: Browser, ann_program: Program, idea: str, there: str) -> None:
    page = ann.get(f"{HERE}/contributions/{idea}")
    assert f"{HERE}/contributions/{idea}?reply={there}#comment-{there}" in page.read.links

    form = ann.get(f"{HERE}/contributions/{idea}?reply={there}").form("/comments")
    assert form.fields["parent"] == there
    refused = ann.send("/comments", text="")
    assert (refused.status, refused.form("/comments").fields["parent"]) == (400, there)
    page = ann.send("/comments", text="The ones for forms.")

    assert "The ones for forms." in page.text
    assert [one["parent"] for one in ann_program.ask("GET", f"{API}/contributions/{idea}/comments")["items"]] == [None, there]


def test_reply_to_a_reply_or_to_nothing_is_refused(ann_program: Program, idea: str, there: str) -> None:
    path = f"{API}/contributions/{idea}/comments"
    reply = ann_program.ask("POST", path, {"text": "These.", "parent": there})["id"]

    for parent in (reply, "x", "", "0" * 26):
        assert ann_program.refused("POST", path, {"text": "x", "parent": parent})[2].keys() == {"parent"}


def test_same_idempotency_key_comments_once(ann_program: Program, idea: str) -> None:
    path = f"{API}/contributions/{idea}/comments"
    made = [ann_program.ask("POST", path, {"text": "Yes."}, Idempotency_Key="1")["id"] for _ in range(2)]

    assert made[0] == made[1]


def test_author_can_take_a_comment_back(ann: Browser, ann_program: Program, idea: str, there: str) -> None:
    path = f"{API}/contributions/{idea}/comments"
    first, second = (ann_program.ask("POST", path, {"text": text})["id"] for text in ("One.", "Two."))
    ann_program.ask("POST", path, {"text": "Of the second.", "parent": second})

    for _ in range(2):
        ann_program.ask("DELETE", f"{path}/{first}")
        assert ann_program.status == 204
    ann.get(f"{HERE}/contributions/{idea}")
    page = ann.send(f"/comments/{second}/withdraw")

    assert "Its author has taken this comment back." in page.text
    assert "Two." not in page.text
    found = {one["id"]: one for one in ann_program.ask("GET", path)["items"]}
    assert first not in found
    assert (found[second]["state"], found[second]["text"], found[second]["author"]) == ("withdrawn", "", None)
    assert ann_program.refused("DELETE", f"{path}/{there}")[:2] == (403, "not_author")


def test_hidden_comment_is_told_to_nobody(
    ann: Browser, ann_program: Program, campaign: Campaign, idea: str, there: str, now: datetime
) -> None:
    path = f"{API}/contributions/{idea}/comments"
    ann_program.ask("POST", path, {"text": "These.", "parent": there})
    target = f"{idea}/{there}"
    moderation.decide(campaign, target, "hide", reason="abusive", moderator="moderator", request="1", now=now)

    assert [(one["state"], one["text"]) for one in ann_program.ask("GET", path)["items"]] == [("hidden", ""), ("published", "These.")]
    page = ann.get(f"{HERE}/contributions/{idea}")
    assert "A moderator has taken this comment away." in page.text
    assert "Which forms?" not in page.text


def test_comment_typed_before_the_sign_in_is_there_afterwards(browser: Browser, campaign: Campaign, idea: str, there: str) -> None:
    browser.get(f"{HERE}/contributions/{idea}?reply={there}")
    browser.send("/comments", text="The ones for forms.")
    browser.send("/sign-in", email="new@example.org")
    page = browser.send("/sign-in/code", code=mailed_code())

    form = page.form("/comments")
    assert (form.fields["text"], form.fields["parent"]) == ("The ones for forms.", there)
    refused = browser.send("/comments")
    assert (refused.status, refused.form("/comments").fields["text"]) == (400, "The ones for forms.")
    page = browser.send("/comments", role="patient", of_age="1")

    assert page.status == 200
    assert [one.text for one in comments.of(campaign.slug, idea).items] == ["Which forms?", "The ones for forms."]
    assert browser.get(f"{HERE}/contributions/{idea}").form("/comments").fields["text"] == ""


def test_bad_cursor_is_refused(ann: Browser, ann_program: Program, idea: str) -> None:
    assert ann_program.refused("GET", f"{API}/contributions/{idea}/comments?cursor=x")[2].keys() == {"cursor"}
    assert ann.get(f"{HERE}/contributions/{idea}?cursor=x").status == 400


def test_unknown_comment_is_not_found(ann_program: Program, idea: str) -> None:
    for unknown in ("x", "0" * 26, "%C3%A9" * 30):
        assert ann_program.refused("DELETE", f"{API}/contributions/{idea}/comments/{unknown}")[0] == 404
