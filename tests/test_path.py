"""The whole path through the app's own handlers, on moto alone and the stand-in network:
rule event -> fan_out -> SQS -> release -> network -> outcomes -> report, and vote -> stream event -> tally."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from chalice.test import Client

import app
from chalicelib import chunks, contributions, grants, launches, reports, tallies, votes
from chalicelib.campaigns import Campaign
from chalicelib.errors import NotFound
from chalicelib.supporters import Counts
from tests.aws import take_queued, take_records
from tests.conftest import said
from tests.launching import Launching


@pytest.fixture
def woken() -> Client:
    with Client(app.app, stage_name="local") as client:
        yield client


def minute(client: Client) -> None:
    rule = client.events.generate_cw_event(
        source="aws.events", detail_type="Scheduled Event", detail={}, resources=["arn:aws:events:eu-west-2:123456789012:rule/fan_out"]
    )
    client.lambda_.invoke("fan_out", rule)


def take(client: Client, function: str, bodies: list[str]) -> None:
    for body in bodies:
        client.lambda_.invoke(function, client.events.generate_sqs_event([body], queue_name=f"groundswell-local-{function}"))


def stream(client: Client, function: str, table: str) -> None:
    client.lambda_.invoke(function, {"Records": take_records(table)})


def test_launch_goes_from_the_rule_to_the_report(launching: Launching, woken: Client) -> None:
    launching.propose(goal=3)
    names = ["ann", "ben", "cat"]
    pledges = [launching.pledge(name, town) for town, name in enumerate(names)]
    launching.approve()
    stream(woken, "counts", "pledges")
    assert launches.supporters(launching.launch) == Counts(people=3, automatic=3)

    launching.clock.at(launching.moment(-1750))
    minute(woken)
    prepare = take_queued("chunks")
    assert [queued.message["do"] for queued in prepare] == ["prepare"]
    take(woken, "release", [queued.body for queued in prepare])
    prepared = chunks.readiness([str(pledges[0].pk)])[str(pledges[0].pk)]
    assert (int(prepared.ready), int(prepared.failing)) == (3, 0)

    launching.clock.at(launching.moment(-590))
    minute(woken)
    queued = take_queued("chunks")
    assert [(sent.message["do"], sent.delay_s) for sent in queued] == [("send", 529), ("watch", 544), ("watch", 574), ("watch", 599)]
    assert launching.launch.state == "frozen"

    launching.clock.at(launching.moment(-60))
    take(woken, "release", [queued[0].body])
    assert launching.posts() == names
    assert {arrival.text for arrival in launching.towns.posts} == {"I lend my voice."}

    launching.clock.at(launching.moment(40))
    take(woken, "release", [sent.body for sent in queued])
    minute(woken)
    assert launching.posts() == names
    report = reports.get(launching.launch.id)
    assert (report["state"], report["pledged"], report["posted"], report["unknown"]) == ("settled", 3, 3, 0)
    assert 0 <= report["lanes"][0]["sent"]["p50_ms"] < 1000
    assert reports.outcome(launching.launch, pledges[0])["url"].startswith("https://town-01.test/")  # type: ignore[index]


def test_votes_reach_the_tally_through_the_stream(campaign: Campaign, now: datetime, woken: Client) -> None:
    idea = contributions.add(campaign, "author", said("barrier", "Forms", "Too many forms."), request="1", now=now)
    for number, value in enumerate((1, 1, -1)):
        votes.cast(campaign, idea.id, f"voter-{number}", value, now=now)
    votes.withdraw(campaign, idea.id, "voter-1", now=now + timedelta(seconds=1))
    assert tallies.get(campaign.slug, idea.id) == tallies.Counts(0, 0)

    stream(woken, "tally", "votes")

    assert tallies.get(campaign.slug, idea.id) == tallies.Counts(1, 1)


def test_night_recounts_what_a_stream_lost(launching: Launching, woken: Client) -> None:
    launching.propose()
    launching.pledge("ann")
    idea = contributions.add(launching.campaign, "author", said("barrier", "Forms", "Too many."), request="1", now=launching.now)
    votes.cast(launching.campaign, idea.id, "voter", 1, now=launching.now)

    night = woken.events.generate_cw_event(source="aws.events", detail_type="Scheduled Event", detail={}, resources=[])
    woken.lambda_.invoke("nightly", night)

    assert tallies.get(launching.campaign.slug, idea.id) == tallies.Counts(1, 0)
    assert launches.supporters(launching.launch) == Counts(people=1, automatic=1)


def test_code_is_mailed_through_the_queue(woken: Client, aws: None, now: datetime) -> None:
    from chalicelib import sessions

    sessions.ask("ann@example.org", now=now)
    queued = take_queued("mail")
    assert "ann" not in queued[0].body
    take(woken, "mail", [queued[0].body])

    from moto.ses.models import ses_backends

    sent = ses_backends["123456789012"]["eu-west-2"].sent_messages[0]
    assert sent.destinations["ToAddresses"] == ["ann@example.org"]
    assert "Your code is" in str(sent.body)


def test_report_is_not_there_before_the_launch_has_ended(launching: Launching) -> None:
    launching.propose()

    with pytest.raises(NotFound) as refused:
        reports.get(launching.launch.id)

    assert refused.value.code == "not_ended"


@pytest.mark.parametrize("spoilt", [b"short", b"x" * 200], ids=["short", "of another"])
def test_permission_that_cannot_be_opened_keeps_nobody_else_from_being_sent(launching: Launching, spoilt: bytes) -> None:
    launching.propose()
    launching.pledge("ann")
    ben = launching.pledge("ben", town=1)
    queued = launching.ready()
    grants.Grant(pk=ben.pk, sk=ben.sk).update(actions=[grants.Grant.sealed.set(spoilt)])
    launching.work(queued)

    found = chunks.outcomes(str(ben.pk), 1)
    assert found is not None
    assert [found.items[slot]["outcome"] for slot in ("000", "001")] == ["posted", "reconnect"]
    assert launching.posts() == ["ann"]
