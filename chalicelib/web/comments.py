"""Comments on a contribution, and replies to them."""

from __future__ import annotations

from typing import Annotated, Literal, cast

import msgspec
from chalice import Blueprint, Response

from .. import comments, enrolments
from ..errors import GroundswellError, NotFound
from . import participation, times
from .campaigns import seen
from .contributions import shown
from .http import Visit
from .routes import route

bp = Blueprint(__name__)


class NewComment(msgspec.Struct):
    """`parent`: the comment that this one replies to; there are no replies to replies."""

    text: Annotated[str, msgspec.Meta(min_length=1, max_length=comments.TEXT_MAX)]
    parent: str | None = None


class Comment(msgspec.Struct):
    """What was taken away has no text, and is told only where it has replies. `author`: the same id as the contribution's where it
    is the same person."""

    id: str
    contribution: str
    parent: str | None
    text: str
    author: str | None
    state: Literal["published", "hidden", "withdrawn"]
    created_at: str


class Comments(msgspec.Struct):
    """Oldest first, each followed by its replies."""

    items: list[Comment]
    next: str | None


class CommentsAsked(msgspec.Struct):
    """`cursor`: the `next` of the part before."""

    cursor: str | None = None


@route(bp, "GET", "/v1/campaigns/{slug}/contributions/{id}/comments", asks=CommentsAsked, gives=Comments)
def listed(visit: Visit, slug: str, id: str) -> Response:  # noqa: A002  # the name in the address
    """The comments on a contribution."""
    seen(visit, slug)
    found, _ = participation.readable(visit, slug, id)
    page = comments.of(slug, found.id, cursor=visit.ask(CommentsAsked).cursor)
    return visit.json(Comments([told(comment) for comment in page.items], page.next))


@route(
    bp,
    "POST",
    "/v1/campaigns/{slug}/contributions/{id}/comments",
    needs="enrolled",
    takes=NewComment,
    gives=Comment,
    status=201,
    errors=(409, 429),
)
def add(visit: Visit, slug: str, id: str) -> Response:  # noqa: A002
    """Comments on a contribution, or replies to a comment, while the stage is open."""
    campaign = seen(visit, slug)
    pseudonym = enrolments.require(slug, visit.require_person()).pseudonym
    body = visit.read(NewComment)
    made = comments.add(campaign, id, pseudonym, text=body.text, parent=body.parent, request=visit.key, now=visit.now)
    return visit.json(told(made), 201)


def told(comment: comments.Comment) -> Comment:
    """A comment as JSON."""
    there = comment.state == "published"
    return Comment(
        id=comment.id,
        contribution=comment.contribution,
        parent=comment.parent,
        text=comment.text if there else "",
        author=comment.author_id if there else None,
        state=cast('Literal["published", "hidden", "withdrawn"]', comment.state),
        created_at=times.stamp(int(comment.created) / 1000),
    )


@route(bp, "DELETE", "/v1/campaigns/{slug}/contributions/{id}/comments/{comment}", needs="author", status=204)
def withdraw(visit: Visit, slug: str, id: str, comment: str) -> Response:  # noqa: A002
    """Takes one's own comment back, at any time: its words are deleted for good."""
    seen(visit, slug)
    comments.withdraw(slug, id, comment, enrolments.require(slug, visit.require_person()).pseudonym)
    return visit.json(None, 204)


@route(bp, "POST", "/c/{slug}/contributions/{id}/comments", needs="enrolled")
def add_on_page(visit: Visit, slug: str, id: str) -> Response:  # noqa: A002
    """Comments, or keeps the comment while its author signs in."""
    campaign, here = seen(visit, slug), f"/c/{slug}/contributions/{id}"
    try:
        if visit.person is None:
            return participation.sign_in(visit, here)
        body = visit.read(NewComment)
        enrolment = participation.enrolled(visit, campaign)
        parent = body.parent or None
        comments.add(campaign, id, enrolment.pseudonym, text=body.text, parent=parent, request=visit.key, now=visit.now)
    except NotFound:
        raise
    except GroundswellError as error:
        return shown(visit, campaign, id, typed=visit.typed, wrong=error)
    participation.forget(visit)
    return visit.redirect(here)


@route(bp, "POST", "/c/{slug}/contributions/{id}/comments/{comment}/withdraw", needs="author")
def withdraw_on_page(visit: Visit, slug: str, id: str, comment: str) -> Response:  # noqa: A002
    """Takes one's own comment back."""
    visit.check_csrf()
    comments.withdraw(slug, id, comment, participation.enrolled(visit, seen(visit, slug)).pseudonym)
    return visit.redirect(f"/c/{slug}/contributions/{id}")
