"""The moment: proposed with a zone, approved by two people, frozen, decided, stoppable; and every way it can end."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from chalicelib import chunks, counts, grants, launches, proposals, reports, slots, supporters
from chalicelib.errors import Conflict, Invalid
from infra.stand_ins.faults import Fault
from tests.aws import hook, lost_response, nth
from tests.conftest import new_launch
from tests.launching import Launching


def test_organiser_can_propose_and_change_a_launch(launching: Launching) -> None:
    first = launching.propose()
    changed = launching.propose(message="Another message.")

    assert changed.id == first.id
    assert (int(changed.revision), changed.message) == (2, "Another message.")
    assert changed.moment.tzinfo is not None


def test_proposing_the_same_again_changes_nothing(launching: Launching) -> None:
    launching.propose()
    launching.approve()

    assert launching.propose().approved


def test_change_takes_the_approvals_back(launching: Launching) -> None:
    launching.propose()
    launching.approve()
    assert launching.launch.approved

    launching.propose(goal=2)

    assert not launching.launch.approved


def test_link_cannot_change_once_people_have_agreed_to_it(launching: Launching) -> None:
    launching.propose()
    pledge = launching.pledge("ann")
    counts.recount([supporters.partition(launching.launch.id, "people", pledge.supporter)])
    with pytest.raises(Conflict) as refused:
        launching.propose(url="https://elsewhere.example.org/")

    assert refused.value.code == "consent_needed"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"message": " "}, "message"),
        ({"message": "x" * 501}, "message"),
        ({"url": "http://example.org"}, "url"),
        ({"url": "javascript:alert(1)"}, "url"),
        ({"goal": 0}, "goal"),
        ({"networks": []}, "networks"),
        ({"networks": ["friendface"]}, "networks"),
        ({"zone": ""}, "zone"),
        ({"zone": "Mars/Olympus"}, "zone"),
        ({"zone": "../../etc/passwd"}, "zone"),
        ({"at": timedelta(minutes=-5)}, "at"),
        ({"closes_at": timedelta(minutes=29)}, "closes_at"),
        ({"closes_at": timedelta(minutes=-1)}, "closes_at"),
    ],
)
def test_launch_is_refused_naming_the_field(launching: Launching, now: datetime, changes: dict[str, object], field: str) -> None:
    changes = {name: now + value if isinstance(value, timedelta) else value for name, value in changes.items()}
    with pytest.raises(Invalid) as refused:
        launching.propose(**changes)

    assert field in refused.value.fields


def test_moment_without_an_offset_is_refused(launching: Launching, now: datetime) -> None:
    with pytest.raises(Invalid) as refused:
        proposals.check(new_launch(now, at=datetime(2027, 2, 10, 13, 30)), now=now)  # noqa: DTZ001  # the point of it

    assert list(refused.value.fields) == ["at"]


def test_approval_needs_two_different_people(launching: Launching) -> None:
    launching.propose()
    launches.approve(launching.campaign, "olive", now=launching.now)
    launches.approve(launching.campaign, "olive", now=launching.now)
    assert (launching.launch.approved, int(launching.launch.epoch)) == (False, 0)

    launches.approve(launching.campaign, "oscar", now=launching.now)
    launches.approve(launching.campaign, "oscar", now=launching.now)
    assert (launching.launch.approved, int(launching.launch.epoch)) == (True, 1)


def test_lost_response_of_an_approval_approves_once(launching: Launching) -> None:
    launching.propose()
    launches.approve(launching.campaign, "olive", now=launching.now)
    with lost_response("dynamodb", "UpdateItem") as calls:
        launches.approve(launching.campaign, "oscar", now=launching.now)

    assert len(calls) == 2
    assert (launching.launch.approved, int(launching.launch.epoch)) == (True, 1)


def test_approval_too_late_is_refused_with_the_first_moment_that_could_be_met(launching: Launching) -> None:
    launching.propose()
    launching.clock.at(launching.moment(-179))
    with pytest.raises(Conflict) as refused:
        launches.approve(launching.campaign, "olive", now=launching.now)

    assert refused.value.code == "too_late"
    assert "2027-01-09T09:3" in refused.value.message


def ended(launching: Launching, state: str) -> None:
    launch = launching.launch
    assert (launch.state, launch.active) == (state, None)
    assert reports.get(launch.id)["state"] == state
    with pytest.raises(grants.Destroyed):
        grants.open_key(launch.campaign, launch.id)
    assert launches.active() == []
    assert launching.posts() == []


def test_launch_whose_goal_is_missed_does_not_go_out(launching: Launching) -> None:
    launching.propose(goal=2)
    launching.pledge("ann")
    launching.approve()

    assert launching.tick(launching.moment(-599)) == []

    ended(launching, "goal_missed")


def test_goal_counts_people_whose_stream_event_never_came(launching: Launching) -> None:
    launching.propose(goal=2)
    launching.pledge("ann")
    launching.pledge("ben")
    launching.approve()
    launching.tick(launching.moment(-599))

    assert (launching.launch.state, int(launching.launch.people)) == ("frozen", 2)  # type: ignore[arg-type]


def test_launch_that_was_not_approved_does_not_go_out(launching: Launching) -> None:
    launching.propose()
    launching.pledge("ann")
    launches.approve(launching.campaign, "olive", now=launching.now)
    launching.tick(launching.moment(-599))
    assert launching.tick(launching.moment(-179)) == []

    ended(launching, "not_approved")


@pytest.mark.parametrize("at", [-1200, -300, -30, -8], ids=["before the close", "before fan-out", "while held", "just before the seal"])
def test_launch_can_be_stopped(launching: Launching, at: int) -> None:
    launching.propose()
    launching.pledge("ann")
    queued = launching.ready() if at > -600 else []
    launching.clock.at(launching.moment(at))
    launches.stop(launching.campaign, "oscar", now=launching.now)
    launches.stop(launching.campaign, "olive", now=launching.now)
    launching.work(queued, at=max(at, -60))
    launching.tick(launching.moment(60))

    ended(launching, "stopped")
    assert launching.launch.stopped_by == "oscar"


def test_worker_reads_the_stop_at_its_gate(launching: Launching) -> None:
    """Stopped while the worker holds, after it has read everything."""
    launching.propose()
    launching.pledge("ann")
    queued = launching.ready()
    with hook("kms", "Decrypt", lambda: launches.stop(launching.campaign, "oscar", now=launching.now) and None):
        launching.work(queued)

    assert launching.posts() == []


def test_freezing_again_keeps_the_plan(launching: Launching) -> None:
    launch = launching.propose()
    launching.pledge("ann")
    first = slots.freeze(launch.id, launching.now)
    with lost_response("dynamodb", "UpdateItem"):
        again = slots.freeze(launch.id, launching.now)

    assert first == again == {"mastodon.0": 1}
    with pytest.raises(Conflict):
        slots.take(launch.id, "mastodon.0")


def test_lost_response_of_a_slot_leaves_one_empty_and_loses_nobody(launching: Launching) -> None:
    launch = launching.propose()
    with lost_response("dynamodb", "UpdateItem", which=2):
        pledge = launching.pledge("ann")
    launching.approve()
    queued = launching.tick(launching.moment(-599))
    launching.work(queued)

    assert slots.given(launch.id)["mastodon.0"] >= pledge.slot.number + 1
    assert launching.posts() == ["ann"]


def test_pledge_beyond_a_hosts_budget_is_in_the_next_window() -> None:
    assert [slots.lane_of("mastodon", ordinal) for ordinal in (0, 299, 300, 601)] == [
        "mastodon.0",
        "mastodon.0",
        "mastodon.1",
        "mastodon.2",
    ]
    assert slots.lane_delay("mastodon.2") == 600


def test_two_ticks_at_once_send_each_chunk_once(launching: Launching) -> None:
    launching.propose()
    launching.pledge("ann")
    queued = launching.ready() + launching.tick() + launching.tick(launching.moment(-500))

    assert [sent.message["do"] for sent in queued] == ["send", "watch", "watch", "watch"]


def test_chunk_that_nobody_ever_took_is_missed_and_says_so(launching: Launching) -> None:
    launching.propose()
    pledge = launching.pledge("ann")
    queued = launching.ready()
    launching.work(queued, at=601)
    launching.tick(launching.moment(661))

    assert launching.posts() == []
    report = reports.get(launching.launch.id)
    assert (report["state"], report["posted"], report["missed"]) == ("settled", 0, 1)
    assert reports.outcome(launching.launch, pledge) == {"outcome": "missed"}


def test_late_chunk_is_sent_within_the_grace_and_said_to_be_late(launching: Launching) -> None:
    launching.propose()
    launching.pledge("ann")
    queued = launching.ready()
    launching.work(queued, at=300)
    launching.tick(launching.moment(400))

    report = reports.get(launching.launch.id)
    assert (report["posted"], report["lanes"][0]["late_chunks"], report["lanes"][0]["sent"]) == (1, 1, None)
    assert report["lanes"][0]["late_sent"]["p50_ms"] >= 300_000


def test_launch_settles_an_hour_after_its_last_lane_whatever_happened(launching: Launching) -> None:
    launching.propose()
    launching.pledge("ann")
    launching.ready()
    key = f"{launching.launch.id}#mastodon.0#0"
    state = chunks.lease(key, 1, now=float(launching.launch.at))
    assert state is not None
    assert chunks.seal(state, now=float(launching.launch.at))
    launching.tick(launching.moment(3601))

    assert reports.get(launching.launch.id)["unknown"] == 1


def test_one_network_can_be_stopped_and_the_others_go_out(launching: Launching) -> None:
    launching.propose(networks=["mastodon", "bluesky"])
    launching.pledge("ann")
    launching.pledge("ben", network="bluesky")
    queued = launching.ready()
    for _ in range(2):
        launches.stop(launching.campaign, "oscar", network="bluesky", now=launching.now)
    launching.work(queued)
    launching.tick(launching.moment(60))

    assert launching.posts() == ["ann"]
    assert [(one["network"], one["by"]) for one in launching.launch.stops] == [("bluesky", "oscar")]
    report = reports.get(launching.launch.id)
    assert (report["state"], report["posted"], report["stopped"], report["missed"]) == ("settled", 1, 1, 0)


def test_network_that_the_launch_does_not_use_cannot_be_stopped(launching: Launching) -> None:
    launching.propose(networks=["mastodon"])
    with pytest.raises(Invalid) as refused:
        launches.stop(launching.campaign, "oscar", network="bluesky", now=launching.now)

    assert list(refused.value.fields) == ["network"]


def test_lost_response_of_a_networks_stop_stops_it_once(launching: Launching) -> None:
    launching.propose(networks=["mastodon", "bluesky"])
    with lost_response("dynamodb", "UpdateItem") as calls:
        launches.stop(launching.campaign, "oscar", network="bluesky", now=launching.now)

    assert (len(calls), launching.launch.stopped_networks) == (2, ["bluesky"])


def test_stop_after_the_seal_ends_the_retries(launching: Launching) -> None:
    """The network asks to be left alone for a while; meanwhile an organiser stops it."""
    launching.propose()
    launching.pledge("ann")
    queued = launching.ready()
    launching.towns.world.faults.add("*", Fault("throttle"))
    with hook("dynamodb", "GetItem", nth(6, lambda: launches.stop(launching.campaign, "oscar", network="mastodon", now=launching.now))):
        launching.work(queued)
    launching.towns.world.faults.clear()
    launching.tick(launching.moment(400))

    outcome = chunks.outcomes(f"{launching.launch.id}#mastodon.0#0", 1)
    assert outcome is not None
    assert [item["outcome"] for item in outcome.items.values()] == ["stopped"]
    assert launching.posts() == []
