"""`make bench-fanout`: what the fan-out of a launch costs at 1,000, 100,000 and 1,000,000 pledges over seven networks and 1,500
hosts, on moto in this process. It fails beyond the bars.

The real `fan_out.step` is run for the close, then 25 and 15 minutes before each lane's time, which is when it has something to
send; between these ticks every chunk whose message has been sent is written down as done, as its worker would have. Holes
(slots of a lost response) and withdrawn pledges are what the pledges' table holds of 1,000; of more, there is nothing in it, since
nothing reads it. The close itself is told apart: it recounts people. Five of the networks are not built yet, and are given what
their hosts take (`fanout_plan`). Calls are counted in one pass, and the processor's seconds taken in another: our own, with
botocore's; what moto takes to play AWS is told beside them."""

from __future__ import annotations

import json
import logging
import random
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from time import process_time
from typing import Any

from moto import mock_aws

from tests import conftest  # the environment, before anything of ours
from tests.bench import fanout_launch, fanout_plan, plain
from tests.bench.fanout_plan import Plan
from tests.bench.units import Meter, metered

# isort: split
from chalicelib import fan_out, slots, store
from chalicelib.launches import Launch
from infra.console import say, step
from tests.aws import take_queued

SIZES = (1_000, 100_000, 1_000_000)
TARGET = Path(__file__).parents[2] / "build" / "bench" / "fanout.json"
PREPARED_S, SENT_S = 1500, 900  # seconds before a lane's time: its prepare messages, its release messages
CPU_S, HOSTS = 60.0, 1000
PLEDGES = "groundswell-local-pledges"


@dataclass
class Done:
    """What the ticks have done: messages by kind, calls, the processor's seconds in all and those of them that were moto's."""

    messages: Counter[str] = field(default_factory=Counter)
    sent: list[dict[str, Any]] = field(default_factory=list)  # in the tick at work
    meter: Meter = field(default_factory=Meter)
    queue_calls: int = 0
    cpu_s: float = 0.0
    moto_s: float = 0.0

    @property
    def own_s(self) -> float:
        return self.cpu_s - self.moto_s

    @property
    def calls(self) -> Counter[str]:
        return Counter(call.operation for call in self.meter.calls) + Counter(SendMessageBatch=self.queue_calls)

    @property
    def pledge_reads(self) -> int:
        return sum(1 for call in self.meter.calls if call.read and PLEDGES in call.tables)


def main() -> int:
    """0 within the bars, 1 beyond them."""
    logging.getLogger("chalicelib").setLevel(logging.ERROR)
    runs, missed = [], list[str]()
    for size in SIZES:
        with fanout_plan.seven():
            plan = fanout_plan.drawn(size, random.Random(size))
            with step(f"{size:,} pledges on {plan.hosts:,} hosts: {len(plan.slots)} lanes, calls"):
                closed, counted = _passed(plan, counting=True)
            with step(f"{size:,} pledges, processor"):
                _, timed = _passed(plan, counting=False)
        runs.append(_run(plan, counted, timed))
        missed += beyond(plan, runs[-1])
        _tell(closed, counted, timed)
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(json.dumps({"runs": runs}) + "\n")
    tell(runs)
    for what in missed:
        say(f"beyond the bar: {what}")
    return int(bool(missed))


def _passed(plan: Plan, *, counting: bool) -> tuple[Done, Done]:
    """What the close has done, and what all ticks after it."""
    with mock_aws(), plain.values():
        launch = fanout_launch.made(plan)
        closed = _ticked(launch, [datetime.fromtimestamp(float(launch.closes_at), launch.moment.tzinfo)], counting=counting)
        launch.refresh()
        assert (launch.state, launch.plan) == ("frozen", plan.slots)
        done = _ticked(launch, ticks(launch, plan), counting=counting)
    conftest.forget()
    return closed, done


