"""An AWS account with limits, for the operator's commands: what moto lacks of them, done as AWS documents it, by botocore's hooks."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError

RELEASE = "groundswell-dev-release"
Answer = tuple[AWSResponse, dict[str, Any]]


@dataclass
class Limits:
    """`functions`: at once in the whole account; `others`: those that functions which are not ours keep. `may_be_read`: whether
    whoever asks has the right to. `changes`: what was asked of the event source, in order."""

    functions: int = 1000
    others: int = 0
    mail_per_s: float = 14.0
    mail_per_day: float = 50_000.0
    mail_open: bool = True
    may_be_read: bool = True
    changes: list[dict[str, Any]] = field(default_factory=list)
    _config: dict[str, Any] = field(default_factory=dict)

    def account_settings(self, **_: Any) -> Answer:
        """https://docs.aws.amazon.com/lambda/latest/api/API_GetAccountSettings.html"""
        self._allow("GetAccountSettings")
        limit = {"ConcurrentExecutions": self.functions, "UnreservedConcurrentExecutions": self.functions - self.others - (kept() or 0)}
        return AWSResponse("", 200, {}, None), {"AccountLimit": limit}

    def concurrency(self, params: dict[str, Any], **_: Any) -> None:
        """100 are left to all functions that keep nothing. https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html"""
        if self.functions - self.others - int(json.loads(params["body"])["ReservedConcurrentExecutions"]) < 100:
            raise refused("PutFunctionConcurrency", "Specified ReservedConcurrentExecutions decreases below its minimum value of [100].")

    def event_source(self, params: dict[str, Any], **_: Any) -> None:
        """The two exclude each other. https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html"""
        change = json.loads(params["body"])
        self.changes.append(change)
        self._config |= change
        if self._config.get("ScalingConfig") and self._config.get("ProvisionedPollerConfig"):
            raise refused("UpdateEventSourceMapping", "Maximum concurrency and provisioned mode cannot both be set.")

    def mail_account(self, **_: Any) -> Answer:
        """https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_GetAccount.html"""
        self._allow("GetAccount")
        quota = {"Max24HourSend": self.mail_per_day, "MaxSendRate": self.mail_per_s, "SentLast24Hours": 0.0}
        return AWSResponse("", 200, {}, None), {"SendQuota": quota, "ProductionAccessEnabled": self.mail_open}

    def _allow(self, operation: str) -> None:
        if not self.may_be_read:
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "not authorized"}}, operation)


def refused(operation: str, message: str) -> ClientError:
    return ClientError({"Error": {"Code": "InvalidParameterValueException", "Message": message}}, operation)


def kept() -> int | None:
    """What the release function keeps."""
    found = boto3.client("lambda").get_function_concurrency(FunctionName=RELEASE).get("ReservedConcurrentExecutions")
    return None if found is None else int(found)


def mapping() -> dict[str, Any]:
    (found,) = boto3.client("lambda").list_event_source_mappings(FunctionName=RELEASE)["EventSourceMappings"]
    return dict(found)


@contextmanager
def limited() -> Iterator[Limits]:
    """The account, with our release function on its queue, as a deploy leaves it."""
    boto3.setup_default_session()
    limits = Limits()
    events, hooks = boto3.DEFAULT_SESSION.events, _hooks(limits)
    _deployed(limits)
    for name, act in hooks.items():
        events.register_first(f"before-call.{name}", act)
    yield limits
    boto3.DEFAULT_SESSION = None


def _hooks(limits: Limits) -> dict[str, Any]:
    lambdas = {"GetAccountSettings": limits.account_settings, "PutFunctionConcurrency": limits.concurrency}
    lambdas |= {"UpdateEventSourceMapping": limits.event_source}
    return {f"lambda.{name}": act for name, act in lambdas.items()} | {"sesv2.GetAccount": limits.mail_account}


def _deployed(limits: Limits) -> None:
    lambdas, package = boto3.client("lambda"), io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("app.py", "")
    trust = json.dumps({"Version": "2012-10-17", "Statement": []})
    role = boto3.client("iam").create_role(RoleName=RELEASE, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    code = {"ZipFile": package.getvalue()}
    lambdas.create_function(FunctionName=RELEASE, Runtime="python3.12", Role=role, Handler="app.release", Code=code)
    # Another queue than that of the tests' launches: moto would have docker run the function for each of their messages.
    boto3.client("sqs").create_queue(QueueName="groundswell-dev-chunks")
    queue = "arn:aws:sqs:eu-west-2:123456789012:groundswell-dev-chunks"
    scaling = {"MaximumConcurrency": 900}
    lambdas.create_event_source_mapping(EventSourceArn=queue, FunctionName=RELEASE, BatchSize=1, ScalingConfig=scaling)
    limits._config["ScalingConfig"] = scaling
