"""What each minute does for every launch that has not ended: freeze, decide the goal, prepare, send the chunks' messages,
watch over chunks that nobody holds, settle. Any number of ticks, at any time, twice at once or cut off, change nothing."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import datetime

from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute

from . import (
    chunks,
    counts,
    grants,
    launches,
    letters,
    messages,
    pledges,
    rehearsals,
    reminders,
    reports,
    settings,
    slots,
    store,
    supporters,
)
from .chunks import State
from .errors import Conflict
from .launches import Launch
from .messages import Message
from .settings import GRACE_S, RESOLVE_AFTER_S
from .supporters import Supporter

PREPARE_FROM_S, PREPARE_UNTIL_S = 1800, 960
SEND_FROM_S = 900
WATCH_AT_S = (-45, -15, 10)
SETTLE_AFTER_S = 3600
MISSED_AFTER_S = GRACE_S + 60
CLAIM_S = 50
RECOUNT_UP_TO = 50_000
log = logging.getLogger(__name__)


class Progress(store.Record):
    """How far one lane's fan-out has come in one epoch: chunks below `sent` have their message. `until` (epoch
    milliseconds) is the claim of a tick at work, so that two at once do not both send."""

    class Meta:
        table_name = settings.table("launches")

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    sent = NumberAttribute(default=0)
    prepared = NumberAttribute(default=0)
    watched = BooleanAttribute(default=False)
    until = NumberAttribute(default=0)


def run(now: datetime) -> None:
    """One tick. One launch's failure does not keep the others from theirs; it is raised in the end."""
    failures = _each(launches.active(), step, now)
    failures += _each(letters.untold(), letters.tell, now)
    if failures:
        raise ExceptionGroup("launches failed in this tick", failures)


def _each(found: Iterable[Launch], work: Callable[..., None], now: datetime) -> list[Exception]:
    failures: list[Exception] = []
    for launch in found:
        try:
            work(launch.id, now=now)
        except Exception as error:  # the outer edge: raised by the caller, with every other launch served
            log.exception("launch %s", launch.id)
            failures.append(error)
    return failures


def step(launch_id: str, *, now: datetime) -> None:
    """One tick of one launch."""
    launch = launches.get(launch_id)
    if launch is None or launch.active != launches.ACTIVE:
        return
    if launch.state == "open" and now.timestamp() >= float(launch.closes_at):
        freeze(launch, now=now)
    _advance(launch, now)
    letters.remind(launch, now=now)  # after the posts, so that nothing about e-mails can hold them up
    rehearsals.advance(launch, now=now)


def _advance(launch: Launch, now: datetime) -> None:
    if launch.state not in ("open", "frozen"):
        _end(launch, launch.state, now)
    elif launch.stopped_at:
        _end_stopped(launch, now)
    elif launch.state == "open":
        _prepare(launch, slots.given(launch.id), now)
    elif not launch.approved and now.timestamp() > float(launch.at) - launch.lead_s() - launches.APPROVE_BEFORE_LEAD_S:
        _end(launch, "not_approved", now)
    else:
        _prepare(launch, launch.plan, now)
        if launch.approved:
            _release(launch, now)


def freeze(launch: Launch, *, now: datetime) -> None:
    """Closes the slots, whose counters are then the plan; recounts the people and decides the goal. Safe to repeat. A launch
    that is postponed at the same moment stays open."""
    try:
        plan = slots.freeze(launch.id, now, postponed=len(launch.postponed))
    except Conflict:
        launch.refresh(consistent_read=True)
        return
    people = _people(launch, plan)
    state = "frozen" if people >= int(launch.goal) else "goal_missed"
    actions = [Launch.plan.set(plan), Launch.people.set(people), Launch.state.set(state)]
    if not store.update_if(launch, actions, (Launch.state == "open") & (Launch.epoch == launch.epoch)):
        launch.refresh(consistent_read=True)


