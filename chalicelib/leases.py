"""A worker's hold on a chunk, kept while it works."""

from __future__ import annotations

import asyncio

from . import chunks
from .chunks import State
from .clock import Clock
from .settings import RENEW_S


class Superseded(RuntimeError):
    """Another worker holds the chunk now: this one must not go on."""


class Lease:
    """`state` as it was leased, a moment ago."""

    def __init__(self, state: State, time: Clock) -> None:
        self.state, self._clock = state, time
        self._renewed = time.now()

    async def keep(self) -> None:
        """Renews it where that is due. Raises `Superseded`."""
        now = self._clock.now()
        if now - self._renewed < RENEW_S:
            return
        self._renewed = now
        if not await asyncio.to_thread(chunks.renew, self.state, now=now):
            raise Superseded(str(self.state.pk))
