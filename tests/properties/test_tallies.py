"""Whatever the order of votes, changes, withdrawals, repetitions, recounts and lost responses: once every stream event
has been handled, the tally is the live votes."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from moto import mock_aws

from chalicelib import contributions, participants, tallies, votes
from tests.aws import hook, lost_response
from tests.conftest import NOW, build, forget, make_campaign, said

VOTERS = st.sampled_from(["ann", "ben", "cat", "dan"])
VALUES = st.sampled_from([1, -1, 0])


class Tallies(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.mock = mock_aws()
        self.mock.start()
        build()
        self.campaign = make_campaign(participants.find_or_create("olive@example.org", now=NOW).id, NOW)
        self.idea = contributions.add(self.campaign, "author", said("barrier", "A", "B"), request="1", now=NOW).id
        self.key = contributions.key(self.campaign.slug, self.idea)
        self.model: dict[str, int] = {}
        self.sent: list[tuple[str, int, timedelta]] = []
        self.after = timedelta(0)
        self.unhandled = False

    def teardown(self) -> None:
        self.mock.stop()
        forget()

    def vote(self, voter: str, value: int) -> None:
        self.after += timedelta(milliseconds=1)
        self.sent.append((voter, value, self.after))
        self.request(voter, value, self.after)
        if value or voter in self.model:
            self.model[voter] = value
        self.unhandled = True

    def request(self, voter: str, value: int, after: timedelta) -> None:
        if value:
            votes.cast(self.campaign, self.idea, voter, value, now=NOW + after)
        else:
            votes.withdraw(self.campaign, self.idea, voter, now=NOW + after)

    @rule(voter=VOTERS, value=VALUES)
    def votes_changes_or_withdraws(self, voter: str, value: int) -> None:
        self.vote(voter, value)

    @rule(voter=VOTERS, value=VALUES)
    def votes_and_the_response_is_lost(self, voter: str, value: int) -> None:
        with lost_response("dynamodb", "UpdateItem"):
            self.vote(voter, value)

    @rule(data=st.data())
    def an_older_request_arrives_again(self, data: st.DataObject) -> None:
        if self.sent:
            self.request(*data.draw(st.sampled_from(self.sent)))
            self.unhandled = True

    @rule(times=st.integers(1, 3))
    def the_stream_delivers(self, times: int) -> None:
        for _ in range(times):
            tallies.recount_touched([self.key, self.key])
        self.unhandled = False

    @rule()
    def the_stream_delivers_and_a_response_is_lost(self) -> None:
        with lost_response("dynamodb", "PutItem"):
            tallies.recount(self.key)
        self.unhandled = False

    @rule(voter=VOTERS, value=VALUES)
    def a_slow_recount_is_overtaken(self, voter: str, value: int) -> None:
        overtaken = []

        def overtake() -> None:
            if not overtaken:
                overtaken.append(True)
                self.vote(voter, value)
                tallies.recount(self.key)

        with hook("dynamodb", "PutItem", overtake):
            tallies.recount(self.key)
        self.unhandled = False

    @invariant()
    def the_tally_is_the_live_votes(self) -> None:
        if not self.unhandled:
            live = list(self.model.values())
            assert tallies.get(self.campaign.slug, self.idea) == tallies.Counts(live.count(1), live.count(-1))

    @invariant()
    def everybody_sees_their_own_vote(self) -> None:
        for voter, value in self.model.items():
            assert votes.own(self.campaign.slug, self.idea, voter) == value


TestTallies = Tallies.TestCase