def _people(launch: Launch, plan: dict[str, int]) -> int:
    """Supporters at the close. The stream has counted all but the last seconds; unless they are very many, each
    partition is counted once more, and always where the goal would be missed. After a move that asked for a new yes, who has
    not given it is no supporter."""
    if launch.moved:
        return _who_agreed(launch, plan)
    people = launches.supporters(launch, consistent=True).people
    if sum(plan.values()) > RECOUNT_UP_TO and people >= int(launch.goal):
        return people
    for what in ("people", "reminders"):
        counts.recount(supporters.partitions(launch.id, what))
    counts.recount(slots.chunk_key(launch.id, lane, chunk) for lane, chunk in slots.chunks_of(plan))
    return launches.supporters(launch, consistent=True).people


def _who_agreed(launch: Launch, plan: dict[str, int]) -> int:
    keys = [slots.chunk_key(launch.id, lane, chunk) for lane, chunk in slots.chunks_of(plan)]
    agreed = {pledge.supporter for key in keys for pledge in pledges.of_chunk(key) if pledges.stands(launch, pledge)}
    everybody = (
        one for partition in supporters.partitions(launch.id, "people") for one in Supporter.query(partition, consistent_read=True)
    )
    reminded = {str(one.sk) for one in everybody if any(reminders.is_id(pledge) for pledge in one.pledges.values())}
    return len(agreed | reminded)


def _progress(launch: Launch, lane: str) -> Progress:
    key = f"lane#{int(launch.epoch):04d}#{lane}"
    return Progress.find(launch.id, key) or Progress(pk=launch.id, sk=key, sent=0, prepared=0, watched=False, until=0)


def _claim(progress: Progress, now: datetime) -> bool:
    until, ms = int((now.timestamp() + CLAIM_S) * 1000), int(now.timestamp() * 1000)
    return store.update_if(progress, [Progress.until.set(until)], Progress.until.does_not_exist() | (Progress.until <= ms))


def _prepare(launch: Launch, plan: dict[str, int], now: datetime) -> None:
    """A prepare message for each chunk that has come since the last tick, 30 to 16 minutes before the lane's time."""
    for lane, given in plan.items():
        if launch.is_stopped(slots.network_of(lane)):
            continue
        before = slots.planned_at(launch, lane) - now.timestamp()
        if not PREPARE_UNTIL_S <= before <= PREPARE_FROM_S:
            continue
        progress, total = _progress(launch, lane), slots.chunks_for(given)
        done = int(progress.prepared)
        if done < total:
            messages.send(Message("prepare", launch.id, int(launch.epoch), lane, chunk) for chunk in range(done, total))
            progress.update(actions=[Progress.prepared.set(total)])


def _release(launch: Launch, now: datetime) -> None:
    for lane in sorted(launch.plan, key=slots.lane_delay):
        at = slots.planned_at(launch, lane)
        if not launch.is_stopped(slots.network_of(lane)) and at - SEND_FROM_S <= now.timestamp() < at + GRACE_S:
            _send_lane(launch, lane, at, now)
        if at < now.timestamp():
            watch(launch, lane, now=now)
    _settle(launch, now)


def _send_lane(launch: Launch, lane: str, at: float, now: datetime) -> None:
    """The lane's chunk messages, delayed until its workers are to wake, and its watch messages: each once."""
    total = slots.chunks_for(launch.plan[lane])
    progress = _progress(launch, lane)
    if (int(progress.sent) >= total and progress.watched) or not _claim(progress, now):
        return
    epoch, left = int(launch.epoch), at - now.timestamp()
    for first in range(int(progress.sent), total, 500):
        last = min(total, first + 500)
        messages.send((Message("send", launch.id, epoch, lane, chunk) for chunk in range(first, last)), delay_s=int(left - launch.lead_s()))
        progress.update(actions=[Progress.sent.set(last)])
    if not progress.watched:
        for offset in WATCH_AT_S:
            if left + offset > 0:
                messages.send([Message("watch", launch.id, epoch, lane)], delay_s=int(left + offset))
        progress.update(actions=[Progress.watched.set(True), Progress.until.set(0)])


