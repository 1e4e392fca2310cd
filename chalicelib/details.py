"""Everything that organisers set of a campaign, what is wrong with it, and what is missing before it can open."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from . import phases, texts
from .errors import Invalid
from .phases import NewPhase

_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
LIMITS: Mapping[str, int] = {"contributions_per_hour": 60, "comments_per_hour": 120, "votes_per_hour": 600}
LIMIT_MAX = 1_000_000
SHORT_MAX, CONTACT_MAX = 120, 300
LIST_MAX = 30


@dataclass(frozen=True, slots=True)
class Details:
    """Everything that organisers set. `limits`: see `LIMITS`; what is left out has its default."""

    title: str
    question: str
    phases: Sequence[NewPhase]
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
    """What is wrong, by field."""
    wrong: dict[str, str] = {}
    for name, most in (("title", SHORT_MAX), ("question", 300)):
        if not 1 <= len(getattr(found, name).strip()) <= most:
            wrong[name] = f"1 to {most} characters"
    if len(found.contact) > CONTACT_MAX:
        wrong["contact"] = f"at most {CONTACT_MAX} characters"
    if found.minimum_age is not None and not 13 <= found.minimum_age <= 120:
        wrong["minimum_age"] = "an age of at least 13"
    if any(name not in LIMITS or not 1 <= number <= LIMIT_MAX for name, number in found.limits.items()):
        wrong["limits"] = f"{', '.join(LIMITS)}: 1 to {LIMIT_MAX}"
    return wrong | texts.wrong_in(texts_of(found)) | _wrong_lists(found) | phases.wrong_in(found.phases)


def _wrong_lists(found: Details) -> dict[str, str]:
    wrong: dict[str, str] = {}
    if len(found.choices) > 3 or not all(_is_choice(choice) for choice in found.choices):
        wrong["choices"] = "at most 3 fields, each with an id, a label and 2 to 12 options that have an id and a label"
    if len(set(found.tags)) != len(found.tags) or len(found.tags) > LIST_MAX or not all(1 <= len(tag.strip()) <= 40 for tag in found.tags):
        wrong["tags"] = f"at most {LIST_MAX} different ones, of 1 to 40 characters"
    if len(found.controllers) > 10 or not all(_has(one, "name", "contact") for one in found.controllers):
        wrong["controllers"] = "at most 10, each with a name and a contact"
    links = [str(one.get("link", "")) for one in found.partners]
    if len(found.partners) > LIST_MAX or not all(_has(one, "name") for one in found.partners):
        wrong["partners"] = f"at most {LIST_MAX}, each with a name"
    elif any(link and not link.startswith("https://") for link in links):
        wrong["partners"] = "a link begins with https://"
    return wrong


def _has(one: Mapping[str, Any], *names: str) -> bool:
    return all(1 <= len(str(one.get(name, "")).strip()) <= CONTACT_MAX for name in names)


def _is_choice(choice: Mapping[str, Any]) -> bool:
    options = choice.get("options", [])
    several = [choice, *options]
    known = [str(option.get("id", "")) for option in options]
    return 2 <= len(options) <= 12 and len(set(known)) == len(known) and all(_is_option(one) for one in several)


def _is_option(one: Mapping[str, Any]) -> bool:
    return bool(_ID.fullmatch(str(one.get("id", "")))) and 1 <= len(str(one.get("label", "")).strip()) <= SHORT_MAX


def refuse(wrong: Mapping[str, str]) -> None:
    """Raises `Invalid` with every wrong field, if there is one."""
    if wrong:
        raise Invalid.fields_of(wrong)
