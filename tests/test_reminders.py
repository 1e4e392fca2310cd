"""Being reminded to post: counted as people and apart, by e-mail once for each kind and in time, and in a calendar."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from icalendar import Calendar, Event

from chalicelib import counts, fan_out, launches, letters, mail, reminders, reports, settings
from chalicelib.drafts import Access
from chalicelib.errors import Conflict, Invalid, NotFound
from chalicelib.reminders import Made, NewReminder
from chalicelib.supporters import Counts
from tests.aws import Queued, hook, lost_response, take_queued, take_records
from tests.conftest import Make
from tests.launching import Launching

NOBODY = Access(None, None)


def remind(launching: Launching, network: str = "x", email: str | None = None, access: Access = NOBODY, request: str = "") -> Made:
    new = NewReminder(network, "I post this myself.", email, "https://example.org/c/change-challenge/remind")
    return reminders.make(launching.campaign, new, access, request=request or f"{network}{email}", now=launching.now)


def people(launching: Launching) -> Counts:
    counts.recount(record["dynamodb"]["Keys"]["pk"]["S"] for record in take_records("pledges"))
    return launches.supporters(launching.launch)


def sent_to(queued: list[Queued]) -> list[tuple[str, str]]:
    """Who gets which kind, once what is queued has been delivered."""
    from moto.ses.models import ses_backends

    for one in queued:
        mail.deliver(one.body)
    sent = ses_backends["123456789012"]["eu-west-2"].sent_messages
    return [(message.destinations["ToAddresses"][0], message.subject) for message in sent]


def test_reminder_counts_as_a_person_and_apart(launching: Launching, person: Make) -> None:
    launching.propose()
    ann = Access(person("ann@example.org"), None)
    launching.pledge("ann", person=ann.person)
    remind(launching, "x", access=ann)
    remind(launching, "facebook", access=ann)
    remind(launching, "x")
    remind(launching, "x", request="somebody else")

    assert people(launching) == Counts(people=3, automatic=1, reminders=4)


def test_same_request_makes_one_reminder(launching: Launching) -> None:
    launching.propose()
    with lost_response("dynamodb", "TransactWriteItems") as calls:
        first = remind(launching)

    assert len(calls) == 2
    assert remind(launching).reminder.id == first.reminder.id
    assert people(launching) == Counts(people=1, automatic=0, reminders=1)


def test_one_person_takes_part_once_on_a_network(launching: Launching, person: Make) -> None:
    launching.propose()
    ann = Access(person("ann@example.org"), None)
    launching.pledge("ann", person=ann.person)

    with pytest.raises(Conflict) as refused:
        remind(launching, "mastodon", access=ann)

    assert refused.value.code == "second_pledge"


def test_reminder_can_be_taken_back(launching: Launching) -> None:
    launching.propose()
    made = remind(launching, email="ann@example.org")
    with lost_response("dynamodb", "TransactWriteItems"):
        reminders.withdraw(launching.campaign, made.reminder.id, now=launching.now)
    reminders.withdraw(launching.campaign, made.reminder.id, now=launching.now)

    assert people(launching) == Counts(people=0, automatic=0, reminders=0)
    assert reminders.find(launching.campaign, made.reminder.id).email is None
    assert remind(launching, access=Access(None, made.token), request="again").reminder.id != made.reminder.id


@pytest.mark.parametrize(("network", "field"), [("friendface", "network"), ("", "network")])
def test_unknown_network_is_refused(launching: Launching, network: str, field: str) -> None:
    launching.propose()
    with pytest.raises(Invalid) as refused:
        remind(launching, network)

    assert list(refused.value.fields) == [field]


def test_nobody_is_reminded_after_the_close(launching: Launching) -> None:
    launching.propose()
    launching.clock.at(launching.moment(-60))
    with pytest.raises(Conflict) as refused:
        remind(launching)

    assert refused.value.code == "closed"


def test_reminder_of_another_campaign_is_not_found(launching: Launching) -> None:
    launching.propose()
    for name in ("nonsense", f"{'a' * 10}.reminder.00.{'0' * 26}"):
        with pytest.raises(NotFound):
            reminders.find(launching.campaign, name)


def test_opened_and_done_are_counted_once_and_never_as_posted(launching: Launching) -> None:
    launching.propose()
    made = remind(launching).reminder
    for _ in range(2):
        reminders.note_opened(launching.campaign, made.id, now=launching.now)
        reminders.note_done(launching.campaign, made.id, now=launching.now)
    launching.ready()
    launching.tick(launching.moment(60))

    report = reports.get(launching.launch.id)
    assert report["reminders"] == {"made": 1, "opened": 1, "done": 1}
    assert (report["posted"], report["pledged"], report["people"]) == (0, 0, 1)


@pytest.fixture
def reminded(launching: Launching, monkeypatch: pytest.MonkeyPatch) -> Launching:
    """Twenty people with an address, SES taking one e-mail in two seconds, the moment in three days."""
    monkeypatch.setenv("MAIL_PER_S", "0.5")
    settings.current.cache_clear()
    launching.propose(at=launching.now + timedelta(days=3), closes_at=launching.now + timedelta(days=3, minutes=-20))
    for number in range(20):
        remind(launching, email=f"person{number}@example.org")
    remind(launching, "linkedin")
    people(launching)
    take_queued("mail")
    return launching


def minutes(launching: Launching, begin: float, end: float) -> list[tuple[float, Queued]]:
    """The reminders that the minute's rule queues, and when each becomes visible, in seconds from the moment."""
    found = []
    for at in range(int(begin), int(end), 60):
        launching.tick(launching.moment(at))
        queued = [one for one in take_queued("mail") if one.message["kind"].startswith("remind_")]
        found += [(at + one.delay_s, one) for one in queued]
    return found


