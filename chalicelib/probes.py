"""A probe: one harmless read with each permission of a chunk, so that those which will fail are known while they can still be
given anew. A part of a chunk asks for what is sent in some of its lane's seconds, so that however many workers ask, a host
gets at most `PER_S` reads in each `STEP_S`, and in one period half of its budget."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from . import messages, networks, pledges, rehearsals, slots
from .clock import Clock
from .launches import Launch
from .messages import Message
from .networks.base import Health, Network
from .networks.transport import NotSent, Uncertain, exchange
from .pledges import Pledge
from .rehearsals import PARTS

STEP_S, AT_ONCE, ANSWER_S = 10.0, 10, 10.0
log = logging.getLogger(__name__)


def run(launch: Launch, message: Message, time: Clock) -> None:
    """Looks at one part of one chunk, and has the next one follow a period later. Safe to repeat: a part is done once."""
    rehearsal = rehearsals.of_message(message)
    result = rehearsals.claim(message, now=time.now()) if rehearsal else None
    if rehearsal is None or result is None:
        return
    network = networks.get(slots.network_of(message.lane))
    found, seconds = pledges.permitted(launch, message.key), _seconds(network)
    first = message.part * seconds
    probe = Probe(network, rehearsal.part_at(message.lane, message.part), time)
    asyncio.run(probe.all([one for one in found if first <= int(one[0].offset_s) < first + seconds], first))
    later = any(int(pledge.offset_s) >= first + seconds for pledge, _ in found)
    if later:
        after = rehearsal.part_at(message.lane, message.part + 1) - time.now()
        following = Message("probe", message.launch, message.epoch, message.lane, message.chunk, message.rehearsal, message.part + 1)
        messages.send([following], delay_s=int(after))
    rehearsals.finish(result, probe.counts, failing=probe.failing, more=later, now=time.now())
    log.info("probed %s: %s", message.key, dict(probe.counts))


def _seconds(network: Network) -> int:
    """So many of a lane's seconds are looked at in one part."""
    return -(-network.BUDGET // (network.PER_S * PARTS))


@dataclass(slots=True)
class Probe:
    """`begins` in epoch seconds. `counts`: health -> permissions; `failing`: slots."""

    network: Network
    begins: float
    clock: Clock
    counts: Counter[str] = field(default_factory=Counter)
    failing: list[str] = field(default_factory=list)

    async def all(self, asked: Sequence[tuple[Pledge, str]], first: int) -> None:
        """Second after second of the lane, each in a step of its own."""
        for second in sorted({int(pledge.offset_s) for pledge, _ in asked}):
            await self.clock.sleep(self.begins + (second - first) * STEP_S - self.clock.now())
            places = asyncio.Semaphore(AT_ONCE)
            await asyncio.gather(*(self._one(places, *one) for one in asked if int(one[0].offset_s) == second))

    async def _one(self, places: asyncio.Semaphore, pledge: Pledge, permission: str) -> None:
        async with places:
            health = await self._health(pledge.server, permission) if permission else "reconnect"
        self.counts[health] += 1
        if health == "reconnect":
            self.failing.append(str(pledge.sk))

    async def _health(self, server: str, permission: str) -> Health:
        try:
            async with asyncio.timeout(ANSWER_S):
                answer = await exchange(self.network.probe(server, permission))
        except (NotSent, Uncertain, TimeoutError) as error:
            log.info("%s", error)
            return "unreachable"
        health, then = self.network.probed(server, answer)
        if then is not None:
            with suppress(NotSent, Uncertain, TimeoutError):  # what is left behind ends by itself
                await exchange(then, ANSWER_S)
        return health
