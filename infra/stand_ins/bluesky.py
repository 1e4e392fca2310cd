"""Bluesky as its published lexicons describe it: sessions, records, handles; and the directory of DIDs. What this stand-in
cannot do it refuses. https://github.com/bluesky-social/atproto/tree/main/lexicons"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from infra.stand_ins import app_passwords, bluesky_records
from infra.stand_ins.arrivals import Arrival
from infra.stand_ins.faults import Fault
from infra.stand_ins.hosts import DIRECTORY
from infra.stand_ins.limits import Standing
from infra.stand_ins.requests import ARRIVAL, FAULT, WORLD, DropConnection

ALLOWED = 10
COLLECTION = "app.bsky.feed.post"
_HANG_S = 900


@dataclass(slots=True)
class Repositories:
    """(DID, record key) -> the record's content id."""

    records: dict[tuple[str, str], str] = field(default_factory=dict)


REPOSITORIES = web.AppKey("repositories", Repositories)


def application() -> web.Application:
    app = web.Application()
    app[REPOSITORIES] = Repositories()
    app.router.add_post("/xrpc/com.atproto.server.createSession", create_session)
    app.router.add_post("/xrpc/com.atproto.server.deleteSession", delete_session)
    app.router.add_post("/xrpc/com.atproto.repo.putRecord", put_record)
    app.router.add_get("/xrpc/com.atproto.identity.resolveHandle", resolve_handle)
    app.router.add_get("/.well-known/atproto-did", own_did)
    app.router.add_get("/.well-known/did.json", own_document)
    app.router.add_get("/{did}", document)
    return app


def account_of(request: web.Request) -> str | None:
    """Whose access token came with the request, if it is one of this host, expired or not."""
    found = _claims(request)
    return app_passwords.name_of(_handle(request, str(found["sub"]))) if found else None


def _claims(request: web.Request) -> Mapping[str, Any] | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return app_passwords.claims(token.strip(), request[ARRIVAL].host) if scheme.lower() == "bearer" else None


def _handle(request: web.Request, did: str) -> str:
    return request.config_dict[WORLD].directory.handles.get(did, did)


def error(status: int, code: str, message: str) -> web.Response:
    return web.json_response({"error": code, "message": message}, status=status)


def too_many() -> web.Response:
    return error(429, "RateLimitExceeded", "Rate Limit Exceeded")


def headers(standing: Standing) -> dict[str, str]:
    return standing.plain_headers()


async def create_session(request: web.Request) -> web.StreamResponse:
    """An app password in exchange for two tokens."""
    arrival, world, fault = request[ARRIVAL], request.config_dict[WORLD], request[FAULT]
    refused = await _fault_before(fault)
    if refused is not None:
        return refused
    asked = await _body(request)
    identifier, password = str(asked.get("identifier", "")), str(asked.get("password", ""))
    did = world.directory.signed_in(arrival.host, identifier, password)
    await asyncio.sleep(world.latency.posting_s())
    if did is None:
        return error(401, "AuthenticationRequired", "Invalid identifier or password")
    arrival.account, now = app_passwords.name_of(_handle(request, did)), time.time()
    tokens = {f"{kind}Jwt": app_passwords.token(kind, did, arrival.host, now=now) for kind in ("access", "refresh")}
    whole = {"handle": _handle(request, did), "did": did, "active": True, "emailConfirmed": True}
    answer = web.json_response({**tokens, **whole, "didDoc": _document(did, _handle(request, did), arrival.host)})
    return await _fault_after(fault, answer) if fault else answer


async def delete_session(_: web.Request) -> web.Response:
    return web.Response()


async def put_record(request: web.Request) -> web.StreamResponse:
    arrival, fault, world = request[ARRIVAL], request[FAULT], request.config_dict[WORLD]
    claims = _claims(request)
    if claims is None:
        given = "Authorization" in request.headers
        return error(400, "InvalidToken", "Token could not be verified") if given else error(401, "AuthMissing", "Authentication Required")
    if float(claims["exp"]) < time.time():
        return error(400, "ExpiredToken", "Token has expired")
    refused = await _fault_before(fault)
    if refused is not None:
        return refused
    answer = _put(request.config_dict[REPOSITORIES], arrival, await _body(request), str(claims["sub"]))
    if fault is not None and answer.status == 200:
        answer = await _fault_after(fault, answer)
    await asyncio.sleep(world.latency.posting_s())
    return answer


