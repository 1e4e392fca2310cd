"""What the demonstration tells while it works, and where the time went. Lines only, so that it reads the same in a log."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

_EVERY_S = 5.0
_WIDTH = 24


@dataclass(slots=True)
class Progress:
    """`spent`: seconds by step, in the order they were taken."""

    begun: float = field(default_factory=time.monotonic)
    spent: dict[str, float] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def say(self, text: str) -> None:
        with self.lock:
            print(f"[{time.monotonic() - self.begun:6.1f} s] {text}", flush=True)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        self.say(f"{name} ...")
        begun = time.monotonic()
        try:
            yield
        finally:
            self.spent[name] = self.spent.get(name, 0.0) + time.monotonic() - begun

    def counting(self, what: str, total: int) -> Counting:
        return Counting(self, what, total)

    def wait_until(self, moment: float, what: str) -> None:
        """Sleeps until the epoch second, saying now and then how long it still takes."""
        while (left := moment - time.time()) > 0:
            if left > _EVERY_S:
                self.say(f"{what} in {left:.0f} s")
            time.sleep(min(left, 3 * _EVERY_S))


@dataclass(slots=True)
class Counting:
    """A bar for work of known size, printed every few seconds."""

    progress: Progress
    what: str
    total: int
    done: int = 0
    said: float = field(default_factory=time.monotonic)

    def one_more(self) -> None:
        self.more(1)

    def more(self, count: int) -> None:
        with self.progress.lock:
            self.done += count
            now = time.monotonic()
            due = now - self.said >= _EVERY_S or self.done == self.total
            self.said = now if due else self.said
        if due:
            filled = _WIDTH * self.done // self.total
            self.progress.say(f"  [{'#' * filled}{'.' * (_WIDTH - filled)}] {self.done} of {self.total} {self.what}")


def complain(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
