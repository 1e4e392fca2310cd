"""E-mails that the minute sends to who asked for them: reminders, and that a post could not be sent. The addresses stay
sealed here; `mail` opens them, and sends each letter once however often it was queued.

Spread: N letters at SES's R a second (`MAIL_PER_S`) take N/R seconds. Those of the day before begin 24 hours before the
moment. Those of the moment begin N/R + 60 s before it, so that the last arrives by then, but not before the goal has been
decided: at the close, at the latest 15 minutes before. So 900 x R of them arrive in time whatever happens."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from math import ceil
from typing import Literal

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from . import campaigns, launches, mail, pledges, reminders, reports, settings, slots, store
from .launches import Launch
from .mail import Letter
from .reminders import Reminder
from .supporters import Count

Kind = Literal["day", "moment"]
DAY_S, CATCH_UP_S = 86_400, 6 * 3600
MARGIN_S, HORIZON_S = 60, 75  # a tick queues what is due before the next one
_WHY = {
    "goal_missed": "Fewer people joined in than were needed, so nothing was posted for anybody.",
    "not_approved": "The organisers did not approve it in time, so nothing was posted for anybody.",
    "stopped": "The organisers stopped it.",
    "missed": "Something went wrong on our side. Your permission has been deleted.",
    "refused": "Your network did not take it.",
    "reconnect": "Your permission no longer worked.",
    "unknown": "Your network did not tell us what became of it: please look at your account before you post it again.",
}


class Queued(store.Record):
    """How far one kind of letters is: `n` partitions or chunks have been queued. `day#NN`, `moment#NN`, `not-sent`."""

    class Meta:
        table_name = settings.table("launches")

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    n = NumberAttribute(default=0)


def remind(launch: Launch, *, now: datetime) -> int:
    """Queues the reminders that are due before the next minute; returns how many. Safe to repeat."""
    moment, seconds, rate = float(launch.at), now.timestamp(), settings.current().mail_per_s
    if launch.stopped_at or seconds > moment + CATCH_UP_S:
        return 0
    if moment - DAY_S - HORIZON_S <= seconds < min(moment, moment - DAY_S + CATCH_UP_S):
        return _spread(launch, "day", moment - DAY_S, now)
    counted = _counted(launch) if launch.state == "frozen" and launch.approved else {}
    start = moment - sum(counted.values()) / rate - MARGIN_S
    return _spread(launch, "moment", start, now, counted) if counted and seconds + HORIZON_S >= start else 0


def _counted(launch: Launch) -> dict[str, int]:
    """Partition -> letters to be sent, as the recounts found them."""
    counts = Count.query(launch.id, Count.sk.startswith("reminders#"), consistent_read=True)
    return {f"{launch.id}#{count.sk}": int(count.mails) for count in counts if count.mails}


def _spread(launch: Launch, kind: Kind, start: float, now: datetime, counted: dict[str, int] | None = None) -> int:
    counted = _counted(launch) if counted is None else counted
    queued, before, rate, seconds, title = 0, 0, settings.current().mail_per_s, now.timestamp(), _title(launch) if counted else ""
    for partition, number in counted.items():
        # What is late is sent from now on, one after another too.
        begin = max(start + before / rate, seconds + queued / rate)
        before += number
        if begin > seconds + HORIZON_S:
            break
        done = f"{kind}#{partition.rpartition('#')[2]}"
        if Queued.find(launch.id, done) is None:
            due = [one for one in reminders.of_partition(partition) if one.email and _wants(one, kind, launch)]
            letters = ((_reminder(launch, one, kind, title), ceil(begin + place / rate - seconds)) for place, one in enumerate(due))
            queued += mail.queue(letters)
            Queued(pk=launch.id, sk=done, n=len(due)).save()
    return queued


def _wants(reminder: Reminder, kind: Kind, launch: Launch) -> bool:
    """Who asked within the last day needs no word of tomorrow."""
    return kind == "moment" or float(reminder.made) / 1000 < float(launch.at) - DAY_S


def _reminder(launch: Launch, one: Reminder, kind: Kind, title: str) -> Letter:
    data = {"campaign": title, "at": launch.in_words, "link": str(one.link)}
    return Letter(bytes(one.email), one.id, f"remind_{kind}", data, f"{one.id}#{kind}")


def _title(launch: Launch) -> str:
    return str(campaigns.get(launch.campaign).title)


def tell_not_sent(launch: Launch) -> None:
    """Tells everyone who asked for it that their post was not sent, and why. For a launch that is ending, after its report.
    A minute that is cut off goes on in the next. Safe to repeat."""
    found = slots.chunks_of(launch.plan or {})
    progress = Queued.find(launch.id, "not-sent") or Queued(pk=launch.id, sk="not-sent", n=0)
    for number, (lane, chunk) in enumerate(found[int(progress.n) :], int(progress.n) + 1):
        mail.queue(_in_turn(_not_sent(launch, lane, chunk)))
        progress.update(actions=[Queued.n.set(number)])


def _in_turn(letters: Iterable[Letter]) -> Iterator[tuple[Letter, int]]:
    return ((letter, int(place / settings.current().mail_per_s)) for place, letter in enumerate(letters))


def _not_sent(launch: Launch, lane: str, chunk: int) -> Iterator[Letter]:
    asked = [pledge for pledge in pledges.of_chunk(slots.chunk_key(launch.id, lane, chunk)) if pledge.email]
    if not asked:
        return
    items, title = reports.items_of(launch, lane, chunk), _title(launch)
    for pledge in asked:
        outcome = str(items[str(pledge.sk)]["outcome"]) if str(pledge.sk) in items else "missed"
        why = launch.state if outcome == "missed" and launch.state in launches.NOT_OUT else outcome
        if why in _WHY:
            data = {"campaign": title, "at": launch.in_words, "why": _WHY[why], "link": str(pledge.link)}
            yield Letter(bytes(pledge.email), pledge.id, "not_sent", data, f"{pledge.id}#not-sent")
