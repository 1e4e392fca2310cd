"""Rehearsals: every permission is looked at once, slowly enough for each host; a dress rehearsal does everything up to sending
nothing. Neither posts, takes a slot or seals."""

from __future__ import annotations

from datetime import timedelta

import pytest

from chalicelib import chunks, probes, rehearsals, release, slots
from chalicelib.errors import Conflict, GroundswellError, Invalid
from chalicelib.pledges import Pledge
from chalicelib.rehearsals import Looked, Rehearsal, Result
from tests.aws import Queued, hook, lost_response, take_queued
from tests.launching import Launching


def later(launching: Launching, **changes: object) -> None:
    """A moment that leaves time for rehearsals."""
    launching.propose(at=launching.now + timedelta(hours=5), closes_at=launching.now + timedelta(hours=4), **changes)


def probe(launching: Launching) -> Looked:
    """Asked for, begun by the next minute, and done by workers."""
    rehearsals.start(launching.campaign, "olive", "probe", now=launching.now)
    work(launching.tick())
    return looked(launching, "probe")


def work(queued: list[Queued]) -> None:
    for message in queued:
        release.handle(message.body)


def looked(launching: Launching, kind: rehearsals.Kind) -> Looked:
    found = rehearsals.look(launching.launch.id, kind, now=launching.now)
    assert found is not None
    return found


def revoke(launching: Launching, pledge: Pledge, name: str) -> None:
    """For good: nobody else in these tests has this name."""
    launching.towns.world.revoke(str(pledge.server), launching.towns.token(str(pledge.server), name))


def move(pledge: Pledge, **changes: object) -> None:
    """Puts a pledge where it could be among many: on a server that is gone, or late in its host's turn."""
    pledge.update(actions=[getattr(Pledge, name).set(value) for name, value in changes.items()])


def test_probe_tells_permissions_that_work_from_those_that_do_not(launching: Launching) -> None:
    later(launching, networks=["mastodon", "bluesky"])
    launching.pledge("ann")
    gone = launching.pledge("gone", 1)
    launching.pledge("cat", network="bluesky")
    silent = launching.pledge("dan", 2)
    launching.withdraw(launching.pledge("eve"))
    revoke(launching, gone, "gone")
    move(silent, server="nowhere.test")

    found = probe(launching)

    assert (found.standing, found.chunks, found.done) == ("done", 2, 2)
    assert found.counts == {"mastodon": {"ok": 1, "reconnect": 1, "unreachable": 1}, "bluesky": {"ok": 1}}
    assert list(rehearsals.failing(launching.launch.id)) == [(str(gone.pk), [str(gone.sk)])]


def test_probe_posts_nothing_seals_nothing_and_leaves_no_session_behind(launching: Launching) -> None:
    later(launching, networks=["mastodon", "bluesky"])
    pledges = [launching.pledge("ann"), launching.pledge("cat", network="bluesky")]
    given = slots.given(launching.launch.id)
    launching.towns.world.ledger.clear()

    probe(launching)

    assert launching.towns.posts == []
    assert slots.given(launching.launch.id) == given
    assert [chunks.get(str(pledge.pk), epoch) for pledge in pledges for epoch in (0, 1)] == [None] * 4
    asked = [(arrival.method, arrival.path) for arrival in launching.towns.arrivals]
    assert sorted(asked) == [
        ("GET", "/api/v1/accounts/verify_credentials"),
        ("POST", "/xrpc/com.atproto.server.createSession"),
        ("POST", "/xrpc/com.atproto.server.deleteSession"),
    ]


