"""What DynamoDB would charge: calls counted by botocore's hooks, capacity units worked out from the sizes of items by AWS's
rules, since moto says 1.0 for everything.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import boto3

from chalicelib import store
from tests import tables

READ_BYTES, WRITE_BYTES = 4096, 1024
_WRITES = {"PutItem": "Item", "UpdateItem": "Key", "DeleteItem": "Key"}
_TRANSACTED = {"Put": "Item", "Update": "Key", "Delete": "Key", "ConditionCheck": "Key"}


@dataclass(frozen=True, slots=True)
class Call:
    operation: str
    tables: tuple[str, ...]
    read: float
    write: float


@dataclass
class Meter:
    """The calls that were made, in order."""

    calls: list[Call] = field(default_factory=list)

    @property
    def read(self) -> float:
        return sum(call.read for call in self.calls)

    @property
    def write(self) -> float:
        return sum(call.write for call in self.calls)

    def besides(self, table: str) -> int:
        """How many calls there were, those to this table alone left out."""
        return sum(1 for call in self.calls if call.tables != (table,))


@contextmanager
def metered() -> Iterator[Meter]:
    meter, begun = Meter(), list[tuple[dict[str, Any], list[Any]]]()
    events = store.dynamodb().meta.events

    def before(params: Mapping[str, Any], model: Any, **_: Any) -> None:
        asked = json.loads(params["body"])
        begun.append((asked, [_stored(table, key) for table, key in _written(model.name, asked)]))

    def after(parsed: Mapping[str, Any], model: Any, **_: Any) -> None:
        asked, old = begun.pop()
        written = _written(model.name, asked)
        new = [_stored(table, key) for table, key in written]
        units = [_write_units(table, was, now) for (table, _), was, now in zip(written, old, new, strict=True)]
        factor = 2 if model.name == "TransactWriteItems" else 1
        write = sum(base * factor + index for base, index in units)
        meter.calls.append(Call(model.name, _tables(asked), _read_units(model.name, asked, parsed), write))

    events.register_first("before-call.dynamodb", before)
    events.register_last("after-call.dynamodb", after)
    try:
        yield meter
    finally:
        events.unregister("before-call.dynamodb", before)
        events.unregister("after-call.dynamodb", after)


def _tables(asked: Mapping[str, Any]) -> tuple[str, ...]:
    if "TransactItems" in asked:
        return tuple(next(iter(one.values()))["TableName"] for one in asked["TransactItems"])
    return tuple(asked["RequestItems"]) if "RequestItems" in asked else (asked["TableName"],)


def _read_units(operation: str, asked: Mapping[str, Any], parsed: Mapping[str, Any]) -> float:
    """Whole units per 4 KB read, half of it where an older state will do. What is not there costs the least there is."""
    if operation == "GetItem":
        return _units_read([parsed.get("Item", {})], asked)
    if operation == "Query":
        assert "FilterExpression" not in asked, "what was read and left out is not known"
        table = asked["TableName"]
        whole = [_stored(table, _key(table, item)) for item in parsed["Items"]] if "ProjectionExpression" in asked else parsed["Items"]
        return _units_read(whole, asked, together=True)
    if operation == "BatchGetItem":
        found = 0.0
        for table, wanted in asked["RequestItems"].items():
            items = parsed["Responses"].get(table, [])
            found += _units_read([*items, *[{}] * (len(wanted["Keys"]) - len(items))], wanted)
        return found
    assert operation in (*_WRITES, "TransactWriteItems"), operation
    return 0


def _units_read(items: list[Mapping[str, Any]], asked: Mapping[str, Any], *, together: bool = False) -> float:
    sizes = [sum(size(item) for item in items)] if together else [size(item) for item in items]
    return sum(max(1, math.ceil(one / READ_BYTES)) for one in sizes) * (1 if asked.get("ConsistentRead") else 0.5)


def _written(operation: str, asked: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Table and key of each item that a call writes."""
    if operation in _WRITES:
        return [(asked["TableName"], _key(asked["TableName"], asked[_WRITES[operation]]))]
    if operation != "TransactWriteItems":
        return []
    pairs = [next(iter(one.items())) for one in asked["TransactItems"]]
    return [(what["TableName"], _key(what["TableName"], what[_TRANSACTED[kind]])) for kind, what in pairs]


def _key(table: str, item: Mapping[str, Any]) -> dict[str, Any]:
    return {one["AttributeName"]: item[one["AttributeName"]] for one in _template(table)["KeySchema"]}


def _template(table: str) -> dict[str, Any]:
    return next(found for found in tables.resources("AWS::DynamoDB::Table") if found["TableName"] == table)


def _stored(table: str, key: dict[str, Any]) -> dict[str, Any]:
    """By a client of its own, which is not counted."""
    found: dict[str, Any] = boto3.client("dynamodb").get_item(TableName=table, Key=key, ConsistentRead=True).get("Item", {})
    return found


def _write_units(table: str, was: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[int, int]:
    """The item's own, by the larger of before and after; and those of its indexes, which only change what they hold."""
    indexes = 0
    for index in _template(table).get("GlobalSecondaryIndexes", []):
        before, after = (_projected(table, index, item) for item in (was, now))
        if before != after:
            moved = bool(before and after and _index_key(index, before) != _index_key(index, after))
            indexes += (2 if moved else 1) * max(1, math.ceil(max(size(before), size(after)) / WRITE_BYTES))
    return max(1, math.ceil(max(size(was), size(now)) / WRITE_BYTES)), indexes


def _projected(table: str, index: Mapping[str, Any], item: Mapping[str, Any]) -> dict[str, Any]:
    if not all(one["AttributeName"] in item for one in index["KeySchema"]):
        return {}
    if index["Projection"]["ProjectionType"] == "ALL":
        return dict(item)
    return _key(table, item) | _index_key(index, item)


def _index_key(index: Mapping[str, Any], item: Mapping[str, Any]) -> dict[str, Any]:
    return {one["AttributeName"]: item[one["AttributeName"]] for one in index["KeySchema"]}


def size(item: Mapping[str, Any]) -> int:
    """Bytes of an item. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html"""
    return sum(len(name.encode()) + _size_of(value) for name, value in item.items())


def _size_of(value: Mapping[str, Any]) -> int:
    ((kind, content),) = value.items()
    if kind == "S":
        return len(content.encode())
    if kind == "N":
        return 1 + math.ceil(len(content.replace(".", "").strip("-0")) / 2) + content.startswith("-")
    if kind == "B":
        return len(content)
    if kind == "L":
        return 3 + sum(1 + _size_of(one) for one in content)
    if kind == "M":
        return 3 + sum(1 + len(name.encode()) + _size_of(one) for name, one in content.items())
    assert kind in ("BOOL", "NULL"), kind
    return 1
