"""Reminder pledges: a supporter posts with their own hands, on any network, and is reminded. No permission and no slot; they
count as people, and apart from the posts that we send: as reminded, opened and said to be done, never as posted.

An e-mail the day before, and one that arrives by the moment, are spread so that SES's quota holds: see `letters`."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pynamodb.attributes import BinaryAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.transactions import TransactWrite

from . import drafts, ids, launches, limits, mail, pledges, settings, slots, store, supporters
from .campaigns import Campaign
from .drafts import Access
from .errors import Conflict, Invalid, NotFound
from .launches import Launch

NETWORKS = ("x", "facebook", "tumblr", "mastodon", "bluesky", "threads", "linkedin")
TEXT_MAX = 5_000
_COUNTED = {"mails": "email", "opened": "opened", "done": "done"}
ALARM_BEFORE = timedelta(minutes=10)
_ID = re.compile(r"(?P<launch>[0-9a-z]+)\.reminder\.(?P<partition>[0-9]{2})\.(?P<key>[0-9a-z]{26})", re.ASCII)


class Reminder(store.Record):
    """The id is a random one that only its maker gets, in their browser and their e-mails: who has it may see the reminder,
    and take it back. `email` is sealed; `link` its page. Times in epoch milliseconds."""

    class Meta:
        table_name = settings.table("pledges")

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    supporter = UnicodeAttribute()
    network = UnicodeAttribute()
    text = UnicodeAttribute()
    made = NumberAttribute()
    email = BinaryAttribute(legacy_encoding=False, null=True)
    link = UnicodeAttribute(null=True)
    opened = NumberAttribute(null=True)
    done = NumberAttribute(null=True)
    withdrawn = NumberAttribute(null=True)

    @property
    def launch(self) -> str:
        return str(self.pk).split("#")[0]

    @property
    def id(self) -> str:
        launch, _, partition = str(self.pk).split("#")
        return f"{launch}.reminder.{partition}.{self.sk}"


@dataclass(frozen=True, slots=True)
class NewReminder:
    """`page`: where the reminders' pages begin, for the e-mails; `email` is optional."""

    network: str
    text: str
    email: str | None
    page: str


@dataclass(frozen=True, slots=True)
class Made:
    """`token` comes once, for who is not signed in and brought none."""

    reminder: Reminder
    token: str | None


def is_id(text: str) -> bool:
    return _ID.fullmatch(text) is not None


def make(campaign: Campaign, new: NewReminder, access: Access, *, request: str, now: datetime) -> Made:
    """A reminder. Repeating the `request` answers with the same one.

    Raises `Invalid` (network, text, email), `NotFound` (no_launch), `Conflict` (closed, second_pledge)."""
    launch = launches.of(campaign)
    if not launch.is_open(now):
        raise slots.closed()
    _check(new)
    token = None if access.person or access.token else ids.token()
    name = drafts.names(campaign, access if token is None else Access(None, token))[0]
    who = "" if token else name  # without a token of theirs, only the request itself says that it comes again
    same = hashlib.sha256("\n".join((request, who, new.network, new.text, new.email or "")).encode()).hexdigest()
    key = limits.once(f"reminder#{launch.id}", same, now=now)
    reminder = Reminder(pk=supporters.partition(launch.id, "reminders", key), sk=key, supporter=name, network=new.network)
    reminder.text, reminder.made = new.text, ids.milliseconds(now)
    if new.email:
        reminder.email, reminder.link = mail.sealed(new.email, reminder.id), f"{new.page}/{reminder.id}"
    return _write(launch, reminder, token)


def _check(new: NewReminder) -> None:
    if new.network not in NETWORKS:
        raise Invalid.field("network", f"please choose one of {', '.join(NETWORKS)}")
    if not new.text.strip() or len(new.text) > TEXT_MAX:
        raise Invalid.field("text", f"1 to {TEXT_MAX} characters")


def _write(launch: Launch, reminder: Reminder, token: str | None) -> Made:
    supporter = supporters.get(launch.id, reminder.supporter)
    free = reminder.network not in supporter.pledges

    def fill(transaction: TransactWrite) -> None:
        transaction.save(reminder, condition=Reminder.pk.does_not_exist())
        supporters.put(transaction, supporter, pledges={**supporter.pledges, reminder.network: reminder.id})

    if free and store.write_together(fill) is None:
        return Made(reminder, token)
    landed = Reminder.find(str(reminder.pk), str(reminder.sk))  # our own write, or the same request before
    if landed is None and free:
        raise Conflict("Your record changed at the same moment; please try again.", code="changed")
    if landed is None:
        raise pledges.second_pledge()
    return Made(landed, token if landed.supporter == reminder.supporter else None)


