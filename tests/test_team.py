"""Who has a duty: invited and removed by e-mail address, with one organiser always left."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from chalicelib import enrolments, mail, team
from chalicelib.campaigns import Campaign
from chalicelib.errors import Conflict, Forbidden, Invalid, TooMany
from chalicelib.team import Welcome
from tests.aws import hook, lost_response, take_mailed
from tests.conftest import Make

WELCOME = Welcome("Change Challenge", "https://change.example.org/c/change-challenge/organise")


@pytest.fixture
def invite(campaign: Campaign, now: datetime) -> Callable[..., team.Member]:
    return lambda email, *duties: team.invite(campaign.slug, email, duties, WELCOME, now=now)


def listed(campaign: Campaign) -> dict[str, list[str]]:
    return {member.email: member.duties for member in team.members(campaign.slug)}


def duties(campaign: Campaign, person: str) -> list[str]:
    found = enrolments.find(campaign.slug, person)
    return list(found.duties) if found else []


def test_duty_holds_from_the_invitation(campaign: Campaign, person: Make, invite: Callable[..., team.Member]) -> None:
    invite("ben@example.org", "moderator", "coder")

    assert listed(campaign) == {"olive@example.org": ["organiser"], "ben@example.org": ["moderator", "coder"]}
    assert duties(campaign, person("ben@example.org")) == ["moderator", "coder"]
    (message,) = take_mailed()
    assert message["to"] == "ben@example.org"
    assert message["data"] == {"campaign": WELCOME.title, "duties": "moderator and coder", "address": WELCOME.address}


def test_invitation_says_what_and_where(invite: Callable[..., team.Member]) -> None:
    invite("ben@example.org", "organiser")
    (message,) = take_mailed()

    text = mail.TEXTS["invitation"][1].format(**message["data"])
    assert WELCOME.address in text
    assert "organiser" in text


def test_inviting_again_replaces_the_duties_and_keeps_one_member(
    campaign: Campaign, person: Make, invite: Callable[..., team.Member]
) -> None:
    first, again = invite("ben@example.org", "moderator"), invite("Ben@EXAMPLE.org", "coder")

    assert (first.id, first.invited) == (again.id, again.invited)
    assert len(listed(campaign)) == 2
    assert duties(campaign, person("ben@example.org")) == ["coder"]


@pytest.mark.parametrize("which", [1, 2])
def test_invitation_survives_a_lost_response(campaign: Campaign, person: Make, invite: Callable[..., team.Member], which: int) -> None:
    """The first transaction makes the person, the second one the member."""
    with lost_response("dynamodb", "TransactWriteItems", which=which):
        invite("ben@example.org", "coder")

    assert (listed(campaign)["ben@example.org"], duties(campaign, person("ben@example.org"))) == (["coder"], ["coder"])


@pytest.mark.parametrize(
    ("email", "given", "field"),
    [
        ("ben", ["coder"], "email"),
        ("ben@example.org", [], "duties"),
        ("ben@example.org", ["king"], "duties"),
        ("ben@example.org", ["coder", "king"], "duties"),
    ],
)
def test_invitation_is_refused_naming_the_field(invite: Callable[..., team.Member], email: str, given: list[str], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        invite(email, *given)

    assert set(refused.value.fields) == {field}


def test_invitations_are_limited(invite: Callable[..., team.Member]) -> None:
    for number in range(team.INVITATIONS_PER_HOUR):
        invite(f"p{number}@example.org", "coder")
    with pytest.raises(TooMany):
        invite("more@example.org", "coder")


def test_team_has_a_size(campaign: Campaign, invite: Callable[..., team.Member], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(team, "MEMBERS_MAX", 2)
    invite("ben@example.org", "coder")

    with pytest.raises(Conflict) as refused:
        invite("cat@example.org", "coder")
    assert refused.value.code == "too_many_members"


def test_removed_member_has_no_duty_and_keeps_the_role(campaign: Campaign, person: Make, now: datetime, invite: Any) -> None:
    ben = person("ben@example.org")
    enrolments.join(campaign.slug, ben, "staff", now=now)
    member = invite("ben@example.org", "organiser").id
    with lost_response("dynamodb", "TransactWriteItems"):
        team.remove(campaign.slug, member, now=now)

    assert listed(campaign) == {"olive@example.org": ["organiser"]}
    assert enrolments.require(campaign.slug, ben).role == "staff"
    with pytest.raises(Forbidden):
        enrolments.require_duty(campaign.slug, ben)
    team.remove(campaign.slug, member, now=now)


def test_last_organiser_stays(campaign: Campaign, person: Make, now: datetime, invite: Any) -> None:
    (olive,) = team.members(campaign.slug)
    invite("ben@example.org", "moderator")

    for act in (lambda: team.remove(campaign.slug, olive.id, now=now), lambda: invite("olive@example.org", "coder")):
        with pytest.raises(Conflict) as refused:
            act()
        assert refused.value.code == "last_organiser"
    assert duties(campaign, person("olive@example.org")) == ["organiser"]


@pytest.mark.parametrize("how", ["removed", "made a coder"])
def test_of_two_organisers_who_leave_at_once_one_stays(campaign: Campaign, now: datetime, invite: Any, how: str) -> None:
    olive, ben = team.members(campaign.slug)[0], invite("ben@example.org", "organiser")
    others = iter([lambda: team.remove(campaign.slug, ben.id, now=now)])

    def other() -> None:
        act = next(others, None)
        if act:
            act()

    with hook("dynamodb", "TransactWriteItems", other), pytest.raises(Conflict) as refused:
        team.remove(campaign.slug, olive.id, now=now) if how == "removed" else invite("olive@example.org", "coder")

    assert refused.value.code == "last_organiser"
    assert listed(campaign) == {"olive@example.org": ["organiser"]}


def test_operator_appoints_besides_what_somebody_has(campaign: Campaign, person: Make, now: datetime, invite: Any) -> None:
    invite("ben@example.org", "moderator")
    for _ in range(2):
        team.appoint(campaign.slug, person("ben@example.org"), now=now)

    assert listed(campaign)["ben@example.org"] == ["organiser", "moderator"]
    assert duties(campaign, person("ben@example.org")) == ["organiser", "moderator"]


def test_addresses_lie_sealed_in_the_table(campaign: Campaign) -> None:
    (item,) = team.MemberItem.query(campaign.slug)

    assert b"olive" not in bytes(item.email)
    assert "olive" not in str(item.sk)
