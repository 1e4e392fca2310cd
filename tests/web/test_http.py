"""What holds for every address: the prefix, cookies, tokens of forms, headers, and errors in one shape."""

from __future__ import annotations

import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from chalice.test import Client

from app import app
from chalicelib import contributions, enrolments, participants, sessions, settings
from chalicelib.campaigns import Campaign
from tests.aws import hook
from tests.conftest import said
from tests.launching import Launching
from tests.web.browser import Browser, Program
from tests.web.conftest import API, HERE, mailed_code

PAGES = ["/", "/sign-in", "/sign-in/code", HERE, f"{HERE}/launch", f"{HERE}/contributions/new", f"{HERE}/pledges/new"]


def behind(client: Client, prefix: str) -> Client:
    """As API Gateway hands a request on: `requestContext.path` with the stage, the route's own path without."""
    converter = client.http._local_gateway.event_converter
    inner = converter.create_lambda_event

    def create(**asked: Any) -> dict[str, Any]:
        event: dict[str, Any] = inner(**asked)
        event["path"] = event["requestContext"]["path"]
        event["requestContext"]["path"] = prefix + event["path"]
        return event

    converter.create_lambda_event = create
    return client


@pytest.mark.parametrize("prefix", ["", "/api", "/change/api"], ids=["domain's root", "stage", "deeper"])
def test_somebody_can_walk_through_the_site_wherever_it_is_mounted(client: Client, launch: Launching, prefix: str) -> None:
    """The browser fails when an address leaves the prefix."""
    browser = Browser(behind(client, prefix), prefix)

    browser.get("/sign-in")
    browser.send("/sign-in", email="ann@example.org")
    browser.send("/sign-in/code", code=mailed_code())
    browser.get(f"{HERE}/contributions/new")
    browser.send("/contributions", kind="barrier", title="Too many forms", text="A form to ask for a form.", role="staff", of_age="1")

    assert "Too many forms" in browser.page.text
    assert all(f"Path={prefix or '/'};" in line for line in browser.attributes.values())
    assert all(address.startswith(("#", f"{prefix}/")) for address in browser.page.read.links)


def test_sign_in_leads_back_to_the_page_that_asked_for_it(client: Client, campaign: Campaign) -> None:
    browser = Browser(behind(client, "/api"), "/api")

    assert f"/api/sign-in?next={HERE}/launch/edit" in browser.get(f"{HERE}/launch/edit").read.links


@pytest.mark.parametrize("path", PAGES)
def test_page_is_strict_and_readable(browser: Browser, launch: Launching, path: str) -> None:
    page = browser.get(path)
    read, headers = page.read, page.response.headers

    assert page.status == 200
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'self';")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "private, no-store"
    assert "Referrer-Policy" in headers
    assert "script" not in read.tags
    assert read.tags.count("h1") == 1
    assert len(read.ids) == len(set(read.ids))
    assert {link[1:] for link in read.links if link.startswith("#")} <= set(read.ids)
    typed = {name for form in read.forms for name in form.names if name in read.ids}
    assert typed <= read.labelled


def test_session_cookie_is_out_of_reach(browser: Browser) -> None:
    browser.get("/sign-in")
    browser.send("/sign-in", email="ann@example.org")
    browser.send("/sign-in/code", code=mailed_code())

    line = browser.attributes["gs_session"]
    assert "HttpOnly" in line
    assert "SameSite=Lax" in line
    assert "Max-Age" not in line


