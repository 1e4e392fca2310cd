"""What came of a launch: counted once, from 72 hours before the moment to 72 hours after it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from chalicelib import aftermath, clock, contributions, enrolments, nightly, reports, visits
from chalicelib.campaigns import Campaign
from chalicelib.visits import Visits
from tests.aws import lost_response
from tests.conftest import Make, said
from tests.launching import Launching

HOUR = timedelta(hours=1)


@pytest.fixture
def over(launching: Launching) -> Launching:
    """A launch that has gone out."""
    launching.propose(at=launching.now + timedelta(hours=100))
    launching.pledge("ann")
    launching.work(launching.ready())
    launching.tick(launching.moment(60))
    return launching


def happen(launching: Launching, person: Make, *, hours: float, name: str, hidden: bool = False) -> None:
    """Somebody comes by the link, joins and adds an idea, so many hours from the moment."""
    now = launching.moment(hours * 3600)
    launching.clock.at(now)
    visits.count(launching.campaign.slug, now=now)
    joined = enrolments.join(launching.campaign.slug, person(f"{name}@example.org"), "staff", now=now)
    idea = contributions.add(launching.campaign, joined.pseudonym, said("barrier", name, name), request=name, now=now)
    if hidden:
        idea.update(actions=[contributions.Contribution.state.set("hidden")])


def counted(launching: Launching, *, hours: float = 72.1) -> dict[str, dict[str, int]] | None:
    launching.clock.at(launching.moment(hours * 3600))
    nightly.run()
    return aftermath.get(launching.launch.id)


def test_what_came_of_it_is_counted_before_and_after(over: Launching, person: Make) -> None:
    for place, hours in enumerate((-73, -71, -0.02, 0, 1, 71.98, 72)):
        happen(over, person, hours=hours, name=f"p{place}")

    found = counted(over)

    assert found == {"before": {"visits": 2, "joins": 2, "ideas": 2}, "after": {"visits": 3, "joins": 3, "ideas": 3}}


def test_what_came_of_it_is_counted_once_the_time_is_over_and_stays(over: Launching, person: Make) -> None:
    happen(over, person, hours=1, name="pat")

    assert counted(over, hours=71.9) is None
    first = counted(over)
    happen(over, person, hours=2, name="pam")

    assert first is not None
    assert counted(over, hours=96) == first


def test_lost_response_while_it_is_written_changes_nothing(over: Launching, person: Make) -> None:
    happen(over, person, hours=1, name="pat")
    over.clock.at(over.moment(73 * 3600))

    with lost_response("dynamodb", "PutItem") as calls:
        aftermath.write(over.campaign, over.launch, now=over.now)

    assert len(calls) == 2
    assert aftermath.get(over.launch.id) == {
        "before": {"visits": 0, "joins": 0, "ideas": 0},
        "after": {"visits": 1, "joins": 1, "ideas": 1},
    }


def test_ideas_that_cannot_be_seen_do_not_count(over: Launching, person: Make) -> None:
    happen(over, person, hours=1, name="pat", hidden=True)

    found = counted(over)

    assert found is not None
    assert found["after"] == {"visits": 1, "joins": 1, "ideas": 0}


def test_organisers_do_not_join(over: Launching, person: Make) -> None:
    enrolments.appoint(over.campaign.slug, person("oscar@example.org"), ["organiser"], now=over.moment(3600))

    found = counted(over)

    assert found is not None
    assert found["after"]["joins"] == 0


def test_nothing_comes_of_a_launch_that_did_not_go_out(launching: Launching) -> None:
    launching.propose(goal=9)
    launching.tick(launching.moment(-1200))
    launching.tick(launching.moment(-600))

    assert reports.get(launching.launch.id)["state"] == "goal_missed"
    assert counted(launching) is None


def test_visits_are_kept_apart_by_minute_and_campaign_and_bear_nothing_else(campaign: Campaign) -> None:
    now = clock.utc_now().replace(second=30)
    for _ in range(20):
        visits.count(campaign.slug, now=now)
    visits.count("another", now=now)

    assert visits.between(campaign.slug, now, now + timedelta(minutes=1)) == 20
    assert visits.between(campaign.slug, now - HOUR, now) == 0
    assert visits.between(campaign.slug, now + timedelta(minutes=1), now + HOUR) == 0
    assert set(Visits._attributes) == {"pk", "sk", "n", "expires"}
