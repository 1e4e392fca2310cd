"""The people of the demonstration. Some sign in with the code from the mail page and contribute, comment and vote; most
just lend a post. Everyone has an account of their own on one of the stand-in servers. At most four act at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from infra.demo.comparison import Pledged, nanoseconds
from infra.demo.progress import Progress
from infra.demo.site import Site

CLIENTS = 4
_MAIL_WAIT_S = 60.0
ROLES = ("patient", "volunteer", "staff", "other")
KINDS = ("barrier", "building-block", "solution")


@dataclass(slots=True)
class Somebody:
    """`token` is the site's bearer, `permission` the access token or app password of their account on the network."""

    number: int
    server: str
    network: str = "mastodon"
    permission: str = ""
    token: str | None = None
    flow: str | None = None
    pledge: Pledged | None = None

    @property
    def name(self) -> str:
        return f"supporter{'_' if self.network == 'mastodon' else '-'}{self.number:04}"

    @property
    def email(self) -> str:
        return f"person{self.number:04}@example.org"

    @property
    def text(self) -> str:
        """Everyone has words of their own, as they should."""
        return f"I am number {self.number}, and I lend this post to a calmer ward 🌱 — “we” not “they”. https://example.org/c/calm"


@dataclass(slots=True)
class Crowd:
    site: Site
    desk: Site
    slug: str
    progress: Progress
    people: list[Somebody] = field(default_factory=list)

    def gather(self, count: int, towns: Sequence[str], pdses: Sequence[str]) -> None:
        """`count` people, spread evenly over the servers, each with an account there; every second is on Bluesky."""
        for number in range(count):
            network, servers = ("bluesky", pdses) if number % 2 else ("mastodon", towns)
            self.people.append(Somebody(number, servers[number // 2 % len(servers)], network))
        asked = {"accounts": [{"host": one.server, "name": one.name} for one in self.people]}
        for one, minted in zip(self.people, self.desk.ask("POST", "/control/tokens", asked)["tokens"], strict=True):
            one.permission = minted["token"]

    def each(self, people: Sequence[Somebody], does: Callable[[Somebody], object], what: str) -> None:
        """All of them, at most `CLIENTS` at once. The first failure ends it."""
        counting = self.progress.counting(what, len(people))

        def act(one: Somebody) -> None:
            does(one)
            counting.one_more()

        pool = ThreadPoolExecutor(CLIENTS, thread_name_prefix="client")
        try:
            for outcome in [pool.submit(act, one) for one in people]:
                outcome.result()
        finally:
            pool.shutdown(cancel_futures=True)

    def ask_for_code(self, one: Somebody) -> None:
        one.flow = self.site.ask("POST", "/v1/sign-in", {"email": one.email})["flow"]

    def sign_in(self, people: Sequence[Somebody]) -> None:
        """With the codes that the mail page shows."""
        codes = read_codes(self.desk, [one.email for one in people])
        self.each(people, lambda one: self._verify(one, codes[one.email]), "people signed in")

    def _verify(self, one: Somebody, code: str) -> None:
        one.token = self.site.ask("POST", "/v1/sign-in/verify", {"flow": one.flow, "code": code})["token"]

    def talk(self, one: Somebody) -> None:
        """Joins; every third contributes. Voting and commenting come when there is something to vote on."""
        self._own(one, "PUT", "/enrolment", {"role": ROLES[one.number % 4], "of_age": True})
        if one.number % 3 == 0:
            said = {"kind": KINDS[one.number // 3 % 3], "title": f"What number {one.number} sees", "text": "Nobody asks us. <b>Ask.</b>"}
            self._own(one, "POST", "/contributions", said, key=f"demo-{one.number}")

    def contributions(self) -> list[str]:
        """The ids, newest first."""
        path, found = f"/v1/campaigns/{self.slug}/contributions?sort=new&limit=100", list[str]()
        answer = self.site.ask("GET", path, route="/v1/.../contributions")
        found.extend(str(item["id"]) for item in answer["items"])
        return found

    def respond(self, one: Somebody, ideas: Sequence[str]) -> None:
        """Votes on three, changes one vote, takes one back; every fifth comments."""
        for place in range(3):
            self._own(one, "PUT", f"/contributions/{ideas[(one.number + place) % len(ideas)]}/vote", {"value": -1 if place else 1}, "vote")
        self._own(one, "PUT", f"/contributions/{ideas[one.number % len(ideas)]}/vote", {"value": -1}, "vote")
        self._own(one, "DELETE", f"/contributions/{ideas[(one.number + 1) % len(ideas)]}/vote", None, "vote")
        if one.number % 5 == 0:
            idea = ideas[one.number % len(ideas)]
            self._own(one, "POST", f"/contributions/{idea}/comments", {"text": f"Number {one.number} agrees."}, "comments")

    def lend(self, one: Somebody) -> None:
        """A draft, then the permission: the pledge."""
        server = one.server if one.network == "mastodon" else f"{one.name}.{one.server}"
        asked = {"network": one.network, "mode": "automatic", "server": server, "text": one.text}
        draft = self._own(one, "POST", "/pledges", asked)
        one.token = one.token or draft["token"]
        found = self._own(one, "POST", f"/pledges/{draft['id']}/consent", {"token": one.permission}, "consent")
        planned = nanoseconds(found["planned_at"])
        one.pledge = Pledged(str(found["id"]), one.network, one.server, one.name, one.text, planned)

    def be_reminded(self, count: int) -> list[str]:
        """`count` more people post by themselves; gives their addresses."""
        networks, emails = ("x", "facebook", "linkedin"), [f"reminded{number:03}@example.org" for number in range(count)]
        for number, email in enumerate(emails):
            asked = {"network": networks[number % 3], "mode": "reminder", "text": "I post this myself.", "email": email}
            self.site.ask("POST", f"/v1/campaigns/{self.slug}/pledges", asked, key=f"reminder-{number}")
        return emails

    def withdraw(self, one: Somebody) -> None:
        assert one.pledge is not None
        self._own(one, "DELETE", f"/pledges/{one.pledge.id}", None, "pledges/{id}")
        one.pledge = None

    def pledged(self) -> list[Pledged]:
        return [one.pledge for one in self.people if one.pledge is not None]

    def _own(self, one: Somebody, method: str, path: str, body: Any, route: str | None = None, *, key: str = "") -> Any:
        told = f"/v1/.../{route}" if route else f"/v1/...{path}"
        return self.site.ask(method, f"/v1/campaigns/{self.slug}{path}", body, token=one.token, route=told, key=key)


def read_codes(desk: Site, emails: Sequence[str]) -> dict[str, str]:
    """The newest code mailed to each address, waited for. Raises `TimeoutError` naming who got none."""
    wanted, codes, until = set(emails), dict[str, str](), time.monotonic() + _MAIL_WAIT_S
    while wanted - set(codes):
        if time.monotonic() > until:
            raise TimeoutError(f"no code was mailed to {', '.join(sorted(wanted - set(codes))[:3])} within {_MAIL_WAIT_S:.0f} s")
        codes = {}
        for message in desk.ask("GET", "/control/mail")["messages"]:
            for address in message["to"]:
                if address in wanted and message["code"]:
                    codes.setdefault(address, message["code"])
        time.sleep(0.3)
    return codes
