"""What was typed before a sign-in is there again afterwards, for an hour, and for nobody else."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from chalicelib import typed
from chalicelib.errors import Invalid, TooMany
from tests.aws import lost_response

PAGE = "/c/change-challenge/contributions/new"
FORM = {"title": ["Forms"], "text": ["Too many.\n\nFar too many."], "tags": ["rotas", "forms"]}


def test_what_was_typed_is_found_by_its_token_on_its_page(aws: None, now: datetime) -> None:
    with lost_response("dynamodb", "PutItem"):
        token = typed.keep(PAGE, FORM, now=now)

    assert typed.find(token, PAGE, now=now) == FORM
    assert typed.find(token, "/c/another/contributions/new", now=now) is None
    assert typed.find("another", PAGE, now=now) is None


def test_what_was_typed_is_deleted_once_sent_and_gone_after_an_hour(aws: None, now: datetime) -> None:
    first, second = (typed.keep(PAGE, FORM, now=now) for _ in range(2))
    for _ in range(2):
        typed.forget(first)

    assert typed.find(first, PAGE, now=now) is None
    assert typed.find(second, PAGE, now=now + timedelta(hours=1)) is None


def test_what_was_typed_lies_sealed(aws: None, now: datetime) -> None:
    typed.keep(PAGE, FORM, now=now)

    item = next(iter(typed.Typed.scan()))
    assert b"Forms" not in bytes(item.sealed)
    assert set(item.attribute_values) == {"pk", "sealed", "expires"}


def test_too_much_is_not_kept(aws: None, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Invalid):
        typed.keep(PAGE, {"text": ["x" * typed.BYTES_MAX]}, now=now)
    monkeypatch.setattr(typed, "PER_HOUR", 1)
    typed.keep(PAGE, FORM, now=now)
    with pytest.raises(TooMany):
        typed.keep(PAGE, FORM, now=now)
