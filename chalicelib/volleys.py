"""A chunk's posts on their way: bearers, warm connections, the volley, and asking again where that cannot double. What may
be sent at all is decided by `release`."""

from __future__ import annotations

import asyncio
import gc
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from itertools import groupby

from .clock import Clock
from .networks.base import Network, Verdict
from .networks.transport import CONNECT_S, NotSent, Uncertain
from .outcomes import SESSION_S, Kind, Sending
from .settings import RENEW_S

WARM_BEFORE_S, SEAL_BEFORE_S, CHECK_BEFORE_S, SPIN_BEFORE_S = 12.0, 5.0, 2.0, 0.05
SEND_AFTER_S = 0.005
OPENINGS, SESSIONS = 50, 20
OPEN_BEFORE_S = 1.0  # where a host's posts are paced: the next second's connections
CONNECTIONS_S = 3  # a host sees at most as many connections as are needed for so many seconds of posts


class Volley:
    """`at`: the lane's time, in epoch seconds. `beat` keeps the lease while anything is waited for; what it raises ends all
    of it. `halted`: the network has said that it takes nothing more from us."""

    def __init__(self, network: Network, at: float, time: Clock, beat: Callable[[], Awaitable[None]]) -> None:
        self.network, self.at, self.clock, self.beat = network, at, time, beat
        self.sendings: list[Sending] = []
        self.halted = False
        self.asked: defaultdict[str, list[float]] = defaultdict(list)  # host -> when posts were sent there of late

    @property
    def due(self) -> list[Sending]:
        """What is still to be asked for, now or later."""
        return [sending for sending in self.sendings if sending.again_at is not None]

    async def hold(self, until: float) -> None:
        while (now := self.clock.now()) < until:
            await self.beat()
            await self.clock.sleep(min(until - now, RENEW_S))

    async def gather(self, work: Iterable[Awaitable[None]]) -> None:
        """Does several things at once. The first failure ends the others, and is raised."""
        pending = {asyncio.ensure_future(item) for item in work}
        try:
            while pending:
                done, pending = await asyncio.wait(pending, timeout=RENEW_S, return_when=asyncio.FIRST_EXCEPTION)
                for task in done:
                    task.result()
                await self.beat()
        finally:
            for task in pending:
                task.cancel()

    async def permit(self, until: float) -> None:
        """Makes the bearers that are lacking, again and again until that time; what fails until then is tried after the moment."""
        while True:
            await self._sessions(by=until)
            waits = [float(sending.again_at or 0) for sending in self.due if sending.connection is None]
            if not waits or max(min(waits), self.clock.now()) >= until:
                return
            await self.hold(min(waits))

    async def _sessions(self, *, by: float = 0.0) -> None:
        places, now = asyncio.Semaphore(SESSIONS), self.clock.now()

        async def permitted(sending: Sending) -> None:
            async with places:
                left = max(1.0, by - self.clock.now()) if by else SESSION_S
                await sending.permit(self.network, now=self.clock.now(), within_s=min(left, SESSION_S))

        await self.gather(permitted(one) for one in self.due if one.connection is None and float(one.again_at or 0) <= now)

    async def warm(self) -> None:
        """One connection for each post of the first second, early enough to be looked at again and late enough to stay open."""
        await self.hold(self.at - WARM_BEFORE_S)
        if self.clock.now() < self.at - SEAL_BEFORE_S:
            await self._open([one for one in self.due if not one.pledge.offset_s], by=self.at - SEAL_BEFORE_S)

    async def _open(self, sendings: Sequence[Sending], *, by: float = 0.0) -> None:
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

        await self.gather(opened(one) for one in self._places(sendings))

    def _places(self, sendings: Sequence[Sending]) -> list[Sending]:
        """Those that may be opened now: the others wait until some of their host's connections have been closed."""
        held, may = Counter(one.pledge.server for one in self.sendings if one.is_open), []
        for one in sendings:
            if one.connection is not None and not one.is_open and held[one.pledge.server] < CONNECTIONS_S * self.network.PER_S:
                held[one.pledge.server] += 1
                may.append(one)
        return may

    async def fire(self) -> None:
        """First sends, each at its own time; where the lane's has passed, from now on, and a host still gets no more a second."""
        begin = max(self.at, self.clock.now())
        ordered = sorted(self.due, key=lambda one: int(one.pledge.offset_s))
        seconds = [(offset, list(group)) for offset, group in groupby(ordered, key=lambda one: int(one.pledge.offset_s))]
        await self.gather(self._second(begin + offset, group) for offset, group in seconds)

    async def _second(self, moment: float, sendings: Sequence[Sending]) -> None:
        await self.hold(moment - (OPEN_BEFORE_S if moment > self.at else CHECK_BEFORE_S))
        late = self.clock.now() > moment - SPIN_BEFORE_S
        await self._open(sendings, by=0.0 if late else moment - SPIN_BEFORE_S)
        await self.hold(moment - SPIN_BEFORE_S)
        await self._send(sendings, spin_until=moment + SEND_AFTER_S)

    async def _send(self, sendings: Sequence[Sending], *, spin_until: float = 0.0) -> None:
        """Writes all requests in one go, then waits for all answers."""
        gc.disable()
        try:
            self.clock.spin(spin_until)
            written = [sending for sending in sendings if self._write(sending)]
        finally:
            gc.enable()
        await self.gather(self._answer(sending) for sending in written)

    def _write(self, sending: Sending) -> bool:
        sending.outcome.tries += 1
        now = self.clock.now()
        try:
            if sending.connection is None:
                raise NotSent(sending.outcome.said or "no bearer yet")
            sending.connection.send()
            self.asked[sending.pledge.server].append(now)
        except NotSent as error:
            sending.outcome.said = str(error)
            sending.again_at = now + sending.pause_s
            return False
        if sending.outcome.sent_ms is None:
            sending.outcome.sent_ms = round((now - sending.planned) * 1000, 3)
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
        self.halted = self.halted or verdict.kind == "halt"
        sending.take(verdict, now=self.clock.now(), repeatable=self.network.REPEATABLE)

    async def settle(self, until: float, ended: Callable[[], Awaitable[Kind | None]]) -> None:
        """Asks again, one round after another, until every outcome stands, or `until` has come, or `ended` says what the
        posts are that have not gone out."""
        while waiting := self.due:
            soonest = min(float(sending.again_at or 0) for sending in waiting)
            if soonest > until:
                return
            await self.hold(soonest)
            outcome = await ended()
            if outcome:
                self.give_up(outcome)
                return
            await self._sessions()
            round_ = self._paced([sending for sending in self.due if float(sending.again_at or 0) <= self.clock.now()])
            await self._open(round_)
            await self._send(round_)

    def _paced(self, sendings: Sequence[Sending]) -> list[Sending]:
        """As many a host as it may still get in this second; the others' turn comes in the seconds after."""
        now, places = self.clock.now(), Counter[str]()
        for host, times in self.asked.items():
            self.asked[host] = [one for one in times if one > now - 1]
        for sending in sendings:
            host = sending.pledge.server
            free = max(0, self.network.PER_S - len(self.asked.get(host, [])))
            if places[host] >= free:
                sending.again_at = now + 1 + (places[host] - free) // self.network.PER_S
            places[host] += 1
        return [sending for sending in sendings if float(sending.again_at or 0) <= now]

    def give_up(self, outcome: Kind) -> None:
        """Nothing more is asked: `outcome` is that of the posts that surely are not out; of others nobody knows."""
        for sending in self.due:
            sending.outcome.outcome = "unknown" if sending.uncertain else outcome
            sending.again_at = None

    def keep(self, live: set[str]) -> None:
        """Drops the posts of all other pledges."""
        for sending in self.sendings:
            if sending.pledge.id not in live:
                sending.close()
        self.sendings = [sending for sending in self.sendings if sending.pledge.id in live]

    def close(self) -> None:
        for sending in self.sendings:
            sending.close()
