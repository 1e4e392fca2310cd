"""What somebody who lends a post does, with no account but the one on their network. First of all journeys: the sample
launch takes posts for two and a half minutes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.person import Person

pytestmark = pytest.mark.browser
WORDS = "I lend my voice to those who do the work. https://change.example.org/solutions"


def test_supporter_lends_a_post_and_comes_back_by_the_private_link(somebody: Callable[[str], Person]) -> None:
    sue = somebody("sue")
    private = lend(sue, WORDS)
    change_the_words(sue)
    elsewhere = somebody("sue-elsewhere")
    come_back(elsewhere, private)
    elsewhere.press("Cancel my post")
    expect(elsewhere.heading).to_have_text("You took your post back")


def lend(sue: Person, words: str, name: str = "sue") -> str:
    """Gives the private link, which is shown once."""
    host = sue.site.host
    sue.open(f"{sue.site.here}/launch")
    sue.follow("Lend a post")
    if sue.page.get_by_role("radio", name="Mastodon").count():
        sue.page.get_by_role("radio", name="Mastodon").check()
    sue.press("Show me what will happen")  # without saying where
    expect(sue.page.get_by_role("alert")).to_be_visible()
    sue.page.get_by_role("textbox", name="Your Mastodon server").fill(host)
    sue.page.get_by_label("Your post").fill(words)
    sue.press("Show me what will happen")
    assert sue.reads(words)
    agree(sue, sue.site.token(host, name))
    assert sue.reads("You have lent a post. Thank you!")
    return sue.page.get_by_label("Private link").input_value()


def agree(sue: Person, token: str) -> None:
    sue.page.get_by_label("Access token").fill(token)
    sue.page.get_by_role("button", name="Post this for me on").click()
    sue.arrive()


def change_the_words(sue: Person) -> None:
    sue.page.get_by_text("Change the words").click()
    sue.page.get_by_label("Your post").fill(f"Changed: {WORDS}")
    sue.press("Show me what will happen")
    assert sue.reads(f"Changed: {WORDS}")
    sue.page.get_by_role("button", name="Post this for me on").click()
    sue.arrive()
    sue.follow("All that you have lent")
    assert sue.reads(f"Changed: {WORDS}")


def come_back(elsewhere: Person, private: str) -> None:
    elsewhere.page.goto(private)
    elsewhere.look()
    elsewhere.press("Show me what I have lent")
    if elsewhere.main.get_by_role("link", name="See the post").count():
        elsewhere.follow("See the post")
    assert elsewhere.reads(f"Changed: {WORDS}")


def test_supporter_asks_to_be_reminded_and_takes_a_calendar_file(somebody: Callable[[str], Person]) -> None:
    rob = somebody("rob")
    rob.open(f"{rob.site.here}/launch")
    rob.follow("Remind me to post")
    rob.page.get_by_role("radio", name="Facebook").check()
    rob.page.get_by_label("Your post").fill(WORDS)
    rob.page.get_by_role("button", name="Remind me on").click()
    rob.arrive()
    expect(rob.heading).to_have_text("You will be reminded. Thank you!")
    expect(rob.page.get_by_label("Your words, to copy")).to_have_value(WORDS)
    with rob.page.expect_download() as taken:
        rob.main.get_by_role("link", name="Add the moment to my calendar").click()
    calendar = taken.value.path().read_text()
    assert "BEGIN:VEVENT" in calendar
    assert "TZID:Europe/London" in calendar
    rob.press("I have posted it")
    expect(rob.heading).to_have_text("Thank you for posting!")
