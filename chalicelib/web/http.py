"""One request and its answer. Pages know a browser by its cookies, /v1 knows a program by its bearer only.
Imports no noun of `web`."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, TypeVar
from urllib.parse import urlencode

import msgspec
from chalice import Response

from .. import ids, keyring, sessions, settings
from ..drafts import Access
from ..errors import Forbidden, GroundswellError, Invalid, TooMany, Unauthenticated
from . import bodies, pages

SESSION, BROWSER, SUPPORTER, FLOW, PLEDGE = "gs_session", "gs_browser", "gs_supporter", "gs_flow", "gs_pledge"
TYPED = "gs_typed"
_KEY_MAX = 200
_KEY = re.compile(rf"[!-~]{{1,{_KEY_MAX}}}")
_HARD = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "private, no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_JSON_POLICY = "default-src 'none'; frame-ancestors 'none'"
_LOCAL_MAX = 1000
_LOCAL_PATH = re.compile(r"(?:/|(?:/[A-Za-z0-9_-][A-Za-z0-9_.-]*)+)(?:\?[A-Za-z0-9_.~%+&=,:-]*)?")
_PAGE_POLICY = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

S = TypeVar("S", bound=msgspec.Struct)


@dataclass
class Visit:
    """A request on its way. `now` is its time everywhere; `outgoing` the cookies to set; `route` what the table says of it."""

    request: Any
    now: datetime
    outgoing: list[str] = field(default_factory=list)
    route: Any = None

    @cached_property
    def is_api(self) -> bool:
        return bool(self.request.path == "/v1" or self.request.path.startswith("/v1/"))

    @cached_property
    def prefix(self) -> str:
        """What stands before our own paths: the stage under API Gateway's own address, nothing at a domain's root."""
        return self._split[0]

    @cached_property
    def path(self) -> str:
        return self._split[1] or "/"

    @cached_property
    def _split(self) -> tuple[str, str]:
        """Chalice's `path` is the route's pattern, so it says how many of the last segments are ours."""
        segments = [f"/{part}" for part in self.request.context["path"].split("/") if part]
        ours = len(segments) - len([part for part in self.request.path.split("/") if part])
        return "".join(segments[:ours]), "".join(segments[ours:])

    def link(self, path: str) -> str:
        return f"{self.prefix}{path}"

    def address(self, path: str) -> str:
        """A page's whole address, for an e-mail. On the local stage it is that of the embedded AWS."""
        local = settings.current().is_local
        host = self.request.headers.get("host") if local else self.request.context.get("domainName")
        return f"{'http' if local else 'https'}://{host or 'localhost'}{self.link(path)}"

    @cached_property
    def here(self) -> str | None:
        """The page that is looked at, with its query: where to come back to. None where it answers a form."""
        if self.request.method != "GET":
            return None
        found = self.request.query_params
        asked = urlencode([(name, value) for name in found for value in found.getlist(name)] if found else [])
        return local_path(f"{self.path}?{asked}" if asked else self.path)

    def query(self, name: str) -> str | None:
        found = (self.request.query_params or {}).get(name)
        return str(found) if found else None

    def ask(self, shape: type[S]) -> S:
        """The query as a Struct. Other parameters are let pass. What is empty counts as left out, as a form sends what was not
        chosen; under /v1 only texts may be. Raises `Invalid`."""
        found = self.request.query_params or {}
        given = {name: str(found[name]) for name in found}
        if self.is_api:
            bodies.refuse_empty(given, shape)
        return bodies.from_form({name: [text] for name, text in given.items() if text}, shape)

    @cached_property
    def cookies(self) -> dict[str, str]:
        pairs = (part.strip().partition("=") for part in self.request.headers.get("cookie", "").split(";"))
        return {name: value for name, _, value in pairs if name.startswith("gs_")}

    @cached_property
    def bearer(self) -> str | None:
        """The token of whoever asks: from the header under /v1, from the cookie for pages, and never the other way."""
        if not self.is_api:
            return self.cookies.get(SESSION)
        scheme, _, token = self.request.headers.get("authorization", "").partition(" ")
        return (token.strip() or None) if scheme.lower() == "bearer" else None

    @cached_property
    def person(self) -> str | None:
        return sessions.find(self.bearer, now=self.now) if self.bearer else None

    def require_person(self) -> str:
        """Raises `Unauthenticated`."""
        if self.person is None:
            raise Unauthenticated("Please sign in first." if not self.is_api else "Please sign in, and send the token as a bearer.")
        return self.person

    @cached_property
    def access(self) -> Access:
        """To drafts and pledges: as who is signed in, or with the token that a supporter without an account got."""
        return Access(self.person, self.cookies.get(SUPPORTER) if not self.is_api else (None if self.person else self.bearer))

    @cached_property
    def form(self) -> dict[str, list[str]]:
        """Raises `Invalid`."""
        return bodies.read_form(bytes(self.request.raw_body or b""))

    @property
    def typed(self) -> dict[str, str]:
        return bodies.typed(self.form)

    def read(self, shape: type[S]) -> S:
        """The body as a Struct. For a form, only after its token has been checked. Raises `Invalid`, `Forbidden`."""
        if self.is_api:
            assert self.route is None or self.route.takes is shape, "the route declares another body"
            return bodies.from_json(bytes(self.request.raw_body or b""), shape)
        self.check_csrf()
        return bodies.from_form(self.form, shape)

    @cached_property
    def key(self) -> str:
        """What makes a repetition of this request recognisable. Raises `Invalid`."""
        given = self.request.headers.get("idempotency-key") if self.is_api else self.typed.get("request")
        if given is None:
            return ids.token()
        if not _KEY.fullmatch(given):
            raise Invalid.field("Idempotency-Key" if self.is_api else "request", f"1 to {_KEY_MAX} plain characters without spaces")
        return str(given)

    @cached_property
    def _browser(self) -> str:
        """The browser's own random token, given to it with its first form."""
        known = self.cookies.get(BROWSER)
        if known:
            return known
        made = ids.token()
        self.set_cookie(BROWSER, made)
        return made

    def csrf(self) -> str:
        """For a hidden field in each form: worth nothing without this browser's cookie."""
        return keyring.keyed_hash("cursors", "csrf", self._browser)[:32]

    def check_csrf(self) -> None:
        """Raises `Forbidden` (form_expired)."""
        sent = self.typed.get("csrf", "")
        if BROWSER not in self.cookies or not hmac.compare_digest(sent.encode(), self.csrf().encode()):
            raise Forbidden(
                "This form was not opened in this browser, or cookies are switched off. Please check it and press the button again.",
                code="form_expired",
            )

    def set_cookie(self, name: str, value: str, *, max_age: int | None = None, path: str = "/") -> None:
        """Out of reach of scripts. Without `max_age` (seconds) it goes when the browser is closed: wards share computers."""
        secure = "" if settings.current().is_local else "; Secure"
        age = "" if max_age is None else f"; Max-Age={max_age}"
        where = self.link(path).rstrip("/") or "/"
        self.outgoing.append(f"{name}={value}; Path={where}{age}; HttpOnly; SameSite=Lax{secure}")

    def drop_cookie(self, name: str) -> None:
        self.set_cookie(name, "", max_age=0)

    def json(self, body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
        """An answer of /v1: a Struct of the kind that the route declares, or anything JSON where it is a problem."""
        assert status >= 400 or self.route is None or (body is None if self.route.gives is None else type(body) is self.route.gives)
        every = {"Content-Type": "application/json", "Content-Security-Policy": _JSON_POLICY, **(headers or {})}
        return self._answer("" if status == 204 else msgspec.json.encode(body).decode(), status, every)

    def page(self, template: str, **context: Any) -> Response:
        """`wrong`, if given, is the error that the page tells of; the status is its."""
        wrong: GroundswellError | None = context.setdefault("wrong", None)
        html = pages.render(template, {"visit": self, "link": self.link, "now": self.now, **context})
        headers = {"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": _PAGE_POLICY}
        return self._answer(html, wrong.status if wrong else 200, headers | wait(wrong))

    def file(self, text: str, media: str, headers: Mapping[str, str]) -> Response:
        """An answer that is neither JSON nor a page, as its route declares it."""
        assert self.route is None or self.route.media == media, "the route declares another content type"
        return self._answer(text, 200, {"Content-Type": f"{media}; charset=utf-8", "Content-Security-Policy": _JSON_POLICY, **headers})

    def redirect(self, path: str) -> Response:
        """To another of our pages, which is then asked for with GET."""
        return self._answer("", 303, {"Location": self.link(path), "Content-Type": "text/plain; charset=utf-8"})

    def _answer(self, body: Any, status: int, headers: Mapping[str, str]) -> Response:
        every: dict[str, Any] = {**_HARD, **headers}
        if not settings.current().is_local:
            every["Strict-Transport-Security"] = "max-age=31536000"
        if self.outgoing:
            every["Set-Cookie"] = self.outgoing
        return Response(body, headers=every, status_code=status)


def local_path(text: str | None) -> str:
    """Where to go next, if it is one of our own paths, with a query or without; else the first page. What browsers would
    take for another site (`//`, `/\\`, a scheme) or a script would read after a `#` is none of them."""
    return text if text and len(text) <= _LOCAL_MAX and _LOCAL_PATH.fullmatch(text) else "/"


def wait(error: GroundswellError | None) -> dict[str, str]:
    """The header that says when to try again."""
    return {"Retry-After": str(error.retry_after)} if isinstance(error, TooMany) else {}
