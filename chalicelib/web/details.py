"""What organisers set of a campaign, as JSON and as rows of a form: `phases.2.title` is the second stage's title."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from .. import details, phases
from ..details import Details
from ..errors import GroundswellError, Invalid
from ..phases import Kind
from . import times

Short = Annotated[str, msgspec.Meta(min_length=1, max_length=details.SHORT_MAX)]
Question = Annotated[str, msgspec.Meta(min_length=1, max_length=300)]
Age = Annotated[int, msgspec.Meta(ge=details.AGE_MIN, le=120)]
Template = Literal["2015", "single"]
TEMPLATES: Mapping[Template, Callable[[datetime], list[phases.NewPhase]]] = {"2015": phases.template_2015, "single": phases.single}


class NewPhase(msgspec.Struct):
    """Times are RFC 3339. `contribute`, `comment`, `vote`: what people may do; `blind`: votes are hidden until it closes;
    `premoderated`: what is added waits for a moderator."""

    title: Short
    opens_at: str
    closes_at: str
    kinds: list[Kind]
    question: str = ""
    contribute: bool = True
    comment: bool = True
    vote: bool = True
    blind: bool = True
    premoderated: bool = False


class Option(msgspec.Struct):
    id: str
    label: str


class Choice(msgspec.Struct):
    """A field of the campaign's own, which every contribution fills in."""

    id: str
    label: str
    options: list[Option]


class Controller(msgspec.Struct):
    """Who decides about the data."""

    name: str
    contact: str


class NewPartner(msgspec.Struct):
    """`id` is part of the logo's address; left out, it is made from the name."""

    name: str
    link: str = ""
    id: str = ""


class Limits(msgspec.Struct, omit_defaults=True):
    """How often one account may do a thing in an hour; left out: the service's own limits."""

    contributions_per_hour: int | None = None
    comments_per_hour: int | None = None
    votes_per_hour: int | None = None


class NewCampaign(msgspec.Struct):
    """`phases`, or `template` and when its first stage `opens_at`: the four stages of 2015, or a single one. The rest can
    follow; before the campaign is opened it must have `rules`, `controllers`, `contact`, `minimum_age`."""

    slug: str
    title: Short
    question: Question
    phases: list[NewPhase] | UnsetType = UNSET
    template: Template | UnsetType = UNSET
    opens_at: str | UnsetType = UNSET
    zone: str | UnsetType = UNSET
    about: str | UnsetType = UNSET
    rules: str | UnsetType = UNSET
    urgent: str | UnsetType = UNSET
    choices: list[Choice] | UnsetType = UNSET
    tags: list[str] | UnsetType = UNSET
    partners: list[NewPartner] | UnsetType = UNSET
    controllers: list[Controller] | UnsetType = UNSET
    contact: str | UnsetType = UNSET
    minimum_age: Age | UnsetType | None = UNSET
    limits: Limits | UnsetType = UNSET


class CampaignChanges(msgspec.Struct):
    """What is left out stays as it is. `revision`: of the campaign that was read; another one meanwhile is refused."""

    title: Short | UnsetType = UNSET
    question: Question | UnsetType = UNSET
    phases: list[NewPhase] | UnsetType = UNSET
    zone: str | UnsetType = UNSET
    about: str | UnsetType = UNSET
    rules: str | UnsetType = UNSET
    urgent: str | UnsetType = UNSET
    choices: list[Choice] | UnsetType = UNSET
    tags: list[str] | UnsetType = UNSET
    partners: list[NewPartner] | UnsetType = UNSET
    controllers: list[Controller] | UnsetType = UNSET
    contact: str | UnsetType = UNSET
    minimum_age: Age | UnsetType | None = UNSET
    limits: Limits | UnsetType = UNSET
    revision: int | UnsetType = UNSET


Given = NewCampaign | CampaignChanges
_PLAIN = ("title", "question", "zone", "about", "rules", "urgent", "contact", "minimum_age")


def changes_in(body: Given) -> dict[str, Any]:
    """What a body sets, as `campaigns.change` takes it. Raises `Invalid` naming every wrong time."""
    found: dict[str, Any] = {name: getattr(body, name) for name in _PLAIN if getattr(body, name) is not UNSET}
    if body.phases is not UNSET:
        found["phases"] = _phases(body.phases, times.rfc3339)
    if body.choices is not UNSET:
        found["choices"] = msgspec.to_builtins(body.choices)
    if body.tags is not UNSET:
        found["tags"] = body.tags
    if body.controllers is not UNSET:
        found["controllers"] = msgspec.to_builtins(body.controllers)
    if body.partners is not UNSET:
        found["partners"] = _with_ids(body.partners)
    if body.limits is not UNSET:
        found["limits"] = msgspec.to_builtins(body.limits)
    return found


def details_in(body: NewCampaign) -> Details:
    """Raises `Invalid`."""
    given = changes_in(body)
    if body.template:
        if body.phases:
            raise Invalid.field("template", "please give stages or a template, not both")
        begins = times.read_all({"opens_at": body.opens_at or ""}, times.rfc3339)["opens_at"]
        given["phases"] = TEMPLATES[body.template](begins.astimezone(times.place_of(body.zone or details.ZONE)))
    return Details(**{"phases": [], **given})


