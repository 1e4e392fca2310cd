"""The route table: what each route takes, gives and needs is declared where it is registered, so that /v1/openapi.json and
the permission matrix are made from the code itself. Errors become JSON or a page here, in one place."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from functools import wraps
from typing import Any, Literal
from urllib.parse import unquote

import msgspec
from chalice import Response

from .. import clock, settings
from ..errors import GroundswellError, Invalid, NotFound
from . import landings
from .http import Visit, wait

FORM = ["application/x-www-form-urlencoded"]
_PARAM_MAX = 200

# anybody: no sign-in · supporter: who holds the pledge · person: signed in · enrolled: joined, and not suspended
# team: who has any duty in the campaign · the rest: that duty; founder: may make campaigns
Needs = Literal["anybody", "supporter", "person", "enrolled", "author", "team", "moderator", "coder", "organiser", "founder"]
View = Callable[..., Any]
_log = logging.getLogger(f"{settings.APP}.web")
_log.setLevel(logging.INFO)


@dataclass(frozen=True, slots=True)
class Route:
    """One route. `takes` is the body, `asks` the query, `gives` the answer of `status`, `media` its content type; `errors` are
    the statuses that it may answer besides those that follow from the rest."""

    method: str
    path: str
    name: str
    says: str
    needs: Needs
    takes: type[msgspec.Struct] | None
    asks: type[msgspec.Struct] | None
    gives: Any
    status: int
    errors: tuple[int, ...]
    media: str = "application/json"

    @property
    def is_api(self) -> bool:
        return self.path.startswith("/v1/")

    @property
    def is_keyed(self) -> bool:
        """Whether a program may send an Idempotency-Key: where something new is made."""
        return self.is_api and self.method == "POST" and self.status == 201


TABLE: list[Route] = []
_current: ContextVar[Visit] = ContextVar("visit")


class Unexpected(GroundswellError):
    """Our own fault; what it was is in the log only."""

    status = 500
    code = "unexpected"


def route(
    blueprint: Any,
    method: str,
    path: str,
    *,
    needs: Needs = "anybody",
    takes: type[msgspec.Struct] | None = None,
    asks: type[msgspec.Struct] | None = None,
    gives: Any = None,
    status: int = 200,
    errors: tuple[int, ...] = (),
    media: str = "application/json",
) -> Callable[[View], View]:
    """Registers a view: under /v1 it reads JSON, elsewhere forms. A view is called with its visit and answers a Response; one
    that answers something else than JSON says so by `media`."""
    types = {"content_types": FORM} if method == "POST" and not path.startswith("/v1/") else {}

    def register(view: View) -> View:
        says = (view.__doc__ or view.__name__.replace("_", " ")).split("\n")[0]
        name = f"{blueprint._import_name.rpartition('.')[2]}.{view.__name__}"
        found = Route(method, path, name, says, needs, takes, asks, gives, status, errors, media)
        TABLE.append(found)
        blueprint.route(path, methods=[method], **types)(visited(view, found))
        return view

    return register


def visited(view: View, found: Route) -> View:
    """Calls the view with its visit and its path parameters, unquoted here once."""

    @wraps(view)
    def answer(**params: str) -> Any:
        texts = {name: unquote(value) for name, value in params.items()}
        if any(len(text) > _PARAM_MAX for text in texts.values()):
            raise NotFound("There is nothing at this address.")
        try:
            visit = _current.get()
            visit.route = found
            _ = visit.key if found.is_keyed else None  # refused before anything is done, also where the view has no use for it
            response = view(visit, **texts)
            landings.count(visit, texts.get("slug"))
            return response
        except GroundswellError:
            raise
        except Exception as error:  # noqa: BLE001  # the edge: a message may hold what somebody wrote, so it is not logged
            raise _unexpected(error) from None

    return answer


def _unexpected(error: Exception) -> Unexpected:
    frames, trace = list[str](), error.__traceback__
    while trace:
        frames.append(f"{trace.tb_frame.f_globals.get('__name__')}:{trace.tb_lineno}")
        trace = trace.tb_next
    _log.error("unexpected %s at %s", type(error).__name__, " > ".join(frames[-8:]))
    return Unexpected("Something went wrong on our side. Please try again in a minute.")


def problems(event: Any, get_response: Callable[[Any], Response]) -> Response:
    """The middleware: every error that a view raises, or that Chalice answers with, in one shape."""
    begun, visit = time.perf_counter(), Visit(event, clock.utc_now())
    token = _current.set(visit)
    try:
        response = get_response(event)
        if isinstance(response.body, dict) and "Code" in response.body and response.status_code >= 400:
            response = _problem(visit, _as_ours(response))
    except GroundswellError as error:
        response = _problem(visit, error)
    finally:
        _current.reset(token)
    _log.info("%s %s %d %.0f ms", event.method, event.path, response.status_code, (time.perf_counter() - begun) * 1000)
    return response


def _as_ours(response: Response) -> GroundswellError:
    """What Chalice refuses by itself: another method, another content type."""
    if response.status_code >= 500:
        return Unexpected("Something went wrong on our side. Please try again in a minute.")
    error = Invalid("Please send JSON." if response.status_code == 415 else "This address does not take that.", code="unsupported")
    error.status = response.status_code
    return error


def _problem(visit: Visit, error: GroundswellError) -> Response:
    if visit.is_api:
        body: dict[str, Any] = {"error": error.code, "message": error.message}
        return visit.json(body | ({"fields": error.fields} if error.fields else {}), error.status, wait(error))
    return visit.page("problem.html", wrong=error)
