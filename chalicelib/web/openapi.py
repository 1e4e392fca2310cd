"""The contract of /v1 as OpenAPI 3.1 (https://spec.openapis.org/oas/v3.1.1), made from the route table and its Structs, so that
it cannot say anything else than the code does."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from functools import cache
from http import HTTPStatus
from typing import Any

import msgspec
from chalice import Blueprint, Response

from . import examples
from .http import Visit
from .routes import TABLE, Route, route

bp = Blueprint(__name__)
_REF = "#/components/schemas/{name}"
_ABOUT = """What a campaign's pages do, for programs.

Whoever is signed in sends `Authorization: Bearer TOKEN`; a supporter without an account sends the token that came with the draft.
Every error has one shape, whatever its status: `error` is for programs and stable, `message` for people, `fields` names what is
wrong. Lists are `items` and `next`, the cursor of the next part or null. Times are RFC 3339 with an offset. All writes are safe
to repeat; where something new is made, repeat with the same `Idempotency-Key`. The gateway in front may also answer 502 and 504,
in the same shape."""
_WHO: Mapping[str, str] = {
    "anybody": "For everybody.",
    "supporter": "For who made the draft or pledge; to anybody else it is not there.",
    "person": "For who is signed in.",
    "enrolled": "For who has joined the campaign.",
    "author": "For who wrote it.",
    "team": "For who has a duty in the campaign.",
    "moderator": "For the campaign's moderators and organisers.",
    "coder": "For the campaign's coders and organisers.",
    "organiser": "For the campaign's organisers.",
    "founder": "For who may make campaigns.",
}
_DUTIES = ("enrolled", "author", "team", "moderator", "coder", "organiser", "founder")
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "1 to 200 plain characters without spaces. The same request with the same key, within a day, does nothing more.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"},
}


class Problem(msgspec.Struct):
    """Every error. `fields`: what is wrong with which field, where it is about fields."""

    error: str
    message: str
    fields: dict[str, str] | msgspec.UnsetType = msgspec.UNSET


@route(bp, "GET", "/v1/openapi.json", gives=dict, errors=(304,))
def get(visit: Visit) -> Response:
    """This contract."""
    told, tag = _published(visit.prefix)
    headers = {"ETag": tag, "Cache-Control": "public, max-age=300"}
    if visit.request.headers.get("if-none-match") == tag:
        return Response("", headers=headers | {"Content-Type": "application/json"}, status_code=304)
    return visit.json(told, headers=headers)


@cache
def _published(prefix: str) -> tuple[dict[str, Any], str]:
    told = document(TABLE, prefix)
    return told, f'"{hashlib.sha256(msgspec.json.encode(told)).hexdigest()[:20]}"'


def document(table: Iterable[Route], prefix: str = "") -> dict[str, Any]:
    """The contract of the table's routes under /v1, which are served below `prefix`."""
    routes = sorted((found for found in table if found.is_api), key=lambda found: (found.path, found.method))
    schemas, components = _schemas(routes)
    paths: dict[str, dict[str, Any]] = {}
    for found in routes:
        paths.setdefault(found.path, {})[found.method.lower()] = _operation(found, schemas, components)
    statuses = sorted({status for found in routes for status in problems_of(found)})
    return {
        "openapi": "3.1.1",
        "info": {"title": "Groundswell", "version": "1", "description": _ABOUT, "license": {"name": "MIT", "identifier": "MIT"}},
        "servers": [{"url": prefix or "/"}],
        "tags": [{"name": noun} for noun in sorted({_noun(found) for found in routes})],
        "paths": paths,
        "components": {
            "schemas": {name: components[name] for name in sorted(components) if name not in _queries(routes)},
            "responses": {_problem_name(status): _problem(status) for status in statuses},
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def _schemas(routes: Iterable[Route]) -> tuple[dict[Any, Any], dict[str, Any]]:
    """The schema of each type that a route names, and what these refer to. Bodies are closed: unknown fields are refused."""
    types = {kind.__name__: kind for found in routes for kind in (found.takes, found.asks, found.gives, Problem) if kind}
    names = sorted(types)
    made, components = msgspec.json.schema_components([types[name] for name in names], ref_template=_REF)
    for name in _reached({found.takes.__name__ for found in routes if found.takes}, components):
        if "properties" in components[name]:
            components[name]["additionalProperties"] = False
    return {types[name]: schema for name, schema in zip(names, made, strict=True)}, components


def _reached(names: set[str], components: Mapping[str, Any]) -> set[str]:
    found: set[str] = set()
    while names - found:
        name = (names - found).pop()
        found.add(name)
        names = names | set(re.findall(r"#/components/schemas/(\w+)", str(components[name])))
    return found


def _queries(routes: Iterable[Route]) -> set[str]:
    return {found.asks.__name__ for found in routes if found.asks}


def _operation(found: Route, schemas: Mapping[Any, Any], components: Mapping[str, Any]) -> dict[str, Any]:
    told = {
        "operationId": found.name,
        "summary": found.says,
        "description": "\n\n".join(told for told in (_WHO[found.needs], (found.asks and found.asks.__doc__) or "") if told),
        "tags": [_noun(found)],
        "security": [{"bearer": []}] if found.needs != "anybody" else [{}, {"bearer": []}],
        "parameters": [*_in_path(found.path), *_in_query(found, components), *([_KEY] if found.is_keyed else [])],
        "responses": {str(found.status): _answer(found, schemas)} | {str(status): _refused(status) for status in problems_of(found)},
    }
    if found.takes:
        needed = "required" in components[found.takes.__name__]
        told["requestBody"] = {"required": needed, "content": {"application/json": _body(found.takes, schemas)}}
    return told


def _noun(found: Route) -> str:
    return found.name.partition(".")[0]


def _in_path(path: str) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "description": examples.PATHS[segment][0],
            "example": examples.PATHS[segment][1],
            "schema": {"type": "string", "minLength": 1, "maxLength": 200},
        }
        for segment, name in re.findall(r"([\w-]+)/{(\w+)}", path)
    ]


