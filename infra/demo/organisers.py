"""The two organisers of the demonstration: they open a campaign, propose a launch, and both approve it."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from infra.demo.crowd import read_codes
from infra.demo.progress import Progress
from infra.demo.site import Refused, Site

EMAILS = ("first.organiser@example.org", "second.organiser@example.org")
FREEZE_BEFORE_S = 150  # how long before the moment pledging ends on the local stage
_SETTLING_S = 480  # a server that throttles says when to come again: up to 5 minutes later


@dataclass(slots=True)
class Organisers:
    """`at`: the launch's moment, in epoch seconds."""

    site: Site
    desk: Site
    slug: str
    at: float = 0.0
    tokens: list[str] = field(default_factory=list)

    def sign_in(self) -> None:
        flows = [self.site.ask("POST", "/v1/sign-in", {"email": email})["flow"] for email in EMAILS]
        codes = read_codes(self.desk, EMAILS)
        for flow, email in zip(flows, EMAILS, strict=True):
            self.tokens.append(self.site.ask("POST", "/v1/sign-in/verify", {"flow": flow, "code": codes[email]})["token"])

    def open_campaign(self) -> None:
        now = datetime.now(UTC)
        phase = {
            "title": "What gets in the way?",
            "opens_at": (now - timedelta(minutes=1)).isoformat(),
            "closes_at": (now + timedelta(days=7)).isoformat(),
            "kinds": ["barrier", "building-block", "solution"],
        }
        asked = {
            "slug": self.slug,
            "title": "A calmer ward",
            "question": "What would make your ward calmer?",
            "phases": [phase],
            "rules": "Name no patient, colleague or ward.",
            "contact": "calm@example.org",
            "minimum_age": 16,
            "controllers": [{"name": "A calmer ward", "contact": "data@example.org"}],
        }
        self.site.ask("POST", "/v1/campaigns", asked, token=self.tokens[0])
        own = f"/v1/campaigns/{self.slug}"
        self.site.ask("POST", f"{own}/open", {}, token=self.tokens[0])
        self.site.ask("POST", f"{own}/team", {"email": EMAILS[1], "duties": ["organiser"]}, token=self.tokens[0])

    def propose(self, *, pledging_s: float, goal: int) -> None:
        """A launch as soon as `pledging_s` seconds of pledging and the protocol's own times allow."""
        self.at = math.ceil(time.time() + pledging_s) + FREEZE_BEFORE_S
        asked = {
            "message": "We lend one post each, for a calmer ward.",
            "url": "https://example.org/c/calm",
            "at": _told(self.at),
            "zone": "Europe/London",
            "closes_at": _told(self.at - FREEZE_BEFORE_S),
            "goal": goal,
            "networks": ["mastodon", "bluesky"],
        }
        self._own("PUT", "", asked)
        self.desk.ask("POST", "/control/moment", {"at": _told(self.at)})

    def approve(self) -> None:
        """Both, one after the other."""
        for who in range(2):
            self._own("POST", "/approve", {}, who=who)

    def launch(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self._own("GET", "", None)
        return found

    def report(self, progress: Progress) -> Mapping[str, Any]:
        """The launch report, waited for. Raises `TimeoutError`."""
        until = self.at + _SETTLING_S
        while time.time() < until:
            try:
                found: Mapping[str, Any] = self._own("GET", "/report", None)
            except Refused as refused:
                if refused.status != 404:
                    raise
            else:
                return found
            progress.wait_until(time.time() + 3, "")
        raise TimeoutError(f"the launch has not settled {_SETTLING_S} s after its moment: {self.launch()}")

    def _own(self, method: str, path: str, body: Any, *, who: int = 0) -> Any:
        return self.site.ask(method, f"/v1/campaigns/{self.slug}/launch{path}", body, token=self.tokens[who])


def _told(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
