"""Voting: one's own vote is seen at once, the role is asked once, and what the whole request costs."""

from __future__ import annotations

import json
from contextlib import ExitStack
from datetime import datetime
from functools import partial
from typing import Any

import pytest

from chalicelib import contributions, store
from chalicelib.campaigns import Campaign
from tests.conftest import said
from tests.web.browser import Browser, Program
from tests.web.conftest import API, HERE, mailed_code, signed_in


@pytest.fixture
def idea(campaign: Campaign, now: datetime) -> str:
    return contributions.add(campaign, "author", said(), request="1", now=now).id


def test_participant_can_vote_change_and_take_it_back(ann: Browser, ann_program: Program, idea: str) -> None:
    path = f"{HERE}/contributions/{idea}"
    csrf = ann.get(path).form("/vote").fields["csrf"]

    assert "You voted up" in ann.post(f"{path}/vote", {"csrf": csrf, "value": "1"}).text
    assert "You voted down" in ann.post(f"{path}/vote", {"csrf": csrf, "value": "-1"}).text
    assert ann_program.ask("GET", f"{API}/contributions/{idea}")["own_vote"] == -1
    assert "You voted" not in ann.send("/vote/withdraw").text

    for _ in range(2):
        assert ann_program.ask("PUT", f"{API}/contributions/{idea}/vote", {"value": 1}) == {"value": 1}
    for _ in range(2):
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


def test_role_is_asked_with_the_first_vote(browser: Browser, ann_program: Program, idea: str) -> None:
    path = f"{HERE}/contributions/{idea}"
    browser.get(path)
    page = browser.send("/vote", value="1")
    assert page.form("/sign-in").fields["next"] == path
    browser.send("/sign-in", email="new@example.org")
    browser.send("/sign-in/code", code=mailed_code())
    assert "Which describes you best?" in browser.page.text

    refused = browser.send("/vote", value="1")
    assert refused.status == 400
    assert "#role" in refused.read.links
    refused = browser.send("/vote", value="1", role="staff")
    assert refused.status == 400
    assert "#of_age" in refused.read.links
    page = browser.send("/vote", value="1", role="staff", of_age="1")

    assert "You voted up" in page.text
    assert "Which describes you best?" not in page.text


def test_own_vote_is_announced_and_said_by_the_buttons(ann: Browser, idea: str) -> None:
    ann.get(f"{HERE}/contributions/{idea}")
    html = ann.send("/vote", value="-1").html

    assert '<p role="status">You voted down.</p>' in html
    assert 'value="1" aria-pressed="false">Vote up' in html
    assert 'value="-1" aria-pressed="true">Vote down' in html


def test_vote_on_nothing_is_not_found(ann_program: Program) -> None:
    for unknown in (f"1-{'0' * 26}", "9-x", "x"):
        assert ann_program.refused("PUT", f"{API}/contributions/{unknown}/vote", {"value": 1})[0] == 404
        assert ann_program.refused("DELETE", f"{API}/contributions/{unknown}/vote")[0] == 404
    assert ann_program.refused("PUT", f"/v1/campaigns/nowhere/contributions/1-{'0' * 26}/vote", {"value": 1})[0] == 404


READS = ("GetItem", "Query", "Scan", "BatchGetItem", "TransactGetItems")
WRITES = ("PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems", "BatchWriteItem")


def calls_of(program: Program, method: str, path: str, body: Any = None) -> list[tuple[str, dict[str, Any]]]:
    """The DynamoDB calls of a request, with what each asks."""
    seen: list[tuple[str, dict[str, Any]]] = []
    with ExitStack() as stack:
        for operation in (*READS, *WRITES):
            name = f"before-call.dynamodb.{operation}"
            record = partial(_record, seen, operation)
            store.dynamodb().meta.events.register_first(name, record)
            stack.callback(store.dynamodb().meta.events.unregister, name, record)
        program.ask(method, path, body)
    assert program.status < 300
    return seen


def _record(seen: list[tuple[str, dict[str, Any]]], operation: str, params: dict[str, Any], **_: Any) -> None:
    seen.append((operation, json.loads(params["body"])))


def test_vote_costs_two_reads_and_two_writes(ann_program: Program, idea: str) -> None:
    """Session; campaign, enrolment and contribution together; the limit; the vote. All reads are eventually consistent, the
    first request of a function reads the campaign's pseudonym key besides. A first vote writes its index too: 3 units."""
    path = f"{API}/contributions/{idea}/vote"
    ann_program.ask("PUT", path, {"value": 1})

    found = calls_of(ann_program, "PUT", path, {"value": -1})

    assert [operation for operation, _ in found] == ["GetItem", "BatchGetItem", "UpdateItem", "UpdateItem"]
    batch = found[1][1]["RequestItems"]
    assert sorted(batch) == [f"groundswell-local-{noun}" for noun in ("campaigns", "contributions", "enrolments")]
    assert not found[0][1].get("ConsistentRead")
    assert not any(table.get("ConsistentRead") for table in batch.values())


def test_first_vote_of_a_cold_function_costs_one_read_more(ann_program: Program, idea: str) -> None:
    from chalicelib import pseudonyms

    pseudonyms._pair.cache_clear()
    found = [operation for operation, _ in calls_of(ann_program, "PUT", f"{API}/contributions/{idea}/vote", {"value": 1})]

    assert [operation for operation in found if operation in READS] == ["GetItem", "GetItem", "BatchGetItem"]
    assert [operation for operation in found if operation in WRITES] == ["UpdateItem", "UpdateItem"]


def test_taking_a_vote_back_costs_three_reads_and_two_writes(ann_program: Program, idea: str) -> None:
    path = f"{API}/contributions/{idea}/vote"
    ann_program.ask("PUT", path, {"value": 1})

    found = [operation for operation, _ in calls_of(ann_program, "DELETE", path)]

    assert found == ["GetItem", "BatchGetItem", "UpdateItem", "GetItem", "UpdateItem"]


def test_two_people_have_one_vote_each(ann_program: Program, idea: str, campaign: Campaign) -> None:
    path = f"{API}/contributions/{idea}/vote"
    ann_program.ask("PUT", path, {"value": 1})
    ben = Program(ann_program.client, signed_in("ben@example.org"))
    ben.ask("PUT", f"{API}/enrolment", {"role": "staff", "of_age": True})
    ben.ask("PUT", path, {"value": -1})

    owns = [somebody.ask("GET", f"{API}/contributions/{idea}")["own_vote"] for somebody in (ann_program, ben)]
    assert owns == [1, -1]
