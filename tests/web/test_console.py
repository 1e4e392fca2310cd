"""The organisers' console: what is missing, opening, and the form for everything."""

from __future__ import annotations

from typing import Any

import pytest
from chalice.test import Client

from chalicelib import campaigns, clock, enrolments, participants
from chalicelib.campaigns import Campaign
from tests.aws import Skipping
from tests.web.browser import Browser, Page
from tests.web.conftest import HERE, signed_in

EDIT = f"{HERE}/organise/campaign"


@pytest.fixture
def founder(client: Client) -> Browser:
    """Has just made a campaign `calm` from the template of 2015, beginning on 1 February."""
    participants.appoint("fay@example.org", now=clock.utc_now())
    made = Browser(client)
    made.cookies["gs_session"] = signed_in("fay@example.org")
    made.get("/campaigns/new")
    made.send("/campaigns", title="Calm", slug="calm", question="Why?", opens_at="2027-02-01T09:00", zone="Europe/London", template="2015")
    return made


def helper(client: Client, duty: enrolments.Duty) -> Browser:
    person = participants.find_or_create(f"{duty}@example.org", now=clock.utc_now()).id
    enrolments.appoint("change-challenge", person, [duty], now=clock.utc_now())
    made = Browser(client)
    made.cookies["gs_session"] = signed_in(f"{duty}@example.org")
    return made


def save(browser: Browser, *, untick: tuple[str, ...] = (), **typed: Any) -> Page:
    """Sends the form as it stands, with all ticked kinds, and these changes (`a__b` for `a.b`)."""
    form = browser.page.form("/organise/campaign")
    found = campaigns.get(form.action.split("/")[2], consistent=True)
    kinds = {f"phases.{int(phase.number)}.kinds": list(phase.kinds) for phase in found.phases}
    fields = form.fields | kinds | {name.replace("__", "."): value for name, value in typed.items()}
    return browser.post(form.action, {name: value for name, value in fields.items() if name not in untick})


def test_console_says_what_is_missing_and_leads_there(founder: Browser) -> None:
    page = founder.get("/c/calm/organise")

    for name in ("controllers", "contact", "minimum_age", "rules"):
        assert f"/c/calm/organise/campaign#{name}" in page.read.links
    assert "/c/calm/organise/open" not in [form.action for form in page.read.forms]
    assert "Stage 1 of 4" in page.text
    ids = founder.get("/c/calm/organise/campaign").read.ids
    assert {"controllers", "contact", "minimum_age", "rules"} <= set(ids)


def test_organiser_opens_the_campaign_once_everything_is_there(founder: Browser, client: Client) -> None:
    founder.get("/c/calm/organise/campaign")
    typed = {"rules": "Be kind.", "contact": "hello@example.org", "minimum_age": "16"}
    save(founder, **typed, controllers__1__name="Trust", controllers__1__contact="data@example.org")

    page = founder.send("/organise/open")

    assert "Before it can open" not in page.text
    assert "/c/calm" in Browser(client).get("/").read.links


def test_opening_too_early_says_what_is_missing(founder: Browser) -> None:
    csrf = founder.get("/c/calm/organise/team").form("/team").fields["csrf"]
    page = founder.post("/c/calm/organise/open", {"csrf": csrf})

    assert page.status == 409
    assert "the rules of the conversation" in page.text


def test_form_shows_what_stands_and_saving_it_as_it_is_changes_nothing(olive: Browser, campaign: Campaign) -> None:
    page = olive.get(EDIT)
    assert page.form("/organise/campaign").fields["phases.1.closes_at"] == "2027-01-23T09:00"

    page = save(olive)

    assert page.status == 200
    assert campaigns.get(campaign.slug, consistent=True).revision == campaign.revision


