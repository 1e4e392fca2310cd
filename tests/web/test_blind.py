"""While a phase is blind, nothing tells how people vote: not one byte of any answer to anybody else than the voter changes with
the votes. Each way out is a test of its own, and each shows the votes once the phase has closed, so that it can fail."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import timedelta

import pytest
from chalice.test import HTTPResponse

from chalicelib import board, clock, contributions, enrolments, mail, nightly, participants, pseudonyms, stats, tallies, votes
from chalicelib.web import routes
from tests.aws import take_queued
from tests.conftest import NOW, said
from tests.web.asking import ask
from tests.web.world import SLUG, World

ROUTES = {f"{found.method} {found.path}": found for found in routes.TABLE}
API, HERE = "/v1/campaigns/{slug}", "/c/{slug}"
VOTERS = 6
LOOKERS = ("nobody", "author", "organiser")  # a moderator's and a coder's own ways are in NEVER
CLOSED = NOW + timedelta(days=15)
ONCE = re.compile(r'name="request" value="[^"]*"')
Answer = tuple[int, str, str]
Address = tuple[str, str]


@pytest.fixture(scope="module")
def talking(world: World) -> World:
    """Several ideas in a phase that is open and blind, and people who will vote."""
    for number in range(3):
        contributions.add(
            world.campaign,
            world.pseudonym("author"),
            said(text=f"Idea {number}: rotas, records and forms.", choices={"where": "within"}),
            request=f"b{number}",
            now=NOW,
        )
    for voter in range(VOTERS):
        enrolments.join(SLUG, _voter(voter), "patient", now=NOW, of_age=True)
    board.recount(SLUG, 1)
    world.keep()
    return world


@pytest.fixture
def blind(talking: World) -> Iterator[World]:
    """Before anybody votes. Put back afterwards."""
    yield talking
    talking.restore()


def _voter(number: int) -> str:
    return participants.find_or_create(f"voter{number}@example.org", now=NOW).id


def vote(world: World) -> None:
    """Fewer votes than a step of the figures: most on one idea, some on another, one of them down. Then what the streams do."""
    first, second = world.ids["contribution"], world.ids["solution"]
    for number in range(VOTERS):
        voter = pseudonyms.of(SLUG, _voter(number))
        votes.cast(world.campaign, first, voter, 1, now=NOW)
        if number < 2:
            votes.cast(world.campaign, second, voter, -1 if number else 1, now=NOW)
    tallies.recount_touched(contributions.key(SLUG, item) for item in (first, second))
    board.recount(SLUG, 1)
    stats.Figures(pk=SLUG, sk=stats.STATS).delete()  # so that they are counted anew, as after a minute


def look(world: World, who: str, addresses: Iterable[Address]) -> dict[str, Answer]:
    """What `who` is answered a minute from now, with what is new in every answer anyway left out."""
    world.clock.at(clock.utc_now() + timedelta(minutes=1))
    tallies._of_phase.cache_clear()
    found = {f"{path}?{query}": _comparable(ask(world, ROUTES[f"GET {path}"], who, query=query)) for path, query in addresses}
    world.clock.at(clock.utc_now() - timedelta(minutes=1))
    return found


def _comparable(response: HTTPResponse) -> Answer:
    headers = "\n".join(f"{name}: {value}" for name, value in sorted(response.headers.items()))
    return int(response.status_code), headers, ONCE.sub("", bytes(response.body).decode())


def hidden(world: World, who: str, *addresses: Address) -> None:
    """Fails if any byte or header of the answers changes with the votes."""
    world.restore()
    before = look(world, who, addresses)
    vote(world)
    after = look(world, who, addresses)

    assert {name: status for name, (status, _, _) in before.items() if status != 200} == {}
    assert after == before


def shown(world: World, *addresses: Address) -> None:
    """Fails unless every answer, to anybody, changes with the votes, once the phase has closed."""
    before = _after_the_close(world, addresses)
    vote(world)
    after = _after_the_close(world, addresses)

    assert {name: status for name, (status, _, _) in after.items() if status != 200} == {}
    assert [name for name in before if before[name] == after[name]] == []


def _after_the_close(world: World, addresses: Iterable[Address]) -> dict[str, Answer]:
    """Of somebody who does not need to sign in again."""
    world.clock.at(CLOSED)
    found = look(world, "nobody", addresses)
    world.clock.at(NOW)
    return found


LIST, ITEM = (f"{API}/contributions", ""), (f"{API}/contributions/{{id}}", "")
LEAKS: dict[str, list[Address]] = {
    "an idea as JSON": [ITEM],
    "an idea's page": [(f"{HERE}/contributions/{{id}}", "")],
    "the list as JSON": [LIST],
    "the list's page": [(f"{HERE}/ideas", "")],
    "a campaign's page": [(HERE, "")],
    "a search": [(f"{API}/contributions", "q=rotas"), (f"{HERE}/ideas", "q=rotas")],
    "a tag": [(f"{API}/contributions", "tag=rotas"), (f"{HERE}/ideas", "tag=rotas")],
    "open data": [(f"{API}/export.csv", "")],
}
NEVER: dict[str, tuple[str, list[Address]]] = {
    "similar ideas": ("nobody", [(f"{API}/contributions/similar", "text=rotas+and+records")]),
    "comments and earlier words": ("nobody", [(f"{ITEM[0]}/comments", ""), (f"{ITEM[0]}/revisions", "")]),
    "the author's own page": ("author", [(f"{HERE}/me", ""), (f"{API}/me", ""), (f"{HERE}/contributions/{{id}}/edit", "")]),
    "organisers' pages": ("organiser", [(f"{HERE}/organise{page}", "") for page in ("", "/campaign", "/team", "/framework", "/partners")]),
    "moderators' pages": ("moderator", [(f"{HERE}/organise/moderation{page}", "") for page in ("", "/record")]),
    "moderators' JSON": ("moderator", [(f"{API}/flags", ""), (f"{API}/decisions", "")]),
    "coders' pages": ("coder", [(f"{HERE}/organise/framework", ""), (f"{API}/framework", "")]),
    "the launch": ("nobody", [(f"{HERE}/launch", ""), (f"{API}/launch", ""), (f"{HERE}/pledges/new", ""), (f"{HERE}/remind", "")]),
    "what is known of campaigns": ("nobody", [("/", ""), ("/v1/campaigns", ""), (API, ""), (f"{HERE}/about", "")]),
    "the contract": ("nobody", [("/v1/openapi.json", "")]),
}


@pytest.mark.parametrize("who", LOOKERS)
@pytest.mark.parametrize("addresses", LEAKS.values(), ids=LEAKS)
def test_votes_are_hidden_in(blind: World, who: str, addresses: list[Address]) -> None:
    hidden(blind, who, *addresses)


@pytest.mark.parametrize(("who", "addresses"), NEVER.values(), ids=NEVER)
def test_votes_change_nothing_in(blind: World, who: str, addresses: list[Address]) -> None:
    hidden(blind, who, *addresses)


@pytest.mark.parametrize("addresses", LEAKS.values(), ids=LEAKS)
def test_votes_are_shown_once_the_phase_has_closed_in(blind: World, addresses: list[Address]) -> None:
    shown(blind, *addresses)


@pytest.mark.parametrize("sort", ["fair", "new"])
def test_order_does_not_tell_votes(blind: World, sort: str) -> None:
    for who in LOOKERS:
        hidden(blind, who, (f"{API}/contributions", f"sort={sort}"), (f"{HERE}/ideas", f"sort={sort}"))


@pytest.mark.parametrize("sort", ["top", "divided"])
def test_an_order_by_votes_is_refused_until_the_phase_has_closed(blind: World, sort: str) -> None:
    listed = (f"{API}/contributions", f"sort={sort}")
    before = look(blind, "organiser", [listed])
    vote(blind)

    assert look(blind, "organiser", [listed]) == before
    assert [status for status, _, _ in before.values()] == [409]


@pytest.mark.parametrize("sort", ["top", "divided"])
def test_an_order_by_votes_is_one_once_the_phase_has_closed(blind: World, sort: str) -> None:
    shown(blind, (f"{API}/contributions", f"sort={sort}"))


def test_figures_do_not_tell_a_vote(blind: World) -> None:
    """What they tell of all votes together changes by tens."""
    for who in LOOKERS:
        hidden(blind, who, (f"{API}/stats", ""), (HERE, ""))


def test_figures_tell_each_vote_once_the_phase_has_closed(blind: World) -> None:
    shown(blind, (f"{API}/stats", ""))


def test_no_answer_to_anybody_else_changes_with_the_votes(blind: World) -> None:
    """Status, headers, ETags, size, bytes: of every address there is, so that a new one is looked at too."""
    everything = [(found.path, "") for found in routes.TABLE if found.method == "GET"]
    before = {who: look(blind, who, everything) for who in LOOKERS}
    vote(blind)

    for who in LOOKERS:
        assert look(blind, who, everything) == before[who], who


def test_an_edit_does_not_tell_its_author_whether_somebody_has_voted(blind: World) -> None:
    """Earlier words are kept because people voted on them: that they are must not say so."""
    change, then = ROUTES[f"PATCH {ITEM[0]}"], [ITEM, (f"{ITEM[0]}/revisions", ""), (f"{HERE}/contributions/{{id}}", "")]
    answers = []
    for votes_first in (False, True):
        blind.restore()
        if votes_first:
            vote(blind)
        answers.append(
            [_comparable(ask(blind, change, "author")), *look(blind, "author", then).values(), *look(blind, "nobody", then).values()]
        )

    assert answers[0] == answers[1]


def test_a_voter_sees_their_own_vote_only(blind: World) -> None:
    vote(blind)
    own = ask(blind, ROUTES["GET " + ITEM[0]], "author", path={"id": blind.ids["voted"]}).json_body

    assert own["own_vote"] == 1
    assert own["votes"] is None


def test_no_email_goes_out_for_a_vote_or_tells_of_one(blind: World) -> None:
    take_queued("mail")
    vote(blind)
    nightly.run()

    assert take_queued("mail") == []
    assert not {name for subject, text in mail.TEXTS.values() for name in re.findall(r"{(\w+)}", subject + text)} & {"up", "down", "votes"}


def test_errors_do_not_tell_votes(blind: World) -> None:
    """Such as the answer to a vote that is refused."""
    cast = ROUTES[f"PUT {ITEM[0]}/vote"]
    before = _comparable(ask(blind, cast, "stranger", body={"value": 1}))
    vote(blind)

    assert _comparable(ask(blind, cast, "stranger", body={"value": 1})) == before
