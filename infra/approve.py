"""`infra approve`: the operator's approval of a launch, as one of the two, after a look at everything that would go out."""

from __future__ import annotations

import re
from collections.abc import Callable

from infra import rehearse
from infra.console import Problem, say

_NAME = re.compile(r"\w[\w .,'’-]{0,58}[\w.]")


def run(campaign: str, name: str, *, confirmed: bool, ask: Callable[[str], str] = input) -> None:
    """Shows the launch, asks, and approves it as `operator:NAME`: exactly what was shown, or nothing. Safe to repeat. The other
    approval has to be an organiser's, and organisers see the operator's name. Raises `Problem`."""
    from chalicelib import campaigns, clock, errors, launches

    if not _NAME.fullmatch(name):
        raise Problem("--as takes your name: 2 to 60 letters, digits, spaces and . , ' -")
    try:
        found = campaigns.get(campaign, consistent=True)
        launch = launches.of(found)
        revision, who = int(launch.revision), f"{launches.OPERATOR}{name}"
        say(told(launch))
        if who in launch.approvals:
            say(f"\n{name} has approved it already.")
            return
        if not confirmed and ask("\nApprove exactly this? You must not be one of its organisers. Type yes: ").strip() != "yes":
            raise Problem("Nothing was approved.")
        launch = launches.approve(found, who, revision=revision, now=clock.utc_now())
    except errors.GroundswellError as error:
        raise Problem(error.message) from error
    left = launches.APPROVERS - len(launch.approvals)
    say(f"\nApproved as the operator {name}." + (" It may go out." if left <= 0 else " The other approval has to be an organiser’s."))


def told(launch: object) -> str:
    """What would go out, and whether it is ready, as lines."""
    from chalicelib import clock, launches, notices, readiness

    assert isinstance(launch, launches.Launch)
    counts = launches.supporters(launch, consistent=True)
    until = notices.in_words(notices.approvable_until(launch), launch.zone)
    lines = [
        f"{notices.title(launch)}: {notices.in_words(launch.at, launch.zone)}",
        f"  suggested text  {launch.message}",
        f"  link            {launch.url}",
        f"  networks        {', '.join(one + (' (stopped)' if launch.is_stopped(one) else '') for one in launch.networks)}",
        f"  people          {counts.people} of {int(launch.goal)} needed: {counts.automatic} posts, {counts.reminders} reminders",
        f"  state           {launch.state}; revision {int(launch.revision)}",
        f"  approved by     {', '.join(map(_who, launch.approvals)) or 'nobody'}; {launches.APPROVERS} are needed, until {until}",
        "",
    ]
    return "\n".join([*lines, rehearse.told(readiness.of(launch, now=clock.utc_now()))])


def _who(approval: str) -> str:
    kind, _, name = approval.partition(":")
    return f"the operator {name}" if name and kind == "operator" else "an organiser"
