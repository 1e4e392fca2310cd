"""/v1/openapi.json: valid, complete, and the same as what the code does."""

from __future__ import annotations

import json
import random
import re
from typing import Any

import msgspec
import pytest
from chalice.test import Client
from openapi_spec_validator import OpenAPIV31SpecValidator

from app import app
from chalicelib import contributions
from chalicelib.web import bodies, examples, openapi, routes
from tests.web.browser import Program

API = [found for found in routes.TABLE if found.is_api]
TAKING = sorted({found.takes for found in API if found.takes}, key=lambda shape: shape.__name__)


def document() -> dict[str, Any]:
    return openapi.document(routes.TABLE)


def operations() -> list[dict[str, Any]]:
    return [operation for methods in document()["paths"].values() for operation in methods.values()]


def test_the_document_is_valid() -> None:
    OpenAPIV31SpecValidator(document()).validate()


def test_the_table_and_the_apps_own_routes_are_the_same() -> None:
    """A route that was registered past the table would be in neither the contract nor the permission matrix."""
    registered = {(method, path) for path, methods in app.routes.items() for method in methods}

    assert registered == {(found.method, found.path) for found in routes.TABLE}
    assert len(registered) == len(routes.TABLE)


def test_every_route_is_documented() -> None:
    told = {(method.upper(), path) for path, methods in document()["paths"].items() for method in methods}

    assert told == {(found.method, found.path) for found in API}


def test_every_operation_has_an_id_of_its_own_and_says_what_it_does() -> None:
    assert len({operation["operationId"] for operation in operations()}) == len(API)
    assert [operation["operationId"] for operation in operations() if len(operation["summary"].split()) < 2] == []


@pytest.mark.parametrize("found", API, ids=lambda found: f"{found.method} {found.path}")
def test_a_route_under_v1_declares_what_it_answers(found: routes.Route) -> None:
    assert found.gives is not None or found.status == 204 or found.media != "application/json"
    assert found.status in (200, 201, 202, 204)
    assert found.takes is not None or found.method != "PATCH"


def test_it_does_not_depend_on_the_order_in_which_routes_are_registered() -> None:
    shuffled = random.Random(3).sample(routes.TABLE, len(routes.TABLE))

    assert json.dumps(openapi.document(shuffled)) == json.dumps(document())


def test_no_schema_is_left_over_and_none_is_missing() -> None:
    told = document()
    schemas = told["components"]["schemas"]
    named = set(re.findall(r"#/components/schemas/(\w+)", json.dumps(told)))

    assert named == set(schemas)


def test_two_structs_of_one_name_would_be_told() -> None:
    structs = {shape for found in API for shape in (found.takes, found.asks, found.gives) if shape and shape is not dict}

    assert len({shape.__name__ for shape in structs}) == len(structs)


@pytest.mark.parametrize("shape", TAKING, ids=lambda shape: str(shape.__name__))
def test_every_body_has_an_example_that_is_accepted(shape: type[msgspec.Struct]) -> None:
    bodies.from_json(json.dumps(examples.BODIES[shape.__name__]).encode(), shape)


def test_examples_are_of_what_there_is() -> None:
    assert set(examples.BODIES) == {shape.__name__ for shape in TAKING}
    assert set(examples.PATHS) == {segment for found in API for segment in re.findall(r"([\w-]+)/{", found.path)}


def test_it_is_served_with_the_stage_before_its_paths(client: Client, program: Program) -> None:
    assert program.ask("GET", "/v1/openapi.json") == openapi.document(routes.TABLE)
    assert openapi.document(routes.TABLE, "/api")["servers"] == [{"url": "/api"}]


def test_who_has_it_already_is_told_so(program: Program) -> None:
    program.ask("GET", "/v1/openapi.json")
    tag = program.headers["ETag"]

    response = program.client.http.get("/v1/openapi.json", headers={"If-None-Match": tag})

    assert (response.status_code, response.body) == (304, b"")
    assert program.client.http.get("/v1/openapi.json", headers={"If-None-Match": '"another"'}).status_code == 200


def test_the_error_that_is_documented_is_the_one_that_is_sent(program: Program) -> None:
    program.refused("GET", "/v1/campaigns/nowhere")

    assert document()["components"]["schemas"]["Problem"]["required"] == ["error", "message"]


def test_it_tells_how_long_texts_may_be() -> None:
    told = document()
    idea = told["components"]["schemas"]["NewContribution"]["properties"]
    asks = told["paths"]["/v1/campaigns/{slug}/contributions"]["get"]["parameters"]
    limit = next(one["schema"] for one in asks if one["name"] == "limit")

    assert (idea["title"]["maxLength"], idea["text"]["maxLength"]) == (contributions.TITLE_MAX, contributions.TEXT_MAX)
    assert (limit["minimum"], limit["maximum"], limit["default"]) == (1, contributions.PAGE_MAX, contributions.PAGE)
