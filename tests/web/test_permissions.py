"""Who may do what: every route of the app's own table, asked by everybody. A route without a row fails, and so does a row
without a route.

A answered · S asked to sign in · F forbidden · N there is nothing (for them) · C does not fit the state of things, in columns:
N nobody · P participant · U author · M moderator · C coder · O organiser · S suspended · X organiser of another campaign"""

from __future__ import annotations

import pytest

from app import app
from chalicelib.web import routes
from tests.web.asking import ask, outcome
from tests.web.world import World

WHO = ("nobody", "participant", "author", "moderator", "coder", "organiser", "suspended", "stranger")

#                                                                             NPUMCOSX
CELLS = """
GET    /                                                                      AAAAAAAA
GET    /v1/openapi.json                                                       AAAAAAAA
"""

ROWS = {f"{method} {path}": cells for method, path, cells in (line.split() for line in CELLS.strip().splitlines())}
ROUTES = {f"{found.method} {found.path}": found for found in routes.TABLE}
BODIES: dict[str, dict[str, object]] = {}


def test_every_route_has_a_row_and_every_row_a_route() -> None:
    registered = {f"{method} {path}" for path, methods in app.routes.items() for method in methods}

    assert sorted(registered - set(ROWS)) == []
    assert sorted(set(ROWS) - registered) == []


@pytest.mark.parametrize("name", [name for name in ROWS if name in ROUTES])
def test_who_may_ask(name: str, world: World) -> None:
    """Each cell is a request of its own to the same world."""
    found = ""
    for who in WHO:
        world.restore()
        found += outcome(ask(world, ROUTES[name], who, body=BODIES.get(name)))

    assert found == ROWS[name]
