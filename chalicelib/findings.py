"""What is found about a launch before it is approved: how bad it is, and what to do about it, in plain words. Pure.

What could not be read is "unknown", never fine. Where people can still join in, what depends on their number is worked out for
as many as the goal asks for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Literal

from . import networks, slots
from .quotas import Account
from .rehearsals import Looked

Level = Literal["fine", "unknown", "warning", "stops"]
Name = Literal["windows", "permissions", "workers", "pollers", "exactness", "dress_rehearsal", "email"]
TOGETHER_S = 600  # launches so near to each other wake their workers from the same pollers
POLLERS_FROM = 900  # chunks; without pollers of its own a queue's workers are not allowed to be more
OTHERS_RUN = 5  # pages, the minute, counts and two letters have to run, too
SMALL_ACCOUNT, LEFT_TO_OTHERS = 200, 100
# Up to so many posts: by when 99 of 100 of one window are to be written, in ms. What `make simulate` has to reach.
EXACT_MS = ((10_000, 100), (100_000, 250), (1_000_000, 1000))
STALE_S, BEFORE_MOMENT_S = 2 * 86_400, 900
WOKEN_LATE_S = 20.0  # a worker that has less time than this cannot open its connections in peace
NETWORKS = {"mastodon": "Mastodon", "bluesky": "Bluesky"}


@dataclass(frozen=True, slots=True)
class Finding:
    """`name` is for programs; `found` and `do` are for people, and `do` is empty where there is nothing to do."""

    name: Name
    level: Level
    found: str
    do: str = ""


@dataclass(frozen=True, slots=True)
class Window:
    """The posts of one network that have one planned time. `hosts_s`: how long its busiest server's take, since each server
    gets only so many of them a second."""

    network: str
    planned_at: datetime
    posts: int
    chunks: int
    hosts_s: int = 0


@dataclass(frozen=True, slots=True)
class Known:
    """`others`: chunks of other launches at nearly the same time. `reminders`: those with an address; `people`: who have joined
    in so far. `mail_per_s` as it is set. `lead_s`: how long before their moment workers wake up."""

    windows: Sequence[Window]
    goal: int
    is_open: bool
    now: datetime
    lead_s: float = 60.0
    others: int = 0
    account: Account | None = None
    pollers: bool = False
    reminders: int = 0
    people: int = 0
    mail_per_s: float = 1.0
    probe: Looked | None = None
    dress: Looked | None = None

    @property
    def posts(self) -> int:
        so_far = sum(window.posts for window in self.windows)
        return max(so_far, self.goal) if self.is_open else so_far

    @property
    def chunks(self) -> int:
        """At once: of all windows and launches within ten minutes."""
        begins = [window.planned_at for window in self.windows]
        near = (sum(one.chunks for one in self.windows if 0 <= (one.planned_at - at).total_seconds() <= TOGETHER_S) for at in begins)
        return max(max(near, default=0), slots.chunks_for(self.posts) if self.is_open else 0) + self.others

    @property
    def letters(self) -> int:
        """At most: two to everybody who is reminded, one to everybody of how it ended."""
        return 2 * self.reminders + (max(self.people, self.goal) if self.is_open else self.people)


def assess(known: Known) -> list[Finding]:
    """The worst first."""
    found = [*_windows(known), *_permissions(known), _workers(known), *_pollers(known), _exactness(known), _dress(known), _email(known)]
    order: Sequence[Level] = ("stops", "warning", "unknown", "fine")
    return sorted(found, key=lambda one: order.index(one.level))


def _clock(moment: datetime) -> str:
    return f"{moment:%H:%M}"


def _windows(known: Known) -> Iterator[Finding]:
    """One network's posts against what its servers take from us."""
    for network, group in groupby(sorted(known.windows, key=lambda one: (one.network, one.planned_at)), key=lambda one: one.network):
        windows, chosen, name = list(group), networks.get(network), NETWORKS.get(network, network)
        told = ", ".join(f"{one.posts} at {_clock(one.planned_at)}" for one in windows)
        if len(windows) == 1:
            yield Finding("windows", "fine", f"{name}: {told}. No server is asked for more than it takes from us at a time.")
            continue
        takes = f"one server takes at most {chosen.BUDGET} posts from us in {chosen.PERIOD_S // 60} minutes, and more have accounts on one"
        yield Finding(
            "windows",
            "warning",
            f"{name}: {told}, since {takes}.",
            f"Approve only if the later times are all right: no later than {_clock(windows[-1].planned_at)} instead of "
            f"{_clock(windows[0].planned_at)}. Otherwise ask people to lend a post from another network, or another server.",
        )


