"""Bodies: JSON read exactly, forms as browsers send them; every wrong field is named, parts of lists by their number."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Annotated, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.errors import Invalid
from chalicelib.web import bodies


class Stage(msgspec.Struct):
    title: str
    days: int
    kinds: list[str]
    blind: bool = True


class Plan(msgspec.Struct):
    title: str
    first: Stage
    stages: list[Stage]
    age: int | None = None
    choices: dict[str, str] = {}
    about: str | msgspec.UnsetType = msgspec.UNSET


STAGE = {"title": "One", "days": 3, "kinds": ["barrier"]}
PLAN = {"title": "Plan", "first": STAGE, "stages": [STAGE, STAGE | {"blind": False}], "choices": {"scope": "within"}}


def read(found: object) -> Plan:
    return bodies.from_json(json.dumps(found).encode(), Plan)


class Choosing(msgspec.Struct):
    role: Literal["patient", "staff"]
    kinds: list[Literal["barrier", "solution"]] | msgspec.UnsetType = msgspec.UNSET


def test_refusal_says_what_can_be_chosen() -> None:
    with pytest.raises(Invalid) as refused:
        bodies.from_json(b'{"role": "king", "kinds": ["rant"]}', Choosing)

    assert refused.value.fields == {"role": "must be one of patient, staff", "kinds": "must be some of barrier, solution"}


def test_json_is_read_to_its_depth() -> None:
    found = read(PLAN | {"age": 16})

    assert [stage.blind for stage in found.stages] == [True, False]
    assert (found.first.kinds, found.choices, found.age, found.about) == (["barrier"], {"scope": "within"}, 16, msgspec.UNSET)


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"title": 1, "more": 1}, {"title", "more"}),
        (
            {"stages": [STAGE, {"title": 2, "days": "x", "kinds": "barrier", "lane": 1}]},
            {f"stages.2.{n}" for n in ("title", "days", "kinds", "lane")},
        ),
        ({"stages": [STAGE, 7]}, {"stages.2"}),
        ({"stages": STAGE}, {"stages"}),
        ({"first": {}}, {"first.title", "first.days", "first.kinds"}),
        ({"first": [STAGE]}, {"first"}),
        ({"choices": {"scope": 1}}, {"choices"}),
        ({"age": "16"}, {"age"}),
        ({"about": None}, {"about"}),
    ],
    ids=[
        "top",
        "in a list",
        "not an object in a list",
        "no list",
        "missing inside",
        "list for an object",
        "map",
        "text for a number",
        "null",
    ],
)
def test_every_wrong_field_of_json_is_named(changes: dict[str, object], fields: set[str]) -> None:
    with pytest.raises(Invalid) as refused:
        read(PLAN | changes)

    assert set(refused.value.fields) == fields


def test_form_is_read_to_its_depth_and_rows_may_be_missing() -> None:
    form = {
        "title": ["Plan"],
        "first.title": ["F"],
        "first.days": [" 2 "],
        "first.kinds": ["barrier", "solution"],
        "choices.scope": ["within"],
    }
    form |= {
        f"stages.{row}.{name}": [value] for row in (1, 3) for name, value in {"title": f"S{row}", "days": "1", "kinds": "barrier"}.items()
    }
    found = bodies.from_form(form, Plan)

    assert [stage.title for stage in found.stages] == ["S1", "S3"]
    assert (found.first.days, found.first.kinds, found.choices) == (2, ["barrier", "solution"], {"scope": "within"})


def test_wrong_row_of_a_form_is_named_as_the_form_names_it() -> None:
    form = {"title": ["Plan"], "first.title": ["F"], "first.days": ["2"], "first.kinds": ["barrier"]}
    form |= {"stages.3.title": ["S"], "stages.3.days": ["soon"], "stages.3.kinds": ["barrier"]}
    with pytest.raises(Invalid) as refused:
        bodies.from_form(form, Plan)

    assert refused.value.fields == {"stages.3.days": "must be a whole number"}


def test_empty_number_of_a_form_is_as_good_as_none() -> None:
    form = {"title": ["P"], "first.title": ["F"], "first.days": [""], "first.kinds": ["barrier"], "age": [" "], "stages.1.title": ["S"]}
    with pytest.raises(Invalid) as refused:
        bodies.from_form(form, Plan)

    assert "age" not in refused.value.fields
    assert {"first.days", "stages.1.days", "stages.1.kinds"} <= set(refused.value.fields)


def outcome(reading: Callable[[], Plan]) -> Plan | dict[str, str] | None:
    """What was read, or the fields that were named; None where it was refused without saying why."""
    try:
        return reading()
    except Invalid as refused:
        return refused.fields or None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)


@given(st.dictionaries(st.sampled_from(["title", "first", "stages", "age", "choices", "about", "x"]), JSON))
def test_whatever_is_sent_is_read_or_refused(found: dict[str, object]) -> None:
    assert isinstance(outcome(lambda: read(found)), Plan | dict)


@given(
    st.dictionaries(
        st.from_regex(r"(title|first|stages\.[0-9]{1,3}|choices)(\.(title|days|kinds|blind))?", fullmatch=True),
        st.lists(st.text(), min_size=1),
    )
)
def test_whatever_a_form_holds_is_read_or_refused(form: dict[str, list[str]]) -> None:
    assert isinstance(outcome(lambda: bodies.from_form(form, Plan)), Plan | dict)


class Bounded(msgspec.Struct):
    title: Annotated[str, msgspec.Meta(min_length=1, max_length=3)]
    tags: Annotated[list[Annotated[str, msgspec.Meta(max_length=3)]], msgspec.Meta(max_length=1)] = []
    age: Annotated[int, msgspec.Meta(ge=13)] | None = None


def test_what_is_out_of_bounds_is_let_pass_for_the_noun_to_refuse() -> None:
    """The bounds are for the contract; the noun says in its own words what is too long."""
    found = bodies.from_json(b'{"title": "long", "tags": ["several", "tags"], "age": 1}', Bounded)

    assert (found.title, found.tags, found.age) == ("long", ["several", "tags"], 1)
    assert bodies.from_form({"title": [""], "age": ["1"]}, Bounded) == Bounded("", [], 1)
    with pytest.raises(Invalid) as refused:
        bodies.from_json(b'{"title": 1, "tags": "no", "age": "1"}', Bounded)
    assert refused.value.fields == {"title": "must be text", "tags": "must be a list of texts", "age": "must be a whole number"}
