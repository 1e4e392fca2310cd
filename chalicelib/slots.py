"""Slots, lanes, chunks: where a pledge stands in its launch. All lane counters of a launch are attributes of one item,
so that one update closes them all and its answer is the whole plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from botocore.exceptions import ClientError
from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.transactions import TransactWrite

from . import ids, networks, settings, store
from .errors import Conflict
from .settings import SLOTS_PER_CHUNK


@dataclass(frozen=True, slots=True)
class Slot:
    """A pledge's place: `number` counts from 0 within its lane."""

    launch: str
    lane: str
    number: int

    @property
    def chunk(self) -> str:
        """The partition of the chunk's pledges, grants and states."""
        return chunk_key(self.launch, self.lane, self.number // SLOTS_PER_CHUNK)

    @property
    def position(self) -> str:
        """The sort key within the chunk."""
        return f"{self.number % SLOTS_PER_CHUNK:03d}"

    @property
    def pledge(self) -> str:
        """The pledge's id: launch, lane, chunk and slot, so that it can be read without an index."""
        return f"{self.launch}.{self.lane}.{self.number // SLOTS_PER_CHUNK}.{self.position}"


def chunk_key(launch: str, lane: str, chunk: int) -> str:
    return f"{launch}#{lane}#{chunk}"


def parse(pledge: str) -> Slot | None:
    """The slot that a pledge's id names, or None where it is no such id."""
    parts = pledge.split(".")
    if len(parts) != 5 or parts[1] not in networks.NAMES or not all(part.isascii() and part.isdigit() for part in parts[2:]):
        return None
    launch, network, window, chunk, position = parts
    return Slot(launch, f"{network}.{window}", int(chunk) * SLOTS_PER_CHUNK + int(position))


def lane_of(network: str, ordinal: int) -> str:
    """The lane of the `ordinal`-th pledge (from 0) on its host: as many a window as the host takes in one period."""
    return f"{network}.{ordinal // networks.get(network).BUDGET}"


def offset_of(network: str, ordinal: int) -> int:
    """Seconds after its lane's time at which the `ordinal`-th pledge on its host is sent, so that no host gets more than
    `PER_S` posts in a second, however many workers send them."""
    chosen = networks.get(network)
    return ordinal % chosen.BUDGET // chosen.PER_S


def network_of(lane: str) -> str:
    return lane.rpartition(".")[0]


def lane_delay(lane: str) -> int:
    """Seconds from the launch's moment to the lane's own time."""
    network, _, window = lane.rpartition(".")
    return int(window) * networks.get(network).PERIOD_S


class Timed(Protocol):
    """What has a moment: a launch. `at` in epoch seconds."""

    @property
    def at(self) -> Any: ...


def planned_at(launch: Timed, lane: str) -> int:
    """The lane's own time, in epoch seconds."""
    return int(launch.at) + lane_delay(lane)


def chunks_of(plan: Mapping[str, int]) -> list[tuple[str, int]]:
    """All (lane, chunk) of a plan (lane -> slots given), earliest lanes first."""
    lanes = sorted(plan, key=lambda lane: (lane_delay(lane), lane))
    return [(lane, chunk) for lane in lanes for chunk in range(chunks_for(plan[lane]))]


def chunks_for(given: int) -> int:
    """How many chunks so many slots are."""
    return -(-given // SLOTS_PER_CHUNK)


def ordinal(launch: str, network: str, host: str) -> int:
    """The how-manieth pledge on this host, from 0. May skip one where a response was lost."""
    answer = _update(
        _host_key(launch, network, host),
        UpdateExpression="ADD #given :one",
        ExpressionAttributeNames={"#given": "given"},
        ExpressionAttributeValues={":one": {"N": "1"}},
        ReturnValues="UPDATED_NEW",
    )
    return int(answer["given"]["N"]) - 1


def expected_delay(launch: str, network: str, host: str) -> int:
    """How many seconds after the moment the next pledge on this host would go out, as it stands now."""
    item = store.dynamodb().get_item(TableName=settings.table("launches"), Key=_host_key(launch, network, host)).get("Item", {})
    next_ = int(item["given"]["N"]) if item else 0
    return lane_delay(lane_of(network, next_)) + offset_of(network, next_)


def _host_key(launch: str, network: str, host: str) -> dict[str, dict[str, str]]:
    return {"pk": {"S": launch}, "sk": {"S": f"host#{network}#{host}"}}


def take(launch: str, lane: str) -> Slot:
    """The next slot of a lane. Raises `Conflict` (closed) after the freeze. A lost response leaves a slot empty,
    which is harmless."""
    answer = _update(
        _slots_key(launch),
        closed(),
        UpdateExpression="ADD #lane :one",
        ConditionExpression="attribute_not_exists(#closed)",
        ExpressionAttributeNames={"#lane": lane, "#closed": "closed"},
        ExpressionAttributeValues={":one": {"N": "1"}},
        ReturnValues="UPDATED_NEW",
    )
    return Slot(launch, lane, int(answer[lane]["N"]) - 1)


def closed() -> Conflict:
    return Conflict("Lending a post for this moment has closed.", code="closed")


def freeze(launch: str, now: datetime, *, postponed: int = 0) -> dict[str, int]:
    """Closes all lanes; the answer is the plan: lane -> slots given. Safe to repeat, and the plan stays the same. `postponed`:
    how often the launch had been when it was read. Raises `Conflict` (changed) where it has been again since."""
    values = {":now": {"N": str(ids.milliseconds(now))}}
    answer = _update(
        _slots_key(launch),
        Conflict("The launch has just been postponed.", code="changed"),
        UpdateExpression="SET #closed = if_not_exists(#closed, :now)",
        ConditionExpression="#postponed = :postponed" if postponed else "attribute_not_exists(#postponed)",
        ExpressionAttributeNames={"#closed": "closed", "#postponed": "postponed"},
        ExpressionAttributeValues=values | ({":postponed": {"N": str(postponed)}} if postponed else {}),
        ReturnValues="ALL_NEW",
    )
    return _plan(answer)


class _Slots(store.Record):
    """What is not a lane's counter in that item."""

    class Meta:
        table_name = settings.table("launches")

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True, default="slots")
    closed = NumberAttribute(null=True)
    postponed = NumberAttribute(null=True)


def reopen(transaction: TransactWrite, launch: str, *, postponed: int) -> None:
    """Adds to a transaction that slots are given again, and that a freeze that knows nothing of it closes nothing."""
    transaction.update(_Slots(pk=launch, sk="slots"), actions=[_Slots.closed.remove(), _Slots.postponed.set(postponed)])


def given(launch: str) -> dict[str, int]:
    """The plan so far, while pledges still come in."""
    item = store.dynamodb().get_item(TableName=settings.table("launches"), Key=_slots_key(launch), ConsistentRead=True).get("Item", {})
    return _plan(item)


def _plan(item: Mapping[str, Mapping[str, str]]) -> dict[str, int]:
    return {lane: int(value["N"]) for lane, value in item.items() if lane not in ("pk", "sk", "closed", "postponed")}


def _slots_key(launch: str) -> dict[str, dict[str, str]]:
    return {"pk": {"S": launch}, "sk": {"S": "slots"}}


def _update(key: dict[str, dict[str, str]], refused: Conflict | None = None, **arguments: object) -> dict[str, dict[str, str]]:
    """The attributes asked for. Raises `refused` where the condition is not met."""
    try:
        answer = store.dynamodb().update_item(TableName=settings.table("launches"), Key=key, **arguments)
    except ClientError as error:
        if refused is None or error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        raise refused from error
    attributes: dict[str, dict[str, str]] = answer.get("Attributes", {})
    return attributes
