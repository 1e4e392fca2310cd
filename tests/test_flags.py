"""Reports, and the queue that they make."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from chalicelib import flags
from chalicelib.errors import Invalid, TooMany
from tests.aws import lost_response

SLUG = "change-challenge"
IDEA, OTHER = "1-" + "0" * 26, "1-" + "1" * 26


def add(
    now: datetime, target: str = IDEA, reason: str = "abusive", note: str = "", who: str | None = "ann", request: str = "1"
) -> flags.Flag:
    return flags.add(SLUG, target, reason=reason, note=note, pseudonym=who, request=request, now=now)


def reasons(target: str = IDEA) -> dict[str, int]:
    return next((dict(one.reasons) for one in flags.waiting(SLUG) if one.target == target), {})


def test_reporting_again_replaces_what_a_person_said(aws: None, now: datetime) -> None:
    add(now, note="Rude.")
    add(now, note="Rude.")
    add(now, reason="identifies", note="Names the ward.", request="2")
    add(now, who="ben")

    assert reasons() == {"identifies": 1, "abusive": 1}
    assert sorted(flags.waiting(SLUG)[0].notes) == ["Names the ward."]


def test_report_without_an_account_counts_once_for_each_request(aws: None, now: datetime) -> None:
    for request in ("1", "1", "2"):
        add(now, who=None, request=request)

    assert reasons() == {"abusive": 2}


@pytest.mark.parametrize("who", ["ann", None])
def test_lost_response_reports_once(aws: None, now: datetime, who: str | None) -> None:
    for operation, which in (("PutItem", 1), ("PutItem", 2), ("UpdateItem", 1)):
        with lost_response("dynamodb", operation, which=which):
            add(now, who=who)

    assert reasons() == {"abusive": 1}


def test_danger_comes_first_then_the_oldest(aws: None, now: datetime) -> None:
    targets = [f"1-{number}" + "0" * 25 for number in range(3)]
    for number, target in enumerate(targets):
        add(now + timedelta(minutes=number), target)
    add(now + timedelta(hours=1), targets[2], reason="danger", who="ben")

    found = flags.waiting(SLUG)
    assert [one.target for one in found] == [targets[2], targets[0], targets[1]]
    assert [one.is_urgent for one in found] == [True, False, False]


@pytest.mark.parametrize(("reason", "note", "field"), [("rude", "", "reason"), ("review", "", "reason"), ("other", "x" * 501, "note")])
def test_report_is_refused_naming_the_field(aws: None, now: datetime, reason: str, note: str, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        add(now, reason=reason, note=note)

    assert list(refused.value.fields) == [field]
    assert flags.waiting(SLUG) == []


def test_flood_without_an_account_does_not_keep_who_is_signed_in_from_reporting(
    aws: None, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flags, "PER_HOUR", 2)
    monkeypatch.setattr(flags, "PER_PERSON_PER_HOUR", 2)
    for number in range(2):
        add(now, who=None, request=str(number))
        add(now, request=str(number))

    for who in (None, "ann"):
        with pytest.raises(TooMany):
            add(now, who=who, request="more")
    add(now, who="ben", reason="danger")


def test_closing_leaves_reports_that_came_later_and_other_targets(aws: None, now: datetime) -> None:
    add(now)
    add(now, f"{IDEA}/{'0' * 26}")
    add(now, OTHER)
    add(now + timedelta(minutes=2), who="ben", reason="danger")

    for _ in range(2):
        flags.close(SLUG, IDEA, until=now + timedelta(minutes=1))

    assert reasons() == {"danger": 1}
    assert {one.target for one in flags.waiting(SLUG)} == {IDEA, f"{IDEA}/{'0' * 26}", OTHER}


def test_end_of_a_review_leaves_the_reports(aws: None, now: datetime) -> None:
    add(now)
    for _ in range(2):
        flags.await_review(SLUG, IDEA, now=now)
    assert reasons() == {"abusive": 1, "review": 1}

    for _ in range(2):
        flags.end_review(SLUG, IDEA)
    assert reasons() == {"abusive": 1}
