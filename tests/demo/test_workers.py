"""Finding the one worker to kill, among processes that look like it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from infra.demo import workers

pytestmark = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="this system shows no processes under /proc")
Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started = []

    def started_in(folder: Path, **environment: str) -> subprocess.Popen[bytes]:
        folder.mkdir(exist_ok=True)
        process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(30)"], cwd=folder, env=environment)
        started.append(process)
        return process

    yield started_in
    for process in started:
        process.kill()
        process.wait()


def test_only_the_function_s_own_workers_in_this_folder_are_found_and_killed(start: Start, tmp_path: Path) -> None:
    ours = start(tmp_path / "a", AWS_LAMBDA_FUNCTION_NAME="release", AWS_LAMBDA_LOG_STREAM_NAME="stream-1")
    start(tmp_path / "a", AWS_LAMBDA_FUNCTION_NAME="api", AWS_LAMBDA_LOG_STREAM_NAME="stream-2")
    other = start(tmp_path / "b", AWS_LAMBDA_FUNCTION_NAME="release", AWS_LAMBDA_LOG_STREAM_NAME="stream-3")
    deadline = time.monotonic() + 5
    while len(found := workers.running("release", folder=tmp_path)) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)

    assert sorted(worker.log_stream for worker in found) == ["stream-1", "stream-3"]
    (victim,) = workers.running("release", folder=tmp_path / "a")
    workers.kill(victim)
    assert (victim.pid, ours.wait(5)) == (ours.pid, -9)
    assert other.poll() is None
