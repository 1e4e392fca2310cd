"""What a night, a restart and an operator's recount put right: everything that streams keep up to date."""

from __future__ import annotations

from datetime import datetime

import boto3

from chalicelib import board, contributions, nightly, tallies, votes
from chalicelib.campaigns import Campaign
from tests.conftest import said


def lose(table: str) -> int:
    """All items of a table that only streams write; how many there were."""
    found = boto3.resource("dynamodb").Table(f"groundswell-local-{table}")
    items = found.scan()["Items"]
    for item in items:
        found.delete_item(Key={"pk": item["pk"], "sk": item["sk"]})
    return len(items)


def test_tallies_and_boards_come_back_whatever_streams_have_lost(campaign: Campaign, now: datetime) -> None:
    ideas = [contributions.add(campaign, f"author-{n}", said(title=f"Idea {n}"), request=str(n), now=now) for n in range(3)]
    for voter in range(4):
        votes.cast(campaign, ideas[0].id, f"voter-{voter}", 1 if voter else -1, now=now)
    nightly.run()
    assert (lose("tallies"), lose("boards") > 0) == (3, True)

    nightly.run()

    assert tallies.get(campaign.slug, ideas[0].id) == tallies.Counts(3, 1)
    parts = board.Part.query(f"{campaign.slug}#1")
    assert [entry.id for part in parts for entry in board.entries_of(part)] == sorted(idea.id for idea in ideas)


def test_recounting_again_changes_nothing(campaign: Campaign, now: datetime) -> None:
    idea = contributions.add(campaign, "author", said(), request="1", now=now)
    votes.cast(campaign, idea.id, "ann", 1, now=now)

    for _ in range(3):
        nightly.run()

    assert tallies.get(campaign.slug, idea.id) == tallies.Counts(1, 0)
