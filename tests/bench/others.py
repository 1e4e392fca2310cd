"""What else this machine is doing while something is measured: a figure that others' work has spoiled says nothing of ours."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from pathlib import Path

QUIET = 0.1  # of all processors
_STAT = Path("/proc/stat")


def _busy_s() -> float:
    """Seconds that the processors have been at work since the machine's start. https://man7.org/linux/man-pages/man5/proc_stat.5.html"""
    user, nice, system, _, _, irq, softirq, steal = (int(ticks) for ticks in _STAT.read_text().split("\n", 1)[0].split()[1:9])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


@dataclass
class Watch:
    """Begins when it is made."""

    busy_s: float = field(default_factory=_busy_s)
    begun: float = field(default_factory=time.monotonic)

    def share(self, ours_s: float) -> float:
        """Of all processors, what has been taken by others than `ours_s`, the seconds that we have had."""
        whole = (time.monotonic() - self.begun) * (os.cpu_count() or 1)
        return max(0.0, _busy_s() - self.busy_s - ours_s) / whole


def wait(every_s: float = 5.0) -> None:
    """Until the others have been quiet for that long."""
    while True:
        watch = Watch()
        time.sleep(every_s)
        if watch.share(0.0) < QUIET:
            return
