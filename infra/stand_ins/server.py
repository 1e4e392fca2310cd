"""Puts the stand-in networks on their ports: in this process's loop, or in a thread of its own for tests."""

from __future__ import annotations

import asyncio
import errno
import threading
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from infra.stand_ins import bluesky, certificates, hosts, mastodon
from infra.stand_ins.arrivals import Arrival
from infra.stand_ins.certificates import Certificates
from infra.stand_ins.hosts import Host, setting
from infra.stand_ins.requests import WORLD, Network, through
from infra.stand_ins.world import Latency, World

LOOPBACK = "127.0.0.1"
_BACKLOG = 4096


NETWORKS: Mapping[str, Network] = {"mastodon": mastodon, "bluesky": bluesky}


class PortBusy(OSError):  # as in chalicelib.errors
    """Something else listens on `port`, which `what` needs."""

    def __init__(self, port: int, what: str) -> None:
        super().__init__(
            f"Port {port} ({what}) is already in use. Perhaps another run of Groundswell is still up: end it with Ctrl-C where it runs, "
            f"or see what holds the port with: ss -ltnp 'sport = :{port}'"
        )
        self.port = port


@asynccontextmanager
async def listening(world: World, trust: Certificates) -> AsyncIterator[None]:
    """All hosts of `world` answer while this is entered; free ports are filled in. Raises `PortBusy`."""
    context, servers = trust.server_context(), list[asyncio.Server]()
    runners = {network: await _runner(network, world) for network in {host.network for host in world.hosts}}
    try:
        for place, host in enumerate(world.hosts):
            inner = runners[host.network].server
            if inner is None:
                raise RuntimeError(host.network)
            try:
                server = await asyncio.get_running_loop().create_server(
                    world.connections.wrap(inner), LOOPBACK, host.port, ssl=context, backlog=_BACKLOG
                )
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
                raise PortBusy(host.port, f"the stand-in host {host.name}") from error
            servers.append(server)
            world.hosts[place] = host.at(server.sockets[0].getsockname()[1])
        yield
    finally:
        for server in servers:
            server.close()
        for runner in runners.values():
            await runner.cleanup()


async def _runner(network: str, world: World) -> web.AppRunner:
    spoken = NETWORKS[network]
    app = spoken.application()
    app[WORLD] = world
    app.middlewares.append(through(network, spoken))
    # Idle connections are closed by `Connections`, which also sees those that never sent a request.
    runner = web.AppRunner(app, access_log=None, keepalive_timeout=world.idle_s * 2, shutdown_timeout=0.1)
    await runner.setup()
    return runner


@dataclass(frozen=True, slots=True)
class StandIns:
    """Running stand-ins, as a test sees them. `world` may be read and told faults from the test's own thread."""

    world: World
    trust: Certificates

    @property
    def hosts(self) -> Sequence[Host]:
        return self.world.hosts

    @property
    def ports(self) -> dict[str, int]:
        return {host.name: host.port for host in self.world.hosts}

    @property
    def setting(self) -> str:
        """The value of the functions' `STAND_INS`."""
        return setting(self.world.hosts)

    @property
    def ca(self) -> Path:
        return self.trust.ca

    @property
    def arrivals(self) -> list[Arrival]:
        return self.world.ledger.arrivals

    @property
    def posts(self) -> list[Arrival]:
        """The arrivals that asked for something to be published."""
        return list(self.world.ledger.posts())

    def token(self, host: str, name: str, number: int = 1) -> str:
        """The access token, on Bluesky the app password, of an account."""
        return self.world.permission(host, name, number)

    def start_afresh(self) -> None:
        """Nothing has arrived, nothing is wrong, and permissions that were taken away work again."""
        self.world.clear()
        self.world.tokens.revoked.clear()
        self.world.directory.revoked.clear()


@dataclass(slots=True)
class _Running:
    """Stand-ins in a thread of their own. `failure`: why they are not running."""

    world: World
    trust: Certificates
    ready: threading.Event = field(default_factory=threading.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    loop: asyncio.AbstractEventLoop | None = None
    failure: OSError | None = None

    async def run(self) -> None:
        self.loop = asyncio.get_running_loop()
        try:
            async with listening(self.world, self.trust):
                self.ready.set()
                await self.ended.wait()
        except OSError as error:
            self.failure = error
            self.ready.set()

    def end(self) -> None:
        if self.loop is not None:
            with suppress(RuntimeError):
                self.loop.call_soon_threadsafe(self.ended.set)


@contextmanager
def serve(
    folder: Path, *, count: int = 3, pdses: int = 2, first_port: int = 0, posting_ms: float = 2.0, idle_s: float = 60.0, seed: int = 1
) -> Iterator[StandIns]:
    """`count` Mastodon towns and `pdses` Bluesky servers on free ports (or from `first_port`), in a thread of their own, until
    the block ends."""
    every = hosts.towns(count, first_port=first_port) + hosts.bluesky(pdses, first_port=first_port)
    trust = certificates.made(folder, [host.name for host in every])
    running = _Running(World(every, Latency(posting_ms, seed), idle_s), trust)
    thread = threading.Thread(target=lambda: asyncio.run(running.run()), name="stand-ins", daemon=True)
    thread.start()
    running.ready.wait(10)
    try:
        if running.failure:
            raise running.failure
        yield StandIns(running.world, trust)
    finally:
        running.end()
        thread.join(10)
