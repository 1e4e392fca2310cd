"""A board in memory, ready to be searched. Parts never change, so a function keeps those it has read."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from . import board, search, store
from .board import Entry, Head, Outline, Part, Ref
from .errors import Unavailable

PARTS_KEPT = 256
SIMILAR_MAX = 10


class Shelf:
    """The entries of one part; what searching needs of them is made when first wanted, each list in their order."""

    def __init__(self, entries: list[Entry]) -> None:
        self.entries = entries

    @cached_property
    def titles(self) -> list[str]:
        return [search.folded(entry.title) for entry in self.entries]

    @cached_property
    def texts(self) -> list[str]:
        """Everything in them, the title first."""
        return [search.folded(" ".join([entry.title, entry.text, *entry.tags])) for entry in self.entries]

    @cached_property
    def masks(self) -> tuple[list[int], list[int]]:
        """Of titles, and of what texts begin with."""
        return [search.mask(title.split()) for title in self.titles], [search.mask(_begun(text)) for text in self.texts]


def _begun(folded: str) -> list[str]:
    return folded.split(maxsplit=search.LIKENESS_WORDS)[: search.LIKENESS_WORDS]


@dataclass(frozen=True, slots=True)
class Similar:
    entry: Entry
    similarity: float


@dataclass(frozen=True, slots=True)
class Board:
    """All published ideas of a phase, as they were a few seconds ago, oldest first."""

    shelves: list[Shelf]

    def __iter__(self) -> Iterator[Entry]:
        for shelf in self.shelves:
            yield from shelf.entries

    def find(self, query: str) -> Iterator[tuple[int, Entry]]:
        """What a search finds, each with its relevance; everything, equally relevant, where the query has no word."""
        wanted = search.words(query)
        for shelf in self.shelves:
            if not wanted:
                yield from ((0, entry) for entry in shelf.entries)
                continue
            for entry, title, text in zip(shelf.entries, shelf.titles, shelf.texts, strict=True):
                found = search.relevance(title, text, wanted)
                if found:
                    yield found, entry

    def similar(self, text: str) -> list[Similar]:
        """At most `SIMILAR_MAX` ideas whose title, or text with its title, is as similar as `search.SIMILAR_AT`; the most first.
        Of longer texts the first `search.LIKENESS_WORDS` words count."""
        some = _begun(search.folded(text))
        grams, close = search.trigrams(some), list[Similar]()
        for shelf in self.shelves:
            for place in {place for masks in shelf.masks for place in search.perhaps_similar(some, masks)}:
                alike = _similarity(grams, shelf, place)
                if alike >= search.SIMILAR_AT:
                    close.append(Similar(shelf.entries[place], alike))
        return sorted(close, key=lambda one: (one.similarity, one.entry.id), reverse=True)[:SIMILAR_MAX]


def _similarity(grams: set[str], shelf: Shelf, place: int) -> float:
    some = (shelf.titles[place].split(), _begun(shelf.texts[place]))
    return max(search.similarity(grams, search.trigrams(words)) for words in some)


_kept: OrderedDict[str, Shelf] = OrderedDict()


def read(campaign: str, phase: int, head: Head | None) -> Board:
    """The board that a head tells of; parts that this process does not have are read in one call. Where one is gone, because
    that was an old head, the head is read again. Raises `Unavailable`."""
    for attempt in range(5):
        refs = (board.outlines_of(head).get(phase) or Outline()).parts
        if _fetch(f"{campaign}#{phase}", [ref for ref in refs if ref.id not in _kept], consistent=attempt > 0):
            return Board(_taken(refs))
        head = Head.find(campaign, board.HEAD)
    raise Unavailable("The list cannot be put together at the moment. Please try again in a minute.")


def has(phase: int, head: Head | None) -> bool:
    """Whether `read` needs no call."""
    return all(ref.id in _kept for ref in (board.outlines_of(head).get(phase) or Outline()).parts)


def _fetch(pk: str, refs: list[Ref], *, consistent: bool) -> bool:
    """Whether all were there."""
    found = store.read_together({Part: [(pk, ref.id) for ref in refs]}, consistent=[Part] if consistent else [])[Part]
    for part in found:
        _kept[str(part.sk)] = Shelf(board.entries_of(part))
    return len(found) == len(refs)


def _taken(refs: list[Ref]) -> list[Shelf]:
    """From what is kept, of which the least used then goes."""
    shelves = [_kept[ref.id] for ref in refs]
    for ref in refs:
        _kept.move_to_end(ref.id)
    while len(_kept) > PARTS_KEPT:
        _kept.popitem(last=False)
    return shelves
