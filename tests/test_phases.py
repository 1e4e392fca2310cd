"""Stages follow one another; what is allowed at an instant are the rights of exactly the stage that holds it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib import phases
from chalicelib.campaigns import Campaign, require
from chalicelib.errors import Conflict, Invalid
from chalicelib.phases import KINDS, RIGHTS, NewPhase, Phase
from tests.conftest import NOW

DAY = timedelta(days=1)


def phase(opens: float = -1, closes: float = 1, **changes: object) -> NewPhase:
    values: dict[str, object] = {"title": "One", "kinds": ["barrier"]} | changes
    return NewPhase(opens_at=NOW + DAY * opens, closes_at=NOW + DAY * closes, **values)  # type: ignore[arg-type]


def built(*new: NewPhase) -> list[Phase]:
    return [phases.build(number, one) for number, one in enumerate(new, 1)]


@st.composite
def plans(draw: Callable[..., object]) -> list[Phase]:
    """Up to six stages, some touching, some with days between, with any rights."""
    edges = sorted(draw(st.lists(st.integers(0, 2_000), min_size=2, max_size=12, unique=True)))  # type: ignore[call-overload]
    found, start = [], int(NOW.timestamp())
    for opens, closes in zip(edges[::2], edges[1::2], strict=False):
        rights = draw(st.tuples(*[st.booleans()] * 4))
        contribute, comment, vote, blind = rights  # type: ignore[misc]
        opens_at, closes_at = (datetime.fromtimestamp(start + edge, UTC) for edge in (opens, closes))
        found.append(NewPhase("Stage", opens_at, closes_at, list(KINDS), blind, "", contribute, comment, vote))
    assert phases.wrong_in(found) == {}
    return built(*found)


@given(plans(), st.integers(-5, 2_005))
def test_allowed_is_what_exactly_the_stage_that_holds_the_instant_allows(plan: list[Phase], second: int) -> None:
    now = NOW + timedelta(seconds=second)
    campaign = Campaign(pk="calm", phases=plan, opened=1)
    holding = [one for one in plan if float(one.opens_at) <= now.timestamp() < float(one.closes_at)]

    assert len(holding) <= 1
    assert campaign.open_phase(now) is (holding[0] if holding else None)
    for one in plan:
        for right in RIGHTS:
            allowed = one in holding and bool(getattr(one, right))
            assert one.allows(right, now) is allowed
            assert succeeds(lambda one=one, right=right: require(campaign, int(one.number), right, now=now)) is allowed  # type: ignore[misc]


def succeeds(act: Callable[[], object]) -> bool:
    try:
        act()
    except Conflict:
        return False
    return True


@given(plans(), st.integers(-5, 2_005))
def test_tallies_of_a_blind_stage_show_from_its_close(plan: list[Phase], second: int) -> None:
    now = NOW + timedelta(seconds=second)

    for one in plan:
        assert one.shows_tallies(now) is (not one.blind or now.timestamp() >= float(one.closes_at))


@pytest.mark.parametrize(
    ("new", "fields"),
    [
        ([], {"phases"}),
        ([phase()] * 13, {"phases"}),
        ([phase(title=" ")], {"phases.1.title"}),
        ([phase(title="x" * 121, question="x" * 301)], {"phases.1.title", "phases.1.question"}),
        ([phase(1, 1)], {"phases.1.closes_at"}),
        ([phase(1, 0)], {"phases.1.closes_at"}),
        ([phase(kinds=["rant"])], {"phases.1.kinds"}),
        ([phase(kinds=[])], {"phases.1.kinds"}),
        ([phase(0, 2), phase(1, 3)], {"phases.2.opens_at"}),
        ([phase(0, 2), phase(2, 1, title="")], {"phases.2.closes_at", "phases.2.title"}),
    ],
)
def test_refused_naming_every_wrong_field(new: list[NewPhase], fields: set[str]) -> None:
    assert set(phases.wrong_in(new)) == fields


def test_stage_without_new_ideas_needs_no_kind() -> None:
    assert phases.wrong_in([phase(kinds=[], contribute=False)]) == {}


def test_stages_may_touch() -> None:
    assert phases.wrong_in([phase(0, 1), phase(1, 2)]) == {}


def test_what_is_built_reads_back_the_same() -> None:
    new = phases.cleaned(phase(question=" Why? ", premoderated=True, blind=False, vote=False))

    assert phases.as_new(phases.build(1, new)) == new


@pytest.mark.parametrize(
    ("before", "after", "field"),
    [
        (phase(), phase(blind=False), "blind"),
        (phase(), phase(1, 2), "opens_at"),
        (phase(-2, -1), phase(-2, 1), "closes_at"),
    ],
    ids=["votes shown while open", "begins again", "opened again after its votes were shown"],
)
def test_terms_on_which_people_voted_stay(before: NewPhase, after: NewPhase, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        phases.check_change(built(before), [after], now=NOW)

    assert set(refused.value.fields) == {f"phases.1.{field}"}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (phase(), phase(closes=5)),
        (phase(), phase(closes=-0.1)),
        (phase(), phase(title="Two", vote=False, premoderated=True)),
        (phase(blind=False), phase()),
        (phase(-2, -1), phase(-2, -1, blind=False)),
        (phase(-2, -1, blind=False), phase(-2, 1, blind=False)),
        (phase(1, 2), phase(3, 4, blind=False)),
    ],
    ids=["longer", "ends early", "other rights", "hidden from now on", "shown after the close", "open votes opened again", "not begun"],
)
def test_organisers_can_change(before: NewPhase, after: NewPhase) -> None:
    phases.check_change(built(before), [after], now=NOW)


@given(plans(), st.integers(-5, 2_005), st.integers(0, 5))
def test_number_of_stages_never_falls_below_those_that_have_begun(plan: list[Phase], second: int, kept: int) -> None:
    now = NOW + timedelta(seconds=second)
    begun = [one for one in plan if float(one.opens_at) <= now.timestamp()]
    after = [phases.as_new(one) for one in plan[:kept]]

    assert succeeds(lambda: phases.check_change(plan, after, now=now)) is (len(after) >= len(begun))


def test_template_is_that_of_2015() -> None:
    """9 to 23 January, 6 to 20 February, 27 February to 13 March; then writing up, until the guide of 27 March."""
    found = phases.template_2015(datetime(2015, 1, 9, 9, tzinfo=ZoneInfo("Europe/London")))

    assert phases.wrong_in(found) == {}
    assert [(f"{one.opens_at:%-d %b}", f"{one.closes_at:%-d %b}") for one in found] == [
        ("9 Jan", "23 Jan"),
        ("6 Feb", "20 Feb"),
        ("27 Feb", "13 Mar"),
        ("13 Mar", "27 Mar"),
    ]
    assert [one.kinds for one in found] == [["barrier", "building-block"], *[["solution"]] * 3]
    assert [(one.contribute, one.comment, one.vote) for one in found] == [
        (True,) * 3,
        (True,) * 3,
        (False, True, True),
        (False, True, False),
    ]
    assert all(one.blind for one in found)


def test_template_keeps_the_hour_when_clocks_change() -> None:
    found = phases.template_2015(datetime(2027, 3, 1, 9, tzinfo=ZoneInfo("Europe/London")))

    assert {one.opens_at.hour for one in found} == {9}
    assert phases.cleaned(found[1]).opens_at.hour == 8
