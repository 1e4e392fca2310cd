"""Supporters, live pledges and reminders, recounted absolutely from the pledges' stream, as tallies are: never incremented."""

from __future__ import annotations

from collections.abc import Iterable

from . import pledges, reminders, store
from .supporters import Count, Supporter


def recount(partitions: Iterable[str]) -> None:
    """Recounts partitions of the pledges table that the stream touched: supporters, reminders, or live pledges of a chunk."""
    for partition in sorted(set(partitions)):
        launch, what, number = partition.split("#")
        if what in ("people", "reminders"):
            _recount(launch, f"{what}#{number}", partition)
        elif what != "accounts":
            _recount(launch, f"live#{what}#{number}", partition)


def _recount(launch: str, name: str, partition: str) -> None:
    while True:
        count = Count.find(launch, name)
        # Written also where nothing changed: a slower recount still on its way must find its version overtaken.
        if _store(launch, name, _found(partition, name), int(count.version) if count else 0):
            return


def _found(partition: str, name: str) -> dict[str, int]:
    if name.startswith("people#"):
        return {"n": sum(1 for supporter in Supporter.query(partition, consistent_read=True) if supporter.pledges)}
    if name.startswith("reminders#"):
        return reminders.counted(partition)
    return {"n": len(pledges.of_chunk(partition))}


def _store(launch: str, name: str, found: dict[str, int], version: int) -> bool:
    """Writes a recount if nobody else has since `version` was read."""
    item = Count(pk=launch, sk=name, version=version + 1)
    for attribute, number in found.items():
        setattr(item, attribute, number)
    unchanged = Count.version == version if version else Count.version.does_not_exist()
    return store.save_if(item, unchanged)