def test_cookies_are_secure_except_on_the_local_stage(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    browser.get("/sign-in")
    assert "Secure" not in browser.attributes["gs_browser"]

    elsewhere = settings.Settings(stage="prod", mail_from="", lead_s=None, stand_ins={}, worker="")
    monkeypatch.setattr(settings, "current", lambda: elsewhere)
    browser.cookies.clear()
    page = browser.get("/sign-in")

    assert "; Secure" in browser.attributes["gs_browser"]
    assert "Strict-Transport-Security" in page.response.headers


def test_form_is_refused_without_this_browsers_token_and_keeps_what_was_typed(ann: Browser) -> None:
    said = {"kind": "barrier", "title": "Too many forms", "text": "A form to ask for a form."}

    for csrf in ({}, {"csrf": ""}, {"csrf": "0" * 32}, {"csrf": "é"}):
        page = ann.post(f"{HERE}/contributions", said | csrf)

        assert page.status == 403
        assert page.form("/contributions").fields | said == page.form("/contributions").fields
    assert "Nobody has added" in ann.get(HERE).text


def test_form_of_another_browser_is_refused(client: Client, ann: Browser) -> None:
    other = Browser(client)
    other.get(f"{HERE}/contributions/new")
    stolen = other.get("/sign-in").form("/sign-in").fields["csrf"]
    ann.get("/sign-in")

    assert ann.post(f"{HERE}/contributions", {"kind": "barrier", "title": "t", "text": "t", "csrf": stolen}).status == 403


FORMS = sorted(path for path, methods in app.routes.items() if "POST" in methods and not path.startswith("/v1/"))


@pytest.mark.parametrize("route", FORMS)
def test_every_form_is_refused_without_a_token(olive: Browser, campaign: Campaign, launch: Launching, now: datetime, route: str) -> None:
    """Enumerated from the routes, so that a new form cannot be forgotten."""
    enrolments.join(campaign.slug, participants.find_or_create("olive@example.org", now=now).id, "staff", now=now)
    idea = contributions.add(campaign, "ann", said("barrier", "An idea", "It."), request="1", now=now).id
    olive.get(f"{HERE}/pledges/new")
    olive.send("/pledges", server=launch.towns.hosts[0].name, text="I lend my voice.")
    draft = olive.page.form("/consent").action.split("/")[-2]
    path = route.replace("{slug}", campaign.slug).replace("{id}", draft if "/pledges/" in route else idea)
    sent = {
        "role": "staff",
        "value": "1",
        "text": "t",
        "title": "t",
        "kind": "barrier",
        "email": "a@example.org",
        "code": "123456",
        "token": "t",
    }

    assert olive.post(path, sent).status == 403
    assert (launch.launch.stopped_at, list(launch.launch.approvals)) == (None, [])
    assert "Sign out" in olive.get("/").text


def test_cookies_count_for_nothing_under_v1(client: Client, ann: Browser) -> None:
    cookies = "; ".join(f"{name}={value}" for name, value in ann.cookies.items())

    assert Program(client).refused("GET", "/v1/me", Cookie=cookies)[:2] == (401, "sign_in_needed")


def test_a_bearer_counts_for_nothing_on_pages(client: Client, ann: Browser) -> None:
    token = ann.cookies["gs_session"]
    response = client.http.get(HERE, headers={"Authorization": f"Bearer {token}"})

    assert b"Sign out" not in response.body


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        (b"{", "body"),
        (b"[]", "body"),
        (b'"x"', "body"),
        (b"\xff\xfe", "body"),
        (b'{"email": "\\ud800"}', "body"),
        (b"[" * 30_000, "body"),
        (b'{"email": "' + b"x" * 140_000 + b'"}', "body"),
        (b"", "email"),
        (b"{}", "email"),
        (b'{"email": null}', "email"),
        (b'{"email": 7}', "email"),
        (b'{"email": ["a@example.org"]}', "email"),
        (b'{"email": "a@example.org", "admin": true}', "admin"),
    ],
)
def test_body_is_refused_naming_the_field(program: Program, raw: bytes, field: str) -> None:
    status, _, fields = program.refused("POST", "/v1/sign-in", raw=raw)

    assert status == 400
    assert list(fields) == [field]


def test_every_wrong_field_is_named_at_once(ann_program: Program) -> None:
    _, _, fields = ann_program.refused("POST", f"{API}/contributions", {"kind": 1, "title": [], "colour": "red"})

    assert set(fields) == {"kind", "title", "text", "colour"}


