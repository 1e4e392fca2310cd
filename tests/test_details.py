"""What organisers can set of a campaign, and what is refused, each by the name of its field."""

from __future__ import annotations

from datetime import timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib import details
from chalicelib.campaigns import NewPhase
from chalicelib.errors import Invalid
from tests.conftest import NOW, new_details

OPTIONS = [{"id": "within", "label": "Within one organisation"}, {"id": "between", "label": "Between organisations"}]
CHOICE: dict[str, Any] = {"id": "scope", "label": "Where is it?", "options": OPTIONS}
PARTNER = {"id": "nt", "name": "Nursing Times", "link": "https://nt.example"}


def test_everything_at_once_is_right() -> None:
    found = new_details(NOW, choices=[CHOICE], partners=[PARTNER], tags=["it"], limits={"votes_per_hour": 1}, minimum_age=13)

    assert details.wrong_in(found) == {}
    assert details.missing(found) == {}


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"title": " ", "question": "x" * 301}, {"title", "question"}),
        ({"title": "x" * 121}, {"title"}),
        ({"zone": "Mars/Olympus"}, {"zone"}),
        ({"zone": ""}, {"zone"}),
        ({"zone": "../etc/passwd"}, {"zone"}),
        ({"contact": "x" * 301}, {"contact"}),
        ({"minimum_age": 12}, {"minimum_age"}),
        ({"minimum_age": 121}, {"minimum_age"}),
        ({"about": "x" * 10_001, "rules": "x" * 10_001, "urgent": "x" * 2_001}, {"about", "rules", "urgent"}),
        ({"limits": {"votes_per_hour": 0, "dances_per_hour": 1}}, {"limits.votes_per_hour", "limits.dances_per_hour"}),
        ({"tags": ["it", "it"]}, {"tags"}),
        ({"tags": [" "]}, {"tags"}),
        ({"tags": [str(number) for number in range(31)]}, {"tags"}),
        ({"controllers": [{"name": "HSJ", "contact": "a"}, {"name": " "}]}, {"controllers.2.name", "controllers.2.contact"}),
        ({"controllers": [{"name": "HSJ", "contact": "a"}] * 11}, {"controllers"}),
        ({"partners": [{"id": "NT", "name": "", "link": "http://nt.example"}]}, {"partners.1.id", "partners.1.name", "partners.1.link"}),
        ({"partners": [PARTNER | {"link": "javascript:alert(1)"}]}, {"partners.1.link"}),
        ({"partners": [PARTNER | {"link": "https://nt.example/ x"}]}, {"partners.1.link"}),
        ({"partners": [PARTNER, PARTNER]}, {"partners"}),
        ({"choices": [CHOICE] * 4}, {"choices"}),
        ({"choices": [CHOICE, CHOICE]}, {"choices"}),
        ({"choices": [{"id": "", "label": "", "options": []}]}, {"choices.1.id", "choices.1.label", "choices.1.options"}),
        ({"choices": [CHOICE | {"options": OPTIONS[:1]}]}, {"choices.1.options"}),
        ({"choices": [CHOICE | {"options": OPTIONS[:1] * 2}]}, {"choices.1.options"}),
        ({"choices": [CHOICE | {"options": [*OPTIONS, {"id": "x"}]}]}, {"choices.1.options"}),
        ({"phases": []}, {"phases"}),
    ],
)
def test_refused_naming_every_wrong_field(changes: dict[str, Any], fields: set[str]) -> None:
    assert set(details.wrong_in(new_details(NOW, **changes))) == fields


def test_refusal_holds_every_field() -> None:
    with pytest.raises(Invalid) as refused:
        details.refuse({"title": "1 to 120 characters", "phases.1.title": "1 to 120 characters"})

    assert set(refused.value.fields) == {"title", "phases.1.title"}


def test_what_differs_only_in_how_it_was_written_is_the_same() -> None:
    elsewhere = timezone(timedelta(hours=5))
    written = new_details(NOW, title=" Calm ", tags=(" it ",), partners=({"id": "nt", "name": " NT", "link": ""},))
    moved = [NewPhase(" One ", NOW.astimezone(elsewhere), (NOW + timedelta(days=1, microseconds=9)).astimezone(elsewhere), ("barrier",))]
    again = new_details(NOW, title="Calm", tags=["it"], partners=[{"id": "nt", "name": "NT", "link": ""}])
    plain = [NewPhase("One", NOW, NOW + timedelta(days=1), ["barrier"])]

    assert details.cleaned(details.replace(written, phases=moved)) == details.cleaned(details.replace(again, phases=plain))


@given(st.text(max_size=80), st.lists(st.text(max_size=20), max_size=4))
def test_id_made_from_a_label_is_one_and_another_one(label: str, others: list[str]) -> None:
    known = [details.id_of(other) for other in others]

    made = details.id_of(label, known)

    assert details._ID.fullmatch(made)
    assert made not in known


def test_nothing_is_missing_that_a_campaign_can_open_without() -> None:
    assert set(details.missing(new_details(NOW, about="", urgent="", partners=[], tags=[], choices=[]))) == set()
