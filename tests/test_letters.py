"""Warnings to organisers, and what became of a launch told to everybody who left an address: once, in time, at SES's pace,
however the minute's work is cut off and repeated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise

import pytest

from chalicelib import drafts, launches, letters, mail, notices, pledges, reminders, settings, supporters, team
from chalicelib.drafts import Access
from chalicelib.pledges import Contact, Pledge
from chalicelib.proposals import NewLaunch
from chalicelib.reminders import Reminder
from infra.stand_ins.faults import Fault
from tests.aws import Killed, Queued, hook, lost_response, take_queued
from tests.launching import Launching
from tests.test_postponing import agree, postpone
from tests.test_reminders import people, remind, sent_to

DAY, HOURS = -86_400, -7200
PAGE = "https://change.example.org/c/change-challenge/launch"
NOT_OUT = ("goal_missed", "not_approved", "stopped")


@pytest.fixture
def planned(launching: Launching) -> Launching:
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


def end(launching: Launching, why: str) -> list[Queued]:
    """A launch that does not go out, and what is queued about it."""
    if why == "stopped":
        launches.stop(launching.campaign, "olive", now=launching.now)
    if why == "goal_missed":
        launching.launch.update(actions=[launches.Launch.goal.set(100)])
    take_queued("mail")
    return ticked(launching, *{"stopped": (-1200,), "goal_missed": (-599,), "not_approved": (-599, -170)}[why])


def test_organisers_are_warned_a_day_and_two_hours_before(planned: Launching) -> None:
    before, day = ticked(planned, DAY - 60), ticked(planned, DAY, DAY + 60, DAY + 120)
    between, hours = ticked(planned, HOURS - 60), ticked(planned, HOURS + 10, HOURS + 70)

    assert (before, between) == ([], [])
    for queued in (day, hours):
        assert {subject for _, subject in sent_to(queued)} == {"Not approved yet: Change Challenge"}
    sent = Counter(address for address, _ in sent_to([]))
    assert sent == {"olive@example.org": 2, "oscar@example.org": 2}


def test_warning_says_what_is_missing_until_when_and_where(planned: Launching) -> None:
    two = text_of(ticked(planned, DAY)[0])
    launches.approve(planned.campaign, "olive", now=planned.now)
    one = text_of(ticked(planned, HOURS)[0])

    assert "2 approvals are missing" in two
    assert "one approval is missing" in one
    for said in (one, two):
        assert "It can be approved until Tuesday 12 January 2027, 08:57 (Europe/London)" in said
        assert PAGE in said


def test_time_to_approve_that_is_told_is_never_too_late(planned: Launching, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the freeze nobody knows how many chunks there will be, and so how long the lead is."""
    monkeypatch.delenv("LEAD_S")
    settings.current.cache_clear()
    until = notices.approvable_until(planned.launch)
    launch = planned.launch
    launch.plan = {"mastodon.0": 899 * settings.SLOTS_PER_CHUNK}

    assert until <= notices.approvable_until(launch) == float(launch.at) - launch.lead_s() - launches.APPROVE_BEFORE_LEAD_S


def test_warning_of_missed_ticks_is_caught_up_once(planned: Launching) -> None:
    assert kinds(ticked(planned, DAY + 40_000)) == {"not_approved_yet": 2}
    assert ticked(planned, DAY + 40_060) == []
    assert kinds(ticked(planned, HOURS + 3000)) == {"not_approved_yet": 2}


def test_nobody_is_warned_once_it_is_approved_or_over(planned: Launching) -> None:
    planned.approve()
    assert ticked(planned, DAY, HOURS) == []
    launches.propose(planned.campaign, "olive", _moved(planned), now=planned.now)
    assert not planned.launch.approved
    assert "not_approved_yet" not in kinds(ticked(planned, -150))


def _moved(planned: Launching) -> NewLaunch:
    launch = planned.launch
    return NewLaunch("Other words.", launch.url, launch.moment, launch.zone, planned.moment(-1000), 1, ["mastodon"])


