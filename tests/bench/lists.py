"""`make bench-lists`: calls, capacity units and times of whole requests for lists, search and votes, at 100, 1,000 and 10,000
ideas, on moto in this process. It fails beyond the bars.

*Warm*: the function has the board's parts (and, for an order by votes, all tallies of the last ten seconds). *Cold*: it has
neither, as after a change of the whole board, but has opened the campaign's pseudonym keys, which is once in a process's life
one more call. Calls leave the session's own out. Votes are shown in this campaign, so that lists read tallies too.
Times are of the processor and our own: what moto takes to play DynamoDB is taken off, there is no network to measure, and
what else this machine does is left out."""

from __future__ import annotations

import json
import logging
import random
import statistics
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from itertools import accumulate
from pathlib import Path
from time import thread_time
from typing import Any

from moto import mock_aws
from pynamodb.transactions import TransactWrite

from tests import conftest  # the environment, before anything of ours
from tests.bench.units import Meter, metered
from tests.conftest import NOW, make_campaign, said

# isort: split
from chalice.test import Client

from app import app
from chalicelib import board, clock, contributions, enrolments, ids, limits, participants, pseudonyms, shelf, store, tallies
from chalicelib.campaigns import Campaign, NewPhase
from chalicelib.contributions import Contribution
from chalicelib.tallies import Tally
from chalicelib.votes import Vote
from infra.console import say, step
from tests.aws import Skipping
from tests.web.conftest import signed_in

SIZES = (100, 1_000, 10_000)
TIMES = 15
TARGET = Path(__file__).parents[2] / "build" / "bench" / "lists.json"
API, HERE = "/v1/campaigns/change-challenge", "/c/change-challenge"
LISTS = {
    "fair": "sort=fair",
    "newest": "sort=new",
    "newest of a kind": "sort=new&kind=barrier",
    "most supported": "sort=top",
    "most divided": "sort=divided",
    "search": "q=ba%20be",
}
BARS = {"list_calls": 3, "vote_read_units": 5, "vote_write_units": 3, "search_p50_ms": 50}
WARM_READS, SIMILAR_MS = 3, 50


@dataclass(frozen=True, slots=True)
class Ask:
    """Asks as a participant; the answer must be right."""

    client: Client
    token: str

    def __call__(self, method: str, path: str, body: Any = None) -> Any:
        who = {"Authorization": f"Bearer {self.token}", "Cookie": f"gs_session={self.token}", "Content-Type": "application/json"}
        response = self.client.http.request(method, path, headers=who, body=json.dumps(body).encode() if body else b"")
        assert response.status_code == 200, (path, response.status_code, response.body[:300])
        return response


def main() -> int:
    """0 within the bars, 1 beyond them."""
    logging.getLogger("groundswell").setLevel(logging.WARNING)
    logging.getLogger("groundswell.web").setLevel(logging.WARNING)
    runs, missed = [], list[str]()
    for size in SIZES:
        with mock_aws():
            conftest.build()
            run, beyond = _run(size)
            runs.append(run)
            missed += [f"{size:,}: {what}" for what in beyond]
        conftest.forget()
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(json.dumps({"runs": runs}) + "\n")
    for what in missed:
        say(f"beyond the bar at {what}")
    return int(bool(missed))


