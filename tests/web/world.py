"""One campaign with everything in it that a request can be about, and everybody who may ask: built once, put back as it was
between requests."""

from __future__ import annotations

import asyncio
import copy
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from chalice.test import Client
from moto import mock_aws
from moto.dynamodb.models import dynamodb_backends

from app import app
from chalicelib import (
    campaigns,
    clock,
    comments,
    contributions,
    drafts,
    enrolments,
    fan_out,
    flags,
    framework,
    launches,
    moderation,
    participants,
    pseudonyms,
    reminders,
    sessions,
    team,
    texts,
    votes,
)
from chalicelib.campaigns import Campaign
from chalicelib.details import LIMITS
from chalicelib.networks import transport
from chalicelib.web import examples
from infra.stand_ins import StandIns
from tests import conftest
from tests.aws import Skipping, take_queued
from tests.conftest import NOW, make_campaign, new_launch, said
from tests.web.conftest import mailed_code, signed_in

SLUG, OTHER = "change-challenge", "another-campaign"
PEOPLE = {
    "participant": "ben@example.org",
    "author": "ann@example.org",
    "moderator": "mona@example.org",
    "coder": "cody@example.org",
    "organiser": "olive@example.org",
    "suspended": "sue@example.org",
    "stranger": "otto@example.org",  # organises another campaign
}
CHOICES = [{"id": "where", "label": "Where?", "options": [{"id": "within", "label": "Within one"}, {"id": "between", "label": "Between"}]}]
LOGO = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"></svg>'


class Still(Skipping):
    """A clock that stands where it was put, so that two answers can be compared byte for byte."""

    def at(self, moment: datetime | float) -> None:
        self._moment = moment if isinstance(moment, float) else moment.timestamp()

    def now(self) -> float:
        return self._moment

    async def sleep(self, seconds: float) -> None:
        self._moment += max(0.0, seconds)
        await asyncio.sleep(0)

    def spin(self, until: float) -> None:
        self._moment = max(self._moment, until)


@dataclass
class World:
    """`tokens`: sessions by who; `persons`: their ids; `ids`: what there is, by name."""

    client: Client
    clock: Still
    towns: StandIns
    tokens: dict[str, str] = field(default_factory=dict)
    persons: dict[str, str] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    _kept: dict[str, Any] = field(default_factory=dict)

    @property
    def campaign(self) -> Campaign:
        return campaigns.get(SLUG, consistent=True)

    def pseudonym(self, who: str) -> str:
        return pseudonyms.of(SLUG, self.persons[who])

    def sign_in(self) -> None:
        self.tokens = {who: signed_in(email) for who, email in PEOPLE.items()}

    def path(self, pattern: str) -> dict[str, str]:
        """The parameters of a route's path, by which there is something at it."""
        at, segments = self.at, pattern.split("/")
        if "/answers" in pattern:
            at["contributions"] = self.ids["solution"]
        if pattern.endswith(("/event.ics", "/done")):
            at["pledges"] = self.ids["reminder"]
        if pattern.endswith("/launch/report"):
            at["campaigns"] = at["c"] = OTHER
        return {part[1:-1]: at[segments[place - 1]] for place, part in enumerate(segments) if part.startswith("{")}

    @property
    def at(self) -> dict[str, str]:
        """What stands behind each segment of a path."""
        ids = self.ids
        found = {"campaigns": SLUG, "c": SLUG, "static": "mark.svg", "partners": "trust", "team": ids["coder"], "back": ids["way back"]}
        found |= {"contributions": ids["contribution"], "comments": ids["comment"], "pledges": ids["draft"], "remind": ids["reminder"]}
        return found | {"answers": ids["entry"], "framework": ids["entry"]}

    def real(self, example: Any) -> Any:
        """An example of the contract, about what there is here."""
        text = json.dumps(example)
        for there, here in self.examples.items():
            text = text.replace(there, here)
        return json.loads(text)

    @property
    def examples(self) -> dict[str, str]:
        named = {examples.CONTRIBUTION: "contribution", examples.COMMENT: "comment", examples.SERVER: "server"}
        named |= {examples.PERMISSION: "permission", examples.FLOW: "flow", examples.CODE: "code"}
        return {example: self.ids[name] for example, name in named.items()}

    def keep(self) -> None:
        """What `restore` goes back to."""
        self._kept = {name: copy.deepcopy(table.items) for name, table in _tables().items()}

    def restore(self) -> None:
        for name, table in _tables().items():
            table.items = copy.deepcopy(self._kept[name])
        self.clock.at(NOW)
        for queue in ("mail", "chunks"):
            take_queued(queue)


def _tables() -> dict[str, Any]:
    found: dict[str, Any] = dynamodb_backends["123456789012"]["eu-west-2"].tables
    return found


