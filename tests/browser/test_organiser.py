"""What organisers do: make a campaign, open it, share the work, set the moment, approve it by two, and read the report."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect

from tests.browser.person import Person, Site
from tests.browser.test_lending import lend
from tests.browser.test_participant import join

pytestmark = pytest.mark.browser
FIRST, SECOND, MODERATOR = "first.organiser@example.org", "second.organiser@example.org", "mo.moderator@example.org"
ZONE = ZoneInfo("Europe/London")
PLEDGING_S, CLOSED_S, SETTLING_S = 100, 150, 300
WORDS = "We lend one post each, for a calmer ward."


def test_organisers_make_open_and_launch_a_campaign(somebody: Callable[[str], Person]) -> None:
    slug = f"calmer-ward-{int(time.time())}"
    olive = somebody("olive")
    make_a_campaign(olive, slug)
    olive.site = Site(olive.site.address, olive.site.desk, slug)
    fill_in_what_is_missing(olive)
    open_it(olive)
    invite(olive, MODERATOR, "Moderator")
    invite(olive, SECOND, "Organiser")
    name_a_theme(olive)
    add_a_partner(olive)

    participant = somebody("pat")
    write_something_reported(participant, slug)
    moderate(somebody("mo"), slug)

    at = set_the_moment(olive)
    supporter = somebody("sam")
    supporter.site = olive.site
    lend(supporter, f"{WORDS} https://example.org/calm", "sam")
    olive.open(f"{olive.site.here}/launch")
    olive.press("Approve")
    approve_as_second(somebody("oscar"), slug)
    watch(olive, at)
    supporter.open(f"{olive.site.here}/pledges")
    supporter.follow("See the post")
    expect(supporter.heading).to_have_text("Posted")


def make_a_campaign(olive: Person, slug: str) -> None:
    olive.open("/")
    olive.nav("Sign in")
    olive.sign_in(FIRST)
    olive.open("/")
    olive.follow("Make a campaign")
    olive.press("Make the campaign")  # with nothing filled in
    expect(olive.page.get_by_role("alert")).to_be_visible()
    olive.page.get_by_label("Title").fill("A calmer ward")
    olive.page.get_by_label("Address").fill(slug)
    olive.page.get_by_label("The question").fill("What would make your ward calmer?")
    olive.page.get_by_label("Four, as in the Change Challenge of 2015").check()
    olive.page.get_by_label("The first stage opens").fill(on_the_clock(time.time() - 120))
    olive.page.get_by_label("Time zone").fill("Europe/London")
    olive.press("Make the campaign")


def on_the_clock(seconds: float) -> str:
    """As a field of day and time takes it."""
    return datetime.fromtimestamp(seconds, ZONE).strftime("%Y-%m-%dT%H:%M")


def fill_in_what_is_missing(olive: Person) -> None:
    olive.open(f"{olive.site.here}/organise")
    assert olive.reads("Missing:")
    olive.main.get_by_role("link", name="Title, texts, stages and everything else").click()
    olive.arrive()
    page = olive.page
    page.get_by_label("Rules of the conversation").fill("Name no patient, colleague or ward. Criticise ideas, not people.")
    page.get_by_label("How people reach you").first.fill("hello@example.org")
    page.get_by_label("Minimum age").fill("16")
    page.get_by_label("Who answers 1: name").fill("Example Trust")
    page.get_by_label("Who answers 1: contact").fill("data@example.org")
    olive.press("Save")


def open_it(olive: Person) -> None:
    olive.open(f"{olive.site.here}/organise")
    olive.press("Open the campaign")
    assert olive.reads("Open now")


def invite(olive: Person, email: str, duty: str) -> None:
    olive.open(f"{olive.site.here}/organise/team")
    olive.page.get_by_label("E-mail address").fill(email)
    olive.page.get_by_label(f"{duty}:").check()
    olive.press("Invite")
    assert olive.reads(email)


def name_a_theme(olive: Person) -> None:
    olive.open(f"{olive.site.here}/organise/framework")
    olive.page.get_by_role("radio", name="What gets in the way").check()
    olive.page.get_by_label("Name").fill("Too many signatures")
    olive.page.get_by_label("What it means").fill("Whoever had the idea has moved on before the last one has signed.")
    olive.press("Add")
    assert olive.reads("Too many signatures")


def add_a_partner(olive: Person) -> None:
    olive.open(f"{olive.site.here}/organise/partners")
    olive.page.get_by_label("Name").fill("Example Journal")
    olive.page.get_by_label("Link").fill("https://example.org")
    mark = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 120 60"><rect width="120" height="60" fill="#0b5c56"/></svg>'
    olive.page.get_by_label("Logo").fill(mark)
    olive.press("Add this partner")
    for path in ("", "/about"):
        olive.open(olive.site.here + path)
        expect(olive.main.get_by_role("link", name="Example Journal")).to_be_visible()


def write_something_reported(pat: Person, slug: str) -> None:
    pat.site = Site(pat.site.address, pat.site.desk, slug)
    pat.open(f"{pat.site.here}/contributions/new")
    pat.page.get_by_label("What gets in the way").check()
    pat.page.get_by_label("In a few words").fill("Noise at night")
    pat.page.get_by_label("Your idea").fill("Doors that bang. Supercalifragilisticexpialidocious" + "x" * 60)
    for group in pat.main.get_by_role("group").all():
        if not group.get_by_role("radio", checked=True).count() and group.get_by_role("radio").count():
            group.get_by_role("radio").first.check()
    pat.press("Add this idea")
    pat.sign_in("pat.participant@example.org")
    join(pat)
    pat.press("Add this idea")
    expect(pat.heading).to_have_text("Noise at night")
    pat.main.get_by_role("region", name="About this idea").get_by_role("link", name="Report this").click()
    pat.arrive()
    pat.main.get_by_role("radio").first.check()
    pat.page.get_by_label("What should the moderators know?").fill("A made-up word")
    pat.press("Report this")


def moderate(mo: Person, slug: str) -> None:
    """Signs in from the console's own address, where the invitation leads."""
    mo.site = Site(mo.site.address, mo.site.desk, slug)
    mo.open(f"{mo.site.here}/organise/moderation", status=401)
    mo.follow("Sign in")
    mo.sign_in(MODERATOR)
    assert mo.reads("Noise at night")
    mo.press("Hide it")  # without saying why
    expect(mo.page.get_by_role("alert")).to_be_visible()
    mo.page.get_by_label("Why (to hide or suspend)").first.select_option(index=1)
    mo.page.get_by_label("A word to its author (optional)").first.fill("Please write it again without that word.")
    mo.press("Hide it")
    mo.open(f"{mo.site.here}/organise/moderation/record")
    assert mo.reads("Please write it again without that word.")


