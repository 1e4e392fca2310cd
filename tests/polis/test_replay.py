"""A whole replay against the application in the process: everything goes through the routes that everybody has."""

from __future__ import annotations

import base64
import json
import stat
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from chalice.test import Client

from app import app
from chalicelib import contributions, keyring, mail, participants, votes
from chalicelib.campaigns import NewPhase
from infra.console import Problem
from infra.demo.site import Site
from infra.polis import export, people, replay, sessions
from infra.polis.export import Export
from infra.polis.journal import Journal
from infra.polis.replay import Asked, Replay
from infra.polis.sessions import Sessions
from tests.aws import Killed, take_queued, take_records
from tests.conftest import Make, make_campaign

SLUG = "birds"
OLIVE = "olive@example.org"


class Here(Site):
    """The application itself, answering in the process. Ends it, as a machine that fails, before or after some request."""

    def __init__(self, client: Client) -> None:
        super().__init__("http://here.example")
        self.client, self.turn = client, threading.RLock()
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        self.dies_at: int | None = None
        self.dies_after = False

    def _once(self, method: str, target: str, body: bytes | None, headers: dict[str, str]) -> tuple[int, Any]:
        with self.turn:
            self.asked.append((method, target, headers))
            dies = self.dies_at == len(self.asked)
            if dies and not self.dies_after:
                raise Killed
            if method == "GET":
                self.client.lambda_.invoke("tally", {"Records": take_records("votes")})
            answer = self.client.http.request(method, target, headers=headers, body=body or b"")
            if dies:
                raise Killed
            return answer.status_code, json.loads(answer.body) if answer.body else None


class Mailbox(Site):
    """The desk, with every e-mail so far; `doubled`: each comes twice."""

    def __init__(self) -> None:
        super().__init__("http://desk.example")
        self.messages: list[dict[str, Any]] = []

    def ask(self, method: str, path: str, body: Any = None, **_: Any) -> Any:
        assert (method, path) == ("GET", "/control/mail")
        for queued in take_queued("mail"):
            message = json.loads(keyring.unseal("email_seal", base64.b64decode(queued.body), mail._CONTEXT))
            self.messages.insert(0, {"to": [message["to"]], "code": message["data"].get("code")})
        return {"messages": list(self.messages)}


@pytest.fixture
def site(aws: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Here]:
    monkeypatch.setattr(sessions, "_LOOK_AGAIN_S", 0.0)
    monkeypatch.setattr(replay, "_LOOK_AGAIN_S", 0.0)
    monkeypatch.setattr(replay, "QUIET_S", 0.0)
    participants.appoint(OLIVE, now=datetime.now(UTC))
    (tmp_path / "project").mkdir()
    with Client(app, project_dir=str(tmp_path / "project")) as client:
        yield Here(client)


Play = Callable[..., tuple[Replay, list[Any]]]


@pytest.fixture
def play(site: Here, export_folder: Path, tmp_path: Path) -> Play:
    """Plays the small export, from where an earlier one was cut off; the replay, and what differed."""
    desk = Mailbox()

    def run(first: int | None = None, folder: Path = export_folder) -> tuple[Replay, list[Any]]:
        whole = export.read(folder)
        whole = whole if first is None else whole.first(first)
        journal = Journal(tmp_path / "journal", "small")
        try:
            made = Replay(Asked(folder, SLUG, "", "", OLIVE, first), whole, Sessions(site, desk, journal))
            return made, made.play()
        finally:
            journal.close()

    return run


def posted() -> list[contributions.Contribution]:
    return list(contributions.Contribution.query(f"{SLUG}#1"))


def test_whole_conversation_is_played_without_a_difference(play: Play, site: Here) -> None:
    _, wrong = play()

    assert wrong == []
    assert {(one.title[:10], one.state) for one in posted()} == {
        ("Plant nati", "published"),
        ("Keep cats ", "published"),
        ("Nobody vot", "published"),
        ("Buy my boo", "hidden"),
    }
    assert len({one.author for one in posted()}) == 3
    writes = [headers for method, target, headers in site.asked if method in ("PUT", "POST", "DELETE") and "sign-in" not in target]
    assert all("Idempotency-Key" in headers for headers in writes)
    assert all(target.startswith("/v1/") for _, target, _ in site.asked)


def test_first_votes_are_played_with_the_statements_that_they_touch(play: Play) -> None:
    _, wrong = play(first=3)

    assert wrong == []
    assert [one.title for one in posted()] == ["Plant native trees."]


def test_passes_cast_nothing_and_take_an_earlier_vote_back(play: Play, site: Here) -> None:
    play()

    asked = [method for method, target, _ in site.asked if target.endswith("/vote")]
    assert (asked.count("PUT"), asked.count("DELETE")) == (8, 1)


