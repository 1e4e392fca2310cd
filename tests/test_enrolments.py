"""A person in a campaign: one pseudonym, one role, the duties they were given."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from chalicelib import enrolments, pseudonyms
from chalicelib.campaigns import Campaign
from chalicelib.errors import Forbidden, Invalid
from tests.aws import lost_response
from tests.conftest import Make, make_campaign


def test_joining_twice_changes_the_role_and_stays_one(campaign: Campaign, person: Make, now: datetime) -> None:
    ann = person("ann@example.org")
    first = enrolments.join(campaign.slug, ann, "patient", now=now)
    again = enrolments.join(campaign.slug, ann, "staff", now=now + timedelta(days=1))

    assert (first.pseudonym, first.joined, again.role) == (again.pseudonym, again.joined, "staff")
    with pytest.raises(Invalid):
        enrolments.join(campaign.slug, ann, "king", now=now)


def test_joining_survives_a_lost_response(campaign: Campaign, person: Make, now: datetime) -> None:
    with lost_response("dynamodb", "UpdateItem") as calls:
        enrolments.join(campaign.slug, person("ann@example.org"), "patient", now=now)

    assert len(calls) == 2
    assert enrolments.require(campaign.slug, person("ann@example.org")).role == "patient"


def test_organiser_without_a_role_has_to_join_to_take_part(campaign: Campaign, person: Make) -> None:
    with pytest.raises(Forbidden) as refused:
        enrolments.require(campaign.slug, person("olive@example.org"))

    assert refused.value.code == "not_enrolled"


def test_pseudonyms_differ_by_campaign_and_between_voice_and_post(campaign: Campaign, person: Make, now: datetime) -> None:
    ann = person("ann@example.org")
    other = make_campaign(person("olive@example.org"), now, slug="another-one")

    found = {pseudonyms.of(campaign.slug, ann), pseudonyms.of(other.slug, ann), pseudonyms.supporter(campaign.slug, "person", ann)}
    assert len(found) == 3


@pytest.mark.parametrize(
    ("duty", "allowed"),
    [("organiser", {"organiser", "moderator", "coder"}), ("moderator", {"moderator"}), ("coder", {"coder"})],
)
def test_duty_allows(campaign: Campaign, person: Make, now: datetime, duty: enrolments.Duty, allowed: set[str]) -> None:
    ben = person("ben@example.org")
    enrolments.appoint(campaign.slug, ben, [duty], now=now)

    for asked in enrolments.DUTIES:
        if asked in allowed:
            assert enrolments.require_duty(campaign.slug, ben, asked).duties == [duty]
        else:
            with pytest.raises(Forbidden) as refused:
                enrolments.require_duty(campaign.slug, ben, asked)
            assert refused.value.code == f"not_{asked}"


def test_duty_in_another_campaign_is_none_here(campaign: Campaign, person: Make, now: datetime) -> None:
    other = make_campaign(person("ben@example.org"), now, slug="another-one")

    enrolments.require_duty(other.slug, person("ben@example.org"))
    with pytest.raises(Forbidden):
        enrolments.require_duty(campaign.slug, person("ben@example.org"))


def test_who_is_suspended_has_no_duty_and_cannot_take_part_or_join_again(campaign: Campaign, person: Make, now: datetime) -> None:
    ben = person("ben@example.org")
    pseudonym = enrolments.join(campaign.slug, ben, "staff", now=now).pseudonym
    enrolments.appoint(campaign.slug, ben, ["moderator"], now=now)
    for _ in range(2):
        enrolments.suspend(campaign.slug, pseudonym, now=now)

    assert enrolments.suspended_in(campaign.slug) == {pseudonym}
    for act in (
        lambda: enrolments.require(campaign.slug, ben),
        lambda: enrolments.require_duty(campaign.slug, ben, "moderator"),
        lambda: enrolments.join(campaign.slug, ben, "staff", now=now),
    ):
        with pytest.raises(Forbidden):
            act()
    for _ in range(2):
        enrolments.reinstate(campaign.slug, pseudonym)
    assert enrolments.require(campaign.slug, ben).has("moderator")
    assert enrolments.suspended_in(campaign.slug) == frozenset()
