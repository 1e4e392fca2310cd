"""The organisers' console: what is missing before the campaign can open, its stages, and the form for everything that
organisers set. Moderators and coders find their own part of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalice import Blueprint, Response

from .. import campaigns, details, enrolments, phases
from ..campaigns import Campaign, Details
from ..errors import Conflict, GroundswellError, Invalid
from . import times
from .campaigns import organised, seen, standing
from .details import CampaignForm, as_form_names, changes_of_form
from .http import Visit
from .routes import route

bp = Blueprint(__name__)
_LABELS = {
    "title": "Title",
    "question": "The question",
    "zone": "Time zone",
    "about": "About this campaign",
    "rules": "Rules of the conversation",
    "urgent": "Where to get urgent help",
    "contact": "How people reach you",
    "minimum_age": "Minimum age",
    "tags": "Tags",
    "limits.contributions_per_hour": "Ideas in an hour",
    "limits.comments_per_hour": "Comments in an hour",
    "limits.votes_per_hour": "Votes in an hour",
    "controllers": "Who answers for the data",
    "phases": "Stages",
    "choices": "Your own questions about an idea",
}
_ROWS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "phases": (
        "Stage {}",
        {
            "title": "title",
            "question": "its own question",
            "opens_at": "opens",
            "closes_at": "closes",
            "kinds": "what people can add",
            "contribute": "new ideas",
            "comment": "comments",
            "vote": "votes",
            "blind": "votes are hidden until it closes",
            "premoderated": "new ideas wait for a moderator",
            "remove": "remove this stage",
        },
    ),
    "controllers": ("Who answers {}", {"name": "name", "contact": "contact"}),
    "choices": ("Question {}", {"label": "what you ask", "options": "answers"}),
}
_MOST = {"phases": phases.PHASES_MAX, "controllers": details.CONTROLLERS_MAX, "choices": details.CHOICES_MAX}
_NEW_STAGE = {"contribute": "1", "comment": "1", "vote": "1", "blind": "1"}


@route(bp, "GET", "/c/{slug}/organise", needs="team")
def page(visit: Visit, slug: str) -> Response:
    person, campaign = visit.require_person(), seen(visit, slug)
    enrolments.require_duty(slug, person, "moderator", "coder")
    return _page(visit, campaign)


def _page(visit: Visit, campaign: Campaign, wrong: GroundswellError | None = None) -> Response:
    found = details.missing(campaigns.details_of(campaign))
    lacking = [(name, _LABELS[name], found.get(name)) for name in ("controllers", "contact", "minimum_age", "rules")]
    return visit.page("organise.html", campaign=campaign, lacking=lacking, wrong=wrong, **standing(visit, campaign))


@route(bp, "POST", "/c/{slug}/organise/open", needs="organiser")
def open_on_page(visit: Visit, slug: str) -> Response:
    visit.check_csrf()
    campaign, _ = organised(visit, slug)
    try:
        campaigns.open_up(campaign, now=visit.now)
    except Conflict as error:
        return _page(visit, campaign, error)
    return visit.redirect(f"/c/{slug}/organise")


@route(bp, "GET", "/c/{slug}/organise/campaign", needs="organiser")
def edit_page(visit: Visit, slug: str) -> Response:
    campaign, _ = organised(visit, slug)
    return _edit(visit, campaign, *_standing(campaign))


@route(bp, "POST", "/c/{slug}/organise/campaign", needs="organiser")
def change_on_page(visit: Visit, slug: str) -> Response:
    campaign, organiser = organised(visit, slug)
    try:
        _change(visit, campaign, organiser)
    except GroundswellError as error:
        chosen = {name: visit.form[name] for name in visit.form if name.endswith(".kinds")}
        return _edit(visit, campaign, visit.typed, chosen, error)
    return visit.redirect(f"/c/{slug}/organise")


def _change(visit: Visit, campaign: Campaign, organiser: str) -> None:
    form = visit.read(CampaignForm)
    changes = changes_of_form(form, campaigns.details_of(campaign))
    try:
        campaigns.change(campaign, changes, organiser, now=visit.now, revision=form.revision)
    except (Invalid, Conflict) as error:
        as_form_names(error, form)
        raise


def _edit(
    visit: Visit, campaign: Campaign, typed: Mapping[str, str], chosen: Mapping[str, list[str]], wrong: GroundswellError | None = None
) -> Response:
    numbers = {name: range(1, _rows(name, typed) + 1) for name in _ROWS}
    begun = [number for number, phase in enumerate(campaign.phases, 1) if campaign.opened and not phase.is_ahead(visit.now)]
    known: dict[str, Any] = {"numbers": numbers, "begun": begun, "labels": _labels(numbers), "limits": details.LIMITS}
    return visit.page(
        "organise_campaign.html", campaign=campaign, typed=typed, chosen=chosen, wrong=wrong, **known, **standing(visit, campaign)
    )


def _rows(name: str, typed: Mapping[str, str]) -> int:
    """Those that stand there, and an empty one as long as there may be more."""
    found = [int(part[1]) for key in typed if (part := key.split("."))[0] == name and len(part) == 3 and part[1].isdecimal()]
    number = min(max(found, default=0), 99)
    filled = any(typed[key].strip() for key in typed if key.startswith(f"{name}.{number}.") and not key.endswith(tuple(_NEW_STAGE)))
    return number if number >= _MOST[name] or (number and not filled) else number + 1


def _labels(numbers: Mapping[str, range]) -> dict[str, str]:
    found = dict(_LABELS)
    for name, (row, parts) in _ROWS.items():
        found |= {f"{name}.{number}.{part}": f"{row.format(number)}: {label}" for number in numbers[name] for part, label in parts.items()}
    return found


def _standing(campaign: Campaign) -> tuple[dict[str, str], dict[str, list[str]]]:
    """What stands, as the form shows it: texts, and which boxes of several are ticked."""
    found = campaigns.details_of(campaign)
    typed = {name: getattr(found, name) for name in ("title", "question", "zone", "about", "rules", "urgent", "contact")}
    typed |= {"revision": str(int(campaign.revision)), "tags": "\n".join(found.tags), "minimum_age": str(found.minimum_age or "")}
    typed |= {f"limits.{name}": str(number) for name, number in found.limits.items()}
    for number, controller in enumerate(found.controllers, 1):
        typed |= {f"controllers.{number}.{part}": controller[part] for part in ("name", "contact")}
    for number, choice in enumerate(found.choices, 1):
        options = "\n".join(option["label"] for option in choice["options"])
        typed |= {f"choices.{number}.label": choice["label"], f"choices.{number}.options": options}
    typed |= _stages(found)
    return typed, {f"phases.{number}.kinds": list(phase.kinds) for number, phase in enumerate(found.phases, 1)}


def _stages(found: Details) -> dict[str, str]:
    typed: dict[str, str] = {f"phases.{len(found.phases) + 1}.{name}": ticked for name, ticked in _NEW_STAGE.items()}
    for number, phase in enumerate(found.phases, 1):
        for name in ("opens_at", "closes_at"):
            typed[f"phases.{number}.{name}"] = times.on_the_clock(getattr(phase, name).timestamp(), found.zone)
        typed |= {f"phases.{number}.{name}": getattr(phase, name) for name in ("title", "question")}
        typed |= {f"phases.{number}.{name}": "1" for name in (*_NEW_STAGE, "premoderated") if getattr(phase, name)}
    return typed
