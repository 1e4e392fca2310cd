"""A chart as what its template draws: bars that lie on their side, so that their names are read at any width."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_EDGES_S = (0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600)
WIDTH, ROW, LEFT, RIGHT = 320, 26, 112, 52  # in the drawing's own units, which are pixels on a narrow screen


@dataclass(frozen=True, slots=True)
class Bar:
    """`y`, `width`: where it lies, in the drawing's own units. Whatever is there at all can be seen."""

    label: str
    count: int
    y: int
    width: float


@dataclass(frozen=True, slots=True)
class Chart:
    bars: list[Bar]

    @property
    def height(self) -> int:
        return len(self.bars) * ROW

    @property
    def total(self) -> int:
        return sum(bar.count for bar in self.bars)


def of(histogram: Mapping[str, int]) -> Chart:
    """The times of a launch report (begin of the tenth of a second -> posts) in steps that become wider, up to the last."""
    counts = [0] * (len(_EDGES_S) + 1)
    for begin, count in histogram.items():
        counts[_step(float(begin))] += count
    while len(counts) > 1 and not counts[-1]:
        counts.pop()
    most, room = max(1, *counts), WIDTH - LEFT - RIGHT
    widths = [max(2.0, round(room * count / most, 1)) if count else 0 for count in counts]
    return Chart([Bar(_label(step), count, step * ROW, width) for step, (count, width) in enumerate(zip(counts, widths, strict=True))])


def _step(begin: float) -> int:
    """Edges lie on tenths, so that a tenth is on one side of each."""
    return sum(1 for edge in _EDGES_S if round(begin, 1) >= edge)


def _label(step: int) -> str:
    if step == 0:
        return f"up to {_said(_EDGES_S[0])} s"
    if step == len(_EDGES_S):
        return f"over {_said(_EDGES_S[-1])} s"
    return f"{_said(_EDGES_S[step - 1])} to {_said(_EDGES_S[step])} s"


def _said(seconds: float) -> str:
    return f"{seconds:g}"
