"""Words and likeness: what a search finds among texts, and which texts say nearly the same. Pure functions."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from zlib import crc32

WORDS_MAX = 12
SIMILAR_AT, LIKENESS_CHARS = 0.25, 400
_BITS = 4096
_WORD = re.compile(r"[^\W_]+")


def folded(text: str) -> str:
    """Small letters without accents, each word after one space: `Café-Bar` becomes ` cafe bar`."""
    if not text.isascii():
        text = "".join(one for one in unicodedata.normalize("NFKD", text) if not unicodedata.combining(one))
    return "".join(f" {word}" for word in _WORD.findall(text.casefold()))


def words(query: str) -> list[str]:
    """The different words of a query, of which the first `WORDS_MAX` count."""
    return list(dict.fromkeys(folded(query).split()))[:WORDS_MAX]


@dataclass(frozen=True, slots=True)
class Text:
    """What can be found, folded: the title, and everything."""

    title: str
    all: str


def relevance(text: Text, wanted: Sequence[str]) -> int:
    """0 where a word is missing: each must begin one of the text's. More where they are in the title, or are whole."""
    found = 0
    for word in wanted:
        if f" {word}" not in text.all:
            return 0
        found += 1 + 2 * (f" {word}" in text.title) + (f" {word} " in f"{text.all} ")
    return found


@dataclass(frozen=True, slots=True)
class Likeness:
    """A text's trigrams: how many different ones, and a mask in which each sets one bit."""

    count: int
    mask: int


def trigrams(text: str) -> set[str]:
    """As PostgreSQL's pg_trgm takes them: of each word with two spaces before it and one behind.
    https://www.postgresql.org/docs/current/pgtrgm.html"""
    return set().union(*map(_trigrams_of, folded(text).split()))


@lru_cache(maxsize=65_536)
def _trigrams_of(word: str) -> frozenset[str]:
    padded = f"  {word} "
    return frozenset(padded[at : at + 3] for at in range(len(padded) - 2))


@lru_cache(maxsize=65_536)
def _mask_of(word: str) -> int:
    mask = 0
    for one in _trigrams_of(word):
        mask |= 1 << crc32(one.encode()) % _BITS
    return mask


def likeness(text: str) -> Likeness:
    mask = 0
    for word in folded(text).split():
        mask |= _mask_of(word)
    return Likeness(len(trigrams(text)), mask)


def may_be_similar(one: Likeness, other: Likeness, at: float = SIMILAR_AT) -> bool:
    """False only where `similarity` is certainly below `at`. Two trigrams can share a bit, so the bits in common are at
    least those of the trigrams in common, less the bits that `one` lost by sharing."""
    lost = one.count - one.mask.bit_count()
    return (one.mask & other.mask).bit_count() + lost >= at / (1 + at) * (one.count + other.count)


def similarity(one: set[str], other: set[str]) -> float:
    """Trigrams in common, of all: 0 to 1. Decidim calls two proposals similar from 0.25 (`similar_proposals.rb`)."""
    together = len(one | other)
    return len(one & other) / together if together else 0.0
