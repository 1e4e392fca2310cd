"""Somebody at a real browser. They find things by what they are called, as people do; and every page that they come to is
looked at: by axe in both colour schemes, for what sticks out at 320 pixels, and for what its loading broke."""

from __future__ import annotations

import json
import re
import time
import urllib.request
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Locator, Page, Response

SHOTS = Path(__file__).parents[2] / "build" / "browser"
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 320, "height": 640}
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
MAIL_WAIT_S, PAUSE_S = 60.0, 0.3

_STICKING_OUT = """() => {
  const wide = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= wide) return [];
  return [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > wide + 1)
    .map(e => e.tagName.toLowerCase() + (e.className ? '.' + e.className : '') + ': ' + e.textContent.trim().slice(0, 60));
}"""


@dataclass(frozen=True, slots=True)
class Site:
    """`address` ends where our own paths begin; the mail and the networks' tokens are read at `desk`."""

    address: str
    desk: str
    slug: str

    @property
    def here(self) -> str:
        return f"/c/{self.slug}"

    def ask(self, path: str, body: Any = None) -> Any:
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self.desk + path, data, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=20) as answer:  # loopback
            return json.loads(answer.read() or b"null")

    def mails(self, email: str) -> list[dict[str, Any]]:
        """Newest first."""
        found: list[dict[str, Any]] = self.ask(f"/control/mail?to={email}")["messages"]
        return found

    def code(self, email: str, *, after: int) -> str:
        """The code in the mail that comes after the `after` that there were. Raises `TimeoutError`."""
        deadline = time.monotonic() + MAIL_WAIT_S
        while time.monotonic() < deadline:
            codes = [mail["code"] for mail in self.mails(email) if mail["code"]]
            if len(codes) > after:
                return str(codes[0])
            time.sleep(PAUSE_S)
        raise TimeoutError(f"no code has come to {email}")

    def codes(self, email: str) -> int:
        return len([mail for mail in self.mails(email) if mail["code"]])

    def token(self, host: str, name: str) -> str:
        """An access token of an account on a stand-in server."""
        return str(self.ask("/control/tokens", {"accounts": [{"host": host, "name": name}]})["tokens"][0]["token"])

    @property
    def host(self) -> str:
        """The first stand-in Mastodon server."""
        return next(str(one["name"]) for one in self.ask("/control/health")["hosts"] if one.get("network", "mastodon") == "mastodon")


@cache
def axe() -> str:
    return (files("axe_playwright_python") / "axe.min.js").read_text()


@dataclass
class Person:
    """`name` begins the names of their screenshots; `wrong` is all that was found on the pages they came to."""

    site: Site
    page: Page
    name: str
    shots: int = 0
    wrong: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.set_viewport_size(WIDE)  # type: ignore[arg-type]
        self.page.on("console", self._complained)
        self.page.on("response", self._answered)

    def _complained(self, said: ConsoleMessage) -> None:
        """A page may be refused, and then Chromium says so too."""
        if said.type == "error" and "Failed to load resource" not in said.text:
            self.wrong.append(f"console: {said.text}")

    def _answered(self, response: Response) -> None:
        if not response.url.startswith(self.site.address):
            self.wrong.append(f"asked elsewhere: {response.url}")
        if response.status >= (500 if response.request.is_navigation_request() else 400):
            self.wrong.append(f"{response.status}: {response.url}")

    @property
    def main(self) -> Locator:
        return self.page.get_by_role("main")

    @property
    def heading(self) -> Locator:
        return self.page.get_by_role("heading", level=1)

    def open(self, path: str, *, status: int = 200) -> None:
        """Types an address."""
        answer = self.page.goto(self.site.address + path)
        assert answer is not None
        assert answer.status == status, f"{path}: {answer.status}"
        self.look()

    def follow(self, link: str) -> None:
        self.main.get_by_role("link", name=link).first.click()
        self.arrive()

    def nav(self, link: str) -> None:
        self.page.get_by_role("banner").get_by_role("link", name=link, exact=True).click()
        self.arrive()

    def footer(self, link: str) -> None:
        self.page.get_by_role("contentinfo").get_by_role("link", name=link, exact=True).click()
        self.arrive()

    def press(self, button: str) -> None:
        self.page.get_by_role("button", name=button, exact=True).first.click()
        self.arrive()

    def reads(self, text: str) -> bool:
        """Whether the page says so, in its main part."""
        return text in re.sub(r"\s+", " ", self.main.inner_text())

    def sign_in(self, email: str) -> None:
        """From the page that asks for the address."""
        before = self.site.codes(email)
        self.page.get_by_label("Your e-mail address").fill(email)
        self.press("Send me a code")
        self.page.get_by_label("Your code").fill(self.site.code(email, after=before))
        self.press("Sign in")

    def arrive(self) -> None:
        self.page.wait_for_load_state("load")
        self.look()

    def look(self) -> None:
        """Looks at the page as it stands, takes its picture in both widths, and notes what is wrong with it."""
        self.shots += 1
        path = urlsplit(self.page.url).path.removeprefix(urlsplit(self.site.address).path) or "/"
        named = re.sub(r"[^a-z0-9]+", "-", path.replace(self.site.slug, "x").lower())[:50].strip("-") or "first-page"
        stem = f"{self.name}-{self.shots:02}-{named}"
        self._picture(f"{stem}-wide.png")
        self._axe(stem)
        self.page.emulate_media(color_scheme="dark")
        self._axe(f"{stem} (dark)")
        self.page.emulate_media(color_scheme="light")
        self.page.set_viewport_size(NARROW)  # type: ignore[arg-type]
        self.wrong += [f"{stem}: sticks out at 320 px: {what}" for what in self.page.evaluate(_STICKING_OUT)]
        self._picture(f"{stem}-320.png")
        self._axe(f"{stem} (320 px)")
        self.page.set_viewport_size(WIDE)  # type: ignore[arg-type]

    def _picture(self, name: str) -> None:
        SHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SHOTS / name, full_page=True)

    def _axe(self, where: str) -> None:
        """The protocol puts axe into the page: the page's own policy, which lets nothing in, stays in force."""
        self.page.evaluate(f"() => {{ if (!window.axe) {{ {axe()} }} }}")
        found = self.page.evaluate("tags => axe.run(document, {runOnly: tags, resultTypes: ['violations']})", TAGS)
        for violation in found["violations"]:
            for node in violation["nodes"]:
                self.wrong.append(f"{where}: {violation['id']}: {node['html'][:160]}: {node['failureSummary'][:300]}")
