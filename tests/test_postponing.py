"""A launch that is postponed: nothing of the moment before goes out, who has not agreed to the new one is not sent, and nobody
is sent twice."""

from __future__ import annotations

from datetime import timedelta

import pytest

from chalicelib import chunks, consents, fan_out, grants, launches, pledges, release, slots
from chalicelib.drafts import Access
from chalicelib.errors import Conflict, Invalid
from chalicelib.launches import Launch
from tests.aws import hook, lost_response, nth
from tests.launching import Launching


def postpone(launching: Launching, later: timedelta, organiser: str = "olive") -> Launch:
    launch = launching.launch
    at = launch.moment + later
    return launches.postpone(
        launching.campaign, organiser, at=at, closes_at=at - timedelta(minutes=20), zone=launch.zone, now=launching.now
    )


def agree(launching: Launching, pledge: pledges.Pledge, text: str | None = None) -> None:
    access = Access(None, launching.tokens[pledge.id])
    consents.change(launching.campaign, pledge.id, text or pledge.text, access, agree=True, now=launching.now)


def go(launching: Launching) -> None:
    launching.work(launching.ready())
    launching.tick(launching.moment(60))


@pytest.mark.parametrize("frozen", [False, True], ids=["while open", "after the freeze"])
def test_launch_postponed_by_less_than_an_hour_goes_out_then(launching: Launching, frozen: bool) -> None:
    launching.propose()
    launching.pledge("ann")
    queued = launching.ready() if frozen else []
    before = launching.moment()
    postponed = postpone(launching, timedelta(minutes=50))
    assert (postponed.state, postponed.approvals, postponed.plan) == ("open", [], None)
    launching.pledge("ben")
    launching.clock.at(before)
    for sent in queued:  # whatever was under way for the moment before
        release.handle(sent.body)
    assert launching.posts() == []

    go(launching)

    assert launching.posts() == ["ann", "ben"]
    assert [one["by"] for one in launching.launch.postponed] == ["olive"]


def test_who_has_not_agreed_to_a_moment_hours_later_is_not_sent(launching: Launching) -> None:
    launching.propose()
    ann, ben = launching.pledge("ann"), launching.pledge("ben")
    launching.ready()
    postpone(launching, timedelta(hours=3))
    agree(launching, ann)
    agree(launching, ann)
    go(launching)

    assert launching.posts() == ["ann"]
    outcome = chunks.outcomes(str(ben.pk), int(launching.launch.epoch))
    assert outcome is not None
    assert {slot: item["outcome"] for slot, item in outcome.items.items()} == {"000": "posted", "001": "not_agreed"}


def test_goal_counts_only_who_agreed_to_the_new_moment(launching: Launching) -> None:
    launching.propose(goal=2)
    ann, _ = launching.pledge("ann"), launching.pledge("ben")
    postpone(launching, timedelta(hours=3))
    agree(launching, ann)
    launching.approve()
    launching.tick(launching.moment(-1199))

    assert (launching.launch.state, launching.launch.people) == ("goal_missed", 1)


def test_agreeing_again_keeps_the_earlier_consent_on_the_record(launching: Launching) -> None:
    launching.propose()
    ann = launching.pledge("ann")
    postpone(launching, timedelta(hours=3))
    agree(launching, ann)

    again = pledges.find_confirmed(ann.id)
    assert [one["agreed_at"] for one in again.earlier] == [int(ann.agreed_at)]
    assert int(again.agreed_at) == int(launching.launch.at)


def test_postponing_twice_the_same_is_once(launching: Launching) -> None:
    launching.propose()
    before = launching.launch
    at = before.moment + timedelta(hours=1)
    for _ in range(2):
        launches.postpone(launching.campaign, "olive", at=at, closes_at=at - timedelta(minutes=20), zone=before.zone, now=launching.now)

    assert (int(launching.launch.revision), len(launching.launch.postponed)) == (int(before.revision) + 1, 1)


def test_lost_response_of_postponing_postpones_once(launching: Launching) -> None:
    launching.propose()
    launching.pledge("ann")
    launching.ready()
    with lost_response("dynamodb", "TransactWriteItems") as calls:
        postpone(launching, timedelta(minutes=50))

    assert (len(calls), len(launching.launch.postponed), launching.launch.state) == (2, 1, "open")
    assert slots.take(launching.launch.id, "mastodon.0").number == 1


