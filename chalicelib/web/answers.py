"""Which barriers and building blocks of the framework a solution answers."""

from __future__ import annotations

import msgspec
from chalice import Blueprint, Response

from .. import enrolments, framework
from ..campaigns import Campaign
from ..enrolments import Enrolment
from ..errors import Invalid
from . import participation
from .campaigns import seen
from .contributions import Contribution, answer
from .http import Visit
from .routes import route

bp = Blueprint(__name__)


class Tie(msgspec.Struct):
    entry: str


def _who(visit: Visit, campaign: Campaign) -> Enrolment:
    """A coder, who need not have joined, or somebody who has. Raises `Unauthenticated`, `Forbidden`."""
    found = enrolments.find(campaign.slug, visit.require_person())
    return found if found is not None and found.has("coder") else participation.enrolled(visit, campaign)


@route(bp, "PUT", "/v1/campaigns/{slug}/contributions/{id}/answers/{entry}", needs="author", gives=Contribution, errors=(409,))
def put(visit: Visit, slug: str, id: str, entry: str) -> Response:  # noqa: A002  # the name in the address
    """Says that a solution answers an entry of the framework: for its author, or a coder."""
    campaign = seen(visit, slug)
    found = framework.answer(campaign, id, entry, _who(visit, campaign))
    return visit.json(answer(visit, campaign, found, True))


@route(bp, "DELETE", "/v1/campaigns/{slug}/contributions/{id}/answers/{entry}", needs="author", status=204, errors=(409,))
def delete(visit: Visit, slug: str, id: str, entry: str) -> Response:  # noqa: A002
    """Takes such a tie away."""
    campaign = seen(visit, slug)
    framework.unanswer(campaign, id, entry, _who(visit, campaign))
    return visit.json(None, 204)


@route(bp, "POST", "/c/{slug}/contributions/{id}/answers", needs="author")
def put_on_page(visit: Visit, slug: str, id: str) -> Response:  # noqa: A002
    """Says that a solution answers an entry."""
    campaign, entry = seen(visit, slug), visit.read(Tie).entry
    if not entry:
        raise Invalid.field("entry", "please choose one")
    framework.answer(campaign, id, entry, _who(visit, campaign))
    return visit.redirect(f"/c/{slug}/contributions/{id}")


@route(bp, "POST", "/c/{slug}/contributions/{id}/answers/{entry}/remove", needs="author")
def delete_on_page(visit: Visit, slug: str, id: str, entry: str) -> Response:  # noqa: A002
    """Takes such a tie away."""
    visit.check_csrf()
    campaign = seen(visit, slug)
    framework.unanswer(campaign, id, entry, _who(visit, campaign))
    return visit.redirect(f"/c/{slug}/contributions/{id}")
