"""Orders: bounds that hold, ranks that respond to votes, pages that lose and double nothing, and a fair chance of being seen."""

from __future__ import annotations

import inspect
import random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from chalicelib import ranking

COUNTS = st.integers(0, 20_000)
SEEDS = st.binary(min_size=8, max_size=32)
OPENED, DAY = 1_800_000_000.0, 86_400.0


@given(up=COUNTS, down=COUNTS)
def test_wilson_is_a_share_and_below_the_plain_one(up: int, down: int) -> None:
    assert 0 <= ranking.wilson(up, down) <= 1
    if up + down:
        assert ranking.wilson(up, down) <= up / (up + down)


@given(up=COUNTS, down=COUNTS)
def test_another_vote_moves_an_idea_its_own_way(up: int, down: int) -> None:
    assert ranking.wilson(up + 1, down) > ranking.wilson(up, down)
    assert ranking.wilson(up, down + 1) <= ranking.wilson(up, down)
    assert up == 0 or ranking.wilson(up, down + 1) < ranking.wilson(up, down)


@given(up=st.integers(1, 200), down=st.integers(0, 200), times=st.integers(2, 50))
def test_the_same_share_of_more_votes_is_surer(up: int, down: int, times: int) -> None:
    assert ranking.wilson(up * times, down * times) > ranking.wilson(up, down)


def test_published_examples_come_in_the_published_order() -> None:
    """Of the reference: z = 1.2816, as Reddit has it. The net score would put 5500:4500 first."""
    pairs = [(100, 1), (10, 0), (100, 30), (10, 2), (600, 400), (2, 0), (5500, 4500), (1, 0)]
    found = [ranking.wilson(up, down, z=1.281551565545) for up, down in pairs]

    assert found == sorted(found, reverse=True)
    assert found == pytest.approx([0.968, 0.859, 0.719, 0.658, 0.58, 0.549, 0.544, 0.378], abs=0.001)


@given(up=COUNTS, down=COUNTS)
def test_being_divided_does_not_depend_on_the_side(up: int, down: int) -> None:
    assert ranking.divided(up, down) == ranking.divided(down, up)
    assert ranking.divided(up + down, up + down) >= ranking.divided(up + down, 0)


@given(
    keys=st.lists(st.tuples(st.floats(-9, 9), st.text(max_size=3)), unique=True, max_size=60),
    limit=st.integers(1, 7),
)
def test_pages_are_a_permutation_of_what_is_there(keys: list[tuple[float, str]], limit: int) -> None:
    found, after = list[tuple[float, str]](), None
    while True:
        items, after = ranking.page(((key, key) for key in keys), after, limit)
        found += items
        if after is None:
            break

    assert found == sorted(keys, reverse=True)


@given(seed=SEEDS, ages=st.lists(st.floats(0, 14), min_size=1, max_size=40), gone=st.sets(st.integers(0, 39)))
def test_fair_order_of_the_rest_is_the_same_whoever_goes(seed: bytes, ages: list[float], gone: set[int]) -> None:
    place = ranking.fair(seed, OPENED, OPENED + 14 * DAY)

    def order(left: list[int]) -> list[int]:
        return sorted(left, key=lambda one: place(str(one), OPENED + ages[one] * DAY))

    everybody = list(range(len(ages)))

    assert order([one for one in everybody if one not in gone]) == [one for one in order(everybody) if one not in gone]


@given(one=SEEDS, other=SEEDS)
def test_fair_places_vary_between_ideas_and_between_people(one: bytes, other: bytes) -> None:
    """Pol.is drew every statement with the same priority for sixteen months, and its tests passed."""
    assume(one != other)
    places = {
        seed: [ranking.fair(seed, OPENED, OPENED + 9 * DAY)(f"idea-{n}", OPENED + n * 3600) for n in range(50)] for seed in (one, other)
    }

    assert len(set(places[one])) == len(set(places[other])) == 50
    assert places[one] != places[other]


@given(created=st.floats(0, 13.9), later=st.floats(0.01, 14))
def test_what_came_later_has_been_seen_less(created: float, later: float) -> None:
    now = OPENED + 14 * DAY
    first = ranking.seen(OPENED + created * DAY, OPENED, now)
    second = ranking.seen(OPENED + min(14.0, created + later) * DAY, OPENED, now)

    assert first > second >= 0


def first_pages(weighted: bool, ideas: int = 120, views: int = 6000, shown: int = 10) -> list[int]:
    """How often each idea stood on a first page, where ideas and visitors come evenly."""
    draw, seen = random.Random(2015), [0] * ideas
    for view in range(views):
        now = OPENED + (view + 1) / views * 14 * DAY
        there = [n for n in range(ideas) if n / ideas * 14 * DAY <= now - OPENED]
        place = ranking.fair(draw.randbytes(8), OPENED, now)
        created = {n: OPENED + n / ideas * 14 * DAY for n in there}
        order = sorted(there, key=lambda n: place(f"idea-{n}", created[n] if weighted else OPENED), reverse=True)
        for n in order[:shown]:
            seen[n] += 1
    return seen


def gini(counts: list[int]) -> float:
    """0: everybody the same; 1: one has everything."""
    ordered = sorted(counts)
    return sum((2 * place - len(counts) - 1) * count for place, count in enumerate(ordered, 1)) / (len(counts) * sum(counts))


def test_weighting_makes_exposure_more_even_than_chance_alone() -> None:
    even, chance = gini(first_pages(weighted=True)), gini(first_pages(weighted=False))

    assert even < 0.75 * chance


def test_no_order_while_votes_are_hidden_can_know_of_them() -> None:
    """What the fair order is made of: a seed, times, and an id. Nothing that people did enters."""
    assert list(inspect.signature(ranking.fair).parameters) == ["seed", "opened", "now"]
    assert list(inspect.signature(ranking.fair(b"seed", OPENED, OPENED)).parameters) == ["item", "created"]
