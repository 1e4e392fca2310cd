"""What somebody who takes part does, from the first look to signing out."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.person import Person

pytestmark = pytest.mark.browser
EMAIL = "ann.participant@example.org"
TITLE = "Nobody reads the suggestion box"
TEXT = "It has hung by the lift for years.\nLast week I put a letter in, and it was still full of the old ones."
COMMENT = "Ours was taken down; a board that everybody sees does better."


def test_somebody_reads_without_an_account(somebody: Callable[[str], Person]) -> None:
    reader = somebody("reader")
    reader.open("/")
    reader.follow("Change Challenge")
    reader.nav("Ideas")
    reader.follow("Nobody hears about what worked next door")
    reader.nav("The moment")
    reader.nav("About")
    reader.footer("Report something")
    reader.open("/c/nothing-is-here", status=404)
    reader.open(f"{reader.site.here}/me", status=401)


def test_reader_searches_and_orders(somebody: Callable[[str], Person]) -> None:
    reader = somebody("searcher")
    reader.open(f"{reader.site.here}/ideas")
    reader.page.get_by_label("Search").fill("signatures")
    reader.press("Show")
    expect(reader.main.get_by_role("link", name="Every change needs five signatures")).to_be_visible()
    assert not reader.reads("A manager who asks first")
    reader.page.get_by_label("Search").fill("nothing has these words")
    reader.press("Show")
    assert reader.reads("Nothing was found")


def test_participant_writes_votes_talks_and_leaves(somebody: Callable[[str], Person]) -> None:
    ann = somebody("ann")
    add_an_idea(ann)
    vote_change_and_take_back(ann)
    comment_and_reply(ann)
    report(ann)
    look_at_own_page_and_sign_out(ann)


def add_an_idea(ann: Person) -> None:
    """Begun without an account: what was typed is there after the sign-in, and again after a refusal."""
    ann.open(f"{ann.site.here}/contributions/new")
    ann.page.get_by_label("What gets in the way").check()
    ann.page.get_by_label("Within one organisation").check()
    ann.page.get_by_label("In a few words").fill(TITLE)
    ann.page.get_by_label("Your idea").fill(TEXT)
    ann.press("Add this idea")
    ann.sign_in(EMAIL)
    expect(ann.page.get_by_label("In a few words")).to_have_value(TITLE)
    expect(ann.page.get_by_label("Your idea")).to_have_value(TEXT)
    ann.press("Add this idea")  # without saying who one is
    expect(ann.page.get_by_role("alert")).to_be_visible()
    expect(ann.page.get_by_label("Your idea")).to_have_value(TEXT)
    join(ann)
    ann.press("Add this idea")
    expect(ann.heading).to_have_text(TITLE)


def join(person: Person) -> None:
    person.page.get_by_label("Patient or carer").check()
    person.page.get_by_label("I am 16 or older").check()


def vote_change_and_take_back(ann: Person) -> None:
    ann.nav("Ideas")
    ann.follow("A manager who asks first")
    assert ann.reads("Votes are shown when this stage closes")
    ann.press("Vote up")
    expect(ann.page.get_by_role("button", name="Vote up")).to_have_attribute("aria-pressed", "true")
    assert ann.reads("You voted up.")
    ann.press("Vote down")
    assert ann.reads("You voted down.")
    ann.press("Take back my vote")
    assert not ann.reads("You voted")


def comment_and_reply(ann: Person) -> None:
    ann.page.get_by_label("Your comment").fill(COMMENT)
    ann.press("Comment")
    assert ann.reads(COMMENT)
    ann.follow("Reply")
    ann.page.get_by_label("Your reply").fill("And it costs one pin.")
    ann.press("Reply")
    assert ann.reads("And it costs one pin.")


def report(ann: Person) -> None:
    ann.main.get_by_role("region", name="About this idea").get_by_role("link", name="Report this").click()
    ann.arrive()
    ann.press("Report this")  # without saying why
    expect(ann.page.get_by_role("alert")).to_be_visible()
    ann.main.get_by_role("radio").last.check()
    ann.press("Report this")
    expect(ann.heading).to_have_text("Thank you")


def look_at_own_page_and_sign_out(ann: Person) -> None:
    ann.nav("My page")
    ann.follow(TITLE)
    ann.follow("Change my idea")
    ann.page.get_by_label("Your idea").fill(TEXT + "\nIt has a lock, and nobody has the key.")
    ann.press("Save these words")
    assert ann.reads("nobody has the key")
    ann.press("Sign out")
    ann.open(f"{ann.site.here}/me", status=401)


def test_sign_in_says_what_is_wrong_and_leads_back(somebody: Callable[[str], Person]) -> None:
    bob = somebody("bob")
    bob.open(f"{bob.site.here}/ideas?sort=new")
    bob.nav("Sign in")
    bob.page.get_by_label("Your e-mail address").fill("bob@ward")
    bob.press("Send me a code")
    expect(bob.page.get_by_label("Your e-mail address")).to_have_value("bob@ward")
    before = bob.site.codes("bob@example.org")
    bob.page.get_by_label("Your e-mail address").fill("bob@example.org")
    bob.press("Send me a code")
    bob.page.get_by_label("Your code").fill("12345")
    bob.press("Sign in")
    expect(bob.page.get_by_role("alert")).to_be_visible()
    bob.page.get_by_label("Your code").fill(bob.site.code("bob@example.org", after=before))
    bob.press("Sign in")
    assert bob.page.url.endswith(f"{bob.site.here}/ideas?sort=new")
