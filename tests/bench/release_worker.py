"""One worker process of `make bench-release`, fresh for every run: the real release worker, or one of the ways that it is
compared with. These use the same client, the same pledges and the same requests, and are given for nothing what costs the real
worker time: reading, opening the key and building the requests are done before."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe

from moto import mock_aws

from tests.bench import plain, release_chunk
from tests.bench.release_chunk import NETWORK, Built, Chunk

# isort: split
from chalicelib import clock, grants, networks, pledges, release, settings
from chalicelib.networks.base import Network, Post
from chalicelib.networks.transport import Connection

HOLD_S = 15.0
Acked = list[float]


@dataclass(frozen=True, slots=True)
class Task:
    """`mode`: warm, cold, unheld or cron. `late_ms`: how late its timer wakes it; cron's is added to what is measured."""

    mode: str
    chunk: Chunk
    stand_ins: str
    ca: str
    late_ms: float = 0.0


def work(pipe: Pipe, task: Task) -> None:
    """The process: builds its chunk, says that it is ready, is told the moment, and answers with the milliseconds after it at
    which each post was acknowledged."""
    os.environ.update(STAND_INS=task.stand_ins, SSL_CERT_FILE=task.ca)
    settings.current.cache_clear()
    with mock_aws(), plain.values():
        built = release_chunk.build(task.chunk)
        pipe.send("ready")
        at = pipe.recv()
        built.move(at)
        begun = time.process_time()
        pipe.send((MODES[task.mode](built, float(at), task), time.process_time() - begun))


def _warm(built: Built, at: float, task: Task) -> Acked:
    """The real one: woken in time, it holds."""
    _wait(at - HOLD_S)
    release.handle(built.body)
    outcomes = built.outcomes()
    assert all(one["outcome"] == "posted" for one in outcomes), [one for one in outcomes if one["outcome"] != "posted"][:3]
    return [float(one["acked_ms"]) for one in outcomes]


def _cold(built: Built, at: float, task: Task) -> Acked:
    """Connects when it is time, all at once, and sends on each connection as soon as it stands."""
    connections = _ready(built)
    _wait(at + task.late_ms / 1000)
    return asyncio.run(_all_at_once(connections, at))


def _cron(built: Built, at: float, task: Task) -> Acked:
    """One job after another."""
    connections = _ready(built)
    _wait(at)
    return asyncio.run(_one_by_one(connections, at))


MODES: dict[str, Callable[[Built, float, Task], Acked]] = {"warm": _warm, "cold": _cold, "unheld": _cold, "cron": _cron}


def _ready(built: Built) -> list[Connection]:
    """Every request as bytes, and no connection open."""
    network, launch = networks.get(NETWORK), built.launch
    sealed, key = grants.of_chunk(built.message.key), grants.open_key(launch.campaign, launch.id)
    return [
        Connection(network.request(Post(one.server, one.text, one.key), grants.unseal(key, one.id, sealed[str(one.sk)])))
        for one in pledges.of_chunk(built.message.key)
    ]


async def _all_at_once(connections: list[Connection], at: float) -> Acked:
    network = networks.get(NETWORK)
    return await asyncio.gather(*(_post(network, connection, at) for connection in connections))


async def _one_by_one(connections: list[Connection], at: float) -> Acked:
    network = networks.get(NETWORK)
    return [await _post(network, connection, at) for connection in connections]


async def _post(network: Network, connection: Connection, at: float) -> float:
    await connection.open()
    try:
        connection.send()
        response = await connection.answer()
    finally:
        connection.close()
    now = time.time()
    assert network.classify(response, now=now).kind == "posted", response
    return (now - at) * 1000


def _wait(until: float) -> None:
    time.sleep(max(0.0, until - time.time() - 0.05))
    clock.current.spin(until)
