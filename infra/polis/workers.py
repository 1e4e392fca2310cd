"""`infra import`: a whole export through the domain, by several processes at once, each with a share of the statements and all
votes on them. On a stage they share its AWS; without one, each has an AWS of its own in its memory."""

from __future__ import annotations

import multiprocessing
import os
import queue
import resource
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from infra import stack
from infra.console import Problem, say
from infra.demo.progress import Progress
from infra.embedded import server
from infra.polis import export, memory, truth
from infra.polis.export import Export
from infra.polis.truth import Tallies

MEMORY = "each on an embedded AWS of its own, in its memory"
_TOLD_EVERY = 100


@dataclass(frozen=True, slots=True)
class Work:
    """What one process does: share `number` of `of`. Without a `stage`, in its own memory. `first`: of the votes."""

    folder: Path
    slug: str
    organiser: str
    stage: str | None
    first: int | None
    number: int = 0
    of: int = 1

    def read(self) -> Export:
        whole = export.read(self.folder)
        return whole if self.first is None else whole.first(self.first)


@dataclass(frozen=True, slots=True)
class Done:
    """`cast`: votes cast, without passes. `peak_mb`: the most memory that the process ever had."""

    tallies: Tallies
    cast: int
    seconds: float
    peak_mb: float


def run(work: Work, processes: int) -> int:
    """Returns 0 where every tally is what the file says. Raises `Problem`."""
    whole = work.read()
    say(f"{len(whole.statements)} statements, {len(whole.votes)} votes of {len(whole.voters)} people")
    say(f"{processes} processes, {f'all on stage {work.stage}' if work.stage else MEMORY}")
    if work.stage:
        _campaign(work, whole)
    else:
        server.interpreter(Path("build").absolute())  # installed once, before several look for it
    begun = time.monotonic()
    shares = [whole.share(number, processes) for number in range(processes)]
    done = _all(work, processes, sum(len(part) for one in shares for part in (one.authors, one.voters, one.statements, one.votes)))
    found = {statement: counts for one in done for statement, counts in one.tallies.items()}
    wrong = truth.differences(truth.tallies(work.folder, work.first), found)
    say(told(whole, done, wrong, time.monotonic() - begun))
    return 1 if wrong else 0


def told(whole: Export, done: Sequence[Done], wrong: Sequence[truth.Difference], seconds: float) -> str:
    cast = sum(one.cast for one in done)
    lines = [
        *(str(difference) for difference in wrong[:20]),
        f"{len(whole.statements)} statements, {len(whole.votes)} votes, {len(wrong)} differences",
        f"{seconds:.0f} s in all; {cast} votes cast, the others passed: {sum(one.cast / one.seconds for one in done):.0f} votes a second",
        f"peak memory {' + '.join(f'{one.peak_mb:.0f}' for one in done)} MB",
    ]
    return "\n".join(lines)


def _campaign(work: Work, whole: Export) -> None:
    from chalicelib import errors
    from infra.polis import load

    try:
        load.campaign(work.slug, whole, organiser=work.organiser)
    except errors.GroundswellError as error:
        raise Problem(error.message) from error


def _all(work: Work, processes: int, total: int) -> list[Done]:
    context, counting = multiprocessing.get_context("spawn"), Progress().counting("people, statements, votes", total)
    news: Any = context.Queue()
    shares = [replace(work, number=number, of=processes) for number in range(processes)]
    running = [context.Process(target=_process, args=(share, news), daemon=True) for share in shares]
    for one in running:
        one.start()
    done: list[Done] = []
    while len(done) < processes:
        event = _next(news, running)
        if isinstance(event, Done):
            done.append(event)
        elif isinstance(event, str):
            raise Problem(f"The import was refused: {event}")
        else:
            counting.more(event)
    return done


def _next(news: Any, running: Sequence[BaseProcess]) -> Done | str | int:
    """What a process says next. Raises `Problem` where one has ended without a word."""
    while True:
        try:
            event: Done | str | int = news.get(timeout=1.0)
        except queue.Empty:
            if any(one.exitcode for one in running):
                raise Problem("A process of the import ended; the reason is above. It is safe to run again.") from None
        else:
            return event


def _process(work: Work, news: Any) -> None:
    """One process: says how many people, statements and votes it has dealt with, and `Done` at the end."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if work.stage:
        stack.enter(work.stage)
        news.put(_share(work, news))
    else:
        with memory.aws():
            news.put(_share(work, news))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _share(work: Work, news: Any) -> Done | str:
    from chalicelib import errors  # the nouns read the stage, which is set by now
    from infra.polis import load

    whole, begun = work.read(), time.monotonic()
    part, pending = whole.share(work.number, work.of), [0]

    def tick() -> None:
        pending[0] += 1
        if pending[0] == _TOLD_EVERY:
            news.put(pending.pop())
            pending.append(0)

    try:
        loading = load.Load(load.campaign(work.slug, whole, organiser=work.organiser), part, tick)
        tallies = loading.run()
    except errors.GroundswellError as error:
        return error.message
    news.put(pending[0])
    return Done(tallies, loading.cast, time.monotonic() - begun, _peak_mb())


def _peak_mb() -> float:
    """Linux tells kilobytes, macOS bytes: https://docs.python.org/3/library/resource.html"""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1024 * 1024 if sys.platform == "darwin" else 1024)
