"""What the demonstration prints at its end: the launch report, the comparison, where the time went."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from infra.demo.comparison import Comparison, percentile
from infra.demo.progress import Progress
from infra.demo.site import Timings

SENT_P99_MS = 1000.0


def launch_report(report: Mapping[str, Any]) -> str:
    lines = ["", "Launch report", f"  moment {report['at']} ({report['zone']}), state {report['state']}"]
    lines.append(f"  {report['people']} people, of a goal of {report['goal']}")
    counts = ("pledged", "posted", "refused", "reconnect", "halted", "stopped", "not_agreed", "unknown", "missed")
    lines.append("  " + ", ".join(f"{report[name]} {name}" for name in counts))
    told = report["reminders"]
    lines.append(f"  {told['made']} people reminded, {told['opened']} opened their network, {told['done']} said that they posted")
    for lane in report["lanes"]:
        lines.append(f"  lane {lane['lane']}: {lane['pledged']} pledges in {lane['chunks']} chunks, {lane['late_chunks']} of them late")
        for name in ("sent", "acked", "late_sent"):
            times = lane.get(name)
            shares = ("p50_ms", "p99_ms", "max_ms")
            lines += [f"    {name:9} {times['posts']}: " + "  ".join(f"{key} {times[key]:,.1f}" for key in shares)] if times else []
    return "\n".join(lines)


def comparison(found: Comparison) -> str:
    lines = ["", "What arrived at the stand-in networks (loopback), against what was pledged"]
    wrong = (("lost", found.lost), ("doubled", found.doubled), ("before T", found.before), ("not pledged", found.strange))
    lines.append(f"  {found.posted} of {found.pledges} posted; " + ", ".join(f"{name} {len(which)}" for name, which in wrong))
    lines += [f"  {name}: {', '.join(which[:5])}{' ...' if len(which) > 5 else ''}" for name, which in wrong if which]
    for network, times in found.networks.items():
        lines.append(f"  {network}: " + "  ".join(f"{name} {value}" for name, value in times.items()))
        if (times["sent_p99_ms"] or 0) > SENT_P99_MS:
            lines.append(f"  {network} is SLOWER than the {SENT_P99_MS:.0f} ms that 99 of 100 posts should need")
    for late in found.late:
        lines.append(f"  chunk {late.chunk} ({late.why}): {late.posts} posts, p50 {late.sent_p50_ms} ms, last {late.sent_max_ms} ms")
    return "\n".join(lines)


def where_the_time_went(progress: Progress, timings: Timings) -> str:
    lines = ["", "Where the time went (seconds)"]
    lines += [f"  {seconds:7.1f}  {step}" for step, seconds in progress.spent.items()]
    lines += ["", "Requests to the site: how many, median and 99th percentile in milliseconds"]
    for route, seconds in sorted(timings.by_route.items(), key=lambda entry: -sum(entry[1])):
        times = [second * 1000 for second in seconds]
        lines.append(f"  {len(times):6}  {percentile(times, 0.5) or 0:8.1f}  {percentile(times, 0.99) or 0:8.1f}  {route}")
    return "\n".join(lines)
