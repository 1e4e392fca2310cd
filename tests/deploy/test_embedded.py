"""The deploy itself, on the embedded AWS: repeated, with its state lost, and with the roles enforced.
A lane of its own (`make embedded`): it takes about two minutes and the embedded AWS's port."""

from __future__ import annotations

import io
import json
import os
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import boto3
import pytest

from infra import deploy, deployed, finish, site, stack, teardown
from infra.embedded import server

pytestmark = pytest.mark.embedded
ROOT = Path(__file__).parents[2]
BUILD = ROOT / "build"
MAPPINGS = {"release", "tally", "board", "counts", "mail"}
RULES = {"groundswell-local-fan_out-event", "groundswell-local-nightly-event"}

PROBE = """
import boto3
def handler(event, context):
    client = boto3.client(event["service"])
    if "CiphertextBlob" in event["arguments"]:
        event["arguments"]["CiphertextBlob"] = bytes.fromhex(event["arguments"]["CiphertextBlob"])
    try:
        getattr(client, event["call"])(**event["arguments"])
    except client.exceptions.ClientError as error:
        return error.response["Error"]["Code"]
    return "allowed"
"""


@pytest.fixture(scope="module", autouse=True)
def embedded() -> Iterator[None]:
    folder = server.Folder(BUILD / "embedded")
    shutil.rmtree(folder.root, ignore_errors=True)
    before = dict(os.environ)
    os.environ.pop("AWS_ACCOUNT_ID_ENDPOINT_MODE", None)
    process = server.start(folder, BUILD)
    try:
        os.chdir(ROOT)
        stack.enter("local")
        yield
    finally:
        server.stop(process, folder)
        os.environ.clear()
        os.environ.update(before)


def address() -> str:
    return f"http://127.0.0.1:{server.PORT}/_aws/execute-api/{finish.api_id('local')}/api"


def ask(method: str, path: str, body: Any = None) -> tuple[int, Any]:
    data = json.dumps(body).encode() if body is not None else None
    request = Request(address() + path, data, {"Content-Type": "application/json"}, method=method)  # loopback
    with urlopen(request, timeout=30) as answer:
        return answer.status, json.loads(answer.read())


def what_is_there() -> dict[str, Any]:
    mappings = boto3.client("lambda").list_event_source_mappings()["EventSourceMappings"]
    return {
        "apis": [api["id"] for api in boto3.client("apigateway").get_rest_apis()["items"]],
        "mappings": sorted(mapping["FunctionArn"].rpartition("-")[2] for mapping in mappings),
        "rules": {rule["Name"] for rule in boto3.client("events").list_rules()["Rules"]},
        "url": site.url("local"),
    }


def test_deploying_three_times_and_with_the_state_lost_leaves_one_of_each() -> None:
    deploy.run("local")
    first = what_is_there()
    assert (len(first["apis"]), set(first["mappings"]), len(first["mappings"]), first["rules"]) == (1, MAPPINGS, len(MAPPINGS), RULES)
    assert ask("GET", "/v1/campaigns") == (200, {"items": [], "next": None})
    for _ in range(2):
        deploy.run("local")
        assert what_is_there() == first
    deployed.path("local").unlink()
    deploy.run("local")
    assert what_is_there() == first
    deployed.path("local").unlink()
    boto3.client("s3").delete_object(Bucket=stack.outputs_of("local").bucket, Key="deployed/local.json")
    deploy.run("local")
    assert what_is_there() == first
    assert ask("GET", "/v1/campaigns")[0] == 200


def probe(role_of: str, service: str, call: str, arguments: dict[str, Any]) -> str:
    """What a function with another function's role is answered."""
    lambdas, name = boto3.client("lambda"), f"probe-{role_of}"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("probe.py", PROBE)
    role = boto3.client("iam").get_role(RoleName=f"groundswell-local-{role_of}")["Role"]["Arn"]
    if name not in {one["FunctionName"] for one in lambdas.list_functions()["Functions"]}:
        code = {"ZipFile": packed.getvalue()}
        lambdas.create_function(FunctionName=name, Runtime="python3.11", Role=role, Handler="probe.handler", Code=code, Timeout=30)
        lambdas.get_waiter("function_active_v2").wait(FunctionName=name)
    event = json.dumps({"service": service, "call": call, "arguments": arguments}).encode()
    answer = lambdas.invoke(FunctionName=name, Payload=event)["Payload"].read()
    return str(json.loads(answer))


GRANT = {"TableName": "groundswell-local-grants", "Key": {"pk": {"S": "x#mastodon.0#0"}, "sk": {"S": "000"}}}
KEY = {"TableName": "groundswell-local-keys", "Key": {"pk": {"S": "x"}, "sk": {"S": "y"}}}


def sealed() -> dict[str, Any]:
    """A key pair's private half, as it lies in the table."""
    context = {"campaign": "x", "launch": "y"}
    made = boto3.client("kms").generate_data_key_pair_without_plaintext(
        KeyId="alias/groundswell-local", KeyPairSpec="ECC_NIST_P256", EncryptionContext=context
    )
    return {"CiphertextBlob": made["PrivateKeyCiphertextBlob"].hex(), "EncryptionContext": context}


@pytest.mark.parametrize(("role", "answer"), [("api_handler", "AccessDenied"), ("release", "allowed")])
def test_only_the_workers_role_reads_a_grant_and_opens_a_key(role: str, answer: str) -> None:
    assert probe(role, "dynamodb", "get_item", GRANT).startswith(answer)
    assert probe(role, "dynamodb", "get_item", KEY).startswith(answer)
    assert probe(role, "kms", "decrypt", sealed()).startswith(answer)


@pytest.mark.parametrize("role", ["fan_out", "tally", "counts", "mail", "nightly"])
def test_no_other_role_opens_a_key(role: str) -> None:
    assert probe(role, "dynamodb", "get_item", GRANT).startswith("AccessDenied")
    assert probe(role, "kms", "decrypt", sealed()).startswith("AccessDenied")


def test_taking_down_leaves_nothing() -> None:
    teardown.run("local", confirmed=True)

    assert what_is_left() == []


def what_is_left() -> list[str]:
    tables = boto3.client("dynamodb").list_tables()["TableNames"]
    functions = [one["FunctionName"] for one in boto3.client("lambda").list_functions()["Functions"]]
    apis = [api["id"] for api in boto3.client("apigateway").get_rest_apis()["items"]]
    return [*tables, *(name for name in functions if name.startswith("groundswell")), *apis]
