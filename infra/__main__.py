"""The operator's commands: python -m infra COMMAND --stage STAGE"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from infra import stack
from infra.console import Problem, say, step

Command = Callable[[argparse.Namespace], int | None]


def up(arguments: argparse.Namespace) -> None:
    stack.enter(arguments.stage)
    stack.up(arguments.stage)
    say(f"Next: chalice deploy --stage {arguments.stage}, then python -m infra finish --stage {arguments.stage} (or make deploy)")


def finish(arguments: argparse.Namespace) -> None:
    from infra import finish

    stack.enter(arguments.stage)
    finish.run(arguments.stage)


def deploy(arguments: argparse.Namespace) -> None:
    from infra import deploy, site

    deploy.run(arguments.stage)
    say(f"The site: {site.url(arguments.stage)}")


def down(arguments: argparse.Namespace) -> None:
    from infra import teardown

    stack.enter(arguments.stage)
    teardown.run(arguments.stage, confirmed=arguments.yes)


def redrive(arguments: argparse.Namespace) -> None:
    from infra import redrive

    stack.enter(arguments.stage)
    say(f"{redrive.run(arguments.stage, confirmed=arguments.yes)} dealt with.")


def recount(arguments: argparse.Namespace) -> None:
    from infra import recount

    stack.enter(arguments.stage)
    with step("recounting everything"):
        recount.run(arguments.stage)


def organiser(arguments: argparse.Namespace) -> None:
    from infra import organisers

    stack.enter(arguments.stage)
    organisers.add(arguments.email, arguments.campaign, now=datetime.now(UTC))
    what = f"organises {arguments.campaign}" if arguments.campaign else "can create campaigns"
    say(f"{arguments.email} {what} from now on: sign in at the site with this address.")


def rehearse(arguments: argparse.Namespace) -> int:
    from infra import rehearse

    stack.enter(arguments.stage)
    return 0 if rehearse.run(arguments.stage, arguments.campaign, arguments.dress) else 1


def approve(arguments: argparse.Namespace) -> None:
    from infra import approve

    stack.enter(arguments.stage)
    approve.run(arguments.campaign, arguments.name, confirmed=arguments.yes)


def pollers(arguments: argparse.Namespace) -> None:
    from infra import pollers

    stack.enter(arguments.stage)
    if arguments.undo:
        pollers.undo(arguments.stage)
    else:
        pollers.launch(arguments.stage, arguments.campaign)


def replay(arguments: argparse.Namespace) -> int:
    from infra.polis import replay

    asked = replay.Asked(arguments.folder, _slug(arguments), arguments.url, arguments.desk, arguments.organiser, arguments.first)
    return replay.run(asked)


def _slug(arguments: argparse.Namespace) -> str:
    return str(arguments.campaign or arguments.folder.absolute().name.rpartition(".")[2])


def import_(arguments: argparse.Namespace) -> int:
    from infra.polis import workers

    if arguments.stage:
        stack.enter(arguments.stage)
    work = workers.Work(arguments.folder, _slug(arguments), arguments.organiser, arguments.stage, arguments.first)
    return workers.run(work, arguments.processes)


def run(_: argparse.Namespace) -> int:
    from infra.run import main

    return main()


def demo(arguments: argparse.Namespace) -> int:
    from infra import demo

    return demo.main(stop_during_hold=arguments.stop_during_hold)


def verify_report(arguments: argparse.Namespace) -> None:
    from infra import verify_report

    verify_report.run(arguments.place, arguments.key)


Add = Callable[..., argparse.ArgumentParser]


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="python -m infra", description=__doc__)
    commands = made.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, command: Command, says: str, *, staged: bool = True) -> argparse.ArgumentParser:
        one = commands.add_parser(name, help=says, description=says)
        one.set_defaults(command=command)
        if staged:
            one.add_argument("--stage", choices=stack.STAGES, required=True)
        return one

    _stages(add)
    _launches(add)
    _conversations(add)
    report = add("verify-report", verify_report, "check a launch report's signature, and recount its figures", staged=False)
    report.add_argument("place", metavar="FILE-or-URL", help="the report's JSON: a file, or its address on the site")
    report.add_argument("--key", metavar="FINGERPRINT", help="the key that must have signed it, as you know it from elsewhere")
    add("run", run, "the whole system on the embedded AWS, until Ctrl-C", staged=False)
    demonstration = add("demo", demo, "the same without a person: a launch, checked", staged=False)
    demonstration.add_argument("--stop-during-hold", action="store_true", help="end the embedded AWS while workers hold")
    return made


def _stages(add: Add) -> None:
    """What is done to a stage."""
    add("up", up, "create or update the stack that chalice deploys onto")
    add("finish", finish, "set and verify what chalice deploy cannot")
    add("deploy", deploy, "up, chalice deploy, finish")
    add("down", down, "delete everything of a stage").add_argument("--yes", action="store_true", help="do not ask")
    again = add("redrive", redrive, "show what failed for good, and have it done again")
    again.add_argument("--yes", action="store_true", help="do not ask")
    add("recount", recount, "recount everything that streams keep up to date, as each night does")
    people = add("organiser", organiser, "let somebody create campaigns, or organise one that exists")
    people.add_argument("--campaign", metavar="SLUG", help="the campaign to organise; left out, they may create campaigns")
    people.add_argument("act", choices=["add"])
    people.add_argument("email")


def _launches(add: Add) -> None:
    """What is done about a launch."""
    trying = add("rehearse", rehearse, "rehearse a launch, and say whether it is ready; exits non-zero where something stops it")
    trying.add_argument("--campaign", metavar="SLUG", required=True)
    trying.add_argument("--dress", metavar="AT", help="a dress rehearsal at this time, such as 2027-02-09T20:00+00:00")
    agreeing = add("approve", approve, "show a launch, and approve it as the operator: one of the two approvals that it needs")
    agreeing.add_argument("--campaign", metavar="SLUG", required=True)
    agreeing.add_argument("--as", dest="name", metavar="NAME", required=True, help="who you are; organisers see it")
    agreeing.add_argument("--yes", action="store_true", help="do not ask")
    waking = add("pollers", pollers, "for a launch of more than 900 chunks: provision what wakes its workers, and undo that")
    which = waking.add_mutually_exclusive_group(required=True)
    which.add_argument("--launch", action="store_true", help="provision them, stay until the launch has ended, then undo it")
    which.add_argument("--undo", action="store_true", help="undo it now")
    waking.add_argument("--campaign", metavar="SLUG", help="left out: all launches of the next 24 hours")


def _conversations(add: Add) -> None:
    """Real ones, played again."""
    playing = add("replay", replay, "play a Pol.is export through the public API, and compare every tally", staged=False)
    playing.add_argument("--url", required=True, help="where the site is; `make run` says it")
    playing.add_argument("--desk", default="http://127.0.0.1:4580", metavar="URL", help="where e-mails are read: the local desk")
    loading = add("import", import_, "load a Pol.is export through the domain's functions, and compare every tally", staged=False)
    loading.add_argument("--stage", choices=stack.STAGES, help="left out: an AWS in the processes' own memory, gone afterwards")
    loading.add_argument("--processes", type=int, default=os.cpu_count() or 1, metavar="N")
    for one in (playing, loading):
        one.add_argument("folder", type=Path, metavar="DIR", help="an export: comments.csv, and votes.csv or participants-votes.csv")
        one.add_argument("--campaign", metavar="SLUG", help="made for it where there is none; left out, it is called like the folder")
        one.add_argument("--first", type=int, metavar="N", help="only the first votes, and the statements that they touch")
        one.add_argument("--organiser", metavar="EMAIL", default="first.organiser@example.org", help="who makes the campaign, and hides")


def main() -> int:
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    arguments = parser().parse_args()
    try:
        return arguments.command(arguments) or 0
    except Problem as problem:
        sys.stdout.flush()
        sys.stderr.write(f"\n{problem}\n")
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
