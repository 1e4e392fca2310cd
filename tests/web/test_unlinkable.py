"""Nothing that is public, and nothing in the tables but what is sealed, leads from a pledge to a contribution, or from one
contribution of somebody to another. People do everything here at once: they add ideas, comment, vote, report, lend a post
and are reminded; then everything that anybody can see is joined with everything."""

from __future__ import annotations

import io
import json
import logging
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import boto3
import pytest
from chalice.test import Client

from chalicelib import board, enrolments, participants
from chalicelib.web import routes
from tests.conftest import NOW
from tests.launching import Launching
from tests.web.browser import Browser, Program
from tests.web.conftest import API, HERE, signed_in
from tests.web.world import OTHER, SLUG, World

NAMES = ("ann", "ben", "cat")
TOKEN = re.compile(r"[A-Za-z0-9_.:+@-]{8,}")
PLEDGES = {"pledges", "drafts", "grants", "chunks", "launches", "reports", "keys"}
SHARED = {SLUG, OTHER, str(int(NOW.timestamp()) * 1000)}  # the campaigns, and the time at which the world was built
CONVERSATION = {"contributions", "comments", "votes", "tallies", "flags", "decisions", "enrolments", "boards", "framework", "team"}


@dataclass
class Story:
    """What each person did: the contributions and comments by their JSON, the pledges by what only their supporter sees."""

    world: World
    launching: Launching
    logged: str = ""
    public: dict[str, str] = field(default_factory=dict)
    said: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    lent: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))

    @property
    def client(self) -> Client:
        return self.world.client


@pytest.fixture(scope="module")
def story(world: World) -> Iterator[Story]:
    """Of three people in a launch that has gone out, with everything that was logged meanwhile."""
    log, stream = logging.getLogger("groundswell"), io.StringIO()
    kept = logging.StreamHandler(stream)
    log.addHandler(kept)
    told = Story(world, Launching(world.campaign, world.towns, world.clock))
    programs = {name: _enrolled(told, name) for name in NAMES}
    for number in range(2):
        for name, program in programs.items():
            _contribute(told, name, program, number)
    for name, program in programs.items():
        _converse(told, name, program)
        _pledge(told, name, program)
    _go_out(told.launching)
    board.recount(SLUG, 1)
    told.public |= everything_public(told)
    told.logged = stream.getvalue()
    yield told
    log.removeHandler(kept)


def _enrolled(told: Story, name: str) -> Program:
    person = participants.find_or_create(f"{name}.else@example.org", now=told.launching.now).id
    enrolments.join(SLUG, person, "patient", now=told.launching.now, of_age=True)
    return Program(told.client, signed_in(f"{name}.else@example.org"))


def _later(told: Story) -> None:
    told.launching.clock.at(told.launching.now + timedelta(seconds=7))


def _contribute(told: Story, name: str, program: Program, number: int) -> None:
    _later(told)
    words = f"{name}{number} wrote this"
    made = program.ask(
        "POST", f"{API}/contributions", {"kind": "barrier", "title": f"Idea {number}", "text": words, "choices": {"where": "within"}}
    )
    assert program.status == 201, made
    told.said[name].append(made)


def _converse(told: Story, name: str, program: Program) -> None:
    for others in [item for other in NAMES if other != name for item in told.said[other][:2]]:
        _later(told)
        commented = program.ask("POST", f"{API}/contributions/{others['id']}/comments", {"text": f"{name} to {others['id'][-4:]}"})
        assert program.status == 201, commented
        program.ask("PUT", f"{API}/contributions/{others['id']}/vote", {"value": 1})
        assert program.status == 200
    program.ask("POST", f"{API}/flags", {"target": told.said[NAMES[0]][0]["id"], "reason": "other", "note": ""})


def _pledge(told: Story, name: str, program: Program) -> None:
    towns = told.launching.towns
    host = towns.hosts[0].name
    _later(told)
    drafted = program.ask("POST", f"{API}/pledges", _automatic(host, name))
    lent = program.ask("POST", f"{API}/pledges/{drafted['id']}/consent", {"token": towns.token(host, f"at_{name}")})
    assert program.status == 201, lent
    _later(told)
    reminded = program.ask("POST", f"{API}/pledges", {"network": "x", "mode": "reminder", "text": f"I, {name}, will post."})
    assert program.status == 201, reminded
    told.lent[name] += [drafted, lent, reminded]


def _automatic(host: str, name: str) -> dict[str, str]:
    return {"network": "mastodon", "mode": "automatic", "server": host, "text": f"I, {name}, lend my voice."}


def _go_out(launch: Launching) -> None:
    launch.work(launch.ready())
    for minutes in (2, 70):
        launch.tick(launch.moment(60 * minutes))


def everything_public(told: Story) -> dict[str, str]:
    """Address -> body of every answer that somebody who is not signed in gets."""
    program, browser, found = Program(told.client), Browser(told.client), dict[str, str]()
    for route in routes.TABLE:
        if route.method == "GET":
            for address in _addresses(told, route.path):
                asks = program if route.is_api else browser
                response = asks.client.http.get(address)
                if response.status_code == 200:
                    found[address] = bytes(response.body).decode()
    return found


def _addresses(told: Story, path: str) -> Iterable[str]:
    path = path.replace("{slug}", SLUG)
    items = [item["id"] for name in NAMES for item in told.said[name]]
    if "contributions/{id}" in path:
        return [path.replace("{id}", item) for item in items if "{" not in path.replace("{id}", item)]
    if "{" in path:
        return []
    lists = path.endswith(("/contributions", "/ideas"))
    return [path, *(f"{path}?{query}" for query in ("sort=new", "q=wrote", "tag=rotas") if lists)]


