"""In which order ideas are shown. Pure functions.

While a phase is open the order is *fair*: each participant has another one, drawn with weights by what was seen least.
How often an idea was seen is estimated from its age alone, never counted: votes, comments and views are not read at all,
so that nothing hidden can be worked out from an order (a tally least of all), nor can an idea be pushed by attention.
Ranking by votes speaks once they are shown."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterable
from functools import partial
from hashlib import blake2b
from operator import itemgetter
from typing import TypeVar

Z = 1.959963984540054
_SEEN_BEFORE = 0.25
_GRACE_S = 3600.0
_DRAWN = 1 << 56

E = TypeVar("E")
Key = tuple[float | int | str, ...]


def wilson(up: int, down: int, z: float = Z) -> float:
    """The lower end of the 95 % interval of the share of votes that are up: few votes promise little. 0 without votes.
    https://www.evanmiller.org/how-not-to-sort-by-average-rating.html"""
    n = up + down
    if not n:
        return 0.0
    share = up / n
    bound = share + z * z / (2 * n) - z * math.sqrt((share * (1 - share) + z * z / (4 * n)) / n)
    return min(1.0, max(0.0, bound / (1 + z * z / n)))


def divided(up: int, down: int) -> float:
    """How much people disagree: many votes, nearly as many up as down. Reddit's old measure of controversy.
    https://github.com/reddit-archive/reddit/blob/master/r2/r2/lib/db/_sorts.pyx"""
    return (up + down) / max(abs(up - down), 1) if up and down else 0.0


def seen(created: float, opened: float, now: float) -> float:
    """How often something that was added at `created` has been seen by now, if people come evenly and each is shown a few
    of what is there: the integral of 1/(ideas there), and with ideas coming evenly that is a logarithm. Epoch seconds."""
    return _log_age(now, opened) - _log_age(created, opened)


def _log_age(moment: float, opened: float) -> float:
    return math.log(max(0.0, moment - opened) + _GRACE_S)


def fair(seed: bytes, opened: float, now: float) -> Callable[[str, float], float]:
    """The order of a seed: gives an item (its id, and when it was added) its place, largest first. A weighted draw without
    replacement (Efraimidis and Spirakis, https://doi.org/10.1016/j.ipl.2005.11.003), the weight larger the less the item has
    been `seen`. A place depends on nothing but the item itself, so that others may come and go."""
    begun, log, draw = _SEEN_BEFORE + _log_age(now, opened), math.log, partial(blake2b, digest_size=7, key=seed)

    def place(item: str, created: float) -> float:
        drawn = int.from_bytes(draw(item.encode()).digest(), "big")
        return log((drawn + 1) / _DRAWN) * (begun - log(max(0.0, created - opened) + _GRACE_S))

    return place


def page(keyed: Iterable[tuple[Key, E]], after: Key | None, limit: int) -> tuple[list[E], Key | None]:
    """The next `limit` of items by their keys, largest first; and the key of the last one if more follow. Keys differ."""
    left = keyed if after is None else (pair for pair in keyed if pair[0] < after)
    found = heapq.nlargest(limit + 1, left, key=itemgetter(0))
    return [item for _, item in found[:limit]], found[limit - 1][0] if len(found) > limit else None
