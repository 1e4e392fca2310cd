"""Warnings to organisers, and what became of a launch told to everybody who left an address: once, in time, at SES's pace,
however the minute's work is cut off and repeated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise

import pytest

from chalicelib import launches, letters, notices, reminders, settings
from chalicelib.proposals import NewLaunch
from infra.stand_ins.faults import Fault
from tests.aws import Killed, Queued, die, hook, lost_response, take_queued
from tests.launching import Launching
from tests.telling import PAGE, cut_off, kinds, text_of, ticked
from tests.test_reminders import people, remind, sent_to

DAY, HOURS = -86_400, -7200
NOT_OUT = ("goal_missed", "not_approved", "stopped")


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


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("number", range(1, 4))
def test_telling_that_dies_anywhere_goes_on_and_tells_once(joined: Launching, number: int, after: bool) -> None:
    launches.stop(joined.campaign, "olive", now=joined.now)

    assert cut_off(joined, number, -1200, -1200, -1200, after=after) == 1
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
