"""What a client of a real Bluesky server may rely on, and must be ready for; and the bodies against the published lexicons."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from infra.stand_ins import StandIns, app_passwords
from infra.stand_ins.faults import Fault
from tests.stand_ins.conftest import Answer, Client

PDS, DIRECTORY = "pds-01.test", "directory.test"
LEXICONS = Path(__file__).parents[3] / "shared" / "specs" / "atproto-lexicons"
with_lexicons = pytest.mark.skipif(not LEXICONS.exists(), reason=f"{LEXICONS} is not there: bodies are not compared with the lexicons")
RECORD: dict[str, Any] = {
    "$type": "app.bsky.feed.post",
    "text": "Für alle: https://example.org/ @grace.pds-01.test",
    "createdAt": "2027-02-10T13:30:00.000Z",
    "langs": ["en"],
    "facets": [
        {"index": {"byteStart": 11, "byteEnd": 31}, "features": [{"$type": "app.bsky.richtext.facet#link", "uri": "https://example.org/"}]},
    ],
}


def ask(client: Client, method: str, path: str, body: Any = None, *, host: str = PDS, bearer: str | None = None) -> Answer:
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {bearer}"} if bearer else {})
    return client.ask(method, path, host=host, body=json.dumps(body).encode() if body is not None else b"", headers=headers)


def session(client: Client, name: str = "ada", **changes: str) -> Answer:
    body = {"identifier": f"{name}.{PDS}", "password": client.stand_ins.token(PDS, name)} | changes
    return ask(client, "POST", "/xrpc/com.atproto.server.createSession", body)


def put(client: Client, signed: Answer, record: Any = None, **changes: Any) -> Answer:
    body = {"repo": signed.json["did"], "collection": "app.bsky.feed.post", "rkey": "3lbvgqzy2wk2a", "record": record or RECORD} | changes
    return ask(client, "POST", "/xrpc/com.atproto.repo.putRecord", body, bearer=signed.json["accessJwt"])


def test_handle_leads_to_the_server(client: Client) -> None:
    did = ask(client, "GET", f"/xrpc/com.atproto.identity.resolveHandle?handle=ada.{PDS}", host=DIRECTORY).json["did"]
    document = ask(client, "GET", f"/{did}", host=DIRECTORY).json

    assert re.fullmatch(r"did:plc:[a-z2-7]{24}", did)
    assert document["alsoKnownAs"] == [f"at://ada.{PDS}"]
    assert document["service"][0]["serviceEndpoint"] == f"https://{PDS}"
    assert ask(client, "GET", "/xrpc/com.atproto.identity.resolveHandle?handle=ada.example.org", host=DIRECTORY).status == 400
    assert ask(client, "GET", "/did:plc:" + "b" * 24, host=DIRECTORY).status == 404


def test_post_is_published_and_the_same_again_changes_nothing(client: Client, stand_ins: StandIns) -> None:
    signed = session(client)
    first, again = put(client, signed), put(client, signed)

    assert first.status == 200
    assert again.json == first.json
    assert [(post.account, post.key, post.published) for post in stand_ins.posts] == [
        ("ada", "3lbvgqzy2wk2a", True),
        ("ada", "3lbvgqzy2wk2a", False),
    ]
    assert {"RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset", "RateLimit-Policy"} <= set(first.headers)


def test_another_record_under_the_same_key_is_another_post(client: Client, stand_ins: StandIns) -> None:
    signed = session(client)
    first, other = put(client, signed), put(client, signed, RECORD | {"createdAt": "2027-02-10T13:30:00.001Z"})

    assert first.json["cid"] != other.json["cid"]
    assert [post.published for post in stand_ins.posts] == [True, True]


@pytest.mark.parametrize(
    "changes",
    [
        {"identifier": "eve.pds-01.test"},
        {"password": "abcd-efgh-ijkl-mnop"},
        {"password": app_passwords.mint("pds-02.test", "ada")},
        {"identifier": "did:plc:" + "z" * 24},
    ],
)
def test_session_needs_the_accounts_own_password(client: Client, changes: dict[str, str]) -> None:
    found = session(client, **changes)

    assert (found.status, found.json["error"]) == (401, "AuthenticationRequired")


def test_app_password_that_was_taken_away_makes_no_session(client: Client, stand_ins: StandIns) -> None:
    stand_ins.world.revoke(PDS, stand_ins.token(PDS, "ada"))

    assert session(client).status == 401


def test_record_needs_a_bearer_of_this_account_that_has_not_ended(client: Client) -> None:
    signed, path = session(client), "/xrpc/com.atproto.repo.putRecord"
    did = signed.json["did"]
    spent = app_passwords.token("access", did, PDS, now=0.0)
    elsewhere = app_passwords.token("access", did, "pds-02.test", now=4e9)

    for bearer, status, code in (
        (None, 401, "AuthMissing"),
        ("a.b.c", 400, "InvalidToken"),
        (signed.json["refreshJwt"], 400, "InvalidToken"),
        (elsewhere, 400, "InvalidToken"),
        (spent, 400, "ExpiredToken"),
    ):
        found = ask(client, "POST", path, {}, bearer=bearer)
        assert (found.status, found.json["error"]) == (status, code)
    assert put(client, session(client, "grace"), repo=did).status == 401


@pytest.mark.parametrize(
    ("record", "changes"),
    [
        (RECORD, {"rkey": "pledge-123"}),
        (RECORD, {"rkey": "zzzzzzzzzzzzz"}),
        (RECORD, {"collection": "app.bsky.feed.like"}),
        (RECORD | {"text": "x" * 301}, {}),
        (RECORD | {"text": "👩‍👩‍👧‍👦" * 121}, {}),
        (RECORD | {"text": 1}, {}),
        (RECORD | {"$type": "app.bsky.feed.like"}, {}),
        (RECORD | {"createdAt": "yesterday"}, {}),
        (RECORD | {"createdAt": "2027-02-10T13:30:00"}, {}),
        (RECORD | {"langs": ["en"] * 4}, {}),
        (RECORD | {"facets": [{"index": {"byteStart": 2, "byteEnd": 5}, "features": RECORD["facets"][0]["features"]}]}, {}),
        (RECORD | {"facets": [{"index": {"byteStart": 11, "byteEnd": 999}, "features": RECORD["facets"][0]["features"]}]}, {}),
        (RECORD | {"facets": [{"index": {"byteStart": 11, "byteEnd": 31}, "features": []}]}, {}),
        (RECORD | {"embed": {}}, {}),
    ],
)
def test_what_the_lexicon_does_not_allow_is_refused(client: Client, stand_ins: StandIns, record: Any, changes: dict[str, Any]) -> None:
    found = put(client, session(client), record, **changes)

    assert (found.status, found.json["error"]) == (400, "InvalidRequest")
    assert not [post for post in stand_ins.posts if post.published]


def test_faults_meet_sessions_only_where_they_say_so(client: Client, stand_ins: StandIns) -> None:
    stand_ins.world.faults.add(PDS, Fault("throttle", times=1, on="session"))

    assert [session(client).status for _ in range(2)] == [429, 200]
    stand_ins.world.faults.add(PDS, Fault("fail_after", times=1, status=500))
    signed = session(client)
    assert [put(client, signed).status for _ in range(2)] == [500, 200]
    assert [post.published for post in stand_ins.posts] == [True, False]


def lexicon(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((LEXICONS / f"{name}.json").read_text())["defs"]
    return found


def conforms(schema: dict[str, Any], value: Any, where: str) -> None:
    """As far as these bodies need it: required and known properties, types, formats, references within one lexicon."""
    kind = schema["type"]
    if kind == "object":
        assert set(schema.get("required", [])) <= set(value), where
        assert set(value) - {"$type"} <= set(schema["properties"]), where
        for name, inner in value.items():
            if name != "$type":
                conforms(schema["properties"][name], inner, f"{where}.{name}")
    elif kind == "array":
        assert len(value) <= schema.get("maxLength", 10**6), where
        for inner in value:
            conforms(schema["items"], inner, where)
    elif kind in ("ref", "union"):
        _referred(schema, value, where)
    elif kind in ("string", "integer", "boolean"):
        assert isinstance(value, {"string": str, "integer": int, "boolean": bool}[kind]), where
        assert re.fullmatch(FORMATS.get(schema.get("format", ""), r"(?s).*"), str(value)), where


FORMATS = {
    "did": r"did:[a-z]+:[A-Za-z0-9._:%-]+",
    "handle": r"([a-z0-9-]+\.)+[a-z]+",
    "at-identifier": r"did:[a-z]+:.+|([a-z0-9-]+\.)+[a-z]+",
    "at-uri": r"at://did:[a-z]+:[a-z0-9.:-]+/[A-Za-z.]+/[a-z0-9]+",
    "cid": r"bafyrei[a-z2-7]{52}",
    "nsid": r"[a-z]+(\.[A-Za-z]+)+",
    "datetime": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)",
    "language": r"[a-z]{2,3}(-\w+)*",
    "uri": r"https?://\S+",
    "tid": r"[234567abcdefghij][2-7a-z]{12}",
    "record-key": r"[A-Za-z0-9._:~-]{1,512}",
}


def _referred(schema: dict[str, Any], value: Any, where: str) -> None:
    named = schema["ref"] if schema["type"] == "ref" else next(one for one in schema["refs"] if (value.get("$type") or "").endswith(one))
    name, _, part = named.partition("#")
    at = name or where.partition(" ")[0]
    conforms(lexicon(at)[part or "main"], value, f"{at} {where}")


@with_lexicons
def test_session_is_as_the_lexicon_has_it(client: Client, stand_ins: StandIns) -> None:
    main = lexicon("com.atproto.server.createSession")["main"]

    body = {"identifier": f"ada.{PDS}", "password": stand_ins.token(PDS, "ada")}
    conforms(main["input"]["schema"], body, "input")
    told = {name: value for name, value in session(client).json.items() if name != "didDoc"}
    conforms(main["output"]["schema"], told, "output")


@with_lexicons
def test_record_and_its_answer_are_as_the_lexicons_have_them(client: Client) -> None:
    main = lexicon("com.atproto.repo.putRecord")["main"]
    found = put(client, session(client)).json

    conforms(main["output"]["schema"], found, "com.atproto.repo.putRecord output")
    conforms(lexicon("app.bsky.feed.post")["main"]["record"], RECORD, "app.bsky.feed.post record")


@with_lexicons
def test_what_the_product_sends_is_as_the_lexicons_have_it() -> None:
    from datetime import UTC, datetime

    from chalicelib.networks import bluesky

    text = "Räume für alle 🌱: https://example.org/a?b=c."
    body = json.loads(bluesky.key(text, "did:plc:" + "a" * 24, at=datetime(2027, 2, 10, 13, 30, tzinfo=UTC)))

    record = body.pop("record")
    assert (
        set(body) == {"repo", "collection", "rkey"} <= set(lexicon("com.atproto.repo.putRecord")["main"]["input"]["schema"]["properties"])
    )
    conforms(lexicon("app.bsky.feed.post")["main"]["record"], record, "app.bsky.feed.post record")
    assert lexicon("app.bsky.feed.post")["main"]["key"] == "tid"
    assert re.fullmatch(FORMATS["tid"], body["rkey"])