def test_day_before_everybody_is_reminded_at_the_pace_that_ses_takes(reminded: Launching) -> None:
    found = minutes(reminded, -86_400 - 180, -86_400 + 600)

    assert len(found) == 20
    times = sorted(at for at, _ in found)
    assert times[0] >= -86_400
    assert 36 <= times[-1] - times[0] <= 40
    assert {subject for _, subject in sent_to([queued for _, queued in found])} == {"Tomorrow: Change Challenge"}


def test_last_reminder_of_the_moment_is_out_by_then(reminded: Launching) -> None:
    reminded.approve()
    found = minutes(reminded, -1200, 120)

    assert len(found) == 20
    times = sorted(at for at, _ in found)
    assert times[0] >= -40 - letters.MARGIN_S
    assert times[-1] <= 0
    assert all(later - earlier >= 1 for earlier, later in zip(times[::3], times[3::3], strict=False))
    assert {subject for _, subject in sent_to([queued for _, queued in found])} == {"Now: post for Change Challenge"}


def test_e_mails_are_sealed_until_they_are_sent(reminded: Launching) -> None:
    reminded.approve()
    found = minutes(reminded, -1200, 120)

    assert not [queued for _, queued in found if "example.org" in json.dumps(queued.message | {"data": None})]


def test_each_reminder_is_sent_once_however_often_it_is_queued(reminded: Launching) -> None:
    """The tick dies before it notes how far it came, and queues all again; the queue delivers each message twice."""
    reminded.approve()
    minutes(reminded, -1200, -120)
    first = minutes(reminded, -120, 0)
    for item in letters.Queued.query(reminded.launch.id, letters.Queued.sk.startswith("moment#")):
        item.delete()
    again = minutes(reminded, -30, -20)
    assert len(again) == len(first) == 20

    sent = sent_to([queued for _, queued in [*first, *again, *first]])

    assert len(sent) == 20
    assert len({address for address, _ in sent}) == 20