EVERYTHING = {
    "title": "Calm",
    "question": "Why?",
    "zone": "Europe/Paris",
    "about": "All\nof it.",
    "rules": "Be kind.",
    "urgent": "Ring 112.",
    "contact": "other@example.org",
    "minimum_age": "18",
    "tags": "noise\n\n light \nnoise",
    "controllers__2__name": "NT",
    "controllers__2__contact": "nt@example.org",
    "choices__1__label": "Where is it?",
    "choices__1__options": "Within one organisation\nBetween organisations",
    "limits__votes_per_hour": "7",
    "phases__1__closes_at": "2027-01-24T10:00",
    "phases__2__title": "Answer",
    "phases__2__opens_at": "2027-02-01T09:00",
    "phases__2__closes_at": "2027-02-10T09:00",
    "phases__2__kinds": ["solution"],
}


def test_organiser_can_change_everything_on_the_page(olive: Browser, campaign: Campaign) -> None:
    olive.get(EDIT)
    page = save(olive, untick=("phases.1.comment",), **EVERYTHING)

    assert page.status == 200
    found = campaigns.details_of(campaigns.get(campaign.slug, consistent=True))
    assert (found.title, found.zone, found.about, found.minimum_age) == ("Calm", "Europe/Paris", "All\nof it.", 18)
    assert found.tags == ["noise", "light"]
    assert [one["name"] for one in found.controllers] == ["Example Trust", "NT"]
    assert found.choices[0]["id"] == "where-is-it"
    assert [one["id"] for one in found.choices[0]["options"]] == ["within-one-organisation", "between-organisations"]
    assert found.limits == {"votes_per_hour": 7}
    first, second = found.phases
    assert (first.comment, first.vote, first.closes_at.isoformat()) == (False, True, "2027-01-24T09:00:00+00:00")
    assert (second.title, second.kinds, second.blind, second.opens_at.isoformat()) == (
        "Answer",
        ["solution"],
        True,
        "2027-02-01T08:00:00+00:00",
    )


def test_answers_keep_their_ids_under_other_words(olive: Browser, campaign: Campaign) -> None:
    """What people have chosen stays what they chose."""
    olive.get(EDIT)
    save(olive, choices__1__label="Where?", choices__1__options="Within\nBetween")
    olive.get(EDIT)
    save(olive, choices__1__label="Where is it?", choices__1__options="Inside one\nBetween\nElsewhere")

    (choice,) = campaigns.get(campaign.slug, consistent=True).choices
    assert (choice["id"], choice["label"]) == ("where", "Where is it?")
    assert [(one["id"], one["label"]) for one in choice["options"]] == [
        ("within", "Inside one"),
        ("between", "Between"),
        ("elsewhere", "Elsewhere"),
    ]


def test_stage_that_has_not_begun_can_be_removed(olive: Browser, campaign: Campaign) -> None:
    olive.get(EDIT)
    save(olive, **EVERYTHING)
    page = olive.get(EDIT)
    assert "phases.2.remove" in page.read.ids
    assert "phases.1.remove" not in page.read.ids

    save(olive, phases__2__remove="1")

    assert len(campaigns.get(campaign.slug, consistent=True).phases) == 1


def test_emptied_row_is_removed(olive: Browser, campaign: Campaign) -> None:
    olive.get(EDIT)
    save(olive, **EVERYTHING)
    olive.get(EDIT)
    save(olive, controllers__1__name="", controllers__1__contact="", choices__1__label="", choices__1__options="")

    found = campaigns.get(campaign.slug, consistent=True)
    assert [one["name"] for one in found.controllers] == ["NT"]
    assert found.choices == []


