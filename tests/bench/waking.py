"""How late AWS's timers wake a function, drawn at random from what has been published: for the baselines of `release` and for
`simulate`."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Spread:
    """A distribution by its published quantiles, (share, milliseconds) ascending from share 0 to share 1; between two of them
    on a straight line, of the logarithm where both are positive."""

    quantiles: Sequence[tuple[float, float]]

    def at(self, share: float) -> float:
        """Milliseconds that this share of all draws does not exceed."""
        for (low, low_ms), (high, high_ms) in pairwise(self.quantiles):
            if share <= high:
                part = (share - low) / (high - low)
                if low_ms <= 0:
                    return low_ms + part * (high_ms - low_ms)
                return math.exp(math.log(low_ms) + part * (math.log(high_ms) - math.log(low_ms)))
        raise ValueError(share)

    def drawn(self, draw: random.Random) -> float:
        return self.at(draw.random())


# A delayed message of a queue, from the second that it was delayed to until the function runs. From queue to function: p50 16,
# p90 34, p99 105 ms (https://bitesizedserverless.com/bite/serverless-messaging-latency-compared/). A delayed message: nearly
# always well under 100 ms late, at most about 1,000 (https://bahr.dev/2019/10/11/serverless-scheduler/).
QUEUE_DELAY = Spread([(0.0, 4.0), (0.5, 16.0), (0.9, 34.0), (0.99, 105.0), (1.0, 1000.0)])


def minute_ms(draw: random.Random) -> float:
    """A rule of one minute fires within its minute, not at its beginning: 0 to 59 s late.
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule-schedule.html"""
    return draw.uniform(0.0, 59.0) * 1000
