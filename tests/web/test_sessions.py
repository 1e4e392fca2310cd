"""Signing in by a code, as a page and as JSON."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from chalicelib import sessions
from tests.aws import Skipping, take_queued
from tests.web.browser import Browser, Program
from tests.web.conftest import HERE, mailed_code


def test_person_can_sign_in_and_out_on_pages(browser: Browser) -> None:
    browser.get(f"/sign-in?next={HERE}")
    browser.send("/sign-in", email=" Ann@Example.org ")
    code = mailed_code()

    assert "Sign out" in browser.send("/sign-in/code", code=f" {code[:3]} {code[3:]} ").text
    assert browser.page.read.links.count(HERE) >= 1
    token = browser.cookies["gs_session"]
    assert "Sign in" in browser.send("/sign-out").text
    assert not {"gs_session", "gs_supporter", "gs_flow", "gs_pledge"} & set(browser.cookies)
    browser.cookies["gs_session"] = token
    assert "Sign in" in browser.get("/").text


def test_program_can_sign_in_and_out(program: Program) -> None:
    flow = program.ask("POST", "/v1/sign-in", {"email": "ann@example.org"})["flow"]
    assert program.status == 202

    found = program.ask("POST", "/v1/sign-in/verify", {"flow": flow, "code": mailed_code()})
    program.token = found["token"]

    assert found["expires"].endswith("+00:00")
    assert program.ask("GET", "/v1/me")["organiser"] is False
    program.ask("DELETE", "/v1/session")
    assert program.status == 204
    assert program.refused("GET", "/v1/me")[0] == 401


def test_known_and_unknown_addresses_are_answered_alike(program: Program) -> None:
    answers = [program.ask("POST", "/v1/sign-in", {"email": email}) for email in ("olive@example.org", "nobody@example.org")]

    assert [list(answer) for answer in answers] == [["flow"], ["flow"]]


@pytest.mark.parametrize("email", ["", "ann", "ann@", "ann@ward", "a b@example.org", "x" * 250 + "@example.org", "<b>@example.org"])
def test_address_is_refused_and_kept(browser: Browser, program: Program, email: str) -> None:
    assert program.refused("POST", "/v1/sign-in", {"email": email})[0] == 400
    browser.get("/sign-in")
    page = browser.send("/sign-in", email=email)

    assert page.status == 400
    assert page.form("/sign-in").fields["email"] == email
    assert "#email" in page.read.links
    assert 'aria-invalid="true"' in page.html
    assert take_queued("mail") == []


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "１２３４５６", "000000 or 1"])
def test_what_is_no_code_is_refused_and_kept(browser: Browser, code: str) -> None:
    browser.get("/sign-in")
    browser.send("/sign-in", email="ann@example.org")

    page = browser.send("/sign-in/code", code=code)

    assert (page.status, page.form("/code").fields["code"]) == (400, code)
    assert "gs_session" not in browser.cookies


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


def test_guessed_code_is_refused_and_guessing_ends(browser: Browser, program: Program) -> None:
    browser.get("/sign-in")
    browser.send("/sign-in", email="ann@example.org")
    code = mailed_code()

    pages = [browser.send("/sign-in/code", code=wrong(code)) for _ in range(sessions.TRIES)]
    assert [page.status for page in pages] == [400] * sessions.TRIES
    assert "4 more tries" in pages[0].text
    assert browser.send("/sign-in/code", code=code).status == 400

    flow = program.ask("POST", "/v1/sign-in", {"email": "bob@example.org"})["flow"]
    assert program.refused("POST", "/v1/sign-in/verify", {"flow": flow, "code": wrong(mailed_code())})[2].keys() == {"code"}


def test_expired_code_is_refused(browser: Browser, program: Program, skipping: Skipping) -> None:
    browser.get("/sign-in")
    browser.send("/sign-in", email="ann@example.org")
    code = mailed_code()
    flow = program.ask("POST", "/v1/sign-in", {"email": "ann@example.org"})["flow"]
    skipping.at(skipping.now() + timedelta(seconds=sessions.CODE_S).total_seconds())

    page = browser.send("/sign-in/code", code=code)

    assert page.status == 400
    assert "has expired" in page.text
    assert program.refused("POST", "/v1/sign-in/verify", {"flow": flow, "code": mailed_code()})[:2] == (400, "code_expired")


def test_code_works_only_in_the_browser_that_asked(browser: Browser) -> None:
    browser.get("/sign-in")
    browser.send("/sign-in", email="ann@example.org")
    code = mailed_code()
    del browser.cookies["gs_flow"]

    assert browser.send("/sign-in/code", code=code).status == 400


def test_session_ends_after_twelve_hours(ann: Browser, skipping: Skipping) -> None:
    assert "Sign out" in ann.get("/").text

    skipping.at(skipping.now() + sessions.SESSION_S)

    assert "Sign out" not in ann.get("/").text


ELSEWHERE = (
    "https://evil.example", "//evil.example", "///evil.example", "/\\evil", "\\/evil", "javascript:alert(1)", "/../..", "/%0d", "/a#b",
    "/a?b=//evil", "/a?b=\\", "/a?b=\r\nSet-Cookie:x", "/a?b c", "?b=c", "@evil.example", "/a?" + "b" * 1000,
)  # fmt: skip


@pytest.mark.parametrize("next_", ELSEWHERE)
def test_sign_in_leads_nowhere_else(browser: Browser, next_: str) -> None:
    browser.get("/sign-in")
    browser.send("/sign-in", email="ann@example.org", next=next_)
    fields = browser.page.form("/code").fields

    assert fields["next"] == "/"


@pytest.mark.parametrize("query", ["reply=01JC-x_y", "sort=new&tag=within%20one&q=caf%C3%A9+au", "q=a%2Fb%3D%3D"])
def test_sign_in_keeps_the_query_of_where_one_was(browser: Browser, query: str) -> None:
    there = f"{HERE}?{query}"
    browser.get(there)
    asks = [link for link in browser.page.read.links if link.startswith("/sign-in?next=")]
    browser.get(asks[0])
    browser.send("/sign-in", email="ann@example.org")
    browser.send("/sign-in/code", code=mailed_code())

    assert parse_qs(urlsplit(browser.address).query) == parse_qs(query)
    assert urlsplit(browser.address).path == HERE
    assert "Sign out" in browser.page.text
