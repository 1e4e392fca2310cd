"""`infra finish`: sets, then verifies, what `chalice deploy` cannot. Safe to repeat, and needed after each deploy, since
PutRestApi takes gateway responses and throttling away."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import boto3
from botocore.exceptions import ClientError

from infra import account, deployed, policies, stack
from infra.console import Problem, step, warn

LOG_DAYS = 30
RATE, BURST = 200, 400  # requests a second through the API
STREAM_RETRIES = 5
TICK_AGE_S = 60
CONCURRENCY_MAX, CONCURRENCY_KEPT = 900, 100
STREAMS = ("tally", "counts", "board")
SCHEDULED = ("fan_out", "nightly")
RESPONSES = {
    "MISSING_AUTHENTICATION_TOKEN": ("404", "not_found", "There is nothing at this address."),
    "THROTTLED": ("429", "too_many", "Too many people at once; please try again in a moment."),
    "DEFAULT_4XX": ("", "invalid", "The request could not be understood."),
    "DEFAULT_5XX": ("", "unavailable", "Something went wrong on our side; please try again."),
}


def run(stage: str) -> None:
    """Sets everything, then reads it back. Raises `Problem` with what is not as it should be."""
    outputs = stack.outputs_of(stage)
    place = stack.place(stage, outputs)
    with step("log retention, event sources, schedules, concurrency"):
        _logs(stage)
        _streams(stage, place)
        _schedules(stage, place)
        _reserve(stage)
    with step("API throttling and error responses"):
        _api(stage)
    deployed.store(stage, outputs.bucket)
    _verify(stage, place)
    account.note(stage)


def _unsupported_locally(stage: str, what: str, call: Callable[[], Any]) -> Any:
    """On the local stage an embedded AWS that lacks a call is told, not fatal."""
    try:
        return call()
    except ClientError as error:
        if stage != "local":
            raise
        warn(f"the embedded AWS has no {what}: {error.response['Error']['Code']}")
        return None


def _logs(stage: str) -> None:
    logs = boto3.client("logs")
    for function in policies.FUNCTIONS:
        group = f"/aws/lambda/{deployed.function_name(stage, function)}"
        try:
            logs.create_log_group(logGroupName=group)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceAlreadyExistsException":
                raise
        logs.put_retention_policy(logGroupName=group, retentionInDays=LOG_DAYS)


def mapping_of(stage: str, function: str) -> dict[str, Any]:
    """The one event source of a function. Raises `Problem` where there is none, or more than one."""
    found = boto3.client("lambda").list_event_source_mappings(FunctionName=deployed.function_name(stage, function))["EventSourceMappings"]
    if len(found) != 1:
        raise Problem(
            f"{function} has {len(found)} event sources instead of one: delete the others by `aws lambda delete-event-source-mapping`"
        )
    return dict(found[0])


def _streams(stage: str, place: policies.Place) -> None:
    for function in STREAMS:
        mapping = mapping_of(stage, function)
        boto3.client("lambda").update_event_source_mapping(
            UUID=mapping["UUID"],
            MaximumRetryAttempts=STREAM_RETRIES,
            BisectBatchOnFunctionError=True,
            DestinationConfig={"OnFailure": {"Destination": place.arn("sqs", f"{stack.name(stage)}-streams-dead")}},
        )


def _schedules(stage: str, place: policies.Place) -> None:
    """A tick that cannot be delivered is not wanted later: the next minute's does its work."""
    events, lambdas = boto3.client("events"), boto3.client("lambda")
    for function in SCHEDULED:
        rule = f"{stack.name(stage)}-{function}-event"
        dead, retry = (
            place.arn("sqs", f"{stack.name(stage)}-rules-dead"),
            {"MaximumEventAgeInSeconds": TICK_AGE_S, "MaximumRetryAttempts": 2},
        )
        for target in events.list_targets_by_rule(Rule=rule)["Targets"]:
            events.put_targets(Rule=rule, Targets=[{**target, "DeadLetterConfig": {"Arn": dead}, "RetryPolicy": retry}])
        age = {"MaximumEventAgeInSeconds": TICK_AGE_S, "MaximumRetryAttempts": 1}
        name = deployed.function_name(stage, function)
        _unsupported_locally(stage, "event age", partial(lambdas.put_function_event_invoke_config, FunctionName=name, **age))