def watch(launch: Launch, lane: str, *, now: datetime) -> None:
    """Sends again what nobody holds: first sends of chunks with neither lease nor seal, within the grace; resolves of
    sealed ones whose worker has gone. A message too many finds a lease or a seal, and returns."""
    at, seconds = slots.planned_at(launch, lane), now.timestamp()
    again = []
    for chunk, state in _states(launch, lane).items():
        if state is None or (not state.sealed and not state.is_leased(seconds)):
            if seconds < at + GRACE_S and not launch.is_stopped(slots.network_of(lane)):
                again.append(Message("send", launch.id, int(launch.epoch), lane, chunk))
        elif state.sealed and not state.done and not state.is_leased(seconds) and seconds > float(state.sealed) / 1000 + RESOLVE_AFTER_S:
            again.append(Message("resolve", launch.id, int(launch.epoch), lane, chunk))
    if again:
        log.warning("lane %s of %s: %d chunks sent again", lane, launch.id, len(again))
        messages.send(again)


def _states(launch: Launch, lane: str) -> dict[int, State | None]:
    """By chunk number; None where no worker has been."""
    numbers = range(slots.chunks_for(launch.plan[lane]))
    found = chunks.get_all([slots.chunk_key(launch.id, lane, number) for number in numbers], int(launch.epoch))
    return {number: found.get(slots.chunk_key(launch.id, lane, number)) for number in numbers}


def _settle(launch: Launch, now: datetime) -> None:
    """Ends the launch once its last moment has come and every chunk is done or missed, or one hour after the last lane."""
    since = now.timestamp() - _last(launch)
    states = [(lane, state) for lane in launch.plan for state in _states(launch, lane).values()] if since > 0 else []
    if since > SETTLE_AFTER_S or (since > 0 and all(_is_final(launch, lane, state, now) for lane, state in states)):
        _end(launch, "settled", now)


def _last(launch: Launch) -> float:
    return float(launch.at) + max((slots.lane_delay(lane) for lane in launch.plan), default=0)


def _is_final(launch: Launch, lane: str, state: State | None, now: datetime) -> bool:
    if state is not None and (state.done or state.sealed):
        return bool(state.done)
    held = state is not None and state.is_leased(now.timestamp())
    if launch.is_stopped(slots.network_of(lane)):
        return not held
    return not held and now.timestamp() > slots.planned_at(launch, lane) + MISSED_AFTER_S


def _end_stopped(launch: Launch, now: datetime) -> None:
    """A stopped launch ends once no worker can still be sending: what has sealed is let finish."""
    if launch.state == "open":
        freeze(launch, now=now)
    found = [state for lane in launch.plan or {} for state in _states(launch, lane).values() if state]
    busy = any((state.sealed and not state.done) or state.is_leased(now.timestamp()) for state in found)
    if not busy or now.timestamp() > _last(launch) + SETTLE_AFTER_S:
        _end(launch, "stopped", now)
    else:
        for lane in launch.plan:
            watch(launch, lane, now=now)


def _end(launch: Launch, state: str, now: datetime) -> None:
    """Ends it, unless it is postponed at the same moment; then writes the launch report, destroys the key, and takes the launch out
    of the minute's sight, in this order, so that a tick that is cut off is simply done again. What became of it is told from now
    on: see `letters`."""
    as_read = (Launch.state == launch.state) & (Launch.epoch == launch.epoch)
    if launch.state != state and not store.update_if(launch, [Launch.state.set(state)], as_read):
        return
    reports.write(launch, now=now)
    grants.destroy_key(launch.campaign, launch.id, now=now)
    at = int(now.timestamp() * 1000)
    launch.update(actions=[Launch.settled_at.set(Launch.settled_at | at), Launch.active.set(letters.UNTOLD)])
