"""One page of a phase's ideas: which, in which order, and what whoever looks needs beside each. Three calls: what stands
here (campaign, board, enrolment) together; parts of the board that this process lacks, or the newest or all tallies; and what
the page shows (ideas, tallies, own votes) together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Any, Literal

import msgspec

from . import contributions, cursors, keyring, pseudonyms, ranking, shelf, store, tallies, votes
from .board import HEAD, Entry, Head
from .campaigns import Campaign, Phase
from .contributions import Contribution
from .enrolments import Enrolment
from .errors import Conflict, Invalid, NotFound
from .ranking import Key
from .shelf import Board
from .tallies import Counts, Tally
from .votes import Vote

Sort = Literal["fair", "new", "top", "divided", "match"]
_BY_VOTES = ("top", "divided")
QUERY_MAX = 200
_VISITORS_S, _DAY_S = 600, 86_400
_NOBODY = Counts(0, 0)


@dataclass(frozen=True, slots=True)
class Scene:
    """What is there to see, and who looks: `pseudonym` and `enrolment` only of who is signed in."""

    campaign: Campaign
    head: Head | None
    pseudonym: str | None
    enrolment: Enrolment | None
    more: Mapping[type[store.Record], Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    """`sort`: without one, the fair order while a phase is open, what is most supported once votes are shown, what fits best
    for a search."""

    phase: int | None = None
    kind: str | None = None
    sort: Sort | None = None
    tag: str | None = None
    q: str | None = None
    answers: str | None = None
    cursor: str | None = None
    limit: int = contributions.PAGE

    @property
    def filters(self) -> tuple[str | None, ...]:
        return self.kind, self.tag, self.answers, self.q


@dataclass(frozen=True, slots=True)
class Listing:
    """`tallies` is None while they are hidden, `own` (votes) where nobody is signed in."""

    phase: Phase | None
    sort: Sort
    items: list[Contribution]
    next: str | None
    tallies: Mapping[str, Counts] | None = None
    own: Mapping[str, int] | None = None


def look(slug: str, person: str | None, *more: tuple[type[store.Record], str]) -> Scene:
    """In one call. `more`: other items whose pk is the campaign's, each by its sk. Before a campaign is opened it is there for
    its team only. Raises `NotFound`."""
    pseudonym = pseudonyms.of(slug, person) if person else None
    wanted: dict[type[store.Record], list[store.Key]] = {Campaign: [(slug,)], Head: [(slug, HEAD)]}
    if pseudonym:
        wanted[Enrolment] = [(slug, pseudonym)]
    found = store.read_together(wanted | {model: [(slug, sk)] for model, sk in more})
    first = {model: items[0] for model, items in found.items() if items}
    campaign, enrolment = first.get(Campaign), first.get(Enrolment)
    in_team = enrolment is not None and enrolment.duties and not enrolment.suspended
    if campaign is None or not (campaign.opened or in_team):
        raise NotFound("There is no campaign at this address.")
    return Scene(campaign, first.get(Head), pseudonym, enrolment, first)


def page(scene: Scene, wanted: Wanted, *, now: datetime) -> Listing:
    """Raises `Invalid` (phase, q, limit, cursor), `Conflict` (votes_hidden)."""
    _check(wanted)
    phase = _phase(scene.campaign, wanted, now)
    if phase is None or float(phase.opens_at) > now.timestamp():
        return Listing(phase, "new", [], None)
    sort = wanted.sort or _usual(phase, wanted, now)
    if sort in _BY_VOTES and not phase.shows_tallies(now):
        raise Conflict("Votes are shown when this stage closes, so that nobody is swayed.", code="votes_hidden", fields={"sort": "hidden"})
    if sort == "new" and not any(wanted.filters):
        found = contributions.newest(scene.campaign.slug, int(phase.number), cursor=wanted.cursor, limit=wanted.limit)
        return _beside(scene, Listing(phase, sort, found.items, found.next), [item.id for item in found.items], now)
    chosen, following = _chosen(scene, phase, replace(wanted, sort=sort), now)
    return _beside(scene, Listing(phase, sort, [], following), chosen, now)


def _check(wanted: Wanted) -> None:
    if not 1 <= wanted.limit <= contributions.PAGE_MAX:
        raise Invalid.field("limit", f"1 to {contributions.PAGE_MAX}")
    if wanted.q and len(wanted.q) > QUERY_MAX:
        raise Invalid.field("q", f"{len(wanted.q)} characters; at most {QUERY_MAX} fit")


def _phase(campaign: Campaign, wanted: Wanted, now: datetime) -> Phase | None:
    if wanted.phase is None:
        return campaign.phase_to_show(now)
    if not 1 <= wanted.phase <= len(campaign.phases):
        raise Invalid.field("phase", f"1 to {len(campaign.phases)}")
    return campaign.phase(wanted.phase)


def _usual(phase: Phase, wanted: Wanted, now: datetime) -> Sort:
    if wanted.q:
        return "match"
    return "top" if phase.has_closed(now) else "fair"


def _chosen(scene: Scene, phase: Phase, wanted: Wanted, now: datetime) -> tuple[list[str], str | None]:
    """The ids of the page, and the cursor of the next one. A cursor carries the seed and the time that the first page
    had, so that turning pages shows each idea once, whoever comes and goes meanwhile."""
    slug, number = scene.campaign.slug, int(phase.number)
    scope = "#".join([slug, str(number), str(wanted.sort), sha256(repr(wanted.filters).encode()).hexdigest()[:16]])
    start = _start(scope, wanted.cursor) if wanted.cursor else _Start(_seed(slug, number, scene.pseudonym, now), now.timestamp(), None)
    counts = tallies.of_phase(slug, number, now=now) if wanted.sort in _BY_VOTES else {}
    chosen, last = list[str](), None
    if counts and not any(wanted.filters) and not shelf.has(number, scene.head):
        chosen, last = ranking.page(_scored(counts, str(wanted.sort)), start.after, wanted.limit)
    if last is None:
        found = _fitting(shelf.read(slug, number, scene.head), wanted)
        chosen, last = ranking.page(_keyed(found, str(wanted.sort), start, float(phase.opens_at), counts), start.after, wanted.limit)
    return chosen, cursors.make(scope, msgspec.json.encode([start.seed, start.at, last]).decode()) if last else None


class _Start(msgspec.Struct, array_like=True):
    seed: str
    at: float
    after: tuple[float | int | str, ...] | None


def _start(scope: str, cursor: str) -> _Start:
    return msgspec.json.decode(cursors.read(scope, cursor), type=_Start)


def _seed(slug: str, phase: int, pseudonym: str | None, now: datetime) -> str:
    """A participant's order stays for a day, and tells nobody who they are; visitors share one for a few minutes."""
    span = _DAY_S if pseudonym else _VISITORS_S
    return keyring.keyed_hash("cursors", "order", slug, str(phase), pseudonym or "", str(int(now.timestamp()) // span))[:16]


def _fitting(board: Board, wanted: Wanted) -> Iterator[tuple[int, Entry]]:
    kind, tag, answers, q = wanted.filters
    for relevance, entry in board.find(q or ""):
        if (not kind or entry.kind == kind) and (not tag or tag in entry.tags) and (not answers or answers in entry.answers):
            yield relevance, entry


def _keyed(
    found: Iterable[tuple[int, Entry]], sort: str, start: _Start, opened: float, counts: Mapping[str, Counts]
) -> Iterator[tuple[Key, str]]:
    """Each id with what it is ordered by, largest first; the newest first of what is level."""
    if sort == "match":
        return (((relevance, entry.id), entry.id) for relevance, entry in found)
    if sort == "new":
        return (((entry.id,), entry.id) for _, entry in found)
    if sort == "fair":
        place = ranking.fair(start.seed.encode(), opened, start.at)
        there = ((entry.id, entry.created / 1000) for _, entry in found)
        return (((place(one, created), one), one) for one, created in there if created <= start.at)
    return ((_score(sort, entry.id, counts.get(entry.id, _NOBODY)), entry.id) for _, entry in found)


def _score(sort: str, one: str, tally: Counts) -> Key:
    score = ranking.wilson if sort == "top" else ranking.divided
    return score(tally.up, tally.down), tally.up - tally.down, one


def _scored(counts: Mapping[str, Counts], sort: str) -> Iterator[tuple[Key, str]]:
    """The upper part of an order by votes, without the board: everything else is below what has a score."""
    keyed = ((_score(sort, one, tally), one) for one, tally in counts.items())
    return (pair for pair in keyed if pair[0][0])


def _beside(scene: Scene, listed: Listing, shown: list[str], now: datetime) -> Listing:
    """With the ideas themselves, unless they are there already, tallies and own votes: in one call. What was taken away since
    the board was made is left out."""
    slug, visible = scene.campaign.slug, listed.phase is not None and listed.phase.shows_tallies(now)
    wanted: dict[type[store.Record], list[store.Key]] = {}
    if not listed.items:
        wanted[Contribution] = [(f"{slug}#{contributions.phase_of(one)}", one) for one in shown]
    if visible:
        wanted[Tally] = [tallies.key_of(slug, one) for one in shown]
    if scene.pseudonym:
        wanted[Vote] = [(contributions.key(slug, one), scene.pseudonym) for one in shown]
    found = store.read_together(wanted, consistent=[Vote])
    by_id = {item.id: item for item in found.get(Contribution, listed.items) if item.is_published}
    return replace(
        listed,
        items=[by_id[one] for one in shown if one in by_id],
        tallies=tallies.by_id(found[Tally]) if visible else None,
        own=votes.by_id(found[Vote]) if scene.pseudonym else None,
    )
