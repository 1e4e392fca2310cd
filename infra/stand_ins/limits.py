"""How many requests a server takes in 5 minutes, per account and per address, in windows aligned to the clock: Mastodon 300
(https://docs.joinmastodon.org/api/rate-limits/), Bluesky's 3,000 (https://docs.bsky.app/docs/advanced-guides/rate-limits)."""

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
        """Mastodon's."""
        reset = datetime.fromtimestamp(self.reset, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        remaining = max(0, self.allowed - self.used)
        return {"X-RateLimit-Limit": str(self.allowed), "X-RateLimit-Remaining": str(remaining), "X-RateLimit-Reset": reset}

    def plain_headers(self) -> dict[str, str]:
        """Bluesky's: the reset in epoch seconds."""
        remaining, policy = max(0, self.allowed - self.used), f"{self.allowed};w={PERIOD_S}"
        told = {"Limit": str(self.allowed), "Remaining": str(remaining), "Reset": str(int(self.reset)), "Policy": policy}
        return {f"RateLimit-{name}": value for name, value in told.items()}


@dataclass(slots=True)
class Limits:
    """Counts of the current window; `allowed` can be lowered to make a small test of a big limit."""

    allowed: int = ALLOWED
    period_s: int = PERIOD_S
    _window: int = 0
    _used: Counter[str] = field(default_factory=Counter)

    def take(self, host: str, account: str | None, address: str, *, now: float, factor: int = 1) -> Standing:
        """Counts one request against the address and, if known, the account; says where the fuller one stands. `factor`:
        how many times `allowed` this host takes."""
        window = int(now // self.period_s)
        if window != self._window:
            self._window, self._used = window, Counter()
        used = 0
        for whom in (f"address {address}", f"account {account}" if account else None):
            if whom is not None:
                self._used[f"{host} {whom}"] += 1
                used = max(used, self._used[f"{host} {whom}"])
        return Standing(self.allowed * factor, used, float((window + 1) * self.period_s))

    def clear(self) -> None:
        self._used.clear()