def ticks(launch: slots.Timed, plan: Plan) -> list[datetime]:
    """When the fan-out has something to send, earliest first."""
    times = {slots.planned_at(launch, lane) - before for lane in plan.slots for before in (PREPARED_S, SENT_S)}
    return [datetime.fromtimestamp(seconds, conftest.NOW.tzinfo) for seconds in sorted(times)]


def _ticked(launch: Launch, times: list[datetime], *, counting: bool) -> Done:
    done = Done()
    with _calling(done):
        for now in times:
            if counting:
                with metered() as meter:
                    fan_out.step(launch.id, now=now)
                done.meter.calls += meter.calls
            else:
                begun = process_time()
                fan_out.step(launch.id, now=now)
                done.cpu_s += process_time() - begun
            done.messages.update(message["do"] for message in done.sent)
            fanout_launch.finish(launch, [message for message in done.sent if message["do"] == "send"], now=now)
            done.sent.clear()
    return done


@contextmanager
def _calling(done: Done) -> Iterator[None]:
    """Takes the time between what is sent to AWS and what comes back. Counts the queue's calls, and empties it after each: moto
    looks through all messages of a queue at every call."""
    begun = 0.0

    def sent(**_: Any) -> None:
        nonlocal begun
        begun = process_time()

    def received(**_: Any) -> None:
        done.moto_s += process_time() - begun

    def queued(**_: Any) -> None:
        done.queue_calls += 1
        done.sent += [one.message for one in take_queued("chunks")]

    hooks = [(store.client("sqs"), "after-call.sqs.SendMessageBatch", queued)]
    for service, client in (("dynamodb", store.dynamodb()), ("sqs", store.client("sqs"))):
        hooks += [(client, f"request-created.{service}", sent), (client, f"response-received.{service}", received)]
    for client, event, hook in hooks:
        client.meta.events.register(event, hook)
    try:
        yield
    finally:
        for client, event, hook in hooks:
            client.meta.events.unregister(event, hook)


def _run(plan: Plan, counted: Done, timed: Done) -> dict[str, float]:
    return {
        "pledges": plan.pledges,
        "hosts": plan.hosts,
        "lanes": len(plan.slots),
        "messages": counted.messages["send"],
        "watch_messages": counted.messages["watch"],
        "pledge_reads": counted.pledge_reads,
        "aws_calls": sum(counted.calls.values()),
        "write_units": counted.meter.write,
        "cpu_s": round(timed.own_s, 2),
    }


def beyond(plan: Plan, run: dict[str, float]) -> list[str]:
    missed = []
    if run["messages"] > plan.most:
        missed.append(f"{run['messages']:,} messages, bar {plan.most:,}")
    if run["pledge_reads"]:
        missed.append(f"{run['pledge_reads']} reads of pledges, bar 0")
    if run["pledges"] == max(SIZES) and (run["cpu_s"] > CPU_S or run["hosts"] < HOSTS):
        missed.append(f"{run['cpu_s']} s of a processor with {run['hosts']:,} hosts, bar {CPU_S:.0f} with {HOSTS:,}")
    return [f"{run['pledges']:,}: {what}" for what in missed]


def _tell(closed: Done, counted: Done, timed: Done) -> None:
    say(f"    calls: {', '.join(f'{name} {count:,}' for name, count in counted.calls.most_common())}")
    say(f"    messages: {', '.join(f'{name} {count:,}' for name, count in counted.messages.most_common())}")
    say(f"    processor: {timed.own_s:.2f} s, and moto {timed.moto_s:.2f} s")
    say(f"    the close, which recounts people: {sum(closed.calls.values()):,} calls, {closed.pledge_reads} of them reads of pledges")


def tell(runs: list[dict[str, float]]) -> None:
    names = list(runs[0])
    say("\n" + "".join(f"{name:>15}" for name in names) + f"{'messages bar':>15}")
    for run in runs:
        most = int(run["pledges"] / slots.SLOTS_PER_CHUNK + 2 * run["lanes"])
        say("".join(f"{run[name]:>15,g}" for name in names) + f"{most:>15,}")


if __name__ == "__main__":
    sys.exit(main())
