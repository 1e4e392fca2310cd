"""E-mails that the minute sends: reminders to who asked for them, warnings to organisers, and what became of a launch to
everybody who left an address. The addresses stay sealed here; `mail` opens them, and sends each letter once however often it
was queued. What they say: `notices`.

Spread: N letters at SES's R a second (`MAIL_PER_S`) take N/R seconds. Those of the day before begin 24 hours before the
moment. Those of the moment begin N/R + 60 s before it, so that the last arrives by then, but not before the goal has been
decided: at the close, at the latest 15 minutes before. So 900 x R of them arrive in time whatever happens. All others go out
in rounds, one part after another, as far as R allows in each minute."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import partial
from math import ceil
from typing import Literal

from pynamodb.attributes import JSONAttribute, NumberAttribute, UnicodeAttribute

from . import launches, mail, notices, reminders, settings, slots, store, supporters
from .launches import Launch
from .mail import Letter
from .reminders import Reminder
from .supporters import Count

Kind = Literal["day", "moment"]
Part = Callable[[], Iterable[Letter]]
DAY_S, CATCH_UP_S = 86_400, 6 * 3600
MARGIN_S, HORIZON_S = 60, 75  # a tick queues what is due before the next one
PARTS_PER_TICK = 200
UNTOLD = "untold"
MARKS: tuple[tuple[notices.Mark, int], ...] = (("hours", 7200), ("day", DAY_S))


class Queued(store.Record):
    """How far one round of letters is: `n` parts have been queued, the last of their letters for `until` (epoch seconds).
    `plan`: the lanes when the round began. Of reminders (`day#<moment>#NN`, `moment#<moment>#NN`) `n` letters were queued."""

    class Meta:
        table_name = settings.table("launches")

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    n = NumberAttribute(default=0)
    until = NumberAttribute(default=0)
    plan: JSONAttribute = JSONAttribute(default=dict)


def remind(launch: Launch, *, now: datetime) -> None:
    """Queues what is due before the next minute for a launch that has not ended. Safe to repeat."""
    if launch.state in ("open", "frozen") and not launch.stopped_at:
        _remind(launch, now)
        _warn(launch, now)
        _tell_postponed(launch, now)
        _tell_stopped(launch, now)


def _remind(launch: Launch, now: datetime) -> None:
    moment, seconds, rate = float(launch.at), now.timestamp(), settings.current().mail_per_s
    if seconds > moment + CATCH_UP_S:
        return
    if moment - DAY_S - HORIZON_S <= seconds < min(moment, moment - DAY_S + CATCH_UP_S):
        _spread(launch, "day", moment - DAY_S, now)
        return
    counted = _counted(launch) if launch.state == "frozen" and launch.approved else {}
    start = moment - sum(counted.values()) / rate - MARGIN_S
    if counted and seconds + HORIZON_S >= start:
        _spread(launch, "moment", start, now, counted)


def _counted(launch: Launch) -> dict[str, int]:
    """Partition -> letters to be sent, as the recounts found them."""
    counts = Count.query(launch.id, Count.sk.startswith("reminders#"), consistent_read=True)
    return {f"{launch.id}#{count.sk}": int(count.mails) for count in counts if count.mails}


def _spread(launch: Launch, kind: Kind, start: float, now: datetime, counted: dict[str, int] | None = None) -> None:
    counted = _counted(launch) if counted is None else counted
    queued, before, rate, seconds = 0, 0, settings.current().mail_per_s, now.timestamp()
    title = notices.title(launch) if counted else ""
    for partition, number in counted.items():
        # What is late is sent from now on, one after another too.
        begin = max(start + before / rate, seconds + queued / rate)
        before += number
        if begin > seconds + HORIZON_S:
            break
        done = f"{kind}#{int(launch.at)}#{partition.rpartition('#')[2]}"
        if Queued.find(launch.id, done) is None:
            due = [one for one in reminders.of_partition(partition) if one.email and _wants(one, kind, launch)]
            letters = [notices.reminder(launch, one, kind, title) for one in due]
            queued += mail.queue((letter, ceil(begin + place / rate - seconds)) for place, letter in enumerate(letters))
            Queued(pk=launch.id, sk=done, n=len(due)).save()


def _wants(reminder: Reminder, kind: Kind, launch: Launch) -> bool:
    """Who asked, or was told of a new moment, within the last day needs no word of tomorrow."""
    since = max([float(reminder.made), *(float(one["when"]) for one in launch.postponed)])
    return kind == "moment" or since / 1000 < float(launch.at) - DAY_S


def _warn(launch: Launch, now: datetime) -> None:
    """Once for each mark and moment: the nearest that has passed while the launch was known, and is not approved."""
    seconds, moment = now.timestamp(), float(launch.at)
    if launch.approved or seconds > notices.approvable_until(launch):
        return
    for mark, before in MARKS:
        if seconds >= moment - before:
            if float(launch.created) / 1000 < moment - before:
                _go_on(launch, f"unapproved#{mark}#{int(moment)}", partial(_alone, partial(notices.unapproved, launch, mark)), now)
            return


def _alone(part: Part, _: object) -> list[Part]:
    return [part]


def _tell_postponed(launch: Launch, now: datetime) -> None:
    if launch.postponed:
        _go_on(launch, f"postponed#{len(launch.postponed)}", partial(_of_postponing, launch), now)


def _of_postponing(launch: Launch, plan: dict[str, int]) -> list[Part]:
    """Who posts themselves first: they may have plans."""
    reminded = [partial(notices.reminder_postponed, launch, one) for one in supporters.partitions(launch.id, "reminders")]
    lent = slots.chunks_of({lane: given for lane, given in plan.items() if not launch.is_stopped(slots.network_of(lane))})
    return [*reminded, *(partial(notices.postponed, launch, lane, chunk) for lane, chunk in lent)]


def _tell_stopped(launch: Launch, now: datetime) -> None:
    """Of single networks, where nothing can have gone out any more; else their outcomes decide in the end."""
    for one in launch.stops:
        if float(one["at"]) / 1000 <= float(launch.at) - launches.STOP_BEFORE_S:
            _go_on(launch, f"stopped#{one['network']}", partial(_of_stopping, launch, str(one["network"])), now)


def _of_stopping(launch: Launch, network: str, plan: dict[str, int]) -> list[Part]:
    lent = slots.chunks_of({lane: given for lane, given in plan.items() if slots.network_of(lane) == network})
    return [partial(notices.network_stopped, launch, lane, chunk) for lane, chunk in lent]


def untold() -> list[Launch]:
    """Launches that have ended and of which not everybody has been told. Read through an index."""
    return list(Launch.index.query(UNTOLD))


def tell(launch_id: str, *, now: datetime) -> None:
    """Goes on telling what became of a launch that has ended: organisers, who would have been reminded, who lent a post. A
    minute that is cut off goes on in the next. Safe to repeat."""
    launch = launches.get(launch_id)
    if launch is not None and launch.active == UNTOLD and _go_on(launch, "told", partial(_parts, launch), now):
        store.update_if(launch, [Launch.active.remove()], Launch.active == UNTOLD)


def _parts(launch: Launch, plan: dict[str, int]) -> list[Part]:
    found: list[Part] = [partial(notices.ended, launch)]
    if reminders.is_off(launch):
        found += [partial(notices.nothing_to_post, launch, partition) for partition in supporters.partitions(launch.id, "reminders")]
    return found + [partial(notices.not_sent, launch, lane, chunk) for lane, chunk in slots.chunks_of(plan)]


def _go_on(launch: Launch, name: str, parts_of: Callable[[dict[str, int]], Sequence[Part]], now: datetime) -> bool:
    """Queues a round's letters as far as they are due before the next tick; whether that were the last. A part whose tick died
    is queued again."""
    progress, seconds, rate = _begun(launch, name), now.timestamp(), settings.current().mail_per_s
    parts, until = parts_of(progress.plan), max(float(progress.until), seconds)
    last = min(len(parts), int(progress.n) + PARTS_PER_TICK)
    for number in range(int(progress.n), last):
        if until > seconds + HORIZON_S:
            return False
        sent = mail.queue((letter, ceil(until + place / rate - seconds)) for place, letter in enumerate(parts[number]()))
        until += sent / rate
        if (sent or number + 1 == last) and not _note(progress, number + 1, until):
            return False  # another tick is at it, or its answer was lost: the next one sees
    return int(progress.n) >= len(parts)


def _note(progress: Queued, done: int, until: float) -> bool:
    return store.update_if(progress, [Queued.n.set(done), Queued.until.set(until)], Queued.n == int(progress.n))


def _begun(launch: Launch, name: str) -> Queued:
    progress = Queued.find(launch.id, name)
    if progress is None:
        progress = Queued(pk=launch.id, sk=name, n=0, until=0, plan=launch.plan or slots.given(launch.id))
        if not store.save_if(progress, Queued.pk.does_not_exist()):
            progress.refresh(consistent_read=True)
    return progress
