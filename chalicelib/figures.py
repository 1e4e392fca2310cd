"""The figures of a launch report: pure, so that everything that they are made of stands in the report beside them. What
recounts them from there: `infra.verify_report`."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

FORMAT = "groundswell launch report 1"
OUTCOMES = ("posted", "refused", "reconnect", "halted", "stopped", "not_agreed", "unknown", "missed")
STEP_MS = 100


def percentiles(times: Sequence[float]) -> dict[str, float] | None:
    """p50, p99 (nearest rank) and max in milliseconds after the planned time, of so many `posts`; None where there is nothing
    to measure."""
    if not times:
        return None
    ordered = sorted(times)

    def rank(share: float) -> float:
        return ordered[max(0, math.ceil(share * len(ordered)) - 1)]

    return {"posts": len(ordered), "p50_ms": rank(0.5), "p99_ms": rank(0.99), "max_ms": ordered[-1]}


def histogram(times: Iterable[float]) -> dict[str, int]:
    """How many times (milliseconds) fall into each tenth of a second, by its beginning in seconds: "0.1" is from 100 ms up to,
    and without, 200 ms. Finer would let a post be found by its time."""
    found = Counter(math.floor(time / STEP_MS) for time in times)
    return {f"{tenth / 10:.1f}": found[tenth] for tenth in sorted(found)}


def clock(metas: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """In how many chunks the worker measured its clock against a time server (SNTP), and what was found at most: the offset
    from that server, to either side, and how far the true time may be from what the server said, both in milliseconds."""
    measured, unknown, offsets, errors = 0, 0, [0.0], [0.0]
    for meta in metas:
        offset, error = meta.get("clock_offset_ms"), meta.get("clock_error_ms")
        if offset is None or error is None:
            unknown += 1
        else:
            measured += 1
            offsets.append(abs(float(offset)))
            errors.append(float(error))
    worst = {"max_offset_ms": max(offsets), "max_error_ms": max(errors)} if measured else {"max_offset_ms": None, "max_error_ms": None}
    return {"measured": measured, "unknown": unknown} | worst
