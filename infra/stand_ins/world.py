"""Everything that the stand-in networks share while they run: who asked for what, what they were told to do wrong, and
how slow they are. One object, handed to every network and to the local desk."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from infra.stand_ins import app_passwords, tokens
from infra.stand_ins.app_passwords import Directory
from infra.stand_ins.arrivals import Ledger
from infra.stand_ins.connections import IDLE_S, Connections
from infra.stand_ins.faults import Faults
from infra.stand_ins.hosts import Host
from infra.stand_ins.limits import Limits
from infra.stand_ins.tokens import Tokens

POSTING_MS = 250.0
_SPREAD = 0.35
_READING_SHARE = 0.1


@dataclass(slots=True)
class Latency:
    """Log-normal, as servers of strangers are: half of all posts take `posting_ms`, one in a hundred more than double."""

    posting_ms: float = POSTING_MS
    seed: int = 1
    _random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)  # noqa: S311  # not for secrets

    def posting_s(self) -> float:
        return self._drawn(self.posting_ms)

    def reading_s(self) -> float:
        return self._drawn(self.posting_ms * _READING_SHARE)

    def _drawn(self, median_ms: float) -> float:
        return self._random.lognormvariate(math.log(median_ms), _SPREAD) / 1000 if median_ms > 0 else 0.0


@dataclass(slots=True)
class World:
    """`moment_ns` is the launch's T where it was told, for the feed."""

    hosts: list[Host]
    latency: Latency = field(default_factory=Latency)
    idle_s: float = IDLE_S
    ledger: Ledger = field(default_factory=Ledger)
    tokens: Tokens = field(default_factory=Tokens)
    limits: Limits = field(default_factory=Limits)
    faults: Faults = field(default_factory=Faults)
    directory: Directory = field(default_factory=Directory)
    moment_ns: int | None = None
    connections: Connections = field(init=False)

    def __post_init__(self) -> None:
        self.connections = Connections(self.idle_s)

    def host_at(self, port: int) -> Host:
        return next(host for host in self.hosts if host.port == port)

    def host(self, name: str) -> Host | None:
        return next((host for host in self.hosts if host.name == name), None)

    def of(self, network: str) -> Sequence[Host]:
        return [host for host in self.hosts if host.network == network]

    def permission(self, host: str, name: str, number: int = 1) -> str:
        """What an account's owner pastes: Mastodon's access token, Bluesky's app password. Raises `ValueError` (the name)."""
        found = self.host(host)
        if found is not None and found.network == "bluesky":
            self.directory.add(f"{name}.{host}")
            return app_passwords.mint(host, name, number)
        return tokens.mint(host, name, number)

    def revoke(self, host: str, permission: str) -> None:
        """As if its owner had taken it away."""
        self.tokens.revoke(host, permission)
        self.directory.revoked.add((host, permission))

    def clear(self) -> None:
        """Forgets arrivals, faults and used-up limits. Posts, tokens and revocations stay, as on a real server."""
        self.ledger.clear()
        self.faults.clear()
        self.limits.clear()
