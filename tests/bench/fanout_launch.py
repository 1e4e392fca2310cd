"""The launch of `make bench-fanout`, in this process's own moto, as it stands when its pledges close; and what its workers
leave. Pledges are as `pledges.confirm` writes them, as far as the close reads them, saved in batches: a million confirmed one by
one would take an hour."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from tests import conftest
from tests.bench.fanout_plan import HOLES, WITHDRAWN, Plan
from tests.conftest import NOW, make_campaign, new_launch

# isort: split
from chalicelib import chunks, fan_out, launches, networks, participants, settings, slots, store, supporters
from chalicelib.launches import Launch
from chalicelib.messages import Message
from chalicelib.pledges import Pledge
from chalicelib.supporters import Count, Supporter
from tests.aws import data_key_pair

AT = NOW + timedelta(days=1)


def made(plan: Plan) -> Launch:
    """Inside `mock_aws`: proposed, pledged for, approved, still open."""
    store.session().register("before-call.kms.GenerateDataKeyPairWithoutPlaintext", data_key_pair)
    conftest.build()
    settings.current.cache_clear()
    campaign = make_campaign(participants.find_or_create("olive@example.org", now=NOW).id, NOW)
    new = new_launch(NOW, at=AT, closes_at=AT - timedelta(minutes=40), networks=list(networks.NAMES))
    launch = launches.propose(campaign, "olive", new, now=NOW)
    campaign.refresh()
    for organiser in ("olive", "oscar"):
        launch = launches.approve(campaign, organiser, now=NOW)
    _give(launch, plan.slots)
    if plan.pledges <= fan_out.RECOUNT_UP_TO:
        _pledge(launch, plan.slots)
    else:
        _count(launch, plan.pledges)
    return launch


def _give(launch: Launch, given: Mapping[str, int]) -> None:
    """The counters as so many slots taken have left them."""
    names, values = (
        {f"#l{n}": lane for n, lane in enumerate(given)},
        {f":v{n}": {"N": str(count)} for n, count in enumerate(given.values())},
    )
    store.dynamodb().update_item(
        TableName=settings.table("launches"),
        Key=slots._slots_key(launch.id),
        UpdateExpression="SET " + ", ".join(f"#l{n} = :v{n}" for n in range(len(given))),
        ExpressionAttributeNames=names,
        ExpressionAttributeValues=values,
    )


def _pledge(launch: Launch, given: Mapping[str, int]) -> None:
    """Every hundredth slot is a hole, three of a hundred are withdrawn; each supporter has lent one post."""
    with Pledge.batch_write() as batch, Supporter.batch_write() as batch_of_supporters:
        for number, slot in enumerate(slots.Slot(launch.id, lane, place) for lane, count in given.items() for place in range(count)):
            if number % 100 < 100 * HOLES:
                continue
            name, network = f"supporter-{number}", slot.lane.rpartition(".")[0]
            pledge = Pledge(pk=slot.chunk, sk=slot.position, draft=f"draft-{number}", supporter=name, network=network, server="host.test")
            pledge.account, pledge.account_item, pledge.limit, pledge.per_link = f"@{name}@host.test", "- -", 500, 23
            pledge.text, pledge.key, pledge.text_sha256, pledge.wording = "I lend my voice.", f"key-{number}", "-", "-"
            pledge.agreed_at, pledge.consented = slots.planned_at(launch, slot.lane), int(NOW.timestamp() * 1000)
            withdrawn = number % 100 < 100 * (HOLES + WITHDRAWN)
            pledge.withdrawn = pledge.consented if withdrawn else None
            batch.save(pledge)
            mine = {} if withdrawn else {network: pledge.id}
            batch_of_supporters.save(Supporter(pk=supporters.partition(launch.id, "people", name), sk=name, pledges=mine, version=1))


def _count(launch: Launch, pledges: int) -> None:
    """What the stream has counted so far: one person a live pledge, evenly over the partitions."""
    each = int(pledges * (1 - HOLES - WITHDRAWN) / supporters.PARTITIONS)
    with Count.batch_write() as batch:
        for partition in supporters.partitions(launch.id, "people"):
            batch.save(Count(pk=launch.id, sk=partition.partition("#")[2], n=each, version=1))


def finish(launch: Launch, sent: Iterable[Mapping[str, Any]], *, now: datetime) -> None:
    """What a worker leaves of each chunk: its state, done."""
    at = int(now.timestamp() * 1000)
    with chunks.State.batch_write() as batch:
        for message in (Message(**one) for one in sent):
            state = chunks.State(pk=message.key, sk=chunks._state_key(message.epoch), fence=1, until=0, sealed=at, done=at)
            state.counts = {"posted": settings.SLOTS_PER_CHUNK}
            batch.save(state)
