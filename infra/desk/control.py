"""The control API: JSON for programs that watch the stand-ins or tell them to misbehave."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from aiohttp import web

from infra.desk import mailbox
from infra.desk.places import PLACE
from infra.stand_ins import faults
from infra.stand_ins.hosts import setting

routes = web.RouteTableDef()


async def _asked(request: web.Request) -> dict[str, Any]:
    try:
        found = json.loads(await request.read() or b"{}")
    except ValueError as error:
        raise _wrong("the body is not JSON") from error
    if not isinstance(found, dict):
        raise _wrong("the body is not a JSON object")
    return found


def _wrong(text: str) -> web.HTTPBadRequest:
    return web.HTTPBadRequest(text=json.dumps({"error": text}), content_type="application/json")


@routes.get("/control/health")
async def health(request: web.Request) -> web.Response:
    place = request.app[PLACE]
    hosts = [{"network": host.network, "name": host.name, "port": host.port} for host in place.world.hosts]
    trust = {"ca": str(place.trust.ca), "bundle": str(place.trust.bundle)}
    return web.json_response({"hosts": hosts, "stand_ins": setting(place.world.hosts), **trust})


@routes.get("/control/arrivals")
async def arrivals(request: web.Request) -> web.Response:
    """`since` is the `next` of an earlier answer; `posts=1` leaves out requests that published nothing."""
    found, asked = request.app[PLACE].world.ledger.arrivals, request.query.get("since", "0")
    if not asked.isdigit():
        raise _wrong("since: a whole number, the `next` of an earlier answer")
    some = found[int(asked) :]
    shown = [arrival.as_json() for arrival in some if arrival.is_post or "posts" not in request.query]
    return web.json_response({"arrivals": shown, "next": int(asked) + len(some)})


@routes.post("/control/tokens")
async def mint(request: web.Request) -> web.Response:
    """{"accounts": [{"host", "name", "number"?}, ...]} -> {"tokens": [{"host", "name", "token"}, ...]} in the same order."""
    accounts = (await _asked(request)).get("accounts")
    if not isinstance(accounts, list) or not accounts:
        raise _wrong('accounts: a list of {"host", "name"}')
    return web.json_response({"tokens": [_minted(request, account) for account in accounts]})


def _minted(request: web.Request, account: Mapping[str, Any]) -> dict[str, str]:
    host = _host(request, account)
    try:
        token = request.app[PLACE].world.permission(host, str(account.get("name")), int(account.get("number", 1)))
    except ValueError as error:
        raise _wrong(f"name: {error}") from error
    return {"host": host, "name": str(account["name"]), "token": token}


def _host(request: web.Request, asked: Mapping[str, Any]) -> str:
    name = str(asked.get("host"))
    if request.app[PLACE].world.host(name) is None:
        raise _wrong(f"host: {name} is none of the stand-in hosts, which /control/health lists")
    return name


@routes.post("/control/faults")
async def add_fault(request: web.Request) -> web.Response:
    """{"host": name or "*", "kind", "times"?, "status"?, "seconds"?, "account"?, "on"?: post or session}"""
    asked = await _asked(request)
    host = faults.ANY_HOST if asked.get("host") == faults.ANY_HOST else _host(request, asked)
    try:
        fault = faults.parsed(asked)
    except ValueError as error:
        raise _wrong(str(error)) from error
    request.app[PLACE].world.faults.add(host, fault)
    return web.json_response({"host": host, **fault.as_json()}, status=201)


@routes.delete("/control/faults")
async def clear_faults(request: web.Request) -> web.Response:
    request.app[PLACE].world.faults.clear()
    return web.Response(status=204)


@routes.post("/control/revoke")
async def revoke(request: web.Request) -> web.Response:
    """{"host", "token"}: as if the account's owner had withdrawn the permission."""
    asked = await _asked(request)
    request.app[PLACE].world.revoke(_host(request, asked), str(asked.get("token")))
    return web.Response(status=204)


@routes.post("/control/moment")
async def moment(request: web.Request) -> web.Response:
    """{"at": RFC 3339}: the launch's T, from which the feed counts."""
    try:
        at = datetime.fromisoformat(str((await _asked(request)).get("at")))
    except ValueError as error:
        raise _wrong("at: a time with an offset, such as 2026-11-24T13:30:00+00:00") from error
    if at.tzinfo is None:
        raise _wrong("at: the offset is missing")
    request.app[PLACE].world.moment_ns = int(at.timestamp() * 1000) * 1_000_000
    return web.Response(status=204)


@routes.post("/control/clear")
async def clear(request: web.Request) -> web.Response:
    """Forgets arrivals, faults and used-up limits."""
    request.app[PLACE].world.clear()
    return web.Response(status=204)


@routes.get("/control/mail")
async def mail(request: web.Request) -> web.Response:
    """{"messages": [{"to", "subject", "text", "at", "code"}, ...]}, newest first; `to=` for one address only."""
    try:
        found = await mailbox.newest_first(request.app[PLACE].aws)
    except mailbox.Unreachable as error:
        raise web.HTTPBadGateway(text=json.dumps({"error": str(error)}), content_type="application/json") from error
    to = request.query.get("to")
    return web.json_response({"messages": [message.as_json() for message in found if to is None or to in message.to]})
