"""A dress rehearsal of one chunk: everything that its release will do, at a moment of its own, up to writing nothing. The lease
is under a key of the rehearsal's, so that the chunk's own state is never touched; nothing is sealed."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Sequence
from typing import Any

from . import chunks, launches, networks, ntp, pledges, rehearsals, settings, slots
from .chunks import State
from .clock import Clock
from .launches import Launch
from .leases import Lease, Superseded
from .messages import Message
from .outcomes import Outcome, Sending
from .rehearsals import Rehearsal, Result
from .volleys import SEAL_BEFORE_S, WARM_BEFORE_S, Volley

log = logging.getLogger(__name__)


def run(launch: Launch, message: Message, time: Clock) -> None:
    """Rehearses one chunk, and writes what it measured once. Safe to repeat."""
    rehearsal = rehearsals.of_message(message)
    if rehearsal is None or time.now() > rehearsal.planned_at(message.lane):
        return
    result = rehearsals.claim(message, now=time.now())
    state = chunks.lease(f"{rehearsals.key(message.rehearsal)}#{message.lane}#{message.chunk}", 0, now=time.now()) if result else None
    if result and state:
        asyncio.run(Dress(launch, message, rehearsal, (result, state), time).rehearse())


class Dry(Volley):
    """A volley up to writing nothing: every connection is opened, looked at and waited with; at the moment each post's own
    lateness is noted instead. `open_then`: connections that stood open at their moment."""

    open_then = 0

    async def _send(self, sendings: Sequence[Sending], *, spin_until: float = 0.0) -> None:
        gc.disable()
        try:
            self.clock.spin(spin_until)
            for sending in sendings:
                sending.outcome.sent_ms = round((self.clock.now() - sending.planned) * 1000, 3)
                self.open_then += sending.is_open
        finally:
            gc.enable()
        for sending in sendings:
            sending.close()
            sending.again_at = None


class Dress:
    """One worker's rehearsal of one chunk. What it holds is the rehearsal's own."""

    def __init__(self, launch: Launch, message: Message, rehearsal: Rehearsal, held: tuple[Result, State], time: Clock) -> None:
        self.launch, self.message, self.clock = launch, message, time
        self.result, state = held
        self.at = rehearsal.planned_at(message.lane)
        self.woke_s = self.at - time.now()
        self.volley = Dry(networks.get(slots.network_of(message.lane)), self.at, time, Lease(state, time).keep)

    async def rehearse(self) -> None:
        asked = asyncio.create_task(asyncio.to_thread(ntp.measure, settings.current().ntp_server))
        try:
            await asyncio.to_thread(self._read)
            await self.volley.permit(self.at - WARM_BEFORE_S)
            await self.volley.warm()
            if await self._may_go_on():
                await self.volley.fire()
                await asyncio.to_thread(self._finish, await asked)
        except Superseded:
            log.warning("another worker rehearses %s", self.message.key)
        finally:
            self.volley.close()
            await asked

    def _read(self) -> None:
        for pledge, permission in pledges.permitted(self.launch, self.message.key):
            sending = Sending(pledge, self.at + int(pledge.offset_s), permission)
            if not permission:
                sending.outcome, sending.again_at = Outcome("reconnect"), None
            self.volley.sendings.append(sending)

    async def _may_go_on(self) -> bool:
        """Where a seal would be written: nothing is, and a launch that has been frozen meanwhile is left alone."""
        await self.volley.hold(self.at - SEAL_BEFORE_S)
        launch = await asyncio.to_thread(launches.get, self.launch.id)
        return launch is not None and launch.state == "open" and await asyncio.to_thread(rehearsals.of_message, self.message) is not None

    def _finish(self, error: ntp.Offset | None) -> None:
        sendings = self.volley.sendings
        late = [sending.outcome.sent_ms for sending in sendings if sending.outcome.sent_ms is not None]
        found: dict[str, Any] = {"posts": len(sendings), "open": self.volley.open_then, "late_ms": late, "woke_s": [round(self.woke_s, 1)]}
        found["reconnect"] = sum(1 for sending in sendings if sending.outcome.outcome == "reconnect")
        if error is not None:
            found |= {"offset_ms": [error.offset_ms], "error_ms": [error.error_ms]}
        rehearsals.finish(self.result, found, now=self.clock.now())
