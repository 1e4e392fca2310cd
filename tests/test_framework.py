"""The framework's entries, and which solutions answer them."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from chalicelib import campaigns, contributions, enrolments, framework
from chalicelib.campaigns import Campaign
from chalicelib.contributions import Contribution
from chalicelib.enrolments import Enrolment
from chalicelib.errors import Conflict, Forbidden, Invalid, NotFound
from chalicelib.framework import Said
from tests.aws import hook, lost_response
from tests.conftest import Make, make_campaign, new_details, said

SAFE = Said("barrier", "Playing it safe", "Nobody dares.")


@pytest.fixture
def author(campaign: Campaign, person: Make, now: datetime) -> Enrolment:
    return enrolments.join(campaign.slug, person("ann@example.org"), "staff", now=now)


@pytest.fixture
def solution(person: Make, author: Enrolment, now: datetime) -> tuple[Campaign, Contribution]:
    """In a campaign whose open stage asks for solutions."""
    found = new_details(now).phases[0]
    campaign = make_campaign(
        person("olive@example.org"),
        now,
        slug="solving",
        phases=[campaigns.NewPhase("S", found.opens_at, found.closes_at, ["solution", "barrier"])],
    )
    framework.put("solving", "safe", SAFE, now=now)
    return campaign, contributions.add(campaign, author.pseudonym, said("solution"), request="1", now=now)


def test_entries_are_listed_barriers_first_in_their_order(campaign: Campaign, now: datetime) -> None:
    for number, (kind, title) in enumerate([("building-block", "Trust"), ("barrier", "Rules"), ("barrier", "Fear")]):
        framework.add(campaign.slug, Said(kind, title, ""), now=now + timedelta(seconds=number))

    assert [entry.title for entry in framework.of(campaign.slug)] == ["Rules", "Fear", "Trust"]


def test_entry_is_changed_in_its_place(campaign: Campaign, now: datetime) -> None:
    framework.put(campaign.slug, "safe", SAFE, now=now)
    framework.put(campaign.slug, "other", SAFE, now=now + timedelta(seconds=1))
    with lost_response("dynamodb", "PutItem"):
        framework.put(campaign.slug, "safe", Said("barrier", "Safety first", ""), now=now + timedelta(seconds=2))

    assert [(entry.id, entry.title) for entry in framework.of(campaign.slug)] == [("safe", "Safety first"), ("other", "Playing it safe")]


def test_adding_the_same_entry_again_adds_one(campaign: Campaign, now: datetime) -> None:
    with lost_response("dynamodb", "PutItem"):
        first = framework.add(campaign.slug, SAFE, now=now)
    framework.add(campaign.slug, SAFE, now=now)

    assert [entry.id for entry in framework.of(campaign.slug)] == [first.id] == ["playing-it-safe"]


def test_adding_does_not_replace_another_entry_of_that_title(campaign: Campaign, now: datetime) -> None:
    framework.add(campaign.slug, SAFE, now=now)

    with pytest.raises(Conflict) as refused:
        framework.add(campaign.slug, Said("barrier", "Playing it safe!", "Other."), now=now)
    assert (refused.value.code, set(refused.value.fields)) == ("entry_exists", {"title"})


@pytest.mark.parametrize(
    ("entry", "given", "fields"),
    [
        ("Safe", SAFE, {"entry"}),
        ("x" * 61, SAFE, {"entry"}),
        ("safe", Said("solution", " ", "x" * 2001), {"kind", "title", "text"}),
        ("safe", Said("barrier", "x" * 121, ""), {"title"}),
    ],
)
def test_entry_is_refused_naming_every_wrong_field(campaign: Campaign, now: datetime, entry: str, given: Said, fields: set[str]) -> None:
    with pytest.raises(Invalid) as refused:
        framework.put(campaign.slug, entry, given, now=now)

    assert set(refused.value.fields) == fields


def test_framework_has_a_size(campaign: Campaign, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(framework, "ENTRIES_MAX", 1)
    framework.put(campaign.slug, "safe", SAFE, now=now)

    framework.put(campaign.slug, "safe", SAFE, now=now)
    with pytest.raises(Conflict) as refused:
        framework.put(campaign.slug, "other", SAFE, now=now)
    assert refused.value.code == "too_many_entries"


def test_entry_can_be_removed_twice(campaign: Campaign, now: datetime) -> None:
    framework.put(campaign.slug, "safe", SAFE, now=now)
    framework.remove(campaign.slug, "safe")
    framework.remove(campaign.slug, "safe")

    assert framework.of(campaign.slug) == []


def test_author_says_what_a_solution_answers_and_takes_it_back(solution: tuple[Campaign, Contribution], author: Enrolment) -> None:
    campaign, idea = solution
    for _ in range(2):
        with lost_response("dynamodb", "UpdateItem"):
            assert list(framework.answer(campaign, idea.id, "safe", author).answers) == ["safe"]
    for _ in range(2):
        assert list(framework.unanswer(campaign, idea.id, "safe", author).answers) == []


def test_two_answers_at_once_are_both_kept(solution: tuple[Campaign, Contribution], author: Enrolment, now: datetime) -> None:
    campaign, idea = solution
    framework.put(campaign.slug, "rules", SAFE, now=now)
    others = iter(["rules"])

    def other() -> None:
        entry = next(others, None)
        if entry:
            framework.answer(campaign, idea.id, entry, author)

    with hook("dynamodb", "UpdateItem", other):
        framework.answer(campaign, idea.id, "safe", author)

    assert set(contributions.find(campaign.slug, idea.id, consistent=True).answers) == {"rules", "safe"}


def test_coder_may_tie_and_another_participant_may_not(solution: tuple[Campaign, Contribution], person: Make, now: datetime) -> None:
    campaign, idea = solution
    coder = enrolments.appoint(campaign.slug, person("cy@example.org"), ["coder"], now=now)
    other = enrolments.join(campaign.slug, person("ben@example.org"), "staff", now=now)

    assert list(framework.answer(campaign, idea.id, "safe", coder).answers) == ["safe"]
    with pytest.raises(Forbidden) as refused:
        framework.unanswer(campaign, idea.id, "safe", other)
    assert refused.value.code == "not_author"


def test_only_a_solution_answers_only_what_is_there(solution: tuple[Campaign, Contribution], author: Enrolment, now: datetime) -> None:
    campaign, idea = solution
    barrier = contributions.add(campaign, author.pseudonym, said("barrier"), request="2", now=now)

    with pytest.raises(NotFound):
        framework.answer(campaign, idea.id, "nothing", author)
    with pytest.raises(Conflict) as refused:
        framework.answer(campaign, barrier.id, "safe", author)
    assert refused.value.code == "not_a_solution"


def test_solution_answers_a_limited_number(solution: tuple[Campaign, Contribution], author: Enrolment, now: datetime) -> None:
    campaign, idea = solution
    for number in range(framework.ANSWERS_MAX + 1):
        framework.put(campaign.slug, f"entry-{number}", SAFE, now=now)
    for number in range(framework.ANSWERS_MAX):
        framework.answer(campaign, idea.id, f"entry-{number}", author)

    with pytest.raises(Conflict) as refused:
        framework.answer(campaign, idea.id, f"entry-{framework.ANSWERS_MAX}", author)
    assert refused.value.code == "too_many_answers"
