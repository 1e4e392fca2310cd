"""The stand-in's bodies against Mastodon's published contract, which lies beside the repository where there is one."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from infra.stand_ins import StandIns, tokens
from tests.stand_ins.conftest import TOWN, Client

CONTRACT = Path(__file__).parents[3] / "shared" / "specs" / "mastodon.openapi.json"
pytestmark = pytest.mark.skipif(not CONTRACT.exists(), reason=f"{CONTRACT} is not there: bodies are not compared with the contract")


@pytest.fixture(scope="module")
def contract() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(CONTRACT.read_text())
    return found


def conforms(contract: dict[str, Any], schema: dict[str, Any], body: Any) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    whole = {"components": contract["components"], **copy.deepcopy(schema)}
    jsonschema.Draft202012Validator(whole, format_checker=jsonschema.FormatChecker()).validate(body)


def answer_schema(contract: dict[str, Any], path: str, method: str, status: int) -> dict[str, Any]:
    found: dict[str, Any] = contract["paths"][path][method]["responses"][str(status)]["content"]["application/json"]["schema"]
    return found


def test_a_published_post(client: Client, contract: dict[str, Any]) -> None:
    answer = client.publish("Hello https://example.org @ada@town-02.test\n\nagain", key="k", visibility="public", language="en")

    conforms(contract, {"$ref": "#/components/schemas/Status"}, answer.json)
    listed = contract["paths"]["/api/v1/statuses"]["post"]["responses"]["200"]["headers"]
    assert set(listed) <= set(answer.headers)


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/api/v1/accounts/verify_credentials", "/api/v1/accounts/verify_credentials"),
        ("/api/v2/instance", "/api/v2/instance"),
    ],
)
def test_what_is_read(client: Client, stand_ins: StandIns, contract: dict[str, Any], path: str, asked: str) -> None:
    answer = client.ask("GET", asked, headers={"Authorization": f"Bearer {stand_ins.token(TOWN, 'ada')}"})

    assert answer.status == 200
    conforms(contract, answer_schema(contract, path, "get", 200), answer.json)


@pytest.mark.parametrize(("token", "text", "status"), [("nonsense", "x", 401), (None, "", 422)])
def test_errors(client: Client, contract: dict[str, Any], token: str | None, text: str, status: int) -> None:
    answer = client.publish(text, token=token)

    assert answer.status == status
    conforms(contract, answer_schema(contract, "/api/v1/statuses", "post", status), answer.json)


def test_requests_that_the_contract_allows_are_taken(client: Client, stand_ins: StandIns, contract: dict[str, Any]) -> None:
    post = {"status": "hello", "visibility": "public", "language": "en"}
    app = tokens.client(TOWN)
    end = {"client_id": app.id, "client_secret": app.secret, "token": stand_ins.token(TOWN, "ada")}
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {end['token']}"}

    for path, body in (("/api/v1/statuses", post), ("/oauth/revoke", end)):
        conforms(contract, contract["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"], body)
        assert client.ask("POST", path, body=json.dumps(body).encode(), headers=headers).status == 200
