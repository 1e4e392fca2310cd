"""Schemathesis (https://schemathesis.readthedocs.io) asks every operation under /v1, with what fits the contract and with what
does not: nothing may fail on our side, and every answer must be one that the contract tells of.

Each request goes to the same world, as it was built, so that a failure is found again by itself. The dev profile asks a few
times, HYPOTHESIS_PROFILE=ci more, always the same."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, CheckFunction, GenerationMode
from schemathesis.checks import load_all_checks
from schemathesis.specs.openapi import checks

from chalicelib.web import examples, openapi, routes
from tests.web.world import World
from tests.web.wsgi import Site

API = {f"{found.method} {found.path}": found for found in routes.TABLE if found.is_api}
ASKS = ("organiser", "organiser", "author", "participant", "moderator", "nobody")
EXAMPLES = max(8, settings.default.max_examples // 3)
PER_OPERATION = 10  # at the least, on average: where nothing can be said differently, few requests are all there are
POSITIVE, NEGATIVE = GenerationMode.POSITIVE, GenerationMode.NEGATIVE
RUNS = [(name, POSITIVE) for name in API] + [(name, NEGATIVE) for name, found in API.items() if found.takes or found.asks]
asked: Counter[str] = Counter()


def _operations() -> dict[str, Any]:
    schema = schemathesis.openapi.from_dict(openapi.document(routes.TABLE))
    schema.config.generation.with_security_parameters = False
    return {operation.label: operation for operation in (result.ok() for result in schema.get_all_operations())}


OPERATIONS = _operations()


@pytest.mark.parametrize(("name", "mode"), RUNS, ids=[f"{name} {mode}" for name, mode in RUNS])
def test_every_answer_is_one_that_the_contract_tells_of(name: str, mode: GenerationMode, world: World) -> None:
    operation, found = OPERATIONS[name], API[name]
    real = world.path(found.path)

    @settings(max_examples=EXAMPLES, phases=[Phase.generate], suppress_health_check=list(HealthCheck), deadline=None)
    @given(st.data(), st.sampled_from(ASKS))
    def ask(data: st.DataObject, who: str) -> None:
        there = real if mode.is_negative or data.draw(st.integers(0, 5)) else None
        case = data.draw(operation.as_strategy(generation_mode=mode, path_parameters=there))
        if mode.is_positive and isinstance(case.body, dict):
            case.body = data.draw(_near(world.real(examples.BODIES[found.takes.__name__]), case.body))
        _send(world, name, case, who, [checks.negative_data_rejection] if mode.is_negative else [])

    ask()


@pytest.mark.parametrize("name", API)
def test_the_examples_of_the_contract_are_answered_with_success(name: str, world: World) -> None:
    """By one of those whom it is for."""
    found = API[name]
    body = {"body": world.real(examples.BODIES[found.takes.__name__]), "media_type": "application/json"} if found.takes else {}
    case = OPERATIONS[name].Case(path_parameters=world.path(found.path), query={"text": "rotas"} if "similar" in name else {}, **body)

    assert found.status in {_send(world, name, case, who) for who in ("organiser", "author")}


def _send(world: World, name: str, case: Case, who: str, more: Sequence[CheckFunction] = ()) -> int:
    world.restore()
    signed = {"Authorization": f"Bearer {world.tokens[who]}"} if who in world.tokens else {}
    response = case.call(headers=signed, app=Site(world.client))
    asked[name] += 1
    case.validate_response(response, checks=[*CHECKS, *more])
    return int(response.status_code)


@st.composite
def _near(draw: st.DrawFn, example: dict[str, Any], generated: dict[str, Any]) -> dict[str, Any]:
    """The example with none, some or all of its fields as they were generated."""
    changed = draw(st.sets(st.sampled_from(sorted(generated)))) if generated else set()
    return example | {name: generated[name] for name in changed}


load_all_checks()
CHECKS = [
    schemathesis.checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]


def test_enough_was_asked(capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        sys.stdout.write(f"\n/v1 by schemathesis: {len(asked)} operations, {asked.total()} examples, 0 failures\n")

    assert set(asked) == set(API)
    assert asked.total() >= PER_OPERATION * len(API)