def test_change_that_takes_approvals_back_is_warned_of(planned: Launching) -> None:
    planned.approve()
    ticked(planned, DAY, HOURS)
    launches.propose(planned.campaign, "olive", _moved(planned), now=planned.now)

    assert kinds(ticked(planned, HOURS + 60, HOURS + 120)) == {"not_approved_yet": 2}


@pytest.mark.parametrize(("ahead", "warned"), [(20 * 3600, 2), (3600, 0)])
def test_who_sets_a_moment_is_not_told_at_once_that_it_is_not_approved(launching: Launching, ahead: int, warned: int) -> None:
    launching.propose(at=launching.now + timedelta(seconds=ahead), closes_at=launching.now + timedelta(seconds=ahead - 1200))
    assert ticked(launching, -ahead + 60) == []
    assert len(ticked(launching, HOURS, HOURS + 60, -3000)) == warned // 2


@pytest.mark.parametrize("operation", ["PutItem", "UpdateItem"])
def test_warning_that_was_cut_off_goes_out_once(planned: Launching, operation: str) -> None:
    """The tick dies before it writes that it has begun, or that it has queued the letters."""

    def die() -> None:
        raise Killed

    with hook("dynamodb", operation, die), pytest.raises(Killed):
        planned.tick(planned.moment(DAY))
    queued = take_queued("mail") + ticked(planned, DAY + 60, DAY + 120)

    assert sorted(address for address, _ in sent_to(queued)) == ["olive@example.org", "oscar@example.org"]


@pytest.mark.parametrize(
    ("service", "operation"), [("sqs", "SendMessageBatch"), ("dynamodb", "PutItem"), ("dynamodb", "UpdateItem")], ids=lambda name: name
)
def test_lost_response_warns_once(planned: Launching, service: str, operation: str) -> None:
    with lost_response(service, operation) as calls:
        planned.tick(planned.moment(DAY))
    assert len(calls) >= 2
    queued = take_queued("mail") + ticked(planned, DAY + 60)

    assert sorted(address for address, _ in sent_to(queued)) == ["olive@example.org", "oscar@example.org"]


@pytest.fixture
def joined(launching: Launching) -> Launching:
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


@pytest.mark.parametrize("why", NOT_OUT)
def test_everybody_is_told_that_it_does_not_go_out(joined: Launching, why: str) -> None:
    queued = end(joined, why)

    assert joined.launch.state == why
    told = {"olive": "The launch of Change Challenge did not go out", "dan": "Nothing to post: Change Challenge"}
    told |= dict.fromkeys(("ann", "ben"), "Your post for Change Challenge was not sent")
    assert dict(sent_to(queued)) == {f"{name}@example.org": subject for name, subject in told.items()}
    assert len(sent_to([])) == 4
    for one in queued:
        assert notices.WHY[why] in text_of(one)
    assert ticked(joined, -100, 60) == []


def test_goal_missed_is_told_by_the_tick_that_decides_it(joined: Launching) -> None:
    joined.launch.update(actions=[launches.Launch.goal.set(100)])

    assert kinds(ticked(joined, -599)) == {"did_not_go_out": 1, "nothing_to_post": 1, "not_sent": 2}


def test_nobody_is_told_not_to_post_after_the_moment(joined: Launching) -> None:
    joined.ready()
    joined.clock.at(joined.moment(30))
    launches.stop(joined.campaign, "olive", now=joined.now)
    take_queued("mail")

    queued = ticked(joined, 60)

    assert joined.launch.state == "stopped"
    assert kinds(queued) == {"did_not_go_out": 1, "not_sent": 2}


def test_organisers_get_the_counts_and_the_report(joined: Launching) -> None:
    queued = joined.ready()
    joined.towns.world.faults.add("town-02.test", Fault("fail", status=403))
    joined.work(queued)
    take_queued("mail")

    closing = next(one for one in ticked(joined, 60) if one.message["kind"] == "closing")

    said = text_of(closing)
    for line in ("People who took part: 5 (the goal: 1)", "Posts lent: 3", "Posted: 1", "Not taken by their network: 2"):
        assert line in said.splitlines()
    assert "Reminded to post themselves: 2" in said
    assert f"{PAGE}/report" in said


