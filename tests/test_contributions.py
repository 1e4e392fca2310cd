"""What people add: once for each request, with the campaign's own fields, while a stage asks for it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from chalicelib import contributions, flags, votes
from chalicelib.campaigns import Campaign, NewPhase
from chalicelib.contributions import Contribution
from chalicelib.errors import Conflict, Invalid, NotFound, TooMany
from tests.aws import lost_response
from tests.conftest import Make, make_campaign, said

BETWEEN = {
    "id": "where",
    "label": "Where does it happen?",
    "options": [
        {"id": "within", "label": "Within one organisation"},
        {"id": "between", "label": "Between organisations"},
        {"id": "other", "label": "Other"},
    ],
}


def add(campaign: Campaign, now: datetime, request: str = "1", **changes: Any) -> Contribution:
    return contributions.add(campaign, "author", said(**changes), request=request, now=now)


@pytest.fixture
def detailed(person: Make, now: datetime) -> Campaign:
    """A campaign with a field of its own and tags."""
    return make_campaign(person("olive@example.org"), now, choices=[BETWEEN], tags=["rotas", "forms"])


@pytest.fixture
def premoderated(person: Make, now: datetime) -> Campaign:
    phase = NewPhase("First days", now - timedelta(days=1), now + timedelta(days=2), ["barrier"], premoderated=True)
    return make_campaign(person("olive@example.org"), now, phases=[phase])


def test_public_author_ids_do_not_join_two_contributions(campaign: Campaign, now: datetime) -> None:
    first, second = add(campaign, now), add(campaign, now, request="2")

    assert first.author == second.author
    assert first.author_id != second.author_id


def test_repeated_request_adds_one_contribution(campaign: Campaign, now: datetime) -> None:
    first, again = add(campaign, now), add(campaign, now + timedelta(seconds=5))

    assert first.id == again.id
    assert len(contributions.newest(campaign.slug, 1).items) == 1


@pytest.mark.parametrize("which", [1, 2], ids=["of the key", "of the item"])
def test_lost_response_adds_one_contribution(campaign: Campaign, now: datetime, which: int) -> None:
    with lost_response("dynamodb", "PutItem", which=which) as calls:
        added = add(campaign, now)

    assert len(calls) == 3
    assert [item.id for item in contributions.newest(campaign.slug, 1).items] == [added.id]


def test_two_people_with_the_same_request_key_add_two(campaign: Campaign, now: datetime) -> None:
    first = add(campaign, now)

    assert contributions.add(campaign, "another", said(), request="1", now=now).id != first.id


def test_list_is_newest_first_and_goes_on_by_cursor(campaign: Campaign, now: datetime) -> None:
    for number in range(5):
        add(campaign, now + timedelta(seconds=number), title=str(number), request=str(number))
    first = contributions.newest(campaign.slug, 1, limit=3)
    rest = contributions.newest(campaign.slug, 1, limit=3, cursor=first.next)

    assert [item.title for item in [*first.items, *rest.items]] == ["4", "3", "2", "1", "0"]
    assert rest.next is None


@pytest.mark.parametrize("cursor", ["x", "äöü", "AAAA", "=" * 9])
def test_cursor_that_is_not_ours_is_refused(campaign: Campaign, cursor: str) -> None:
    with pytest.raises(Invalid) as refused:
        contributions.newest(campaign.slug, 1, cursor=cursor)

    assert list(refused.value.fields) == ["cursor"]


def test_cursor_of_another_list_is_refused(campaign: Campaign, now: datetime) -> None:
    for number in range(2):
        add(campaign, now, request=str(number))
    cursor = contributions.newest(campaign.slug, 1, limit=1).next

    with pytest.raises(Invalid):
        contributions.newest("another", 1, cursor=cursor)


def test_participant_says_where_it_happens_and_tags_it(detailed: Campaign, now: datetime) -> None:
    added = add(detailed, now, choices={"where": "between"}, tags=[" rotas ", ""])

    found = contributions.get(detailed.slug, added.id)
    assert (found.choices, found.tags) == ({"where": "between"}, ["rotas"])


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"kind": "rant"}, {"kind", "choices.where"}),
        ({"kind": "solution", "choices": {"where": "within"}}, {"kind"}),
        ({"title": " ", "choices": {"where": "within"}}, {"title"}),
        ({"title": "x" * 121, "text": "", "choices": {"where": "within"}}, {"title", "text"}),
        ({"text": "x" * 5001, "choices": {"where": "within"}}, {"text"}),
        ({"choices": {"where": "nowhere"}}, {"choices.where"}),
        ({"choices": {"where": "within", "when": "now"}}, {"choices.when"}),
        ({"choices": {"where": "within"}, "tags": ["unknown"]}, {"tags"}),
        ({"choices": {"where": "within"}, "tags": ["rotas", "rotas"]}, {"tags"}),
    ],
)
def test_contribution_is_refused_naming_every_wrong_field(
    detailed: Campaign, now: datetime, changes: dict[str, Any], fields: set[str]
) -> None:
    with pytest.raises(Invalid) as refused:
        add(detailed, now, **changes)

    assert set(refused.value.fields) == fields


def test_contribution_is_refused_outside_the_phase(campaign: Campaign, now: datetime) -> None:
    for when in (now - timedelta(days=2), now + timedelta(days=14)):
        with pytest.raises(Conflict) as refused:
            add(campaign, when)
        assert refused.value.code == "phase_closed"


def test_contribution_is_refused_where_the_phase_is_for_something_else(person: Make, now: datetime) -> None:
    phase = NewPhase("Prioritise", now - timedelta(days=1), now + timedelta(days=2), ["barrier"], contribute=False)
    campaign = make_campaign(person("olive@example.org"), now, phases=[phase])

    with pytest.raises(Conflict) as refused:
        add(campaign, now)

    assert refused.value.code == "not_in_phase"


def test_contributions_of_one_account_are_limited_by_the_campaigns_setting(person: Make, now: datetime) -> None:
    campaign = make_campaign(person("olive@example.org"), now, limits={"contributions_per_hour": 2})
    for number in range(2):
        add(campaign, now, request=str(number))

    with pytest.raises(TooMany) as refused:
        add(campaign, now, request="more")
    assert 0 < refused.value.retry_after <= 3600
    add(campaign, now + timedelta(hours=1), request="more")
    contributions.add(campaign, "another", said(), request="theirs", now=now)


def test_what_a_premoderated_phase_holds_back_is_seen_by_its_author_and_moderators(premoderated: Campaign, now: datetime) -> None:
    added = add(premoderated, now)

    assert added.state == "pending"
    assert contributions.newest(premoderated.slug, 1).items == []
    assert contributions.visible(added, pseudonym="author") is added
    assert contributions.visible(added, moderates=True) is added
    for pseudonym in (None, "another"):
        with pytest.raises(NotFound):
            contributions.visible(added, pseudonym=pseudonym)
    assert [(one.target, dict(one.reasons)) for one in flags.waiting(premoderated.slug)] == [(added.id, {"review": 1})]


def test_repeated_request_does_not_queue_again_what_was_published(premoderated: Campaign, now: datetime) -> None:
    added = add(premoderated, now)
    added.update(actions=[Contribution.state.set("published")])
    flags.close(premoderated.slug, added.id, until=now)

    assert add(premoderated, now + timedelta(seconds=9)).state == "published"
    assert flags.waiting(premoderated.slug) == []


def test_authors_own_are_found_whatever_their_state_but_withdrawn(campaign: Campaign, now: datetime) -> None:
    for number, state in enumerate(("published", "hidden", "withdrawn")):
        item = add(campaign, now + timedelta(seconds=number), request=str(number), title=state)
        item.update(actions=[Contribution.state.set(state)])
    contributions.add(campaign, "another", said(), request="1", now=now)

    assert [item.title for item in contributions.of_author(campaign.slug, "author")] == ["hidden", "published"]


@pytest.mark.parametrize("unknown", ["1-00000000000000000000000000", "1-0", "0-00000000000000000000000000", "", "1-" + "é" * 26])
def test_unknown_contribution_is_not_found(campaign: Campaign, unknown: str) -> None:
    with pytest.raises(NotFound):
        contributions.get(campaign.slug, unknown)


def test_organiser_can_put_a_shortlist_into_a_stage_that_takes_nothing_from_others(person: Make, now: datetime) -> None:
    """The third stage of 2015 ranks the best of the second: somebody has to put them there."""
    stage = NewPhase("Prioritise", now - timedelta(days=1), now + timedelta(days=14), ["solution"], contribute=False)
    campaign = make_campaign(person("olive@example.org"), now, phases=[stage])
    solution = said("solution", "One form", "One form for all.")

    with pytest.raises(Conflict) as refused:
        contributions.add(campaign, "ann", solution, request="1", now=now)
    made = contributions.add(campaign, "olive", solution, request="1", now=now, organises=True)

    assert refused.value.code == "not_in_phase"
    assert made.is_published
    assert votes.cast(campaign, made.id, "ann", 1, now=now) == 1
    with pytest.raises(Conflict):
        contributions.add(campaign, "olive", solution, request="2", now=now + timedelta(days=15), organises=True)
