"""The demonstration: the whole of Groundswell without a person. A crowd talks and pledges, a launch goes out, a worker is
killed during its hold, one network throttles and another does not answer, and what arrived at the stand-in networks is compared
with what was pledged."""

from __future__ import annotations

from pathlib import Path


def main(*, stop_during_hold: bool) -> int:
    """Runs it; 0 if everything that it promises holds. `stop_during_hold`: the embedded AWS is stopped over the moment."""
    from infra.console import Problem
    from infra.demo import function_logs, restart, show, system
    from infra.demo.killing import NotKilled
    from infra.demo.progress import Progress, complain
    from infra.demo.site import Refused, Unreachable

    progress = Progress()
    try:
        with system.up(Path("build/demo").absolute()) as running:
            progress.say("the system is up")
            try:
                wrong = restart.everything(running, progress) if stop_during_hold else show.everything(running, show.Size(), progress)
            finally:
                function_logs.keep(running.folder / "functions.log")
    except (Problem, Refused, Unreachable, NotKilled, TimeoutError) as error:
        wrong = [str(error)]
    for complaint in wrong:
        complain(f"does not hold: {complaint}")
    progress.say("everything holds" if not wrong else "see above")
    return 1 if wrong else 0
