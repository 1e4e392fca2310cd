"""`infra verify-report`: checks a launch report by nothing but itself. The signature first, then every count from the counts that
it is the sum of, and every time, to a tenth of a second, from the histogram beside it."""

from __future__ import annotations

import json
import math
import urllib.request
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from chalicelib import signatures
from chalicelib.figures import FORMAT, OUTCOMES
from chalicelib.settings import SLOTS_PER_CHUNK
from infra.console import Problem, say

TIMEOUT_S = 20
_SHARES = {"p50_ms": 0.5, "p99_ms": 0.99, "max_ms": 1.0}
_STATES = ("settled", "stopped", "goal_missed", "not_approved")
_UNSIGNED = ("signature", "came_of_it")

Json = Mapping[str, Any]


class Wrong(ValueError):
    """What does not agree."""


def run(place: str, key: str | None) -> None:
    """Says what was checked. `key`: the fingerprint of the key that must have signed. Raises `Problem` with the reason."""
    report = _read(place)
    try:
        for line in checked(report, key):
            say(line)
    except (Wrong, signatures.Broken) as wrong:
        raise Problem(f"This report does not hold: {wrong}.") from wrong
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Problem(f"This is no launch report that can be read here: {type(error).__name__} {error}.") from error
    say("The report holds. That shows that nobody has changed it since; not that it, or the clock, was right.")


def _read(place: str) -> Json:
    try:
        if place.startswith(("https://", "http://")):
            with urllib.request.urlopen(place, timeout=TIMEOUT_S) as answer:  # noqa: S310  # the two schemes above
                text = answer.read().decode()
        else:
            text = Path(place).read_text()
        found = json.loads(text, object_pairs_hook=_once)
    except OSError as error:
        raise Problem(f"{place} cannot be read: {error}") from error
    except ValueError as error:
        hint = "its address is /v1/campaigns/SLUG/launch/report"
        raise Problem(f"{place} is not the JSON of a launch report ({hint}): {error}") from error
    if not isinstance(found, dict):
        raise Problem(f"{place} is JSON, and no launch report")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Of two equal names in a file, a reader may look at one and a program at the other."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands there twice")
    return found


def checked(report: Json, key: str | None = None) -> Iterator[str]:
    """Checks one thing after another, and tells what. Raises `Wrong`, `signatures.Broken`; `KeyError`, `TypeError`, `ValueError`
    where it is no launch report at all."""
    signature = report["signature"]
    signatures.check({name: value for name, value in report.items() if name not in _UNSIGNED}, signature)
    yield f"signature: {signature['algorithm']}, by the key {signature['key_id']}"
    _same("the key", signature["key_id"], key or signature["key_id"])
    for lane in report["lanes"]:
        _lane(lane)
        _planned(report, lane["lane"])
        yield f"lane {lane['lane']}: {lane['pledged']} posts in {lane['chunks']} chunks; {_told(lane)}"
    _whole(report)
    yield f"in all: {report['pledged']} posts, {', '.join(f'{report[name]} {name}' for name in OUTCOMES)}"
    yield "not checked, since it rests on the signature alone: milliseconds within a tenth of a second, what clocks were found to be,"
    yield "people, reminders" + (", and what came of it, which is not signed" if report.get("came_of_it") else "")


def _told(lane: Json) -> str:
    kinds = ("sent", "late_sent", "acked")
    times = [f"{kind} {lane[kind]['posts']}, 99 % within {_tenth(lane[kind]['p99_ms']) / 10 + 0.1:.1f} s" for kind in kinds if lane[kind]]
    return "; ".join(times) or "nothing was sent"


def _same(what: str, told: object, counted: object) -> None:
    if told != counted:
        raise Wrong(f"{what} is {told}, and {counted} by what it is made of")


def _at_most(what: str, less: float, more: float) -> None:
    if not less <= more:
        raise Wrong(f"{what}: {less} is more than {more}")


