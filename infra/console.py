"""What the commands say to the person at the terminal, and how they give up: one line that says what to do."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Problem(RuntimeError):
    """Something that the person at the terminal can put right; the message says how."""


def say(text: str) -> None:
    print(text, flush=True)


def warn(text: str) -> None:
    print(f"warning: {text}", file=sys.stderr, flush=True)


@contextmanager
def step(what: str) -> Iterator[None]:
    """Says what is being done, and how long it took."""
    print(f"  {what} ...", end="", flush=True)
    began = time.monotonic()
    try:
        yield
    except BaseException:
        print(" failed", flush=True)
        raise
    print(f" {time.monotonic() - began:.1f} s", flush=True)


def bar(what: str, done: int, total: int, *, last: bool = False) -> None:
    """How far something is: on a terminal one line that changes, elsewhere a line only at the end."""
    if last or sys.stdout.isatty():
        filled = 30 * done // total if total else 0
        line = f"  {what} [{'#' * filled}{'.' * (30 - filled)}] {done} of {total}"
        print(f"\r{line}" if sys.stdout.isatty() else line, end="\n" if last or not sys.stdout.isatty() else "", flush=True)
