"""Everything that organisers set of a campaign, what is wrong with it, and what is missing before it can open."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from zoneinfo import ZoneInfo

from . import phases, texts
from .errors import Invalid
from .phases import NewPhase

_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
LIMITS: Mapping[str, int] = {"contributions_per_hour": 60, "comments_per_hour": 120, "votes_per_hour": 600}
LIMIT_MAX = 1_000_000
SHORT_MAX, CONTACT_MAX = 120, 300
LIST_MAX, CHOICES_MAX, OPTIONS_MAX, CONTROLLERS_MAX = 30, 3, 12, 10
AGE_MIN = 13  # the age of consent to such a service in the UK: https://www.legislation.gov.uk/ukpga/2018/12/section/9
ZONE = "Europe/London"


@dataclass(frozen=True, slots=True)
class Details:
    """Everything that organisers set. `zone`: whose clocks show the campaign's times. `choices`: [{id, label, options:
    [{id, label}]}]; `partners`: [{id, name, link}]; `controllers`: [{name, contact}]. `limits`: see `LIMITS`; what is left
    out has its default."""

    title: str
    question: str
    phases: Sequence[NewPhase]
    zone: str = ZONE
    about: str = ""
    rules: str = ""
    urgent: str = ""
    choices: Sequence[Mapping[str, Any]] = ()
    tags: Sequence[str] = ()
    partners: Sequence[Mapping[str, str]] = ()
    controllers: Sequence[Mapping[str, str]] = ()
    contact: str = ""
    minimum_age: int | None = None
    limits: Mapping[str, int] = field(default_factory=dict)


def cleaned(found: Details) -> Details:
    """As it is stored, so that two of them can be compared: trimmed, lists as lists, times in whole seconds."""
    return replace(
        found,
        **{name: getattr(found, name).strip() for name in ("title", "question", "zone", "about", "rules", "urgent", "contact")},
        phases=[phases.cleaned(phase) for phase in found.phases],
        choices=[_choice(choice) for choice in found.choices],
        tags=[tag.strip() for tag in found.tags],
        partners=[_trimmed(partner) for partner in found.partners],
        controllers=[_trimmed(controller) for controller in found.controllers],
        limits=dict(found.limits),
    )


def _choice(choice: Mapping[str, Any]) -> dict[str, Any]:
    labelled = {"id": str(choice.get("id", "")).strip(), "label": str(choice.get("label", "")).strip()}
    return labelled | {"options": [_trimmed(option) for option in choice.get("options", [])]}


def _trimmed(one: Mapping[str, str]) -> dict[str, str]:
    return {name: str(text).strip() for name, text in one.items()}


def missing(found: Details) -> dict[str, str]:
    """What a campaign cannot open without, by field: people must know who answers for it, and by which rules."""
    needed = {
        "controllers": (bool(found.controllers), "who decides about the data, with a contact"),
        "contact": (bool(found.contact.strip()), "how people reach the organisers"),
        "minimum_age": (found.minimum_age is not None, "from which age people may take part"),
        "rules": (bool(found.rules.strip()), "the rules of the conversation"),
    }
    return {name: what for name, (there, what) in needed.items() if not there}


def needed(lacking: Mapping[str, str]) -> str:
    return f"Before people can take part, please fill in: {'; '.join(lacking.values())}."


def texts_of(found: Details) -> dict[str, str]:
    return {"about": found.about, "rules": found.rules, "urgent": found.urgent}


def wrong_in(found: Details) -> dict[str, str]:
    """What is wrong, by field; of a list's third one `phases.3.title`, counted from 1."""
    wrong: dict[str, str] = {}
    for name, most in (("title", SHORT_MAX), ("question", 300)):
        if not 1 <= len(getattr(found, name).strip()) <= most:
            wrong[name] = f"1 to {most} characters"
    if not _is_zone(found.zone):
        wrong["zone"] = "please give the name of a time zone, such as Europe/London"
    if len(found.contact) > CONTACT_MAX:
        wrong["contact"] = f"at most {CONTACT_MAX} characters"
    if found.minimum_age is not None and not AGE_MIN <= found.minimum_age <= 120:
        wrong["minimum_age"] = f"an age of at least {AGE_MIN}"
    for name, number in found.limits.items():
        if name not in LIMITS or not 1 <= number <= LIMIT_MAX:
            wrong[f"limits.{name}"] = f"1 to {LIMIT_MAX}"
    return wrong | texts.wrong_in(texts_of(found)) | _wrong_lists(found) | phases.wrong_in(found.phases)


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        return False
    return bool(name)


