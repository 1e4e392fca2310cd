"""Sign-in by code, sign-out, and who one is."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import msgspec
from chalice import Blueprint, Response

from .. import participants, sessions, typed
from ..errors import GroundswellError, NotFound
from . import times
from .http import FLOW, PLEDGE, SESSION, SUPPORTER, TYPED, Visit, local_path
from .routes import route

bp = Blueprint(__name__)


class Ask(msgspec.Struct):
    email: str


class Verify(msgspec.Struct):
    flow: str
    code: str


class Code(msgspec.Struct):
    code: str


class Flow(msgspec.Struct):
    """`flow` is sent back with the code that was mailed."""

    flow: str


class Session(msgspec.Struct):
    """`token` is the bearer of further requests until `expires`."""

    token: str
    expires: str


class Me(msgspec.Struct):
    """`organiser`: may make campaigns."""

    organiser: bool
    since: str


@route(bp, "POST", "/v1/sign-in", takes=Ask, gives=Flow, status=202, errors=(429,))
def ask(visit: Visit) -> Response:
    """Asks for a sign-in code by e-mail; the answer is the same for known and unknown addresses."""
    return visit.json(Flow(sessions.ask(visit.read(Ask).email, now=visit.now)), 202)


@route(bp, "POST", "/v1/sign-in/verify", takes=Verify, gives=Session)
def verify(visit: Visit) -> Response:
    """Signs in with the code."""
    given = visit.read(Verify)
    signed_in = sessions.verify(given.flow, given.code, now=visit.now)
    return visit.json(Session(signed_in.token, times.stamp(signed_in.expires)))


@route(bp, "DELETE", "/v1/session", status=204)
def end(visit: Visit) -> Response:
    """Signs out; without a session nothing happens."""
    if visit.bearer:
        sessions.end(visit.bearer)
    return visit.json(None, 204)


@route(bp, "GET", "/v1/me", needs="person", gives=Me, errors=(404,))
def me(visit: Visit) -> Response:
    """Who is signed in."""
    found = participants.get(visit.require_person())
    if found is None:
        raise NotFound("There is no such person any more.")
    return visit.json(Me(bool(found.organiser), times.stamp(int(found.created) // 1000)))


@route(bp, "GET", "/sign-in")
def ask_page(visit: Visit) -> Response:
    return _asking(visit, local_path(visit.query("next")))


@route(bp, "POST", "/sign-in")
def ask_on_page(visit: Visit) -> Response:
    then = local_path(visit.typed.get("next"))
    try:
        flow = sessions.ask(visit.read(Ask).email, now=visit.now)
    except GroundswellError as error:
        return _asking(visit, then, typed=visit.typed, wrong=error)
    visit.set_cookie(FLOW, flow, max_age=sessions.CODE_S)
    return visit.redirect(f"/sign-in/code?next={quote(then, safe='/')}")


def _asking(visit: Visit, then: str, **shown: Any) -> Response:
    return visit.page("sign_in.html", **{"typed": {}, "wrong": None, "then": then} | shown)


@route(bp, "GET", "/sign-in/code")
def code_page(visit: Visit) -> Response:
    return _coding(visit, local_path(visit.query("next")))


@route(bp, "POST", "/sign-in/code")
def code_on_page(visit: Visit) -> Response:
    then = local_path(visit.typed.get("next"))
    try:
        signed_in = sessions.verify(visit.cookies.get(FLOW, ""), visit.read(Code).code, now=visit.now)
    except GroundswellError as error:
        return _coding(visit, then, typed=visit.typed, wrong=error)
    visit.set_cookie(SESSION, signed_in.token)
    visit.drop_cookie(FLOW)
    return visit.redirect(then)


def _coding(visit: Visit, then: str, **shown: Any) -> Response:
    return visit.page("code.html", **{"typed": {}, "wrong": None, "then": then, "minutes": sessions.CODE_S // 60} | shown)


@route(bp, "POST", "/sign-out")
def sign_out(visit: Visit) -> Response:
    """Of everything: who uses the computer next must not find the way to a post that was lent here."""
    visit.check_csrf()
    if visit.bearer:
        sessions.end(visit.bearer)
    if TYPED in visit.cookies:
        typed.forget(visit.cookies[TYPED])
    for name in (SESSION, SUPPORTER, FLOW, PLEDGE, TYPED):
        visit.drop_cookie(name)
    return visit.redirect("/")
