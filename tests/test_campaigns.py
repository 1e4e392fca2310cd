"""Campaigns, enrolment, contributions and comments, and what the clock allows."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from chalicelib import campaigns, enrolments, pseudonyms
from chalicelib.campaigns import Campaign, NewPhase
from chalicelib.errors import Conflict, Forbidden, Invalid, NotFound
from tests.aws import lost_response
from tests.conftest import Make, make_campaign


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


@pytest.mark.parametrize("slug", ["nowhere", "", "../etc", "A B", "x" * 70])
def test_unknown_campaign_is_not_found(aws: None, slug: str) -> None:
    with pytest.raises(NotFound):
        campaigns.get(slug)
