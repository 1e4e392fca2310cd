"""Lending a post: draft, consent, the way back, withdrawing; with and without an account; and what is refused."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from chalicelib import chunks, counts, pledges, slots, supporters
from chalicelib.pledges import Pledge
from tests.launching import Launching
from tests.web.browser import Browser, Page, Program
from tests.web.conftest import API, HERE

TEXT = "I lend my voice. https://change.example.org/solutions"


@pytest.fixture
def town(launch: Launching) -> str:
    return launch.towns.hosts[0].name


def token(launch: Launching, town: str, name: str = "jane") -> str:
    """An access token that she could paste."""
    return launch.towns.token(town, name)


def drafted(browser: Browser, town: str, text: str = TEXT) -> Page:
    browser.get(f"{HERE}/pledges/new")
    return browser.send("/pledges", server=town, text=text)


def asked(town: str, **changes: Any) -> dict[str, Any]:
    return {"network": "mastodon", "mode": "automatic", "server": town, "text": TEXT} | changes


def seal(launch: Launching, pledge: Pledge) -> None:
    """A worker has sealed the chunk."""
    launch.ready()
    now = launch.moment(-3).timestamp()
    leased = chunks.lease(str(pledge.pk), int(launch.launch.epoch), now=now)
    assert leased
    assert chunks.seal(leased, now=now)


def test_supporter_sees_exactly_what_will_happen(browser: Browser, launch: Launching, town: str) -> None:
    page = drafted(browser, town)

    for told in (
        "On Saturday 9 January 2027 at 9.30am (GMT, Europe/London), Change Challenge will post this, once, from your account on " + town,
        TEXT,
        "cancel until a few seconds before",
        "If fewer than 1 person joins in, nothing is posted",
        "300 posts from us every 5 minutes",
        "until Saturday 9 January 2027 at 9.20am",
        "Post this for me on 9 January at 9.30am",
    ):
        assert told in page.text


def test_supporter_without_an_account_can_lend_a_post_and_take_it_back(browser: Browser, launch: Launching, town: str) -> None:
    drafted(browser, town)
    assert "Max-Age" not in browser.attributes["gs_supporter"]
    given = token(launch, town)

    page = browser.send("/consent", token=given)

    assert f"It goes out from @jane@{town} on Saturday 9 January 2027 at 9.30am (GMT, Europe/London)" in page.text
    assert given not in page.html
    assert "Max-Age" not in browser.attributes["gs_pledge"]
    mine = next(link for link in browser.get(f"{HERE}/launch").read.links if "/pledges/" in link)
    browser.get(mine)
    assert "You took your post back" in browser.send("/withdraw").text
    assert "Cancel my post" not in browser.get(mine).text


def test_own_device_keeps_the_way_back(browser: Browser, launch: Launching, town: str) -> None:
    drafted(browser, town)

    browser.send("/consent", token=token(launch, town), keep="1")

    assert "Max-Age=5184000" in browser.attributes["gs_supporter"]
    assert "Max-Age=5184000" in browser.attributes["gs_pledge"]


def test_signed_in_supporter_gets_no_second_key(ann: Browser, launch: Launching, town: str) -> None:
    drafted(ann, town)
    ann.send("/consent", token=token(launch, town))

    assert "You have lent a post" in ann.page.text
    assert "gs_supporter" not in ann.cookies


def test_words_can_be_changed_before_consent(browser: Browser, launch: Launching, town: str) -> None:
    drafted(browser, town)

    assert "My own words." in browser.send("/text", text="My own words.").text
    assert browser.send("/consent", token=token(launch, town)).text.count("My own words.") == 1


def test_draft_leads_to_its_pledge_once_confirmed(browser: Browser, launch: Launching, town: str) -> None:
    draft = drafted(browser, town).form("/consent").action.removesuffix("/consent")
    browser.send("/consent", token=token(launch, town))

    assert "You have lent a post" in browser.get(draft).text


def test_cancelled_draft_is_gone(browser: Browser, launch: Launching, town: str) -> None:
    draft = drafted(browser, town).form("/consent").action.removesuffix("/consent")

    assert "The moment" in browser.send("/withdraw").text
    assert browser.get(draft).status == 404


def test_program_can_lend_a_post_and_take_it_back(program: Program, launch: Launching, town: str) -> None:
    draft = program.ask("POST", f"{API}/pledges", asked(town))
    assert (program.status, draft["state"], draft["length"]) == (201, "draft", 40)
    program.token = draft["token"]
    mine = f"{API}/pledges/{draft['id']}"
    assert "token" not in program.ask("PATCH", mine, {"text": "My own words."})

    pledge = program.ask("POST", f"{mine}/consent", {"token": token(launch, town)})

    assert program.status == 201
    assert pledge["planned_at"] == "2027-01-09T09:30:00+00:00"
    assert (pledge["state"], pledge["account"], pledge["text"]) == ("pledged", f"@jane@{town}", "My own words.")
    assert program.ask("POST", f"{mine}/consent", {"token": token(launch, town)}) == pledge
    assert program.ask("GET", f"{API}/pledges/{pledge['id']}") == pledge
    for path in (mine, f"{API}/pledges/{pledge['id']}"):
        program.ask("DELETE", path)
        assert program.status == 204
    assert program.ask("GET", f"{API}/pledges/{pledge['id']}")["outcome"]["outcome"] == "withdrawn"


def test_pledge_of_somebody_else_is_not_found(
    program: Program, ann_program: Program, browser: Browser, launch: Launching, town: str
) -> None:
    pledge = launch.pledge("jane")
    draft = ann_program.ask("POST", f"{API}/pledges", asked(town))

    for other in (Program(program.client), Program(program.client, "x" * 43)):
        for path in (pledge.id, draft["id"]):
            assert other.refused("GET", f"{API}/pledges/{path}")[0] == 404
            assert other.refused("DELETE", f"{API}/pledges/{path}")[0] == 404
    browser.cookies.clear()
    assert browser.get(f"{HERE}/pledges/{pledge.id}").status == 404


def test_a_session_that_has_ended_makes_no_draft(program: Program, launch: Launching, town: str) -> None:
    program.token = "guessable"

    assert program.refused("POST", f"{API}/pledges", asked(town))[:2] == (401, "sign_in_needed")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"text": ""}, "text"),
        ({"text": "x" * 501}, "text"),
        ({"text": "👩‍👩‍👧" * 501}, "text"),
        ({"text": "x" * 60_000}, "text"),
        ({"text": 1}, "text"),
        ({"server": ""}, "server"),
        ({"server": "not a server"}, "server"),
        ({"server": "127.0.0.1"}, "server"),
        ({"server": "localhost"}, "server"),
        ({"network": "friendface"}, "network"),
        ({"mode": "magic"}, "mode"),
    ],
)
def test_draft_is_refused_naming_the_field(program: Program, launch: Launching, town: str, changes: dict[str, Any], field: str) -> None:
    status, _, fields = program.refused("POST", f"{API}/pledges", asked(town, **changes))

    assert (status, list(fields)) == (400, [field])


def test_text_is_counted_as_the_server_counts(program: Program, launch: Launching, town: str) -> None:
    family, link = "👩‍👩‍👧", "https://example.org/" + "x" * 300

    assert program.ask("POST", f"{API}/pledges", asked(town, text=family * 476 + " " + link))["length"] == 500
    assert program.refused("POST", f"{API}/pledges", asked(town, text=family * 477 + " " + link))[:2] == (400, "too_long")


@pytest.mark.parametrize(("name", "typed"), [("text", ""), ("text", "word " * 101 + "<b>"), ("server", "<script>alert(1)</script>")])
def test_draft_on_a_page_is_refused_and_kept(browser: Browser, launch: Launching, town: str, name: str, typed: str) -> None:
    browser.get(f"{HERE}/pledges/new")
    sent = {"server": town, "text": TEXT} | {name: typed}

    page = browser.send("/pledges", **sent)

    assert page.status == 400
    assert f"#{name}" in page.read.links
    kept = page.form("/pledges").fields
    assert {key: kept[key] for key in sent} == sent
    assert "script" not in page.read.tags


def test_changed_words_are_refused_and_kept(browser: Browser, launch: Launching, town: str) -> None:
    drafted(browser, town)

    page = browser.send("/text", text="word " * 101)

    assert page.status == 400
    assert page.form("/text").fields["text"] == "word " * 101
    assert "details open" in page.html
    assert TEXT in page.text


@pytest.mark.parametrize("given", ["", "two words", "nonsense", "é", "x" * 600, "a\nb", "<script>"])
def test_token_is_refused_and_never_shown(browser: Browser, program: Program, launch: Launching, town: str, given: str) -> None:
    drafted(browser, town)
    page = browser.send("/consent", token=given)

    assert page.status == 400
    assert "#token" in page.read.links
    assert page.form("/consent").fields["token"] == ""
    if len(given) > 2:
        assert given not in page.text
    draft = program.ask("POST", f"{API}/pledges", asked(town))
    program.token = draft["token"]
    assert program.refused("POST", f"{API}/pledges/{draft['id']}/consent", {"token": given})[2].keys() == {"token"}


def test_account_that_has_lent_a_post_is_shown_it(browser: Browser, program: Program, launch: Launching, town: str) -> None:
    first = launch.pledge("jane")
    drafted(browser, town)

    page = browser.send("/consent", token=token(launch, town))

    assert "You have already lent a post from this account" in page.text
    assert "I lend my voice." in page.form("/text").fields["text"]
    assert "Cancel my post" in browser.get(f"{HERE}/pledges/{first.id}").text
    assert first.id in browser.get(f"{HERE}/pledges").html
    draft = program.ask("POST", f"{API}/pledges", asked(town))
    program.token = draft["token"]
    again = program.ask("POST", f"{API}/pledges/{draft['id']}/consent", {"token": token(launch, town)})
    assert (program.status, again["id"], again["already"]) == (201, first.id, True)
    assert [one["id"] for one in program.ask("GET", "/v1/me/pledges")["items"]] == [first.id]


def test_second_account_on_a_network_is_refused(browser: Browser, program: Program, launch: Launching, town: str) -> None:
    drafted(browser, town)
    browser.send("/consent", token=token(launch, town))
    drafted(browser, town)

    page = browser.send("/consent", token=token(launch, town, "jane_elsewhere"))

    assert page.status == 409
    assert "one person lends one post" in page.text


def test_withdrawing_after_the_seal_is_refused(browser: Browser, program: Program, launch: Launching, town: str) -> None:
    drafted(browser, town)
    browser.send("/consent", token=token(launch, town))
    path = browser.page.form("/withdraw").action.removesuffix("/withdraw")
    counts.recount([supporters.partition(launch.launch.id, "people", _only(launch).supporter)])
    seal(launch, _only(launch))

    page = browser.send("/withdraw")

    assert page.status == 409
    assert "can no longer be held back" in page.text
    assert TEXT in page.text
    program.token = browser.cookies["gs_supporter"]
    assert program.refused("DELETE", f"{API}/pledges/{path.rpartition('/')[2]}")[:2] == (409, "sealed")


def _only(launch: Launching) -> Pledge:
    return pledges.of_chunk(f"{launch.launch.id}#mastodon.0#0")[0]


def test_nothing_can_be_lent_after_it_closed(browser: Browser, program: Program, launch: Launching, town: str) -> None:
    drafted(browser, town)
    waiting = program.ask("POST", f"{API}/pledges", asked(town))
    form = browser.page.form("/consent")
    launch.clock.at(launch.now + timedelta(minutes=21))

    late = browser.post(form.action, form.fields | {"token": token(launch, town)})

    assert late.status == 409
    assert "has closed" in late.text
    assert "has closed" in browser.get(f"{HERE}/pledges/new").text
    assert program.refused("POST", f"{API}/pledges", asked(town))[:2] == (409, "closed")
    program.token = waiting["token"]
    assert program.refused("POST", f"{API}/pledges/{waiting['id']}/consent", {"token": token(launch, town)})[:2] == (409, "closed")


def test_nothing_can_be_lent_without_a_launch(browser: Browser, program: Program) -> None:
    assert browser.get(f"{HERE}/pledges/new").status == 404
    assert program.refused("POST", f"{API}/pledges", asked("town-01.test"))[:2] == (404, "no_launch")


def test_server_that_does_not_answer_is_told(browser: Browser, launch: Launching, town: str) -> None:
    page = drafted(browser, "nobody-there.invalid")

    assert page.status in (400, 503)
    assert page.form("/pledges").fields["server"] == "nobody-there.invalid"


def test_supporter_sees_what_became_of_it(browser: Browser, launch: Launching, town: str) -> None:
    drafted(browser, town)
    browser.send("/consent", token=token(launch, town))
    mine = browser.page.form("/withdraw").action.removesuffix("/withdraw")
    counts.recount([supporters.partition(launch.launch.id, "people", _only(launch).supporter)])
    launch.work(launch.ready())

    page = browser.get(mine)

    assert "Posted" in page.text
    assert [link for link in page.read.links if link.startswith("https://")]
    assert "Cancel my post" not in page.text


def test_address_that_a_server_made_up_is_no_link(browser: Browser, launch: Launching, town: str) -> None:
    drafted(browser, town)
    browser.send("/consent", token=token(launch, town))
    mine = browser.page.form("/withdraw").action.removesuffix("/withdraw")
    launch.approve()
    told = {"outcome": "refused", "url": "javascript:alert(1)", "said": "<script>alert(2)</script>"}
    pledge = _only(launch)
    chunks.Outcomes(pk=pledge.pk, sk=chunks._outcomes_key(1), items={str(pledge.sk): told}, meta={}).save()

    page = browser.get(mine)

    assert "said: <script>alert(2)</script>" in page.text
    assert not [link for link in page.read.links if link.startswith("javascript")]


def test_who_is_not_among_the_first_on_a_server_sees_the_later_time_before_agreeing(browser: Browser, launch: Launching, town: str) -> None:
    for _ in range(301):
        slots.ordinal(launch.launch.id, "mastodon", town)
    page = drafted(browser, town)

    assert "as it stands now, on Saturday 9 January 2027 at 9.35am" in page.text
