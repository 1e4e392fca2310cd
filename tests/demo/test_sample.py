"""The sample campaign of `make run`, on moto: everything in it passes the rules that people meet."""

from __future__ import annotations

from datetime import timedelta

from chalicelib import campaigns, comments, launches, tallies, votes
from chalicelib.contributions import Contribution
from infra import sample
from tests.aws import Skipping


def test_sample_has_people_who_talk_and_a_launch_that_is_approved(aws: None, skipping: Skipping) -> None:
    made = sample.make()

    campaign = campaigns.get(made.slug)
    ideas = list(Contribution.query(f"{made.slug}#1"))
    assert {idea.title for idea in ideas} == {idea[1] for idea in sample.IDEAS}
    assert all(votes.values(f"{made.slug}#{idea.id}") for idea in ideas)
    assert sum(tallies.recount(f"{made.slug}#{idea.id}").down for idea in ideas) > 0
    assert [comment.text for idea in ideas for comment in comments.of(made.slug, idea.id).items] == list(sample.COMMENTS)
    launch = launches.of(campaign)
    assert launch.approved
    assert launch.is_open(made.closes_at - timedelta(seconds=1))
