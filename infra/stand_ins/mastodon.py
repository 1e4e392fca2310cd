"""Mastodon as its published contract describes it: statuses with Idempotency-Key, the account, the instance, revoking.
https://docs.joinmastodon.org/methods/statuses/ What this stand-in cannot do (media, polls, scheduling) it refuses."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from infra.stand_ins import mastodon_entities as entities
from infra.stand_ins import tokens
from infra.stand_ins.arrivals import Arrival
from infra.stand_ins.faults import Fault
from infra.stand_ins.limits import Standing
from infra.stand_ins.mastodon_entities import Status
from infra.stand_ins.mastodon_text import length
from infra.stand_ins.requests import ARRIVAL, FAULT, WORLD, DropConnection

MAX_CHARACTERS = 500
MAX_CHARACTERS_OF = {"town-24.test": 1000}
KEY_KEPT_S = 3600
VISIBILITIES = ("public", "unlisted", "private", "direct")
ALLOWED = 1
_UNSUPPORTED = ("scheduled_at", "media_ids", "media_ids[]", "poll", "in_reply_to_id")
_HANG_S = 900


@dataclass(slots=True)
class Posts:
    """What has been published, and under which key, kept an hour as the real servers do."""

    by_id: dict[tuple[str, str], Status] = field(default_factory=dict)
    by_key: dict[tuple[str, str, str], Status] = field(default_factory=dict)
    numbers: itertools.count[int] = field(default_factory=itertools.count)

    def of_key(self, host: str, account: str, key: str | None, *, now: float) -> Status | None:
        found = self.by_key.get((host, account, key)) if key else None
        return found if found and now - found.created < KEY_KEPT_S else None

    def add(self, status: Status, key: str | None) -> Status:
        self.by_id[status.host, status.id] = status
        if key:
            self.by_key[status.host, status.account, key] = status
        return status


POSTS = web.AppKey("posts", Posts)


def application() -> web.Application:
    app = web.Application()
    app[POSTS] = Posts()
    app.router.add_post("/api/v1/statuses", publish)
    app.router.add_get("/api/v1/statuses/{id}", show)
    app.router.add_get("/api/v1/accounts/verify_credentials", verify_credentials)
    app.router.add_get("/api/v2/instance", instance, allow_head=False)
    app.router.add_post("/oauth/revoke", revoke)
    return app


def account_of(request: web.Request) -> str | None:
    """Whose token came with the request, if it is a good one."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return None
    return request.config_dict[WORLD].tokens.account_of(request[ARRIVAL].host, token.strip())


def error(status: int, text: str, **more: str) -> web.Response:
    return web.json_response({"error": text, **more}, status=status)


def too_many() -> web.Response:
    return error(429, "Too many requests")


def headers(standing: Standing) -> dict[str, str]:
    return standing.headers()


async def publish(request: web.Request) -> web.StreamResponse:
    arrival, fault = request[ARRIVAL], request[FAULT]
    arrival.key = request.headers.get("Idempotency-Key")
    if arrival.account is None:
        return error(401, "The access token is invalid")
    refused = await _fault_before(fault)
    if refused is not None:
        return refused
    try:
        asked = await parameters(request)
    except ValueError:
        return error(400, "Error occurred while parsing request parameters")
    answer = _published(request.config_dict[POSTS], arrival, asked)
    if fault is not None and answer.status == 200:
        answer = await _fault_after(fault, answer)
    await asyncio.sleep(request.config_dict[WORLD].latency.posting_s())
    return answer


async def _fault_before(fault: Fault | None) -> web.Response | None:
    kind = fault.kind if fault else None
    if fault is None or kind not in ("throttle", "fail", "hang"):
        return None
    if kind == "throttle":
        return too_many()
    if kind == "hang":
        await asyncio.sleep(_HANG_S)
    return error(fault.status, _ERRORS.get(fault.status, "Remote data could not be fetched"))


_ERRORS = {403: "Your login is currently disabled", 500: "Something went wrong", 503: "Service Unavailable"}


