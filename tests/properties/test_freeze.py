"""Pledges against the freeze, in every interleaving: what was accepted is enumerated, and what is enumerated is sent."""

from __future__ import annotations

from contextlib import ExitStack

import boto3
import pytest

from chalicelib import fan_out, launches, slots
from chalicelib.errors import Conflict
from chalicelib.pledges import Pledge
from tests.aws import hook, take_queued
from tests.launching import Launching

OPERATIONS = ("GetItem", "UpdateItem", "TransactWriteItems", "PutItem", "Query")


class Interloper:
    """Freezes the launch just before the `step`-th call that the pledging makes to DynamoDB."""

    def __init__(self, launching: Launching, step: int) -> None:
        self.launching, self.step, self.seen, self.busy = launching, step, 0, False

    def __call__(self) -> None:
        if self.busy:
            return
        self.seen += 1
        if self.seen == self.step:
            self.busy = True
            launch = self.launching.launch
            fan_out.freeze(launch, now=launch.moment)
            self.busy = False


def pledge_against(launching: Launching, step: int) -> tuple[Pledge | None, int]:
    """The pledge, or None where it was refused as closed; and how many calls were seen."""
    interloper, pledge, refused = Interloper(launching, step), None, "closed"
    with hooked(interloper):
        try:
            pledge = launching.pledge("ann")
        except Conflict as error:
            refused = error.code
    assert refused == "closed"
    return pledge, interloper.seen


def hooked(act: Interloper) -> ExitStack:
    stack = ExitStack()
    for operation in OPERATIONS:
        stack.enter_context(hook("dynamodb", operation, act))
    return stack


def give(launching: Launching, count: int) -> None:
    """As many slots as given before, all of them lost responses."""
    boto3.client("dynamodb").update_item(
        TableName="groundswell-local-launches",
        Key={"pk": {"S": launching.launch.id}, "sk": {"S": "slots"}},
        UpdateExpression="SET #lane = :n",
        ExpressionAttributeNames={"#lane": "mastodon.0"},
        ExpressionAttributeValues={":n": {"N": str(count)}},
    )


@pytest.mark.parametrize("before", [0, 249, 250], ids=["first of all", "last of a chunk", "first of a chunk"])
def test_accepted_is_enumerated_wherever_the_freeze_falls(launching: Launching, before: int) -> None:
    launching.propose()
    _, steps = pledge_against(launching, step=0)
    assert steps >= 8
    accepted = 0
    for step in range(1, steps + 1):
        launching.campaign.update(actions=[type(launching.campaign).launch.remove()])
        launching.propose()
        give(launching, before)
        pledge, _ = pledge_against(launching, step)
        plan = slots.freeze(launching.launch.id, launching.now)
        assert plan == launching.launch.plan
        if pledge is not None:
            accepted += 1
            assert pledge.slot.number < plan["mastodon.0"]
            assert ("mastodon.0", pledge.slot.number // 250) in slots.chunks_of(plan)
        else:
            assert launches.supporters(launching.launch).people == 0
    assert 0 < accepted < steps


def test_pledge_that_lands_after_the_freeze_is_sent(launching: Launching) -> None:
    """Its slot was given before the freeze; the transaction came after it."""
    launching.propose()
    launching.approve()
    launching.pledge("zoe")

    def freeze() -> None:
        launch = launching.launch
        if launch.state == "open":
            fan_out.freeze(launch, now=launch.moment)

    with hook("dynamodb", "TransactWriteItems", freeze):
        launching.pledge("ann")
    assert launching.launch.state == "frozen"
    queued = launching.tick(launching.moment(-600))
    launching.work(queued)

    assert launching.posts() == ["ann", "zoe"]
    assert take_queued("chunks") == []
