"""What has become of one chunk in one epoch: absent -> leased (fence, until) -> sealed -> done.

At most one worker ever makes first sends of a chunk: the one whose fence the seal bears, and a seal is written once.
Outcomes are one item, written in one transaction with `done`, under the writer's fence only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from pynamodb.attributes import JSONAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.transactions import TransactWrite

from . import ids, settings, store
from .settings import LEASE_S, RESOLVE_AFTER_S

PREPARE_S = 60.0


class State(store.Record):
    """Times in epoch milliseconds. `claim` is the id of the lease's write, so that a lost response can be told from a
    lost race. `worker` names the log stream that says more. `counts`: outcome -> posts, once done."""

    class Meta:
        table_name = settings.table("chunks")

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    fence = NumberAttribute(default=0)
    claim = UnicodeAttribute(null=True)
    worker = UnicodeAttribute(null=True)
    until = NumberAttribute(default=0)
    sealed = NumberAttribute(null=True)
    sealed_by = UnicodeAttribute(null=True)
    done = NumberAttribute(null=True)
    counts = JSONAttribute(null=True)

    def is_leased(self, now: float) -> bool:
        return float(self.until) > now * 1000


class Outcomes(store.Record):
    """`items`: slot position -> what happened (see `outcomes.Outcome`)."""

    class Meta:
        table_name = settings.table("chunks")

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    items = JSONAttribute()
    meta = JSONAttribute()


class Halt(store.Record):
    """A network that takes nothing more from us in this launch, and since when (epoch milliseconds)."""

    class Meta:
        table_name = settings.table("chunks")

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    at = NumberAttribute()


class Ready(store.Record):
    """The last time a chunk was prepared, how many of its pledges were ready, and how many will fail. `until`: the claim of a
    worker that prepares it now. Times in epoch milliseconds."""

    class Meta:
        table_name = settings.table("chunks")

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True, default="ready")
    ready = NumberAttribute(default=0)
    failing = NumberAttribute(default=0)
    at = NumberAttribute(null=True)
    until = NumberAttribute(default=0)


def claim_preparing(chunk: str, *, now: float) -> bool:
    """False where another worker prepares the chunk; a claim lapses by itself."""
    free = Ready.until.does_not_exist() | (Ready.until < int(now * 1000))
    return store.update_if(Ready(pk=chunk, sk="ready"), [Ready.until.set(int((now + PREPARE_S) * 1000))], free)


def record_ready(chunk: str, *, ready: int, failing: int, now: float) -> None:
    """Ends the claim. The last word stands."""
    Ready(pk=chunk, sk="ready", ready=ready, failing=failing, at=int(now * 1000)).save()


def readiness(chunks: Iterable[str]) -> dict[str, Ready]:
    """By chunk, as last prepared; a chunk that never was is left out."""
    return {str(one.pk): one for one in Ready.batch_get([(chunk, "ready") for chunk in chunks]) if one.at}


def halt(launch: str, network: str, *, now: float) -> None:
    """Notes that a network takes nothing more. Safe to repeat; the first time stays."""
    store.save_if(Halt(pk=f"{launch}#halt", sk=network, at=int(now * 1000)), Halt.pk.does_not_exist())


def is_halted(launch: str, network: str) -> bool:
    return Halt.find(f"{launch}#halt", network) is not None


def _state_key(epoch: int) -> str:
    return f"{epoch:04d}#state"


def _outcomes_key(epoch: int) -> str:
    return f"{epoch:04d}#outcomes"


def get(chunk: str, epoch: int) -> State | None:
    return State.find(chunk, _state_key(epoch))


def get_all(chunks: Iterable[str], epoch: int) -> dict[str, State]:
    """By chunk, read consistently; a chunk that nobody has leased is left out."""
    return {str(state.pk): state for state in State.batch_get([(chunk, _state_key(epoch)) for chunk in chunks], consistent_read=True)}


def outcomes(chunk: str, epoch: int) -> Outcomes | None:
    """What happened up to this epoch; `meta` is the last one's that has written."""
    written = [one for number in range(1, epoch + 1) if (one := Outcomes.find(chunk, _outcomes_key(number)))]
    for earlier, later in pairwise(written):
        later.items = {**earlier.items, **later.items}
    return written[-1] if written else None


