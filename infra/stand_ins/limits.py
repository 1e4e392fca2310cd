"""How many requests a Mastodon server takes: 300 in 5 minutes, per account and per address, in windows aligned to the
clock. https://docs.joinmastodon.org/api/rate-limits/"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime

ALLOWED = 300
PERIOD_S = 300


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the caller stands after this request: the headers that every answer carries."""

    allowed: int
    used: int
    reset: float

    @property
    def exceeded(self) -> bool:
        return self.used > self.allowed

    def headers(self) -> dict[str, str]:
        reset = datetime.fromtimestamp(self.reset, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        remaining = max(0, self.allowed - self.used)
        return {"X-RateLimit-Limit": str(self.allowed), "X-RateLimit-Remaining": str(remaining), "X-RateLimit-Reset": reset}


@dataclass(slots=True)
class Limits:
    """Counts of the current window; `allowed` can be lowered to make a small test of a big limit."""

    allowed: int = ALLOWED
    period_s: int = PERIOD_S
    _window: int = 0
    _used: Counter[str] = field(default_factory=Counter)

    def take(self, host: str, account: str | None, address: str, *, now: float) -> Standing:
        """Counts one request against the address and, if known, the account; says where the fuller one stands."""
        window = int(now // self.period_s)
        if window != self._window:
            self._window, self._used = window, Counter()
        used = 0
        for whom in (f"address {address}", f"account {account}" if account else None):
            if whom is not None:
                self._used[f"{host} {whom}"] += 1
                used = max(used, self._used[f"{host} {whom}"])
        return Standing(self.allowed, used, float((window + 1) * self.period_s))

    def clear(self) -> None:
        self._used.clear()
