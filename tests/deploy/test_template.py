"""The template and the code agree: keys and indexes, dead letters and alarms, and what must not be restorable."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

import pytest
from pynamodb.indexes import GlobalSecondaryIndex

import chalicelib
from chalicelib import store
from tests import tables


def models() -> list[type[store.Record]]:
    for module in pkgutil.walk_packages(chalicelib.__path__, "chalicelib."):
        if ".web" not in module.name:
            importlib.import_module(module.name)
    return sorted(store.Record.__subclasses__(), key=lambda model: model.__name__)


TABLES = {table["TableName"]: table for table in tables.resources("AWS::DynamoDB::Table")}
NOT_RESTORABLE = {"groundswell-local-keys", "groundswell-local-grants", "groundswell-local-pseudonyms"}


def schema(keys: list[dict[str, str]]) -> dict[str, str]:
    return {key["KeyType"]: key["AttributeName"] for key in keys}


def keys_of(model: Any) -> dict[str, str]:
    found = {"HASH": model._hash_keyname, "RANGE": model._range_keyname}
    return {kind: name for kind, name in found.items() if name}


@pytest.mark.parametrize("model", models(), ids=lambda model: model.__name__)
def test_model_has_the_keys_and_indexes_of_its_table(model: type[store.Record]) -> None:
    table = TABLES[model.Meta.table_name]  # type: ignore[attr-defined]
    kinds = {one["AttributeName"]: one["AttributeType"] for one in table["AttributeDefinitions"]}

    assert keys_of(model) == schema(table["KeySchema"])
    declared = {index["IndexName"]: index for index in table.get("GlobalSecondaryIndexes", [])}
    indexes = {index.Meta.index_name: index for index in model._indexes.values() if isinstance(index, GlobalSecondaryIndex)}
    for name, index in indexes.items():
        own = index._get_schema()
        assert {one["KeyType"]: one["AttributeName"] for one in own["key_schema"]} == schema(declared[name]["KeySchema"])
        assert own["projection"]["ProjectionType"] == declared[name]["Projection"]["ProjectionType"]
    for name, attribute in model._attributes.items():
        if attribute.attr_name in kinds:
            assert attribute.attr_type == kinds[attribute.attr_name], name


def test_every_index_of_the_template_has_a_model() -> None:
    declared = {index["IndexName"] for table in TABLES.values() for index in table.get("GlobalSecondaryIndexes", [])}

    assert declared == {index.Meta.index_name for model in models() for index in model._indexes.values()}


def test_every_table_has_a_model() -> None:
    assert set(TABLES) == {model.Meta.table_name for model in models()}  # type: ignore[attr-defined]


def test_only_what_must_vanish_cannot_be_restored() -> None:
    off = {name for name, table in TABLES.items() if not table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"]}

    assert off == NOT_RESTORABLE
    assert not [name for name in off if "StreamSpecification" in TABLES[name]]


def test_expiring_models_have_a_table_that_expires() -> None:
    expiring = {model.Meta.table_name for model in models() if issubclass(model, store.Expiring)}  # type: ignore[attr-defined]

    assert expiring == {
        name for name, table in TABLES.items() if table.get("TimeToLiveSpecification", {}).get("AttributeName") == "expires"
    }


def test_every_queue_has_a_dead_letter_queue_with_an_alarm() -> None:
    queues = {queue["QueueName"]: queue for queue in tables.resources("AWS::SQS::Queue")}
    alarms = {alarm["AlarmName"] for alarm in tables.resources("AWS::CloudWatch::Alarm")}
    for name, queue in queues.items():
        assert queue["SqsManagedSseEnabled"]
        if name.endswith("-dead"):
            assert name in alarms
        else:
            assert f"{name}-dead" in queues
            assert queue["RedrivePolicy"]["maxReceiveCount"] == 5


def test_every_function_has_an_alarm_on_its_errors() -> None:
    from infra import deployed, policies

    watched = {alarm["Dimensions"][0]["Value"] for alarm in tables.resources("AWS::CloudWatch::Alarm") if alarm["MetricName"] == "Errors"}

    assert watched == {deployed.function_name("local", function) for function in policies.FUNCTIONS}