def _in_query(found: Route, components: Mapping[str, Any]) -> list[dict[str, Any]]:
    if not found.asks:
        return []
    shape = components[found.asks.__name__]
    return [
        {"name": name, "in": "query", "required": name in shape.get("required", ()), "schema": _without_null(schema)}
        for name, schema in shape["properties"].items()
    ]


def _without_null(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A parameter is there or left out, never null."""
    kept = {name: value for name, value in schema.items() if name != "anyOf" and not (name == "default" and value is None)}
    kinds = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
    return kept | (kinds[0] if len(kinds) == 1 else {"anyOf": kinds} if kinds else {})


def _body(takes: type[msgspec.Struct], schemas: Mapping[Any, Any]) -> dict[str, Any]:
    example = examples.BODIES.get(takes.__name__)
    return {"schema": schemas[takes]} | ({"example": example} if example is not None else {})


def _answer(found: Route, schemas: Mapping[Any, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {"description": HTTPStatus(found.status).phrase}
    if found.gives is None and found.media == "application/json":
        return told
    return told | {"content": {found.media: {"schema": schemas[found.gives] if found.gives else {"type": "string"}}}}


def problems_of(found: Route) -> list[int]:
    """Every other status that a route may answer: what follows from its declaration, and what it declares. Sorted."""
    follows = {
        400: found.takes or found.asks or found.is_keyed,
        401: found.needs not in ("anybody", "supporter"),
        403: found.needs in _DUTIES,
        404: "{" in found.path,
        413: found.takes,
        415: True,
        429: True,
        500: True,
    }
    return sorted({status for status, so in follows.items() if so} | set(found.errors))


_WHY: Mapping[int, str] = {
    400: "A field is wrong, as `fields` says.",
    401: "Nobody is signed in, or no longer.",
    403: "Not for this person.",
    404: "There is nothing at this address.",
    409: "What was asked does not fit how things stand.",
    413: "More than the gateway lets through.",
    415: "The body is not JSON.",
    429: "Too often, by this account or by all together; `Retry-After` says when to try again.",
    500: "Our fault.",
    503: "Somebody else's service did not answer.",
}


def _problem_name(status: int) -> str:
    return HTTPStatus(status).phrase.title().replace(" ", "")


def _refused(status: int) -> dict[str, Any]:
    return {"$ref": f"#/components/responses/{_problem_name(status)}"}


def _problem(status: int) -> dict[str, Any]:
    told: dict[str, Any] = {"description": _WHY.get(status, HTTPStatus(status).phrase)}
    if status < 400:
        return told
    told["content"] = {"application/json": {"schema": {"$ref": _REF.format(name="Problem")}}}
    wait = {"description": "Seconds; not where the gateway refused.", "schema": {"type": "integer", "minimum": 0}}
    return told | ({"headers": {"Retry-After": wait}} if status == 429 else {})
