"""What every request to a stand-in host goes through, whatever the network: stamped and written down, counted against
the limits, met by a fault if one was set."""

from __future__ import annotations

import time
from collections.abc import Callable

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

AccountOf = Callable[[web.Request], str | None]


class DropConnection(Exception):  # a deed, not an error
    """Raised by a handler that was told to end the connection without an answer."""


def through(network: str, *, account_of: AccountOf, too_many: Callable[[], web.Response]) -> Middleware:
    """The middleware of a network's application."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        world = request.config_dict[WORLD]
        connection = world.connections.of(request.protocol)
        arrival = request[ARRIVAL] = _arrived(network, request, connection, world)
        await request.read()
        arrival.account = account_of(request)
        standing = world.limits.take(arrival.host, arrival.account, request.remote or "", now=time.time())
        request[FAULT] = world.faults.take(arrival.host, arrival.account) if arrival.is_post else None
        try:
            answer = _refused(request, standing, too_many) or await handler(request)
        except DropConnection:
            connection.abort()
            raise
        except web.HTTPException as problem:
            answer = web.json_response({"error": problem.reason}, status=problem.status)
        return _answered(arrival, answer, connection, standing)

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


def _answered(arrival: Arrival, answer: web.StreamResponse, connection: Connection, standing: Standing) -> web.StreamResponse:
    arrival.status = answer.status
    body = answer.body if isinstance(answer, web.Response) else None
    if answer.status >= 400 and isinstance(body, bytes):
        arrival.error = body.decode(errors="replace")[:300]
    answer.headers.update(standing.headers())
    connection.answered()
    return answer
