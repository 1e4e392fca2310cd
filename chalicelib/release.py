"""The release worker: one chunk a message. Lease, read, open the key once, build every request as bytes, warm one
connection per pledge, look once more whether the launch still stands, seal, wait for the moment, send all at once,
and write what happened. Whoever comes after a seal only resolves. The protocol: README, "The launch"."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Awaitable, Iterable
from dataclasses import asdict
from typing import Any

from . import chunks, clock, fan_out, grants, launches, messages, networks, pledges, settings, slots
from .chunks import State
from .clock import Clock
from .launches import Launch
from .messages import Message
from .networks.base import Network, Verdict
from .networks.transport import CONNECT_S, NotSent, Uncertain
from .outcomes import SESSION_S, Outcome, Sending
from .pledges import Pledge
from .settings import GRACE_S, RENEW_S, RESOLVE_UNTIL_S

WARM_BEFORE_S, SEAL_BEFORE_S, CHECK_BEFORE_S, SPIN_BEFORE_S = 12.0, 5.0, 2.0, 0.05
SEND_AFTER_S = 0.005
WORK_S = 540.0  # the function's time-out less a minute
OPENINGS, SESSIONS = 50, 20
log = logging.getLogger(__name__)


class Superseded(RuntimeError):
    """Another worker holds the chunk now: this one must not go on."""


def handle(body: str) -> None:
    """Does what one message says. Safe to repeat at any time; messages of another epoch are dropped."""
    message, now = messages.parse(body), clock.current
    launch = launches.get(message.launch)
    if launch is None or int(launch.epoch) != message.epoch or launch.state not in ("open", "frozen"):
        log.info("dropped %s of %s: epoch or state has moved on", message.do, message.key)
    elif message.do == "prepare":
        prepare(message, now)
    elif message.do == "watch":
        fan_out.watch(launch, message.lane, now=clock.utc_now())
    elif message.do == "send" and launch.state == "frozen":
        asyncio.run(Release(launch, message, now).send())
    elif message.do == "resolve" and launch.state == "frozen":
        asyncio.run(Release(launch, message, now).resolve())


def prepare(message: Message, time: Clock) -> None:
    """Makes a chunk's pledges ready and records how many are: refreshed permissions, containers. Mastodon needs neither."""
    ready = len(pledges.of_chunk(message.key))
    chunks.record_ready(message.key, pledges=ready, now=time.now())
    log.info("prepared %d pledges of %s", ready, message.key)


