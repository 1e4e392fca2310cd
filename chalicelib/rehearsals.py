"""Rehearsals of a launch: asked for by an organiser or the operator, begun by the minute, done by workers, chunk by chunk.

probe: one harmless read with each permission, slowly enough for every host. dress: everything that a launch does up to sending
nothing, at a moment of its own. Neither touches a chunk's state, takes a slot or seals anything. The last of each kind is kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from operator import itemgetter
from typing import Any, Literal

from pynamodb.attributes import JSONAttribute, NumberAttribute, UnicodeAttribute

from . import ids, launches, messages, networks, settings, slots, store
from .campaigns import Campaign
from .errors import Conflict, Invalid
from .launches import Launch
from .messages import DELAY_MAX_S, Message

Kind = Literal["probe", "dress"]
Standing = Literal["asked", "running", "done", "unfinished"]
PARTS = 2  # a probe of one lane is spread over so many periods, so that it takes half of what a host gives us in each
APART_S = 3600  # a dress rehearsal is at least so far from every launch
DRESS_AFTER_S, DRESS_WITHIN_S = 180, 14 * 86_400
CLAIM_S, WORK_S = 240.0, 180.0


class Rehearsal(store.Record):
    """The last of its kind. `by`: an organiser's pseudonym, or "operator". `at` (epoch seconds): when a probe begins, or the
    moment of a dress rehearsal. `plan` (lane -> slots given then) once the minute has begun it; chunks below `sent` have their
    message. `ended`: why the minute gave it up. `asked` in epoch milliseconds."""

    class Meta:
        table_name = settings.table("launches")

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    id = UnicodeAttribute()
    by = UnicodeAttribute()
    asked = NumberAttribute()
    at = NumberAttribute()
    plan = JSONAttribute(null=True)
    sent = NumberAttribute(default=0)
    ended = UnicodeAttribute(null=True)

    @property
    def kind(self) -> Kind:
        return "dress" if str(self.sk).endswith("dress") else "probe"

    @property
    def ends(self) -> float:
        """When its last worker has finished, if all goes well; epoch seconds."""
        lanes: Mapping[str, int] = self.plan or {}
        if self.kind == "dress":
            return float(self.at) + max(map(slots.lane_delay, lanes), default=0) + WORK_S
        return max((self.part_at(lane, PARTS) for lane in lanes), default=float(self.at) + PARTS * 300) + WORK_S

    def part_at(self, lane: str, part: int) -> float:
        """When a part of a probe's lane begins; epoch seconds."""
        network, _, window = lane.rpartition(".")
        return float(self.at) + (PARTS * int(window) + part) * networks.get(network).PERIOD_S

    def planned_at(self, lane: str) -> float:
        """The lane's own time in a dress rehearsal."""
        return float(self.at) + slots.lane_delay(lane)


class Result(store.Record):
    """What a worker found in one part of one chunk, written once. `claim`, `until`: who does it now. `found`: counts by name;
    `failing`: slots whose permission no longer works; `more`: another part follows. Times in epoch milliseconds."""

    class Meta:
        table_name = settings.table("chunks")

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    claim = UnicodeAttribute()
    until = NumberAttribute()
    done = NumberAttribute(null=True)
    found: JSONAttribute = JSONAttribute(default=dict)
    failing: JSONAttribute = JSONAttribute(default=list)
    more = NumberAttribute(default=0)


def key(rehearsal: str) -> str:
    """The partition of a rehearsal's results."""
    return f"rehearsal#{rehearsal}"


def last(launch: str, kind: Kind) -> Rehearsal | None:
    return Rehearsal.find(launch, f"rehearsal#{kind}")


