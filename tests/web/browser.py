"""People at a browser and programs at the API, both through `chalice.test.Client`. A browser keeps cookies, reads forms and
sends them back as it got them, hidden fields included."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode

from chalice.test import Client, HTTPResponse


@dataclass
class Form:
    """`fields`: what it would send as it stands; `kept`: what is typed into it."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)


class Reader(HTMLParser):
    """What a page holds: its forms, links, ids and visible text. Fails on anything that would run."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.tags: list[str] = []
        self.labelled: set[str] = set()
        self.text = ""
        self._area: str | None = None
        self._in_label = False
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attributes}
        self.tags.append(tag)
        assert not [name for name in found if name.startswith("on") or name == "style"], found
        if "id" in found:
            self.ids.append(found["id"])
        if tag == "label":
            self._in_label = True
            self.labelled.add(found.get("for", ""))
        if tag == "fieldset" or (tag == "input" and self._in_label):  # by its legend, or by the label around it
            self.labelled.add(found.get("id", ""))
        if "href" in found:
            self.links.append(found["href"])
        if tag == "form":
            self.forms.append(Form(found["action"]))
        if tag in ("input", "textarea", "button") and "name" in found:
            self._control(tag, found)

    def _control(self, tag: str, found: dict[str, str]) -> None:
        form, name = self.forms[-1], found["name"]
        form.names.add(name)
        if tag == "textarea":
            self._area, form.fields[name] = name, ""
        elif tag == "input" and (found.get("type") not in ("radio", "checkbox") or "checked" in found):
            form.fields[name] = found.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "label":
            self._in_label = False
        if tag == "textarea" and self._area is not None:
            self.forms[-1].fields[self._area] = self.forms[-1].fields[self._area].removeprefix("\n")
            self._area = None

    def handle_data(self, data: str) -> None:
        if self._area is not None:
            self.forms[-1].fields[self._area] += data
        else:
            self.text += data


@dataclass
class Page:
    response: HTTPResponse

    @property
    def status(self) -> int:
        return int(self.response.status_code)

    @property
    def html(self) -> str:
        return bytes(self.response.body).decode()

    @property
    def read(self) -> Reader:
        return Reader(self.html)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", self.read.text)

    def form(self, action: str) -> Form:
        """The form whose action ends so."""
        return next(form for form in self.read.forms if form.action.endswith(action))


class Browser:
    """`prefix`: the stage that API Gateway's own address has before our paths. `address`: what was asked for last."""

    def __init__(self, client: Client, prefix: str = "") -> None:
        self.client, self.prefix = client, prefix
        self.cookies: dict[str, str] = {}
        self.attributes: dict[str, str] = {}
        self.page = Page(HTTPResponse(b"", {}, 0))
        self.address = ""

    def _ask(self, method: str, address: str, body: bytes = b"", headers: dict[str, str] | None = None) -> Page:
        assert address.startswith(self.prefix), f"{address} leaves {self.prefix}"
        self.address = address.removeprefix(self.prefix)
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        sent = {**(headers or {}), **({"Cookie": cookies} if cookies else {})}
        response = self.client.http.request(method, address.removeprefix(self.prefix) or "/", headers=sent, body=body)
        for line in response.headers.get("Set-Cookie", []):
            name, value = line.split(";")[0].split("=", 1)
            self.attributes[name] = line
            self.cookies[name] = value
            if "Max-Age=0" in line:
                del self.cookies[name]
        self.page = Page(response)
        return self.follow() if response.status_code == 303 else self.page

    def follow(self) -> Page:
        return self._ask("GET", self.page.response.headers["Location"])

    def get(self, path: str) -> Page:
        return self._ask("GET", self.prefix + path)

    def post(self, path: str, fields: dict[str, Any]) -> Page:
        """Sends fields as they are, hidden ones only if given."""
        body = urlencode(fields, doseq=True).encode()
        return self._ask("POST", self.prefix + path, body, {"Content-Type": "application/x-www-form-urlencoded"})

    def send(self, action: str, /, **typed: Any) -> Page:
        """Fills in the form of the page whose action ends so, and sends it."""
        form = self.page.form(action)
        typed = {name.replace("__", "."): value for name, value in typed.items()}
        return self.post(form.action.removeprefix(self.prefix), form.fields | typed)


class Program:
    """Asks for JSON with a bearer."""

    def __init__(self, client: Client, token: str | None = None) -> None:
        self.client, self.token = client, token
        self.status, self.headers = 0, dict[str, Any]()

    def ask(self, method: str, path: str, body: Any = None, *, raw: bytes | None = None, **headers: str) -> Any:
        sent = {"Content-Type": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}}
        sent |= {"Authorization": f"Bearer {self.token}"} if self.token else {}
        data = raw if raw is not None else (json.dumps(body).encode() if body is not None else b"")
        response = self.client.http.request(method, path, headers=sent, body=data)
        self.status, self.headers = response.status_code, response.headers
        return response.json_body

    def refused(self, method: str, path: str, body: Any = None, **more: Any) -> tuple[int, str, dict[str, str]]:
        """The status, the code and the fields of an error, whose one shape is checked."""
        found = self.ask(method, path, body, **more)
        assert set(found) in ({"error", "message"}, {"error", "message", "fields"}), found
        assert isinstance(found["error"], str)
        assert found["message"]
        return self.status, found["error"], found.get("fields", {})