def set_the_moment(olive: Person) -> float:
    """When the posts go out, in epoch seconds: at a full minute, since the field has no seconds."""
    closes = math.ceil((time.time() + PLEDGING_S) / 60) * 60
    at = math.ceil((closes + CLOSED_S) / 60) * 60
    olive.open(f"{olive.site.here}/launch/edit")
    olive.page.get_by_label("The message").fill(WORDS)
    olive.page.get_by_label("The link").fill("https://example.org/calm")
    olive.page.get_by_label("The moment").fill(on_the_clock(at))
    olive.page.get_by_label("Joining in closes").fill(on_the_clock(closes))
    olive.page.get_by_label("Time zone").fill("Europe/London")
    olive.page.get_by_label("Goes out if so many people join in").fill("1")
    olive.page.get_by_label("Mastodon").check()
    olive.press("Set the moment")
    assert olive.reads("0 of 2 people have approved")
    return float(at)


def approve_as_second(oscar: Person, slug: str) -> None:
    oscar.site = Site(oscar.site.address, oscar.site.desk, slug)
    oscar.open(f"{oscar.site.here}/launch")
    oscar.nav("Sign in")
    oscar.sign_in(SECOND)
    oscar.press("Approve")
    assert oscar.reads("2 of 2 people have approved")


def watch(olive: Person, at: float) -> None:
    """The page of the moment is looked at again until it links the report."""
    time.sleep(max(0.0, at - time.time() - 60))
    olive.open(f"{olive.site.here}/launch")
    deadline = at + timedelta(seconds=SETTLING_S).total_seconds()
    report = olive.main.get_by_role("link", name="Launch report")
    while not report.count():
        assert time.time() < deadline, "the launch has not settled"
        time.sleep(5)
        olive.page.reload()
    olive.follow("Launch report")
    assert olive.reads("Joined in 1 person")
