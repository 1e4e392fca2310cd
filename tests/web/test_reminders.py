"""Being reminded, on pages and as JSON; the private way back; other words for a lent post."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from icalendar import Calendar

from chalicelib import counts, launches
from tests.aws import take_records
from tests.launching import Launching
from tests.web.browser import Browser, Page, Program
from tests.web.conftest import API, HERE
from tests.web.test_pledges import TEXT, asked, drafted, token, town  # noqa: F401  # a fixture


def reminder(browser: Browser, network: str = "x", **typed: str) -> Page:
    browser.get(f"{HERE}/launch")
    browser.get(f"{HERE}/remind")
    return browser.send("/remind", network=network, text=TEXT, **typed)


def recount() -> None:
    counts.recount(record["dynamodb"]["Keys"]["pk"]["S"] for record in take_records("pledges"))


@pytest.mark.parametrize(
    ("network", "form"),
    [
        ("x", "https://x.com/intent/tweet?text=I+lend+my+voice."),
        ("facebook", "https://www.facebook.com/sharer/sharer.php?u=https%3A%2F%2Fchange.example.org%2Fsolutions"),
        ("tumblr", "https://www.tumblr.com/widgets/share/tool?caption=I+lend+my+voice."),
        ("bluesky", "https://bsky.app/intent/compose?text=I+lend+my+voice."),
        ("threads", "https://www.threads.com/intent/post?text=I+lend+my+voice."),
        ("linkedin", "https://www.linkedin.com/sharing/share-offsite/?url=https%3A%2F%2Fchange.example.org%2Fsolutions"),
    ],
)
def test_two_presses_make_a_reminder_that_leads_to_the_networks_form(browser: Browser, launch: Launching, network: str, form: str) -> None:
    page = reminder(browser, network)

    assert "You will be reminded" in page.text
    assert TEXT in page.html
    leads = next(link for link in page.read.links if link.endswith("/open"))
    browser.client.http.request("GET", leads)
    assert browser.client.http.request("GET", leads).headers["Location"].startswith(form)
    assert ("copy them first" in page.text) == (network in ("facebook", "linkedin"))


def test_mastodons_form_is_on_ones_own_server(browser: Browser, launch: Launching) -> None:
    page = reminder(browser, "mastodon")
    where = page.form("/open").action

    page = browser.get(f"{where}?server=%40jane%40mastodon.social")
    assert "Go on to mastodon.social" in page.text
    assert any(link.startswith("https://mastodon.social/share?text=I+lend+my+voice.") for link in page.read.links)
    wrong = browser.get(f"{where}?server=nonsense")
    assert wrong.status == 400
    assert wrong.form("/open").fields["server"] == "nonsense"


def test_reminded_people_are_shown_apart_and_never_as_posted(browser: Browser, program: Program, launch: Launching) -> None:
    page = reminder(browser, email="ann@example.org")
    browser.get(next(link for link in page.read.links if "/remind/" in link and link.endswith("/open")).removesuffix("/open"))
    assert "You told us that you have posted it" in browser.send("/done").text
    recount()

    found = program.ask("GET", f"{API}/launch")

    assert (found["people"], found["automatic"], found["reminders"]) == (1, 0, 1)
    assert "Posts that they send themselves, reminded1" in browser.get(f"{HERE}/launch").text.replace("reminded 1", "reminded1")


def test_reminder_can_be_taken_back_on_its_page(browser: Browser, launch: Launching) -> None:
    reminder(browser)

    assert "You took your reminder back" in browser.send("/withdraw").text


def test_moment_can_be_put_into_a_calendar(browser: Browser, launch: Launching) -> None:
    page = reminder(browser)
    found = browser.client.http.request("GET", next(link for link in page.read.links if link.endswith("/event.ics")))

    assert found.headers["Content-Type"] == "text/calendar; charset=utf-8"
    (event,) = Calendar.from_ical(bytes(found.body)).walk("VEVENT")
    assert event.decoded("dtstart") == launch.launch.moment


def test_reminder_as_json(program: Program, launch: Launching) -> None:
    new = asked("", mode="reminder", network="linkedin", email="ann@example.org")
    made = program.ask("POST", f"{API}/pledges", new, Idempotency_Key="1")
    assert (program.status, made["mode"], made["state"]) == (201, "reminder", "pledged")
    assert made["share"].startswith("https://www.linkedin.com/")
    assert "ann@example.org" not in str(made)
    assert program.ask("POST", f"{API}/pledges", new, Idempotency_Key="1")["id"] == made["id"]
    mine = f"{API}/pledges/{made['id']}"

    assert program.ask("POST", f"{mine}/done", {})["done_at"]
    program.ask("DELETE", mine)
    assert program.status == 204
    assert program.ask("GET", mine)["state"] == "withdrawn"


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"network": "friendface"}, "network"), ({"text": " "}, "text"), ({"text": "x" * 5001}, "text"), ({"email": "ann"}, "email")],
)
def test_reminder_is_refused_naming_the_field(
    browser: Browser, program: Program, launch: Launching, changes: dict[str, Any], field: str
) -> None:
    assert program.refused("POST", f"{API}/pledges", asked("", mode="reminder", **changes))[2].keys() == {field}
    browser.get(f"{HERE}/remind")

    page = browser.send("/remind", **({"network": "x", "text": TEXT} | changes))

    assert page.status == 400
    assert f"#{field}" in page.read.links
    assert page.form("/remind").fields["text"] == (changes.get("text", TEXT))


def test_remind_me_instead_keeps_what_was_written(browser: Browser, launch: Launching, town: str) -> None:  # noqa: F811
    page = drafted(browser, town, "My own words.")

    instead = browser.get(next(link for link in page.read.links if "/remind?draft=" in link))

    form = instead.form("/remind")
    assert (form.fields["text"], form.fields["network"]) == ("My own words.", "mastodon")


def test_networks_that_must_be_asked_first_offer_a_reminder_only(browser: Browser, launch: Launching) -> None:
    launch.propose(networks=["mastodon", "bluesky"])

    offered = browser.get(f"{HERE}/pledges/new").html
    reminded = browser.get(f"{HERE}/remind").html

    for network in ("x", "facebook", "tumblr", "threads", "linkedin"):
        assert f'value="{network}"' not in offered
        assert f'value="{network}"' in reminded


def test_bluesky_post_is_lent_on_pages(browser: Browser, launch: Launching) -> None:
    launch.propose(networks=["mastodon", "bluesky"])
    browser.get(f"{HERE}/pledges/new")
    page = browser.send("/pledges", network="bluesky", server="@jane.pds-01.test", text=TEXT)
    assert "from your account @jane.pds-01.test on Bluesky" in page.text
    assert "App passwords" in page.text

    page = browser.send("/consent", token=launch.towns.token("pds-01.test", "jane"))

    assert "It goes out from @jane.pds-01.test on Saturday 9 January 2027" in page.text


def test_private_link_is_shown_once_and_leads_back(browser: Browser, launch: Launching, town: str) -> None:  # noqa: F811
    drafted(browser, town)
    page = browser.send("/consent", token=token(launch, town))
    back = page.html.split("/pledges/back/")[1].split('"')[0]
    here = f"{HERE}/pledges/back/{back}"
    assert "/pledges/back/" not in browser.get(f"{HERE}/pledges/{page.form('/withdraw').action.split('/')[-2]}").html
    elsewhere = Browser(browser.client)

    opened = elsewhere.get(here)

    assert opened.response.headers["Referrer-Policy"] == "no-referrer"
    assert "gs_supporter" not in elsewhere.cookies
    assert elsewhere.get(f"{HERE}/pledges").html.count('class="card"') == 0
    elsewhere.get(here)
    mine = elsewhere.send(f"/back/{back}")
    assert "we post for you, from @jane@" in mine.text
    elsewhere.get(next(link for link in mine.read.links if "/pledges/" in link and "mastodon" in link))
    assert "You took your post back" in elsewhere.send("/withdraw").text


def test_private_link_of_nobody_is_not_found(browser: Browser, launch: Launching) -> None:
    assert browser.get(f"{HERE}/pledges/back/{'x' * 43}").status == 404


def test_way_back_needs_the_forms_own_token(browser: Browser, launch: Launching, town: str) -> None:  # noqa: F811
    drafted(browser, town)
    browser.send("/consent", token=token(launch, town))
    back = browser.cookies["gs_supporter"]

    assert Browser(browser.client).post(f"{HERE}/pledges/back/{back}", {}).status == 403


def test_lent_words_change_with_a_new_yes(browser: Browser, launch: Launching, town: str) -> None:  # noqa: F811
    drafted(browser, town)
    mine = browser.send("/consent", token=token(launch, town)).form("/text").action

    asking = browser.send("/text", text="Better words.")
    assert "Lend these words instead?" in asking.text
    assert "Better words." not in browser.get(mine.removesuffix("/text")).text
    browser.send("/text", text="Better words.")

    assert "Better words." in browser.send("/text").text
    too_long = browser.send("/text", text="word " * 101)
    assert too_long.status == 400
    assert too_long.form("/text").fields["text"] == "word " * 101


def test_lent_words_as_json(program: Program, launch: Launching, town: str) -> None:  # noqa: F811
    draft = program.ask("POST", f"{API}/pledges", asked(town))
    program.token = draft["token"]
    pledge = program.ask("POST", f"{API}/pledges/{draft['id']}/consent", {"token": token(launch, town), "email": "j@example.org"})
    mine = f"{API}/pledges/{pledge['id']}"

    assert program.refused("PATCH", mine, {"text": "Better."})[2].keys() == {"agree"}
    assert program.ask("PATCH", mine, {"text": "Better.", "agree": True})["text"] == "Better."
    launch.ready()
    assert program.refused("PATCH", mine, {"text": "Late.", "agree": True})[:2] == (409, "closed")


def test_my_pledges_need_somebody(program: Program, launch: Launching) -> None:
    assert program.refused("GET", "/v1/me/pledges")[:2] == (401, "sign_in_needed")


def test_report_tells_of_reminders_apart(browser: Browser, program: Program, launch: Launching) -> None:
    reminder(browser)
    launch.pledge("jane")
    recount()
    launch.work(launch.ready())
    launch.clock.at(launch.moment(20))
    assert "Posts so far" in browser.get(f"{HERE}/launch").text
    launch.tick(launch.moment(60))

    found = program.ask("GET", f"{API}/launch/report")

    assert (found["people"], found["posted"], found["reminders"]) == (2, 1, {"made": 1, "opened": 0, "done": 0})
    assert "Asked to be reminded 1" in browser.get(f"{HERE}/launch/report").text.replace("reminded1", "reminded 1")


def stopped(launch: Launching, why: str) -> None:
    """A launch that does not go out: it has ended."""
    if why == "stopped":
        launches.stop(launch.campaign, "olive", now=launch.now)
    if why == "goal_missed":
        launch.launch.update(actions=[launches.Launch.goal.set(100)])
    for seconds in (-1200, -599, -170):
        launch.tick(launch.moment(seconds))
    assert launch.launch.state == why


@pytest.mark.parametrize(
    ("why", "said"),
    [
        ("goal_missed", "Did not go out: too few people joined in"),
        ("not_approved", "Did not go out: it was not approved in time"),
        ("stopped", "Stopped by the organisers"),
    ],
)
def test_every_page_says_that_it_did_not_go_out(browser: Browser, launch: Launching, town: str, why: str, said: str) -> None:  # noqa: F811
    remind = reminder(browser).form("/done").action.removesuffix("/done")
    drafted(browser, town)
    pledge = browser.send("/consent", token=token(launch, town)).form("/text").action.removesuffix("/text")
    stopped(launch, why)

    mine, reminded = browser.get(pledge), browser.get(remind)

    assert said in mine.text
    assert "Our copy of your permission has been deleted" in mine.text
    assert "There is nothing to post" in reminded.text
    assert said in reminded.text
    assert not [form for form in reminded.read.forms if form.action.endswith(("/done", "/open"))]
    assert browser.get(f"{HERE}/pledges").text.count(said) == 2
    everybody = browser.get(f"{HERE}/launch").text
    assert said in everybody
    assert "permissions that people gave for this moment have been deleted" in everybody
    assert said in browser.get(HERE).text


def test_page_of_a_stopped_network_says_that_nothing_is_posted(browser: Browser, launch: Launching, town: str) -> None:  # noqa: F811
    launch.propose(networks=["mastodon", "bluesky"])
    drafted(browser, town)
    pledge = browser.send("/consent", token=token(launch, town)).form("/text").action.removesuffix("/text")
    launches.stop(launch.campaign, "olive", network="mastodon", now=launch.now)

    page = browser.get(pledge)

    assert "Stopped by the organisers" in page.text
    assert "Nothing is posted for you. Our copy of your permission is deleted when the launch is over" in page.text
    assert "It goes out from" not in page.text
    assert "Stopped by the organisers" in browser.get(f"{HERE}/pledges").text
    browser.get(pledge)
    assert "You took your post back" in browser.send("/withdraw").text


def test_pages_say_that_the_moment_was_moved(browser: Browser, launch: Launching, town: str) -> None:  # noqa: F811
    remind = reminder(browser).form("/done").action.removesuffix("/done")
    drafted(browser, town)
    browser.send("/consent", token=token(launch, town))
    at = launch.launch.moment + timedelta(hours=3)
    launches.postpone(launch.campaign, "olive", at=at, closes_at=at - timedelta(minutes=20), zone="Europe/London", now=launch.now)

    assert "the new entry takes the place of the old one" in browser.get(remind).text
    assert "it is posted only if you agree to the new one" in browser.get(f"{HERE}/pledges").text


def test_own_page_says_what_became_of_the_moment(ann: Browser, launch: Launching) -> None:
    stopped(launch, "stopped")

    assert "The moment: Saturday 9 January 2027" in ann.get(f"{HERE}/me").text
    assert "Stopped by the organisers." in ann.page.text
