"""Campaigns, enrolment, contributions and comments, and what the clock allows."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from chalicelib import campaigns, comments, contributions, enrolments, pseudonyms
from chalicelib.campaigns import Campaign, NewPhase
from chalicelib.errors import Conflict, Forbidden, Invalid, NotFound, TooMany
from tests.aws import lost_response
from tests.conftest import Make, make_campaign


def add(campaign: Campaign, now: datetime, title: str = "Forms", request: str = "1", **changes: str) -> contributions.Contribution:
    values = {"kind": "barrier", "title": title, "text": "Too many."} | changes
    return contributions.add(campaign, "author", request=request, now=now, **values)  # type: ignore[arg-type]


def test_organiser_of_a_campaign_is_who_made_it(campaign: Campaign, person: Make) -> None:
    assert enrolments.is_organiser(campaign.slug, person("olive@example.org"))
    assert not enrolments.is_organiser(campaign.slug, person("ann@example.org"))


def test_making_the_same_campaign_again_changes_nothing(campaign: Campaign, person: Make, now: datetime) -> None:
    assert make_campaign(person("olive@example.org"), now).created == campaign.created


def test_making_goes_on_where_it_was_cut_off(person: Make, now: datetime) -> None:
    """The item was written, and then the process died before its organiser was enrolled."""
    olive = person("olive@example.org")
    with lost_response("dynamodb", "PutItem", which=2):
        made = make_campaign(olive, now)
    enrolments.Enrolment(pk=made.slug, sk=pseudonyms.of(made.slug, olive)).delete()
    make_campaign(olive, now)

    assert enrolments.is_organiser(made.slug, olive)


def test_slug_of_somebody_else_is_taken(campaign: Campaign, person: Make, now: datetime) -> None:
    with pytest.raises(Conflict) as refused:
        make_campaign(person("ann@example.org"), now)

    assert refused.value.code == "taken"


@pytest.mark.parametrize(
    ("slug", "title", "phase", "fields"),
    [
        ("No", "", None, {"slug", "title", "phases"}),
        ("ok-slug", "Title", ("", 1, 2, ["barrier"]), {"phase.title"}),
        ("ok-slug", "Title", ("Phase", 2, 1, ["barrier"]), {"phase.closes_at"}),
        ("ok-slug", "Title", ("Phase", 1, 2, ["rant"]), {"phase.kinds"}),
    ],
    ids=["names", "no title", "ends before it begins", "unknown kind"],
)
def test_campaign_is_refused_naming_every_wrong_field(
    person: Make, now: datetime, slug: str, title: str, phase: tuple[str, int, int, list[str]] | None, fields: set[str]
) -> None:
    phases = [NewPhase(phase[0], now + timedelta(days=phase[1]), now + timedelta(days=phase[2]), phase[3])] if phase else []
    with pytest.raises(Invalid) as refused:
        campaigns.create(slug, title, "Why?", phases, organiser=person("olive@example.org"), now=now)

    assert set(refused.value.fields) == fields


def test_joining_twice_changes_the_role_and_stays_one(campaign: Campaign, person: Make, now: datetime) -> None:
    ann = person("ann@example.org")
    first = enrolments.join(campaign.slug, ann, "patient", now=now)
    again = enrolments.join(campaign.slug, ann, "staff", now=now + timedelta(days=1))

    assert (first.pseudonym, first.joined, again.role) == (again.pseudonym, again.joined, "staff")
    with pytest.raises(Invalid):
        enrolments.join(campaign.slug, ann, "king", now=now)


def test_organiser_without_a_role_has_to_join_to_take_part(campaign: Campaign, person: Make) -> None:
    with pytest.raises(Forbidden) as refused:
        enrolments.require(campaign.slug, person("olive@example.org"))

    assert refused.value.code == "not_enrolled"


def test_pseudonyms_differ_by_campaign_and_between_voice_and_post(campaign: Campaign, person: Make, now: datetime) -> None:
    ann = person("ann@example.org")
    other = make_campaign(person("olive@example.org"), now, slug="another-one")

    found = {pseudonyms.of(campaign.slug, ann), pseudonyms.of(other.slug, ann), pseudonyms.supporter(campaign.slug, "person", ann)}
    assert len(found) == 3


def test_public_author_ids_do_not_join_two_contributions(campaign: Campaign, now: datetime) -> None:
    first, second = add(campaign, now), add(campaign, now, request="2")

    assert first.author == second.author
    assert first.author_id != second.author_id


def test_repeated_request_adds_one_contribution(campaign: Campaign, now: datetime) -> None:
    first, again = add(campaign, now), add(campaign, now + timedelta(seconds=5))

    assert first.id == again.id
    assert len(contributions.newest(campaign.slug, 1).items) == 1


def test_lost_response_adds_one_contribution(campaign: Campaign, now: datetime) -> None:
    for which in (1, 2):
        with lost_response("dynamodb", "PutItem", which=which) as calls:
            add(campaign, now, request=str(which))
        assert len(calls) == 3

    assert len(contributions.newest(campaign.slug, 1).items) == 2


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


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"kind": "rant"}, "kind"),
        ({"kind": "solution"}, "kind"),
        ({"title": " "}, "title"),
        ({"title": "x" * 121}, "title"),
        ({"text": "x" * 5001}, "text"),
    ],
)
def test_contribution_is_refused_naming_the_field(campaign: Campaign, now: datetime, changes: dict[str, str], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        add(campaign, now, **changes)

    assert list(refused.value.fields) == [field]


def test_contribution_is_refused_outside_the_phase(campaign: Campaign, now: datetime) -> None:
    for when in (now - timedelta(days=2), now + timedelta(days=14)):
        with pytest.raises(Conflict) as refused:
            add(campaign, when)
        assert refused.value.code == "phase_closed"


def test_contributions_of_one_account_are_limited(campaign: Campaign, now: datetime) -> None:
    for number in range(contributions.PER_HOUR):
        add(campaign, now, request=str(number))
    with pytest.raises(TooMany):
        add(campaign, now, request="more")


def test_repeated_request_adds_one_comment(campaign: Campaign, now: datetime) -> None:
    idea = add(campaign, now)
    for _ in range(2):
        comments.add(campaign, idea.id, "ann", text="Yes.", request="1", now=now)
    comments.add(campaign, idea.id, "author", text="Thank you.", request="1", now=now + timedelta(seconds=1))

    found = comments.of(campaign.slug, idea.id)
    assert [comment.text for comment in found] == ["Yes.", "Thank you."]
    assert [comment.author_id == idea.author_id for comment in found] == [False, True]


@pytest.mark.parametrize("text", ["", " ", "x" * 2001])
def test_comment_is_refused_naming_the_field(campaign: Campaign, now: datetime, text: str) -> None:
    with pytest.raises(Invalid) as refused:
        comments.add(campaign, add(campaign, now).id, "ann", text=text, request="1", now=now)

    assert list(refused.value.fields) == ["text"]


@pytest.mark.parametrize("slug", ["nowhere", "", "../etc", "A B", "x" * 70])
def test_unknown_campaign_is_not_found(aws: None, slug: str) -> None:
    with pytest.raises(NotFound):
        campaigns.get(slug)