@contextmanager
def made(towns: StandIns, directory: Path) -> Iterator[World]:
    """The world, on an AWS of its own."""
    with mock_aws(), pytest.MonkeyPatch.context() as patch:
        patch.setenv("STAND_INS", towns.setting)
        patch.setenv("SSL_CERT_FILE", str(towns.ca))
        patch.setattr(socket, "getaddrinfo", _nowhere)
        transport._tls.cache_clear()
        conftest.build()
        skipping = Still(NOW)
        patch.setattr(clock, "current", skipping)
        with Client(app, project_dir=str(directory)) as client:
            world = World(client, skipping, towns)
            _people(world, NOW)
            _talk(world, NOW)
            _launch(world, NOW)
            world.keep()
            yield world
    conftest.forget()
    transport._tls.cache_clear()


def _nowhere(host: str, *_: Any, **__: Any) -> None:
    """No name leads anywhere, so that no invented server is asked."""
    raise socket.gaierror(f"{host} is not known")


def _people(world: World, now: datetime) -> None:
    world.persons = {who: participants.find_or_create(email, now=now).id for who, email in PEOPLE.items()}
    make_campaign(world.persons["organiser"], now, SLUG, choices=CHOICES, tags=["rotas", "records"], **_TERMS)
    make_campaign(world.persons["stranger"], now, OTHER)
    participants.appoint(PEOPLE["organiser"], now=now)
    for who in ("participant", "author", "moderator", "coder", "organiser", "suspended"):
        enrolments.join(SLUG, world.persons[who], "staff", now=now, of_age=True)
    welcome = team.Welcome("Change Challenge", "https://change.example.org/sign-in")
    for who in ("moderator", "coder"):
        world.ids[who] = team.invite(SLUG, PEOPLE[who], [who], welcome, now=now).id
    texts.put_logo(SLUG, "trust", LOGO)
    world.sign_in()
    world.ids |= {"flow": sessions.ask("new@example.org", now=now), "code": mailed_code()}


_TERMS: dict[str, object] = {
    "phases": [
        conftest.NewPhase(
            "What gets in the way?",
            NOW - conftest.timedelta(days=1),
            NOW + conftest.timedelta(days=14),
            ["barrier", "building-block", "solution"],
        )
    ],
    "limits": dict.fromkeys(LIMITS, 1_000_000),
    "partners": [{"id": "trust", "name": "Trust", "link": "https://trust.example.org"}],
}


def _talk(world: World, now: datetime) -> None:
    campaign, ann, ben, sue = world.campaign, *(world.pseudonym(who) for who in ("author", "participant", "suspended"))
    here = {"where": "within"}
    idea = contributions.add(campaign, ann, said(choices=here, tags=["rotas"]), request="1", now=now)
    solution = contributions.add(campaign, ann, said("solution", "One form", "One form for all.", choices=here), request="2", now=now)
    voted = contributions.add(campaign, ben, said(title="Rotas", text="Rotas come late.", choices=here), request="3", now=now)
    contributions.add(campaign, sue, said(title="Sue’s", text="Of somebody else.", choices=here), request="4", now=now)
    comment = comments.add(campaign, idea.id, ann, text="More of it.", request="1", now=now)
    comments.add(campaign, idea.id, ben, text="Yes.", request="1", parent=comment.id, now=now)
    votes.cast(campaign, voted.id, ann, 1, now=now)
    framework.put(SLUG, "playing-it-safe", framework.Said("barrier", "Playing it safe", "Nobody dares."), now=now)
    flags.add(SLUG, voted.id, reason="off-topic", note="", pseudonym=ann, request="1", now=now)
    moderation.decide(campaign, f"{idea.id}/{comment.id}", "keep", moderator=world.pseudonym("moderator"), request="1", now=now)
    enrolments.suspend(SLUG, sue, now=now)
    world.ids |= {"contribution": idea.id, "solution": solution.id, "voted": voted.id, "comment": comment.id, "entry": "playing-it-safe"}


def _launch(world: World, now: datetime) -> None:
    """One that is open; and another campaign's, which was stopped, so that there is its report."""
    other = campaigns.get(OTHER)
    launches.propose(other, "otto", new_launch(now), now=now)
    launches.stop(campaigns.get(OTHER, consistent=True), "otto", now=now)
    fan_out.run(now)
    launches.propose(world.campaign, world.pseudonym("organiser"), new_launch(now), now=now)
    host = world.towns.hosts[0].name
    drafted = drafts.draft(
        world.campaign,
        network="mastodon",
        server=host,
        text="I lend my voice.",
        person=world.persons["author"],
        token=None,
        now=now,
    )
    world.ids |= {"draft": drafted.draft.id, "server": host, "permission": world.towns.token(host, "ann")}
    page = "https://change.example.org/c/change-challenge/remind"
    for name, network, person in (("reminder", "x", world.persons["author"]), ("without account", "tumblr", None)):
        new = reminders.NewReminder(network, "I will post.", None, page)
        made = reminders.make(world.campaign, new, drafts.Access(person, None), request=name, now=now)
        world.ids |= {name: made.reminder.id, "way back": str(made.token)}