def _whole(report: Json) -> None:
    lanes = report["lanes"]
    for name in OUTCOMES:
        _same(name, report[name], sum(lane["outcomes"][name] for lane in lanes))
    _same("pledged", report["pledged"], sum(lane["pledged"] for lane in lanes))
    _same("pledged", report["pledged"], sum(report[name] for name in OUTCOMES))
    _same("the number of lanes", len(lanes), len({lane["lane"] for lane in lanes}))
    for name in ("opened", "done"):
        _at_most(f"reminders {name}", report["reminders"][name], report["reminders"]["made"])
    _same("the format", report["format"], FORMAT)
    _same("that the launch has ended", report["state"] in _STATES, True)
    if report["state"] in _STATES[2:]:
        _same("posted", report["posted"], 0)
    if report["state"] in ("settled", "goal_missed"):
        _same("that the goal was reached", report["state"] == "settled", report["people"] >= report["goal"])
    _at_most("the moment and the time of writing", _seconds(report["at"]) - 3600 * 24, _seconds(report["written_at"]))


def _lane(lane: Json) -> None:
    name = lane["lane"]
    _same("a lane's name", name, f"{lane['network']}.{lane['window']}")
    _same(f"{name}, outcomes", sorted(lane["outcomes"]), sorted(OUTCOMES))
    _same(f"{name}, pledged", lane["pledged"], sum(lane["outcomes"].values()))
    _same(f"{name}, empty", lane["empty"], lane["slots"] - lane["pledged"])
    _same(f"{name}, chunks", lane["chunks"], -(-lane["slots"] // SLOTS_PER_CHUNK))
    for what, count in {**lane["outcomes"], "empty": lane["empty"], "late_chunks": lane["late_chunks"]}.items():
        _at_most(f"{name}, {what}", 0, count)
    _at_most(f"{name}, late_chunks", lane["late_chunks"], lane["chunks"])
    for kind in ("sent", "late_sent", "acked"):
        _times(f"{name}, {kind}", lane[kind], lane[f"{kind}_histogram"])
    _sums(name, lane)


def _planned(report: Json, name: str) -> None:
    """Window 0 is the moment itself, and a network's windows are equally far apart."""
    windows = [lane for lane in report["lanes"] if lane["network"] == name.partition(".")[0]]
    after = {int(lane["window"]): _seconds(lane["planned_at"]) - _seconds(report["at"]) for lane in windows}
    period = max((after[window] / window for window in after if window), default=0.0)
    for window, seconds in after.items():
        _same(f"{name}, planned_at", seconds, window * period)


def _sums(name: str, lane: Json) -> None:
    sent, late, acked = (sum(lane[f"{kind}_histogram"].values()) for kind in ("sent", "late_sent", "acked"))
    _at_most(f"{name}, sent", sent + late, lane["pledged"])
    _at_most(f"{name}, acked", acked, sent)
    _at_most(f"{name}, posted and sent", lane["outcomes"]["posted"], sent + late)
    _at_most(f"{name}, late and late chunks", late, lane["late_chunks"] * SLOTS_PER_CHUNK)
    clock = lane["clock"]
    _at_most(f"{name}, clock", clock["measured"] + clock["unknown"], lane["chunks"])
    _same(f"{name}, clock is known", [clock[what] is not None for what in ("max_offset_ms", "max_error_ms")], [clock["measured"] > 0] * 2)


def _times(what: str, told: Json | None, histogram: Mapping[str, int]) -> None:
    """Nearest rank, as `figures.percentiles` does, but in the histogram."""
    tenths = sorted((_key(begin), count) for begin, count in histogram.items())
    total = sum(count for _, count in tenths)
    _same(f"{what}, that there is something", told is not None, total > 0)
    if told is None:
        return
    _at_most(f"{what}, a count", 1, min(count for _, count in tenths))
    _same(f"{what}, posts", told["posts"], total)
    for name, share in _SHARES.items():
        _same(f"{what}, {name} in tenths of a second", _tenth(told[name]), _at_rank(tenths, max(1, math.ceil(share * total))))
    _at_most(f"{what}, p50_ms and p99_ms", told["p50_ms"], told["p99_ms"])
    _at_most(f"{what}, p99_ms and max_ms", told["p99_ms"], told["max_ms"])


def _at_rank(tenths: list[tuple[int, int]], rank: int) -> int:
    for tenth, count in tenths:
        rank -= count
        if rank <= 0:
            return tenth
    raise AssertionError("the rank is at most the total")


def _key(begin: str) -> int:
    tenth = round(float(begin) * 10)
    _same("a histogram's tenth", begin, f"{tenth / 10:.1f}")
    return tenth


def _tenth(ms: float) -> int:
    return math.floor(ms / 100)


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
