"""The stack's template as data, for what makes some of its resources elsewhere than in CloudFormation."""

from __future__ import annotations

from functools import cache
from typing import Any

import yaml

from infra.stack import TEMPLATE


class _Loader(yaml.SafeLoader):  # type: ignore[misc]  # yaml has no types
    """Reads CloudFormation's short intrinsics as {name: value}."""


def _intrinsic(loader: yaml.SafeLoader, tag: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        return {tag: loader.construct_scalar(node)}
    if isinstance(node, yaml.SequenceNode):
        return {tag: loader.construct_sequence(node, deep=True)}
    return {tag: loader.construct_mapping(node, deep=True)}


_Loader.add_multi_constructor("!", _intrinsic)


@cache
def template() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.load(TEMPLATE.read_text(), _Loader)  # noqa: S506  # a SafeLoader with intrinsics
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


def table_arguments(table: dict[str, Any]) -> dict[str, Any]:
    """What CreateTable is told of a table's keys and indexes."""
    return {name: table[name] for name in _CREATED_WITH if name in table}
