"""Function workers of the embedded AWS, which are processes of this machine: found by their environment in /proc."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Worker:
    """`log_stream` names the process in what it writes to the tables."""

    pid: int
    function: str
    log_stream: str


def running(function: str, *, folder: Path) -> list[Worker]:
    """The processes of this function whose files lie in `folder`, so that another run's are never met."""
    found = []
    for place in Path("/proc").iterdir():
        worker = _worker(place) if place.name.isdigit() else None
        if worker and worker.function == function and _lies_in(place, folder):
            found.append(worker)
    return found


def _worker(place: Path) -> Worker | None:
    try:
        entries = place.joinpath("environ").read_bytes().split(b"\0")
    except OSError:  # gone, or somebody else's
        return None
    environment = dict(entry.decode(errors="replace").split("=", 1) for entry in entries if b"=" in entry)
    function = environment.get("AWS_LAMBDA_FUNCTION_NAME")
    return Worker(int(place.name), function, environment.get("AWS_LAMBDA_LOG_STREAM_NAME", "")) if function else None


def _lies_in(place: Path, folder: Path) -> bool:
    try:
        return Path(os.readlink(place / "cwd")).is_relative_to(folder.resolve())
    except OSError:
        return False


def kill(worker: Worker) -> None:
    """At once, without a chance to tidy up, as a machine that fails."""
    os.kill(worker.pid, signal.SIGKILL)
