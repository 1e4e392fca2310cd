"""Lists of ideas, search, figures and open data, asked for by programs and by browsers."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from chalice.test import Client

from chalicelib import comments, contributions, enrolments, exports, moderation, shelf, tallies, votes
from chalicelib.campaigns import Campaign, NewPhase
from tests.aws import Skipping, take_records
from tests.conftest import Make, make_campaign, said
from tests.web.browser import Browser, Program
from tests.web.conftest import API, HERE, signed_in

Add = Callable[..., str]
LIST = f"{API}/contributions"


@pytest.fixture
def add(campaign: Campaign, now: datetime) -> Add:
    """Adds an idea, of another author and a minute later than the one before."""
    number = iter(range(1000))

    def make(title: str, text: str = "Too many forms.", kind: str = "barrier", **more: Any) -> str:
        n = next(number)
        begun = now - timedelta(hours=20) + timedelta(minutes=n)
        return contributions.add(campaign, f"author-{n}", said(kind, title, text, **more), request="1", now=begun).id

    return make


@pytest.fixture
def deliver(client: Client) -> Callable[[], None]:
    """Hands what the streams hold to their functions, as it comes."""

    def hand_over() -> None:
        client.lambda_.invoke("board", {"Records": take_records("contributions")})
        client.lambda_.invoke("tally", {"Records": take_records("votes")})

    return hand_over


def titles(answer: dict[str, Any]) -> list[str]:
    return [item["title"] for item in answer["items"]]


def every_page(program: Program, path: str) -> list[str]:
    found, cursor = list[str](), None
    while True:
        answer = program.ask("GET", path + (f"&cursor={cursor}" if cursor else ""))
        found += titles(answer)
        cursor = answer["next"]
        if cursor is None:
            return found


def test_ones_own_new_idea_is_among_the_newest_at_once(ann_program: Program, add: Add, deliver: Callable[[], None]) -> None:
    add("Forms")
    deliver()

    ann_program.ask("POST", LIST, {"kind": "barrier", "title": "Rota", "text": "No rota."})

    assert titles(ann_program.ask("GET", f"{LIST}?sort=new")) == ["Rota", "Forms"]


@pytest.mark.parametrize("sort", ["new", "fair", "match"])
def test_pages_show_each_idea_once_whoever_comes_and_goes_meanwhile(
    program: Program, add: Add, deliver: Callable[[], None], campaign: Campaign, now: datetime, skipping: Skipping, sort: str
) -> None:
    ids = {name: add(name) for name in [f"Idea {number}" for number in range(25)]}
    deliver()
    first = program.ask("GET", f"{LIST}?sort={sort}&limit=10")
    gone = next(name for name in ids if name not in titles(first))
    shown_last = first["items"][-1]["id"]

    moderation.decide(campaign, ids[gone], "hide", reason="other", moderator="m", request="1", now=now)
    moderation.decide(campaign, shown_last, "hide", reason="other", moderator="m", request="2", now=now)
    add("A late one")
    deliver()
    skipping.at(now + timedelta(minutes=7))
    rest = every_page(program, f"{LIST}?sort={sort}&limit=10&cursor={first['next']}")

    together = [name for name in titles(first) + rest if name != "A late one"]
    assert sorted(together) == sorted(name for name in ids if name != gone)


def test_two_people_are_shown_different_orders_and_each_keeps_theirs(
    ann_program: Program, client: Client, person: Make, campaign: Campaign, add: Add, deliver: Callable[[], None], now: datetime
) -> None:
    for number in range(12):
        add(f"Idea {number}")
    deliver()
    enrolments.join(campaign.slug, person("ben@example.org"), "staff", now=now)
    ben = Program(client, signed_in("ben@example.org"))

    mine, again, other = (titles(one.ask("GET", LIST)) for one in (ann_program, ann_program, ben))

    assert mine == again
    assert sorted(mine) == sorted(other)
    assert mine != other


def test_votes_do_not_move_anything_while_they_are_hidden(
    ann_program: Program, add: Add, deliver: Callable[[], None], campaign: Campaign, now: datetime
) -> None:
    ids = [add(f"Idea {number}") for number in range(12)]
    deliver()
    before = ann_program.ask("GET", LIST)

    for voter in range(9):
        votes.cast(campaign, ids[3], f"voter-{voter}", 1, now=now)
        votes.cast(campaign, ids[4], f"voter-{voter}", -1, now=now)
    deliver()

    assert ann_program.ask("GET", LIST) == before
    assert {item["votes"] is None for item in before["items"]} == {True}


@pytest.mark.parametrize("sort", ["top", "divided"])
def test_order_by_votes_is_refused_while_they_are_hidden(program: Program, add: Add, sort: str) -> None:
    add("Forms")

    assert program.refused("GET", f"{LIST}?sort={sort}") == (409, "votes_hidden", {"sort": "hidden"})


def test_once_the_stage_has_closed_what_is_most_supported_comes_first(
    ann_program: Program, add: Add, deliver: Callable[[], None], campaign: Campaign, now: datetime, skipping: Skipping
) -> None:
    few, many, split, none = add("Few, all up"), add("Many up"), add("Split"), add("No votes")
    for idea, ups, downs in ((few, 2, 0), (many, 12, 1), (split, 6, 6)):
        for voter in range(ups + downs):
            votes.cast(campaign, idea, f"voter-{voter}", 1 if voter < ups else -1, now=now)
    deliver()
    skipping.at(now + timedelta(days=15))
    ann_program.token = signed_in("ann@example.org")

    answer = ann_program.ask("GET", LIST)

    assert titles(answer) == ["Many up", "Few, all up", "Split", "No votes"]
    assert [item["votes"] for item in answer["items"]][:2] == [{"up": 12, "down": 1}, {"up": 2, "down": 0}]
    assert titles(ann_program.ask("GET", f"{LIST}?sort=divided"))[0] == "Split"
    shelf._kept.clear()  # a function that has not read the board yet: the upper part of an order is in the tallies alone
    assert titles(ann_program.ask("GET", f"{LIST}?limit=2")) == ["Many up", "Few, all up"]
    assert shelf._kept == {}
    assert every_page(ann_program, f"{LIST}?sort=top&limit=3") == titles(answer)
    assert every_page(ann_program, f"{LIST}?sort=top&limit=1") == titles(answer)
    assert none in [item["id"] for item in answer["items"]]


def test_what_a_moderator_hides_is_gone_before_the_board_knows(
    program: Program, add: Add, deliver: Callable[[], None], campaign: Campaign, now: datetime
) -> None:
    add("Forms")
    hidden = add("Names a ward")
    deliver()

    moderation.decide(campaign, hidden, "hide", reason="identifies", moderator="m", request="1", now=now)

    assert titles(program.ask("GET", LIST)) == ["Forms"]


def test_search_finds_words_by_their_beginnings_whatever_their_case_and_accents(
    program: Program, add: Add, deliver: Callable[[], None]
) -> None:
    add("Café opens late", "Nothing to eat at night.")
    add("Night shifts", "The CAFE is closed.")
    add("Parking", "Too few places.")
    deliver()

    assert titles(program.ask("GET", f"{LIST}?q=cafe")) == ["Café opens late", "Night shifts"]
    assert titles(program.ask("GET", f"{LIST}?q=NIG%20caf%C3%A9")) == ["Night shifts", "Café opens late"]
    assert titles(program.ask("GET", f"{LIST}?q=afe")) == []
    assert titles(program.ask("GET", f"{LIST}?q=cafe%20parking")) == []
    assert program.refused("GET", f"{LIST}?q={'x' * 201}")[2].keys() == {"q"}


def test_list_can_be_narrowed_by_kind_and_tag(
    person: Make, now: datetime, client: Client, program: Program, deliver: Callable[[], None]
) -> None:
    tagged = make_campaign(person("olive@example.org"), now, "tagged", tags=["rota", "it"])
    for number, (kind, tags) in enumerate([("barrier", ["it"]), ("barrier", ["rota"]), ("building-block", ["it", "rota"])]):
        contributions.add(tagged, f"a-{number}", said(kind, f"Idea {number}", tags=tags), request="1", now=now + timedelta(seconds=number))
    deliver()
    here = "/v1/campaigns/tagged/contributions?sort=new"

    assert titles(program.ask("GET", f"{here}&tag=it")) == ["Idea 2", "Idea 0"]
    assert titles(program.ask("GET", f"{here}&tag=it&kind=barrier")) == ["Idea 0"]
    assert titles(program.ask("GET", f"{here}&answers=nothing")) == []
    assert program.refused("GET", f"{here}&kind=wish")[0] == 400
    assert program.refused("GET", f"{here}&kind=&phase=")[2].keys() == {"kind", "phase"}
    assert titles(program.ask("GET", f"{here}&q=&tag=")) == ["Idea 2", "Idea 1", "Idea 0"]
    assert program.refused("GET", f"{here}&phase=2")[2] == {"phase": "1 to 1"}
    assert program.refused("GET", f"{here}&limit=101")[2] == {"limit": "1 to 100"}
    assert program.refused("GET", f"{here}&tag=it&cursor=abc")[2].keys() == {"cursor"}


def test_similar_ideas_are_told_most_similar_first(program: Program, add: Add, deliver: Callable[[], None]) -> None:
    add("Too many forms to fill in")
    add("There are too many paper forms")
    add("Nowhere to park", "Every space is taken.")
    deliver()

    found = program.ask("GET", f"{LIST}/similar?text=too%20many%20forms%20to%20fill%20in")

    assert titles(found) == ["Too many forms to fill in", "There are too many paper forms"]
    assert found["items"][0]["similarity"] == 1
    assert program.ask("GET", f"{LIST}/similar?text=%20")["items"] == []


def test_figures_count_people_ideas_comments_and_votes_at_most_once_a_minute(
    program: Program, add: Add, deliver: Callable[[], None], campaign: Campaign, person: Make, now: datetime, skipping: Skipping
) -> None:
    idea = add("Forms")
    enrolments.join(campaign.slug, person("ann@example.org"), "patient", now=now)
    enrolments.join(campaign.slug, person("ben@example.org"), "staff", now=now)
    comments.add(campaign, idea, "ann", text="Yes.", request="1", now=now)
    deliver()

    assert program.ask("GET", f"{API}/stats") == {"people": 2, "ideas": 1, "comments": 1, "votes": 0, "total": 2}

    for voter in range(23):
        votes.cast(campaign, idea, f"voter-{voter}", 1 if voter % 2 else -1, now=now)
    deliver()
    assert program.ask("GET", f"{API}/stats")["votes"] == 0

    skipping.at(now + timedelta(seconds=61))
    assert program.ask("GET", f"{API}/stats") == {"people": 2, "ideas": 1, "comments": 1, "votes": 20, "total": 22}

    skipping.at(now + timedelta(days=15))
    assert program.ask("GET", f"{API}/stats")["votes"] == 23


def test_who_is_suspended_is_not_counted(
    program: Program, campaign: Campaign, person: Make, now: datetime, add: Add, skipping: Skipping
) -> None:
    pseudonym = enrolments.join(campaign.slug, person("ann@example.org"), "patient", now=now).pseudonym
    enrolments.suspend(campaign.slug, pseudonym, now=now)

    assert program.ask("GET", f"{API}/stats")["people"] == 0


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def export(client: Client, path: str = f"{API}/export.csv") -> tuple[list[dict[str, str]], str | None]:
    response = client.http.get(path)
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    link = response.headers.get("Link")
    return rows(bytes(response.body).decode()), link and link.split(">")[0].removeprefix("<")


def test_open_data_hold_every_published_idea_and_votes_only_once_shown(
    client: Client, add: Add, deliver: Callable[[], None], campaign: Campaign, now: datetime, skipping: Skipping
) -> None:
    idea = add("Forms", 'Says "no", always\nand twice')
    votes.cast(campaign, idea, "voter", 1, now=now)
    deliver()

    (found,), following = export(client)
    assert found == {
        "id": idea,
        "phase": "1",
        "kind": "barrier",
        "title": "Forms",
        "text": 'Says "no", always\nand twice',
        "tags": "",
        "choices": "",
        "answers": "",
        "comments": "0",
        "created": "2027-01-08",
        "up": "",
        "down": "",
    }
    assert following is None

    skipping.at(now + timedelta(days=15))
    assert [(row["up"], row["down"]) for row in export(client)[0]] == [("1", "0")]


def test_what_a_spreadsheet_would_run_is_guarded(client: Client, add: Add, deliver: Callable[[], None]) -> None:
    add("=HYPERLINK(1)", " @SUM(1)")
    deliver()

    (found,), _ = export(client)

    assert (found["title"], found["text"]) == ("'=HYPERLINK(1)", "'@SUM(1)")


def test_large_export_comes_in_parts_that_fit_into_an_answer(
    client: Client, add: Add, deliver: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [add(f"Idea {number}") for number in range(10)]
    deliver()
    monkeypatch.setattr(exports, "PART_MAX", 400)

    found, parts, following = list[str](), 0, f"{API}/export.csv"
    while following:
        some, following = export(client, following)  # type: ignore[assignment]
        found += [row["id"] for row in some]
        parts += 1

    assert found == ids
    assert parts > 2


def test_first_page_says_what_it_is_about_and_what_to_do_next(ann: Browser, add: Add, deliver: Callable[[], None]) -> None:
    add("Forms")
    deliver()

    page = ann.get(HERE)

    assert "1 person, 1 ideas, comments and votes" in page.text
    assert "Stage 1 of 1: What gets in the way?" in page.text
    assert "Open until Saturday 23 January 2027" in page.text
    assert f"{HERE}/contributions/new" in page.read.links
    assert "Forms" in page.text


def test_visitor_is_led_to_sign_in_and_back(browser: Browser) -> None:
    page = browser.get(HERE)

    assert any(link.startswith("/sign-in?next=") for link in page.read.links)
    assert "Nobody has added an idea yet" in page.text


def test_between_stages_the_next_one_is_announced(client: Client, person: Make, now: datetime, aws: None) -> None:
    phases = [
        NewPhase("Understand", now - timedelta(days=9), now - timedelta(days=2), ["barrier"]),
        NewPhase("Answer", now + timedelta(days=2), now + timedelta(days=9), ["solution"]),
    ]
    make_campaign(person("olive@example.org"), now, "between", phases=phases)

    page = Browser(client).get("/c/between")

    assert "Stage 1 of 2: Understand" in page.text
    assert "Closed on Thursday 7 January 2027" in page.text
    assert "Next is stage 2 of 2: Answer. It opens on Monday 11 January 2027" in page.text


def test_before_the_first_stage_the_list_says_when_it_opens(client: Client, person: Make, now: datetime, aws: None) -> None:
    phases = [NewPhase("Understand", now + timedelta(days=2), now + timedelta(days=9), ["barrier"])]
    make_campaign(person("olive@example.org"), now, "early", phases=phases)
    browser = Browser(client)

    assert "It begins soon Stage 1 of 1: Understand. It opens on Monday 11 January 2027" in browser.get("/c/early").text
    assert "The first stage opens on Monday 11 January 2027" in browser.get("/c/early/ideas").text
    assert Program(client).ask("GET", "/v1/campaigns/early/contributions") == {"items": [], "next": None}


def test_list_page_keeps_filters_through_sorting_paging_and_searching(ann: Browser, add: Add, deliver: Callable[[], None]) -> None:
    for number in range(25):
        add(f"Form {number}")
    deliver()

    page = ann.get(f"{HERE}/ideas?q=form&kind=barrier&sort=")
    more = next(link for link in page.read.links if "cursor=" in link)
    newest = next(link for link in page.read.links if "sort=new" in link)

    assert page.read.tags.count("h3") == 20
    assert "kind=barrier&q=form" in more
    assert ann.get(more).read.tags.count("h3") == 5
    assert ann.get(newest).read.tags.count("h3") == 20
    assert 'value="form"' in ann.page.html
    assert "Most supported" not in ann.page.text


def test_list_page_shows_ones_own_votes(ann: Browser, add: Add, deliver: Callable[[], None]) -> None:
    idea = add("Forms")
    deliver()
    ann.get(f"{HERE}/contributions/{idea}")
    ann.send("/vote", value="1")

    assert "You voted up" in ann.get(f"{HERE}/ideas").text


def test_list_page_says_that_nothing_was_found_and_what_was_wrong(browser: Browser, add: Add, deliver: Callable[[], None]) -> None:
    add("Forms")
    deliver()

    assert "Nothing was found" in browser.get(f"{HERE}/ideas?q=zebra").text
    wrong = browser.get(f"{HERE}/ideas?q={'x' * 201}")
    assert (wrong.status, "201 characters; at most 200 fit" in wrong.text) == (400, True)
    assert "x" * 201 in wrong.html
    assert browser.get(f"{HERE}/ideas?sort=top").status == 409


def test_tally_of_a_phase_is_read_in_one_query(campaign: Campaign, add: Add, now: datetime) -> None:
    idea = add("Forms")
    votes.cast(campaign, idea, "voter", 1, now=now)
    tallies.recount(contributions.key(campaign.slug, idea))

    assert tallies.of_phase(campaign.slug, 1, now=now + timedelta(days=1)) == {idea: tallies.Counts(1, 0)}
