"""Changing and taking back: silently until the first vote, visibly afterwards."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from chalicelib import campaigns, contributions, flags, framework, revisions, votes
from chalicelib.campaigns import Campaign, NewPhase
from chalicelib.contributions import Contribution
from chalicelib.errors import Conflict, Forbidden, Invalid, NotFound
from tests.aws import hook, lost_response
from tests.conftest import NOW, Make, make_campaign, said

LATER = NOW + timedelta(days=15)


@pytest.fixture
def idea(campaign: Campaign, now: datetime) -> Contribution:
    return contributions.add(campaign, "author", said(), request="1", now=now)


def edit(campaign: Campaign, idea: Contribution, now: datetime, text: str = "Other words.") -> Contribution:
    return revisions.edit(campaign, idea.id, "author", said(text=text), now=now + timedelta(minutes=1))


def earlier(idea: Contribution) -> list[str]:
    """What stays readable once the stage has closed."""
    return [revision.text for revision in told(idea, None, LATER)]


def told(idea: Contribution, who: str | None, when: datetime) -> list[revisions.Revision]:
    found = contributions.find(idea.campaign, idea.id, consistent=True)
    own = votes.find(idea.campaign, idea.id, who) if who else None
    return revisions.of(found, campaigns.get(idea.campaign).phase(1), own, now=when)


def test_edit_before_the_first_vote_leaves_nothing_behind(campaign: Campaign, idea: Contribution, now: datetime) -> None:
    edited = edit(campaign, idea, now)

    assert (edited.text, edited.edited, earlier(idea)) == ("Other words.", None, [])


def test_edit_after_a_vote_keeps_what_people_voted_on(campaign: Campaign, idea: Contribution, now: datetime) -> None:
    edit(campaign, idea, now, "Second words.")
    votes.cast(campaign, idea.id, "ann", 1, now=now)
    edited = edit(campaign, idea, now, "Third words.")

    assert (edited.text, bool(edited.edited)) == ("Third words.", True)
    assert earlier(idea) == ["Second words."]
    assert [revision.number for revision in told(idea, None, LATER)] == [2]


def test_while_votes_are_hidden_only_who_voted_on_earlier_words_is_told_of_them(
    campaign: Campaign, idea: Contribution, now: datetime
) -> None:
    """That they are kept says that somebody voted."""
    votes.cast(campaign, idea.id, "ann", 1, now=now)
    edit(campaign, idea, now)
    votes.cast(campaign, idea.id, "late", 1, now=now + timedelta(minutes=5))
    edit(campaign, idea, now + timedelta(minutes=10), "Third words.")

    assert [revision.text for revision in told(idea, "ann", now)] == ["Too many forms.", "Other words."]
    assert [revision.text for revision in told(idea, "late", now)] == ["Other words."]
    for who in ("author", None):
        assert told(idea, who, now) == []
        assert [revision.text for revision in told(idea, who, LATER)] == ["Too many forms.", "Other words."]


def test_vote_that_was_taken_back_counts_as_one(campaign: Campaign, idea: Contribution, now: datetime) -> None:
    votes.cast(campaign, idea.id, "ann", 1, now=now)
    votes.withdraw(campaign, idea.id, "ann", now=now + timedelta(seconds=1))
    edit(campaign, idea, now)

    assert earlier(idea) == ["Too many forms."]


def test_vote_that_comes_with_the_edit_keeps_the_words(campaign: Campaign, idea: Contribution, now: datetime) -> None:
    with hook("dynamodb", "TransactWriteItems", lambda: votes.cast(campaign, idea.id, "ann", 1, now=now) and None):
        edit(campaign, idea, now)

    assert earlier(idea) == ["Too many forms."]


def test_same_words_again_change_nothing(campaign: Campaign, idea: Contribution, now: datetime) -> None:
    votes.cast(campaign, idea.id, "ann", 1, now=now)
    first, again = edit(campaign, idea, now), edit(campaign, idea, now + timedelta(hours=1))

    assert (first.revision, again.revision, again.edited) == (2, 2, first.edited)
    assert earlier(idea) == ["Too many forms."]


def test_lost_response_edits_once(campaign: Campaign, idea: Contribution, now: datetime) -> None:
    votes.cast(campaign, idea.id, "ann", 1, now=now)
    with lost_response("dynamodb", "TransactWriteItems") as calls:
        edited = edit(campaign, idea, now)

    assert len(calls) == 2
    assert (edited.text, edited.revision, earlier(idea)) == ("Other words.", 2, ["Too many forms."])


def test_edit_that_was_overtaken_is_refused(campaign: Campaign, idea: Contribution, now: datetime) -> None:
    overtaken: list[bool] = []

    def overtake() -> None:
        if not overtaken:
            overtaken.append(True)
            edit(campaign, idea, now, "Words from another tab.")

    with hook("dynamodb", "TransactWriteItems", overtake), pytest.raises(Conflict) as refused:
        edit(campaign, idea, now)

    assert refused.value.code == "changed"
    assert contributions.get(campaign.slug, idea.id).text == "Words from another tab."


def test_edit_that_was_cut_off_is_finished_by_sending_it_again(campaign: Campaign, idea: Contribution, now: datetime) -> None:
    revisions._replace(contributions.find(campaign.slug, idea.id), contributions.cleaned(said(text="Other words.")), "published", now)
    assert earlier(idea) == ["Too many forms."]

    assert edit(campaign, idea, now).edited is None
    assert earlier(idea) == []


def test_edit_is_refused_naming_the_field(campaign: Campaign, idea: Contribution, now: datetime) -> None:
    with pytest.raises(Invalid) as refused:
        edit(campaign, idea, now, " ")

    assert list(refused.value.fields) == ["text"]


def test_only_the_author_can_edit_and_take_back(campaign: Campaign, idea: Contribution, now: datetime) -> None:
    attempts: list[Callable[[], object]] = [
        lambda: revisions.edit(campaign, idea.id, "ann", said(text="Mine."), now=now),
        lambda: revisions.withdraw(campaign, idea.id, "ann"),
    ]
    for attempt in attempts:
        with pytest.raises(Forbidden) as refused:
            attempt()
        assert refused.value.code == "not_author"


def test_edit_is_refused_when_the_phase_has_closed(campaign: Campaign, idea: Contribution, now: datetime) -> None:
    with pytest.raises(Conflict) as refused:
        edit(campaign, idea, now + timedelta(days=14))

    assert refused.value.code == "phase_closed"


@pytest.mark.parametrize("state", ["hidden", "withdrawn"])
def test_what_was_taken_away_cannot_be_edited(campaign: Campaign, idea: Contribution, now: datetime, state: str) -> None:
    idea.update(actions=[Contribution.state.set(state)])

    with pytest.raises(Conflict) as refused:
        edit(campaign, idea, now)

    assert refused.value.code == "hidden"


def test_edits_have_an_end(campaign: Campaign, idea: Contribution, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(revisions, "REVISIONS_MAX", 1)
    edit(campaign, idea, now, "Once.")

    with pytest.raises(Conflict) as refused:
        edit(campaign, idea, now, "Twice.")

    assert refused.value.code == "too_many_revisions"


def test_edit_in_a_premoderated_phase_waits_again(person: Make, now: datetime) -> None:
    phase = NewPhase("First days", now - timedelta(days=1), now + timedelta(days=2), ["barrier"], premoderated=True)
    campaign = make_campaign(person("olive@example.org"), now, phases=[phase])
    idea = contributions.add(campaign, "author", said(), request="1", now=now)
    idea.update(actions=[Contribution.state.set("published")])
    flags.close(campaign.slug, idea.id, until=now)

    assert edit(campaign, idea, now).state == "pending"
    assert [one.target for one in flags.waiting(campaign.slug)] == [idea.id]
    with pytest.raises(NotFound):
        contributions.get(campaign.slug, idea.id)


def test_what_is_no_solution_any_more_answers_nothing(person: Make, now: datetime) -> None:
    phase = NewPhase("Everything", now - timedelta(days=1), now + timedelta(days=2), ["barrier", "solution"])
    campaign = make_campaign(person("olive@example.org"), now, phases=[phase])
    framework.put(campaign.slug, "forms", framework.Said("barrier", "Forms", ""), now=now)
    idea = contributions.add(campaign, "author", said("solution"), request="1", now=now)
    idea.update(actions=[Contribution.answers.set(["forms"])])

    assert revisions.edit(campaign, idea.id, "author", said("solution", text="Other."), now=now).answers == ["forms"]
    assert revisions.edit(campaign, idea.id, "author", said("barrier"), now=now).answers == []


def test_taking_back_deletes_every_word_for_good(campaign: Campaign, idea: Contribution, now: datetime) -> None:
    votes.cast(campaign, idea.id, "ann", 1, now=now)
    edit(campaign, idea, now)

    for _ in range(2):
        revisions.withdraw(campaign, idea.id, "author")

    left = contributions.find(campaign.slug, idea.id, consistent=True)
    assert (left.state, left.title.strip(), left.text.strip()) == ("withdrawn", "", "")
    assert revisions.Revision.count(f"{campaign.slug}#{idea.id}#revisions") == 0
    with pytest.raises(NotFound):
        contributions.get(campaign.slug, idea.id)


@pytest.mark.parametrize("operation", ["UpdateItem", "DeleteItem"])
def test_lost_response_takes_back_once(campaign: Campaign, idea: Contribution, now: datetime, operation: str) -> None:
    with lost_response("dynamodb", operation):
        revisions.withdraw(campaign, idea.id, "author")

    assert contributions.find(campaign.slug, idea.id, consistent=True).state == "withdrawn"


def test_author_can_take_back_after_the_phase_and_what_was_hidden(campaign: Campaign, idea: Contribution) -> None:
    idea.update(actions=[Contribution.state.set("hidden"), Contribution.reason.set("abusive")])

    revisions.withdraw(campaign, idea.id, "author")

    left = contributions.find(campaign.slug, idea.id, consistent=True)
    assert (left.state, left.reason) == ("withdrawn", None)
