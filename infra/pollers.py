"""`infra pollers`: for a launch of more workers than a queue's usual pollers may start, provisioned ones, and an undoing of that.

A queue's event source starts at most `MaximumConcurrency` workers, 300 more a minute; provisioned pollers start ten each at once
(https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html). The two exclude each other. What was there before is
noted before anything is changed, and while that note stands nothing is deployed."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import boto3
from pynamodb.exceptions import PynamoDBException

from infra import account, deployed, finish
from infra.console import Problem, say, step

WORKERS_EACH = 10
AT_LEAST_MAX, AT_MOST_MAX = 200, 10_000  # https://docs.aws.amazon.com/lambda/latest/api/API_ProvisionedPollerConfig.html
WITHIN_S = 86_400
EVERY_S, STEADY_S = 30.0, 300.0


@dataclass(frozen=True, slots=True)
class Size:
    """Pollers that are there from the start, and that there may be."""

    at_least: int
    at_most: int


def size(chunks: int) -> Size:
    """As many at once as may be, and an eighth more than are needed: ten workers each. 4,000 chunks: 200 and 450."""
    needed = -(-chunks // WORKERS_EACH)
    return Size(max(2, min(AT_LEAST_MAX, needed)), max(2, min(AT_MOST_MAX, -(-needed * 9 // 8))))


def launch(stage: str, campaign: str | None, *, pause: Callable[[float], None] = time.sleep) -> None:
    """Provisions pollers for the launches of the next day (or one campaign's), stays until they have ended, and undoes it, also
    where it is interrupted. Safe to repeat. Raises `Problem`."""
    from chalicelib.costs import POLLER_HOUR
    from chalicelib.findings import POLLERS_FROM

    ids, chunks = _coming(campaign)
    if chunks <= POLLERS_FROM:
        raise Problem(f"Not needed: {chunks} workers are started by the usual pollers, which do for {POLLERS_FROM}.")
    wanted = size(chunks)
    say(f"{chunks} workers: {wanted.at_least} to {wanted.at_most} pollers, about ${wanted.at_least * POLLER_HOUR:.2f} an hour")
    try:
        provide(stage, chunks, pause=pause)
        say("Pollers are provisioned. This stays until the launch has ended, then undoes it; Ctrl-C undoes it at once.")
        while not _ended(ids):
            pause(EVERY_S)
    finally:
        undo(stage, pause=pause)


def _coming(campaign: str | None) -> tuple[Sequence[str], int]:
    """Launches, and the workers that they need, which are more if people still join in."""
    from chalicelib import campaigns, clock, errors, launches, readiness

    now = clock.utc_now()
    try:
        asked = [launches.of(campaigns.get(campaign, consistent=True))] if campaign else list(launches.active())
    except errors.GroundswellError as error:
        raise Problem(error.message) from error
    near = [one for one in asked if one.active and not one.stopped_at and float(one.at) - now.timestamp() < WITHIN_S]
    if not near:
        raise Problem(
            "There is no launch within the next 24 hours." if campaign is None else "This launch is not within the next 24 hours."
        )
    return [one.id for one in near], max(readiness.known_of(one, now=now).chunks for one in near)


def _ended(ids: Sequence[str]) -> bool:
    from chalicelib import launches

    return not any(one and one.active for one in map(launches.get, ids))


def provide(stage: str, chunks: int, *, pause: Callable[[float], None] = time.sleep) -> None:
    """Notes what there is, then changes it. Safe to repeat. Raises `Problem` where AWS does not do so."""
    from chalicelib import quotas

    mapping, wanted, limit = finish.mapping_of(stage, "release"), size(chunks), finish.spare(stage)
    before = mapping.get("ScalingConfig", {}).get("MaximumConcurrency")
    note = quotas.Pollers(pk="account", sk="pollers", at_least=wanted.at_least, at_most=wanted.at_most, since=int(time.time() * 1000))
    note.concurrency_before, note.reserved_before = before, finish.reserved(stage)
    quotas.note_pollers(note)
    with step("provisioning pollers"):
        _change(mapping["UUID"], pause, ScalingConfig={})
        config = {"MinimumPollers": wanted.at_least, "MaximumPollers": wanted.at_most}
        after = _change(mapping["UUID"], pause, ProvisionedPollerConfig=config)
    if after.get("ScalingConfig") or after.get("ProvisionedPollerConfig", {}).get("MaximumPollers") != wanted.at_most:
        raise Problem("AWS has not provisioned the pollers that were asked for; look at the event source of the release function.")
    if limit is not None:
        _allow(stage, chunks, limit)
    account.note(stage)


def _allow(stage: str, chunks: int, limit: int) -> None:
    """The worker may run as often as it is needed, as far as the account allows."""
    most = limit - finish.CONCURRENCY_KEPT
    if most < chunks:
        raise Problem(f"This account can run {max(0, most)} workers at once, and {chunks} are needed: ask AWS for a higher quota.")
    name = deployed.function_name(stage, "release")
    boto3.client("lambda").put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=min(most, -(-chunks * 9 // 8)))


def undo(stage: str, *, pause: Callable[[float], None] = time.sleep) -> None:
    """Puts back what there was before, then forgets it. Safe to repeat, at any time. Raises `Problem`."""
    from chalicelib import quotas

    note = quotas.pollers()
    if note is None:
        say("No pollers are provisioned.")
        return
    mapping, lambdas, name = finish.mapping_of(stage, "release"), boto3.client("lambda"), deployed.function_name(stage, "release")
    with step("undoing the pollers"):
        _change(mapping["UUID"], pause, ProvisionedPollerConfig={})
        before = int(note.concurrency_before or finish.CONCURRENCY_MAX)
        after = _change(mapping["UUID"], pause, ScalingConfig={"MaximumConcurrency": before})
        if note.reserved_before:
            lambdas.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=int(note.reserved_before))
        else:
            lambdas.delete_function_concurrency(FunctionName=name)
    if after.get("ProvisionedPollerConfig") or after.get("ScalingConfig", {}).get("MaximumConcurrency") != before:
        raise Problem(f"AWS has not undone it; try again: {undoing(stage)}")
    quotas.forget_pollers()
    account.note(stage)


def _change(uuid: str, pause: Callable[[float], None], **change: Any) -> dict[str, Any]:
    """One change of the event source, waited for: it takes no other meanwhile."""
    lambdas = boto3.client("lambda")
    lambdas.update_event_source_mapping(UUID=uuid, **change)
    for _ in range(int(STEADY_S / 5)):
        found: dict[str, Any] = lambdas.get_event_source_mapping(UUID=uuid)
        if found.get("State") in ("Enabled", "Disabled"):
            return found
        pause(5.0)
    raise Problem("The event source of the release function does not become steady; look at it in the Lambda console.")


def undoing(stage: str) -> str:
    return f"python -m infra pollers --undo --stage {stage}"


def refuse_while_provisioned(stage: str) -> None:
    """A deploy would put the event source back in the middle of a launch. Raises `Problem` naming how to undo it."""
    from chalicelib import quotas

    try:
        found = quotas.pollers()
    except PynamoDBException as error:
        if error.cause_response_code != "ResourceNotFoundException":
            raise
        return  # the first deploy has no table yet
    if found is not None:
        since = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(float(found.since) / 1000))
        raise Problem(f"Pollers have been provisioned for a launch since {since}, so nothing is deployed. To undo that: {undoing(stage)}")
