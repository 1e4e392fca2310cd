"""Search and likeness: what is found is found whatever the spelling, and the quick look drops nothing that is similar."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib import search
from chalicelib.board import Entry
from chalicelib.shelf import Board, Shelf

WORDS = st.lists(st.sampled_from(["form", "forms", "rota", "night", "shift", "café", "paper", "notes", "ward"]), min_size=1, max_size=12)


def grams(text: str) -> set[str]:
    return search.trigrams(search.folded(text).split())


@given(text=st.text(max_size=80))
def test_folding_is_done_once_and_for_all(text: str) -> None:
    assert search.folded(search.folded(text)) == search.folded(text)
    assert search.folded(text.upper()) == search.folded(text.upper().lower())


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Café-Bar", " cafe bar "),
        ("ÉCOLE  naïve", " ecole naive "),
        ("Straße", " strasse "),
        ("don't", " don t "),
        ("ﬁle_x", " file x "),
        ("", " "),
    ],
)
def test_case_accents_and_signs_do_not_matter(text: str, folded: str) -> None:
    assert search.folded(text) == folded


@given(title=WORDS, rest=WORDS, data=st.data())
def test_beginnings_of_words_find_what_has_them(title: list[str], rest: list[str], data: st.DataObject) -> None:
    text = search.folded(" ".join(title)), search.folded(" ".join(title + rest))
    word = data.draw(st.sampled_from(title + rest))
    begun = word[: data.draw(st.integers(1, len(word)))]

    assert search.relevance(*text, search.words(begun)) > 0
    assert search.relevance(*text, search.words(f"{begun} nowhere")) == 0


@given(title=WORDS, other=WORDS)
def test_a_word_of_the_title_counts_more(title: list[str], other: list[str]) -> None:
    inside = (search.folded("zebra " + " ".join(title)), search.folded("zebra " + " ".join(title + other)))
    behind = (search.folded(" ".join(title)), search.folded(" ".join([*title, "zebra", *other])))

    assert search.relevance(*inside, ["zebra"]) > search.relevance(*behind, ["zebra"])


@given(one=WORDS, other=WORDS)
def test_similarity_is_a_share_the_same_both_ways(one: list[str], other: list[str]) -> None:
    first, second = grams(" ".join(one)), grams(" ".join(other))

    assert 0 <= search.similarity(first, second) == search.similarity(second, first) <= 1
    assert search.similarity(first, first) == 1


def test_trigrams_are_those_of_postgresql() -> None:
    """SELECT show_trgm('word'), and similarity('word', 'two words'), of the manual."""
    assert grams("word") == {"  w", " wo", "wor", "ord", "rd "}
    assert round(search.similarity(grams("word"), grams("two words")), 6) == 0.363636


@given(one=st.text(max_size=120) | WORDS.map(" ".join), other=st.text(max_size=120) | WORDS.map(" ".join))
def test_the_quick_look_never_drops_what_is_similar(one: str, other: str) -> None:
    words = search.folded(other).split()
    alike = search.similarity(grams(one), search.trigrams(words))

    assert alike < search.SIMILAR_AT or search.perhaps_similar(search.folded(one).split(), [0, search.mask(words)])[-1:] == [1]


@given(titles=st.lists(WORDS.map(" ".join), min_size=1, max_size=30), text=WORDS.map(" ".join))
@example(titles=["form forms rota night shift"], text="forms")  # 6 trigrams of 24: just at the threshold
def test_similar_ideas_are_those_above_the_threshold(titles: list[str], text: str) -> None:
    entries = [Entry(f"{n:03d}", "barrier", title, "x", [], {}, [], 0, 0) for n, title in enumerate(titles)]
    wanted = grams(text)
    close = [
        entry.id
        for entry in entries
        if max(search.similarity(wanted, grams(entry.title)), search.similarity(wanted, grams(f"{entry.title} x"))) >= search.SIMILAR_AT
    ]

    found = Board([Shelf(entries)]).similar(text)

    assert {one.entry.id for one in found} <= set(close)
    assert len(found) == min(10, len(close))
    assert [one.similarity for one in found] == sorted((one.similarity for one in found), reverse=True)
