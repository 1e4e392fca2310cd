"""The pledges of `make bench-fanout`: seven networks, 1,500 hosts, a few of which hold most of the people (Zipf's law)."""

from __future__ import annotations

import random
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate
from types import ModuleType

from chalicelib import networks, slots

HOSTS = 1500
HOLES, WITHDRAWN = 0.01, 0.03
DAY_S = 86_400
UNLIMITED = 10**9

# What a host takes of one application, of the five that are not built yet. (posts, seconds)
MISSING: dict[str, tuple[int, int]] = {
    "threads": (UNLIMITED, DAY_S),  # per profile only: https://developers.facebook.com/docs/threads/overview/
    "facebook": (UNLIMITED, DAY_S),  # per Page only: https://developers.facebook.com/docs/graph-api/overview/rate-limiting/
    "x": (10_000, DAY_S),  # https://docs.x.com/x-api/fundamentals/rate-limits
    "linkedin": (
        UNLIMITED,
        DAY_S,
    ),  # told in the portal only: https://learn.microsoft.com/en-us/linkedin/shared/api-guide/concepts/rate-limits
    "tumblr": (1_000, 3_600),  # https://github.com/tumblr/docs/blob/master/api.md#rate-limits
}
NETWORKS = (*MISSING, "bluesky", "mastodon")
BLUESKY_EACH = 5  # of the hosts of no single network, every fifth is Bluesky's


@contextmanager
def seven() -> Iterator[None]:
    """All that slots and fan-out ask of a network is what its hosts take: the five that are missing are given that, and
    nothing else."""
    before = networks.NAMES
    made = {f"{networks.__name__}.{name}": name for name in MISSING if name not in before}
    for path, name in made.items():
        module = ModuleType(path)
        budget, period_s = MISSING[name]
        vars(module).update(NAME=name, BUDGET=budget, PERIOD_S=period_s, PER_S=budget)
        sys.modules[path] = module
    networks.NAMES = (*before, *(name for name in MISSING if name not in before))  # type: ignore[assignment]
    try:
        yield
    finally:
        networks.NAMES = before
        for path in made:
            del sys.modules[path]


def hosts() -> list[str]:
    """The network of each host, the greatest first: the five that are one host each, then Bluesky's and Mastodon's."""
    return [NETWORKS[place] if place < len(NETWORKS) else _federated(place) for place in range(HOSTS)]


def _federated(place: int) -> str:
    return "mastodon" if place % BLUESKY_EACH else "bluesky"


@dataclass(frozen=True, slots=True)
class Plan:
    """`slots`: lane -> slots given. `hosts`: how many have a pledge."""

    slots: dict[str, int]
    hosts: int

    @property
    def pledges(self) -> int:
        return sum(self.slots.values())

    @property
    def most(self) -> int:
        """The release messages that this may take at most."""
        return int(self.pledges / slots.SLOTS_PER_CHUNK + 2 * len(self.slots))


def drawn(pledges: int, draw: random.Random) -> Plan:
    """Each pledge on a host by Zipf's law, in the lane that its place on the host leads to. Within `seven`."""
    of, weights = hosts(), list(accumulate(1 / (place + 1) for place in range(HOSTS)))
    on_host = Counter(draw.choices(range(HOSTS), cum_weights=weights, k=pledges))
    given = Counter(slots.lane_of(of[host], ordinal) for host, count in on_host.items() for ordinal in range(count))
    return Plan(dict(given), len(on_host))
