"""Reporting without an account, and the moderators' queue."""

from __future__ import annotations

from datetime import datetime

import pytest

from chalicelib import comments, contributions, flags
from chalicelib.campaigns import Campaign
from tests.aws import take_mailed
from tests.conftest import said
from tests.web.browser import Browser, Program
from tests.web.conftest import API, HERE


@pytest.fixture
def idea(campaign: Campaign, now: datetime) -> str:
    return contributions.add(campaign, "author", said(), request="1", now=now).id


@pytest.fixture
def comment(campaign: Campaign, idea: str, now: datetime) -> str:
    """The target of a comment."""
    return f"{idea}/{comments.add(campaign, idea, 'ben', text='Rude words.', request='1', now=now).id}"


def test_somebody_without_an_account_can_report_an_idea_and_a_comment(
    browser: Browser, campaign: Campaign, idea: str, comment: str
) -> None:
    links = browser.get(f"{HERE}/contributions/{idea}").read.links
    for link, words in (
        (f"{HERE}/report?target={idea}", "Too many forms."),
        (f"{HERE}/report?target={comment.replace('/', '%2F')}", "Rude words."),
    ):
        assert link in links
        page = browser.get(link)
        assert words in page.text
        assert "999" in page.text
        assert campaign.contact in page.text
        thanks = browser.send("/report", reason="abusive", note="Names a nurse.")
        assert (thanks.status, "A moderator looks" in thanks.text) == (200, True)

    assert {(one.target, *one.notes) for one in flags.waiting(campaign.slug)} == {(idea, "Names a nurse."), (comment, "Names a nurse.")}


def test_sending_the_same_report_twice_counts_once(browser: Browser, program: Program, campaign: Campaign, idea: str) -> None:
    form = browser.get(f"{HERE}/report?target={idea}").form("/report")
    for _ in range(2):
        browser.post(f"{HERE}/report", form.fields | {"reason": "danger"})
        program.ask("POST", f"{API}/flags", {"target": idea, "reason": "other"}, Idempotency_Key="1")

    assert program.status == 201
    assert [dict(one.reasons) for one in flags.waiting(campaign.slug)] == [{"danger": 1, "other": 1}]


def test_danger_is_the_first_reason_to_choose(browser: Browser, idea: str) -> None:
    html = browser.get(f"{HERE}/report?target={idea}").html

    assert [html.index(f'value="{reason}"') for reason in flags.REASONS] == sorted(
        html.index(f'value="{reason}"') for reason in flags.REASONS
    )
    assert flags.REASONS[0] == "danger"


@pytest.mark.parametrize(
    ("typed", "field"), [({}, "reason"), ({"reason": "rude"}, "reason"), ({"reason": "other", "note": "x" * 501}, "note")]
)
def test_report_is_refused_and_kept(browser: Browser, program: Program, idea: str, typed: dict[str, str], field: str) -> None:
    browser.get(f"{HERE}/report?target={idea}")

    page = browser.send("/report", **{"note": "Kept."} | typed)

    assert page.status == 400
    assert f"#{field}" in page.read.links
    assert page.form("/report").fields.items() >= {"target": idea, "note": typed.get("note", "Kept.")}.items()
    assert program.refused("POST", f"{API}/flags", {"target": idea, **typed})[2].keys() == {field}


def test_what_is_not_there_cannot_be_reported(browser: Browser, program: Program, idea: str) -> None:
    for target in (f"1-{'0' * 26}", f"{idea}/", f"{idea}/{'0' * 26}", "", "x" * 3000, "../"):
        assert program.refused("POST", f"{API}/flags", {"target": target, "reason": "other"})[0] == 404
    assert browser.get(f"{HERE}/report?target=1-{'0' * 26}").status == 404
    page = browser.get(f"{HERE}/report")
    assert (page.status, "Report this" in page.text, page.read.forms[1:]) == (200, True, [])


def test_queue_is_for_moderators_with_what_may_be_dangerous_first(
    ann_program: Program, olive: Browser, program: Program, campaign: Campaign, idea: str, comment: str
) -> None:
    program.ask("POST", f"{API}/flags", {"target": idea, "reason": "other"})
    program.ask("POST", f"{API}/flags", {"target": comment, "reason": "danger", "note": "They mean it."})
    assert Program(program.client).refused("GET", f"{API}/flags")[0] == 401
    assert ann_program.refused("GET", f"{API}/flags")[:2] == (403, "not_moderator")

    found = Program(program.client, olive.cookies["gs_session"]).ask("GET", f"{API}/flags")
    assert found["next"] is None
    assert [(one["target"], one["urgent"], one["title"], one["text"]) for one in found["items"]] == [
        (comment, True, None, "Rude words."),
        (idea, False, "Forms", "Too many forms."),
    ]
    assert (found["items"][0]["notes"], found["items"][1]["revision"]) == (["They mean it."], 1)


def test_report_of_danger_is_mailed_at_once_to_who_moderates_and_once(program: Program, olive: Browser, idea: str) -> None:
    take_mailed()
    for reason in ("danger", "danger", "abusive"):
        program.ask("POST", f"{API}/flags", {"target": idea, "reason": reason})

    (message,) = take_mailed()
    assert (message["to"], message["kind"]) == ("olive@example.org", "danger")
    assert message["data"]["address"].endswith(f"{HERE}/organise/moderation")
    assert set(message["data"]) == {"campaign", "address"}