def reservation(spare: int) -> int | None:
    """How many executions are kept for the release worker, of those that no other function keeps: AWS leaves 100 to all the others.
    None where the account is too small to keep any.
    https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html"""
    return None if spare < 2 * CONCURRENCY_KEPT else min(CONCURRENCY_MAX, spare - CONCURRENCY_KEPT)


def spare(stage: str) -> int | None:
    """What other functions do not keep for themselves; None where it cannot be read."""
    answer = _unsupported_locally(stage, "account settings", boto3.client("lambda").get_account_settings)
    return int(answer["AccountLimit"]["UnreservedConcurrentExecutions"]) + (reserved(stage) or 0) if answer else None


def reserved(stage: str) -> int | None:
    """What the release worker keeps now; None where it keeps nothing."""
    get = partial(boto3.client("lambda").get_function_concurrency, FunctionName=deployed.function_name(stage, "release"))
    found = (_unsupported_locally(stage, "reserved concurrency", get) or {}).get("ReservedConcurrentExecutions")
    return None if found is None else int(found)


def _reserve(stage: str) -> None:
    """On the embedded AWS, which knows no limit, nothing is kept. Where it cannot be kept, what there is is left as it is."""
    free = spare(stage)
    wanted = reservation(free) if free is not None else None
    if wanted is None:
        warn("this account runs too few functions at once to keep any for the release; ask AWS for a higher limit before a large launch")
    elif stage != "local":
        name = deployed.function_name(stage, "release")
        boto3.client("lambda").put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=wanted)
        if reserved(stage) != wanted:
            raise Problem(f"The release worker does not keep {wanted} executions for itself, though AWS was asked: run finish again.")


def api_id(stage: str) -> str:
    for resource in json.loads(deployed.path(stage).read_text())["resources"]:
        if resource["resource_type"] == "rest_api":
            return str(resource["rest_api_id"])
    raise Problem(f"{stack.name(stage)} has no API yet: run `make deploy STAGE={stage}`")


def _api(stage: str) -> None:
    apis, api = boto3.client("apigateway"), api_id(stage)
    for kind, (status, code, message) in RESPONSES.items():
        body = json.dumps({"error": code, "message": message})
        extra = {"statusCode": status} if status else {}
        put = partial(apis.put_gateway_response, restApiId=api, responseType=kind, responseTemplates={"application/json": body}, **extra)
        _unsupported_locally(stage, "gateway responses", put)
    name = stack.stage_config(stage)["api_gateway_stage"]
    apis.create_deployment(restApiId=api, stageName=name)
    limits = (("rateLimit", RATE), ("burstLimit", BURST))
    patch = [{"op": "replace", "path": f"/*/*/throttling/{what}", "value": str(value)} for what, value in limits]
    _unsupported_locally(stage, "throttling", partial(apis.update_stage, restApiId=api, stageName=name, patchOperations=patch))


def _verify(stage: str, place: policies.Place) -> None:
    """Reads back what a launch depends on."""
    wrong: list[str] = []
    for function in STREAMS:
        mapping = mapping_of(stage, function)
        if mapping.get("MaximumRetryAttempts") != STREAM_RETRIES:
            wrong.append(f"{function} retries {mapping.get('MaximumRetryAttempts')} times")
    for function in ("release", "mail"):
        mapping_of(stage, function)
    for function in SCHEDULED:
        targets = boto3.client("events").list_targets_by_rule(Rule=f"{stack.name(stage)}-{function}-event")["Targets"]
        if [target.get("DeadLetterConfig", {}).get("Arn") for target in targets] != [place.arn("sqs", f"{stack.name(stage)}-rules-dead")]:
            wrong.append(f"the rule of {function} has no dead letters, or not one target")
    groups = boto3.client("logs").describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{stack.name(stage)}")["logGroups"]
    wrong += [f"{group['logGroupName']} is kept for ever" for group in groups if group.get("retentionInDays") != LOG_DAYS]
    if wrong:
        raise Problem("Not finished: " + "; ".join(wrong))
