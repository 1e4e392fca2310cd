"""Brings the system up for the demonstration, by the same code as `make run`, on data of its own that starts empty; and
takes all of it down again, whatever happened."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

import boto3

from infra import deploy, finish, organisers, recount, stack
from infra.console import Problem
from infra.demo.organisers import EMAILS
from infra.demo.site import Site
from infra.embedded import server
from infra.embedded.server import Folder
from infra.stand_ins.__main__ import DESK_PORT

BUILD = Path("build").absolute()
_READY_S = 20.0


@dataclass(slots=True)
class System:
    """A system that is up. `site` is where the API's paths begin; `dynamodb` a boto3 client; `folder` holds its data."""

    site: Site
    desk: Site
    dynamodb: Any
    folder: Path
    aws: Aws

    def appoint(self, slug: str) -> None:
        """Makes both organisers organisers of this campaign, as an operator does."""
        for email in EMAILS:
            organisers.add(email, slug, now=datetime.now(UTC))


@dataclass(slots=True)
class Aws:
    """The embedded AWS, which can be stopped as an operator would, and started again on what it kept."""

    folder: Folder
    process: subprocess.Popen[bytes]

    def stop(self) -> None:
        """SIGTERM to it alone: its function workers outlive it."""
        server.terminate(self.process)

    def start(self) -> None:
        """On what it kept, and with a full recount: what streams had not handed on is lost to them."""
        self.process = server.start(self.folder, BUILD)
        recount.run("local")


@contextmanager
def up(folder: Path, *, keep: bool = False) -> Iterator[System]:
    """Everything, on an empty `folder` or, to `keep`, on what was there. No process is left behind, also after a failure,
    Ctrl-C or SIGTERM. Raises `Problem`."""
    before = signal.signal(signal.SIGTERM, _as_interrupt)
    if not keep:
        shutil.rmtree(folder / "state", ignore_errors=True)
        shutil.rmtree(folder / "s3", ignore_errors=True)
        (folder / "deployed-from").unlink(missing_ok=True)
    networks = None
    aws: Aws | None = None
    try:
        networks = _stand_ins(folder)
        aws = Aws(Folder(folder), server.start(Folder(folder), BUILD))
        yield _deployed(folder, aws)
    finally:
        # Asked once more while tidying up, it would leave processes behind.
        again = signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if aws is not None:
            server.stop(aws.process, aws.folder)
        else:
            server.stop_left_over(Folder(folder))  # it may have been cut off while it started
        if networks is not None:
            networks.terminate()
            networks.wait()
        signal.signal(signal.SIGTERM, before)
        signal.signal(signal.SIGINT, again)


def _as_interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _stand_ins(folder: Path) -> subprocess.Popen[bytes]:
    """The stand-in networks and the desk, once they answer. They end with this process, should it be killed."""
    server.require_free(DESK_PORT, "the local desk")
    address = f"http://127.0.0.1:{server.PORT}"
    command = [sys.executable, "-m", "infra.stand_ins", "--dir", str(folder / "stand-ins"), "--aws", address, "--with-parent"]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True)
    try:
        _wait_for(process)
    except BaseException:
        process.kill()
        process.wait()
        raise
    return process


def _wait_for(networks: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _READY_S
    while not _answers(f"http://127.0.0.1:{DESK_PORT}/control/health"):
        if networks.poll() is not None or time.monotonic() > deadline:
            raise Problem("The stand-in networks did not start; the reason is above.")
        time.sleep(0.1)


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=2) as answer:  # noqa: S310  # loopback
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _deployed(folder: Path, aws: Aws) -> System:
    deploy.run("local", folder=folder)
    for email in EMAILS:
        organisers.add(email, None, now=datetime.now(UTC))
    name = stack.stage_config("local")["api_gateway_stage"]
    site = Site(f"http://127.0.0.1:{server.PORT}/_aws/execute-api/{finish.api_id('local')}/{name}")
    return System(site, Site(f"http://127.0.0.1:{DESK_PORT}"), boto3.client("dynamodb"), folder, aws)