def _wrong_lists(found: Details) -> dict[str, str]:
    wrong: dict[str, str] = {}
    if len(set(found.tags)) != len(found.tags) or len(found.tags) > LIST_MAX or not all(1 <= len(tag.strip()) <= 40 for tag in found.tags):
        wrong["tags"] = f"at most {LIST_MAX} different ones, of 1 to 40 characters"
    several = (
        ("choices", found.choices, CHOICES_MAX, _wrong_choice),
        ("controllers", found.controllers, CONTROLLERS_MAX, _wrong_controller),
        ("partners", found.partners, LIST_MAX, wrong_with_partner),
    )
    for name, items, most, wrong_with in several:
        if len(items) > most:
            wrong[name] = f"at most {most}"
        for number, item in enumerate(items, 1):
            wrong |= {f"{name}.{number}.{part}": what for part, what in wrong_with(item).items()}
    for name, listed in (("choices", found.choices), ("partners", found.partners)):
        known = [str(one.get("id", "")) for one in listed]
        if len(set(known)) != len(known):
            wrong[name] = "no two may have the same id"
    return wrong


def _wrong_controller(one: Mapping[str, str]) -> dict[str, str]:
    return {name: f"1 to {CONTACT_MAX} characters" for name in ("name", "contact") if not _is_short(one.get(name, ""), CONTACT_MAX)}


def wrong_with_partner(one: Mapping[str, str]) -> dict[str, str]:
    """What is wrong with one of them, by field."""
    wrong = {} if _ID.fullmatch(one.get("id", "")) else {"id": "1 to 40 small letters, digits and hyphens"}
    if not _is_short(one.get("name", ""), CONTACT_MAX):
        wrong["name"] = f"1 to {CONTACT_MAX} characters"
    link = one.get("link", "")
    if link and not (link.startswith("https://") and len(link) <= 1000 and link.isprintable() and " " not in link):
        wrong["link"] = "please give a web address that begins with https://"
    return wrong


def _wrong_choice(choice: Mapping[str, Any]) -> dict[str, str]:
    options = choice.get("options", [])
    known = [str(option.get("id", "")) for option in options]
    wrong = {} if _ID.fullmatch(str(choice.get("id", ""))) else {"id": "1 to 40 small letters, digits and hyphens"}
    if not _is_short(str(choice.get("label", "")), SHORT_MAX):
        wrong["label"] = f"1 to {SHORT_MAX} characters"
    if not (2 <= len(options) <= OPTIONS_MAX and len(set(known)) == len(known) and all(_is_option(one) for one in options)):
        wrong["options"] = f"2 to {OPTIONS_MAX} different ones, each with an id and a label"
    return wrong


def _is_option(one: Mapping[str, Any]) -> bool:
    return bool(_ID.fullmatch(str(one.get("id", "")))) and _is_short(str(one.get("label", "")), SHORT_MAX)


def _is_short(text: str, most: int) -> bool:
    return 1 <= len(text.strip()) <= most


def id_of(label: str, known: Sequence[str] = ()) -> str:
    """An id made from a label, unlike those that are known: `Within one organisation` -> `within-one-organisation`."""
    made = re.sub(r"[^a-z0-9]+", "-", label.lower())[:36].strip("-") or "one"
    return next(one for number in range(1, len(known) + 2) if (one := made if number == 1 else f"{made}-{number}") not in known)


def refuse(wrong: Mapping[str, str]) -> None:
    """Raises `Invalid` with every wrong field, if there is one."""
    if wrong:
        raise Invalid.fields_of(wrong)
