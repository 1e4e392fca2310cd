"""`make bench-cold`: how long a function takes from its process's start to its first answer, out of the package that
`chalice package` makes, median of nine fresh processes each. It fails beyond the bars.

The package is unpacked and made read-only, and Python neither writes bytecode nor finds any but what is in the package. The
API answers its first page (a campaign's home, nobody signed in), the worker drops a message of a launch that is not there:
DynamoDB's calls go over loopback to the embedded AWS and count, so do Python's own start and the page's template. What
cannot be had here does not count: Lambda's unpacking, its share of a processor, and TLS to AWS."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from infra.console import say, step
from infra.embedded import server
from tests.deploy import cold
from tests.deploy.conftest import package, project

BUILD = Path(__file__).parents[2] / "build"
PORT = 4578
RUNS = 9
BARS = {"api_ms": 900, "release_ms": 1200}


def main() -> int:
    """0 within the bars, 1 beyond them."""
    with tempfile.TemporaryDirectory() as temporary, _aws() as environment:
        with step("chalice package"):
            unpacked = _unpacked(Path(temporary))
        bare = Path(temporary) / "sources"
        shutil.copytree(unpacked, bare, ignore=shutil.ignore_patterns("__pycache__"))
        slug = _campaign(environment)
        events = {"api_ms": cold.page(f"/c/{slug}", slug), "release_ms": cold.message()}
        found = {name: _times(unpacked, name, event, environment) for name, event in events.items()}
        without = {name: _times(bare, name, event, environment) for name, event in events.items()}
    _tell(found, without)
    medians = {name: round(statistics.median(whole for whole, _ in times)) for name, times in found.items()}
    target = BUILD / "bench" / "cold.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(medians) + "\n")
    return int(any(medians[name] > bar for name, bar in BARS.items()))


Times = list[tuple[float, float]]


def _times(folder: Path, name: str, event: Mapping[str, Any], environment: Mapping[str, str]) -> Times:
    before = sorted(folder.rglob("*"))
    times = [_once(folder, cold.HANDLERS[name], event, environment) for _ in range(RUNS)]
    assert sorted(folder.rglob("*")) == before, "something was written into the package"
    return times


def _once(folder: Path, handler: str, event: Mapping[str, Any], environment: Mapping[str, str]) -> tuple[float, float]:
    """Milliseconds from before the process was started until it had answered, by the machine's clock; and those of them
    that it had a processor, which shows a busy machine."""
    begun = time.monotonic()
    answer = cold.start(folder, handler, event, environment)
    cold.check(handler, answer)
    return (answer["answered"] - begun) * 1000, answer["worked"] * 1000


def _unpacked(folder: Path) -> Path:
    target = folder / "task"
    with zipfile.ZipFile(package(project(folder / "project")) / "deployment.zip") as archive:
        archive.extractall(target)
    for path in target.rglob("*"):
        path.chmod(0o555 if path.is_dir() else 0o444)
    return target


@contextmanager
def _aws() -> Iterator[dict[str, str]]:
    """The embedded AWS on a port of its own, empty but for our tables and keys; what points a process at it."""
    folder = server.Folder(BUILD / "bench" / "aws")
    shutil.rmtree(folder.root, ignore_errors=True)
    from tests import conftest

    process = server.start(folder, BUILD, PORT)
    try:
        os.environ.update(server.client_environment(PORT))
        with step("tables"):
            conftest.build()
        yield {**server.client_environment(PORT), "STAGE": "local", "MAIL_FROM": "change@example.org"}
    finally:
        server.stop(process, folder)


def _campaign(environment: Mapping[str, str]) -> str:
    os.environ.update(environment)
    from infra import sample

    return sample.make().slug


def _tell(found: Mapping[str, Times], without: Mapping[str, Times]) -> None:
    say(f"\n{'from start to first answer, ms':34}{'median':>8}{'min':>8}{'max':>8}{'working':>8}{'bar':>8}")
    for title, times_of, barred in (("", found, True), (" (if sources only)", without, False)):
        for name, times in times_of.items():
            whole, worked = zip(*times, strict=True)
            numbers = [statistics.median(whole), min(whole), max(whole), statistics.median(worked), *([BARS[name]] if barred else [])]
            words = f"{ {'api_ms': 'API', 'release_ms': 'worker'}[name] }{title}"
            say(f"{words:34}{''.join(f'{number:>8.0f}' for number in numbers)}")


if __name__ == "__main__":
    sys.exit(main())