def test_host_is_asked_second_by_second_and_for_half_of_its_budget_in_a_period(launching: Launching) -> None:
    """Mastodon: 300 in five minutes, 50 a second: a part asks for three seconds' posts, each ten seconds after the other."""
    later(launching)
    for name, second in (("ann", 0), ("ben", 1), ("cat", 2), ("dan", 3)):
        move(launching.pledge(name), offset_s=second)
    rehearsals.start(launching.campaign, "olive", "probe", now=launching.now)
    first = launching.tick()
    begun, asked = launching.now, launching.towns.world.ledger
    asked.clear()

    work(first)
    assert (launching.now - begun).total_seconds() == pytest.approx(2 * probes.STEP_S, abs=2)
    assert len(asked.arrivals) == 3
    assert looked(launching, "probe").standing == "running"
    (rest,) = take_queued("chunks")
    assert (rest.message["part"], rest.delay_s) == (1, pytest.approx(300 - 2 * probes.STEP_S, abs=2))
    launching.clock.at(begun + timedelta(seconds=300))
    work([rest])

    assert len(asked.arrivals) == 4
    assert looked(launching, "probe").counts == {"mastodon": {"ok": 4}}
    assert looked(launching, "probe").standing == "done"


def test_later_windows_are_asked_in_periods_of_their_own(launching: Launching, monkeypatch: pytest.MonkeyPatch) -> None:
    from chalicelib.networks import mastodon

    monkeypatch.setattr(mastodon, "BUDGET", 1)
    later(launching)
    for name in ("ann", "ben", "cat"):
        launching.pledge(name)
    rehearsals.start(launching.campaign, "olive", "probe", now=launching.now)

    begun = [(one.message["lane"], one.delay_s) for one in launching.tick()]
    assert begun == [("mastodon.0", 0), ("mastodon.1", pytest.approx(600, abs=1))]
    launching.clock.at(launching.now + timedelta(seconds=420))
    assert [one.message["lane"] for one in launching.tick()] == ["mastodon.2"]
    assert launching.tick() == []


def test_part_is_done_once_however_often_its_message_comes(launching: Launching) -> None:
    later(launching)
    launching.pledge("ann")
    rehearsals.start(launching.campaign, "olive", "probe", now=launching.now)
    queued = launching.tick()
    launching.towns.world.ledger.clear()

    work([*queued, *queued])
    assert len(launching.towns.arrivals) == 1
    assert looked(launching, "probe").counts == {"mastodon": {"ok": 1}}


@pytest.mark.parametrize("which", [1, 2], ids=["claim", "result"])
def test_lost_response_of_a_result_changes_nothing(launching: Launching, which: int) -> None:
    later(launching)
    launching.pledge("ann")
    rehearsals.start(launching.campaign, "olive", "probe", now=launching.now)
    queued = launching.tick()

    with lost_response("dynamodb", "PutItem" if which == 1 else "UpdateItem") as calls:
        work(queued)

    assert len(calls) == 2
    assert looked(launching, "probe").counts == {"mastodon": {"ok": 1}}


def test_part_of_a_worker_that_died_is_taken_over_once_its_claim_has_lapsed(launching: Launching) -> None:
    later(launching)
    launching.pledge("ann")
    rehearsals.start(launching.campaign, "olive", "probe", now=launching.now)
    queued = launching.tick()

    def die() -> None:
        raise TimeoutError

    with hook("kms", "Decrypt", die), pytest.raises(TimeoutError):
        work(queued)
    work(queued)
    assert looked(launching, "probe").done == 0
    launching.clock.at(launching.now + timedelta(seconds=rehearsals.CLAIM_S + 1))
    work(queued)

    assert looked(launching, "probe").counts == {"mastodon": {"ok": 1}}


def test_asking_again_meanwhile_asks_no_network_for_more(launching: Launching) -> None:
    later(launching)
    launching.pledge("ann")
    first = rehearsals.start(launching.campaign, "olive", "probe", now=launching.now)
    with lost_response("dynamodb", "PutItem"):
        assert rehearsals.start(launching.campaign, "oscar", "probe", now=launching.now).id == first.id
    work(launching.tick())
    assert rehearsals.start(launching.campaign, "oscar", "probe", now=launching.now).id == first.id

    launching.clock.at(looked(launching, "probe").again_at + timedelta(seconds=1))
    assert rehearsals.start(launching.campaign, "oscar", "probe", now=launching.now).id != first.id
    assert looked(launching, "probe").standing == "asked"


