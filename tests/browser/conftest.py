"""The real system, once for the session, and people at real browsers (`make browser`)."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.person import SHOTS, Person, Site

ROOT = Path(__file__).parents[2]
START_S, STOP_S = 600, 180
PATIENCE_MS = 60_000  # a function's first answer on a busy machine
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
NO_CHROMIUM = "Chromium is not on the PATH. Install it (on Debian and Ubuntu: apt-get install chromium), then run `make browser` again."
_RUN = "from pathlib import Path; from infra import run; run.FOLDER = Path('build/browser/system').absolute(); raise SystemExit(run.main())"


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    """`make run` on data of its own; or what runs already, where SITE, DESK and SLUG say where."""
    if "SITE" in os.environ:
        yield Site(os.environ["SITE"].rstrip("/"), os.environ["DESK"].rstrip("/"), os.environ["SLUG"])
        return
    shutil.rmtree(SHOTS, ignore_errors=True)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "STAGE", "LEAD_S", "MAIL_FROM"))}
    SHOTS.mkdir(parents=True)
    log = SHOTS / "system.log"
    with log.open("w") as said:
        process = subprocess.Popen([sys.executable, "-c", _RUN], cwd=ROOT, env=environment, stdout=said, stderr=subprocess.STDOUT)
    try:
        yield _up(process, log)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=STOP_S)


def _up(process: subprocess.Popen[bytes], log: Path) -> Site:
    """Once `make run` says where it answers. What it said is shown where it does not come up."""
    deadline = time.monotonic() + START_S
    while process.poll() is None and time.monotonic() < deadline:
        found = re.search(r"The site\s+(\S+)/c/(\S+)", log.read_text())
        if found:
            return Site(found[1], "http://127.0.0.1:4580", found[2])
        time.sleep(0.5)
    pytest.fail(f"make run has not come up:\n{log.read_text()}")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.fail(NO_CHROMIUM)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, headless=True, args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture
def somebody(site: Site, chromium: Browser) -> Iterator[Callable[[str], Person]]:
    """Makes a person at a browser of their own: `somebody("ann")`. At the end, nothing may be wrong with any page they saw."""
    people: list[Person] = []
    contexts = []

    def make(name: str) -> Person:
        contexts.append(chromium.new_context(locale="en-GB", timezone_id="Europe/London"))
        contexts[-1].set_default_timeout(PATIENCE_MS)
        people.append(Person(site, contexts[-1].new_page(), name))
        return people[-1]

    yield make
    for context in contexts:
        context.close()
    wrong = sorted({what for person in people for what in person.wrong})
    assert not wrong, "\n".join(wrong)
