"""Organisers invite and remove people; nobody else sees an address."""

from __future__ import annotations

from typing import Any

import pytest
from chalice.test import Client

from chalicelib import enrolments, team
from chalicelib.campaigns import Campaign
from tests.aws import take_mailed
from tests.conftest import Make
from tests.web.browser import Browser, Program
from tests.web.conftest import API, HERE, signed_in

TEAM = f"{HERE}/organise/team"


@pytest.fixture
def olive_program(client: Client, olive: Browser) -> Program:
    return Program(client, olive.cookies["gs_session"])


def test_organiser_invites_somebody_who_then_works(olive: Browser, client: Client) -> None:
    olive.get(TEAM)
    page = olive.send("/team", email="ben@example.org", duties=["moderator", "coder"])

    assert "ben@example.org" in page.text
    assert "Moderator, Coder" in page.text
    assert take_mailed()[-1]["to"] == "ben@example.org"
    ben = Browser(client)
    ben.cookies["gs_session"] = signed_in("ben@example.org")
    assert f"{HERE}/organise/framework" in ben.get(f"{HERE}/organise").read.links


def test_invitation_leads_to_the_campaigns_own_address(olive_program: Program) -> None:
    olive_program.ask("POST", f"{API}/team", {"email": "ben@example.org", "duties": ["organiser"]}, Host="change.example.org")

    assert take_mailed()[-1]["data"]["address"] == "http://change.example.org/c/change-challenge/organise"


def test_team_as_json(olive_program: Program) -> None:
    made = olive_program.ask("POST", f"{API}/team", {"email": "ben@example.org", "duties": ["coder"]})
    assert olive_program.status == 201
    assert (made["email"], made["duties"]) == ("ben@example.org", ["coder"])
    assert {member["email"] for member in olive_program.ask("GET", f"{API}/team")["items"]} == {"ben@example.org", "olive@example.org"}

    for _ in range(2):
        olive_program.ask("DELETE", f"{API}/team/{made['id']}")
        assert olive_program.status == 204
    assert len(olive_program.ask("GET", f"{API}/team")["items"]) == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"email": "ben", "duties": ["coder"]}, "email"),
        ({"email": "ben@example.org", "duties": []}, "duties"),
        ({"email": "ben@example.org", "duties": ["king"]}, "duties"),
        ({"duties": ["coder"]}, "email"),
    ],
)
def test_invitation_is_refused_naming_the_field(olive_program: Program, body: dict[str, Any], field: str) -> None:
    status, _, fields = olive_program.refused("POST", f"{API}/team", body)

    assert (status, set(fields)) == (400, {field})


def test_refused_invitation_keeps_what_was_typed(olive: Browser) -> None:
    olive.get(TEAM)
    page = olive.send("/team", email="ben@example.org")
    assert page.status == 400
    assert "#duties" in page.read.links
    assert page.form("/team").fields["email"] == "ben@example.org"

    page = olive.send("/team", email="ben", duties=["coder"])
    assert page.status == 400
    assert page.form("/team").fields | {"email": "ben", "duties": "coder"} == page.form("/team").fields


def test_organiser_removes_somebody_after_being_asked(olive: Browser, client: Client, campaign: Campaign, person: Make) -> None:
    olive.get(TEAM)
    olive.send("/team", email="ben@example.org", duties=["organiser"])
    ben = next(member.id for member in team.members(campaign.slug) if member.email == "ben@example.org")
    removal = f"{TEAM}/{ben}/remove"
    assert removal in olive.page.read.links

    assert "Remove ben@example.org?" in olive.get(removal).text
    page = olive.send("/remove")

    assert "ben@example.org" not in page.text
    found = enrolments.find(campaign.slug, person("ben@example.org"))
    assert found is not None
    assert found.duties == []
    assert olive.get(removal).status == 404


def test_last_organiser_stays(olive: Browser, olive_program: Program) -> None:
    (member,) = olive_program.ask("GET", f"{API}/team")["items"]
    olive.get(f"{TEAM}/{member['id']}/remove")
    page = olive.send("/remove")

    assert page.status == 409
    assert "keeps at least one organiser" in page.text
    assert olive_program.refused("DELETE", f"{API}/team/{member['id']}")[:2] == (409, "last_organiser")


def test_addresses_are_for_organisers_only(ann_program: Program, client: Client, person: Make, campaign: Campaign) -> None:
    assert ann_program.refused("GET", f"{API}/team")[:2] == (403, "not_organiser")
    assert ann_program.refused("POST", f"{API}/team", {"email": "ann@example.org", "duties": ["organiser"]})[0] == 403
    assert ann_program.refused("DELETE", f"{API}/team/x")[0] == 403
    assert "olive@" not in str(ann_program.ask("GET", API))
    assert Program(client).refused("GET", f"{API}/team")[0] == 401