def test_lost_response_of_asking_asks_once(launching: Launching) -> None:
    later(launching)
    with lost_response("dynamodb", "PutItem") as calls:
        made = rehearsals.start(launching.campaign, "olive", "probe", now=launching.now)

    assert len(calls) == 2
    assert [str(one.id) for one in Rehearsal.query(launching.launch.id, Rehearsal.sk.startswith("rehearsal#"))] == [made.id]


def test_approving_meanwhile_does_not_cut_a_probe_off(launching: Launching) -> None:
    later(launching)
    launching.pledge("ann")
    rehearsals.start(launching.campaign, "olive", "probe", now=launching.now)
    queued = launching.tick()
    launching.approve()
    work(queued)

    assert looked(launching, "probe").standing == "done"


def test_messages_of_a_rehearsal_that_another_has_replaced_are_dropped(launching: Launching) -> None:
    later(launching)
    launching.pledge("ann")
    rehearsals.start(launching.campaign, "olive", "probe", now=launching.now)
    queued = launching.tick()
    launching.clock.at(launching.now + timedelta(hours=1))
    rehearsals.start(launching.campaign, "olive", "probe", now=launching.now)
    launching.towns.world.ledger.clear()

    work(queued)
    assert launching.towns.arrivals == []


def test_probe_is_refused_near_the_moment_and_ends_there(launching: Launching) -> None:
    later(launching)
    launching.pledge("ann")
    launching.clock.at(launching.moment(-200))
    rehearsals.start(launching.campaign, "olive", "probe", now=launching.now)
    launching.clock.at(launching.moment(-149))
    with pytest.raises(Conflict) as refused:
        rehearsals.start(launching.campaign, "olive", "probe", now=launching.now)

    assert refused.value.code == "too_near"
    assert [one for one in launching.tick() if one.message["do"] == "probe"] == []
    assert looked(launching, "probe").standing == "unfinished"


def test_ended_launch_is_not_rehearsed(launching: Launching) -> None:
    from chalicelib import launches

    later(launching)
    launches.stop(launching.campaign, "olive", now=launching.now)
    with pytest.raises(Conflict) as refused:
        rehearsals.start(launching.campaign, "olive", "probe", now=launching.now)

    assert refused.value.code == "ended"


def dress(launching: Launching, in_minutes: int = 10) -> list[Queued]:
    """A dress rehearsal, fanned out."""
    at = launching.now + timedelta(minutes=in_minutes)
    rehearsals.start(launching.campaign, "olive", "dress", at=at, now=launching.now)
    return launching.tick()


def test_dress_rehearsal_does_everything_up_to_sending_nothing(launching: Launching) -> None:
    later(launching, networks=["mastodon", "bluesky"])
    pledges = [launching.pledge("ann"), launching.pledge("ben", 1), launching.pledge("cat", network="bluesky")]
    revoke(launching, launching.pledge("away", network="bluesky"), "away")
    given = slots.given(launching.launch.id)
    queued = dress(launching)
    at = looked(launching, "dress").at
    assert [round(one.delay_s) for one in queued] == [pytest.approx(600 - 60, abs=1)] * 2

    for message in queued:
        launching.clock.at(at - timedelta(seconds=60))
        release.handle(message.body)

    found = looked(launching, "dress")
    assert found.standing == "done"
    assert found.counts["mastodon"] == {"posts": 2, "open": 2, "reconnect": 0}
    assert found.counts["bluesky"] == {"posts": 2, "open": 1, "reconnect": 1}
    assert len(found.measured["late_ms"]) == 3
    assert all(0 <= late < 500 for late in found.measured["late_ms"])
    assert found.measured["woke_s"] == [pytest.approx(60, abs=1)] * 2
    assert launching.towns.posts == []
    assert slots.given(launching.launch.id) == given
    assert [chunks.get(str(pledge.pk), epoch) for pledge in pledges for epoch in (0, 1)] == [None] * 6
    launching.withdraw(pledges[0])


