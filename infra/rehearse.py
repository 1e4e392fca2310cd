"""`infra rehearse`: starts a rehearsal of a campaign's launch, shows how far it is, and prints whether the launch is ready."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from infra import account
from infra.console import Problem, bar, say

if TYPE_CHECKING:
    from chalicelib.readiness import Readiness
    from chalicelib.rehearsals import Looked

EVERY_S = 3.0
LEVELS = {"stops": "STOPS", "warning": "look", "unknown": "not known", "fine": "fine"}
ITEMS = {"lambda": "Lambda", "sqs": "SQS", "dynamodb": "DynamoDB", "kms": "KMS", "pollers": "pollers", "email": "e-mail"}


def run(stage: str, campaign: str, dress: str | None, *, pause: Callable[[float], None] | None = None) -> bool:
    """True where nothing stops the launch. Looks at the AWS account first, with the operator's own rights. Safe to repeat: a
    rehearsal that is under way is waited for. Raises `Problem`."""
    from chalicelib import campaigns, clock, errors, launches, readiness, rehearsals

    account.note(stage)
    try:
        found = campaigns.get(campaign, consistent=True)
        launch = launches.of(found)
        kind: rehearsals.Kind = "dress" if dress else "probe"
        rehearsals.start(found, "operator", kind, at=_moment(dress), now=clock.utc_now())
    except errors.GroundswellError as error:
        raise Problem(error.message) from error
    _wait(lambda: rehearsals.look(launch.id, kind, now=clock.utc_now()), pause or time.sleep)
    report = readiness.of(launches.of(found), now=clock.utc_now())
    say(told(report))
    return report.ready


def _moment(text: str | None) -> datetime | None:
    try:
        found = datetime.fromisoformat(text) if text else None
    except ValueError:
        found = None
    if text and (found is None or found.tzinfo is None):
        raise Problem("Say when with an offset: --dress 2027-02-09T20:00+00:00")
    return found


def _wait(look: Callable[[], Looked | None], pause: Callable[[float], None]) -> None:
    """Until it has ended. Ctrl-C ends the waiting only."""
    try:
        while (found := look()) and found.standing in ("asked", "running"):
            bar("rehearsing", found.done, found.chunks)
            pause(EVERY_S)
        if found:
            bar("rehearsing", found.done, found.chunks, last=True)
    except KeyboardInterrupt:
        say("\nThe rehearsal goes on without this terminal.")


def told(report: Readiness) -> str:
    """The report as lines."""
    lines = ["Ready: nothing stops the launch." if report.ready else "Not ready: something stops the launch.", ""]
    for one in report.findings:
        lines.append(f"  {LEVELS[one.level]:>9}  {one.found}")
        lines += [f"{'':>11}  -> {one.do}"] if one.do else []
    lines += ["", "  planned:"] + [
        f"    {one.planned_at:%Y-%m-%d %H:%M %Z}  {one.network:<10} {one.posts:>8} posts" for one in report.windows
    ]
    lines += ["", "  dollars, by AWS's list prices:"] + [f"    {ITEMS[one.item]:<10} {one.dollars:>10.4f}" for one in report.costs]
    return "\n".join([*lines, f"    together {report.dollars:.2f}, without e-mail {report.dollars_without_email:.2f}"])