def test_organisers_are_told_how_many_were_late_and_supporters_get_no_letter_for_it(joined: Launching) -> None:
    queued = joined.ready()
    joined.work(queued, at=60)
    take_queued("mail")

    found = ticked(joined, 120)

    assert kinds(found) == {"closing": 1}
    assert "Posted: 3, 3 of them late, or known late, through a second worker" in text_of(found[0])


@pytest.mark.parametrize("nth", range(1, 5))
def test_telling_that_dies_anywhere_goes_on_and_tells_once(joined: Launching, nth: int) -> None:
    launches.stop(joined.campaign, "olive", now=joined.now)
    seen = 0

    def die() -> None:
        nonlocal seen
        seen += 1
        if seen == nth:
            raise Killed

    with hook("sqs", "SendMessageBatch", die, after=nth % 2 == 0):
        for _ in range(3):
            try:
                joined.tick(joined.moment(-1200))
            except Killed:
                assert seen == nth
    queued = take_queued("mail") + ticked(joined, -1140, -1080)

    assert Counter(address.split("@")[0] for address, _ in sent_to(queued)) == {"olive": 1, "ann": 1, "ben": 1, "dan": 1}
    assert joined.launch.active is None


@pytest.mark.parametrize("which", range(1, 4))
@pytest.mark.parametrize("service", ["sqs", "dynamodb"])
def test_telling_with_a_lost_response_tells_once(joined: Launching, service: str, which: int) -> None:
    launches.stop(joined.campaign, "olive", now=joined.now)
    joined.tick(joined.moment(-1300))
    for item in letters.Queued.query(joined.launch.id, letters.Queued.sk == "told"):
        item.delete()
    joined.launch.update(actions=[launches.Launch.active.set(letters.UNTOLD)])

    with lost_response(service, "SendMessageBatch" if service == "sqs" else "UpdateItem", which=which) as calls:
        for seconds in (-1200, -1140, -1080):
            joined.tick(joined.moment(seconds))
    assert len(calls) >= which

    assert Counter(address.split("@")[0] for address, _ in sent_to(take_queued("mail"))) == {"olive": 1, "ann": 1, "ben": 1, "dan": 1}
    assert joined.launch.active is None


def test_two_ticks_at_once_tell_once(joined: Launching) -> None:
    launches.stop(joined.campaign, "olive", now=joined.now)
    nested = False

    def meanwhile() -> None:
        nonlocal nested
        if not nested:
            nested = True
            joined.tick(joined.moment(-1200))

    with hook("sqs", "SendMessageBatch", meanwhile):
        joined.tick(joined.moment(-1200))

    assert Counter(address.split("@")[0] for address, _ in sent_to(take_queued("mail"))) == {"olive": 1, "ann": 1, "ben": 1, "dan": 1}


@pytest.fixture
def many(launching: Launching, monkeypatch: pytest.MonkeyPatch) -> Launching:
    """A hundred and forty people to be told, SES taking one e-mail in two seconds."""
    monkeypatch.setenv("MAIL_PER_S", "0.5")
    settings.current.cache_clear()
    launching.propose()
    for number in range(140):
        key = f"{number:026d}"
        partition = supporters.partition(launching.launch.id, "reminders", key)
        one = Reminder(pk=partition, sk=key, supporter=f"s{number}", network="x", text="Mine.", made=1, link="https://example.org/r")
        one.email = mail.sealed(f"person{number}@example.org", one.id)
        one.save()
    return launching


def _times(launching: Launching, act: Callable[[], object]) -> list[float]:
    """When each letter of ten minutes' ticks becomes visible."""
    act()
    found: list[float] = []
    for at in range(-1500, -900, 60):
        queued = ticked(launching, at)
        assert all(one.delay_s < 300 for one in queued)
        found += [at + one.delay_s for one in queued]
    return sorted(found)