def start(campaign: Campaign, by: str, kind: Kind, *, at: datetime | None = None, now: datetime) -> Rehearsal:
    """Asks for a rehearsal; the next minute begins it. While one is under way, that one is answered, so that repeating asks no
    network for more. Raises `NotFound`, `Conflict` (ended, too_near, rehearsing, frozen), `Invalid` (at)."""
    launch = launches.of(campaign)
    if not launch.active or launch.stopped_at:
        raise Conflict("This launch has ended.", code="ended")
    moment = _dress_moment(launch, at, now) if kind == "dress" else _probe_moment(launch, now)
    standing = last(launch.id, kind)
    if standing and not standing.ended and now.timestamp() < standing.ends:
        if kind == "dress" and int(standing.at) != moment:
            raise Conflict(f"A dress rehearsal is set for {told(launch, float(standing.at))} already.", code="rehearsing")
        return standing
    made = Rehearsal(pk=launch.id, sk=f"rehearsal#{kind}", id=ids.short(), by=by, asked=ids.milliseconds(now), at=moment, sent=0)
    unchanged = Rehearsal.id == standing.id if standing else Rehearsal.pk.does_not_exist()
    store.save_if(made, unchanged)
    found = last(launch.id, kind)  # ours, or that of somebody who asked at the same moment
    assert found is not None
    return found


def _probe_moment(launch: Launch, now: datetime) -> int:
    if now.timestamp() > float(launch.at) - settings.current().freeze_before_s:
        raise Conflict("The moment is too near: what servers give us is kept for the posts themselves now.", code="too_near")
    return int(now.timestamp())


def _dress_moment(launch: Launch, at: datetime | None, now: datetime) -> int:
    if at is None or at.tzinfo is None:
        raise Invalid.field("at", "when the dress rehearsal is to be")
    early = int(now.timestamp()) + launch.lead_s() + DRESS_AFTER_S
    if not early <= at.timestamp() <= now.timestamp() + DRESS_WITHIN_S:
        raise Invalid.field("at", f"from {told(launch, -(-early // 60) * 60)}, when workers can be ready, to two weeks from now")
    why = _in_the_way(launch, int(at.timestamp()))
    if why:
        raise Conflict(_WHY[why], code=why)
    return int(at.timestamp())


_WHY = {
    "frozen": "A launch is getting ready; it must not be disturbed by a rehearsal.",
    "too_near": "A dress rehearsal must be at least an hour away from every launch.",
}


def _in_the_way(launch: Launch, at: float) -> Literal["frozen", "too_near"] | None:
    """Workers and servers are shared by all launches, so each one counts."""
    every = [one for one in (launches.get(found.id) for found in launches.active()) if one]
    if launch.state == "frozen" or any(one.state == "frozen" and not one.stopped_at for one in every):
        return "frozen"
    late = max(map(slots.lane_delay, slots.given(launch.id)), default=0)
    return "too_near" if any(at - APART_S < float(one.at) < at + late + APART_S for one in [launch, *every]) else None


def told(launch: Launch, seconds: float) -> str:
    """A time for a message to people, on the launch's own clock."""
    moment = datetime.fromtimestamp(seconds, launch.moment.tzinfo)
    return f"{moment.day} {moment:%B}, {moment:%H:%M}"


def advance(launch: Launch, *, now: datetime) -> None:
    """One tick: begins what was asked for, and sends the messages that are due. Any number of ticks, twice at once or cut off,
    do no harm: a part that is claimed or done is not done again."""
    for one in Rehearsal.query(launch.id, Rehearsal.sk.startswith("rehearsal#")):
        if not one.ended and now.timestamp() < one.ends and _may_go_on(launch, one, now):
            _send(launch, one, now)


def _may_go_on(launch: Launch, one: Rehearsal, now: datetime) -> bool:
    why = _in_the_way(launch, float(one.at)) if one.kind == "dress" else None
    if one.kind == "probe" and (launch.stopped_at or now.timestamp() > float(launch.at) - settings.current().freeze_before_s):
        why = "too_near"
    if why:
        one.update(actions=[Rehearsal.ended.set(why)], condition=Rehearsal.id == one.id)
    return not why


def _send(launch: Launch, one: Rehearsal, now: datetime) -> None:
    if one.kind == "dress" and now.timestamp() < float(one.at) - DELAY_MAX_S:
        return
    if one.plan is None:
        plan = launch.plan if launch.plan is not None else slots.given(launch.id)
        if not store.update_if(one, [Rehearsal.plan.set(plan)], (Rehearsal.id == one.id) & Rehearsal.plan.does_not_exist()):
            one.refresh(consistent_read=True)
    sent = int(one.sent)
    for lane, due in groupby(slots.chunks_of(one.plan)[sent:], key=itemgetter(0)):
        begins = one.planned_at(lane) - launch.lead_s() if one.kind == "dress" else one.part_at(lane, 0)
        delay = int(begins - now.timestamp())
        if delay > DELAY_MAX_S:
            break
        asked = (Message(one.kind, launch.id, int(launch.epoch), lane, chunk, rehearsal=str(one.id)) for _, chunk in due)
        sent += messages.send(asked, delay_s=delay)
    store.update_if(one, [Rehearsal.sent.set(sent)], (Rehearsal.id == one.id) & (Rehearsal.sent <= sent))


