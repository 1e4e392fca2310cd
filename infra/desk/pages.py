"""The desk's pages, for a person: the feed, the mail, the tokens. No scripts; everything that came from outside is escaped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from infra.desk import mailbox
from infra.desk.places import PLACE
from infra.stand_ins import tokens
from infra.stand_ins.arrivals import Arrival
from infra.stand_ins.hosts import DIRECTORY

routes = web.RouteTableDef()
FEED_SHOWS, MAIL_SHOWS = 200, 100
_FOLDER = Path(__file__).parent / "templates"
_templates = Environment(loader=FileSystemLoader(_FOLDER), autoescape=True, undefined=StrictUndefined)


def _page(template: str, what: Mapping[str, Any]) -> web.Response:
    return web.Response(text=_templates.get_template(template).render(what), content_type="text/html")


@routes.get("/desk.css")
async def style(_: web.Request) -> web.Response:
    return web.Response(text=(_FOLDER / "desk.css").read_text(), content_type="text/css")


@routes.get("/")
async def feed(request: web.Request) -> web.Response:
    """Newest first. Reloads itself every two seconds unless asked not to (`still`)."""
    world = request.app[PLACE].world
    counts = Counter(f"{arrival.network} · {arrival.host}" for arrival in world.ledger.posts() if arrival.published)
    what = {
        "rows": [_row(arrival, world.moment_ns) for arrival in world.ledger.newest_posts(FEED_SHOWS)],
        "counts": sorted(counts.items()),
        "total": counts.total(),
        "most": FEED_SHOWS,
    }
    return _page("feed.html", what | {"here": "/", "still": "still" in request.query})


def _row(arrival: Arrival, moment_ns: int | None) -> dict[str, Any]:
    at = datetime.fromtimestamp(arrival.at_ns / 1e9, UTC)
    return {
        "arrival": arrival,
        "at": at.strftime("%H:%M:%S.%f")[:-3],
        "after_ms": None if moment_ns is None else (arrival.at_ns - moment_ns) / 1e6,
        "answer": _answer(arrival),
    }


def _answer(arrival: Arrival) -> str:
    if arrival.status is None:
        return "not answered"
    if arrival.status == 200:
        return "published" if arrival.published else "sent again, published once"
    return f"refused: {arrival.status}"


@routes.get("/mail")
async def mail(request: web.Request) -> web.Response:
    problem, found = None, list[mailbox.Message]()
    try:
        found = await mailbox.newest_first(request.app[PLACE].aws)
    except mailbox.Unreachable as error:
        problem = str(error)
    return _page("mail.html", {"here": "/mail", "messages": found[:MAIL_SHOWS], "problem": problem, "still": "still" in request.query})


@routes.get("/tokens")
async def access_tokens(request: web.Request) -> web.Response:
    """A form and, once a server and a name are chosen, the token. Asking again gives the same one."""
    world, asked = request.app[PLACE].world, request.query
    name = asked.get("name", "").strip().removeprefix("@").lower()
    host = world.host(asked.get("host", "")) or world.hosts[0]
    token, problem = None, None
    if name:
        try:
            token = world.permission(host.name, name, int(asked.get("number", "1")))
        except ValueError as error:
            problem = str(error)
    offered = [each.name for each in world.hosts if each.name != DIRECTORY]
    what = {"hosts": offered, "host": host.name, "network": host.network, "client": tokens.client(host.name)}
    return _page("tokens.html", what | {"here": "/tokens", "name": name, "token": token, "problem": problem})