def _permissions(known: Known) -> Iterator[Finding]:
    probe = known.probe
    if probe is None:
        if known.windows:
            yield Finding("permissions", "unknown", "Nobody has looked whether the permissions to post still work.", "Start a rehearsal.")
        return
    for network, counts in sorted(probe.counts.items()):
        yield _permission(NETWORKS.get(network, network), counts)
    if probe.standing in ("asked", "running"):
        yield Finding(
            "permissions", "unknown", f"A rehearsal is under way: {probe.done} of {probe.chunks} parts are done.", "Look again soon."
        )
    elif probe.standing == "unfinished":
        done = f"{probe.done} of {probe.chunks} parts"
        yield Finding("permissions", "unknown", f"The last rehearsal did not finish; it got through {done}.", "Start another one.")
    elif (known.now - probe.at).total_seconds() > STALE_S:
        days = (known.now - probe.at).days
        yield Finding("permissions", "unknown", f"The permissions were last looked at {days} days ago.", "Start another rehearsal.")


def _permission(name: str, counts: Mapping[str, int]) -> Finding:
    gone, silent, asked = counts.get("reconnect", 0), counts.get("unreachable", 0), sum(counts.values())
    if gone:
        level: Level = "stops" if gone == asked else "warning"
        do = "These people have to give their permission again, on the page of their post; who gave an e-mail address can be told."
        return Finding("permissions", level, f"{name}: {gone} of {asked} permissions no longer work, so these posts would fail.", do)
    if silent:
        found = f"{name}: the servers of {silent} of {asked} permissions did not answer as they should."
        return Finding("permissions", "warning", found, "Start another rehearsal later; if it stays so, their posts are likely to fail.")
    return Finding("permissions", "fine", f"{name}: {'the one permission works' if asked == 1 else f'all {asked} permissions work'}.")


def _workers(known: Known) -> Finding:
    """Functions that run at once: each worker holds one chunk of up to 250 posts over the moment."""
    account, needed = known.account, known.chunks
    for_goal = " if as many people lend a post as the goal asks for" if known.is_open else ""
    needs = f"{needed} {'worker' if needed == 1 else 'workers'} at the same moment{for_goal}"
    if account is None or account.concurrent is None:
        return Finding(
            "workers",
            "unknown",
            f"This launch needs {needs}. How many the AWS account may run is not known.",
            "The operator finds out: python -m infra rehearse.",
        )
    limit, kept, spare = int(account.concurrent), int(account.reserved or 0), _room(known, account)
    ask = "The operator asks AWS for a higher “concurrent executions” quota (at least 1,000), and deploys again."
    if needed > spare:
        whole = f"the {kept} that it keeps for launches" if kept and needed <= POLLERS_FROM else f"its {limit} functions at once"
        return Finding("workers", "stops", f"This launch needs {needs}; this AWS account has room for {spare} of {whole}.", ask)
    if limit < SMALL_ACCOUNT:
        found = f"This AWS account may run only {limit} functions at once, for launches and pages together. This launch needs {needs}"
        return Finding("workers", "warning", f"{found}; while they wait for the moment, pages may not answer.", ask)
    return Finding("workers", "fine", f"This launch needs {needs}; the AWS account has room for {spare}.")


def _room(known: Known, account: Account) -> int:
    """For workers: what is kept for them, or what the other functions leave. Provisioned pollers come with all that may be kept:
    100 are left to all other functions (https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html)."""
    unreserved, kept = int(account.unreserved or 0), int(account.reserved or 0)
    if known.chunks > POLLERS_FROM:
        return max(0, unreserved + kept - LEFT_TO_OTHERS)
    return kept or max(0, unreserved - OTHERS_RUN)


def _pollers(known: Known) -> Iterator[Finding]:
    if known.chunks <= POLLERS_FROM:
        return
    if known.pollers:
        yield Finding("pollers", "fine", f"Pollers are provisioned for {known.chunks} workers.")
        return
    found = f"More than {POLLERS_FROM} workers ({known.chunks}) are not woken in time by the queue’s usual pollers."
    do = "Within the hour before the moment the operator runs python -m infra pollers --launch, which undoes it afterwards."
    yield Finding("pollers", "stops", found, do)


