"""The site as a WSGI application (https://peps.python.org/pep-3333/), for tools that call one: the same way in as
everybody's, through Chalice's own local gateway."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from chalice.test import Client

Environ = dict[str, Any]
Start = Callable[[str, list[tuple[str, str]]], Any]


class Site:
    def __init__(self, client: Client) -> None:
        self.client = client

    def __call__(self, environ: Environ, start: Start) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        response = self.client.http.request(environ["REQUEST_METHOD"], _address(environ), headers=_headers(environ), body=body)
        status = HTTPStatus(response.status_code)
        start(f"{status.value} {status.phrase}", [(name, line) for name, value in response.headers.items() for line in _lines(value)])
        return [bytes(response.body)]


def _address(environ: Environ) -> str:
    path = quote(environ["PATH_INFO"].encode("latin-1"), safe="/:@!$&'()*+,;=-._~")
    asked = environ.get("QUERY_STRING")
    return f"{path}?{asked}" if asked else path


def _headers(environ: Environ) -> dict[str, str]:
    sent = {name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name.startswith("HTTP_")}
    return sent | ({"content-type": environ["CONTENT_TYPE"]} if environ.get("CONTENT_TYPE") else {})


def _lines(value: str | list[str]) -> list[str]:
    return value if isinstance(value, list) else [value]