def _run(size: int) -> tuple[dict[str, float], list[str]]:
    clock.current = Skipping(NOW)
    with step(f"{size:,} ideas"):
        campaign = _campaign()
        some = _load(campaign, size)
        board.recount(campaign.slug, 1)
    enrolments.join(campaign.slug, participants.find_or_create("ann@example.org", now=NOW).id, "patient", now=NOW)
    with tempfile.TemporaryDirectory() as folder, Client(app, project_dir=folder) as client:
        ask = Ask(client, signed_in("ann@example.org"))
        ask("GET", f"{API}/contributions")
        calls = {name: _calls(ask, query) for name, query in LISTS.items()}
        cold, warm, usual = _votes(ask, campaign, some)
        times = {
            "list": _p50(lambda: ask("GET", f"{API}/contributions?sort=fair")),
            "page": _p50(lambda: ask("GET", f"{HERE}/ideas?sort=fair")),
            "search": _p50(lambda: ask("GET", f"{API}/contributions?{LISTS['search']}")),
            "similar": _p50(lambda: ask("GET", f"{API}/contributions/similar?text=bade%20boke%20bali%20bemu%20bofi%20buda")),
        }
    _tell(calls, cold, warm, usual, times)
    run: dict[str, float] = {
        "contributions": size,
        "list_calls": max(meter.besides("groundswell-local-sessions") for found in calls.values() for meter in found.values()),
        "vote_read_units": cold.read,
        "vote_write_units": cold.write,
        "list_p50_ms": round(times["list"], 1),
        "search_p50_ms": round(times["search"], 1),
    }
    return run, _beyond(run, warm, times)


def _beyond(run: dict[str, float], warm: Meter, times: dict[str, float]) -> list[str]:
    found = {name: (run[name], bar) for name, bar in BARS.items()}
    found |= {
        "warm vote reads": (warm.read, WARM_READS),
        "similar ms": (times["similar"], SIMILAR_MS),
    }
    return [f"{name} {value:g}, bar {bar}" for name, (value, bar) in found.items() if value > bar]


def _campaign() -> Campaign:
    phase = NewPhase("What gets in the way?", NOW - timedelta(days=7), NOW + timedelta(days=7), ["barrier", "building-block"], blind=False)
    return make_campaign(participants.find_or_create("olive@example.org", now=NOW).id, NOW, phases=[phase])


def _load(campaign: Campaign, size: int) -> list[str]:
    """The very items that `contributions.add` and a recount write, in batches: one by one they would take minutes. What is
    written is as `said_by_chance` has it. Some of the ids, one of which is the newest."""
    draw = random.Random(size)
    words = [first + second for first in _SYLLABLES for second in _SYLLABLES] + [f"{one}{two}n" for one in _SYLLABLES for two in _SYLLABLES]
    weights = list(accumulate(1 / (place + 3) for place in range(len(words))))  # a few words are everywhere, most are rare
    first = contributions.add(campaign, "author-0", said(), request="0", now=NOW - timedelta(days=6))
    begun, made = NOW - timedelta(days=6), [first.id]
    with Contribution.batch_write() as batch:
        for number in range(1, size):
            at = begun + timedelta(days=6) * number / size
            item = Contribution(pk=f"{campaign.slug}#1", sk=f"1-{ids.ordered(at)}", author=f"author-{number}", created=ids.milliseconds(at))
            item.kind, item.title = draw.choice(["barrier", "building-block"]), " ".join(draw.choices(words, cum_weights=weights, k=6))
            item.text = " ".join(draw.choices(words, cum_weights=weights, k=draw.randint(8, 60)))
            batch.save(item)
            made.append(item.id)
    with Tally.batch_write() as batch_of_tallies:
        for one in made:
            batch_of_tallies.save(Tally(pk=f"{campaign.slug}#1", sk=one, up=draw.randint(0, 40), down=draw.randint(0, 20), version=1))
    return made[-20:]


_SYLLABLES = [consonant + vowel for consonant in "bdfgklmnprst" for vowel in "aeiou"]


def _calls(ask: Ask, query: str) -> dict[str, Meter]:
    """The dearer of JSON and page, cold and warm."""
    found: dict[str, Meter] = {}
    for path in (f"{API}/contributions", f"{HERE}/ideas"):
        shelf._kept.clear()
        tallies._of_phase.cache_clear()
        for state in ("cold", "warm"):
            with metered() as meter:
                ask("GET", f"{path}?{query}")
            found[state] = max(found.get(state, meter), meter, key=lambda one: (len(one.calls), one.read))
    return found


