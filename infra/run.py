"""`make run`: the whole system on the embedded AWS, with a campaign whose launch can be watched, until Ctrl-C."""

from __future__ import annotations

import signal
import threading
from pathlib import Path

from infra import recount, sample, site
from infra.console import say, step
from infra.demo import system
from infra.embedded import server

FOLDER = Path("build/local").absolute()


def main() -> int:
    """Returns once it was stopped. Data stay for the next time; `make clean` removes them."""
    say("Groundswell is starting.")
    with system.up(FOLDER, keep=True) as running:
        with step("recounting what streams may have lost"):
            recount.run("local")
        with step("a sample campaign"):
            made = sample.make()
            running.desk.ask("POST", "/control/moment", {"at": made.at.isoformat()})
        say(_welcome(made))
        try:
            _wait(running)
        except KeyboardInterrupt:
            say("\nStopping.")
    return 0


def _welcome(made: sample.Sample) -> str:
    address, path_form = site.url("local"), f"http://127.0.0.1:{server.PORT}/_aws/execute-api"
    lines = (
        "",
        f"  The site                  {address}c/{made.slug}",
        f"  without *.localhost       {address.replace(address.split('/api/')[0], _path_form(path_form))}c/{made.slug}",
        "  Posts on the stand-ins    http://127.0.0.1:4580/",
        "  E-mails (sign-in codes)   http://127.0.0.1:4580/mail",
        "  Access tokens to lend     http://127.0.0.1:4580/tokens",
        f"  Organisers                {', '.join(sample.ORGANISERS)} (sign in with either)",
        f"  The sample launch         goes out at {made.at:%H:%M:%S} (London time); lend a post until {made.closes_at:%H:%M:%S}",
        "  Ctrl-C stops all of it; what was written stays until `make clean`.",
        "",
    )
    return "\n".join(lines)


def _path_form(base: str) -> str:
    host = site.url("local").removeprefix("http://").split(".")[0]
    return f"{base}/{host}"


def _wait(running: system.System) -> None:
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    while not ended.wait(1.0):
        if running.aws.process.poll() is not None:
            say(f"The embedded AWS has ended; {running.aws.folder.log} says why.")
            return
