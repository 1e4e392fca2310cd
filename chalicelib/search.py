"""Words and likeness: what a search finds among texts, and which texts say nearly the same. Pure functions."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache, reduce
from operator import or_
from zlib import crc32

WORDS_MAX = 12
SIMILAR_AT, LIKENESS_WORDS = 0.25, 80
_BITS = 4096
_WORD = re.compile(r"[^\W_]+")
_SPACES = {code: " " for code in range(128) if not chr(code).isalnum()}


def folded(text: str) -> str:
    """Small letters without accents, a space around each word: `Café-Bar` becomes ` cafe bar `."""
    if text.isascii():
        found = text.lower().translate(_SPACES).split()
    else:
        plain = "".join(one for one in unicodedata.normalize("NFKD", text) if not unicodedata.combining(one))
        found = _WORD.findall(plain.casefold())
    return f" {' '.join(found)} " if found else " "


def words(query: str) -> list[str]:
    """The different words of a query, of which the first `WORDS_MAX` count."""
    return list(dict.fromkeys(folded(query).split()))[:WORDS_MAX]


def relevance(title: str, everything: str, wanted: Sequence[str]) -> int:
    """Of texts that are `folded`. 0 where a word is missing: each must begin one of the text's. More where they are in the
    title, or are whole."""
    found = 0
    for word in wanted:
        if f" {word}" not in everything:
            return 0
        found += 1 + 2 * (f" {word}" in title) + (f" {word} " in everything)
    return found


def trigrams(some: Iterable[str]) -> set[str]:
    """Of folded words, as PostgreSQL's pg_trgm takes them: with two spaces before each and one behind.
    https://www.postgresql.org/docs/current/pgtrgm.html"""
    return set().union(*map(_trigrams_of, some))


@lru_cache(maxsize=65_536)
def _trigrams_of(word: str) -> frozenset[str]:
    padded = f"  {word} "
    return frozenset(padded[at : at + 3] for at in range(len(padded) - 2))


@lru_cache(maxsize=65_536)
def _mask_of(word: str) -> int:
    return reduce(or_, (1 << crc32(one.encode()) % _BITS for one in _trigrams_of(word)))


def mask(some: Iterable[str]) -> int:
    """A bit for each trigram of these words; some share one."""
    return reduce(or_, map(_mask_of, some), 0)


def perhaps_similar(some: Sequence[str], masks: Iterable[int], at: float = SIMILAR_AT) -> list[int]:
    """The places of the masks whose `similarity` with these words is perhaps `at` or more: none is left out that is. Of two
    texts' trigrams, at most the bits in common and those that one lost by sharing are in common; and a text has at least
    as many trigrams as bits."""
    grams, mine = len(trigrams(some)), mask(some)
    lost, more = grams - mine.bit_count(), 1 + at  # multiplied, not divided: at exactly `at`, a rounded share would leave some out
    return [place for place, other in enumerate(masks) if more * ((mine & other).bit_count() + lost) >= at * (grams + other.bit_count())]


def similarity(one: set[str], other: set[str]) -> float:
    """Trigrams in common, of all: 0 to 1. Decidim calls two proposals similar from 0.25 (`similar_proposals.rb`)."""
    together = len(one | other)
    return len(one & other) / together if together else 0.0