def _phases(rows: Iterable[NewPhase], read: times.Read, numbers: Sequence[int] = ()) -> list[phases.NewPhase]:
    """`numbers`: how a form numbers the rows."""
    listed = list(rows)
    named = dict(zip(numbers or range(1, len(listed) + 1), listed, strict=True))
    asked = {f"phases.{number}.{name}": getattr(row, name) for number, row in named.items() for name in ("opens_at", "closes_at")}
    at = times.read_all(asked, read)
    return [_phase(row, at[f"phases.{number}.opens_at"], at[f"phases.{number}.closes_at"]) for number, row in named.items()]


def _phase(row: NewPhase, opens_at: datetime, closes_at: datetime) -> phases.NewPhase:
    return phases.NewPhase(
        row.title, opens_at, closes_at, row.kinds, row.blind, row.question, row.contribute, row.comment, row.vote, row.premoderated
    )


def _with_ids(partners: Iterable[NewPartner]) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    for partner in partners:
        known = [one["id"] for one in found]
        found.append({"id": partner.id or details.id_of(partner.name, known), "name": partner.name, "link": partner.link})
    return found


class PhaseRow(NewPhase):
    """As a form sends it: a box that is not ticked is not sent. An empty row is none, nor is one to be removed."""

    title: str = ""
    opens_at: str = ""
    closes_at: str = ""
    kinds: list[Kind] = []
    contribute: bool = False
    comment: bool = False
    vote: bool = False
    blind: bool = False
    premoderated: bool = False
    remove: bool = False


class ChoiceRow(msgspec.Struct):
    """`options`: one a line."""

    label: str = ""
    options: str = ""


class ControllerRow(msgspec.Struct):
    name: str = ""
    contact: str = ""


class CampaignForm(msgspec.Struct):
    revision: int
    title: str
    question: str
    zone: str
    about: str = ""
    rules: str = ""
    urgent: str = ""
    contact: str = ""
    minimum_age: int | None = None
    tags: str = ""
    phases: list[PhaseRow] = []
    choices: list[ChoiceRow] = []
    controllers: list[ControllerRow] = []
    limits: Limits = msgspec.field(default_factory=Limits)


def changes_of_form(form: CampaignForm, before: Details) -> dict[str, Any]:
    """What a form sets. Raises `Invalid`, its fields named as the form names its rows."""
    found: dict[str, Any] = {name: getattr(form, name) for name in _PLAIN}
    found["tags"] = list(dict.fromkeys(_lines(form.tags)))
    numbers = _kept(form.phases)
    found["phases"] = _phases([form.phases[number - 1] for number in numbers], times.on_the_clock_of(form.zone.strip()), numbers)
    found["choices"] = _choices([form.choices[number - 1] for number in _kept(form.choices)], before.choices)
    found["controllers"] = [msgspec.to_builtins(form.controllers[number - 1]) for number in _kept(form.controllers)]
    return found | {"limits": msgspec.to_builtins(form.limits)}


def _kept(rows: Sequence[Any]) -> list[int]:
    """The numbers of the rows that are filled in and stay."""
    return [number for number, row in enumerate(rows, 1) if not getattr(row, "remove", False) and _is_filled(row)]


def _is_filled(row: msgspec.Struct) -> bool:
    texts = [getattr(row, field.name) for field in msgspec.structs.fields(row) if field.type is str]
    return any(text.strip() for text in texts)


def as_form_names(error: GroundswellError, form: CampaignForm) -> None:
    """Renames what is wrong with the third stage that is kept to what is wrong with the form's row of it."""
    numbers = {name: _kept(getattr(form, name)) for name in ("phases", "choices", "controllers")}

    def renamed(field: str) -> str:
        row = re.fullmatch(r"(phases|choices|controllers)\.(\d+)\.(\w+)", field)
        return f"{row[1]}.{numbers[row[1]][int(row[2]) - 1]}.{row[3]}" if row else field

    error.fields = {renamed(field): what for field, what in error.fields.items()}


def _choices(rows: Iterable[ChoiceRow], before: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Fields and options keep their ids under another label, so that what people chose stays what they chose."""
    listed, found = list(rows), list[dict[str, Any]]()
    ids = _ids([row.label for row in listed], before)
    for one, row in zip(ids, listed, strict=True):
        known: Sequence[Mapping[str, Any]] = next((choice["options"] for choice in before if choice["id"] == one), ())
        labels = _lines(row.options)
        options = [{"id": each, "label": label} for each, label in zip(_ids(labels, known), labels, strict=True)]
        found.append({"id": one, "label": row.label, "options": options})
    return found


def _ids(labels: Sequence[str], before: Sequence[Mapping[str, Any]]) -> list[str]:
    """That of the same label, else of the same place if its label is gone, else a new one."""
    by_label = {str(one["label"]): str(one["id"]) for one in before}
    gone = {number: str(one["id"]) for number, one in enumerate(before) if one["label"] not in labels}
    found: list[str] = []
    for number, label in enumerate(labels):
        known = by_label.get(label.strip()) or gone.get(number)
        taken = [*found, *by_label.values()]
        found.append(known if known and known not in found else details.id_of(label, taken))
    return found


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.split("\n") if line.strip()]
