"""Who may do what: one table, function -> actions x resources, rendered to the policy files that `.chalice/config.json`
names (git-ignored, made anew by `infra up`). What is not listed is denied."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chalicelib import settings

READ = ("GetItem", "Query", "BatchGetItem")
WRITE = ("PutItem", "UpdateItem", "DeleteItem")
ALL = (*READ, *WRITE, "ConditionCheckItem")
STREAM = ("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams")
TAKE = ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes", "ChangeMessageVisibility")
SEND = ("SendMessage", "GetQueueUrl")

# function -> (kind of resource, name) -> actions. A table's actions include its indexes.
Rights = Mapping[tuple[str, str], Sequence[str]]

FUNCTIONS: Mapping[str, Rights] = {
    "api_handler": {
        **{
            ("table", noun): ALL
            for noun in (
                "participants",
                "sessions",
                "limits",
                "pseudonyms",
                "enrolments",
                "contributions",
                "comments",
                "votes",
                "drafts",
                "pledges",
                "launches",
                "texts",
                "team",
                "framework",
                "flags",
                "decisions",
            )
        },
        ("table", "campaigns"): (*ALL, "Scan"),
        ("table", "boards"): (*READ, "PutItem", "UpdateItem"),
        ("table", "tallies"): READ,
        ("table", "chunks"): (*READ, "ConditionCheckItem"),
        ("table", "reports"): READ,
        ("table", "visits"): ("UpdateItem",),
        ("table", "grants"): ("PutItem", "UpdateItem", "DeleteItem"),
        ("table", "keys"): ("PutItem",),
        ("kms", "grants"): ("GenerateDataKeyPairWithoutPlaintext",),
        ("queue", "mail"): SEND,
        ("secret", "keys"): ("GetSecretValue",),
    },
    "fan_out": {
        ("table", "launches"): ALL,
        ("table", "pledges"): READ,
        ("table", "chunks"): READ,
        ("table", "reports"): ("GetItem", "PutItem"),
        ("table", "keys"): ("UpdateItem",),
        ("table", "campaigns"): READ,
        ("table", "team"): ("Query",),
        ("kms", "reports"): ("GetPublicKey", "Sign"),
        ("queue", "chunks"): SEND,
        ("queue", "mail"): SEND,
    },
    "release": {
        ("table", "launches"): READ,
        ("table", "pledges"): READ,
        ("table", "grants"): READ,
        ("table", "keys"): ("GetItem",),
        ("table", "chunks"): ALL,
        ("kms", "grants"): ("Decrypt",),
        ("queue", "chunks"): (*TAKE, *SEND),
    },
    "tally": {
        ("table", "votes"): READ,
        ("table", "enrolments"): READ,
        ("table", "tallies"): (*READ, "PutItem"),
        ("stream", "votes"): STREAM,
        ("queue", "streams-dead"): SEND,
    },
    "board": {
        ("table", "contributions"): READ,
        ("table", "boards"): ALL,
        ("stream", "contributions"): STREAM,
        ("queue", "streams-dead"): SEND,
    },
    "counts": {
        ("table", "pledges"): READ,
        ("table", "launches"): (*READ, "PutItem"),
        ("stream", "pledges"): STREAM,
        ("queue", "streams-dead"): SEND,
    },
    "mail": {
        ("queue", "mail"): TAKE,
        ("table", "limits"): ("GetItem", "PutItem"),
        ("secret", "keys"): ("GetSecretValue",),
        ("ses", "identity"): ("SendEmail",),
    },
    "nightly": {
        ("table", "campaigns"): (*READ, "Scan"),
        ("table", "contributions"): READ,
        ("table", "boards"): ALL,
        ("table", "votes"): READ,
        ("table", "enrolments"): READ,
        ("table", "tallies"): (*READ, "PutItem"),
        ("table", "pledges"): READ,
        ("table", "launches"): (*READ, "PutItem"),
        ("table", "reports"): ("GetItem", "PutItem"),
        ("table", "visits"): READ,
        ("secret", "keys"): ("GetSecretValue",),
    },
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a deployment lives. `kms_key` and `reports_key` are the ARNs of the keys behind the aliases."""

    stage: str
    region: str
    account: str
    kms_key: str
    reports_key: str
    partition: str = "aws"

    def arn(self, service: str, rest: str) -> str:
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{rest}"


def _resources(kind: str, noun: str, place: Place) -> tuple[str, list[str]]:
    """The service's prefix and the ARNs."""
    name, local = f"{settings.APP}-{place.stage}-{noun}", place.stage == "local"
    table = place.arn("dynamodb", f"table/{name}")
    # The embedded AWS does not follow an alias to its key, as IAM does, and knows no resource of an e-mail.
    key, alias = (place.reports_key, name) if noun == "reports" else (place.kms_key, f"{settings.APP}-{place.stage}")
    known: dict[str, tuple[str, list[str]]] = {
        "table": ("dynamodb", [table, f"{table}/index/*"]),
        "stream": ("dynamodb", [f"{table}/stream/*"]),
        "queue": ("sqs", [place.arn("sqs", name)]),
        "kms": ("kms", [key, *([place.arn("kms", f"alias/{alias}")] if local else [])]),
        "secret": ("secretsmanager", [place.arn("secretsmanager", f"secret:{name}-*")]),
        "ses": ("ses", ["*"] if local else [place.arn("ses", "identity/*"), place.arn("ses", "configuration-set/*")]),
    }
    return known[kind]


def policy(function: str, place: Place) -> dict[str, Any]:
    """The IAM policy document of one function."""
    statements: list[dict[str, Any]] = [_logs(function, place)]
    for (kind, noun), actions in FUNCTIONS[function].items():
        service, arns = _resources(kind, noun, place)
        # On the embedded AWS a batch has a right of its own; on AWS it goes by SendMessage.
        granted = {*actions, "SendMessageBatch"} if "SendMessage" in actions and place.stage == "local" else actions
        statement: dict[str, Any] = {"Effect": "Allow", "Action": [f"{service}:{action}" for action in sorted(granted)], "Resource": arns}
        if noun == "grants" and kind == "kms" and place.stage != "local":  # the embedded AWS knows no encryption context in conditions
            statement["Condition"] = {"Null": {"kms:EncryptionContext:campaign": "false", "kms:EncryptionContext:launch": "false"}}
        statements.append(statement)
    return {"Version": "2012-10-17", "Statement": statements}


def _logs(function: str, place: Place) -> dict[str, Any]:
    name = f"{settings.APP}-{place.stage}" + ("" if function == "api_handler" else f"-{function}")
    group = place.arn("logs", f"log-group:/aws/lambda/{name}")
    return {
        "Effect": "Allow",
        "Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
        "Resource": [group, f"{group}:*"],
    }


def path(function: str, stage: str, folder: Path = Path(".chalice")) -> Path:
    return folder / f"policy-{stage}-{function}.json"


def render(place: Place, folder: Path = Path(".chalice")) -> None:
    """Writes every function's policy file; unchanged ones are left alone."""
    for function in FUNCTIONS:
        text = json.dumps(policy(function, place), indent=2) + "\n"
        file = path(function, place.stage, folder)
        if not file.exists() or file.read_text() != text:
            file.write_text(text)
