"""`make bench-release`: how close to T a launch's posts arrive at their networks. The real release worker, over real TLS, to
stand-in hosts on loopback in a process of their own; DynamoDB, KMS and SQS are moto, in each worker's own process. Arrivals are
stamped by the hosts. It fails beyond the bars. `--quick` tries it in under a minute, and
writes nothing; `--patient` is for a machine that others use, too.

Compared with: *cold*, the same client that connects at T; *unheld*, the same woken by a queue's delay, as late as such delays
are (`waking`); *cron*, one job after another by a rule of one minute, whose second within the minute is drawn and added to what
was measured from its start on. What these read and build beforehand is given to them for nothing."""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import random
import signal
import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import Any

from infra.console import say
from infra.stand_ins.arrivals import Arrival
from tests.bench import others, release_hosts, release_worker, waking
from tests.bench.release_chunk import Chunk
from tests.bench.release_hosts import Hosts
from tests.bench.release_worker import HOLD_S, Task

# isort: split
from chalicelib.figures import percentiles

BUILD = Path(__file__).parents[2] / "build" / "bench"
TARGET = BUILD / "release.json"
P99_MS, MANY_P99_MS, TIGHTER = 50.0, 1000.0, 5.0
ONE, MANY = 250, 2000
Run = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Mode:
    """What is measured `times` times. `workers` processes share the pledges."""

    name: str
    stand_in: str
    pledges: int
    workers: int
    times: int


FULL = (
    Mode("warm", "steady", 2000, 8, 5),
    Mode("warm", "steady", 250, 1, 5),
    Mode("warm", "idle5", 250, 1, 5),
    Mode("warm", "close3", 250, 1, 5),
    Mode("warm", "steady", 50, 1, 5),
    Mode("warm", "steady", 500, 1, 5),
    Mode("cold", "steady", 250, 1, 5),
    Mode("unheld", "steady", 250, 1, 5),
    Mode("cron", "steady", 250, 1, 1),
)
QUICK = (Mode("warm", "steady", 250, 1, 1), Mode("cold", "steady", 250, 1, 1), Mode("unheld", "steady", 250, 1, 1))


def main() -> int:
    """0 within the bars, 1 beyond them."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.release", description=__doc__.split("\n", maxsplit=1)[0] if __doc__ else ""
    )
    parser.add_argument("--quick", action="store_true", help="one run of a few modes; nothing is written")
    parser.add_argument("--patient", action="store_true", help="wait for others' work to end, and measure again what it has spoiled")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that hosts and workers end with this process
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.bench.release_worker"])
    begun = time.monotonic()
    runs = list(measured(context, QUICK if options.quick else FULL, patient=options.patient))
    missed = beyond(runs)
    if not options.quick:
        TARGET.parent.mkdir(parents=True, exist_ok=True)
        TARGET.write_text(json.dumps({"runs": runs}) + "\n")
    tell(runs)
    say(f"\nStand-in hosts on loopback, answering after 250 ms (median); {time.monotonic() - begun:.0f} s")
    for what in missed:
        say(f"beyond the bar: {what}")
    say("" if missed else "all within the bars")
    return int(bool(missed))


def measured(context: BaseContext, modes: Sequence[Mode], *, patient: bool) -> Iterator[Run]:
    draw = random.Random(4)
    for setting in release_hosts.SETTINGS:
        chosen = [mode for mode in modes if mode.stand_in == setting]
        if chosen:
            with release_hosts.running(context, BUILD / "tls", setting, seed=4) as hosts:
                for mode in chosen:
                    for number in range(1, mode.times + 1):
                        yield _run(context, hosts, mode, number, _late_ms(mode, draw), patient)


def _late_ms(mode: Mode, draw: random.Random) -> float:
    if mode.name == "cron":
        return waking.minute_ms(draw)
    return waking.QUEUE_DELAY.drawn(draw) if mode.name == "unheld" else 0.0


def _run(context: BaseContext, hosts: Hosts, mode: Mode, number: int, late_ms: float, patient: bool) -> Run:
    """Patient: waits until nothing else is at work, and measures again where that changed meanwhile, whatever was measured."""
    while True:
        if patient:
            others.wait()
        found = _worked(context, hosts, mode, late_ms)
        begun = late_ms if mode.name == "cron" else 0.0
        run: Run = {"mode": mode.name, "stand_in": mode.stand_in, "pledges": mode.pledges, "workers": mode.workers, "run": number}
        run |= figures([ms + begun for ms in found.arrived], [ms + begun for ms in found.acked])
        spoiled = patient and found.others > others.QUIET
        told = f"p99 {run['p99_ms']:,} ms; others took {found.others:.0%} of the processors{': once more' if spoiled else ''}"
        say(f"  {describe(run)}, run {number}: {told}")
        if not spoiled:
            return run


@dataclass(frozen=True, slots=True)
class Worked:
    """Milliseconds after T at which the posts arrived, and were acknowledged to the workers. `others`: what took processors
    meanwhile and is not of this bench, as a share of them."""

    arrived: list[float]
    acked: list[float]
    others: float


def _worked(context: BaseContext, hosts: Hosts, mode: Mode, late_ms: float) -> Worked:
    pipes, processes = [], []
    for chunk in chunks(mode, [entry.partition("=")[0] for entry in hosts.stand_ins.split()]):
        ours, theirs = context.Pipe()
        task = Task(mode.name, chunk, hosts.stand_ins, hosts.ca, late_ms)
        process = context.Process(target=release_worker.work, args=(theirs, task), daemon=True)  # type: ignore[attr-defined]
        process.start()
        theirs.close()  # so that a worker that dies is noticed
        pipes.append(ours)
        processes.append(process)
    for pipe in pipes:
        assert pipe.recv() == "ready"
    _, had_s = hosts.arrivals()  # what building the chunks has asked of them
    watch = others.Watch()
    at = math.ceil(time.time() + 0.5 + (HOLD_S if mode.name == "warm" else 0.5))
    hosts.expect(at)
    for pipe in pipes:
        pipe.send(at)
    answers = [pipe.recv() for pipe in pipes]
    posts, has_s = hosts.arrivals()
    share = watch.share(has_s - had_s + sum(worked_s for _, worked_s in answers))
    for process in processes:
        process.join(10)
    return Worked(after(posts, at, expected=mode.pledges), [ms for acked, _ in answers for ms in acked], share)


def chunks(mode: Mode, hosts: Sequence[str]) -> list[Chunk]:
    """The pledges of each worker; their hosts go round, each worker beginning elsewhere."""
    each = mode.pledges // mode.workers
    turns = [number * each % len(hosts) for number in range(mode.workers)]
    return [Chunk(number, each, mode.pledges, (*hosts[turn:], *hosts[:turn])) for number, turn in enumerate(turns)]


def after(arrivals: Iterable[Arrival], at: int, *, expected: int) -> list[float]:
    """Milliseconds after T at which each post arrived. Raises `AssertionError` where one is missing or came twice."""
    posts = list(arrivals)
    keys = Counter(arrival.key for arrival in posts)
    assert len(keys) == len(posts) == expected, f"{expected} pledges, {len(posts)} posts of {len(keys)} arrived"
    assert all(arrival.published for arrival in posts)
    return [(arrival.at_ns - at * 1_000_000_000) / 1e6 for arrival in posts]


def figures(arrived: Sequence[float], acked: Sequence[float]) -> Run:
    """Of one run's arrivals and acknowledgements, in milliseconds after T."""
    found, answers = percentiles(arrived), percentiles(acked)
    assert found is not None
    assert answers is not None
    rounded = {name: round(found[name], 1) for name in ("p50_ms", "p99_ms", "max_ms")}
    return {
        "before_T": sum(1 for ms in arrived if ms < 0),
        "first_ms": round(min(arrived), 1),
        **rounded,
        "acked_p99_ms": round(answers["p99_ms"], 1),
    }


