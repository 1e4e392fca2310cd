"""A request to any route as anybody: with a body that it accepts, made from the contract's examples in this one place."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from chalice.test import HTTPResponse

from chalicelib import keyring
from chalicelib.web import examples
from chalicelib.web.http import BROWSER, FLOW, SESSION
from chalicelib.web.routes import Route
from tests.web.world import World

BROWSERS_TOKEN = "the-browsers-own"


def ask(world: World, found: Route, who: str, *, path: Mapping[str, str] | None = None, body: Any = None, query: str = "") -> HTTPResponse:
    """Sends it as `who`, by the example of the body that it takes unless `body` is given."""
    address = found.path.format(**{**world.path(found.path), **(path or {})}) + (f"?{query}" if query else "")
    headers, sent = (_as_program if found.is_api else _as_browser)(world, found, who, body)
    return world.client.http.request(found.method, address, headers=headers, body=sent)


def _as_program(world: World, found: Route, who: str, body: Any) -> tuple[dict[str, str], bytes]:
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {world.tokens[who]}"} if who in world.tokens else {})
    if body is None and found.takes:
        body = world.real(examples.BODIES[found.takes.__name__])
    return headers, b"" if body is None else json.dumps(body).encode()


def _as_browser(world: World, found: Route, who: str, body: Any) -> tuple[dict[str, str], bytes]:
    cookies = {BROWSER: BROWSERS_TOKEN, FLOW: world.ids["flow"]} | ({SESSION: world.tokens[who]} if who in world.tokens else {})
    headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
    if found.method != "POST":
        return headers, b""
    fields = [("csrf", keyring.keyed_hash("cursors", "csrf", BROWSERS_TOKEN)[:32]), *as_form(body or {})]
    return headers | {"Content-Type": "application/x-www-form-urlencoded"}, urlencode(fields).encode()


def as_form(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """JSON as the fields of a form: `phases.1.title`, counted from 1; several of one name where they are plain."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from as_form(inner, f"{name}.{key}" if name else key)
    elif isinstance(value, list):
        for number, inner in enumerate(value, 1):
            yield from as_form(inner, f"{name}.{number}" if isinstance(inner, dict) else name)
    elif value is not None and value is not False:
        yield name, "1" if value is True else str(value)


def outcome(response: HTTPResponse) -> str:
    """One letter: A answered, S asked to sign in, F forbidden, N nothing there, C conflict; else the status."""
    status = int(response.status_code)
    if status == 303 and str(response.headers["Location"]).startswith("/sign-in?"):
        return "S"
    if status < 400:
        return "A"
    return {401: "S", 403: "F", 404: "N", 409: "C"}.get(status, str(status))
