"""What a request carries, read into msgspec Structs: JSON exactly, forms as a browser sends them (everything is text, and
a part of a part is `phase.title`). Every wrong field is named, not only the first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast, get_origin
from urllib.parse import parse_qs

import msgspec

from ..errors import Invalid

BODY_MAX = 65_536
FIELDS_MAX = 50

S = TypeVar("S", bound=msgspec.Struct)
Form = Mapping[str, list[str]]
_WORDS: dict[Any, str] = {str: "text", int: "a whole number", bool: "true or false"}
_MISSING = object()


def from_json(raw: bytes, shape: type[S]) -> S:
    """Raises `Invalid` with every field that is missing, unknown or of another type."""
    found = _parsed(raw)
    wrong: dict[str, str] = {}
    values = _values(shape, found, wrong)
    _raise(wrong)
    return shape(**values)


def from_form(form: Form, shape: type[S]) -> S:
    """Raises `Invalid` with every field that is missing or of another type. Other fields are let pass."""
    wrong: dict[str, str] = {}
    values = _form_values(shape, form, "", wrong)
    _raise(wrong)
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


def _values(shape: type[msgspec.Struct], found: Mapping[str, Any], wrong: dict[str, str], under: str = "") -> dict[str, Any]:
    fields = msgspec.structs.fields(shape)
    for unknown in sorted(set(found) - {field.name for field in fields}):
        wrong[f"{under}{unknown[:60]}"] = "is not known here; please leave it out"
    values: dict[str, Any] = {}
    for field in fields:
        given, name = found.get(field.name, _MISSING), f"{under}{field.name}"
        if _is_struct(field.type) and isinstance(given, dict):
            inner = _values(field.type, given, wrong, f"{name}.")
            values[field.name] = None if any(key.startswith(f"{name}.") for key in wrong) else field.type(**inner)
        else:
            _take(field, given, name, values, wrong, strict=True)
    return values


def _form_values(shape: type[msgspec.Struct], form: Form, under: str, wrong: dict[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for field in msgspec.structs.fields(shape):
        name = f"{under}{field.name}"
        if _is_struct(field.type):
            inner = _form_values(field.type, form, f"{name}.", wrong)
            values[field.name] = None if any(key.startswith(f"{name}.") for key in wrong) else field.type(**inner)
        elif name in form:
            sent = form[name]
            _take(field, sent if get_origin(field.type) is list else sent[-1], name, values, wrong, strict=False)
        else:
            _take(field, _MISSING, name, values, wrong, strict=False)
    return values


def _take(field: Any, given: object, name: str, values: dict[str, Any], wrong: dict[str, str], *, strict: bool) -> None:
    """One field's value into `values`, or what is wrong with it into `wrong`."""
    if given is _MISSING:
        if field.required:
            wrong[name] = "is missing" if strict else "please choose or fill in"
        return
    if not strict and field.type is int:
        given = cast("str", given).strip()
    try:
        values[field.name] = msgspec.convert(given, type=field.type, strict=strict)
    except msgspec.ValidationError:
        wrong[name] = f"must be {_words(field.type)}"


def _words(kind: Any) -> str:
    return "an object" if _is_struct(kind) else _WORDS.get(kind, "a list of texts")


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _raise(wrong: Mapping[str, str]) -> None:
    if wrong:
        raise Invalid("; ".join(f"{name}: {what}" for name, what in wrong.items()), fields=wrong)
