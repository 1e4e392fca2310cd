"""HTTPS to the networks, for the API and the release worker alike: one resolver that refuses internal addresses each
time it resolves, connections that can be opened and warmed before the moment, requests that are bytes already."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from functools import cache

import h11

from .. import settings
from ..errors import Invalid, Unavailable
from .base import Request, Response

CONNECT_S = 10.0
ANSWER_S = 30.0
_READ = 65_536
_BODY_MAX = 1_048_576


class NotSent(ConnectionError):
    """The connection failed before anything of the request was written: nothing can have been posted."""


class Uncertain(ConnectionError):
    """The request may have reached the server, and no answer came."""


class NameUnknown(NotSent):
    """The name does not resolve."""


class Internal(NotSent):
    """The name leads to an address that is not on the public internet."""


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


async def resolve(host: str) -> tuple[str, int]:
    """The address and port to connect to. Raises `Internal` or `NameUnknown`.

    Names of stand-ins are the one exception, and exist on the local stage only."""
    stand_in = settings.current().stand_ins.get(host)
    if stand_in:
        return stand_in
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, 443, type=socket.SOCK_STREAM)
    except OSError as error:
        raise NameUnknown(f"{host} does not resolve") from error
    addresses = [str(entry[4][0]) for entry in found]
    if not addresses or not all(ipaddress.ip_address(address.partition("%")[0]).is_global for address in addresses):
        raise Internal(f"{host} is not on the public internet")
    return addresses[0], 443


class Connection:
    """One TLS connection that carries one prepared request (and, after an answer, another)."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._http, self._bytes = _encode(request)

    async def open(self, timeout_s: float = CONNECT_S) -> None:
        """Connects and completes the TLS handshake, with fresh protocol state. Raises `NotSent`."""
        self.close()
        host = self._request.host
        try:
            async with asyncio.timeout(timeout_s):
                address, port = await resolve(host)
                self._reader, self._writer = await asyncio.open_connection(address, port, ssl=_tls(), server_hostname=host)
        except NotSent:
            raise
        except (OSError, TimeoutError) as error:
            raise NotSent(f"{host}: {error or 'no answer'}") from error
        self._http, self._bytes = _encode(self._request)

    @property
    def is_open(self) -> bool:
        """False once the other side has closed, as idle connections are."""
        return bool(self._writer and self._reader and not self._writer.is_closing() and not self._reader.at_eof())

    def send(self) -> None:
        """Writes the prepared bytes at once. Raises `NotSent` on a connection that is known to be closed."""
        if not self.is_open or self._writer is None:
            raise NotSent(f"{self._request.host}: closed before the moment")
        self._writer.write(self._bytes)

    async def answer(self, timeout_s: float | None = None) -> Response:
        """The whole answer. Raises `Uncertain`."""
        try:
            async with asyncio.timeout(timeout_s or ANSWER_S):
                return await self._receive()
        except (OSError, TimeoutError, h11.RemoteProtocolError) as error:
            raise Uncertain(f"{self._request.host}: {type(error).__name__}") from error

    async def _receive(self) -> Response:
        assert self._reader is not None
        head: h11.Response | None = None
        body = bytearray()
        while True:
            event = self._http.next_event()
            if event is h11.NEED_DATA:
                self._http.receive_data(await self._reader.read(_READ))
            elif isinstance(event, h11.Response):
                head = event
            elif isinstance(event, h11.Data):
                body += event.data
                if len(body) > _BODY_MAX:
                    raise Uncertain(f"{self._request.host}: answer over {_BODY_MAX} bytes")
            elif head is not None and isinstance(event, h11.EndOfMessage):
                return Response(head.status_code, {name.decode(): value.decode("latin-1") for name, value in head.headers}, bytes(body))
            elif isinstance(event, h11.ConnectionClosed):
                raise ConnectionResetError

    def close(self) -> None:
        if self._writer is not None:
            self._writer.transport.abort()
        self._reader = self._writer = None


def _encode(request: Request) -> tuple[h11.Connection, bytes]:
    http = h11.Connection(h11.CLIENT)
    headers = [("Host", request.host), ("User-Agent", "Groundswell"), *request.headers]
    if request.body or request.method != "GET":
        headers.append(("Content-Length", str(len(request.body))))
    head = http.send(h11.Request(method=request.method, target=request.target, headers=headers)) or b""
    body = http.send(h11.Data(data=request.body)) if request.body else b""
    return http, head + (body or b"") + (http.send(h11.EndOfMessage()) or b"")


async def exchange(request: Request, timeout_s: float | None = None) -> Response:
    """One request on a connection of its own. Raises `NotSent` or `Uncertain`."""
    connection = Connection(request)
    await connection.open()
    try:
        connection.send()
        return await connection.answer(timeout_s)
    finally:
        connection.close()


def fetch(request: Request, timeout_s: float = 8.0) -> Response:
    """For the API: one harmless request, waited for. Raises `Invalid` (server) or `Unavailable`, in a person's words."""
    try:
        return asyncio.run(exchange(request, timeout_s))
    except Internal as error:
        raise Invalid.field("server", f"{request.host} is not a public server") from error
    except NameUnknown as error:
        raise Invalid.field("server", f"{request.host} cannot be found; please check the name, or try again in a minute") from error
    except (NotSent, Uncertain) as error:
        raise Unavailable(f"{request.host} did not answer; please try again in a minute.", code="server_unavailable") from error
