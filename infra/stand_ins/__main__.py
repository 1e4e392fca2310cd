"""`python -m infra.stand_ins`: the stand-in networks and the local desk, in one process, until it is told to end."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from pathlib import Path

from infra.desk import server as desk
from infra.desk.places import Place
from infra.stand_ins import certificates, server
from infra.stand_ins.connections import IDLE_S
from infra.stand_ins.hosts import FIRST_PORT, PDSES, TOWNS, bluesky, towns
from infra.stand_ins.server import PortBusy
from infra.stand_ins.world import POSTING_MS, Latency, World

DESK_PORT = 4580
_PARENT_LOOKED_FOR_S = 1.0


def main() -> int:
    options = _options().parse_args()
    try:
        asyncio.run(_run(options))
    except PortBusy as busy:
        print(busy, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        pass
    return 0


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m infra.stand_ins", description=__doc__)
    parser.add_argument("--dir", type=Path, required=True, help="where the certificates are kept")
    parser.add_argument("--aws", default="http://127.0.0.1:4577", help="the embedded AWS, whose e-mails the desk shows")
    parser.add_argument("--desk-port", type=int, default=DESK_PORT)
    parser.add_argument("--first-port", type=int, default=FIRST_PORT, help="of the stand-in hosts, which take one each")
    parser.add_argument("--towns", type=int, default=TOWNS, help="how many Mastodon servers")
    parser.add_argument("--pdses", type=int, default=PDSES, help="how many Bluesky servers")
    parser.add_argument("--posting-ms", type=float, default=POSTING_MS, help="median time that a post takes, in milliseconds")
    parser.add_argument("--idle-s", type=float, default=IDLE_S, help="seconds after which a silent connection is closed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--with-parent", action="store_true", help="end when the process that started this ends")
    return parser


async def _run(options: argparse.Namespace) -> None:
    hosts = towns(options.towns, first_port=options.first_port) + bluesky(options.pdses, first_port=options.first_port)
    trust = certificates.made(options.dir, [host.name for host in hosts])
    world = World(hosts, Latency(options.posting_ms, options.seed), options.idle_s)
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    async with server.listening(world, trust), desk.listening(Place(world, trust, options.aws.rstrip("/")), options.desk_port) as port:
        print(f"Stand-in networks on ports {hosts[0].port} to {hosts[-1].port}; desk: http://{server.LOOPBACK}:{port}/", flush=True)
        if options.with_parent:
            await _parent_ended(ended)
        else:
            await ended.wait()


async def _parent_ended(ended: asyncio.Event) -> None:
    parent = os.getppid()
    while os.getppid() == parent and not ended.is_set():
        try:
            await asyncio.wait_for(ended.wait(), _PARENT_LOOKED_FOR_S)
        except TimeoutError:
            continue


if __name__ == "__main__":
    sys.exit(main())
