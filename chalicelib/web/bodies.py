"""What a request carries, read into msgspec Structs: JSON exactly, forms as a browser sends them (everything is text; a part
of a part is `phase.title`, of the first of a list `phases.1.title`). Every wrong field is named, not only the first."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import reduce
from operator import or_
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin
from urllib.parse import parse_qs

import msgspec

from ..errors import Invalid

BODY_MAX = 131_072
FIELDS_MAX = 400

S = TypeVar("S", bound=msgspec.Struct)
Form = Mapping[str, list[str]]
Wrong = dict[str, str]
_WORDS: dict[Any, str] = {str: "text", int: "a whole number", bool: "true or false", dict: "an object of texts"}
_MISSING = object()


def from_json(raw: bytes, shape: type[S]) -> S:
    """Raises `Invalid` with every field that is missing, unknown or of another type."""
    wrong: Wrong = {}
    values = _values(shape, _parsed(raw), wrong)
    return _made(shape, values, wrong)


def from_form(form: Form, shape: type[S]) -> S:
    """Raises `Invalid` with every field that is missing or of another type. Other fields are let pass."""
    wrong: Wrong = {}
    values = _form_values(shape, form, "", wrong)
    return _made(shape, values, wrong)


def _plain(kind: Any) -> Any:
    """A type without the bounds that the contract tells: what is out of them is for the noun to say, in its own words."""
    if get_origin(kind) is Annotated:
        return _plain(get_args(kind)[0])
    if get_origin(kind) in (Union, UnionType):
        return reduce(or_, map(_plain, get_args(kind)))
    return list[_plain(get_args(kind)[0])] if get_origin(kind) is list else kind  # type: ignore[misc]  # a type made here


def refuse_empty(given: Mapping[str, str], shape: type[msgspec.Struct]) -> None:
    """Raises `Invalid` with every field that is there without a value and is no text."""
    empty = [field for field in msgspec.structs.fields(shape) if field.name in given and not given[field.name].strip()]
    wrong = {field.name: "is empty; please leave it out" for field in empty if _without_none(_plain(field.type)) is not str}
    if wrong:
        raise Invalid.fields_of(wrong)


def _made(shape: type[S], values: Mapping[str, Any], wrong: Wrong) -> S:
    if wrong:
        raise Invalid.fields_of(wrong)
    return shape(**values)


def read_form(raw: bytes) -> dict[str, list[str]]:
    """The fields of a form, new lines as \\n. Raises `Invalid`."""
    _check_size(raw)
    try:
        found = parse_qs(raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=FIELDS_MAX)
    except ValueError:
        raise Invalid("This form cannot be read; please go back and send it again.") from None
    return {name: [value.replace("\r\n", "\n") for value in values] for name, values in found.items()}


def typed(form: Form) -> dict[str, str]:
    """What was typed, to be shown again."""
    return {name: values[-1] for name, values in form.items()}


def _parsed(raw: bytes) -> dict[str, Any]:
    _check_size(raw)
    try:
        found = msgspec.json.decode(raw or b"{}")
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        raise Invalid.field("body", "this is not JSON in UTF-8", code="not_json") from None
    if not isinstance(found, dict):
        raise Invalid.field("body", "please send a JSON object", code="not_json")
    return found


def _check_size(raw: bytes) -> None:
    if len(raw) > BODY_MAX:
        raise Invalid.field("body", f"{len(raw)} bytes; at most {BODY_MAX} fit", code="too_big")


def _values(shape: type[msgspec.Struct], found: Mapping[str, Any], wrong: Wrong, under: str = "") -> dict[str, Any]:
    fields = msgspec.structs.fields(shape)
    for unknown in sorted(set(found) - {field.name for field in fields}):
        wrong[f"{under}{unknown[:60]}"] = "is not known here; please leave it out"
    values: dict[str, Any] = {}
    for field in fields:
        given, name = found.get(field.name, _MISSING), f"{under}{field.name}"
        if given is not _MISSING:
            values[field.name] = _value(_plain(field.type), given, name, wrong)
        elif field.required:
            wrong[name] = "is missing"
    return values


def _value(kind: Any, given: object, name: str, wrong: Wrong) -> Any:
    """One JSON value as the type, or what is wrong with it into `wrong`."""
    struct, several = _struct_in(kind)
    if struct and not several and isinstance(given, dict):
        return _struct(struct, _values(struct, given, wrong, f"{name}."), name, wrong)
    if struct and several and isinstance(given, list):
        return [_value(struct, one, f"{name}.{number}", wrong) for number, one in enumerate(given, 1)]
    return _converted(kind, given, name, wrong, strict=True)


def _struct(shape: type[msgspec.Struct], values: Mapping[str, Any], name: str, wrong: Wrong) -> Any:
    return None if any(key.startswith(f"{name}.") for key in wrong) else shape(**values)


def _form_values(shape: type[msgspec.Struct], form: Form, under: str, wrong: Wrong) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for field in msgspec.structs.fields(shape):
        given = _form_value(_plain(field.type), form, f"{under}{field.name}", wrong)
        if given is not _MISSING:
            values[field.name] = given
        elif field.required:
            wrong[f"{under}{field.name}"] = "please choose or fill in"
    return values


def _form_value(kind: Any, form: Form, name: str, wrong: Wrong) -> Any:
    kind = _without_none(kind)
    struct, several = _struct_in(kind)
    if struct and several:
        rows = [f"{name}.{number}" for number in _numbers(form, name)]
        return [_struct(struct, _form_values(struct, form, f"{row}.", wrong), row, wrong) for row in rows] if rows else _MISSING
    if struct:
        return _struct(struct, _form_values(struct, form, f"{name}.", wrong), name, wrong)
    if get_origin(kind) is dict:
        return {key.removeprefix(f"{name}."): sent[-1] for key, sent in form.items() if key.startswith(f"{name}.")}
    if name not in form:
        return _MISSING
    sent = form[name]
    if kind is int:
        return _converted(kind, sent[-1].strip(), name, wrong, strict=False) if sent[-1].strip() else _MISSING
    return _converted(kind, sent if get_origin(kind) is list else sent[-1], name, wrong, strict=False)


def _numbers(form: Form, name: str) -> Iterator[int]:
    """Which rows of a list a form has, in order: `phases.1.title`, `phases.2.title`."""
    found = {int(match[1]) for key in form if (match := re.match(rf"{re.escape(name)}\.([1-9][0-9]?)\.", key))}
    yield from sorted(found)


def _converted(kind: Any, given: object, name: str, wrong: Wrong, *, strict: bool) -> Any:
    try:
        return msgspec.convert(given, type=kind, strict=strict)
    except msgspec.ValidationError:
        wrong[name] = f"must be {_words(_without_none(kind))}"
        return None


def _words(kind: Any) -> str:
    if _struct_in(kind)[0]:
        return "a list of objects" if _struct_in(kind)[1] else "an object"
    if get_origin(kind) is Literal:
        return f"one of {', '.join(map(str, get_args(kind)))}"
    inner = get_args(kind)[0] if get_origin(kind) is list else kind
    if get_origin(inner) is Literal:
        return f"{'one' if inner is kind else 'some'} of {', '.join(get_args(inner))}"
    return _WORDS.get(kind) or _WORDS.get(get_origin(kind)) or "a list of texts"


def _without_none(kind: Any) -> Any:
    if get_origin(kind) in (Union, UnionType):
        kinds = [one for one in get_args(kind) if one is not NoneType and one is not msgspec.UnsetType]
        return kinds[0] if len(kinds) == 1 else kind
    return kind


def _struct_in(kind: Any) -> tuple[type[msgspec.Struct] | None, bool]:
    """The Struct that a type is, or is a list of; and whether it is a list."""
    kind = _without_none(kind)
    several = get_origin(kind) is list
    inner = get_args(kind)[0] if several else kind
    return (inner if isinstance(inner, type) and issubclass(inner, msgspec.Struct) else None), several
