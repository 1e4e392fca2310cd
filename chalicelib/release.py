"""The release worker: one chunk a message. Lease, read, open the key once, build every request as bytes, warm one
connection per pledge, look once more whether the launch still stands, seal, wait for the moment, send all at once,
and write what happened. Whoever comes after a seal only resolves. The protocol: README, "The launch"."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import asdict
from typing import Any

from . import chunks, clock, fan_out, launches, messages, networks, ntp, pledges, settings, slots
from .chunks import State
from .clock import Clock
from .launches import Launch
from .leases import Lease, Superseded
from .messages import Message
from .outcomes import Kind, Outcome, Sending
from .pledges import Pledge
from .settings import GRACE_S, RESOLVE_UNTIL_S
from .volleys import CHECK_BEFORE_S, SEAL_BEFORE_S, WARM_BEFORE_S, Volley

WORK_S = 540.0  # the function's time-out less a minute
log = logging.getLogger(__name__)


def handle(body: str) -> None:
    """Does what one message says. Safe to repeat at any time; messages of another epoch are dropped."""
    message, now = messages.parse(body), clock.current
    launch = launches.get(message.launch)
    if launch is not None and launch.active and message.rehearsal:
        rehearse(launch, message, now)
    elif launch is None or int(launch.epoch) != message.epoch or launch.state not in ("open", "frozen"):
        log.info("dropped %s of %s: epoch or state has moved on", message.do, message.key)
    elif message.do == "prepare":
        prepare(launch, message, now)
    elif message.do == "watch":
        fan_out.watch(launch, message.lane, now=clock.utc_now())
    elif message.do == "send" and launch.state == "frozen":
        asyncio.run(Release(launch, message, now).send())
    elif message.do == "resolve" and launch.state == "frozen":
        asyncio.run(Release(launch, message, now).resolve())


def rehearse(launch: Launch, message: Message, time: Clock) -> None:
    """A part of a rehearsal, which is known by its own id, whatever becomes of the launch's approvals meanwhile."""
    from . import dresses, probes

    (dresses if message.do == "dress" else probes).run(launch, message, time)


def prepare(launch: Launch, message: Message, time: Clock) -> None:
    """Makes a chunk's pledges ready and records how many are, and how many will fail: their permission cannot be opened.
    Networks whose permissions have to be refreshed, or whose posts are made in two steps, do that here; Mastodon and Bluesky
    need neither. One worker at a time; any number of times."""
    if not chunks.claim_preparing(message.key, now=time.now()):
        return
    found = pledges.permitted(launch, message.key)
    ready = sum(1 for _, permission in found if permission)
    chunks.record_ready(message.key, ready=ready, failing=len(found) - ready, now=time.now())
    log.info("prepared %s: %d ready, %d failing", message.key, ready, len(found) - ready)


