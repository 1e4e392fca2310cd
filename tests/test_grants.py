"""A grant can be stored by the API and opened by the worker only, and by nobody once its key is destroyed."""

from __future__ import annotations

import boto3
import pytest
from cryptography.exceptions import InvalidTag

from chalicelib import grants
from tests import tables
from tests.launching import Launching


def restorable() -> list[str]:
    """Tables of which AWS could give back an earlier copy: with point-in-time recovery, or a stream of images."""
    found = []
    for table in tables.resources("AWS::DynamoDB::Table"):
        recovery = table.get("PointInTimeRecoverySpecification", {}).get("PointInTimeRecoveryEnabled")
        images = table.get("StreamSpecification", {}).get("StreamViewType", "KEYS_ONLY") != "KEYS_ONLY"
        if recovery or images:
            found.append(table["TableName"])
    return found


def copy(table: str) -> list[dict[str, object]]:
    pages = boto3.client("dynamodb").get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
    return [item for page in pages for item in page["Items"]]


def put_back(table: str, items: list[dict[str, object]]) -> None:
    for item in items:
        boto3.client("dynamodb").put_item(TableName=table, Item=item)


def tokens_that_open(launching: Launching) -> list[str]:
    """Everything that the worker's own way of opening gets out of what the tables hold."""
    launch, found = launching.launch, []
    for item in grants.Grant.scan():
        try:
            key = grants.open_key(launch.campaign, launch.id)
        except grants.Destroyed:
            continue
        launch_id, lane, chunk = str(item.pk).split("#")
        found.append(grants.unseal(key, f"{launch_id}.{lane}.{chunk}.{item.sk}", bytes(item.sealed)))
    return found


def settle_with_a_copy_of_everything(launching: Launching, recovered: list[str]) -> None:
    launching.propose()
    launching.pledge("ann")
    copies = {table: copy(table) for table in recovered}
    grants_before = copy("groundswell-local-grants")
    assert tokens_that_open(launching) == [launching.towns.token("town-01.test", "ann")]

    queued = launching.ready()
    launching.work(queued)
    launching.tick(launching.moment(60))
    assert launching.launch.state == "settled"
    for table, items in copies.items():
        put_back(table, items)
    put_back("groundswell-local-grants", grants_before)  # even with the sealed grants at hand


def test_after_settling_no_grant_can_be_opened_from_any_copy(launching: Launching) -> None:
    settle_with_a_copy_of_everything(launching, restorable())

    assert tokens_that_open(launching) == []


def test_with_recovery_of_keys_the_grants_could_be_opened(launching: Launching) -> None:
    """Guards the test above: were `keys` restorable, it would fail."""
    assert "groundswell-local-keys" not in restorable()
    settle_with_a_copy_of_everything(launching, [*restorable(), "groundswell-local-keys"])

    assert tokens_that_open(launching) == [launching.towns.token("town-01.test", "ann")]


def test_grant_is_bound_to_its_pledge(launching: Launching) -> None:
    launch = launching.propose()
    sealed = grants.seal(bytes(launch.public_key), "one", "secret")
    key = grants.open_key(launch.campaign, launch.id)

    assert grants.unseal(key, "one", sealed) == "secret"
    with pytest.raises(InvalidTag):
        grants.unseal(key, "two", sealed)


def test_destroying_the_key_twice_keeps_the_first_record(launching: Launching) -> None:
    launch = launching.propose()
    grants.destroy_key(launch.campaign, launch.id, now=launching.now)
    first = grants.Key.find(launch.campaign, launch.id)
    launching.clock.at(launching.moment(0))
    grants.destroy_key(launch.campaign, launch.id, now=launching.now)

    again = grants.Key.find(launch.campaign, launch.id)
    assert first is not None
    assert again is not None
    assert (again.destroyed, again.private) == (first.destroyed, None)