async def _fault_after(fault: Fault, answer: web.Response) -> web.Response:
    if fault.kind == "fail_after":
        return error(fault.status, _ERRORS.get(fault.status, "Remote data could not be fetched"))
    if fault.kind == "hang_after":
        await asyncio.sleep(_HANG_S)
    if fault.kind == "drop_after":
        raise DropConnection
    if fault.kind == "slow":
        await asyncio.sleep(fault.seconds)
    return answer


async def parameters(request: web.Request) -> dict[str, str]:
    """The body's fields, from JSON or a form. Raises `ValueError`."""
    body = await request.read()
    if request.content_type == "application/json":
        found = json.loads(body)
        if not isinstance(found, dict):
            raise ValueError
        return {name: str(value) for name, value in found.items() if value is not None}
    if request.content_type == "multipart/form-data":
        return {name: str(value) for name, value in (await request.post()).items()}
    return dict(parse_qsl(body.decode(), keep_blank_values=True, encoding="utf-8", errors="strict"))


def _published(posts: Posts, arrival: Arrival, asked: Mapping[str, str]) -> web.Response:
    """Nothing here waits, so of two requests with one key the second finds what the first made."""
    now, text = time.time(), asked.get("status", "")
    account = arrival.account or ""
    arrival.said(text)
    found = posts.of_key(arrival.host, account, arrival.key, now=now)
    if found is None:
        wrong = _wrong(arrival.host, asked)
        if wrong:
            return error(422, f"Validation failed: {wrong}")
        made = Status(_number(posts, now), arrival.host, account, text, asked.get("visibility", "public"), asked.get("language"), now)
        found = posts.add(made, arrival.key)
    else:
        arrival.replayed = True
    arrival.post = found.id
    return web.json_response(found.as_json())


def _number(posts: Posts, now: float) -> str:
    """Ids that grow with time, as Mastodon's do."""
    return str((int(now * 1000) << 16) + next(posts.numbers) % 65536)


def _wrong(host: str, asked: Mapping[str, str]) -> str | None:
    text, most = asked.get("status", ""), max_characters(host)
    for name in _UNSUPPORTED:
        if name in asked:
            return f"{name} is not something this stand-in can do"
    if not text.strip():
        return "Text can't be blank"
    if length(text) > most:
        return f"Text character limit of {most} exceeded"
    if asked.get("visibility", "public") not in VISIBILITIES:
        return "Visibility is not included in the list"
    return None


def max_characters(host: str) -> int:
    return MAX_CHARACTERS_OF.get(host, MAX_CHARACTERS)


async def show(request: web.Request) -> web.Response:
    found = request.config_dict[POSTS].by_id.get((request[ARRIVAL].host, request.match_info["id"]))
    return web.json_response(found.as_json()) if found else error(404, "Record not found")


async def verify_credentials(request: web.Request) -> web.Response:
    arrival = request[ARRIVAL]
    await asyncio.sleep(request.config_dict[WORLD].latency.reading_s())
    if arrival.account is None:
        return error(401, "The access token is invalid")
    return web.json_response(entities.credential_account(arrival.host, arrival.account))


async def instance(request: web.Request) -> web.Response:
    host = request[ARRIVAL].host
    await asyncio.sleep(request.config_dict[WORLD].latency.reading_s())
    return web.json_response(entities.instance(host, max_characters(host)))


async def revoke(request: web.Request) -> web.Response:
    """Ends a token, asked by the application it was given to. A token that never was is no error (RFC 7009)."""
    host = request[ARRIVAL].host
    try:
        asked: dict[str, Any] = await parameters(request)
    except ValueError:
        return error(400, "Error occurred while parsing request parameters")
    owner = tokens.client(host)
    if (asked.get("client_id"), asked.get("client_secret")) != (owner.id, owner.secret):
        return error(403, "unauthorized_client", error_description="You are not authorized to revoke this token")
    request.config_dict[WORLD].tokens.revoke(host, asked.get("token", ""))
    return web.json_response({})