def of_message(message: Message) -> Rehearsal | None:
    """The rehearsal that a message belongs to; None where another has taken its place, or it was given up."""
    found = last(message.launch, "dress" if message.do == "dress" else "probe")
    return found if found and found.id == message.rehearsal and not found.ended else None


def claim(message: Message, *, now: float) -> Result | None:
    """Takes one part of one chunk; None where it is done, or somebody does it. A claim lapses by itself."""
    one = Result(pk=key(message.rehearsal), sk=f"{message.lane}#{message.chunk:06d}#{message.part}", claim=ids.short())
    one.until = int((now + CLAIM_S) * 1000)
    mine, free = str(one.claim), Result.pk.does_not_exist() | (Result.done.does_not_exist() & (Result.until < int(now * 1000)))
    if store.save_if(one, free):
        return one
    current = Result.find(str(one.pk), str(one.sk))
    return one if current and current.claim == mine and not current.done else None


def finish(result: Result, found: Mapping[str, Any], *, failing: Iterable[str] = (), more: bool = False, now: float) -> bool:
    """Writes what was found, once; False where somebody else has taken the part over. Safe to repeat."""
    actions = [Result.found.set(dict(found)), Result.failing.set(sorted(failing)), Result.more.set(int(more))]
    mine = (Result.claim == result.claim) & Result.done.does_not_exist()
    if store.update_if(result, [*actions, Result.done.set(int(now * 1000))], mine):
        return True
    current = Result.find(str(result.pk), str(result.sk))
    return bool(current and current.done and current.claim == result.claim)


@dataclass(frozen=True, slots=True)
class Looked:
    """How far a rehearsal is, and what it found. `done` of `chunks`; `counts`: network -> name -> number, `late_ms` apart."""

    kind: Kind
    standing: Standing
    at: datetime
    asked: datetime
    again_at: datetime
    chunks: int
    done: int
    counts: Mapping[str, Mapping[str, int]]
    measured: Mapping[str, list[float]]


def look(launch: str, kind: Kind, *, now: datetime) -> Looked | None:
    """The last rehearsal of a kind; None where there was none."""
    one = last(launch, kind)
    if one is None:
        return None
    results = [result for result in Result.query(key(str(one.id))) if result.done]
    counts: dict[str, Counter[str]] = {}
    measured: dict[str, list[float]] = {}
    for result in results:
        for name, value in result.found.items():
            if isinstance(value, list):
                measured.setdefault(name, []).extend(value)
            else:
                counts.setdefault(str(result.sk).partition(".")[0], Counter())[name] += int(value)
    chunks, done = len(slots.chunks_of(one.plan or {})), sum(1 for result in results if not result.more)
    times = [datetime.fromtimestamp(seconds, UTC) for seconds in (float(one.at), float(one.asked) / 1000, one.ends)]
    return Looked(kind, _standing(one, chunks, done, now), times[0], times[1], times[2], chunks, done, counts, measured)


def _standing(one: Rehearsal, chunks: int, done: int, now: datetime) -> Standing:
    if one.plan is not None and done >= chunks:
        return "done"
    if one.ended or now.timestamp() > one.ends:
        return "unfinished"
    return "asked" if one.plan is None else "running"


def failing(launch: str) -> Iterator[tuple[str, list[str]]]:
    """Where the last probe found permissions that no longer work: (the chunk's key, its slots), for whoever writes to them."""
    one = last(launch, "probe")
    for result in Result.query(key(str(one.id))) if one else ():
        if result.done and result.failing:
            lane, chunk, _ = str(result.sk).split("#")
            yield slots.chunk_key(launch, lane, int(chunk)), list(result.failing)