@dataclass(frozen=True, slots=True)
class Before:
    """What earlier epochs did to a chunk: the outcomes by slot, and whether it was sealed without any being written."""

    items: Mapping[str, Any]
    sealed: bool


def before(chunk: str, epoch: int) -> Before:
    """A launch that was postponed sends only what has no outcome yet, and nothing that may be out."""
    found, states = outcomes(chunk, epoch - 1), [get(chunk, number) for number in range(1, epoch)]
    return Before(found.items if found else {}, any(state and state.sealed and not state.done for state in states))


def lease(chunk: str, epoch: int, *, now: float) -> State | None:
    """Leases a chunk that is neither leased nor sealed; None where it is one of these. For first sends."""
    return _lease(chunk, epoch, State.sealed.does_not_exist(), now)


def lease_sealed(chunk: str, epoch: int, *, now: float) -> State | None:
    """Leases a sealed chunk without outcomes whose worker has gone, at the earliest 90 s after the seal. For resolving."""
    settled = State.sealed.exists() & State.done.does_not_exist() & (State.sealed <= int((now - RESOLVE_AFTER_S) * 1000))
    return _lease(chunk, epoch, settled, now)


def _lease(chunk: str, epoch: int, condition: Condition, now: float) -> State | None:
    claim = ids.short()
    state = State(pk=chunk, sk=_state_key(epoch))
    actions = [
        State.fence.set((State.fence | 0) + 1),
        State.claim.set(claim),
        State.worker.set(settings.current().worker),
        State.until.set(int((now + LEASE_S) * 1000)),
    ]
    free = State.until.does_not_exist() | (State.until < int(now * 1000))
    return state if _write(state, actions, free & condition, lambda current: current.claim == claim) else None


def renew(state: State, *, now: float) -> bool:
    """Keeps the lease for another 12 s; False once somebody else has it."""
    mine = (State.fence == state.fence) & State.done.does_not_exist()
    return _write(state, [State.until.set(int((now + LEASE_S) * 1000))], mine, lambda current: current.fence == state.fence)


def seal(state: State, *, now: float) -> bool:
    """The point after which nobody else makes first sends, and nobody withdraws. Once in a chunk's life. True only where
    this worker's own seal is confirmed; otherwise it must send nothing."""
    mine = (State.fence == state.fence) & State.sealed.does_not_exist()
    actions = [State.sealed.set(int(now * 1000)), State.sealed_by.set(state.claim)]
    return _write(state, actions, mine, lambda current: current.sealed_by == state.claim)


def finish(state: State, epoch: int, items: dict[str, Any], meta: dict[str, Any], *, now: float) -> bool:
    """Writes the outcomes and ends the chunk. False where the fence is another's: then nothing was written."""

    def fill(transaction: TransactWrite) -> None:
        mine = (State.fence == state.fence) & State.done.does_not_exist()
        counts = Counter(str(item["outcome"]) for item in items.values())
        actions: list[Any] = [State.done.set(int(now * 1000)), State.until.set(0), State.counts.set(dict(counts))]
        transaction.update(state, actions=actions, condition=mine)
        transaction.save(Outcomes(pk=state.pk, sk=_outcomes_key(epoch), items=items, meta=meta))

    if store.write_together(fill) is None:
        return True
    current = State.find(str(state.pk), str(state.sk))
    return bool(current and current.done and current.fence == state.fence)


def not_sealed(transaction: TransactWrite, chunk: str, epoch: int) -> None:
    """Adds "this chunk is not sealed" to a transaction."""
    transaction.condition_check(State, chunk, _state_key(epoch), condition=State.sealed.does_not_exist())


def _write(state: State, actions: list[Any], condition: Condition, ours: Any) -> bool:
    """A conditional update; where the condition failed, says whether that is because our own write had landed."""
    if store.update_if(state, actions, condition):
        return True
    current = State.find(str(state.pk), str(state.sk))
    if current is None or not ours(current):
        return False
    state.refresh(consistent_read=True)
    return True
