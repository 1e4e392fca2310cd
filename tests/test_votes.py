"""A vote is one item per person, changeable and withdrawable while the phase is open."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import datetime, timedelta
from functools import partial

import pytest

from chalicelib import contributions, enrolments, pseudonyms, tallies, votes
from chalicelib.campaigns import Campaign, NewPhase
from chalicelib.contributions import Contribution
from chalicelib.errors import Conflict, Forbidden, Invalid, NotFound, TooMany
from tests.aws import hook, lost_response
from tests.conftest import Make, make_campaign, said


@pytest.fixture
def idea(campaign: Campaign, now: datetime) -> Contribution:
    return contributions.add(campaign, "author", said("barrier", "Forms", "Too many forms."), request="1", now=now)


def count(campaign: Campaign, idea: Contribution) -> tallies.Counts:
    return tallies.recount(contributions.key(campaign.slug, idea.id))


def test_participant_can_vote_change_and_withdraw(campaign: Campaign, idea: Contribution, now: datetime) -> None:
    votes.cast(campaign, idea.id, "ann", 1, now=now)
    assert (votes.own(campaign.slug, idea.id, "ann"), count(campaign, idea)) == (1, tallies.Counts(1, 0))

    votes.cast(campaign, idea.id, "ann", -1, now=now + timedelta(seconds=1))
    assert (votes.own(campaign.slug, idea.id, "ann"), count(campaign, idea)) == (-1, tallies.Counts(0, 1))

    votes.withdraw(campaign, idea.id, "ann", now=now + timedelta(seconds=2))
    assert (votes.own(campaign.slug, idea.id, "ann"), count(campaign, idea)) == (0, tallies.Counts(0, 0))


def test_recount_that_finds_nothing_new_still_overtakes_a_slower_one(campaign: Campaign, idea: Contribution, now: datetime) -> None:
    """Two up; a recount has counted them and is slow to write; one withdraws; a second recount finds what stood before."""
    votes.cast(campaign, idea.id, "ann", 1, now=now)
    count(campaign, idea)
    votes.cast(campaign, idea.id, "ben", 1, now=now)
    overtaken = []

    def overtake() -> None:
        if not overtaken:
            overtaken.append(True)
            votes.withdraw(campaign, idea.id, "ann", now=now + timedelta(seconds=1))
            count(campaign, idea)

    with hook("dynamodb", "PutItem", overtake):
        count(campaign, idea)

    assert tallies.get(campaign.slug, idea.id) == tallies.Counts(1, 0)


def test_voting_twice_counts_once(campaign: Campaign, idea: Contribution, now: datetime) -> None:
    votes.cast(campaign, idea.id, "ann", 1, now=now)
    votes.cast(campaign, idea.id, "ann", 1, now=now)

    assert count(campaign, idea) == tallies.Counts(1, 0)


@pytest.mark.parametrize("which", [1, 2], ids=["of the limit", "of the vote"])
def test_lost_response_of_a_vote_counts_once(campaign: Campaign, idea: Contribution, now: datetime, which: int) -> None:
    with lost_response("dynamodb", "UpdateItem", which=which) as calls:
        assert votes.cast(campaign, idea.id, "ann", 1, now=now) == 1

    assert len(calls) == 3
    assert count(campaign, idea) == tallies.Counts(1, 0)


def test_lost_response_of_a_withdrawal_takes_it_back_once(campaign: Campaign, idea: Contribution, now: datetime) -> None:
    votes.cast(campaign, idea.id, "ann", 1, now=now)
    with lost_response("dynamodb", "UpdateItem", which=2):
        votes.withdraw(campaign, idea.id, "ann", now=now)

    assert count(campaign, idea) == tallies.Counts(0, 0)


def test_late_repetition_of_an_older_vote_does_not_undo_a_newer_one(campaign: Campaign, idea: Contribution, now: datetime) -> None:
    votes.cast(campaign, idea.id, "ann", 1, now=now)
    votes.withdraw(campaign, idea.id, "ann", now=now + timedelta(seconds=5))

    assert votes.cast(campaign, idea.id, "ann", 1, now=now) == 0
    assert count(campaign, idea) == tallies.Counts(0, 0)


def test_withdrawing_without_a_vote_changes_nothing(campaign: Campaign, idea: Contribution, now: datetime) -> None:
    votes.withdraw(campaign, idea.id, "ann", now=now)

    assert count(campaign, idea) == tallies.Counts(0, 0)
    assert votes.Vote.count() == 0


@pytest.mark.parametrize("value", [0, 2, -2, True])
def test_vote_is_refused_when_it_is_neither_up_nor_down(campaign: Campaign, idea: Contribution, now: datetime, value: int) -> None:
    with pytest.raises(Invalid) as refused:
        votes.cast(campaign, idea.id, "ann", value, now=now)

    assert list(refused.value.fields) == ["value"]


def test_vote_is_refused_when_the_phase_has_closed(campaign: Campaign, idea: Contribution, now: datetime) -> None:
    with pytest.raises(Conflict) as refused:
        votes.cast(campaign, idea.id, "ann", 1, now=now + timedelta(days=14))

    assert refused.value.code == "phase_closed"


@pytest.mark.parametrize("unknown", ["1-00000000000000000000000000", "9-00000000000000000000000000", "nonsense", ""])
def test_vote_is_refused_when_there_is_no_such_contribution(campaign: Campaign, now: datetime, unknown: str) -> None:
    with pytest.raises(NotFound):
        votes.cast(campaign, unknown, "ann", 1, now=now)


def test_vote_is_refused_where_the_phase_has_none(person: Make, now: datetime) -> None:
    phase = NewPhase("Talk only", now - timedelta(days=1), now + timedelta(days=2), ["barrier"], vote=False)
    campaign = make_campaign(person("olive@example.org"), now, phases=[phase])
    idea = contributions.add(campaign, "author", said(), request="1", now=now)

    with pytest.raises(Conflict) as refused:
        votes.cast(campaign, idea.id, "ann", 1, now=now)

    assert refused.value.code == "not_in_phase"


@pytest.mark.parametrize("state", ["pending", "hidden", "withdrawn"])
def test_what_is_not_published_takes_no_vote(campaign: Campaign, idea: Contribution, now: datetime, state: str) -> None:
    idea.update(actions=[Contribution.state.set(state)])

    with pytest.raises(NotFound):
        votes.cast(campaign, idea.id, "author", 1, now=now)


def test_votes_of_one_account_are_limited_by_the_campaigns_setting(person: Make, now: datetime) -> None:
    campaign = make_campaign(person("olive@example.org"), now, limits={"votes_per_hour": 1})
    idea = contributions.add(campaign, "author", said(), request="1", now=now)
    votes.cast(campaign, idea.id, "ann", 1, now=now)

    with pytest.raises(TooMany):
        votes.cast(campaign, idea.id, "ann", -1, now=now)
    votes.cast(campaign, idea.id, "ben", 1, now=now)


def test_ballot_says_whether_somebody_may_vote(campaign: Campaign, idea: Contribution, person: Make, now: datetime) -> None:
    ann = person("ann@example.org")
    with pytest.raises(Forbidden) as refused:
        votes.ballot(campaign.slug, idea.id, ann)
    assert refused.value.code == "not_enrolled"

    pseudonym = enrolments.join(campaign.slug, ann, "staff", now=now).pseudonym
    ballot = votes.ballot(campaign.slug, idea.id, ann)
    assert (ballot.campaign.slug, ballot.pseudonym, ballot.contribution.id) == (campaign.slug, pseudonym, idea.id)

    enrolments.suspend(campaign.slug, pseudonym, now=now)
    with pytest.raises(Forbidden) as refused:
        votes.ballot(campaign.slug, idea.id, ann)
    assert refused.value.code == "suspended"
    for slug, contribution in (("nowhere", idea.id), ("../etc", idea.id), (campaign.slug, f"1-{'0' * 26}"), (campaign.slug, "x")):
        enrolments.reinstate(campaign.slug, pseudonym)
        with pytest.raises(NotFound):
            votes.ballot(slug, contribution, ann)


def test_ballot_is_one_read(campaign: Campaign, idea: Contribution, person: Make, now: datetime) -> None:
    ann = person("ann@example.org")
    enrolments.join(campaign.slug, ann, "staff", now=now)
    calls: list[str] = []
    with ExitStack() as stack:
        for operation in ("GetItem", "Query", "BatchGetItem"):
            stack.enter_context(hook("dynamodb", operation, partial(calls.append, operation)))
        votes.ballot(campaign.slug, idea.id, ann)

    assert calls == ["BatchGetItem"]


def test_person_has_one_vote_whatever_role_they_take(campaign: Campaign, person: Make) -> None:
    assert pseudonyms.of(campaign.slug, person("ann@example.org")) == pseudonyms.of(campaign.slug, person("ANN@Example.org"))


def test_own_votes_of_a_page_come_in_one_read(campaign: Campaign, idea: Contribution, now: datetime) -> None:
    other = contributions.add(campaign, "author", said("barrier", "Phones", "No signal."), request="2", now=now)
    votes.cast(campaign, idea.id, "ann", -1, now=now)

    assert votes.own_of(campaign.slug, [idea.id, other.id], "ann") == {idea.id: -1}
