"""Runs MiniStack with its two gaps closed. A script of MiniStack's own venv: it imports nothing of ours.

1. ImportRestApi and PutRestApi with a body, which `chalice deploy` needs, are answered by ordinary API Gateway calls.
   The API's id is derived from its name, so the site keeps its address.
2. State is saved every second or so, not only on a clean stop: from when it has been read, until the stop, whose own saving
   it would meet in the same files. Stream positions are forgotten at the start (MiniStack keeps the positions but not the
   records, and would skip as many records as there had been).

`ministack.app.app` is no public plug-in point: the version is pinned, and tests/deploy runs the whole of it."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import re
import sys
import threading
import time
import urllib.parse
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError
from ministack import app as ministack
from ministack.core import persistence

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

METHODS = {"get", "post", "put", "delete", "patch", "head", "options"}
SAVE_EVERY_S = 1.0
_PUT = re.compile(r"/restapis/([0-9a-z]+)")
# What changes in a run. Kept small: saving everything takes half a second of a core.
SAVED = (
    "dynamodb",
    "sqs",
    "lambda",
    "eventbridge",
    "apigateway_v1",
    "iam",
    "kms",
    "cloudformation",
    "ses",
    "s3",
    "secretsmanager",
    "cloudwatch_logs",
)


def client() -> Any:
    endpoint = f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}"
    return boto3.client(
        "apigateway",
        endpoint_url=endpoint,
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106  # the embedded AWS's only user
        region_name=os.environ["MINISTACK_REGION"],
    )


class Importer:
    """Brings one REST API in line with a Swagger document."""

    def __init__(self, apis: Any, api: str, document: dict[str, Any]) -> None:
        self.apis, self.api, self.paths = apis, api, document["paths"]
        pages = apis.get_paginator("get_resources").paginate(restApiId=api)
        self.resources = {item["path"]: item for page in pages for item in page["items"]}

    def run(self) -> None:
        wanted = {"/"}
        for path in self.paths:
            wanted |= self._make(path)
            self._methods(path)
        for path in sorted(set(self.resources) - wanted, key=len, reverse=True):
            self.apis.delete_resource(restApiId=self.api, resourceId=self.resources[path]["id"])

    def _make(self, path: str) -> set[str]:
        """The resource at a path and all above it; returns their paths."""
        made, parent = set(), "/"
        for segment in filter(None, path.split("/")):
            here = f"{parent.rstrip('/')}/{segment}"
            if here not in self.resources:
                above = self.resources[parent]["id"]
                self.resources[here] = self.apis.create_resource(restApiId=self.api, parentId=above, pathPart=segment)
            made.add(here)
            parent = here
        return made

    def _methods(self, path: str) -> None:
        resource = self.resources[path if path == "/" else path.rstrip("/")]
        wanted = {method.upper(): operation for method, operation in self.paths[path].items() if method in METHODS}
        at = {"restApiId": self.api, "resourceId": resource["id"]}
        for method in set(resource.get("resourceMethods", {})) - set(wanted):
            self.apis.delete_method(**at, httpMethod=method)
        for method, operation in wanted.items():
            integration = operation["x-amazon-apigateway-integration"]
            self.apis.put_method(**at, httpMethod=method, authorizationType="NONE")
            extra = {k: integration[k] for k in ("uri", "requestTemplates", "passthroughBehavior", "contentHandling") if integration.get(k)}
            by = integration.get("httpMethod", "POST")
            self.apis.put_integration(**at, httpMethod=method, type=integration["type"].upper(), integrationHttpMethod=by, **extra)


def import_api(document: dict[str, Any]) -> dict[str, Any]:
    apis, name = client(), document["info"]["title"]
    stable = hashlib.sha256(name.encode()).hexdigest()[:8]  # its host names are eight hex characters
    made = apis.create_rest_api(
        name=name,
        version=document["info"].get("version", "1"),
        tags={"ms-custom-id": stable},
        binaryMediaTypes=document.get("x-amazon-apigateway-binary-media-types", []),
        endpointConfiguration={"types": ["REGIONAL"]},
    )
    Importer(apis, made["id"], document).run()
    return dict(apis.get_rest_api(restApiId=made["id"]))


def put_api(api: str, document: dict[str, Any]) -> dict[str, Any]:
    apis = client()
    Importer(apis, api, document).run()
    return dict(apis.get_rest_api(restApiId=api))


async def body_of(receive: Receive) -> bytes:
    body = b""
    while True:
        event = await receive()
        body += bytes(event.get("body", b""))
        if not event.get("more_body"):
            return body


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        await inner(scope, *saving_between(receive, send))
        return
    if scope["type"] != "http":
        await inner(scope, receive, send)
        return
    query, put = urllib.parse.parse_qs(scope["query_string"].decode()), _PUT.fullmatch(scope["path"])
    if scope["method"] == "POST" and scope["path"] == "/restapis" and query.get("mode") == ["import"]:
        await answer(send, 201, import_api, json.loads(await body_of(receive)))
    elif scope["method"] == "PUT" and put:
        await answer(send, 200, put_api, put[1], json.loads(await body_of(receive)))
    else:
        await inner(scope, receive, send)


async def answer(send: Send, status: int, act: Callable[..., dict[str, Any]], *arguments: Any) -> None:
    try:
        found = await asyncio.to_thread(act, *arguments)
    except (ClientError, KeyError) as error:
        status, found = 400, {"message": repr(error), "__type": "BadRequestException"}
    found.pop("ResponseMetadata", None)
    if "createdDate" in found:
        found["createdDate"] = int(found["createdDate"].timestamp())
    body = json.dumps(found).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def saving_between(receive: Receive, send: Send) -> tuple[Receive, Send]:
    """Saves from the end of the start, by when state has been read, to the beginning of the stop. Begun earlier, it would put
    an empty state over what is to be read; while stopping, MiniStack writes the same temporary files itself."""
    stopping, thread = threading.Event(), threading.Thread(target=lambda: save_until(stopping), daemon=True)

    async def told_to() -> dict[str, Any]:
        event = await receive()
        if event["type"] == "lifespan.shutdown":
            stopping.set()
            if thread.is_alive():
                await asyncio.to_thread(thread.join)
        return event

    async def say(event: dict[str, Any]) -> None:
        if event["type"] == "lifespan.startup.complete":
            thread.start()
        await send(event)

    return told_to, say


def save_until(stopping: threading.Event) -> None:
    """Much data takes longer to save, and is then saved less often: at most a quarter of the time goes into it."""
    pause = SAVE_EVERY_S
    while not stopping.wait(pause):
        begun, everything = time.monotonic(), ministack._build_persistence_save_dict()
        persistence.save_all({name: save for name, save in everything.items() if name in SAVED})
        pause = max(SAVE_EVERY_S, 3 * (time.monotonic() - begun))


def forget_stream_positions() -> None:
    file = Path(os.environ["STATE_DIR"]) / "lambda.json"
    if file.exists():
        state = json.loads(file.read_text())
        state.get("payload", state).pop("dynamodb_stream_positions", None)
        file.write_text(json.dumps(state))


inner = ministack.app
if __name__ == "__main__":
    forget_stream_positions()
    ministack.app = application
    sys.argv = ["ministack"]
    ministack.main()