@pytest.mark.parametrize(("turn", "after"), [(3, True), (14, True), (22, True), (27, True), (33, True), (33, False), (39, True)])
def test_replay_that_was_cut_off_goes_on_where_it_was(play: Play, site: Here, turn: int, after: bool) -> None:
    site.dies_at, site.dies_after = turn, after
    with pytest.raises(Killed):
        play()

    site.dies_at = None
    _, wrong = play()

    assert wrong == []
    assert len(posted()) == 4
    assert len({(vote.pk, vote.sk) for vote in votes.Vote.scan()}) == len(list(votes.Vote.scan())) == 7


def test_second_replay_asks_for_no_new_codes_and_plays_no_vote_again(play: Play, site: Here) -> None:
    play()
    before = len(site.asked)

    assert play()[1] == []
    assert {method for method, _, _ in site.asked[before:]} == {"GET"}


def test_who_is_signed_out_meanwhile_signs_in_again(play: Play, site: Here, tmp_path: Path) -> None:
    play(first=2)
    with (tmp_path / "journal").open("a") as lines:
        lines.write(json.dumps(["person", people.voter(SLUG, "1"), "a token of yesterday"]) + "\n")

    _, wrong = play()

    assert wrong == []


def test_vote_from_elsewhere_is_a_difference(play: Play) -> None:
    made, _ = play()
    campaign = contributions.campaigns.get(SLUG)
    votes.cast(campaign, made.journal.of("statement")["10"], "somebody-else", 1, now=datetime.now(UTC))

    _, wrong = play()

    assert [str(one) for one in wrong] == ["statement 10: the file says 0 up, 0 down, the system 1 up, 0 down"]


def test_statement_that_should_be_hidden_and_is_not_is_a_difference(play: Play) -> None:
    made, _ = play()
    hidden = contributions.find(SLUG, made.journal.of("statement")["2"])
    hidden.update(actions=[contributions.Contribution.state.set("published")])

    _, wrong = play()

    assert [(one.statement, one.found) for one in wrong] == [("2", None)]


def test_campaign_whose_votes_are_hidden_is_refused(play: Play, person: Make) -> None:
    now = datetime.now(UTC)
    make_campaign(person(OLIVE), now, SLUG, phases=[NewPhase("Blind", now - timedelta(days=1), now + timedelta(days=1), ["solution"])])

    with pytest.raises(Problem, match="no open stage that shows its votes"):
        play()


def test_campaign_that_is_there_is_played_into_with_its_own_kinds(play: Play, person: Make) -> None:
    now = datetime.now(UTC)
    phase = NewPhase("Open", now - timedelta(days=1), now + timedelta(days=1), ["solution"], blind=False)
    make_campaign(person(OLIVE), now, SLUG, phases=[phase])

    assert play()[1] == []
    assert {one.kind for one in posted()} == {"solution"}


def test_journal_of_an_earlier_campaign_of_the_same_name_is_refused(play: Play, tmp_path: Path) -> None:
    play(first=1)
    with (tmp_path / "journal").open("a") as lines:
        lines.write(json.dumps(["replay", "opened", "2026-01-01T00:00:00+00:00"]) + "\n")

    with pytest.raises(Problem, match="an earlier campaign"):
        play(first=1)


def test_code_of_an_earlier_sign_in_is_not_taken_for_the_new_one(site: Here, tmp_path: Path) -> None:
    desk, journal = Mailbox(), Journal(tmp_path / "journal", "x")
    for _ in range(2):
        site.ask("POST", "/v1/sign-in", {"email": OLIVE})
    desk.ask("GET", "/control/mail")

    Sessions(site, desk, journal).open([OLIVE], lambda _: None)
    journal.close()

    assert site.ask("GET", "/v1/me", token=journal.of("person")[OLIVE])["organiser"]


def test_campaigns_limits_leave_room_for_everything_to_be_repeated(export_folder: Path) -> None:
    busy = Export(export.read(export_folder).statements, export.read(export_folder).votes * 100)

    assert people.limits(busy) == {"contributions_per_hour": 60, "votes_per_hour": people.ROOM * 400}


def test_journal_survives_a_line_that_was_cut_off_and_is_its_owners_only(tmp_path: Path) -> None:
    file = tmp_path / "replay" / "x.jsonl"
    journal = Journal(file, "x")
    journal.note("votes", "1", 7)
    journal.close()
    with file.open("a") as lines:
        lines.write('["votes", "1", 8')

    again = Journal(file, "x")
    again.note("votes", "2", 1)
    again.close()

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    last = Journal(file, "x")
    last.close()
    assert last.of("votes") == {"1": 7, "2": 1}


def test_journal_of_another_replay_is_refused(tmp_path: Path) -> None:
    Journal(tmp_path / "x", "biodiversity").close()

    with pytest.raises(Problem, match="another replay"):
        Journal(tmp_path / "x", "bowling-green")


def test_refusal_is_told_with_what_to_do(aws: None, export_folder: Path, tmp_path: Path) -> None:
    asked = Asked(export_folder, SLUG, "http://127.0.0.1:9", "http://127.0.0.1:9", OLIVE, journals=tmp_path)

    with pytest.raises(Problem, match="Run the same again"):
        replay.run(asked)
