"""A dress rehearsal of one chunk: everything that its release will do, at a moment of its own, up to writing nothing. The lease
is under a key of the rehearsal's, so that the chunk's own state is never touched; nothing is sealed."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Sequence
from typing import Any

from . import chunks, grants, launches, networks, ntp, pledges, rehearsals, settings
from .chunks import State
from .clock import Clock
from .launches import Launch
from .messages import Message
from .outcomes import Outcome, Sending
from .rehearsals import Rehearsal, Result
from .settings import RENEW_S
from .volleys import SEAL_BEFORE_S, WARM_BEFORE_S, Volley

log = logging.getLogger(__name__)


class Superseded(RuntimeError):
    """Another worker rehearses the chunk now."""


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
    """One worker's rehearsal of one chunk. `state` is the rehearsal's own."""

    def __init__(self, launch: Launch, message: Message, rehearsal: Rehearsal, held: tuple[Result, State], time: Clock) -> None:
        self.launch, self.message, self.clock = launch, message, time
        self.result, self.state = held
        self.at = rehearsal.planned_at(message.lane)
        self.woke_s = self.at - time.now()
        self.renewed = time.now()
        self.volley = Dry(networks.get(message.lane.rpartition(".")[0]), self.at, time, self._renew)

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
        found, sealed = pledges.of_chunk(self.message.key), grants.of_chunk(self.message.key)
        key: Any = grants.open_key(self.launch.campaign, self.launch.id) if found else None
        for pledge in found:
            grant = sealed.get(str(pledge.sk))
            sending = Sending(pledge, self.at + int(pledge.offset_s), grants.unseal(key, pledge.id, grant) if grant else "")
            if not sending.permission:
                sending.outcome, sending.again_at = Outcome("reconnect"), None
            self.volley.sendings.append(sending)

    async def _may_go_on(self) -> bool:
        """Where a seal would be written: nothing is, and a launch that has been frozen meanwhile is left alone."""
        await self.volley.hold(self.at - SEAL_BEFORE_S)
        launch = await asyncio.to_thread(launches.get, self.launch.id)
        return launch is not None and launch.state == "open" and await asyncio.to_thread(rehearsals.of_message, self.message) is not None

    async def _renew(self) -> None:
        """Keeps the lease, as a release does. Raises `Superseded`."""
        now = self.clock.now()
        if now - self.renewed < RENEW_S:
            return
        self.renewed = now
        if not await asyncio.to_thread(chunks.renew, self.state, now=now):
            raise Superseded(self.message.key)

    def _finish(self, error: ntp.Offset | None) -> None:
        sendings = self.volley.sendings
        late = [sending.outcome.sent_ms for sending in sendings if sending.outcome.sent_ms is not None]
        found: dict[str, Any] = {"posts": len(sendings), "open": self.volley.open_then, "late_ms": late, "woke_s": [round(self.woke_s, 1)]}
        found["reconnect"] = sum(1 for sending in sendings if sending.outcome.outcome == "reconnect")
        if error is not None:
            found |= {"offset_ms": [error.offset_ms], "error_ms": [error.error_ms]}
        rehearsals.finish(self.result, found, now=self.clock.now())
