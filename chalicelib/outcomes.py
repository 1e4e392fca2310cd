"""What happens to one pledge while it is sent, and what an answer of its network means for it: it stands, or it is asked
again where that cannot double."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Literal

from .networks.base import Network, Post, Request, Verdict
from .networks.transport import Connection, NotSent, Uncertain, exchange
from .pledges import Pledge

RETRIES_S = (1.0, 2.0, 4.0, 8.0, 16.0)
SESSION_S = 10.0

# halted: the network stopped our app before this post; stopped: the organisers did; not_agreed: the moment was moved, and its
# supporter has not agreed to the new one.
Kind = Literal["posted", "refused", "reconnect", "halted", "stopped", "not_agreed", "unknown"]
_LASTING: dict[str, Kind] = {"posted": "posted", "refused": "refused", "reconnect": "reconnect", "halt": "halted"}


@dataclass(slots=True)
class Outcome:
    """What happened to one pledge. `sent_ms`: our first send after its planned time; `acked_ms`: the answer."""

    outcome: Kind
    url: str | None = None
    said: str | None = None
    sent_ms: float | None = None
    acked_ms: float | None = None
    tries: int = 0


@dataclass(slots=True)
class Sending:
    """One pledge on its way, `planned` for a time in epoch seconds. `connection` carries its request, and is None until the
    permission has become a bearer. `again_at`: epoch seconds of the next try, None once `outcome` stands. `asked`: how often
    a bearer was asked for. `uncertain`: it may have been posted."""

    pledge: Pledge
    planned: float
    permission: str = field(repr=False)
    connection: Connection | None = None
    outcome: Outcome = field(default_factory=lambda: Outcome("unknown"))
    again_at: float | None = 0.0
    asked: int = 0
    renewed: bool = False
    uncertain: bool = False

    @property
    def is_open(self) -> bool:
        return self.connection is not None and self.connection.is_open

    def take(self, verdict: Verdict, *, now: float, repeatable: bool) -> None:
        """`now` in epoch seconds; `repeatable`: the network recognises a repetition, so asking again cannot double."""
        self.outcome.said, self.outcome.url, self.again_at = verdict.said, verdict.url, None
        self.uncertain = self.uncertain or verdict.kind == "uncertain"
        if verdict.renew:
            self._renew(now)
        elif verdict.kind in _LASTING:
            self.outcome.outcome = _LASTING[verdict.kind]
            self.outcome.acked_ms = round((now - self.planned) * 1000, 3)
        elif verdict.kind == "retry" or repeatable:
            self.again_at = now + (verdict.wait_s or self.pause_s)

    def _renew(self, now: float) -> None:
        """Another bearer, once: one that was just made and is refused too means that the permission is worth nothing."""
        self.close()
        self.connection = None
        if self.renewed:
            self.outcome.outcome = "reconnect"
        else:
            self.renewed, self.again_at = True, now

    def close(self) -> None:
        if self.connection is not None:
            self.connection.close()

    @property
    def pause_s(self) -> float:
        return RETRIES_S[max(0, min(self.outcome.tries, len(RETRIES_S)) - 1)]

    async def permit(self, network: Network, *, now: float, within_s: float = SESSION_S) -> None:
        """Turns the permission into a bearer, and makes the request with it. Whatever goes wrong becomes an outcome or a
        time to try again; nothing has been posted then."""
        asked = network.session(self.pledge.server, self.permission)
        bearer = self.permission if asked is None else await self._bearer(network, asked, now, within_s)
        if isinstance(bearer, str):
            post = Post(self.pledge.server, self.pledge.text, self.pledge.key)
            self.connection = Connection(network.request(post, bearer))
        elif bearer.kind in _LASTING:
            self.outcome.outcome, self.outcome.said, self.again_at = _LASTING[bearer.kind], bearer.said, None
        else:
            self.asked += 1
            pause = RETRIES_S[min(self.asked, len(RETRIES_S)) - 1]
            self.outcome.said, self.again_at = bearer.said, now + (bearer.wait_s or pause)

    async def _bearer(self, network: Network, asked: Request, now: float, within_s: float) -> str | Verdict:
        try:
            async with asyncio.timeout(within_s):
                response = await exchange(asked)
        except (NotSent, Uncertain, TimeoutError) as error:
            return Verdict("retry", said=str(error) or "no answer")
        return network.bearer(response, now=now)
