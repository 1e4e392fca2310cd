"""`infra up` and `infra down`: the stack of `resources.yaml`, the API's own keys, the policies, and what chalice has to know."""

from __future__ import annotations

import base64
import json
import os
import secrets
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError

from chalicelib import keyring, settings
from infra import bytecode, certificate, deployed, policies
from infra.console import Problem, say, step, warn
from infra.embedded import server

TEMPLATE = Path(__file__).parent / "resources.yaml"
CONFIG = Path(".chalice/config.json")
STAGES = ("local", "dev", "prod")


@dataclass(frozen=True, slots=True)
class Outputs:
    """What the stack made that has no name of ours."""

    streams: Mapping[str, str]
    bucket: str
    key_arn: str
    reports_key_arn: str


def enter(stage: str) -> None:
    """Points this process, and what it starts, at a stage: its settings and, for the local one, the embedded AWS."""
    environment = stage_config(stage).get("environment_variables", {})
    os.environ.update({name: str(value) for name, value in environment.items()})
    if stage == "local":
        os.environ.update(server.client_environment())
        if not server.healthy(server.PORT):
            raise Problem(f"The embedded AWS does not answer on port {server.PORT}: start it with `make run`, in another terminal.")
    settings.current.cache_clear()


def stage_config(stage: str) -> dict[str, Any]:
    """The stage's part of `.chalice/config.json`."""
    found: dict[str, Any] = json.loads(CONFIG.read_text())["stages"].get(stage, {})
    if not found:
        raise Problem(f"There is no stage {stage} in {CONFIG}; there are {', '.join(STAGES)}.")
    return found


def name(stage: str) -> str:
    return f"{settings.APP}-{stage}"


def up(stage: str) -> Outputs:
    """Creates or brings up to date all that `chalice deploy` does not make. Safe to repeat."""
    if stage != "local" and sys.version_info < (3, 12):
        warn(
            f"functions will run on Python {sys.version_info[0]}.{sys.version_info[1]}, whose Lambda runtime ends in 2027; use 3.12 or 3.13"
        )
    with step(f"stack {name(stage)}"):
        outputs = _apply(stage)
    make_keys(stage)
    _sender()
    policies.render(place(stage, outputs))
    _write_outputs(stage, outputs)
    bytecode.ship()
    domain = stage_config(stage).get("api_gateway_custom_domain")
    if domain:
        certificate.ensure(domain)
    deployed.fetch(stage, outputs.bucket)
    return outputs


def place(stage: str, outputs: Outputs) -> policies.Place:
    _, partition, _, region, account, _ = outputs.key_arn.split(":", 5)
    return policies.Place(stage, region, account, outputs.key_arn, outputs.reports_key_arn, partition)


def _apply(stage: str) -> Outputs:
    cloudformation, stack = boto3.client("cloudformation"), name(stage)
    arguments: dict[str, Any] = {
        "StackName": stack,
        "TemplateBody": TEMPLATE.read_text(),
        "Parameters": [{"ParameterKey": "Stage", "ParameterValue": stage}, *_alarm_email(stage)],
    }
    waiter = "stack_create_complete"
    try:
        if _exists(cloudformation, stack):
            waiter = "stack_update_complete"
            cloudformation.update_stack(**arguments)
        else:
            cloudformation.create_stack(**arguments, OnFailure="DELETE")
    except ClientError as error:
        if "No updates are to be performed" not in str(error):
            raise
    else:
        delay = 1 if stage == "local" else 10
        cloudformation.get_waiter(waiter).wait(StackName=stack, WaiterConfig={"Delay": delay, "MaxAttempts": 1800 // delay})
    return outputs_of(stage)


def _alarm_email(stage: str) -> list[dict[str, str]]:
    email = os.environ.get("ALARM_EMAIL", "")
    return [{"ParameterKey": "AlarmEmail", "ParameterValue": email}] if email and stage != "local" else []


def _exists(cloudformation: Any, stack: str) -> bool:
    try:
        found = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        return False
    return any(one["StackStatus"] != "DELETE_COMPLETE" for one in found)


def outputs_of(stage: str) -> Outputs:
    """Raises `Problem` where the stage has no stack."""
    try:
        found = boto3.client("cloudformation").describe_stacks(StackName=name(stage))["Stacks"][0]
    except ClientError as error:
        raise Problem(f"There is no stack {name(stage)}: run `python -m infra up --stage {stage}`.") from error
    values = {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", [])}
    streams = {key.removesuffix("Stream").lower(): value for key, value in values.items() if key.endswith("Stream")}
    return Outputs(streams, values["Bucket"], values["KeyArn"], values["ReportsKeyArn"])


def _write_outputs(stage: str, outputs: Outputs) -> None:
    file, text = CONFIG.parent / f"outputs-{stage}.json", json.dumps({"streams": dict(outputs.streams)}, indent=2) + "\n"
    if not file.exists() or file.read_text() != text:
        file.write_text(text)


def make_keys(stage: str) -> None:
    """The API's own keys, made once and never again: what they sealed could not be read any more."""
    manager, secret = boto3.client("secretsmanager"), f"{name(stage)}-keys"
    keys = {purpose: base64.b64encode(secrets.token_bytes(32)).decode() for purpose in keyring.PURPOSES}
    try:
        manager.create_secret(Name=secret, SecretString=json.dumps(keys))
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceExistsException":
            raise


def _sender() -> None:
    """The address that e-mails come from must be proven to be ours; outside the local stage SES writes to it."""
    try:
        boto3.client("sesv2").create_email_identity(EmailIdentity=settings.current().mail_from)
    except ClientError as error:
        if error.response["Error"]["Code"] != "AlreadyExistsException":
            raise


def down(stage: str) -> None:
    """Deletes the stack with everything in it, and the API's own keys. What chalice made is deleted before, by chalice."""
    outputs = outputs_of(stage)
    with step(f"emptying {outputs.bucket}"):
        boto3.resource("s3").Bucket(outputs.bucket).object_versions.delete()
    with step(f"deleting stack {name(stage)}"):
        cloudformation = boto3.client("cloudformation")
        cloudformation.delete_stack(StackName=name(stage))
        cloudformation.get_waiter("stack_delete_complete").wait(
            StackName=name(stage), WaiterConfig={"Delay": 1 if stage == "local" else 10}
        )
    boto3.client("secretsmanager").delete_secret(SecretId=f"{name(stage)}-keys", ForceDeleteWithoutRecovery=True)
    for file in (CONFIG.parent / f"outputs-{stage}.json", deployed.path(stage)):
        file.unlink(missing_ok=True)
    say("Backups that AWS keeps of the tables expire within 35 days; the KMS keys can be restored for 7.")