@pytest.mark.parametrize(
    ("typed", "field", "status"),
    [
        ({"title": ""}, "title", 400),
        ({"zone": "Mars/Olympus"}, "zone", 400),
        ({"rules": " "}, "rules", 409),
        ({"minimum_age": "12"}, "minimum_age", 400),
        ({"minimum_age": "many"}, "minimum_age", 400),
        ({"tags": "x" * 41}, "tags", 400),
        ({"limits__votes_per_hour": "0"}, "limits.votes_per_hour", 400),
        ({"controllers__2__name": "NT"}, "controllers.2.contact", 400),
        ({"choices__1__label": "Where?", "choices__1__options": "Here"}, "choices.1.options", 400),
        ({"phases__1__opens_at": ""}, "phases.1.opens_at", 400),
        ({"phases__1__closes_at": "2027-01-01T09:00"}, "phases.1.closes_at", 400),
        ({"phases__2__title": "Answer"}, "phases.2.opens_at", 400),
        ({"phases__1__title": ""}, "phases.1.title", 400),
    ],
)
def test_refused_form_names_the_field_and_keeps_what_was_typed(olive: Browser, typed: dict[str, str], field: str, status: int) -> None:
    olive.get(EDIT)
    page = save(olive, about="Typed for a long time.", **typed)

    assert page.status == status
    assert f"#{field}" in page.read.links
    assert field in page.read.ids
    kept = page.form("/organise/campaign").fields
    assert kept["about"] == "Typed for a long time."
    assert all(kept[name.replace("__", ".")] == value for name, value in typed.items())


def test_error_in_a_row_after_one_that_goes_is_named_by_its_own_row(founder: Browser) -> None:
    founder.get("/c/calm/organise/campaign")
    page = save(founder, phases__2__remove="1", phases__3__title="", phases__4__question="x" * 301)

    assert page.status == 400
    assert {"#phases.3.title", "#phases.4.question"} <= set(page.read.links)

    page = save(founder, phases__2__remove="1", phases__3__title="Three", phases__4__opens_at="")
    assert page.status == 400
    assert "#phases.4.opens_at" in page.read.links


def test_votes_of_an_open_blind_stage_stay_hidden(olive: Browser) -> None:
    olive.get(EDIT)
    page = save(olive, untick=("phases.1.blind",))

    assert page.status == 400
    assert "#phases.1.blind" in page.read.links
    assert "phases.1.blind" not in page.form("/organise/campaign").fields


def test_second_of_two_organisers_keeps_what_they_typed(olive: Browser, client: Client, organiser: Any) -> None:
    other = Browser(client)
    other.cookies["gs_session"] = organiser("ben@example.org").token
    other.get(EDIT)
    olive.get(EDIT)
    save(other, rules="First.")

    page = save(olive, rules="Second.")

    assert page.status == 409
    assert page.form("/organise/campaign").fields["rules"] == "Second."
    assert "Somebody else changed the campaign meanwhile" in page.text
    assert campaigns.details_of(campaigns.get("change-challenge")).rules == "First."


@pytest.mark.parametrize(
    ("duty", "sees", "refused"),
    [("moderator", "moderation", "framework"), ("coder", "framework", "moderation")],
)
def test_moderators_and_coders_see_their_part_only(
    client: Client, campaign: Campaign, duty: enrolments.Duty, sees: str, refused: str
) -> None:
    browser = helper(client, duty)
    page = browser.get(f"{HERE}/organise")

    assert f"{HERE}/organise/{sees}" in page.read.links
    assert not {link for link in page.read.links for part in (refused, "team", "partners", "campaign") if f"/organise/{part}" in link}
    for part in ("team", "partners", "campaign", refused):
        assert browser.get(f"{HERE}/organise/{part}").status == 403


def test_participant_has_no_console(ann: Browser, browser: Browser) -> None:
    assert ann.get(f"{HERE}/organise").status == 403
    assert f"{HERE}/organise" not in ann.get(f"{HERE}/about").read.links


def test_console_asks_to_sign_in_first(browser: Browser) -> None:
    page = browser.get(f"{HERE}/organise")

    assert page.status == 401
    assert any("/sign-in?next=" in link for link in page.read.links)


def test_stages_say_when_and_what(olive: Browser, campaign: Campaign, skipping: Skipping) -> None:
    page = olive.get(f"{HERE}/organise")
    assert "Open now" in page.text
    assert "What gets in the way, What helps" in page.text
    assert "Votes are shown when it closes." in page.text
    skipping.at(float(campaign.phases[0].closes_at))
    olive.cookies["gs_session"] = signed_in("olive@example.org")

    assert "Closed" in olive.get(f"{HERE}/organise").text