def _exactness(known: Known) -> Finding:
    """What is planned, and what is expected within one window; nothing here was measured on AWS."""
    by_ms = next((ms for posts, ms in EXACT_MS if known.posts <= posts), EXACT_MS[-1][1])
    last = max((window.planned_at for window in known.windows), default=None)
    first = min((window.planned_at for window in known.windows), default=None)
    hosts_s = max((window.hosts_s for window in known.windows), default=0)
    told = [f"99 of 100 posts of one planned time are expected within {by_ms} ms of it"]
    if hosts_s:
        told.append(f"on the busiest server the last follows after {hosts_s} s, since we spare it")
    if last and first and last > first:
        told.append(f"planned times go from {_clock(first)} to {_clock(last)}")
    return Finding("exactness", "fine", f"{'; '.join(told)}. This is worked out, not measured on AWS.")


def _dress(known: Known) -> Finding:
    dress = known.dress
    if dress is None or dress.standing == "unfinished" or (dress.standing != "done" and dress.at <= known.now):
        do = "For a large launch, set a dress rehearsal at least an hour before the moment: everything is done up to sending nothing."
        return Finding("dress_rehearsal", "unknown", "There was no dress rehearsal.", do)
    if dress.standing != "done":
        return Finding("dress_rehearsal", "unknown", "A dress rehearsal is set; it has not taken place yet.", "Look again afterwards.")
    totals = {name: sum(one.get(name, 0) for one in dress.counts.values()) for name in ("posts", "open", "reconnect")}
    late = sorted(dress.measured.get("late_ms", []))
    by = f", 99 of 100 {late[max(0, -(-99 * len(late) // 100) - 1)]:.1f} ms after their time" if late else ""
    error = max(dress.measured.get("error_ms", []), default=None)
    clock = f"our clocks were right to {error:.1f} ms" if error is not None else "how right our clocks are could not be measured"
    found = f"In the dress rehearsal {totals['open']} of {totals['posts']} connections stood open at the moment{by}; {clock}."
    woke = min(dress.measured.get("woke_s", []), default=known.lead_s)
    if woke < WOKEN_LATE_S or totals["open"] < totals["posts"] - totals["reconnect"]:
        do = f"Workers had {woke:.0f} s before the moment; start another rehearsal, and tell the operator if it stays so."
        return Finding("dress_rehearsal", "warning", found, do)
    return Finding("dress_rehearsal", "fine", found)


def _email(known: Known) -> Finding:
    account, needed = known.account, known.letters
    if account is None or account.mail_per_s is None or account.mail_per_day is None:
        found = f"Up to {needed} e-mails belong to this launch. How many the AWS account may send is not known."
        return Finding("email", "unknown", found, "The operator finds out: python -m infra rehearse.")
    rate, day = float(account.mail_per_s), int(account.mail_per_day)
    left = needed if day < 0 else max(0, day - int(account.mailed or 0))
    if account.mail_open == 0:
        found = "Amazon SES still has this account in its sandbox: it writes only to addresses that were proven to it before."
        return Finding("email", "warning", found, "The operator asks AWS for SES production access. Posts do not depend on it.")
    if known.mail_per_s > rate:
        found = f"We are set to send {known.mail_per_s:g} e-mails a second, and SES takes {rate:g}: some would be late."
        return Finding("email", "warning", found, f"The operator sets MAIL_PER_S to {rate:g}, and deploys again.")
    if needed > left:
        found = f"Up to {needed} e-mails belong to this launch, and SES takes {left} more today (its limit is {day} in 24 hours)."
        return Finding("email", "warning", found, "The operator asks AWS for a higher sending quota. Posts do not depend on it.")
    if known.reminders > BEFORE_MOMENT_S * known.mail_per_s:
        found = f"{known.reminders} reminders at {known.mail_per_s:g} a second take longer than the 15 minutes before the moment."
        return Finding("email", "warning", found, "The operator raises MAIL_PER_S, if SES takes more, and deploys again.")
    return Finding("email", "fine", f"Up to {needed} e-mails belong to this launch; SES takes them, {known.mail_per_s:g} a second.")