def test_freeze_that_knows_nothing_of_a_postponement_closes_nothing(launching: Launching) -> None:
    """The minute has read the launch, and it is postponed before its slots are closed."""
    launching.propose()
    launching.pledge("ann")
    launching.clock.at(launching.moment(-1200))
    with hook("dynamodb", "UpdateItem", nth(1, lambda: postpone(launching, timedelta(minutes=50)))):
        fan_out.run(launching.now)

    assert launching.launch.state == "open"
    assert launching.pledge("ben").slot.number == 1


def test_launch_that_is_postponed_while_the_minute_gives_it_up_goes_on(launching: Launching) -> None:
    """It was not approved in time; the minute has read that, and an organiser is a moment quicker."""
    launching.propose()
    launching.pledge("ann")
    launching.tick(launching.moment(-599))
    launching.clock.at(launching.moment(-170))
    with hook("dynamodb", "UpdateItem", nth(1, lambda: postpone(launching, timedelta(minutes=50)))):
        fan_out.run(launching.now)
    assert launching.launch.state == "open"

    go(launching)

    assert launching.posts() == ["ann"]


def test_launch_cannot_be_postponed_once_posts_are_being_sent(launching: Launching) -> None:
    launching.propose()
    launching.pledge("ann")
    launching.ready()
    launching.clock.at(launching.moment(-9))
    with pytest.raises(Conflict) as refused:
        postpone(launching, timedelta(hours=1))

    assert refused.value.code == "too_late"


@pytest.mark.parametrize("later", [timedelta(0), timedelta(minutes=-5)], ids=["the same", "sooner"])
def test_launch_cannot_be_postponed_to_a_sooner_moment(launching: Launching, later: timedelta) -> None:
    launching.propose()
    with pytest.raises(Invalid) as refused:
        postpone(launching, later)

    assert list(refused.value.fields) == ["at"]


def test_stopped_launch_cannot_be_postponed(launching: Launching) -> None:
    launching.propose()
    launches.stop(launching.campaign, "oscar", now=launching.now)
    with pytest.raises(Conflict):
        postpone(launching, timedelta(hours=1))


def test_nobody_is_sent_twice_where_the_postponement_came_after_the_seal(launching: Launching) -> None:
    """An API whose clock is behind may accept what comes too late: what was sealed before is not sent again."""
    launching.propose()
    launching.pledge("ann")
    launching.work(launching.ready())
    assert launching.posts() == ["ann"]
    launching.clock.at(launching.moment(-11))
    postpone(launching, timedelta(minutes=50))
    launching.pledge("ben")
    go(launching)

    assert launching.posts() == ["ann", "ben"]


def test_nobody_is_sent_twice_where_a_sealed_worker_died_before_the_postponement(launching: Launching) -> None:
    launching.propose()
    ann = launching.pledge("ann")
    launching.ready()
    state = chunks.lease(str(ann.pk), 1, now=launching.clock.now())
    assert state is not None
    assert chunks.seal(state, now=launching.clock.now())
    launching.clock.at(launching.moment(-11))
    postpone(launching, timedelta(minutes=50))
    go(launching)

    assert launching.posts() == []
    outcome = chunks.outcomes(str(ann.pk), int(launching.launch.epoch))
    assert outcome is not None
    assert [item["outcome"] for item in outcome.items.values()] == ["unknown"]


def test_permission_is_kept_for_as_long_as_its_post_is_agreed_to(launching: Launching) -> None:
    launching.propose()
    ann, ben = launching.pledge("ann"), launching.pledge("ben")
    postpone(launching, timedelta(days=3))
    agree(launching, ann)
    kept = {str(one.sk): int(one.expires) for one in grants.Grant.scan()}

    assert kept[str(ann.sk)] > launching.moment().timestamp()
    assert kept[str(ben.sk)] < launching.moment().timestamp()


def test_who_agrees_after_the_permission_is_gone_is_told_and_can_give_it_again(launching: Launching) -> None:
    launching.propose()
    ann = launching.pledge("ann")
    postpone(launching, timedelta(days=3))
    grants.Grant(pk=ann.pk, sk=ann.sk).delete()
    with pytest.raises(Conflict) as refused:
        agree(launching, ann)
    assert refused.value.code == "reconnect"
    assert not pledges.stands(launching.launch, pledges.find_confirmed(ann.id))

    assert launching.pledge("ann").id == ann.id
    agree(launching, ann)
    assert [int(one.expires) > launching.moment().timestamp() for one in grants.Grant.scan()] == [True]
    launching.approve()
    launching.tick(launching.moment(-1190))
    launching.work(launching.tick(launching.moment(-590)))
    assert launching.posts() == ["ann"]
