"""The campaign's partners and their logos. A logo is served as an SVG that can neither run nor load anything, and pages
show it as an image only."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from chalice import Blueprint, Response

from .. import campaigns, details, texts
from ..campaigns import Campaign
from ..errors import GroundswellError, NotFound
from .campaigns import logo, organised, seen, standing
from .http import Visit
from .routes import route

bp = Blueprint(__name__)
_LOGO = {
    "Content-Type": "image/svg+xml",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "private, max-age=300",
}


class Logo(msgspec.Struct):
    """`image`: SVG, or a PNG as `data:image/png;base64,...`."""

    image: Annotated[str, msgspec.Meta(max_length=texts.LOGO_MAX)]


class PartnerForm(msgspec.Struct):
    name: str
    link: str = ""
    image: str = ""


@route(bp, "PUT", "/v1/campaigns/{slug}/partners/{partner}/logo", needs="organiser", takes=Logo, status=204)
def put_logo(visit: Visit, slug: str, partner: str) -> Response:
    """Sets a partner's logo."""
    (campaign, _), body = organised(visit, slug), visit.read(Logo)
    texts.put_logo(campaign.slug, _partner(campaign, partner)["id"], body.image)
    return visit.json(None, 204)


@route(bp, "DELETE", "/v1/campaigns/{slug}/partners/{partner}/logo", needs="organiser", status=204)
def drop_logo(visit: Visit, slug: str, partner: str) -> Response:
    """Takes a partner's logo away; where there is none, nothing."""
    campaign, _ = organised(visit, slug)
    texts.drop_logo(campaign.slug, _partner(campaign, partner)["id"])
    return visit.json(None, 204)


def _partner(campaign: Campaign, partner: str) -> dict[str, str]:
    """Raises `NotFound`."""
    for one in campaign.partners:
        if one["id"] == partner:
            return dict(one)
    raise NotFound("There is no such partner; perhaps it has been removed already.")


@route(bp, "GET", "/c/{slug}/partners/{partner}/logo.svg")
def image(visit: Visit, slug: str, partner: str) -> Response:
    campaign = seen(visit, slug)
    return Response(texts.logo(campaign.slug, _partner(campaign, partner)["id"]), headers=_LOGO)


@route(bp, "GET", "/c/{slug}/about")
def about(visit: Visit, slug: str) -> Response:
    campaign = seen(visit, slug)
    told = texts.get(slug)
    return visit.page("about.html", campaign=campaign, texts=told, partners=with_logos(visit, campaign), **standing(visit, campaign))


def with_logos(visit: Visit, campaign: Campaign) -> list[dict[str, Any]]:
    """The partners as pages show them, each with the address of its logo, if it has one."""
    there = texts.logos(campaign.slug) if campaign.partners else frozenset[str]()
    return [{**one, "logo": logo(visit, campaign, one["id"], there)} for one in campaign.partners]


@route(bp, "GET", "/c/{slug}/organise/partners", needs="organiser")
def page(visit: Visit, slug: str) -> Response:
    campaign, _ = organised(visit, slug)
    return _page(visit, campaign)


@route(bp, "POST", "/c/{slug}/organise/partners", needs="organiser")
def add_on_page(visit: Visit, slug: str) -> Response:
    campaign, organiser = organised(visit, slug)
    try:
        body = visit.read(PartnerForm)
        _save(visit, campaign, organiser, _id_of(campaign, body.name.strip()), body)
    except GroundswellError as error:
        return _page(visit, campaign, typed=visit.typed, wrong=error)
    return visit.redirect(f"/c/{slug}/organise/partners")


def _id_of(campaign: Campaign, name: str) -> str:
    """That of the partner with this name, so that a form sent twice adds one; else a new one."""
    known = {one["name"]: one["id"] for one in campaign.partners}
    return known.get(name) or details.id_of(name, list(known.values()))


def _save(visit: Visit, campaign: Campaign, organiser: str, partner: str, body: PartnerForm) -> None:
    """In its place if it is there already, else at the end. Raises `Invalid` (name, link, image), `Conflict`."""
    new = {"id": partner, "name": body.name, "link": body.link}
    wrong = details.wrong_with_partner(new) | (texts.wrong_with_logo(body.image) if body.image.strip() else {})
    details.refuse(wrong)
    known = [one["id"] for one in campaign.partners]
    partners = [new if one["id"] == partner else one for one in campaign.partners] + ([] if partner in known else [new])
    campaigns.change(campaign, {"partners": partners}, organiser, now=visit.now)
    if body.image.strip():
        texts.put_logo(campaign.slug, partner, body.image)


def _page(visit: Visit, campaign: Campaign, **shown: Any) -> Response:
    known: dict[str, Any] = {"partners": with_logos(visit, campaign), "typed": {}, "wrong": None}
    return visit.page("organise_partners.html", campaign=campaign, **known | shown, **standing(visit, campaign))


@route(bp, "GET", "/c/{slug}/organise/partners/{partner}", needs="organiser")
def edit_page(visit: Visit, slug: str, partner: str) -> Response:
    campaign, _ = organised(visit, slug)
    found = _partner(campaign, partner)
    return _edit(visit, campaign, partner, typed=found)


@route(bp, "POST", "/c/{slug}/organise/partners/{partner}", needs="organiser")
def change_on_page(visit: Visit, slug: str, partner: str) -> Response:
    campaign, organiser = organised(visit, slug)
    try:
        body = visit.read(PartnerForm)
        _partner(campaign, partner)
        _save(visit, campaign, organiser, partner, body)
    except NotFound:
        raise
    except GroundswellError as error:
        return _edit(visit, campaign, partner, typed=visit.typed, wrong=error)
    return visit.redirect(f"/c/{slug}/organise/partners")


def _edit(visit: Visit, campaign: Campaign, partner: str, **shown: Any) -> Response:
    there = logo(visit, campaign, partner, texts.logos(campaign.slug))
    known = {"partner": partner, "logo": there, "wrong": None}
    return visit.page("organise_partner.html", campaign=campaign, **known | shown, **standing(visit, campaign))


@route(bp, "POST", "/c/{slug}/organise/partners/{partner}/remove", needs="organiser")
def remove_on_page(visit: Visit, slug: str, partner: str) -> Response:
    visit.check_csrf()
    campaign, organiser = organised(visit, slug)
    rest = [one for one in campaign.partners if one["id"] != partner]
    campaigns.change(campaign, {"partners": rest}, organiser, now=visit.now)
    return visit.redirect(f"/c/{slug}/organise/partners")
