"""What arrived against what was pledged. Pure: the verdict of the demonstration is decided here.

Only the stand-ins' own records say what arrived; the launch report is used for what nobody else can know."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Account = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Pledged:
    """A live pledge as its supporter was told: what, from where, when (Unix nanoseconds)."""

    id: str
    network: str
    host: str
    account: str
    text: str
    planned_ns: int

    @property
    def chunk(self) -> str:
        """`<lane>.<chunk>`, for people: a pledge's id is launch, network, window, chunk and slot."""
        return ".".join(self.id.split(".")[1:-1])


@dataclass(slots=True)
class Arrived:
    """The posting requests of one account, in the order they came."""

    first_ns: int
    published: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class LateChunk:
    """A chunk that a second worker had to send."""

    chunk: str
    why: str
    posts: int
    sent_p50_ms: float | None
    sent_max_ms: float | None


@dataclass(slots=True)
class Comparison:
    """`strange`: what was published by accounts without a live pledge, which must be nothing."""

    pledges: int
    posted: int
    lost: list[str]
    doubled: list[str]
    before: list[str]
    strange: list[str]
    unknown: int
    late: list[LateChunk]
    networks: dict[str, dict[str, float | None]]

    def as_json(self) -> dict[str, Any]:
        late = [{name: getattr(chunk, name) for name in LateChunk.__slots__} for chunk in self.late]
        return {
            "pledges": self.pledges,
            "posted": self.posted,
            "lost": len(self.lost),
            "doubled": len(self.doubled),
            "before_T": len(self.before),
            "unknown": self.unknown,
            "late_chunks": late,
            "networks": self.networks,
        }


def nanoseconds(moment: str) -> int:
    """An RFC 3339 time as Unix nanoseconds, exact to the microsecond."""
    at = datetime.fromisoformat(moment)
    return int(at.replace(microsecond=0).timestamp()) * 1_000_000_000 + at.microsecond * 1000


def compare(
    pledged: Sequence[Pledged], arrivals: Iterable[Mapping[str, Any]], report: Mapping[str, Any], reissued: Mapping[str, str]
) -> Comparison:
    """`reissued`: chunk (as `Pledged.chunk`) -> why it had to be sent by a second worker."""
    arrived = _by_account(arrivals)
    sent = {pledge.id: _after_ms(pledge, arrived) for pledge in pledged}
    texts = {pledge.id: _found(pledge, arrived).published for pledge in pledged}
    known = {(pledge.host, pledge.account) for pledge in pledged}
    return Comparison(
        pledges=len(pledged),
        posted=sum(pledge.text in texts[pledge.id] for pledge in pledged),
        lost=[pledge.id for pledge in pledged if pledge.text not in texts[pledge.id]],
        doubled=[pledge.id for pledge in pledged if len(texts[pledge.id]) > 1],
        before=[pledge.id for pledge in pledged if (sent[pledge.id] or 0) < 0],
        strange=[f"{account}@{host}" for (host, account), found in arrived.items() if found.published and (host, account) not in known],
        unknown=int(report.get("unknown", 0)),
        late=[_late(chunk, why, pledged, sent) for chunk, why in sorted(reissued.items())],
        networks=_networks(pledged, sent, report, reissued),
    )


def _by_account(arrivals: Iterable[Mapping[str, Any]]) -> dict[Account, Arrived]:
    found: dict[Account, Arrived] = {}
    for arrival in arrivals:
        account = (str(arrival["host"]), str(arrival["account"]))
        at = int(arrival["at_ns"])
        one = found.setdefault(account, Arrived(at))
        one.first_ns = min(one.first_ns, at)
        if arrival["published"]:
            one.published.append(str(arrival["text"]))
    return found


def _found(pledge: Pledged, arrived: Mapping[Account, Arrived]) -> Arrived:
    return arrived.get((pledge.host, pledge.account), Arrived(0))


def _after_ms(pledge: Pledged, arrived: Mapping[Account, Arrived]) -> float | None:
    """The pledge's first request, in milliseconds after its planned time; None where none came."""
    found = arrived.get((pledge.host, pledge.account))
    return None if found is None else (found.first_ns - pledge.planned_ns) / 1e6


def _late(chunk: str, why: str, pledged: Sequence[Pledged], sent: Mapping[str, float | None]) -> LateChunk:
    of_chunk = [pledge for pledge in pledged if pledge.chunk == chunk]
    times = [time for pledge in of_chunk if (time := sent[pledge.id]) is not None]
    return LateChunk(chunk, why, len(times), percentile(times, 0.5), max((_rounded(time) for time in times), default=None))


def _networks(
    pledged: Sequence[Pledged], sent: Mapping[str, float | None], report: Mapping[str, Any], reissued: Mapping[str, str]
) -> dict[str, dict[str, float | None]]:
    times: dict[str, list[float]] = defaultdict(list)
    for pledge in pledged:
        after = sent[pledge.id]
        if after is not None and pledge.chunk not in reissued:
            times[pledge.network].append(after)
    return {
        network: {
            "sent_p50_ms": percentile(found, 0.5),
            "sent_p99_ms": percentile(found, 0.99),
            "sent_max_ms": percentile(found, 1.0),
            "acked_p99_ms": _acked(report, network),
        }
        for network, found in times.items()
    }


def _acked(report: Mapping[str, Any], network: str) -> float | None:
    """By our own clock, as the launch report tells it, of the lane that took longest."""
    lanes = [lane for lane in report.get("lanes", []) if lane["network"] == network and lane.get("acked")]
    return max((float(lane["acked"]["p99_ms"]) for lane in lanes), default=None)


def percentile(times: Sequence[float], share: float) -> float | None:
    """Nearest rank, in milliseconds rounded to the microsecond."""
    if not times:
        return None
    return _rounded(sorted(times)[max(0, math.ceil(share * len(times)) - 1)])


def _rounded(milliseconds: float) -> float:
    return round(milliseconds, 3)
