"""A board in memory, ready to be searched. Parts never change, so a function keeps those it has read."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from . import board, search, store
from .board import Entry, Head, Outline, Part, Ref
from .errors import Unavailable
from .search import Likeness, Text

PARTS_KEPT = 256
SIMILAR_MAX = 10


class Shelf:
    """The entries of one part; what searching needs of them is made when first wanted."""

    def __init__(self, entries: list[Entry]) -> None:
        self.entries = entries

    @cached_property
    def texts(self) -> list[Text]:
        titles = [search.folded(entry.title) for entry in self.entries]
        rests = [search.folded(" ".join([entry.text, *entry.tags])) for entry in self.entries]
        return [Text(title, title + rest) for title, rest in zip(titles, rests, strict=True)]

    @cached_property
    def likenesses(self) -> list[tuple[Likeness, Likeness]]:
        return [(search.likeness(entry.title), search.likeness(_told(entry))) for entry in self.entries]


def _told(entry: Entry) -> str:
    return f"{entry.title} {entry.text}"[: search.LIKENESS_CHARS]


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
            for entry, text in zip(shelf.entries, shelf.texts, strict=True):
                found = search.relevance(text, wanted)
                if found:
                    yield found, entry

    def similar(self, text: str) -> list[Similar]:
        """At most `SIMILAR_MAX` ideas whose title, or title and text, is as similar as `search.SIMILAR_AT`; the most first."""
        text = text[: search.LIKENESS_CHARS]
        like, grams = search.likeness(text), search.trigrams(text)
        found = [Similar(entry, _similarity(grams, entry)) for entry in self._perhaps(like)]
        close = [one for one in found if one.similarity >= search.SIMILAR_AT]
        return sorted(close, key=lambda one: (one.similarity, one.entry.id), reverse=True)[:SIMILAR_MAX]

    def _perhaps(self, like: Likeness) -> Iterator[Entry]:
        may = search.may_be_similar
        for shelf in self.shelves:
            for entry, (title, told) in zip(shelf.entries, shelf.likenesses, strict=True):
                if may(like, title) or may(like, told):
                    yield entry


def _similarity(grams: set[str], entry: Entry) -> float:
    return max(search.similarity(grams, search.trigrams(text)) for text in (entry.title, _told(entry)))


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
