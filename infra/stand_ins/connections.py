"""The connection under a stand-in host: stamps what arrives before it is parsed, numbers connections, and closes idle
ones as a real front server does. Wraps whatever protocol answers the requests, through asyncio's public interface."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable
from typing import cast

IDLE_S = 60.0


class Connection(asyncio.Protocol):
    """`taken()` gives the stamp of the request being handled; a connection carries one request at a time."""

    _numbers = itertools.count(1)

    def __init__(self, inner: asyncio.Protocol, open_ones: dict[asyncio.Protocol, Connection], idle_s: float, parse_after_s: float) -> None:
        self.number = next(self._numbers)
        self._inner, self._open_ones, self._idle_s, self._parse_after_s = inner, open_ones, idle_s, parse_after_s
        self._loop = asyncio.get_running_loop()
        self._arrived_ns = 0
        self._transport: asyncio.Transport | None = None
        self._idle: asyncio.TimerHandle | None = None

    def taken(self) -> int:
        """Unix nanoseconds at which this request's first bytes came. Called once a request, by its handler."""
        arrived, self._arrived_ns = self._arrived_ns, 0
        return arrived

    def answered(self) -> None:
        """The clock of the idle time-out starts again, and the next byte belongs to the next request."""
        self._arrived_ns = 0
        self._wait_for_more()

    def close(self) -> None:
        """Ends the connection as a server does that restarts."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Ends the connection without another byte."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._open_ones[self._inner] = self
        self._inner.connection_made(transport)
        self._wait_for_more()

    def data_received(self, data: bytes) -> None:
        # Parsing waits, for the next turn of the loop at least: when hundreds of requests arrive at once, all are stamped
        # before the first is parsed, and the stamps say when they came rather than how fast this server parses.
        self._arrived_ns = self._arrived_ns or time.time_ns()
        if self._idle is not None:
            self._idle.cancel()
        self._later(self._inner.data_received, data)

    def eof_received(self) -> None:
        self._later(self._inner.eof_received)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._idle is not None:
            self._idle.cancel()
        self._later(self._lost, exc)

    def _lost(self, exc: Exception | None) -> None:
        self._open_ones.pop(self._inner, None)
        self._inner.connection_lost(exc)

    def _later(self, act: Callable[..., object], *arguments: object) -> None:
        if self._parse_after_s:
            self._loop.call_later(self._parse_after_s, act, *arguments)
        else:
            self._loop.call_soon(act, *arguments)

    def pause_writing(self) -> None:
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._inner.resume_writing()

    def _wait_for_more(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
        if self._transport is not None and not self._transport.is_closing():
            self._idle = self._loop.call_later(self._idle_s, self._transport.close)


class Connections:
    """The open connections of all hosts, found by the protocol that answers on them. `parse_after_s`: for how long a request
    waits to be parsed, and its answer is late; a burst of which each stamp matters takes longer than one turn of the loop."""

    def __init__(self, idle_s: float = IDLE_S) -> None:
        self._idle_s = idle_s
        self.parse_after_s = 0.0
        self._open: dict[asyncio.Protocol, Connection] = {}

    def wrap(self, inner: Callable[[], asyncio.Protocol]) -> Callable[[], Connection]:
        return lambda: Connection(inner(), self._open, self._idle_s, self.parse_after_s)

    def of(self, inner: asyncio.Protocol) -> Connection:
        return self._open[inner]

    def close_all(self) -> None:
        for connection in list(self._open.values()):
            connection.close()

    def __len__(self) -> int:
        return len(self._open)