class Release:
    """One worker's work on one chunk."""

    def __init__(self, launch: Launch, message: Message, time: Clock) -> None:
        self.launch, self.message, self.clock = launch, message, time
        self.network: Network = networks.get(message.lane.rpartition(".")[0])
        self.at = float(slots.planned_at(launch, message.lane))
        self.started = time.now()
        self.renewed = self.started
        self.state: State
        self.sendings: list[Sending] = []

    async def send(self) -> None:
        """First sends, at the lane's time or, if that has passed, within the grace."""
        if self.clock.now() > self.at + GRACE_S or self._stopped(self.launch):
            return
        state = chunks.lease(self.message.key, self.message.epoch, now=self.clock.now())
        if state is None:
            return
        self.state = state
        late = self.clock.now() > self.at
        try:
            await asyncio.to_thread(self._read)
            await self._permit(self.at - WARM_BEFORE_S)
            await self._warm()
            if await self._seal():
                await self._drop_withdrawn()
                await self._fire()
                await self._finish(late=late)
        except Superseded:
            log.warning("another worker holds %s; nothing more is sent from here", self.message.key)
        finally:
            self._close()

    async def resolve(self) -> None:
        """Finds out what happened to the posts of a worker that died after its seal. Only where the network recognises
        repetitions are they sent again, and nothing later than 50 minutes after the seal."""
        state = chunks.lease_sealed(self.message.key, self.message.epoch, now=self.clock.now())
        if state is None:
            return
        self.state = state
        assert state.sealed is not None
        try:
            await asyncio.to_thread(self._read)
            if self.network.REPEATABLE and self.clock.now() < float(state.sealed) / 1000 + RESOLVE_UNTIL_S:
                await self._settle_all()
            else:
                self._give_up()
            await self._finish(late=True)
        except Superseded:
            log.warning("another worker resolves %s", self.message.key)
        finally:
            self._close()

    def _read(self) -> None:
        """Reads the chunk's live pledges and builds their requests. One whose permission cannot be opened is not lost:
        its outcome is that it must be reconnected."""
        found, sealed = pledges.of_chunk(self.message.key), grants.of_chunk(self.message.key)
        key = grants.open_key(self.launch.campaign, self.launch.id) if found else None
        known = {sending.pledge.id: sending for sending in self.sendings}
        self.sendings = [known.get(pledge.id) or self._sending(pledge, key, sealed.get(str(pledge.sk))) for pledge in found]

    def _sending(self, pledge: Pledge, key: Any, grant: bytes | None) -> Sending:
        sending = Sending(pledge, grants.unseal(key, pledge.id, grant) if key and grant else "")
        if not sending.permission:
            sending.outcome, sending.again_at = Outcome("reconnect", said="no permission on file"), None
        return sending

    def _close(self) -> None:
        for sending in self.sendings:
            sending.close()

    def _due(self) -> list[Sending]:
        """What is still to be asked for, now or later."""
        return [sending for sending in self.sendings if sending.again_at is not None]

    async def _permit(self, until: float) -> None:
        """Makes the bearers that are lacking, again and again until that time; what fails until then is tried after the moment."""
        while True:
            await self._sessions(by=until)
            waits = [float(sending.again_at or 0) for sending in self._due() if sending.connection is None]
            if not waits or max(min(waits), self.clock.now()) >= until:
                return
            await self._hold(min(waits))

    async def _sessions(self, *, by: float = 0.0) -> None:
        places, now = asyncio.Semaphore(SESSIONS), self.clock.now()

        async def permitted(sending: Sending) -> None:
            async with places:
                left = max(1.0, by - self.clock.now()) if by else SESSION_S
                await sending.permit(self.network, now=self.clock.now(), within_s=min(left, SESSION_S))

        await self._gather(permitted(one) for one in self._due() if one.connection is None and float(one.again_at or 0) <= now)

    async def _warm(self) -> None:
        await self._hold(self.at - WARM_BEFORE_S)
        if self.clock.now() < self.at - SEAL_BEFORE_S:
            await self._open(self._due(), by=self.at - SEAL_BEFORE_S)

    async def _open(self, sendings: list[Sending], *, by: float = 0.0) -> None:
        """Opens what is not open; what fails here is tried again at the moment. A host that does not answer `by` its time
        is waited for no longer: the others' posts must not be late for it."""
        places = asyncio.Semaphore(OPENINGS)

        async def opened(sending: Sending) -> None:
            async with places:
                left = by - self.clock.now() if by else CONNECT_S
                try:
                    if sending.connection is not None and left > 0:
                        await sending.connection.open(min(left, CONNECT_S))
                except NotSent as error:
                    sending.outcome.said = str(error)

        await self._gather(opened(one) for one in sendings if one.connection is not None and not one.connection.is_open)

    async def _seal(self) -> bool:
        """True where the launch still stands and this worker's own seal is confirmed; otherwise nothing is sent."""
        await self._hold(self.at - SEAL_BEFORE_S)
        launch = await asyncio.to_thread(launches.get, self.launch.id)
        if launch is None or int(launch.epoch) != self.message.epoch or launch.state != "frozen" or self._stopped(launch):
            log.warning("not sealed %s: the launch no longer stands", self.message.key)
            return False
        if not launch.approved or self.clock.now() > self.at + GRACE_S:
            return False
        return await asyncio.to_thread(chunks.seal, self.state, now=self.clock.now())

    def _stopped(self, launch: Launch) -> bool:
        return bool(launch.stopped_at)

    async def _drop_withdrawn(self) -> None:
        """After the seal nobody withdraws; what was confirmed late is taken in, too."""
        live = {pledge.id for pledge in await asyncio.to_thread(pledges.of_chunk, self.message.key)}
        if live - {sending.pledge.id for sending in self.sendings}:
            await asyncio.to_thread(self._read)
            await self._permit(self.at - CHECK_BEFORE_S)
        for sending in self.sendings:
            if sending.pledge.id not in live:
                sending.close()
        self.sendings = [sending for sending in self.sendings if sending.pledge.id in live]

    async def _fire(self) -> None:
        await self._hold(self.at - CHECK_BEFORE_S)
        late = self.clock.now() > self.at - SPIN_BEFORE_S
        await self._open(self._due(), by=0.0 if late else self.at - SPIN_BEFORE_S)
        await self._hold(self.at - SPIN_BEFORE_S)
        await self._volley(self._due(), spin=True)
        await self._settle_all()

    async def _volley(self, due: list[Sending], *, spin: bool = False) -> None:
        """Writes all requests in one go, then waits for all answers."""
        gc.disable()
        try:
            if spin:
                self.clock.spin(self.at + SEND_AFTER_S)
            written = [sending for sending in due if self._write(sending)]
        finally:
            gc.enable()
        await self._gather(self._answer(sending) for sending in written)

    def _write(self, sending: Sending) -> bool:
        sending.outcome.tries += 1
        now = self.clock.now()
        try:
            if sending.connection is None:
                raise NotSent(sending.outcome.said or "no bearer yet")
            sending.connection.send()
        except NotSent as error:
            sending.outcome.said = str(error)
            sending.again_at = now + sending.pause_s
            return False
        if sending.outcome.sent_ms is None:
            sending.outcome.sent_ms = round((now - self.at) * 1000, 3)
        return True

    async def _answer(self, sending: Sending) -> None:
        assert sending.connection is not None
        try:
            response = await sending.connection.answer()
            verdict = self.network.classify(response, now=self.clock.now())
        except Uncertain as error:
            verdict = Verdict("uncertain", said=str(error))
        finally:
            sending.close()
        sending.take(verdict, now=self.clock.now(), planned=self.at, repeatable=self.network.REPEATABLE)

    async def _settle_all(self) -> None:
        """Asks again, one round after another, until every outcome stands or a minute is left to this function."""
        while waiting := self._due():
            soonest = min(float(sending.again_at or 0) for sending in waiting)
            if soonest > self.started + WORK_S:
                return
            await self._hold(soonest)
            await self._sessions()
            due = [sending for sending in self._due() if float(sending.again_at or 0) <= self.clock.now()]
            await self._open(due)
            await self._volley(due)

    def _give_up(self) -> None:
        for sending in self.sendings:
            sending.again_at = None

    async def _finish(self, *, late: bool) -> None:
        """Writes the outcomes. Where some are still to be asked for, leaves the chunk sealed, for a later resolve."""
        waits = [float(sending.again_at or 0) for sending in self._due()]
        if waits:
            delay = int(max(settings.RESOLVE_AFTER_S, max(waits) - self.clock.now()))
            again = Message("resolve", self.message.launch, self.message.epoch, self.message.lane, self.message.chunk)
            await asyncio.to_thread(messages.send, [again], delay_s=delay)
            return
        items: dict[str, Any] = {str(sending.pledge.sk): asdict(sending.outcome) for sending in self.sendings}
        meta = {"late": late, "worker": settings.current().worker, "fence": int(self.state.fence)}
        written = await asyncio.to_thread(chunks.finish, self.state, self.message.epoch, items, meta, now=self.clock.now())
        log.info("chunk %s: %d outcomes %s", self.message.key, len(items), "written" if written else "left to another worker")

    async def _hold(self, until: float) -> None:
        """Waits, renewing the lease. Raises `Superseded`."""
        while (now := self.clock.now()) < until:
            await self._renew()
            await self.clock.sleep(min(until - now, RENEW_S))

    async def _gather(self, work: Iterable[Awaitable[None]]) -> None:
        """Does several things at once, renewing the lease. Raises `Superseded`, and what any of them raised."""
        tasks = [asyncio.ensure_future(item) for item in work]
        while tasks and (pending := (await asyncio.wait(tasks, timeout=RENEW_S))[1]):
            await self._renew()
            log.debug("%d still under way", len(pending))
        for task in tasks:
            task.result()

    async def _renew(self) -> None:
        now = self.clock.now()
        if now - self.renewed < RENEW_S:
            return
        if not await asyncio.to_thread(chunks.renew, self.state, now=now):
            raise Superseded(self.message.key)
        self.renewed = now
