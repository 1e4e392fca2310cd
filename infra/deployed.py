"""Chalice's deployed state: the file without which a deploy makes a second public address. Kept in the stack's bucket,
fetched before a deploy, and put together again by name where it was lost."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError

from chalicelib import settings
from infra import policies
from infra.console import say

Resource = dict[str, Any]


def path(stage: str) -> Path:
    return Path(".chalice/deployed") / f"{stage}.json"


def _key(stage: str) -> str:
    return f"deployed/{stage}.json"


def fetch(stage: str, bucket: str) -> None:
    """Puts the state where chalice looks for it: from the bucket or, where that has none, from what is there."""
    text = _kept(bucket, stage)
    if text is None:
        resources = list(_found(stage))
        if not resources:
            path(stage).unlink(missing_ok=True)
            return
        say(f"  deployed state was lost; put together again from {len(resources)} resources by name")
        text = json.dumps({"resources": resources, "schema_version": "2.0", "backend": "api"}, indent=2)
    path(stage).parent.mkdir(parents=True, exist_ok=True)
    path(stage).write_text(text)


def _kept(bucket: str, stage: str) -> str | None:
    try:
        body = boto3.client("s3").get_object(Bucket=bucket, Key=_key(stage))["Body"].read()
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("NoSuchKey", "404"):
            raise
        return None
    return str(body.decode())


def store(stage: str, bucket: str) -> None:
    """After a deploy: keeps the state in the bucket."""
    boto3.client("s3").put_object(Bucket=bucket, Key=_key(stage), Body=path(stage).read_bytes())


def function_name(stage: str, function: str) -> str:
    base = f"{settings.APP}-{stage}"
    return base if function == "api_handler" else f"{base}-{function}"


def _found(stage: str) -> Iterator[Resource]:
    """What the stage's resources look like in chalice's state, in any order."""
    lambdas = boto3.client("lambda")
    for function in policies.FUNCTIONS:
        yield from _role(f"{settings.APP}-{stage}-{function}", function)
        found = _or_none(lambdas.get_function, FunctionName=function_name(stage, function))
        if found:
            arn = found["Configuration"]["FunctionArn"]
            yield {"name": function, "resource_type": "lambda_function", "lambda_arn": arn}
            yield from _sources(lambdas, function, arn)
    yield from _rules(stage)
    yield from _api(stage)


def _or_none(call: Callable[..., dict[str, Any]], **arguments: Any) -> dict[str, Any] | None:
    try:
        return call(**arguments)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("ResourceNotFoundException", "NoSuchEntity", "NotFoundException"):
            raise
        return None


def _role(role: str, function: str) -> Iterator[Resource]:
    found = _or_none(boto3.client("iam").get_role, RoleName=role)
    if found:
        yield {"name": f"{function}_role", "resource_type": "iam_role", "role_arn": found["Role"]["Arn"], "role_name": role}


def _sources(lambdas: Any, function: str, arn: str) -> Iterator[Resource]:
    for mapping in lambdas.list_event_source_mappings(FunctionName=arn)["EventSourceMappings"]:
        source = mapping["EventSourceArn"]
        common = {"event_uuid": mapping["UUID"], "lambda_arn": arn}
        if ":sqs:" in source:
            queue = source.rpartition(":")[2]
            yield {"name": f"{function}-sqs-event-source", "resource_type": "sqs_event", "queue_arn": source, "queue": queue, **common}
        else:
            yield {"name": f"{function}-dynamodb-event-source", "resource_type": "dynamodb_event", "stream_arn": source, **common}


def _rules(stage: str) -> Iterator[Resource]:
    for function in ("fan_out", "nightly"):
        rule = f"{settings.APP}-{stage}-{function}-event"
        if _or_none(boto3.client("events").describe_rule, Name=rule):
            yield {"name": f"{function}-event", "resource_type": "cloudwatch_event", "rule_name": rule}


def _api(stage: str) -> Iterator[Resource]:
    apis = boto3.client("apigateway")
    arn = _or_none(boto3.client("lambda").get_function, FunctionName=function_name(stage, "api_handler"))
    for page in apis.get_paginator("get_rest_apis").paginate():
        for api in page["items"]:
            if arn and api["name"] == settings.APP and _serves(apis, api["id"], arn["Configuration"]["FunctionArn"]):
                url = f"https://{api['id']}.execute-api.{apis.meta.region_name}.amazonaws.com/api/"
                yield {"name": "rest_api", "resource_type": "rest_api", "rest_api_id": api["id"], "rest_api_url": url}


def _serves(apis: Any, api: str, function: str) -> bool:
    """Whether an API leads to this stage's function: all stages' APIs have the app's name."""
    for page in apis.get_paginator("get_resources").paginate(restApiId=api, embed=["methods"]):
        for resource in page["items"]:
            for method in resource.get("resourceMethods", {}).values():
                if f"{function}/invocations" in str(method.get("methodIntegration", {}).get("uri", "")):
                    return True
    return False
