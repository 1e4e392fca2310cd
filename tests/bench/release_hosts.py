"""The stand-in hosts of `make bench-release`, in a process of their own: a Mastodon server for each few posts, so that no cap
of a host binds, each answering after a time that is log-normal with a median of 250 ms."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import Any

from infra.stand_ins import certificates, server
from infra.stand_ins.arrivals import Arrival
from infra.stand_ins.connections import IDLE_S
from infra.stand_ins.hosts import Host, setting
from infra.stand_ins.world import POSTING_MS, Latency, World

HOSTS = 250
DOMAIN = "bench.test"
PARSE_AFTER_S = 0.05  # answers are that much later than the latency says
# setting -> seconds after which a silent connection is closed, seconds before T at which all are
SETTINGS: dict[str, tuple[float, float | None]] = {"steady": (IDLE_S, None), "idle5": (5.0, None), "close3": (IDLE_S, 3.0)}


@dataclass(frozen=True, slots=True)
class Hosts:
    """The running hosts, as the bench sees them. `stand_ins` and `ca` are what points a worker at them."""

    stand_ins: str
    ca: str
    close_before_s: float | None
    _pipe: Pipe

    def expect(self, at: float) -> None:
        """Tells the moment T, in epoch seconds."""
        if self.close_before_s is not None:
            self._pipe.send(("close", at - self.close_before_s))

    def arrivals(self) -> tuple[list[Arrival], float]:
        """The posts that have arrived since the last time, and the seconds that the process has had a processor so far."""
        self._pipe.send(("arrivals", 0.0))
        found: tuple[list[Arrival], float] = self._pipe.recv()
        return found


@contextmanager
def running(context: BaseContext, folder: Path, name: str, *, seed: int) -> Iterator[Hosts]:
    """`name`: one of `SETTINGS`."""
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(theirs, folder, SETTINGS[name][0], seed), daemon=True)  # type: ignore[attr-defined]
    process.start()
    try:
        stand_ins, ca = ours.recv()
        yield Hosts(stand_ins, ca, SETTINGS[name][1], ours)
    finally:
        with suppress(OSError):
            ours.send(("end", 0.0))
        process.join(10)


def serve(pipe: Pipe, folder: Path, idle_s: float, seed: int) -> None:
    """The process: serves until it is told to end. What it measures with must not pause, so nothing is collected."""
    gc.disable()
    asyncio.run(_serve(pipe, folder, idle_s, seed))


async def _serve(pipe: Pipe, folder: Path, idle_s: float, seed: int) -> None:
    trust = certificates.made(folder, [f"*.{DOMAIN}"])  # one name, as real certificates have few: hundreds would slow each handshake
    hosts = [Host("mastodon", f"host-{number:03}.{DOMAIN}", 0) for number in range(HOSTS)]
    world = World(hosts, Latency(POSTING_MS, seed), idle_s)
    world.connections.parse_after_s = PARSE_AFTER_S
    loop = asyncio.get_running_loop()
    async with server.listening(world, trust):
        pipe.send((setting(world.hosts), str(trust.ca)))
        while (asked := await loop.run_in_executor(None, pipe.recv))[0] != "end":
            _answer(pipe, world, loop, asked)


def _answer(pipe: Pipe, world: World, loop: asyncio.AbstractEventLoop, asked: tuple[str, Any]) -> None:
    what, at = asked
    if what == "close":
        loop.call_later(at - time.time(), world.connections.close_all)
    else:
        pipe.send((list(world.ledger.posts()), time.process_time()))
        world.ledger.clear()