def test_telling_keeps_the_pace_that_ses_takes(many: Launching) -> None:
    times = _times(many, lambda: launches.stop(many.campaign, "olive", now=many.now))

    assert len(times) == 141
    assert all(later - earlier >= 1 for earlier, later in pairwise(times))
    assert 278 <= times[-1] - times[0] <= 300


def test_launch_is_over_while_people_are_still_being_told(many: Launching) -> None:
    launches.stop(many.campaign, "olive", now=many.now)
    ticked(many, -1500)

    assert many.launch.state == "stopped"
    assert launches.active() == []
    assert [launch.id for launch in letters.untold()] == [many.launch.id]


def test_no_address_lies_in_the_queue(joined: Launching) -> None:
    for one in end(joined, "stopped"):
        assert "ann@" not in one.body
        assert "olive@" not in one.body
        assert "dan@" not in one.body


def test_reminder_of_a_moment_that_was_moved_goes_out_again(planned: Launching) -> None:
    remind(planned, email="dan@example.org")
    people(planned)
    take_queued("mail")
    planned.approve()
    first = ticked(planned, DAY)
    launch = planned.launch
    launch.update(actions=[launches.Launch.at.set(int(launch.at) + 1800), launches.Launch.revision.set(launch.revision + 1)])

    again = ticked(planned, DAY, DAY + 60)

    assert kinds(first) == kinds(again) == {"remind_day": 1}
    assert [address for address, _ in sent_to(first + again)] == ["dan@example.org"] * 2
    assert reminders.of_partition(next(iter(letters._counted(planned.launch))))[0].email


def moved_by(launching: Launching, **later: float) -> list[Queued]:
    """What the ticks after a postponement queue."""
    postpone(launching, timedelta(**later))
    take_queued("mail")
    found: list[Queued] = []
    for seconds in range(0, 240, 60):
        launching.tick(launching.now + timedelta(seconds=60 if seconds else 0))
        found += take_queued("mail")
    return [one for one in found if one.message["kind"] in ("postponed", "reminder_postponed")]


def test_who_need_not_agree_again_is_told_the_new_time_only(joined: Launching) -> None:
    queued = moved_by(joined, minutes=50)

    assert sorted(address for address, _ in sent_to(queued)) == ["ann@example.org", "ben@example.org", "dan@example.org"]
    said = [text_of(one) for one in queued]
    assert all("now" in one and "Saturday 9 January 2027, 10:20 (Europe/London)" in one for one in said)
    assert [notices.STAYS in one for one in said].count(True) == 2
    assert not any("agree to the new time" in one for one in said)


def test_who_has_to_agree_again_is_told_until_when_and_where(joined: Launching) -> None:
    queued = moved_by(joined, hours=3)

    lent = [text_of(one) for one in queued if one.message["kind"] == "postponed"]
    assert len(lent) == 2
    for said in lent:
        assert "you agreed to Saturday 9 January 2027, 09:30" in said
        assert "Your post is sent only if you agree to the new time, until Saturday 9 January 2027, 12:10 (Europe/London)" in said
        assert "https://example.org/mine" in said


def test_who_has_agreed_or_joined_since_is_not_told(joined: Launching) -> None:
    postpone(joined, timedelta(hours=3))
    joined.clock.at(joined.now + timedelta(seconds=1))
    lend(joined, "fay", 2)
    remind(joined, email="gus@example.org", request="later")

    queued = ticked(joined, -12_000, -11_940, -11_880)

    told = {address for address, _ in sent_to([one for one in queued if "postponed" in one.message["kind"]])}
    assert told == {"ann@example.org", "ben@example.org", "dan@example.org"}


def test_each_postponement_is_told_once(joined: Launching) -> None:
    first = moved_by(joined, minutes=50)
    assert ticked(joined, -4000, -3900) == []
    second = moved_by(joined, minutes=70)

    assert len(first) == len(second) == 3
    sent = Counter(address for address, subject in sent_to(first + second + first) if subject == "A new time: Change Challenge")
    assert sent == {"ann@example.org": 2, "ben@example.org": 2, "dan@example.org": 2}