def _votes(ask: Ask, campaign: Campaign, some: list[str]) -> tuple[Meter, Meter, Meter]:
    """A first vote, by a process that has not opened the campaign's keys yet; by one that has; and the usual way."""
    pseudonyms._pair.cache_clear()
    with metered() as cold:
        ask("PUT", f"{API}/contributions/{some[0]}/vote", {"value": 1})
    with metered() as warm:
        ask("PUT", f"{API}/contributions/{some[1]}/vote", {"value": 1})
    usual = _the_usual_way(campaign, some[2])
    # What the stream does afterwards: one write of a tally, however many of a batch's votes are on it.
    with metered() as recount:
        tallies.recount_touched([contributions.key(campaign.slug, some[0])] * 50)
    assert [call.operation for call in recount.calls if call.write] == ["PutItem"]
    return cold, warm, Meter([*[call for call in warm.calls if not call.write], *usual.calls])


def _the_usual_way(campaign: Campaign, idea: str) -> Meter:
    """The same limit; then one transaction of the vote, if there is none, and of a counter that it adds to."""
    vote = Vote(pk=contributions.key(campaign.slug, idea), sk="f" * 32, value=1, at=ids.milliseconds(NOW))
    pk, sk = tallies.key_of(campaign.slug, idea)

    def fill(transaction: TransactWrite) -> None:
        transaction.save(vote, condition=Vote.pk.does_not_exist())
        transaction.update(Tally(pk=pk, sk=sk), actions=[Tally.up.add(1)])

    with metered() as meter:
        limits.take("vote", f"{campaign.slug}#{'f' * 32}", allowed=600, window_s=3600, now=NOW)
        assert store.write_together(fill) is None
    return meter


def _p50(act: Callable[[], Any]) -> float:
    """Milliseconds, without DynamoDB's, once everything is warm."""
    act()
    times = list[float]()
    for _ in range(TIMES):
        with _timed() as moto:
            start = thread_time()
            act()
            times.append((thread_time() - start - moto.seconds) * 1000)
    return statistics.median(times)


class _timed:  # noqa: N801  # reads as a phrase
    """Only how long DynamoDB's calls take: from what is sent to what comes back."""

    def __enter__(self) -> _timed:
        self.seconds, self._start = 0.0, 0.0
        self._events = store.dynamodb().meta.events
        self._events.register_last("request-created.dynamodb", self._sent)
        self._events.register_first("response-received.dynamodb", self._received)
        return self

    def __exit__(self, *_: object) -> None:
        self._events.unregister("request-created.dynamodb", self._sent)
        self._events.unregister("response-received.dynamodb", self._received)

    def _sent(self, **_: Any) -> None:
        self._start = thread_time()

    def _received(self, **_: Any) -> None:
        self.seconds += thread_time() - self._start


def _tell(calls: dict[str, dict[str, Meter]], cold: Meter, warm: Meter, usual: Meter, times: dict[str, float]) -> None:
    say(f"  {'a page of 20':<18} {'calls':>6} {'reads':>7}   cold: {'calls':>5} {'reads':>7}")
    for name, found in calls.items():
        told = [(meter.besides("groundswell-local-sessions"), meter.read) for meter in (found["warm"], found["cold"])]
        say(f"  {name:<18} {told[0][0]:>6} {told[0][1]:>7g}         {told[1][0]:>5} {told[1][1]:>7g}")
    say(f"  {'a vote':<18} {'reads':>6} {'writes':>7}")
    for name, meter in (("warm", warm), ("cold", cold), ("the usual way", usual)):
        say(f"  {name:<18} {meter.read:>6g} {meter.write:>7g}")
    say("  p50: " + ", ".join(f"{name} {ms:.1f} ms" for name, ms in times.items()))


if __name__ == "__main__":
    sys.exit(main())
