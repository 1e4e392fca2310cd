"""What happens to one pledge while it is sent, and what an answer of its network means for it: it stands, or it is asked
again where that cannot double."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from .networks.base import Verdict
from .networks.transport import Connection
from .pledges import Pledge

RETRIES_S = (1.0, 2.0, 4.0, 8.0, 16.0)

Kind = Literal["posted", "refused", "reconnect", "unknown"]


@dataclass(slots=True)
class Outcome:
    """What happened to one pledge. `sent_ms`: our first send after the planned time; `acked_ms`: the answer."""

    outcome: Kind
    url: str | None = None
    said: str | None = None
    sent_ms: float | None = None
    acked_ms: float | None = None
    tries: int = 0


@dataclass(slots=True)
class Sending:
    """One pledge on its way. `again_at`: epoch seconds of the next try, None once `outcome` stands."""

    pledge: Pledge
    connection: Connection
    outcome: Outcome = field(default_factory=lambda: Outcome("unknown"))
    again_at: float | None = 0.0

    def take(self, verdict: Verdict, *, now: float, planned: float, repeatable: bool) -> None:
        """`now` and `planned` in epoch seconds; `repeatable`: the network recognises a repetition, so asking again cannot double."""
        self.outcome.said, self.outcome.url, self.again_at = verdict.said, verdict.url, None
        if verdict.kind in ("posted", "refused", "reconnect"):
            self.outcome.outcome = verdict.kind
            self.outcome.acked_ms = round((now - planned) * 1000, 3)
        elif verdict.kind == "retry" or repeatable:
            self.again_at = now + (verdict.wait_s or self.pause_s)

    @property
    def pause_s(self) -> float:
        return RETRIES_S[max(0, min(self.outcome.tries, len(RETRIES_S)) - 1)]
