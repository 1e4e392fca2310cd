"""Votes: one for each person and contribution, up or down, changed or taken back while the stage is open."""

from __future__ import annotations

from typing import Literal, cast

import msgspec
from chalice import Blueprint, Response

from .. import votes
from ..errors import Forbidden, GroundswellError, Invalid
from . import participation
from .campaigns import seen
from .contributions import OwnVote, shown
from .http import Visit
from .routes import route

bp = Blueprint(__name__)


class NewVote(msgspec.Struct):
    """1 votes up, -1 votes down."""

    value: Literal[1, -1]


class Vote(msgspec.Struct):
    """The vote that stands; 0 for none."""

    value: OwnVote


@route(bp, "PUT", "/v1/campaigns/{slug}/contributions/{id}/vote", needs="enrolled", takes=NewVote, gives=Vote, errors=(409, 429))
def cast_(visit: Visit, slug: str, id: str) -> Response:  # noqa: A002  # the name in the address
    """Votes up or down, in place of an earlier vote. A late repetition of an older request changes nothing."""
    ballot = votes.ballot(slug, id, visit.require_person())
    value = visit.read(NewVote).value
    stands = votes.cast(ballot.campaign, id, ballot.pseudonym, value, now=visit.now, found=ballot.contribution)
    return visit.json(Vote(cast("OwnVote", stands)))


@route(bp, "DELETE", "/v1/campaigns/{slug}/contributions/{id}/vote", needs="enrolled", status=204, errors=(409, 429))
def withdraw(visit: Visit, slug: str, id: str) -> Response:  # noqa: A002
    """Takes one's vote back; without a vote nothing happens."""
    ballot = votes.ballot(slug, id, visit.require_person())
    votes.withdraw(ballot.campaign, id, ballot.pseudonym, now=visit.now, found=ballot.contribution)
    return visit.json(None, 204)


@route(bp, "POST", "/c/{slug}/contributions/{id}/vote", needs="enrolled")
def cast_on_page(visit: Visit, slug: str, id: str) -> Response:  # noqa: A002
    """Votes; who has not joined says which describes them best in the same form."""
    campaign, here = seen(visit, slug), f"/c/{slug}/contributions/{id}"
    if visit.person is None:
        return participation.sign_in(visit, here, keep=False)
    value = visit.read(NewVote).value
    try:
        pseudonym = participation.enrolled(visit, campaign).pseudonym
    except (Forbidden, Invalid) as error:
        return _not_joined(visit, slug, id, error)
    votes.cast(campaign, id, pseudonym, value, now=visit.now)
    return visit.redirect(here)


def _not_joined(visit: Visit, slug: str, contribution: str, error: GroundswellError) -> Response:
    if error.code == "suspended":
        raise error
    return shown(visit, seen(visit, slug), contribution, typed=visit.typed, wrong=error, voting=True)


@route(bp, "POST", "/c/{slug}/contributions/{id}/vote/withdraw", needs="enrolled")
def withdraw_on_page(visit: Visit, slug: str, id: str) -> Response:  # noqa: A002
    """Takes one's vote back."""
    visit.check_csrf()
    campaign = seen(visit, slug)
    votes.withdraw(campaign, id, participation.enrolled(visit, campaign).pseudonym, now=visit.now)
    return visit.redirect(f"/c/{slug}/contributions/{id}")
