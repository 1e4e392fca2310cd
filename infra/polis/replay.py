"""`infra replay`: an export through the public API, everybody as themselves; then every tally, as the API tells it, against
what the file says. Cut off, it goes on where it was; everything it asks for is safe to ask twice."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from infra.console import Problem, say
from infra.demo.progress import Progress
from infra.demo.site import Refused, Site, Unreachable
from infra.polis import export, people, truth
from infra.polis.export import Export, Statement, Vote
from infra.polis.journal import Journal
from infra.polis.sessions import CLIENTS, Sessions, each
from infra.polis.truth import Difference, Tallies

OPEN_FOR = timedelta(days=14)
QUIET_S, SETTLING_S = 60.0, 1800.0
_LOOK_AGAIN_S = 2.0
_TRIES = 5


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command was told. `journals`: the folder for what was done."""

    folder: Path
    slug: str
    url: str
    desk: str
    organiser: str
    first: int | None = None
    journals: Path = Path("build/replay")


def run(asked: Asked) -> int:
    """Returns 0 where every tally is what the file says. Raises `Problem`."""
    whole = export.read(asked.folder)
    whole = whole if asked.first is None else whole.first(asked.first)
    about = f"{asked.folder.absolute().name}, first {asked.first or 'all'}, at {asked.url}"
    journal = Journal(asked.journals / f"{asked.slug}.jsonl", about)
    begun = time.monotonic()
    try:
        wrong = Replay(asked, whole, Sessions(Site(asked.url), Site(asked.desk), journal)).play()
    except (Refused, Unreachable) as error:
        raise Problem(f"The site refused, or did not answer: {error}\nRun the same again to go on.") from error
    finally:
        journal.close()
    say("\n".join(str(difference) for difference in wrong[:20]))
    minutes = (time.monotonic() - begun) / 60
    say(f"{len(whole.statements)} statements, {len(whole.votes)} votes, {len(wrong)} differences ({minutes:.1f} min)")
    return 1 if wrong else 0