def find(campaign: Campaign, reminder: str) -> Reminder:
    """Raises `NotFound`."""
    named = _ID.fullmatch(reminder)
    found = Reminder.find(f"{named['launch']}#reminders#{named['partition']}", named["key"]) if named else None
    if found is None or found.launch != campaign.launch:
        raise NotFound("There is no such reminder.")
    return found


def of_supporter(campaign: Campaign, access: Access) -> list[pledges.Pledge | Reminder]:
    """What who asks has lent in the campaign, and of what they will be reminded."""
    known = [supporters.get(str(campaign.launch), name) for name in drafts.names(campaign, access)] if campaign.launch else []
    ids_of = list(dict.fromkeys(one for supporter in known for one in (*supporter.pledges.values(), *supporter.shown)))
    return [find(campaign, one) if is_id(one) else pledges.find_confirmed(one) for one in ids_of]


def withdraw(campaign: Campaign, reminder: str, *, now: datetime) -> None:
    """Takes the reminder back, and forgets its address. Safe to repeat. Raises `NotFound`, `Conflict` (changed)."""
    found = find(campaign, reminder)
    for _ in range(5):
        if found.withdrawn or _take_back(found, now):
            return
        found.refresh(consistent_read=True)
    raise Conflict("Your record changed at the same moment; please try again.", code="changed")


def _take_back(reminder: Reminder, now: datetime) -> bool:
    supporter = supporters.get(reminder.launch, reminder.supporter)

    def fill(transaction: TransactWrite) -> None:
        actions: list[Any] = [Reminder.withdrawn.set(ids.milliseconds(now)), Reminder.email.remove()]
        transaction.update(reminder, actions=actions, condition=Reminder.pk.exists() & Reminder.withdrawn.does_not_exist())
        supporters.put(transaction, supporter, pledges={n: p for n, p in supporter.pledges.items() if p != reminder.id})

    return store.write_together(fill) is None


def note_opened(campaign: Campaign, reminder: str, *, now: datetime) -> Reminder:
    """Notes, once, that the network's own form was opened from here. Raises `NotFound`."""
    found = find(campaign, reminder)
    unopened = Reminder.pk.exists() & Reminder.opened.does_not_exist() & Reminder.withdrawn.does_not_exist()
    store.update_if(found, [Reminder.opened.set(ids.milliseconds(now))], unopened)
    return found


def note_done(campaign: Campaign, reminder: str, *, now: datetime) -> Reminder:
    """Notes, once, that the supporter says to have posted. Raises `NotFound`."""
    found = find(campaign, reminder)
    unsaid = Reminder.pk.exists() & Reminder.done.does_not_exist() & Reminder.withdrawn.does_not_exist()
    store.update_if(found, [Reminder.done.set(ids.milliseconds(now))], unsaid)
    return found


def of_partition(partition: str) -> list[Reminder]:
    """The live reminders, read consistently."""
    return [reminder for reminder in Reminder.query(partition, consistent_read=True) if not reminder.withdrawn]


def counted(partition: str) -> dict[str, int]:
    """For the recount."""
    live = of_partition(partition)
    having = {name: sum(1 for one in live if getattr(one, of)) for name, of in _COUNTED.items()}
    return {"n": len(live)} | having


def is_off(launch: Launch) -> bool:
    """Whether there is nothing to post: the launch ended, or was stopped, before its moment."""
    stopped = launch.stopped_at is not None and float(launch.stopped_at) / 1000 < float(launch.at)
    return stopped or launch.state in ("goal_missed", "not_approved")


def event(reminder: Reminder, launch: Launch, title: str, page: str, *, now: datetime) -> bytes:
    """The moment as an iCalendar file (RFC 5545) with its zone and an alarm ten minutes before. One that was moved or is off
    takes the place of the earlier file: the same `UID` with a higher `SEQUENCE`."""
    from icalendar import Alarm, Calendar, Event

    calendar, moment, alarm = Calendar(), Event(), Alarm()
    calendar.add("prodid", "-//Groundswell//Reminder//EN")
    calendar.add("version", "2.0")
    moment.add("uid", f"{reminder.id}@groundswell")
    moment.add("sequence", 2 * int(launch.revision) + is_off(launch))
    moment.add("status", "CANCELLED" if is_off(launch) else "CONFIRMED")
    moment.add("dtstamp", now)
    moment.add("dtstart", launch.moment)
    moment.add("dtend", launch.moment + timedelta(minutes=15))
    moment.add("summary", f"Post for {title}")
    moment.add("description", f"{reminder.text}\n\n{page}")
    moment.add("url", page)
    for name, value in (("action", "DISPLAY"), ("description", f"Post for {title}"), ("trigger", -ALARM_BEFORE)):
        alarm.add(name, value)
    if not is_off(launch):
        moment.add_component(alarm)
    calendar.add_component(moment)
    calendar.add_missing_timezones()
    return bytes(calendar.to_ical())
