"""The desk's own server: plain HTTP on loopback, for the browser of whoever runs this and for the demonstration."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from aiohttp.typedefs import Handler

from infra.desk import control, pages
from infra.desk.places import PLACE, Place
from infra.stand_ins.server import LOOPBACK, PortBusy

_NAMES = ("127.0.0.1", "localhost")


@web.middleware
async def only_local(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Another site's page must not reach in here by a name that it points at loopback, nor by a form."""
    if request.host.partition(":")[0] not in _NAMES:
        raise web.HTTPForbidden(text="The local desk answers to 127.0.0.1 and localhost only.")
    if request.method not in ("GET", "HEAD") and request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType(text="Content-Type: application/json")
    answer = await handler(request)
    answer.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'"
    answer.headers["Cache-Control"] = "no-store"
    return answer


@asynccontextmanager
async def listening(place: Place, port: int) -> AsyncIterator[int]:
    """The desk answers while this is entered; gives the port. Raises `PortBusy`."""
    app = web.Application(middlewares=[only_local])
    app[PLACE] = place
    app.add_routes(pages.routes)
    app.add_routes(control.routes)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        try:
            server = await asyncio.get_running_loop().create_server(_protocols(runner), LOOPBACK, port)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            raise PortBusy(port, "the local desk") from error
        yield int(server.sockets[0].getsockname()[1])
        server.close()
    finally:
        await runner.cleanup()


def _protocols(runner: web.AppRunner) -> web.Server:
    if runner.server is None:
        raise RuntimeError("not set up")
    return runner.server