def objects(told: Story) -> Iterator[tuple[str, str, str]]:
    """Who, about which contribution, and the public JSON: one for each contribution and each comment."""
    program = Program(told.client)
    authors = {item["id"]: name for name in NAMES for item in told.said[name]}
    for contribution, name in authors.items():
        yield name, contribution, json.dumps(program.ask("GET", f"{API}/contributions/{contribution}"))
        for comment in program.ask("GET", f"{API}/contributions/{contribution}/comments")["items"]:
            yield comment["text"].split()[0], contribution, json.dumps(comment)


def links(found: Iterable[tuple[str, str, str]]) -> set[str]:
    """Tokens that stand on several contributions, and only ever on one person's objects: these would tell them apart."""
    whose, where = defaultdict[str, set[str]](set), defaultdict[str, set[str]](set)
    for who, contribution, text in found:
        for token in TOKEN.findall(text):
            whose[token].add(who)
            where[token].add(contribution)
    return {token for token in whose if len(whose[token]) == 1 and len(where[token]) > 1}


def test_nothing_public_joins_two_contributions_of_one_author(story: Story) -> None:
    found = list(objects(story))

    assert len(found) == 6 + 12
    assert links(found) == set()


def test_an_author_id_that_went_with_the_person_would_be_found(story: Story) -> None:
    marked = [(who, contribution, f"{text} author-{who}-id") for who, contribution, text in objects(story)]

    assert links(marked) == {f"author-{name}-id" for name in NAMES}


def test_no_two_pages_of_one_author_share_what_no_other_page_has(story: Story) -> None:
    authors = {item["id"]: name for name in NAMES for item in story.said[name]}
    single = [(name, item, story.public[f"{HERE}/contributions/{item}"]) for item, name in authors.items()]
    comments = _commenting(story)

    assert len(single) == 6
    assert {token for token in links(single) if token not in comments} == set()


def _commenting(told: Story) -> set[str]:
    """What comments hold: two of one author's contributions are commented on by the same others, under different ids."""
    return {token for _, _, text in objects(told) for token in TOKEN.findall(text) if '"parent"' in text}


def test_nothing_public_tells_of_anybodys_pledge(story: Story) -> None:
    own = {value for name in NAMES for pledge in story.lent[name] for value in _personal(pledge)}
    everything = "\n".join(story.public.values())

    assert f"{API}/launch/report" in story.public
    assert len(own) > 20
    assert [value for value in own if value in everything] == []


def _personal(pledge: Mapping[str, Any]) -> set[str]:
    """Of what a supporter sees of their own post: what is not the launch's."""
    names = ("id", "text", "account", "consented_at", "expires", "pledge", "share", "token")
    return {str(pledge[name]) for name in names if pledge.get(name)}


def test_no_token_of_a_supporter_stands_in_a_conversation(story: Story) -> None:
    own = {token for name in NAMES for pledge in story.lent[name] for value in _personal(pledge) for token in TOKEN.findall(value)}
    said = {token for _, _, text in objects(story) for token in TOKEN.findall(text)}

    assert own & said == set()


def values_of(table: str) -> set[str]:
    """Everything in a table that is not sealed: texts, their parts, and times in milliseconds."""
    items = boto3.client("dynamodb").scan(TableName=f"groundswell-local-{table}")["Items"]
    return {part for item in items for value in item.values() for part in _parts(value)}


def _parts(value: Mapping[str, Any]) -> Iterator[str]:
    ((kind, inner),) = value.items()
    if kind == "M":
        for name, nested in inner.items():
            yield from (name, *_parts(nested))
    elif kind == "L":
        for nested in inner:
            yield from _parts(nested)
    elif kind == "S":
        yield from (inner, *re.split(r"[^A-Za-z0-9_-]+", inner))
    elif kind == "N":
        yield str(inner)


def long_ones(values: Iterable[str]) -> set[str]:
    """What could tell somebody apart: long texts, and times as exact as a millisecond."""
    return {value for value in values if len(value) >= (13 if value.isdigit() else 8)}


def test_no_value_stands_both_in_a_table_of_pledges_and_in_one_of_the_conversation(story: Story) -> None:
    lent = long_ones(value for table in PLEDGES for value in values_of(table))
    said = long_ones(value for table in CONVERSATION for value in values_of(table))

    assert len(lent) > 50
    assert len(said) > 50
    organiser = story.world.pseudonym("organiser")  # who proposed the launch, not who lent a post
    assert lent & said <= SHARED | {organiser}


def test_every_table_is_on_one_side_or_holds_nothing_of_either(story: Story) -> None:
    """Such as sessions, requests, participants: no item of theirs has something of both sides."""
    shared = SHARED | {story.world.pseudonym("organiser")}
    lent = long_ones(value for table in PLEDGES for value in values_of(table)) - shared
    said = long_ones(value for table in CONVERSATION for value in values_of(table)) - shared
    for table in _tables() - PLEDGES - CONVERSATION - {"campaigns"}:
        for item in boto3.client("dynamodb").scan(TableName=f"groundswell-local-{table}")["Items"]:
            there = {part for value in item.values() for part in _parts(value)}
            assert not (there & lent and there & said), table


def _tables() -> set[str]:
    return {name.removeprefix("groundswell-local-") for name in boto3.client("dynamodb").list_tables()["TableNames"]}


def test_no_log_names_anybody_or_anything_of_theirs(story: Story) -> None:
    values = long_ones(value for table in PLEDGES | CONVERSATION for value in values_of(table))
    named = {value for value in values - {SLUG} if re.search(rf"(?<![\w-]){re.escape(value)}(?![\w-])", story.logged)}

    assert "POST /v1/campaigns/{slug}/contributions 201" in story.logged
    assert {value for value in named if not value.isalpha()} == set()
    assert "example.org" not in story.logged