class Release:
    """One worker's work on one chunk."""

    def __init__(self, launch: Launch, message: Message, time: Clock) -> None:
        self.launch, self.message, self.clock = launch, message, time
        self.network = networks.get(slots.network_of(message.lane))
        self.at = float(slots.planned_at(launch, message.lane))
        self.started = time.now()
        self.lease: Lease
        self.volley: Volley

    def _hold(self, state: State) -> None:
        self.lease = Lease(state, self.clock)
        self.volley = Volley(self.network, self.at, self.clock, self.lease.keep)

    async def send(self) -> None:
        """First sends, at the lane's time or, if that has passed, within the grace."""
        if self.clock.now() > self.at + GRACE_S or self.launch.is_stopped(self.network.NAME):
            return
        state = chunks.lease(self.message.key, self.message.epoch, now=self.clock.now())
        if state is None:
            return
        self._hold(state)
        late = self.clock.now() > self.at
        error = asyncio.create_task(asyncio.to_thread(ntp.measure, settings.current().ntp_server))
        try:
            await asyncio.to_thread(self.read)
            await self.volley.permit(self.at - WARM_BEFORE_S)
            await self.volley.warm()
            if await self._seal():
                await self._drop_withdrawn()
                await self.volley.fire()
                await self.volley.settle(self.started + WORK_S, self._ended)
                await self._finish(late=late, error=await error)
        except Superseded:
            log.warning("another worker holds %s; nothing more is sent from here", self.message.key)
        finally:
            self.volley.close()
            await error

    async def resolve(self) -> None:
        """Finds out what happened to the posts of a worker that died after its seal. Only where the network recognises
        repetitions are they sent again, and nothing later than 50 minutes after the seal, or once it was stopped."""
        state = chunks.lease_sealed(self.message.key, self.message.epoch, now=self.clock.now())
        if state is None:
            return
        self._hold(state)
        assert state.sealed is not None
        try:
            await asyncio.to_thread(self.read)
            in_time = self.clock.now() < float(state.sealed) / 1000 + RESOLVE_UNTIL_S
            for sending in self.volley.due:
                sending.uncertain = True
            if self.network.REPEATABLE and in_time:
                await self.volley.settle(self.started + WORK_S, self._ended)
            else:
                self.volley.give_up("unknown")
            await self._finish(late=True)
        except Superseded:
            log.warning("another worker resolves %s", self.message.key)
        finally:
            self.volley.close()

    def read(self) -> None:
        """Reads the chunk's live pledges and builds their requests. What is not to be sent gets its outcome at once: one whose
        permission cannot be opened must be reconnected, and of one that an earlier epoch has sealed nobody knows."""
        found = pledges.permitted(self.launch, self.message.key)
        before = chunks.before(self.message.key, self.message.epoch)
        known = {sending.pledge.id: sending for sending in self.volley.sendings}
        fresh = [(pledge, permission) for pledge, permission in found if str(pledge.sk) not in before.items]
        self.volley.sendings = [known.get(pledge.id) or self._sending(pledge, permission, before.sealed) for pledge, permission in fresh]

    def _sending(self, pledge: Pledge, permission: str, sealed_before: bool) -> Sending:
        sending = Sending(pledge, float(pledges.planned_at(self.launch, pledge)), permission)
        if sealed_before:
            sending.outcome, sending.again_at = Outcome("unknown", said="was being sent when the launch was postponed"), None
        elif not pledges.stands(self.launch, pledge):
            sending.outcome, sending.again_at = Outcome("not_agreed"), None
        elif not permission:
            sending.outcome, sending.again_at = Outcome("reconnect", said="no permission on file"), None
        return sending

    async def _seal(self) -> bool:
        """True where the launch still stands and this worker's own seal is confirmed; otherwise nothing is sent."""
        await self.volley.hold(self.at - SEAL_BEFORE_S)
        launch = await asyncio.to_thread(launches.get, self.launch.id)
        if launch is None or int(launch.epoch) != self.message.epoch or launch.state != "frozen" or not launch.approved:
            log.warning("not sealed %s: the launch no longer stands", self.message.key)
            return False
        if await self._ended(launch) or self.clock.now() > self.at + GRACE_S:
            return False
        return await asyncio.to_thread(chunks.seal, self.lease.state, now=self.clock.now())

    async def _ended(self, launch: Launch | None = None) -> Kind | None:
        """Whether organisers, or the network itself, have ended what is sent there; what the others' outcome is then."""
        launch = launch or await asyncio.to_thread(launches.get, self.launch.id)
        if launch is None or launch.is_stopped(self.network.NAME):
            return "stopped"
        await self._note_halt()
        return "halted" if await asyncio.to_thread(chunks.is_halted, self.launch.id, self.network.NAME) else None

    async def _note_halt(self) -> None:
        """For the other workers of this network."""
        if self.volley.halted:
            await asyncio.to_thread(chunks.halt, self.launch.id, self.network.NAME, now=self.clock.now())

    async def _drop_withdrawn(self) -> None:
        """After the seal nobody withdraws; what was confirmed late is taken in, too."""
        live = {pledge.id for pledge in await asyncio.to_thread(pledges.of_chunk, self.message.key)}
        if live - {sending.pledge.id for sending in self.volley.sendings}:
            await asyncio.to_thread(self.read)
            await self.volley.permit(self.at - CHECK_BEFORE_S)
        self.volley.keep(live)

    async def _finish(self, *, late: bool, error: ntp.Offset | None = None) -> None:
        """Writes the outcomes. Where some are still to be asked for, leaves the chunk sealed, for a later resolve."""
        await self._note_halt()
        waits = [float(sending.again_at or 0) for sending in self.volley.due]
        if waits:
            delay = int(max(settings.RESOLVE_AFTER_S, max(waits) - self.clock.now()))
            again = Message("resolve", self.message.launch, self.message.epoch, self.message.lane, self.message.chunk)
            await asyncio.to_thread(messages.send, [again], delay_s=delay)
            return
        items: dict[str, Any] = {str(sending.pledge.sk): asdict(sending.outcome) for sending in self.volley.sendings}
        meta = {"late": late, "worker": settings.current().worker, "fence": int(self.lease.state.fence)}
        meta |= {"clock_offset_ms": error and error.offset_ms, "clock_error_ms": error and error.error_ms}
        written = await asyncio.to_thread(chunks.finish, self.lease.state, self.message.epoch, items, meta, now=self.clock.now())
        log.info("chunk %s: %d outcomes %s", self.message.key, len(items), "written" if written else "left to another worker")
