"""An AWS of the process's own, in its memory, and gone with it: the embedded AWS's DynamoDB, called as the function that it is
instead of through HTTP, and moto for the keys. Four times as fast as either over a socket or moto's DynamoDB."""

from __future__ import annotations

import os
import sys
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from botocore.awsrequest import AWSRequest, AWSResponse
from moto import mock_aws

from chalicelib import settings
from infra import stack, template
from infra.embedded import server

_OTHERS = {"core": {"passthrough": {"services": ["dynamodb"]}}}


@contextmanager
def aws() -> Iterator[None]:
    """With every table of the template, and the API's own keys; without streams, for which there are no functions here."""
    os.environ.update(server.client_environment())
    del os.environ["AWS_ENDPOINT_URL"]
    os.environ.update({name: str(value) for name, value in stack.stage_config("local")["environment_variables"].items()})
    settings.current.cache_clear()
    with mock_aws(config=_OTHERS):
        _play_dynamodb()
        stack.make_keys("local")
        yield


def _play_dynamodb() -> None:
    from chalicelib import store  # the noun reads the environment, which is set by now

    os.environ["PERSIST_STATE"] = "0"
    packages = server.interpreter(Path("build").absolute()).parents[1] / "lib"
    sys.path.append(str(next(packages.glob("python*/site-packages"))))
    from ministack.services import dynamodb

    def answer(request: AWSRequest, **_: Any) -> AWSResponse:
        headers = {name.lower(): value.decode() if isinstance(value, bytes) else value for name, value in request.headers.items()}
        status, told, body = _result(dynamodb.handle_request("POST", "/", headers, request.body, {}))
        return AWSResponse(request.url, status, told, _Body(body))

    client = store.dynamodb()
    client.meta.events.register_first("before-send.dynamodb", answer)
    for table in template.resources("AWS::DynamoDB::Table"):
        client.create_table(**template.table_arguments(table))


def _result(handling: Coroutine[Any, Any, tuple[int, dict[str, str], bytes]]) -> tuple[int, dict[str, str], bytes]:
    """Of a coroutine that waits for nothing."""
    try:
        handling.send(None)
    except StopIteration as end:
        found: tuple[int, dict[str, str], bytes] = end.value
        return found
    raise RuntimeError("the embedded AWS's DynamoDB waits for something")


class _Body:
    """As botocore reads a response of urllib3."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self._data
