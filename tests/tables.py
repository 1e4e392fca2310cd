"""The tables of `infra/resources.yaml`, read from the template and made in moto, so that tests run on the keys that deploy."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import boto3
import yaml

TEMPLATE = Path(__file__).parents[1] / "infra" / "resources.yaml"


class _Loader(yaml.SafeLoader):
    """Reads CloudFormation's short intrinsics as {name: value}."""


def _intrinsic(loader: yaml.SafeLoader, tag: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        return {tag: loader.construct_scalar(node)}
    if isinstance(node, yaml.SequenceNode):
        return {tag: loader.construct_sequence(node, deep=True)}
    assert isinstance(node, yaml.MappingNode)
    return {tag: loader.construct_mapping(node, deep=True)}


_Loader.add_multi_constructor("!", _intrinsic)  # type: ignore[no-untyped-call]


@cache
def template() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.load(TEMPLATE.read_text(), _Loader)  # a SafeLoader with intrinsics
    return loaded


def resources(kind: str, stage: str = "local") -> list[dict[str, Any]]:
    """The properties of all resources of a kind, with the stage's name put in."""
    found = [resource["Properties"] for resource in template()["Resources"].values() if resource["Type"] == kind]
    return [_with_stage(properties, stage) for properties in found]


def _with_stage(value: Any, stage: str) -> Any:
    if isinstance(value, dict):
        if set(value) == {"Sub"} and isinstance(value["Sub"], str):
            return value["Sub"].replace("${Stage}", stage)
        return {key: _with_stage(inner, stage) for key, inner in value.items()}
    if isinstance(value, list):
        return [_with_stage(inner, stage) for inner in value]
    return value


_CREATED_WITH = ("TableName", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")


def create_all() -> None:
    """Every table, with its stream, and every queue."""
    dynamodb, sqs = boto3.client("dynamodb"), boto3.client("sqs")
    for table in resources("AWS::DynamoDB::Table"):
        arguments = {name: table[name] for name in _CREATED_WITH if name in table}
        stream = table.get("StreamSpecification")
        if stream:
            arguments["StreamSpecification"] = {"StreamEnabled": True, "StreamViewType": stream["StreamViewType"]}
        dynamodb.create_table(**arguments)
    for queue in resources("AWS::SQS::Queue"):
        sqs.create_queue(QueueName=queue["QueueName"])
