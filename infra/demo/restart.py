"""The embedded AWS is told to stop while workers hold the posts of a launch, and started again after the moment. Posts may
then be late or missed, and the launch report must say which; none may come twice or early."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.figures import OUTCOMES
from infra.demo import leases, show, telling
from infra.demo.comparison import Comparison, Pledged, compare
from infra.demo.crowd import Crowd
from infra.demo.organisers import Organisers
from infra.demo.progress import Progress
from infra.demo.show import Size
from infra.demo.system import System

SIZE = Size(people=300, talking=6, withdrawing=0, pledging_s=60.0, goal=200, slug="restart")
STOP_BEFORE_S, START_AFTER_S = 25.0, 15.0
_LEASED_BY_S = 5.0


def everything(system: System, progress: Progress) -> list[str]:
    """Runs it all, and says what does not hold."""
    organisers = Organisers(system.site, system.desk, SIZE.slug)
    crowd = Crowd(system.site, system.desk, SIZE.slug, progress)
    with progress.step("organisers and people"):
        show.prepare(system, organisers, SIZE)
        pledged = show.conversation(system, crowd, SIZE)
    launch, chunks = pledged[0].id.split(".")[0], sorted({pledge.chunk for pledge in pledged})
    with progress.step("until the stop"):
        progress.wait_until(organisers.at - STOP_BEFORE_S, "the embedded AWS is stopped")
        held = _held(system, launch, chunks, until=organisers.at - STOP_BEFORE_S + _LEASED_BY_S)
    with progress.step("stopped over the moment"):
        system.aws.stop()
        progress.say(f"stopped {organisers.at - time.time():.1f} s before the moment, while {held} of {len(chunks)} chunks were held")
        progress.wait_until(organisers.at + START_AFTER_S, "the embedded AWS is started again")
        system.aws.start()
    with progress.step("after the start: late posts, outcomes, settling"):
        report = organisers.report(progress)
    found = compare(pledged, show.posts(system.desk), report, dict.fromkeys(chunks, "embedded AWS stopped"))
    print(telling.launch_report(report), telling.comparison(found), telling.where_the_time_went(progress, system.site.timings), sep="\n")
    return complaints(found, pledged, report) + ([] if held else ["no chunk was held when the embedded AWS was stopped"])


def _held(system: System, launch: str, chunks: Sequence[str], *, until: float) -> int:
    while time.time() < until:
        held = len(leases.of(system.dynamodb, launch, chunks))
        if held == len(chunks):
            return held
        time.sleep(0.3)
    return len(leases.of(system.dynamodb, launch, chunks))


def complaints(found: Comparison, pledged: Sequence[Pledged], report: Mapping[str, Any]) -> list[str]:
    said = [
        f"{len(which)} {what}" for which, what in ((found.doubled, "doubled"), (found.before, "early"), (found.strange, "strange")) if which
    ]
    if int(report["posted"]) != found.posted:
        said.append(f"the launch report says {report['posted']} posted, and {found.posted} arrived")
    told = sum(int(report[outcome]) for outcome in OUTCOMES)
    if told != len(pledged):
        said.append(f"the launch report tells of {told} posts of {len(pledged)}")
    return said
