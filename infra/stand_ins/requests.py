"""What every request to a stand-in host goes through, whatever the network: stamped and written down, counted against
the limits, met by a fault if one was set."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from infra.stand_ins.arrivals import Arrival
from infra.stand_ins.connections import Connection
from infra.stand_ins.faults import Fault
from infra.stand_ins.limits import Standing
from infra.stand_ins.world import World

WORLD = web.AppKey("world", World)
ARRIVAL = web.RequestKey("arrival", Arrival)
FAULT: web.RequestKey[Fault | None] = web.RequestKey("fault", Fault)


class DropConnection(Exception):  # a deed, not an error
    """Raised by a handler that was told to end the connection without an answer."""


class Network(Protocol):
    """What the module of a network offers. `ALLOWED`: how many times Mastodon's limit its hosts take."""

    ALLOWED: int

    def application(self) -> web.Application: ...
    def account_of(self, request: web.Request) -> str | None: ...
    def too_many(self) -> web.Response: ...
    def headers(self, standing: Standing) -> dict[str, str]: ...


def through(name: str, network: Network) -> Middleware:
    """The middleware of a network's application."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        world = request.config_dict[WORLD]
        connection = world.connections.of(request.protocol)
        arrival = request[ARRIVAL] = _arrived(name, request, connection, world)
        await request.read()
        arrival.account = network.account_of(request)
        standing = world.limits.take(arrival.host, arrival.account, request.remote or "", now=time.time(), factor=network.ALLOWED)
        deed = arrival.deed
        request[FAULT] = world.faults.take(arrival.host, arrival.account, deed) if deed else None
        try:
            answer = _refused(request, standing, network.too_many) or await handler(request)
        except DropConnection:
            connection.abort()
            raise
        except web.HTTPException as problem:
            answer = web.json_response({"error": problem.reason}, status=problem.status)
        return _answered(arrival, answer, connection, network.headers(standing))

    return middleware


def _arrived(network: str, request: web.Request, connection: Connection, world: World) -> Arrival:
    transport = request.transport
    port = transport.get_extra_info("sockname")[1] if transport is not None else 0
    host = world.host_at(port).name
    return world.ledger.add(Arrival(connection.taken(), network, host, connection.number, request.method, request.path))


def _refused(request: web.Request, standing: Standing, too_many: Callable[[], web.Response]) -> web.Response | None:
    host = request.host.partition(":")[0]
    if host != request[ARRIVAL].host:
        return web.json_response({"error": f"Blocked host: {host}"}, status=403)
    return too_many() if standing.exceeded else None


def _answered(arrival: Arrival, answer: web.StreamResponse, connection: Connection, limits: dict[str, str]) -> web.StreamResponse:
    arrival.status = answer.status
    body = answer.body if isinstance(answer, web.Response) else None
    if answer.status >= 400 and isinstance(body, bytes):
        arrival.error = body.decode(errors="replace")[:300]
    answer.headers.update(limits)
    connection.answered()
    return answer
