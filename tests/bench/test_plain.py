"""moto answers the same without its slowest part."""

from __future__ import annotations

import base64
from typing import Any

import boto3
import pytest

from chalicelib import settings
from tests.bench import plain

ITEM: dict[str, Any] = {
    "pk": {"S": "é"},
    "sk": {"S": "1"},
    "number": {"N": "1.50"},
    "yes": {"BOOL": True},
    "none": {"NULL": True},
    "bytes": {"B": b"\x00\xff"},
    "list": {"L": [{"S": ""}, {"B": b"\x01"}, {"M": {"n": {"N": "0"}}}]},
    "map": {"M": {"s": {"S": "x"}}},
}


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize("operation", ["query", "get_item", "batch_get_item"])
def test_moto_answers_the_same(operation: str) -> None:
    client, table = boto3.client("dynamodb"), settings.table("pledges")
    client.put_item(TableName=table, Item=ITEM)
    key = {name: ITEM[name] for name in ("pk", "sk")}
    asked: dict[str, dict[str, Any]] = {
        "query": {"TableName": table, "KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": {":pk": ITEM["pk"]}},
        "get_item": {"TableName": table, "Key": key},
        "batch_get_item": {"RequestItems": {table: {"Keys": [key]}}},
    }

    usual = getattr(client, operation)(**asked[operation])
    with plain.values():
        quick = getattr(client, operation)(**asked[operation])

    del usual["ResponseMetadata"], quick["ResponseMetadata"]
    assert quick == usual
    assert base64.b64encode(ITEM["bytes"]["B"]).decode() not in str(quick)
