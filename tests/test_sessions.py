"""Signing in by a code that works ten minutes, five tries, and only for the browser that asked."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from chalicelib import keyring, participants, sessions
from chalicelib.errors import Invalid, TooMany
from tests.aws import lost_response, take_queued


def code_of(mailed: str) -> str:
    import base64
    import json

    sealed = base64.b64decode(mailed)
    return str(json.loads(keyring.unseal("email_seal", sealed, "mail"))["data"]["code"])


def ask(now: datetime, email: str = "ann@example.org") -> tuple[str, str]:
    flow = sessions.ask(email, now=now)
    return flow, code_of(take_queued("mail")[-1].body)


def test_person_can_sign_in_with_the_code(aws: None, now: datetime) -> None:
    flow, code = ask(now)
    session = sessions.verify(flow, f" {code[:3]} {code[3:]} ", now=now)

    assert sessions.find(session.token, now=now) == session.person
    assert sessions.find(session.token, now=now + timedelta(hours=12)) is None


def test_repeating_the_right_code_gives_the_same_session(aws: None, now: datetime) -> None:
    flow, code = ask(now)

    assert sessions.verify(flow, code, now=now) == sessions.verify(flow, code, now=now)


@pytest.mark.parametrize("operation", ["PutItem", "UpdateItem", "TransactWriteItems"])
def test_lost_response_while_signing_in_makes_one_person(aws: None, now: datetime, operation: str) -> None:
    flow, code = ask(now)
    with lost_response("dynamodb", operation) as calls:
        session = sessions.verify(flow, code, now=now)

    assert len(calls) > 1
    found = participants.find("ann@example.org")
    assert found is not None
    assert found.id == session.person


def test_signing_in_again_is_the_same_person(aws: None, now: datetime) -> None:
    first = sessions.verify(*ask(now), now=now)
    second = sessions.verify(*ask(now, "ANN@Example.ORG"), now=now)

    assert first.person == second.person
    assert first.token != second.token


def test_code_of_one_browser_does_not_work_in_another(aws: None, now: datetime) -> None:
    _, code = ask(now)
    other, _ = ask(now)

    with pytest.raises(Invalid):
        sessions.verify(other, code, now=now)


def test_guessing_ends_after_five_tries_even_with_the_right_code(aws: None, now: datetime) -> None:
    flow, code = ask(now)
    wrong = "000000" if code != "000000" else "111111"
    for _ in range(5):
        with pytest.raises(Invalid):
            sessions.verify(flow, wrong, now=now)

    with pytest.raises(Invalid) as refused:
        sessions.verify(flow, code, now=now)
    assert refused.value.code == "code_expired"


def test_code_expires_after_ten_minutes(aws: None, now: datetime) -> None:
    flow, code = ask(now)
    with pytest.raises(Invalid) as refused:
        sessions.verify(flow, code, now=now + timedelta(minutes=10))

    assert list(refused.value.fields) == ["code"]


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦"])
def test_what_is_no_code_is_refused_without_costing_a_try(aws: None, now: datetime, code: str) -> None:
    flow, right = ask(now)
    with pytest.raises(Invalid):
        sessions.verify(flow, code, now=now)

    assert sessions.verify(flow, right, now=now).token


def test_flow_that_nobody_started_is_refused(aws: None, now: datetime) -> None:
    with pytest.raises(Invalid) as refused:
        sessions.verify("nonsense", "123456", now=now)

    assert refused.value.code == "code_expired"


def test_codes_for_one_address_are_limited(aws: None, now: datetime) -> None:
    for _ in range(sessions.CODES_PER_HOUR):
        sessions.ask("ann@example.org", now=now)
    with pytest.raises(TooMany) as refused:
        sessions.ask("Ann@example.org", now=now)

    assert 0 < refused.value.retry_after <= 3600
    sessions.ask("ben@example.org", now=now)


@pytest.mark.parametrize(
    "email", ["", "ann", "ann@", "@example.org", "ann@example", "a b@example.org", "ann@example.org\nbcc:x@y.org", "x" * 250 + "@a.org"]
)
def test_what_is_no_address_is_refused(aws: None, now: datetime, email: str) -> None:
    with pytest.raises(Invalid) as refused:
        sessions.ask(email, now=now)

    assert list(refused.value.fields) == ["email"]


def test_signing_out_ends_the_session(aws: None, now: datetime) -> None:
    session = sessions.verify(*ask(now), now=now)
    sessions.end(session.token)
    sessions.end(session.token)

    assert sessions.find(session.token, now=now) is None


def test_no_table_holds_an_address_or_a_token_in_the_clear(aws: None, now: datetime) -> None:
    import boto3

    flow, code = ask(now)
    session = sessions.verify(flow, code, now=now)
    everything = "".join(
        str(boto3.client("dynamodb").scan(TableName=f"groundswell-local-{noun}")["Items"])
        for noun in ("participants", "sessions", "limits")
    )

    assert not [secret for secret in ("ann@", "example.org", flow, session.token, f"'{code}'") if secret in everything]
