"""The demonstration itself, against a system that is up: crowd, launch, kill, comparison. Its verdict is the exit code."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from infra import verify_report
from infra.demo import killing, leases, misbehaving, reminders, telling
from infra.demo.comparison import Comparison, Pledged, compare
from infra.demo.crowd import Crowd, Somebody
from infra.demo.organisers import Organisers
from infra.demo.progress import Progress
from infra.demo.site import Site
from infra.demo.system import System

LEAST_PLEDGES, LEAST_CHUNKS, LEAST_HOSTS = 500, 4, 20  # pledges: on each network
NETWORKS = ("mastodon", "bluesky")
LATE_WITHIN_MS = 75_000.0


@dataclass(frozen=True, slots=True)
class Size:
    """`talking` of the `people` sign in; `withdrawing` take their post back; `reminded` more post by themselves. `pledging_s`:
    until pledging closes. `goal`: the launch's, in people."""

    people: int = 1006
    talking: int = 60
    withdrawing: int = 6
    pledging_s: float = 240.0
    goal: int = LEAST_PLEDGES * len(NETWORKS)
    reminded: int = 30
    slug: str = "calm"


def everything(system: System, size: Size, progress: Progress) -> list[str]:
    """Runs it all, writes `report.json`, and says what does not hold."""
    organisers = Organisers(system.site, system.desk, size.slug)
    crowd = Crowd(system.site, system.desk, size.slug, progress)
    with progress.step("organisers sign in, open a campaign, propose a launch"):
        prepare(system, organisers, size)
    with progress.step("people talk and pledge"):
        reminded = crowd.be_reminded(size.reminded)
        pledged = conversation(system, crowd, size)
    chunks = sorted({pledge.chunk for pledge in pledged})
    with progress.step("until a worker is killed (pledging closes 150 s before the moment)"):
        launch = pledged[0].id.split(".")[0]
        killed = killing.one_worker(system.dynamodb, launch, chunks, at=organisers.at, folder=system.folder, progress=progress)
    progress.say(misbehaving.begin(system.desk, hosts(system.desk, "town-"), hosts(system.desk, "pds-")))
    with progress.step("until the moment"):
        progress.wait_until(organisers.at, "the posts go out")
    with progress.step("posts out, outcomes, settling (the system looks once a minute)"):
        report = organisers.report(progress)
    found = compare(pledged, posts(system.desk), report, reissued(system, launch, chunks, killed))
    tell(system, progress, report, found)
    verify(system, report)
    letters = system.desk.ask("GET", "/control/mail")["messages"]
    wrong = complaints(found, pledged, report, killed) + misbehaving.complaints(system.desk)
    return wrong + reminders.complaints(reminded, letters, report, at=organisers.at)


def prepare(system: System, organisers: Organisers, size: Size) -> None:
    organisers.sign_in()
    organisers.open_campaign()
    system.appoint(size.slug)
    organisers.propose(pledging_s=size.pledging_s, goal=size.goal)
    organisers.approve()


def conversation(system: System, crowd: Crowd, size: Size) -> list[Pledged]:
    """Those who talk ask for their codes first, and meanwhile the others pledge."""
    crowd.gather(size.people, hosts(system.desk, "town-"), hosts(system.desk, "pds-"))
    talking, others = crowd.people[: size.talking], crowd.people[size.talking :]
    crowd.each(talking, crowd.ask_for_code, "codes asked for")
    crowd.each(others, crowd.lend, "people pledged")
    crowd.sign_in(talking)
    crowd.each(talking, crowd.talk, "people joined, some contributed")
    ideas = crowd.contributions()
    crowd.each(talking, lambda one: crowd.respond(one, ideas), "people voted and commented")
    crowd.each(talking, crowd.lend, "signed-in people pledged")
    leaving: Sequence[Somebody] = others[: size.withdrawing]
    crowd.each(leaving, crowd.withdraw, "people withdrew")
    return crowd.pledged()


def hosts(desk: Site, begin: str) -> list[str]:
    """Mastodon's servers begin with town-, Bluesky's with pds-."""
    return [host["name"] for host in desk.ask("GET", "/control/health")["hosts"] if host["name"].startswith(begin)]


def posts(desk: Site) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = desk.ask("GET", "/control/arrivals?posts=1")["arrivals"]
    return found


def reissued(system: System, launch: str, chunks: Sequence[str], killed: str | None) -> dict[str, str]:
    """The chunks that a second worker had to lease, and why."""
    held = leases.of(system.dynamodb, launch, chunks)
    return {chunk: "worker killed" if chunk == killed else "sent again" for chunk, lease in held.items() if lease.fence > 1}


def tell(system: System, progress: Progress, report: Mapping[str, Any], found: Comparison) -> None:
    written = system.folder / "report.json"
    written.write_text(json.dumps(found.as_json(), indent=2) + "\n")
    print(telling.launch_report(report))
    print(telling.comparison(found))
    print(telling.where_the_time_went(progress, system.site.timings))
    print(f"\nWritten: {written}", flush=True)


def verify(system: System, report: Mapping[str, Any]) -> None:
    """As anybody can who has the report. Raises `Problem` where it does not hold."""
    written = system.folder / "launch-report.json"
    written.write_text(json.dumps(report, indent=2) + "\n")
    print()
    verify_report.run(str(written), None)


def complaints(found: Comparison, pledged: Sequence[Pledged], report: Mapping[str, Any], killed: str) -> list[str]:
    """What the demonstration promised and does not hold; empty if all is well."""
    servers, chunks = {pledge.host for pledge in pledged}, {pledge.chunk for pledge in pledged}
    fewest = min(sum(pledge.network == network for pledge in pledged) for network in NETWORKS)
    wrong = [
        (len(found.lost), "pledges were lost"),
        (len(found.doubled), "posts were doubled"),
        (len(found.before), "posts went out before their time"),
        (len(found.strange), "posts came from accounts without a live pledge"),
        (found.unknown, "outcomes are unknown"),
        (abs(int(report["posted"]) - found.posted), "posts are not what the launch report says"),
        (max(0, LEAST_PLEDGES - fewest), f"pledges too few on a network: {LEAST_PLEDGES} are wanted on each"),
        (max(0, LEAST_CHUNKS - len(chunks)), f"chunks too few: {LEAST_CHUNKS} are wanted"),
        (max(0, LEAST_HOSTS - len(servers)), f"servers too few: {LEAST_HOSTS} are wanted"),
    ]
    said = [f"{count} {what}" for count, what in wrong if count]
    late = [chunk.sent_max_ms for chunk in found.late if chunk.chunk == killed]
    if not late or late[0] is None or late[0] > LATE_WITHIN_MS:
        said.append(f"the killed chunk {killed} was not out within {LATE_WITHIN_MS / 1000:.0f} s")
    return said
