"""One chunk of pledges, in this process's own moto, as the release worker finds it. The first is made by the functions that
people use; the others are its copies in other slots, on other hosts, from other accounts, each with its own sealed grant,
saved in batches: one by one, 2,000 would take minutes. What the worker does not read (supporters, accounts) they lack."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tests import conftest  # the environment, before anything of ours
from tests.conftest import make_campaign, new_launch

# isort: split
from chalicelib import chunks, drafts, grants, ids, launches, participants, pledges, settings, slots, store
from chalicelib.campaigns import Campaign
from chalicelib.drafts import Access
from chalicelib.launches import Launch
from chalicelib.messages import Message
from chalicelib.pledges import Pledge
from infra.stand_ins import tokens
from tests.aws import data_key_pair

NETWORK, TEXT = "mastodon", "I lend my voice to those who do the work. https://change.example.org/solutions"
LANE = f"{NETWORK}.0"


@dataclass(frozen=True, slots=True)
class Chunk:
    """`pledges` of this chunk, which is the `number`-th of a lane of `total`. `hosts`: the names of those that take them."""

    number: int
    pledges: int
    total: int
    hosts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Built:
    launch: Launch
    message: Message

    @property
    def body(self) -> str:
        return json.dumps(asdict(self.message))

    def move(self, at: int) -> None:
        """The moment as it is known once every worker is ready."""
        self.launch.update(actions=[Launch.at.set(at)])

    def outcomes(self) -> list[dict[str, Any]]:
        found = chunks.outcomes(self.message.key, self.message.epoch)
        assert found is not None, "the worker left no outcomes"
        return list(found.items.values())


def build(chunk: Chunk) -> Built:
    """Inside `mock_aws`. The moment is some time ahead, for `move` to set."""
    # A chunk of 500 is what `SLOTS_PER_CHUNK` would make where it was set so; the number is in two places of this process.
    settings.SLOTS_PER_CHUNK = slots.SLOTS_PER_CHUNK = max(settings.SLOTS_PER_CHUNK, chunk.pledges)
    store.session().register("before-call.kms.GenerateDataKeyPairWithoutPlaintext", data_key_pair)
    conftest.build()
    at = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=2)
    now = at - timedelta(hours=1)
    campaign = make_campaign(participants.find_or_create("olive@example.org", now=now).id, now)
    launch = launches.propose(campaign, "olive", new_launch(now, at=at, closes_at=at - timedelta(minutes=20), networks=[NETWORK]), now=now)
    campaign.refresh()
    _count(launch, chunk.number * settings.SLOTS_PER_CHUNK)
    _copy(launch, _first(campaign, chunk, now), chunk)
    for organiser in ("olive", "oscar"):
        launch = launches.approve(campaign, organiser, now=now)
    _count(launch, chunk.total)
    plan = slots.freeze(launch.id, at - timedelta(minutes=20))
    launch.update(actions=[Launch.plan.set(plan), Launch.people.set(chunk.total), Launch.state.set("frozen")])
    return Built(launch, Message("send", launch.id, int(launch.epoch), LANE, chunk.number))


def _count(launch: Launch, given: int) -> None:
    """So many slots of the lane have been given."""
    store.dynamodb().update_item(
        TableName=settings.table("launches"),
        Key=slots._slots_key(launch.id),
        UpdateExpression="SET #lane = :given",
        ExpressionAttributeNames={"#lane": LANE},
        ExpressionAttributeValues={":given": {"N": str(given)}},
    )


def _first(campaign: Campaign, chunk: Chunk, now: datetime) -> Pledge:
    host = chunk.hosts[0]
    drafted = drafts.draft(campaign, network=NETWORK, server=host, text=TEXT, person=None, token=None, now=now)
    token = tokens.mint(host, _account(chunk, 0))
    return pledges.confirm(campaign, drafted.draft.id, token, Access(None, drafted.token), now=now)


def _account(chunk: Chunk, place: int) -> str:
    return f"person_{chunk.number}_{place}"


def _copy(launch: Launch, first: Pledge, chunk: Chunk) -> None:
    with Pledge.batch_write() as batch, grants.Grant.batch_write() as batch_of_grants:
        for place in range(1, chunk.pledges):
            slot = slots.Slot(launch.id, LANE, chunk.number * settings.SLOTS_PER_CHUNK + place)
            host, name = chunk.hosts[place % len(chunk.hosts)], _account(chunk, place)
            own = {"pk": slot.chunk, "sk": slot.position, "server": host, "account": f"@{name}@{host}", "key": ids.token()}
            pledge = Pledge(**{**first.attribute_values, **own, "draft": ids.ordered(datetime.now(UTC)), "supporter": ids.short()})
            batch.save(pledge)
            batch_of_grants.save(pledges.grant_of(launch, pledge, tokens.mint(host, name)))
