"""Templates, and the words that pages use for what the code calls otherwise. Jinja2 is loaded with the first page."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from . import times

STATIC = Path(__file__).parent / "static"
_TEMPLATES = Path(__file__).parent / "templates"

KINDS = {"barrier": "What gets in the way", "building-block": "What helps", "solution": "Solution"}
ROLES = {"patient": "Patient or carer", "volunteer": "Volunteer", "staff": "Staff", "other": "Somebody else"}
DUTIES = {"organiser": "Organiser", "moderator": "Moderator", "coder": "Coder"}
NETWORKS = {
    "mastodon": "Mastodon",
    "bluesky": "Bluesky",
    "x": "X",
    "facebook": "Facebook",
    "threads": "Threads",
    "tumblr": "Tumblr",
    "linkedin": "LinkedIn",
}
STATES = {
    "open": "Open: people can lend a post",
    "frozen": "Getting ready",
    "goal_missed": "Did not go out: too few people joined in",
    "not_approved": "Did not go out: it was not approved in time",
    "stopped": "Stopped by the organisers",
    "settled": "Over",
}
OUTCOMES = {
    "posted": "Posted",
    "refused": "The network refused it",
    "reconnect": "The permission had run out",
    "unknown": "We cannot tell: please look at your account",
    "missed": "Did not go out",
    "withdrawn": "You took your post back",
    "goal_missed": STATES["goal_missed"],
    "not_approved": STATES["not_approved"],
    "stopped": STATES["stopped"],
    "halted": "The network takes no more posts from us",
    "not_agreed": "Did not go out: you had not agreed to the new moment",
}

REASONS = {
    "danger": "Someone may be in danger",
    "identifies": "It could show who a patient or a colleague is",
    "abusive": "It is abusive or hateful",
    "off-topic": "It has nothing to do with the question",
    "other": "Something else",
    "review": "Waits to be published",
}
DECISIONS = {
    "publish": "Published",
    "hide": "Hidden",
    "restore": "Shown again",
    "keep": "Kept as it is",
    "suspend": "Its author suspended",
    "reinstate": "Its author let back in",
}


@cache
def _environment() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    made.filters |= {"in_words": times.in_words, "ahead": times.ahead, "span": times.span, "short": times.short, "quoted": _quoted}
    made.tests["web_address"] = _is_web_address
    made.globals |= {"REASONS": REASONS, "DECISIONS": DECISIONS}
    made.globals |= {
        "KINDS": KINDS,
        "ROLES": ROLES,
        "DUTIES": DUTIES,
        "NETWORKS": NETWORKS,
        "STATES": STATES,
        "OUTCOMES": OUTCOMES,
        "version": version,
    }
    return made


def render(template: str, context: Mapping[str, Any]) -> str:
    return str(_environment().get_template(template).render(context))


def _quoted(text: str) -> str:
    return quote(text, safe="")


def _is_web_address(text: object) -> bool:
    """Only such an address becomes a link: what a network's server answered may be any text."""
    return isinstance(text, str) and text.startswith("https://")


@cache
def version(name: str) -> str:
    """Changes with the file, so that browsers may keep it for good."""
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:10]
