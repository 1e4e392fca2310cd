"""The pages' own style sheet and mark. Text only: API Gateway would hand out anything else as base64."""

from __future__ import annotations

from chalice import Blueprint, Response

from ..errors import NotFound
from . import pages
from .http import Visit
from .routes import route

bp = Blueprint(__name__)
_TYPES = {"groundswell.css": "text/css; charset=utf-8", "mark.svg": "image/svg+xml"}


@route(bp, "GET", "/static/{name}")
def get(visit: Visit, name: str) -> Response:
    if name not in _TYPES:
        raise NotFound("There is nothing at this address.")
    kept = "public, max-age=31536000, immutable" if visit.query("v") == pages.version(name) else "public, max-age=300"
    headers = {
        "Content-Type": _TYPES[name],
        "Cache-Control": kept,
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'",
    }
    return Response((pages.STATIC / name).read_text(), headers=headers)
