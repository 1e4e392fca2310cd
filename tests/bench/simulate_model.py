"""When the posts of a launch go out on AWS, drawn at random: every worker is woken as documented, gets ready as measured, and
writes its posts one after another. Pure. All of a launch is one moment here: no host's budget binds.

The clock runs in seconds from the moment T. Where nothing is published the number here is worse than what was seen, and says so.
What is not drawn: workers that die (the watch messages wake others, 45 and 15 s before T), connections lost in the last two
seconds (those posts go out a second later), and the way through the internet."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from chalicelib import volleys
from chalicelib.settings import SLOTS_PER_CHUNK
from infra.pollers import WORKERS_EACH, size
from tests.bench.waking import QUEUE_DELAY, Spread

# A queue's own pollers: five at first, up to 300 more a minute, at most 1,250.
# https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
FIRST, MORE_PER_S, STANDARD_MAX = 5, 300 / 60, 1250
STANDARD_UP_TO = 900  # what app.py sets as the queue's maximum concurrency
# Provisioned pollers: so many workers more a minute.
# https://aws.amazon.com/blogs/aws/aws-lambda-enhances-sqs-processing-with-new-provisioned-mode-3x-faster-scaling-16x-higher-capacity
PROVISIONED_MORE_PER_S = 1000 / 60
# New environments of one function. https://docs.aws.amazon.com/lambda/latest/dg/scaling-behavior.html
ENVIRONMENTS, ENVIRONMENTS_PER_S = 1000, 100.0
# A cold start, "from under 100 ms to over 1 second" (https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html);
# ours is held under 1,200 ms by `make bench-cold`, and taken for that, and for eight times that at the worst.
COLD_START = Spread([(0.0, 400.0), (0.5, 1200.0), (0.99, 3600.0), (1.0, 9600.0)])
# Reading a chunk (a megabyte at most, by one Query), having KMS open the key, opening 250 grants, building requests. Our own part
# takes less than a second on this machine; DynamoDB answers in milliseconds
# (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Introduction.html), KMS as well. Nothing is published.
READ = Spread([(0.0, 500.0), (0.5, 1500.0), (0.99, 4000.0), (1.0, 8000.0)])
# 250 connections, 50 at a time: two round trips each (https://www.rfc-editor.org/rfc/rfc8446#section-2) over an ocean, servers that
# are slow, our own processor.
OPEN = Spread([(0.0, 800.0), (0.5, 2000.0), (0.99, 5000.0), (1.0, 7000.0)])
SEALED_S = 0.1  # gate, seal and second reading: three calls
# EC2's clocks are within 0.1 ms of the true time by Amazon's own server
# (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/set-time.html); nothing is published of Lambda's. Fifty times that.
CLOCK_MS = 5.0
# A spinning process that another one pushes aside: 1 to 5 ms, seen in few of the runs on two busy cores.
PUSHED_SHARE, PUSHED_MS = 0.1, (1.0, 5.0)
# https://bitesizedserverless.com and https://bahr.dev, see `waking`; the message's delay is cut to whole seconds beforehand.
WOKEN = QUEUE_DELAY


@dataclass(frozen=True, slots=True)
class Machine:
    """What a worker runs on. `post_ms`: from one post to the next. `processes` workers share the processors that `post_ms` was
    measured on. `clock_ms`: how far its clock may be off. `woken`: whether a queue wakes it, else it has always been there."""

    post_ms: float
    processes: int = 1
    clock_ms: float = CLOCK_MS
    woken: bool = True


def workers(pledges: int) -> int:
    return -(-pledges // SLOTS_PER_CHUNK)


def pollers(count: int) -> int:
    """How many are provisioned for so many workers; 0: the queue's own do."""
    return size(count).at_least if count > STANDARD_UP_TO else 0


def woken_after(place: int, count: int) -> float:
    """Seconds from when the messages can be seen until the `place`-th of `count` workers (from 0) may be started."""
    if count > STANDARD_UP_TO:
        polled = max(0.0, place + 1 - WORKERS_EACH * pollers(count)) / PROVISIONED_MORE_PER_S
    else:
        polled = max(0.0, place + 1 - FIRST) / MORE_PER_S
    return max(polled, max(0.0, place + 1 - ENVIRONMENTS) / ENVIRONMENTS_PER_S)


def ready_at(place: int, count: int, lead_s: float, draw: random.Random) -> float:
    """When the `place`-th of `count` workers could send, in seconds from T: 0.0 where it is in time."""
    begun = woken_after(place, count) - lead_s + (WOKEN.drawn(draw) + COLD_START.drawn(draw) + READ.drawn(draw)) / 1000
    opened = max(begun, -volleys.WARM_BEFORE_S) + OPEN.drawn(draw) / 1000
    return max(0.0, opened + SEALED_S) if opened > -volleys.SEAL_BEFORE_S else 0.0


def sent_ms(pledges: int, lead_s: float, machine: Machine, draw: random.Random) -> Iterator[float]:
    """Milliseconds after T, by the true time, at which each post is written, in no order."""
    count = workers(pledges)
    for place in range(count):
        late_s = ready_at(place, count, lead_s, draw) if machine.woken else 0.0
        begin = max(late_s, volleys.SEND_AFTER_S) * 1000 + draw.uniform(-machine.clock_ms, machine.clock_ms)
        begin += draw.uniform(*PUSHED_MS) if draw.random() < PUSHED_SHARE else 0.0
        for post in range(min(SLOTS_PER_CHUNK, pledges - place * SLOTS_PER_CHUNK)):
            # Who share a processor take turns, so that each one's posts are so much further apart.
            yield begin + (post * machine.processes + draw.random() * machine.processes) * machine.post_ms
