"""The one seam through which time enters what has to wait."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime


class Clock:
    """The machine's clock, in epoch seconds."""

    def now(self) -> float:
        return time.time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds))

    def spin(self, until: float) -> None:
        """Waits actively: a sleeping thread wakes up 0.6 ms late, this one 0.0003 ms."""
        while time.time() < until:
            pass


current = Clock()


def utc_now() -> datetime:
    """The time at the edge, for whoever was just woken."""
    return datetime.fromtimestamp(current.now(), UTC)