def _put(repositories: Repositories, arrival: Arrival, asked: Mapping[str, Any], did: str) -> web.Response:
    """Nothing here waits, so of two requests with one key the second finds what the first made. The same record again is no
    change; another one under the same key is another post."""
    record, key = asked.get("record"), str(asked.get("rkey", ""))
    arrival.key = key
    if isinstance(record, dict):
        arrival.said(str(record.get("text", "")))
    if asked.get("repo") != did:
        return error(401, "AuthenticationRequired", "Authentication Required")
    wrong = _wrong(asked, key) or bluesky_records.wrong(record)
    if wrong:
        return error(400, "InvalidRequest", wrong)
    content = _content_id(record)
    arrival.replayed = repositories.records.get((did, key)) == content
    repositories.records[did, key] = content
    uri = f"at://{did}/{COLLECTION}/{key}"
    arrival.post = f"{uri}#{content}"
    commit = {"cid": _content_id({"of": uri, "record": record}), "rev": key}
    return web.json_response({"uri": uri, "cid": content, "commit": commit, "validationStatus": "valid"})


def _wrong(asked: Mapping[str, Any], key: str) -> str | None:
    if set(asked) - {"repo", "collection", "rkey", "record", "validate", "swapRecord", "swapCommit"}:
        return "Input must not have other fields"
    if asked.get("collection") != COLLECTION:
        return "collection is not something this stand-in can do"
    return None if bluesky_records.TID.fullmatch(key) else f"Invalid record key for {COLLECTION}: not a TID"


def _content_id(record: Any) -> str:
    """Shaped as a content id (CIDv1, dag-cbor, sha-256 in base 32), of the record's JSON."""
    digest = hashlib.sha256(json.dumps(record, sort_keys=True).encode()).digest()
    return "b" + base64.b32encode(b"\x01\x71\x12\x20" + digest).decode().lower().rstrip("=")


async def resolve_handle(request: web.Request) -> web.Response:
    """Asked for, an account is there: `NAME.pds-NN.test`."""
    handle, world = request.query.get("handle", ""), request.config_dict[WORLD]
    name, _, pds = handle.partition(".")
    found = world.host(pds)
    if found is None or found.network != "bluesky" or pds == DIRECTORY or not name:
        return error(400, "InvalidRequest", "Unable to resolve handle")
    await asyncio.sleep(world.latency.reading_s())
    return web.json_response({"did": world.directory.add(handle)})


async def document(request: web.Request) -> web.Response:
    """The directory of DIDs. https://web.plc.directory/"""
    did, world = request.match_info["did"], request.config_dict[WORLD]
    handle = world.directory.handles.get(did)
    if handle is None or request[ARRIVAL].host != DIRECTORY or not did.startswith("did:plc:"):
        return web.json_response({"message": f"DID not registered: {did}"}, status=404)
    await asyncio.sleep(world.latency.reading_s())
    return web.json_response(_document(did, handle, handle.partition(".")[2]))


async def own_did(request: web.Request) -> web.Response:
    """A data server's own account proves its handle by itself."""
    return web.Response(text=request.config_dict[WORLD].directory.add(request[ARRIVAL].host))


async def own_document(request: web.Request) -> web.Response:
    host = request[ARRIVAL].host
    return web.json_response(_document(request.config_dict[WORLD].directory.add(host), host, host))


def _document(did: str, handle: str, pds: str) -> dict[str, Any]:
    service = {"id": "#atproto_pds", "type": "AtprotoPersonalDataServer", "serviceEndpoint": f"https://{pds}"}
    return {"@context": ["https://www.w3.org/ns/did/v1"], "id": did, "alsoKnownAs": [f"at://{handle}"], "service": [service]}


async def _body(request: web.Request) -> Mapping[str, Any]:
    """The JSON object that came. Raises `web.HTTPBadRequest`."""
    try:
        found = json.loads(await request.read())
    except ValueError:
        found = None
    if not isinstance(found, dict) or request.content_type != "application/json":
        told = {"error": "InvalidRequest", "message": "A request body is expected but none was provided"}
        raise web.HTTPBadRequest(text=json.dumps(told), content_type="application/json")
    return found


async def _fault_before(fault: Fault | None) -> web.Response | None:
    kind = fault.kind if fault else None
    if fault is None or kind not in ("throttle", "fail", "hang"):
        return None
    if kind == "throttle":
        return too_many()
    if kind == "hang":
        await asyncio.sleep(_HANG_S)
    return error(fault.status, "InternalServerError", "Internal Server Error")


async def _fault_after(fault: Fault, answer: web.Response) -> web.Response:
    if fault.kind == "fail_after":
        return error(fault.status, "InternalServerError", "Internal Server Error")
    if fault.kind == "hang_after":
        await asyncio.sleep(_HANG_S)
    if fault.kind == "drop_after":
        raise DropConnection
    if fault.kind == "slow":
        await asyncio.sleep(fault.seconds)
    return answer