@pytest.mark.parametrize("nth", range(1, 4))
def test_telling_of_a_new_time_that_dies_goes_on_and_tells_once(joined: Launching, nth: int) -> None:
    postpone(joined, timedelta(minutes=50))
    take_queued("mail")
    seen = 0

    def die() -> None:
        nonlocal seen
        seen += 1
        if seen == nth:
            raise Killed

    with hook("sqs", "SendMessageBatch", die, after=True):
        for seconds in (-4000, -3940, -3880, -3820):
            try:
                joined.tick(joined.moment(seconds))
            except Killed:
                assert seen == nth
    sent = Counter(address for address, subject in sent_to(take_queued("mail")) if subject == "A new time: Change Challenge")

    assert sent == {"ann@example.org": 1, "ben@example.org": 1, "dan@example.org": 1}


@pytest.mark.parametrize("which", [1, 2])
def test_telling_of_a_new_time_with_a_lost_response_tells_once(joined: Launching, which: int) -> None:
    postpone(joined, timedelta(minutes=50))
    take_queued("mail")
    with lost_response("sqs", "SendMessageBatch", which=which) as calls:
        for seconds in (-4000, -3940, -3880, -3820):
            joined.tick(joined.moment(seconds))
    assert len(calls) > which
    sent = Counter(address for address, subject in sent_to(take_queued("mail")) if subject == "A new time: Change Challenge")

    assert sent == {"ann@example.org": 1, "ben@example.org": 1, "dan@example.org": 1}


def test_new_time_is_told_at_the_pace_that_ses_takes(many: Launching) -> None:
    postpone(many, timedelta(minutes=50))
    found: list[float] = []
    for at in range(-4000, -3400, 60):
        queued = ticked(many, at)
        found += [at + one.delay_s for one in queued if one.message["kind"] == "reminder_postponed"]
    found.sort()

    assert len(found) == 140
    assert all(later - earlier >= 1 for earlier, later in pairwise(found))


def test_organisers_of_a_postponed_launch_are_warned_that_it_is_not_approved(planned: Launching) -> None:
    planned.approve()
    assert ticked(planned, DAY, HOURS) == []
    postpone(planned, timedelta(hours=1))

    assert kinds(ticked(planned, -9000, -8940)) == {"not_approved_yet": 2}


def test_supporters_of_a_stopped_network_are_told_at_once_and_once(joined: Launching) -> None:
    joined.launch.update(actions=[launches.Launch.networks.set(["mastodon", "bluesky"])])
    joined.approve()
    launches.stop(joined.campaign, "olive", network="mastodon", now=joined.now)
    take_queued("mail")
    at_once = ticked(joined, -1700, -1640)
    rest = ticked(joined, -599, -500, 60, 700, 760)

    assert kinds(at_once) == {"not_sent": 2}
    assert notices.WHY["network_stopped"] in text_of(at_once[0])
    assert notices.TO_BE_DELETED in text_of(at_once[0])
    sent = Counter(address for address, subject in sent_to(at_once + rest) if subject == "Your post for Change Challenge was not sent")
    assert sent == {"ann@example.org": 1, "ben@example.org": 1}
    closing = next(one for one in rest if one.message["kind"] == "closing")
    assert "Not sent, since they were stopped: 3" in text_of(closing)


def test_who_did_not_agree_to_the_new_time_is_told_why_nothing_was_posted(joined: Launching) -> None:
    cat = next(one for one in joined.tokens)
    postpone(joined, timedelta(hours=3))
    agree(joined, pledges.find_confirmed(cat))
    joined.tick(joined.moment(-12_000))
    take_queued("mail")
    joined.work(joined.ready())
    queued = ticked(joined, 60)

    assert joined.posts() == ["cat"]
    assert [one.message["data"]["why"] for one in queued if one.message["kind"] == "not_sent"] == [notices.WHY["not_agreed"]] * 2