@pytest.mark.parametrize("operation", ["PutItem", "SendEmail"])
def test_lost_response_while_sending_loses_no_e_mail(reminded: Launching, operation: str) -> None:
    reminded.approve()
    found = minutes(reminded, -1200, 0)

    with lost_response("dynamodb" if operation == "PutItem" else "sesv2", operation):
        sent = sent_to([found[0][1]])

    assert {address for address, _ in sent} == {sent[0][0]}
    if operation == "PutItem":
        assert len(sent) == 1


def test_e_mail_that_ses_refuses_is_sent_when_it_is_delivered_again(reminded: Launching) -> None:
    reminded.approve()
    message = minutes(reminded, -1200, 0)[0][1]

    def refuse() -> None:
        raise ConnectionError

    with hook("sesv2", "SendEmail", refuse), pytest.raises(ConnectionError):
        mail.deliver(message.body)

    assert len(sent_to([message])) == 1


@pytest.mark.parametrize("why", ["not approved", "stopped", "goal missed"])
def test_nobody_is_told_to_post_for_a_launch_that_does_not_go_out(reminded: Launching, why: str) -> None:
    if why != "not approved":
        reminded.approve()
    if why == "stopped":
        launches.stop(reminded.campaign, "olive", now=reminded.now)
    if why == "goal missed":
        launch = reminded.launch
        launch.update(actions=[type(launch).goal.set(100)])

    assert minutes(reminded, -1200, 120) == []


def test_launch_of_reminders_alone_is_not_over_before_its_moment(reminded: Launching) -> None:
    reminded.approve()
    reminded.tick(reminded.moment(-1100))
    fan_out.run(reminded.moment(-300))
    assert reminded.launch.state == "frozen"

    fan_out.run(reminded.moment(30))
    assert reminded.launch.state == "settled"


def test_calendar_file_tells_the_moment_in_its_zone(launching: Launching) -> None:
    launching.propose()
    made = remind(launching).reminder

    raw = reminders.event(made, launching.launch, "Change Challenge", "https://example.org/r", now=launching.now)

    calendar = Calendar.from_ical(raw)
    (event,) = calendar.walk("VEVENT")
    assert event.decoded("dtstart") == launching.launch.moment
    assert event["dtstart"].params["TZID"] == "Europe/London"
    assert [str(zone["tzid"]) for zone in calendar.walk("VTIMEZONE")] == ["Europe/London"]
    assert str(event["uid"]) == f"{made.id}@groundswell"
    assert str(event["status"]) == "CONFIRMED"
    assert calendar.walk("VALARM")[0].decoded("trigger") == timedelta(minutes=-10)
    assert b"\r\n" in raw


def test_calendar_file_of_a_moved_moment_takes_the_place_of_the_earlier_one(launching: Launching) -> None:
    launching.propose()
    made = remind(launching).reminder
    before = _event(launching, made)
    at = launching.launch.moment + timedelta(hours=3)
    launches.postpone(launching.campaign, "olive", at=at, closes_at=at - timedelta(minutes=20), zone="Europe/London", now=launching.now)
    moved = _event(launching, made)
    launches.stop(launching.campaign, "olive", now=launching.now)
    off = _event(launching, made)

    assert len({str(one["uid"]) for one in (before, moved, off)}) == 1
    assert int(before["sequence"]) < int(moved["sequence"]) < int(off["sequence"])
    assert moved.decoded("dtstart") == at
    assert (str(moved["status"]), str(off["status"])) == ("CONFIRMED", "CANCELLED")
    assert (len(moved.walk("VALARM")), len(off.walk("VALARM"))) == (1, 0)


def _event(launching: Launching, made: reminders.Reminder) -> Event:
    raw = reminders.event(made, launching.launch, "Change Challenge", "https://example.org/r", now=launching.now)
    return Calendar.from_ical(raw).walk("VEVENT")[0]  # type: ignore[return-value]