def median(runs: Iterable[Run], name: str, **of: Any) -> float:
    """The median of a figure over the runs that are as `of` says; NaN where there is none."""
    found = [float(run[name]) for run in runs if all(run[key] == value for key, value in of.items())]
    return statistics.median(found) if found else math.nan


def beyond(runs: Sequence[Run]) -> list[str]:
    """The bars that these runs miss."""
    missed = [f"{run['before_T']} posts before T in {describe(run)}" for run in runs if run["before_T"]]
    ours = median(runs, "p99_ms", mode="warm", stand_in="steady", pledges=ONE)
    many = median(runs, "p99_ms", mode="warm", pledges=MANY)
    if ours > P99_MS:
        missed.append(f"{ONE} in one worker: p99 {ours:.1f} ms after T, bar {P99_MS:.0f}")
    if many > MANY_P99_MS:
        missed.append(f"{MANY:,} in 8 workers: p99 {many:.0f} ms after T, bar {MANY_P99_MS:.0f}")
    for name in ("cold", "unheld"):
        theirs = median(runs, "p99_ms", mode=name)
        if theirs < TIGHTER * ours:
            missed.append(f"only {theirs / ours:.1f} times tighter than {name}, bar {TIGHTER:g}")
    return missed


def describe(run: Run) -> str:
    return f"{run['mode']} {run['stand_in']} {run['pledges']} in {run['workers']}"


def tell(runs: Sequence[Run]) -> None:
    names = ("first_ms", "p50_ms", "p99_ms", "max_ms", "acked_p99_ms")
    heads = ("first", "p50", "p99", "max", "acked p99")
    say(f"\n{'ms after T, median of the runs':34}{'runs':>5}{'before T':>10}{''.join(f'{head:>11}' for head in heads)}{'x':>7}")
    ours = median(runs, "p99_ms", mode="warm", stand_in="steady", pledges=ONE)
    for kind in dict.fromkeys(describe(run) for run in runs):
        of = [run for run in runs if describe(run) == kind]
        figures_of = "".join(f"{median(of, name):>11,.1f}" for name in names)
        times = f"{median(of, 'p99_ms') / ours:>7.1f}" if of[0]["pledges"] == ONE else ""
        say(f"{kind:34}{len(of):>5}{sum(run['before_T'] for run in of):>10}{figures_of}{times}")


if __name__ == "__main__":
    sys.exit(main())