@dataclass(slots=True)
class Replay:
    """One replay; `path` is where the campaign's own routes begin."""

    asked: Asked
    export: Export
    sessions: Sessions
    kind: str = "barrier"
    progress: Progress = field(default_factory=Progress)

    @property
    def path(self) -> str:
        return f"/v1/campaigns/{self.asked.slug}"

    @property
    def journal(self) -> Journal:
        return self.sessions.journal

    def play(self) -> list[Difference]:
        """Everything; what is not as the file says."""
        self._open_campaign()
        self._sign_in()
        self._post()
        self._vote()
        self._hide()
        return self._compare()

    def _organise(self, method: str, path: str, body: Any = None, key: str = "", route: str = "") -> Any:
        return self.sessions.ask(self.asked.organiser, method, path, body, key=key, route=route)

    def _open_campaign(self) -> None:
        """The one that is there, or a new one for this conversation. Raises `Problem` where its votes are hidden."""
        self.sessions.open([self.asked.organiser], lambda _: None)
        found = self._campaign()
        if self.journal.of("replay").setdefault("opened", found["opened"]) != found["opened"]:
            raise Problem(f"{self.journal.file} is about an earlier campaign of this name; delete it to begin anew.")
        self.journal.note("replay", "opened", found["opened"])
        phase = next((phase for phase in found["phases"] if phase["number"] == found["open_phase"]), None)
        if phase is None or not phase["shows_votes"] or phase["premoderated"]:
            raise Problem(f"{self.asked.slug} has no open stage that shows its votes at once: take another name, and it is made.")
        self.kind = phase["kinds"][0]

    def _campaign(self) -> Any:
        try:
            found = self._organise("GET", self.path)
        except Refused as refused:
            if refused.status != 404:
                raise
            found = self._organise("POST", "/v1/campaigns", self._new_campaign(), key=f"{self.asked.slug}-campaign")
        return found if found["opened"] else self._organise("POST", f"{self.path}/open", {}, key=f"{self.asked.slug}-open")

    def _new_campaign(self) -> dict[str, Any]:
        now = datetime.now(UTC)
        opens_at, closes_at = (now - timedelta(minutes=1)).isoformat(), (now + OPEN_FOR).isoformat()
        phase = {"title": "A conversation of Pol.is", "opens_at": opens_at, "closes_at": closes_at, "kinds": ["barrier"], "blind": False}
        return {
            "slug": self.asked.slug,
            "title": self.asked.slug,
            "question": "What do you think of these statements?",
            "phases": [phase],
            "rules": "A real conversation, played again.",
            "controllers": [{"name": "The Computational Democracy Project (CC BY 4.0)", "contact": "https://compdemocracy.org"}],
            "contact": self.asked.organiser,
            "minimum_age": 16,
            "limits": people.limits(self.export),
        }

    def _sign_in(self) -> None:
        slug = self.asked.slug
        everybody = [*(people.author(slug, one) for one in self.export.authors), *(people.voter(slug, one) for one in self.export.voters)]
        counting = self.progress.counting("people signed in", len(everybody))
        counting.more(sum(email in self.journal.of("person") for email in everybody))
        self.sessions.open(everybody, lambda _: counting.one_more())
        joined = self.journal.of("joined")

        def join(email: str) -> None:
            self.sessions.ask(email, "PUT", f"{self.path}/enrolment", {"role": people.ROLE, "of_age": True}, key=f"{slug}-join")
            self.journal.note("joined", email)

        self._each([email for email in everybody if email not in joined], join, "people joined")

    def _each(self, what: Sequence[Any], does: Callable[[Any], object], told: str) -> None:
        counting = self.progress.counting(told, len(what))

        def act(one: Any) -> None:
            does(one)
            counting.one_more()

        each(what, act)

    def _post(self) -> None:
        """By their authors, oldest first as far as several clients at once keep an order."""
        posted = self.journal.of("statement")

        def post(one: Statement) -> None:
            said = {"kind": self.kind, "title": one.title, "text": one.text}
            author, key = people.author(self.asked.slug, one.author), f"polis-{one.id}"
            made = self.sessions.ask(author, "POST", f"{self.path}/contributions", said, key=key, route="/v1/.../contributions")
            self.journal.note("statement", one.id, made["id"])

        self._each([one for one in self.export.statements if one.id not in posted], post, "statements posted")

    def _vote(self) -> None:
        """In the order of time; what one person does comes one after the other, as each has one client only."""
        counting = self.progress.counting("votes", len(self.export.votes))
        lanes = [set(self.export.voters[number::CLIENTS]) for number in range(CLIENTS)]

        def play(lane: set[str]) -> None:
            done, before = dict(self.journal.of("votes")), dict.fromkeys(lane, 0)
            standing: set[tuple[str, str]] = set()
            for vote in self.export.votes:
                if vote.voter in lane:
                    before[vote.voter] += 1
                    if before[vote.voter] > done.get(vote.voter, 0):
                        self._cast(vote, before[vote.voter], standing)
                    if vote.value:
                        standing.add((vote.voter, vote.statement))
                    counting.one_more()

        each(lanes, play)

    def _cast(self, vote: Vote, number: int, standing: set[tuple[str, str]]) -> None:
        """`number`: the how-manieth vote of this voter. A pass takes a vote back, if there was one."""
        who, idea = people.voter(self.asked.slug, vote.voter), self.journal.of("statement")[vote.statement]
        path, route = f"{self.path}/contributions/{idea}/vote", "/v1/.../vote"
        key = f"polis-{vote.voter}-{number}"
        if vote.value:
            for _ in range(_TRIES):  # the clock of who took an earlier vote may have been ahead
                if self.sessions.ask(who, "PUT", path, {"value": vote.value}, key=key, route=route)["value"] == vote.value:
                    break
        elif (vote.voter, vote.statement) in standing:
            self.sessions.ask(who, "DELETE", path, key=key, route=route)
        self.journal.note("votes", vote.voter, number)

    def _hide(self) -> None:
        """By a moderator, after the votes, as nobody can vote on what is hidden."""
        hidden = self.journal.of("hidden")

        def hide(one: Statement) -> None:
            asked = {"target": self.journal.of("statement")[one.id], "action": "hide", "reason": "other"}
            self._organise("POST", f"{self.path}/decisions", asked, key=f"polis-hide-{one.id}", route="/v1/.../decisions")
            self.journal.note("hidden", one.id)

        self._each([one for one in self.export.statements if one.hidden and one.id not in hidden], hide, "statements hidden")

    def _compare(self) -> list[Difference]:
        """Once the tallies, which follow the votes, do not change any more. Those that differ are looked at again, and in the
        end all of them."""
        wanted, begun = truth.tallies(self.asked.folder, self.asked.first), time.monotonic()
        found, changed = self._tallies(self.export.statements), begun
        while wrong := truth.differences(wanted, found):
            if time.monotonic() - changed > QUIET_S or time.monotonic() - begun > SETTLING_S:
                return wrong
            self.progress.say(f"  {len(wrong)} tallies still differ")
            time.sleep(_LOOK_AGAIN_S)
            late, before = {one.statement for one in wrong}, found
            again = self._tallies([one for one in self.export.statements if one.id in late])
            found = {one: counts for one, counts in before.items() if one not in late} | again
            changed = changed if found == before else time.monotonic()
        return truth.differences(wanted, self._tallies(self.export.statements))

    def _tallies(self, statements: Sequence[Statement]) -> Tallies:
        """As the organiser is told them, who also sees what is hidden; what everybody sees although it is hidden has none."""
        found: Tallies = {}

        def look(one: Statement) -> None:
            path = f"{self.path}/contributions/{self.journal.of('statement')[one.id]}"
            told = self._organise("GET", path, route="/v1/.../contribution")
            if one.hidden == (told["state"] == "hidden") and (not one.hidden or self._is_gone(path)):
                found[one.id] = (told["votes"]["up"], told["votes"]["down"])

        each(statements, look)
        return found

    def _is_gone(self, path: str) -> bool:
        try:
            self.sessions.site.ask("GET", path, route="/v1/.../contribution hidden")
        except Refused as refused:
            return refused.status == 404
        return False