@pytest.mark.parametrize(
    "body",
    [b"\xff", b"email=%ff", b"&".join(b"a=1" for _ in range(500)), b"email=" + b"x" * 140_000],
    ids=["bytes", "utf-8", "many", "big"],
)
def test_form_that_no_browser_sends_is_refused(browser: Browser, body: bytes) -> None:
    response = browser.client.http.post("/sign-in", headers={"Content-Type": "application/x-www-form-urlencoded"}, body=body)

    assert response.status_code == 400
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/v1/sign-in", {}, 405),
        ("POST", "/v1/sign-in", {"Content-Type": "text/plain"}, 415),
        ("GET", "/v1/campaigns/nope", {}, 404),
        ("GET", "/v1/campaigns/NOT%20A%20SLUG", {}, 404),
        ("GET", f"/v1/campaigns/{'x' * 300}", {}, 404),
        ("GET", "/v1/campaigns/caf%C3%A9%252F", {}, 404),
        ("GET", f"{API}/contributions/nope", {}, 404),
        ("GET", f"{API}/contributions/1-00000000000000000000000000", {}, 404),
        ("GET", f"{API}/pledges/nope", {}, 404),
        ("GET", f"{API}/pledges/a.mastodon.0.0.000", {}, 404),
        ("GET", f"{API}/launch", {}, 404),
        ("GET", f"{API}/launch/report", {}, 404),
        ("GET", "/v1/me", {}, 401),
        ("GET", "/v1/me", {"Authorization": "Bearer nobody"}, 401),
        ("GET", "/v1/me", {"Authorization": "Basic YTpi"}, 401),
        ("POST", f"{API}/contributions", {}, 401),
        ("PUT", f"{API}/enrolment", {}, 401),
        ("PUT", f"{API}/launch", {}, 401),
        ("POST", "/v1/campaigns", {}, 401),
    ],
)
def test_errors_of_the_api_have_one_shape(program: Program, method: str, path: str, headers: dict[str, str], status: int) -> None:
    names = {name.replace("-", "_"): value for name, value in headers.items()}

    assert program.refused(method, path, None if method == "GET" else {}, **names)[0] == status
    assert program.headers["Content-Type"] == "application/json"
    assert program.headers["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/c/nope", 404),
        ("/c/%3Cscript%3E", 404),
        (f"{HERE}/contributions/nope", 404),
        (f"{HERE}/pledges/nope", 404),
        (f"{HERE}/launch/report", 404),
        (f"{HERE}/launch/edit", 401),
        ("/campaigns/new", 401),
        (f"{HERE}/ideas?cursor=nonsense", 400),
        ("/static/nope.css", 404),
    ],
)
def test_errors_of_pages_are_pages_with_a_way_back(browser: Browser, path: str, status: int) -> None:
    page = browser.get(path)

    assert page.status == status
    assert "<h1>" in page.html
    assert "/" in page.read.links


def test_our_own_fault_is_told_without_details(browser: Browser, program: Program, caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        raise KeyError("ann@example.org")

    browser.get("/sign-in")
    program.ask("POST", "/v1/sign-in", {"email": "ann@example.org"})
    with hook("sqs", "SendMessage", fail):
        page = browser.send("/sign-in", email="ann@example.org")
        refused = program.refused("POST", "/v1/sign-in", {"email": "ann@example.org"})

    assert page.status == 500
    assert "Something went wrong" in page.text
    assert refused[:2] == (500, "unexpected")
    assert "unexpected KeyError" in caplog.text
    assert "ann@example.org" not in caplog.text


def test_too_many_requests_say_when_to_come_back(browser: Browser, program: Program) -> None:
    for _ in range(sessions.CODES_PER_HOUR):
        program.ask("POST", "/v1/sign-in", {"email": "ann@example.org"})
    refused = program.refused("POST", "/v1/sign-in", {"email": "Ann@example.org"})
    browser.get("/sign-in")
    page = browser.send("/sign-in", email="ann@example.org")

    assert refused[:2] == (429, "too_many")
    assert 0 < int(program.headers["Retry-After"]) <= 3600
    assert page.status == 429
    assert int(page.response.headers["Retry-After"]) > 0
    assert page.form("/sign-in").fields["email"] == "ann@example.org"


def test_style_sheet_may_be_kept_for_good_under_its_version(browser: Browser) -> None:
    address = next(link for link in browser.get("/").read.links if "groundswell.css" in link)

    kept, other = browser.get(address).response.headers, browser.get("/static/groundswell.css").response.headers

    assert kept["Content-Type"] == "text/css; charset=utf-8"
    assert "immutable" in kept["Cache-Control"]
    assert "immutable" not in other["Cache-Control"]
    assert browser.get("/static/mark.svg").response.headers["Content-Type"] == "image/svg+xml"


def test_templates_are_loaded_with_the_first_page_only(campaign: Campaign) -> None:
    """A worker, which answers no page, must not pay for them."""
    code = "import app, sys; assert 'jinja2' not in sys.modules; assert 'aiohttp' not in sys.modules"

    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])


@pytest.mark.parametrize("key", ["", "a key", "x" * 201, "tab\there"])
def test_key_of_a_repetition_is_as_the_contract_says(ann_program: Program, key: str) -> None:
    idea = {"kind": "barrier", "title": "Rotas", "text": "Late."}
    status, _, fields = ann_program.refused("POST", "/v1/campaigns/change-challenge/contributions", idea, Idempotency_Key=key)

    assert (status, fields) == (400, {"Idempotency-Key": "1 to 200 plain characters without spaces"})
