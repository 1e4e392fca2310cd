"""Supporters and live pledges, recounted absolutely from the pledges' stream, as tallies are: never incremented."""

from __future__ import annotations

from collections.abc import Iterable

from . import launches, pledges, store


def recount(partitions: Iterable[str]) -> None:
    """Recounts partitions of the pledges table that the stream touched: supporters of one, or live pledges of a chunk."""
    for partition in sorted(set(partitions)):
        launch, what, number = partition.split("#")
        if what == "people":
            _recount(launch, f"people#{number}", partition)
        elif what != "accounts":
            _recount(launch, f"live#{what}#{number}", partition)


def _recount(launch: str, name: str, partition: str) -> None:
    while True:
        count = launches.Count.find(launch, name)
        # Written also where nothing changed: a slower recount still on its way must find its version overtaken.
        if _store(launch, name, _live(partition, name), int(count.version) if count else 0):
            return


def _live(partition: str, name: str) -> int:
    if name.startswith("people#"):
        return sum(1 for supporter in pledges.Supporter.query(partition, consistent_read=True) if supporter.pledges)
    return len(pledges.of_chunk(partition))


def _store(launch: str, name: str, n: int, version: int) -> bool:
    """Writes a recount if nobody else has since `version` was read."""
    item = launches.Count(pk=launch, sk=name, n=n, version=version + 1)
    unchanged = launches.Count.version == version if version else launches.Count.version.does_not_exist()
    return store.save_if(item, unchanged)