def test_dress_rehearsal_is_done_once_and_its_lease_is_its_own(launching: Launching) -> None:
    later(launching)
    launching.pledge("ann")
    (message,) = dress(launching)
    for _ in range(2):
        launching.clock.at(looked(launching, "dress").at - timedelta(seconds=60))
        release.handle(message.body)

    found = looked(launching, "dress")
    assert found.counts == {"mastodon": {"posts": 1, "open": 1, "reconnect": 0}}
    assert len([one for one in Result.scan() if str(one.pk).startswith("rehearsal#") and str(one.sk).endswith("state")]) == 1


def test_launch_frozen_meanwhile_is_left_alone(launching: Launching) -> None:
    later(launching)
    launching.pledge("ann")
    (message,) = dress(launching)
    launch = launching.launch
    launch.update(actions=[type(launch).state.set("frozen")])
    launching.clock.at(looked(launching, "dress").at - timedelta(seconds=60))

    release.handle(message.body)
    assert looked(launching, "dress").done == 0


def test_workers_message_after_the_moment_is_dropped(launching: Launching) -> None:
    later(launching)
    launching.pledge("ann")
    (message,) = dress(launching)
    launching.clock.at(looked(launching, "dress").at + timedelta(seconds=1))
    launching.towns.world.ledger.clear()

    release.handle(message.body)
    assert launching.towns.arrivals == []


@pytest.mark.parametrize("hours", [4.1, 5, 5.9])
def test_dress_rehearsal_within_an_hour_of_a_launch_is_refused(launching: Launching, hours: float) -> None:
    later(launching)
    with pytest.raises(Conflict) as refused:
        rehearsals.start(launching.campaign, "olive", "dress", at=launching.now + timedelta(hours=hours), now=launching.now)

    assert refused.value.code == "too_near"


def test_dress_rehearsal_gives_way_to_a_launch_that_was_moved_near_it(launching: Launching) -> None:
    later(launching)
    launching.pledge("ann")
    rehearsals.start(launching.campaign, "olive", "dress", at=launching.now + timedelta(minutes=30), now=launching.now)
    launching.propose(at=launching.now + timedelta(minutes=80), closes_at=launching.now + timedelta(minutes=70))

    assert [one for one in launching.tick(launching.now + timedelta(minutes=20)) if one.message["do"] == "dress"] == []
    assert looked(launching, "dress").standing == "unfinished"


def test_nothing_is_rehearsed_while_a_launch_is_frozen(launching: Launching) -> None:
    later(launching)
    launching.pledge("ann")
    launching.clock.at(launching.moment(-3500))
    launching.tick()
    assert launching.launch.state == "frozen"
    with pytest.raises(Conflict) as refused:
        rehearsals.start(launching.campaign, "olive", "dress", at=launching.moment(7200), now=launching.now)

    assert refused.value.code == "frozen"


@pytest.mark.parametrize("minutes", [None, -1, 1, 60 * 24 * 15])
def test_moment_of_a_dress_rehearsal_must_leave_workers_time(launching: Launching, minutes: int | None) -> None:
    later(launching)
    at = None if minutes is None else launching.now + timedelta(minutes=minutes)
    with pytest.raises(Invalid) as refused:
        rehearsals.start(launching.campaign, "olive", "dress", at=at, now=launching.now)

    assert list(refused.value.fields) == ["at"]


def test_one_dress_rehearsal_at_a_time(launching: Launching) -> None:
    later(launching)
    at = launching.now + timedelta(minutes=30)
    first = rehearsals.start(launching.campaign, "olive", "dress", at=at, now=launching.now)
    assert rehearsals.start(launching.campaign, "oscar", "dress", at=at, now=launching.now).id == first.id
    with pytest.raises(GroundswellError) as refused:
        rehearsals.start(launching.campaign, "oscar", "dress", at=at + timedelta(minutes=1), now=launching.now)

    assert refused.value.code == "rehearsing"
