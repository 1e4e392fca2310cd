"""Who is told of a launch, and what lies in the queue for them: shared by the tests of letters."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from chalicelib import drafts, mail, notices, pledges, supporters, team
from chalicelib.drafts import Access
from chalicelib.pledges import Contact, Pledge
from chalicelib.reminders import Reminder
from tests.aws import Killed, Queued, die, hook, nth, take_queued
from tests.launching import Launching
from tests.test_reminders import people, remind

PAGE = "https://change.example.org/c/change-challenge/launch"


def plan(launching: Launching) -> Launching:
    """The moment is in three days; olive and oscar organise, mona moderates."""
    launching.propose(at=launching.now + timedelta(days=3), closes_at=launching.now + timedelta(days=3, minutes=-20))
    notices.note_page(launching.launch, PAGE)
    welcome = team.Welcome("Change Challenge", "https://change.example.org/sign-in")
    team.invite("change-challenge", "oscar@example.org", ["organiser"], welcome, now=launching.now)
    team.invite("change-challenge", "mona@example.org", ["moderator"], welcome, now=launching.now)
    take_queued("mail")
    return launching


def ticked(launching: Launching, *seconds: float) -> list[Queued]:
    """What is queued for `mail` by ticks at these seconds from the moment."""
    for at in seconds:
        launching.tick(launching.moment(at))
    return take_queued("mail")


def cut_off(launching: Launching, number: int, *seconds: float, after: bool) -> int:
    """Ticks, one of which dies before or after the `number`-th batch that it sends; gives how often one died."""
    died = 0
    with hook("sqs", "SendMessageBatch", nth(number, die), after=after):
        for at in seconds:
            try:
                launching.tick(launching.moment(at))
            except Killed:
                died += 1
    return died


def lend(launching: Launching, name: str, town: int = 0) -> Pledge:
    """With an address to be told at."""
    host = launching.towns.hosts[town].name
    drafted = drafts.draft(launching.campaign, network="mastodon", server=host, text=name, person=None, token=None, now=launching.now)
    contact = Contact(f"{name}@example.org", "https://example.org/mine")
    token = launching.towns.token(host, name)
    return pledges.confirm(launching.campaign, drafted.draft.id, token, Access(None, drafted.token), contact=contact, now=launching.now)


def text_of(queued: Queued) -> str:
    return mail.TEXTS[queued.message["kind"]][1].format(**queued.message["data"])


def kinds(queued: list[Queued]) -> Counter[str]:
    return Counter(one.message["kind"] for one in queued)


def join(launching: Launching) -> Launching:
    """Ann and Ben lent posts, Cat without an address; Dan and Eve are reminded, Eve without an address."""
    launching.propose()
    notices.note_page(launching.launch, PAGE)
    lend(launching, "ann")
    lend(launching, "ben", 1)
    launching.pledge("cat", 1)
    remind(launching, email="dan@example.org")
    remind(launching, "linkedin")
    people(launching)
    take_queued("mail")
    return launching


def remind_many(launching: Launching) -> Launching:
    """A hundred and forty people are to be told."""
    launching.propose()
    for number in range(140):
        key = f"{number:026d}"
        partition = supporters.partition(launching.launch.id, "reminders", key)
        one = Reminder(pk=partition, sk=key, supporter=f"s{number}", network="x", text="Mine.", made=1, link="https://example.org/r")
        one.email = mail.sealed(f"person{number}@example.org", one.id)
        one.save()
    return launching
