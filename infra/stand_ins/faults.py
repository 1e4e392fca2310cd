"""What a host is told to do wrong, and for how many more requests. Faults meet posting only, unless they say otherwise by `on`."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

from infra.stand_ins.arrivals import Deed

Kind = Literal["throttle", "fail", "fail_after", "hang", "hang_after", "drop_after", "slow"]
KINDS: tuple[Kind, ...] = get_args(Kind)
ANY_HOST = "*"


@dataclass(slots=True)
class Fault:
    """throttle: 429. fail: `status`, nothing is published. fail_after: `status`, though it was published. hang: no
    answer, nothing published. hang_after: published, no answer. drop_after: published, connection closed without an
    answer. slow: published after `seconds` more. `times` None means until cleared. `on`: which requests it meets."""

    kind: Kind
    times: int | None = None
    status: int = 503
    seconds: float = 5.0
    account: str | None = None
    on: Deed = "post"

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(slots=True)
class Faults:
    by_host: dict[str, list[Fault]] = field(default_factory=dict)

    def add(self, host: str, fault: Fault) -> None:
        """On one host, or on every one with `ANY_HOST`."""
        self.by_host.setdefault(host, []).append(fault)

    def take(self, host: str, account: str | None, deed: Deed) -> Fault | None:
        """The fault that meets this request, used up once."""
        for name in (host, ANY_HOST):
            for fault in self.by_host.get(name, []):
                if fault.times != 0 and fault.on == deed and fault.account in (None, account):
                    fault.times = None if fault.times is None else fault.times - 1
                    return fault
        return None

    def clear(self) -> None:
        self.by_host.clear()


def parsed(data: dict[str, Any]) -> Fault:
    """From the control API's JSON. Raises `ValueError` saying what is wrong."""
    kind = data.get("kind")
    if kind not in KINDS:
        raise ValueError(f"kind: one of {', '.join(KINDS)}")
    times = data.get("times")
    if times is not None and (not isinstance(times, int) or times < 1):
        raise ValueError("times: a whole number of at least 1, or left out for always")
    status = data.get("status", 503)
    if not isinstance(status, int) or not 400 <= status <= 599:
        raise ValueError("status: 400 to 599")
    on = data.get("on", "post")
    if on not in get_args(Deed):
        raise ValueError(f"on: one of {', '.join(get_args(Deed))}")
    return Fault(kind, times=times, status=status, seconds=float(data.get("seconds", 5.0)), account=data.get("account"), on=on)
