"""What a launch costs, in dollars, by item: an estimate from AWS's list prices of us-east-1, November 2026, without free tiers.

Each price's source stands beside it; how much of it one chunk takes was counted on the code, by AWS's rules for units."""

from __future__ import annotations

from dataclasses import dataclass

from .settings import RENEW_S

GB_SECOND, INVOCATION = 0.0000133334, 0.20 / 1e6  # arm64; https://aws.amazon.com/lambda/pricing/
SQS_REQUEST = 0.40 / 1e6  # https://aws.amazon.com/sqs/pricing/
WRITE_UNIT, READ_UNIT = 0.625 / 1e6, 0.125 / 1e6  # https://aws.amazon.com/dynamodb/pricing/on-demand/
KMS_REQUEST = 0.03 / 1e4  # https://aws.amazon.com/kms/pricing/
POLLER_HOUR = 0.00925  # https://aws.amazon.com/lambda/pricing/
LETTER = 0.10 / 1e3  # https://aws.amazon.com/ses/pricing/

MEMORY_GB = 1769 / 1024
AFTER_S = 15.0  # answers and outcomes, after the moment
MESSAGES = 3  # prepare and send, and its part of the watch messages; each is sent, taken and deleted
OUTCOME_KB, PLEDGE_KB, GRANT_KB = 0.15, 1.5, 0.6
STATE_WRITES = 6


@dataclass(frozen=True, slots=True)
class Cost:
    item: str
    dollars: float


def of_launch(*, chunks: int, posts: int, letters: int, lead_s: float, pollers: int = 0) -> list[Cost]:
    """`lead_s`: how long before the moment workers wake up. `pollers`: provisioned, for one hour; 0: none. E-mails come last."""
    items = [
        ("lambda", chunks * ((lead_s + AFTER_S) * MEMORY_GB * GB_SECOND + MESSAGES * INVOCATION)),
        ("sqs", chunks * MESSAGES * 3 * SQS_REQUEST),
        ("dynamodb", _tables(chunks, posts, lead_s)),
        ("kms", 2 * chunks * KMS_REQUEST),
        ("pollers", pollers * POLLER_HOUR),
        ("email", letters * LETTER),
    ]
    return [Cost(item, round(dollars, 6)) for item, dollars in items if item != "pollers" or pollers]


def _tables(chunks: int, posts: int, lead_s: float) -> float:
    """A KB written is a unit, 4 KB read consistently are one; a transaction's writes count twice."""
    renewals = (lead_s + AFTER_S) / RENEW_S
    writes = chunks * (STATE_WRITES + renewals) + 2 * posts * OUTCOME_KB
    reads = posts * (3 * PLEDGE_KB + 2 * GRANT_KB) / 4 + chunks * 10
    return writes * WRITE_UNIT + reads * READ_UNIT
