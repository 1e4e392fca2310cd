"""Who may do what: every route of the app's own table, asked by everybody. A route without a row fails, and so does a row
without a route.

A answered · S asked to sign in · F forbidden · N there is nothing (for them) · C does not fit how things stand, in columns:
N nobody · P participant · U author · M moderator · C coder · O organiser · S suspended · X organiser of another campaign"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from app import app
from chalicelib import drafts, pledges
from chalicelib.web import examples, routes
from tests.conftest import NOW
from tests.web.asking import ask, outcome
from tests.web.world import World

WHO = ("nobody", "participant", "author", "moderator", "coder", "organiser", "suspended", "stranger")

#                                                                               NPUMCOSX
CELLS = """
GET    /                                                                        AAAAAAAA
GET    /c/{slug}                                                                AAAAAAAA
GET    /c/{slug}/about                                                          AAAAAAAA
POST   /c/{slug}/contributions                                                  SAAAAAFF
GET    /c/{slug}/contributions/new                                              AAAAAAAA
GET    /c/{slug}/contributions/{id}                                             AAAAAAAA
POST   /c/{slug}/contributions/{id}/answers                                     SFAFAAFF
POST   /c/{slug}/contributions/{id}/answers/{entry}/remove                      SFAFAAFF
POST   /c/{slug}/contributions/{id}/comments                                    SAAAAAFF
POST   /c/{slug}/contributions/{id}/comments/{comment}/withdraw                 SFAFFFFF
GET    /c/{slug}/contributions/{id}/edit                                        SFAFFFFF
POST   /c/{slug}/contributions/{id}/edit                                        SFAFFFFF
POST   /c/{slug}/contributions/{id}/vote                                        SAAAAAFF
POST   /c/{slug}/contributions/{id}/vote/withdraw                               SAAAAAFF
POST   /c/{slug}/contributions/{id}/withdraw                                    SFAFFFFF
POST   /c/{slug}/enrolment                                                      SAAAAAFA
GET    /c/{slug}/ideas                                                          AAAAAAAA
GET    /c/{slug}/launch                                                         AAAAAAAA
POST   /c/{slug}/launch                                                         SFFFFAFF
POST   /c/{slug}/launch/approve                                                 SFFFFAFF
GET    /c/{slug}/launch/edit                                                    SFFFFAFF
GET    /c/{slug}/launch/postpone                                                SFFFFAFF
POST   /c/{slug}/launch/postpone                                                SFFFFAFF
GET    /c/{slug}/launch/rehearsal                                               SFFFFAFF
POST   /c/{slug}/launch/rehearsal                                               SFFFFAFF
GET    /c/{slug}/launch/report                                                  AAAAAAAA
POST   /c/{slug}/launch/stop                                                    SFFFFAFF
GET    /c/{slug}/me                                                             SAAAAAAA
GET    /c/{slug}/organise                                                       SFFAAAFF
GET    /c/{slug}/organise/campaign                                              SFFFFAFF
POST   /c/{slug}/organise/campaign                                              SFFFFAFF
GET    /c/{slug}/organise/framework                                             SFFFAAFF
POST   /c/{slug}/organise/framework                                             SFFFAAFF
GET    /c/{slug}/organise/framework/{entry}                                     SFFFAAFF
POST   /c/{slug}/organise/framework/{entry}                                     SFFFAAFF
POST   /c/{slug}/organise/framework/{entry}/remove                              SFFFAAFF
GET    /c/{slug}/organise/moderation                                            SFFAFAFF
POST   /c/{slug}/organise/moderation                                            SFFAFAFF
GET    /c/{slug}/organise/moderation/record                                     SFFAFAFF
POST   /c/{slug}/organise/open                                                  SFFFFAFF
GET    /c/{slug}/organise/partners                                              SFFFFAFF
POST   /c/{slug}/organise/partners                                              SFFFFAFF
GET    /c/{slug}/organise/partners/{partner}                                    SFFFFAFF
POST   /c/{slug}/organise/partners/{partner}                                    SFFFFAFF
POST   /c/{slug}/organise/partners/{partner}/remove                             SFFFFAFF
GET    /c/{slug}/organise/team                                                  SFFFFAFF
POST   /c/{slug}/organise/team                                                  SFFFFAFF
GET    /c/{slug}/organise/team/{member}/remove                                  SFFFFAFF
POST   /c/{slug}/organise/team/{member}/remove                                  SFFFFAFF
GET    /c/{slug}/partners/{partner}/logo.svg                                    AAAAAAAA
GET    /c/{slug}/pledges                                                        AAAAAAAA
POST   /c/{slug}/pledges                                                        AAAAAAAA
GET    /c/{slug}/pledges/back/{token}                                           AAAAAAAA
POST   /c/{slug}/pledges/back/{token}                                           AAAAAAAA
GET    /c/{slug}/pledges/new                                                    AAAAAAAA
GET    /c/{slug}/pledges/{id}                                                   NNANNNNN
POST   /c/{slug}/pledges/{id}/consent                                           NNANNNNN
GET    /c/{slug}/pledges/{id}/event.ics                                         AAAAAAAA
POST   /c/{slug}/pledges/{id}/text                                              NNANNNNN
POST   /c/{slug}/pledges/{id}/withdraw                                          NNANNNNN
GET    /c/{slug}/remind                                                         AAAAAAAA
POST   /c/{slug}/remind                                                         AAAAAAAA
GET    /c/{slug}/remind/{id}                                                    AAAAAAAA
POST   /c/{slug}/remind/{id}/done                                               AAAAAAAA
GET    /c/{slug}/remind/{id}/open                                               AAAAAAAA
POST   /c/{slug}/remind/{id}/withdraw                                           AAAAAAAA
GET    /c/{slug}/report                                                         AAAAAAAA
POST   /c/{slug}/report                                                         AAAAAAAA
GET    /c/{slug}/reported                                                       AAAAAAAA
POST   /campaigns                                                               SFFFFAFF
GET    /campaigns/new                                                           SFFFFAFF
GET    /sign-in                                                                 AAAAAAAA
POST   /sign-in                                                                 AAAAAAAA
GET    /sign-in/code                                                            AAAAAAAA
POST   /sign-in/code                                                            AAAAAAAA
POST   /sign-out                                                                AAAAAAAA
GET    /static/{name}                                                           AAAAAAAA
GET    /v1/campaigns                                                            AAAAAAAA
POST   /v1/campaigns                                                            SFFFFAFF
GET    /v1/campaigns/{slug}                                                     AAAAAAAA
PATCH  /v1/campaigns/{slug}                                                     SFFFFAFF
GET    /v1/campaigns/{slug}/contributions                                       AAAAAAAA
POST   /v1/campaigns/{slug}/contributions                                       SAAAAAFF
GET    /v1/campaigns/{slug}/contributions/similar                               AAAAAAAA
DELETE /v1/campaigns/{slug}/contributions/{id}                                  SFAFFFFF
GET    /v1/campaigns/{slug}/contributions/{id}                                  AAAAAAAA
PATCH  /v1/campaigns/{slug}/contributions/{id}                                  SFAFFFFF
DELETE /v1/campaigns/{slug}/contributions/{id}/answers/{entry}                  SFAFAAFF
PUT    /v1/campaigns/{slug}/contributions/{id}/answers/{entry}                  SFAFAAFF
GET    /v1/campaigns/{slug}/contributions/{id}/comments                         AAAAAAAA
POST   /v1/campaigns/{slug}/contributions/{id}/comments                         SAAAAAFF
DELETE /v1/campaigns/{slug}/contributions/{id}/comments/{comment}               SFAFFFFF
GET    /v1/campaigns/{slug}/contributions/{id}/revisions                        AAAAAAAA
DELETE /v1/campaigns/{slug}/contributions/{id}/vote                             SAAAAAFF
PUT    /v1/campaigns/{slug}/contributions/{id}/vote                             SAAAAAFF
GET    /v1/campaigns/{slug}/decisions                                           SFFAFAFF
POST   /v1/campaigns/{slug}/decisions                                           SFFAFAFF
PUT    /v1/campaigns/{slug}/enrolment                                           SAAAAAFA
GET    /v1/campaigns/{slug}/export.csv                                          AAAAAAAA
GET    /v1/campaigns/{slug}/flags                                               SFFAFAFF
POST   /v1/campaigns/{slug}/flags                                               AAAAAAAA
GET    /v1/campaigns/{slug}/framework                                           AAAAAAAA
DELETE /v1/campaigns/{slug}/framework/{entry}                                   SFFFAAFF
PUT    /v1/campaigns/{slug}/framework/{entry}                                   SFFFAAFF
GET    /v1/campaigns/{slug}/launch                                              AAAAAAAA
PUT    /v1/campaigns/{slug}/launch                                              SFFFFAFF
POST   /v1/campaigns/{slug}/launch/approve                                      SFFFFAFF
POST   /v1/campaigns/{slug}/launch/postpone                                     SFFFFAFF
GET    /v1/campaigns/{slug}/launch/rehearse                                     SFFFFAFF
POST   /v1/campaigns/{slug}/launch/rehearse                                     SFFFFAFF
GET    /v1/campaigns/{slug}/launch/report                                       AAAAAAAA
POST   /v1/campaigns/{slug}/launch/stop                                         SFFFFAFF
GET    /v1/campaigns/{slug}/me                                                  SAAAAAAA
POST   /v1/campaigns/{slug}/open                                                SFFFFAFF
DELETE /v1/campaigns/{slug}/partners/{partner}/logo                             SFFFFAFF
PUT    /v1/campaigns/{slug}/partners/{partner}/logo                             SFFFFAFF
POST   /v1/campaigns/{slug}/pledges                                             AAAAAAAA
DELETE /v1/campaigns/{slug}/pledges/{id}                                        NNANNNNN
GET    /v1/campaigns/{slug}/pledges/{id}                                        NNANNNNN
PATCH  /v1/campaigns/{slug}/pledges/{id}                                        NNANNNNN
POST   /v1/campaigns/{slug}/pledges/{id}/consent                                NNANNNNN
POST   /v1/campaigns/{slug}/pledges/{id}/done                                   AAAAAAAA
GET    /v1/campaigns/{slug}/stats                                               AAAAAAAA
GET    /v1/campaigns/{slug}/team                                                SFFFFAFF
POST   /v1/campaigns/{slug}/team                                                SFFFFAFF
DELETE /v1/campaigns/{slug}/team/{member}                                       SFFFFAFF
GET    /v1/me                                                                   SAAAAAAA
GET    /v1/me/pledges                                                           SAAAAAAA
GET    /v1/openapi.json                                                         AAAAAAAA
DELETE /v1/session                                                              AAAAAAAA
POST   /v1/sign-in                                                              AAAAAAAA
POST   /v1/sign-in/verify                                                       AAAAAAAA
"""

ROWS = {f"{method} {path}": cells for method, path, cells in (line.split() for line in CELLS.strip().splitlines())}
ROUTES = {f"{found.method} {found.path}": found for found in routes.TABLE}
B = examples.BODIES
IDEA = {"title": "Rotas come late", "text": "Late.", "kind": "barrier", "choices": {"where": "within"}}
CAMPAIGN = {"revision": 2, "title": "Change", "question": "What?", "zone": "UTC", "minimum_age": 16, "rules": "Be kind.", "contact": "x"}
CAMPAIGN |= {"controllers": B["NewCampaign"]["controllers"], "choices": [{"label": "Where?", "options": "Within one\nBetween"}]}
CAMPAIGN |= {"phases": [B["NewCampaign"]["phases"][0] | {"opens_at": "2027-01-08T09:00", "closes_at": "2027-01-23T09:00", "blind": True}]}

# What forms send, and programs where the example fits another state of things.
SENT: Mapping[str, Any] = {
    "POST /campaigns": {
        "slug": "new-campaign",
        "title": "New",
        "question": "What?",
        "opens_at": "2027-01-10T09:00",
        "zone": "UTC",
        "template": "single",
    },
    "POST /sign-in": B["Ask"],
    "POST /sign-in/code": {"code": examples.CODE},
    "POST /c/{slug}/enrolment": B["Join"],
    "POST /c/{slug}/contributions": B["NewContribution"],
    "POST /c/{slug}/contributions/{id}/edit": IDEA,
    "POST /c/{slug}/contributions/{id}/answers": {"entry": "playing-it-safe"},
    "POST /c/{slug}/contributions/{id}/comments": B["NewComment"],
    "POST /c/{slug}/contributions/{id}/vote": B["NewVote"],
    "POST /c/{slug}/report": B["NewFlag"],
    "POST /c/{slug}/organise/campaign": CAMPAIGN,
    "POST /c/{slug}/organise/moderation": B["NewDecision"],
    "POST /c/{slug}/organise/framework": B["NewEntry"],
    "POST /c/{slug}/organise/framework/{entry}": B["NewEntry"],
    "POST /c/{slug}/organise/team": {"email": "new@example.org", "duties": ["coder"]},
    "POST /c/{slug}/organise/partners": {"name": "Another trust", "link": "", "image": ""},
    "POST /c/{slug}/organise/partners/{partner}": {"name": "The trust", "link": "", "image": ""},
    "POST /c/{slug}/launch": B["Proposal"] | {"at": "2027-01-09T09:40", "closes_at": "2027-01-09T09:25"},
    "POST /c/{slug}/launch/postpone": B["Postponement"] | {"at": "2027-01-09T10:00", "closes_at": "2027-01-09T09:40"},
    "POST /c/{slug}/launch/rehearsal": B["Rehearse"],
    "POST /c/{slug}/pledges": B["NewPledge"],
    "POST /c/{slug}/pledges/{id}/text": B["NewWords"],
    "POST /c/{slug}/pledges/{id}/consent": B["Consent"],
    "POST /c/{slug}/pledges/back/{token}": {"keep": True},
    "POST /c/{slug}/remind": {"network": "linkedin", "mode": "reminder", "text": "I will post."},
}


ASKED = {"GET /v1/campaigns/{slug}/contributions/similar": "text=rotas"}


def test_every_route_has_a_row_and_every_row_a_route() -> None:
    registered = {f"{method} {path}" for path, methods in app.routes.items() for method in methods}

    assert sorted(registered - set(ROWS)) == []
    assert sorted(set(ROWS) - registered) == []


@pytest.mark.parametrize("name", [name for name in ROWS if name in ROUTES])
def test_who_may_ask(name: str, world: World) -> None:
    """Each cell is a request of its own to the same world."""
    assert asked_by_all(name, world) == ROWS[name]


def asked_by_all(name: str, world: World) -> str:
    found = ""
    for who in WHO:
        world.restore()
        body = SENT.get(name)
        found += outcome(ask(world, ROUTES[name], who, body=None if body is None else world.real(body), query=ASKED.get(name, "")))
    return found


def test_nobody_else_is_shown_anything_of_a_lent_post(world: World) -> None:
    """Its id can be worked out, so that whatever is sent to it must be answered as if there were nothing."""
    world.restore()
    access = drafts.Access(world.persons["author"], None)
    lent = pledges.confirm(world.campaign, world.ids["draft"], world.ids["permission"], access, now=NOW)
    at_it = [found for name, found in ROUTES.items() if found.needs == "supporter" and "{id}" in name]
    bodies = ({}, {"text": "x"}, {"text": "x", "agree": "?"}, {"text": [], "token": {}, "email": 1})

    for found in at_it:
        for body in bodies:
            there, nowhere = (ask(world, found, "participant", path={"id": pledge}, body=body) for pledge in (lent.id, "nowhere"))
            assert outcome(there) == outcome(nowhere), found.name
            assert outcome(there) in ("N", "400")
            assert lent.account.encode() not in there.body
    assert ask(world, ROUTES["GET /v1/campaigns/{slug}/pledges/{id}"], "author", path={"id": lent.id}).status_code == 200
