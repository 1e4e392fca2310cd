"""Networks as they are on a bad day: every Mastodon server throttles, and every one of Bluesky's takes posts and never answers.
Both recognise repetitions, so what became of each post can be found out, and must be."""

from __future__ import annotations

from collections.abc import Sequence

from infra.demo.site import Site

THROTTLED, HANGING = 2, 3  # posts on each host


def begin(desk: Site, towns: Sequence[str], pdses: Sequence[str]) -> str:
    """From now on; says what will happen."""
    for host in towns:
        desk.ask("POST", "/control/faults", {"host": host, "kind": "throttle", "times": THROTTLED})
    for host in pdses:
        desk.ask("POST", "/control/faults", {"host": host, "kind": "hang_after", "times": HANGING})
    return (
        f"Mastodon will throttle {THROTTLED} posts on each of {len(towns)} servers, and Bluesky take {HANGING} on each of {len(pdses)} "
        "without an answer"
    )


def complaints(desk: Site) -> list[str]:
    """If they did not."""
    arrivals = desk.ask("GET", "/control/arrivals?posts=1")["arrivals"]
    throttled = sum(1 for one in arrivals if one["network"] == "mastodon" and one["status"] == 429)
    hanging = sum(1 for one in arrivals if one["network"] == "bluesky" and one["status"] is None and one["published"])
    return [f"{what} did not happen" for what, count in (("throttling", throttled), ("hanging after accepting", hanging)) if not count]
