"""A worker that dies at the worst time: killed by its process id while it holds a chunk and waits for the moment."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from infra.demo import leases, workers
from infra.demo.progress import Progress

BEFORE_S = 30.0
_GIVE_UP_BEFORE_S = 16.0
_FUNCTION = "groundswell-local-release"


class NotKilled(Exception):
    """No worker could be killed during its hold."""


def one_worker(dynamodb: Any, launch: str, chunks: Sequence[str], *, at: float, folder: Path, progress: Progress) -> str:
    """Kills the worker that holds one of the chunks, 30 s before the moment; gives that chunk. Raises `NotKilled`."""
    progress.wait_until(at - BEFORE_S, "a worker will be killed")
    while time.time() < at - _GIVE_UP_BEFORE_S:
        held = leases.of(dynamodb, launch, chunks)
        found = {worker.log_stream: worker for worker in workers.running(_FUNCTION, folder=folder)}
        for chunk in sorted(held, key=lambda chunk: chunk != chunks[len(chunks) // 2]):
            victim = found.get(held[chunk].worker)
            if victim and not held[chunk].sealed:
                workers.kill(victim)
                progress.say(f"killed the worker of chunk {chunk} (process {victim.pid}) {at - time.time():.1f} s before the moment")
                return chunk
        time.sleep(0.3)
    raise NotKilled(f"no worker held any of {', '.join(chunks)} between {BEFORE_S:.0f} and {_GIVE_UP_BEFORE_S:.0f} s before the moment")
