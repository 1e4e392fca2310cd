"""Adding ideas, commenting, reading them; what is refused keeps what was typed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest

from chalicelib import comments, contributions, cursors, tallies, votes
from chalicelib.campaigns import Campaign
from tests.aws import Skipping
from tests.conftest import said
from tests.web.browser import Browser, Program
from tests.web.conftest import API, HERE, signed_in

IDEA = {"kind": "barrier", "title": "Too many forms", "text": "A form to ask for a form."}
HTML = "<script>alert(1)</script><img src=x onerror=alert(2)> \"quoted\" 'so' &amp; {{ 7 * 7 }}"


@pytest.fixture
def idea(ann_program: Program) -> str:
    """The id of one that Ann added."""
    return str(ann_program.ask("POST", f"{API}/contributions", IDEA)["id"])


def test_participant_can_add_an_idea_on_a_page(ann: Browser) -> None:
    ann.get(f"{HERE}/contributions/new")

    page = ann.send("/contributions", **IDEA)

    assert page.status == 200
    assert "Too many forms" in page.text
    assert "Too many forms" in ann.get(HERE).text


def test_participant_can_add_an_idea_as_json(ann_program: Program) -> None:
    made = ann_program.ask("POST", f"{API}/contributions", IDEA)

    assert ann_program.status == 201
    assert made.items() >= IDEA.items()
    assert (made["votes"], made["own_vote"]) == (None, 0)
    assert ann_program.ask("GET", f"{API}/contributions/{made['id']}") == made
    assert ann_program.ask("GET", f"{API}/contributions") == {"items": [made], "next": None}


def test_sending_the_same_form_twice_adds_one(ann: Browser) -> None:
    form = ann.get(f"{HERE}/contributions/new").form("/contributions")

    first, second = (ann.post(f"{HERE}/contributions", form.fields | IDEA) for _ in range(2))

    assert first.form("/comments").action == second.form("/comments").action
    assert ann.get(HERE).text.count("Too many forms") == 1


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


@pytest.mark.parametrize(("changes", "field"), WRONG)
def test_idea_on_a_page_is_refused_and_kept(ann: Browser, changes: dict[str, Any], field: str) -> None:
    form = ann.get(f"{HERE}/contributions/new").form("/contributions")

    page = ann.send("/contributions", **IDEA | changes)

    assert page.status == 400
    assert f"#{field}" in page.read.links
    assert field in page.read.ids
    kept = page.form("/contributions").fields
    assert (kept["title"], kept["text"]) == ((IDEA | changes)["title"], (IDEA | changes)["text"])
    assert kept["request"] == form.fields["request"]
    assert "Problem:" in page.text


def test_idea_is_kept_where_nobody_is_signed_in_or_joined(browser: Browser, ann: Browser, skipping: Skipping) -> None:
    form = ann.get(f"{HERE}/contributions/new").form("/contributions")
    skipping.at(skipping.now() + 13 * 3600)

    page = ann.post(f"{HERE}/contributions", form.fields | IDEA)

    assert page.status == 401
    assert page.form("/contributions").fields["text"] == IDEA["text"]
    assert any("/sign-in" in link for link in page.read.links)


def test_who_has_not_joined_cannot_add_comment_or_vote(program: Program, ann_program: Program, idea: str) -> None:
    bob = Program(program.client, signed_in("bob@example.org"))

    for method, path, body in (
        ("POST", "contributions", IDEA),
        ("POST", f"contributions/{idea}/comments", {"text": "x"}),
        ("PUT", f"contributions/{idea}/vote", {"value": 1}),
    ):
        assert bob.refused(method, f"{API}/{path}", body)[:2] == (403, "not_enrolled")


def test_role_is_refused_naming_the_field(ann: Browser, ann_program: Program) -> None:
    assert ann_program.refused("PUT", f"{API}/enrolment", {"role": "king"})[2].keys() == {"role"}
    ann.get("/sign-in")
    csrf = ann.page.form("/sign-in").fields["csrf"]

    for role in ({"role": "king"}, {}):
        page = ann.post(f"{HERE}/enrolment", {"csrf": csrf, **role})
        assert page.status == 400
        assert "Role:" in page.text


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

    for path in (HERE, f"{HERE}/contributions/{made['id']}"):
        page = ann.get(path)
        assert not {"script", "img"} & set(page.read.tags)
        assert HTML[:25] in page.text
    assert page.text.count(HTML) >= 2
    refused = ann.send("/comments", text=HTML + "x" * 2000)
    assert not {"script", "img"} & set(refused.read.tags)
    assert refused.form("/comments").fields["text"].startswith(HTML)


def test_lines_come_back_as_they_were_typed(ann: Browser) -> None:
    ann.get(f"{HERE}/contributions/new")

    page = ann.send("/contributions", **IDEA | {"title": "", "text": "\r\nfirst\r\n\r\nsecond\r\n"})

    assert page.form("/contributions").fields["text"] == "\nfirst\n\nsecond\n"


def test_list_is_paged_newest_first(ann: Browser, campaign: Campaign, now: datetime) -> None:
    for number in range(25):
        idea = said(title=f"Idea {number:02}")
        contributions.add(campaign, "ann", idea, request=str(number), now=now + timedelta(seconds=number))

    first = ann.get(HERE)
    older = next(link for link in first.read.links if "cursor=" in link)
    second = ann.get(older)

    assert first.text.index("Idea 24") < first.text.index("Idea 05")
    assert "Idea 04" not in first.text
    assert "Idea 04" in second.text
    assert not [link for link in second.read.links if "cursor=" in link]


@pytest.mark.parametrize("cursor", ["nonsense", "é", "a" * 5000, "%00", "made for another list"])
def test_bad_cursor_is_refused(ann: Browser, ann_program: Program, cursor: str) -> None:
    sent = cursors.make("another#1", "1-x") if cursor.startswith("made") else cursor
    assert ann_program.refused("GET", f"{API}/contributions?cursor={quote(sent)}")[2].keys() == {"cursor"}
    page = ann.get(f"{HERE}?cursor={quote(sent)}")

    assert page.status == 400
    assert "Cursor:" in page.text


@pytest.mark.parametrize("limit", ["0", "101", "-1", "ten", "1e2", "²", "99999999999"])
def test_bad_limit_is_refused(ann_program: Program, limit: str) -> None:
    assert ann_program.refused("GET", f"{API}/contributions?limit={quote(limit)}")[2].keys() == {"limit"}


def test_participant_can_comment(ann: Browser, ann_program: Program, idea: str) -> None:
    ann.get(f"{HERE}/contributions/{idea}")
    page = ann.send("/comments", text="I agree.\nWith all of it.")
    found = ann_program.ask("GET", f"{API}/contributions/{idea}/comments")["items"]

    assert "I agree." in page.text
    assert "Who had the idea" in page.text
    assert [comment["text"] for comment in found] == ["I agree.\nWith all of it."]
    assert found[0]["author"] == ann_program.ask("GET", f"{API}/contributions/{idea}")["author"]


@pytest.mark.parametrize("text", ["", " ", "x" * (comments.TEXT_MAX + 1)])
def test_comment_is_refused_and_kept(ann: Browser, ann_program: Program, idea: str, text: str) -> None:
    assert ann_program.refused("POST", f"{API}/contributions/{idea}/comments", {"text": text})[2].keys() == {"text"}
    ann.get(f"{HERE}/contributions/{idea}")

    page = ann.send("/comments", text=text)

    assert page.status == 400
    assert page.form("/comments").fields["text"] == text
    assert "#text" in page.read.links


def test_participant_can_vote_change_and_take_it_back(ann: Browser, ann_program: Program, idea: str) -> None:
    path = f"{HERE}/contributions/{idea}"
    csrf = ann.get(path).form("/vote").fields["csrf"]

    assert "You voted up" in ann.post(f"{path}/vote", {"csrf": csrf, "value": "1"}).text
    assert "You voted down" in ann.post(f"{path}/vote", {"csrf": csrf, "value": "-1"}).text
    assert ann_program.ask("GET", f"{API}/contributions/{idea}")["own_vote"] == -1
    assert "You voted" not in ann.send("/vote/withdraw").text

    assert ann_program.ask("PUT", f"{API}/contributions/{idea}/vote", {"value": 1}) == {"value": 1}
    assert ann_program.ask("DELETE", f"{API}/contributions/{idea}/vote") is None
    assert ann_program.status == 204


@pytest.mark.parametrize("value", [0, 2, -2, "1", True, None, 1.5, 10**30])
def test_vote_of_anything_else_is_refused(ann: Browser, ann_program: Program, idea: str, value: Any) -> None:
    assert ann_program.refused("PUT", f"{API}/contributions/{idea}/vote", {"value": value})[2].keys() == {"value"}
    if value != "1":
        csrf = ann.get(f"{HERE}/contributions/{idea}").form("/vote").fields["csrf"]
        page = ann.post(f"{HERE}/contributions/{idea}/vote", {"csrf": csrf, "value": value})
        assert page.status == 400
        assert "Value:" in page.text


def test_votes_are_hidden_until_the_stage_closes(
    ann: Browser, ann_program: Program, idea: str, campaign: Campaign, skipping: Skipping, now: datetime
) -> None:
    votes.cast(campaign, idea, "somebody", 1, now=now)
    tallies.recount(contributions.key(campaign.slug, idea))

    assert ann_program.ask("GET", f"{API}/contributions/{idea}")["votes"] is None
    assert ann_program.ask("GET", f"{API}/contributions")["items"][0]["votes"] is None
    assert "Votes are shown when this stage closes" in ann.get(f"{HERE}/contributions/{idea}").text

    skipping.at(now + timedelta(days=20))
    ann_program.token = None
    assert ann_program.ask("GET", f"{API}/contributions/{idea}")["votes"] == {"up": 1, "down": 0}
    assert ann_program.ask("GET", f"{API}/contributions")["items"][0]["votes"] == {"up": 1, "down": 0}
    assert "1 up, 0 down" in ann.get(f"{HERE}/contributions/{idea}").text
