"""Everybody of a replay, signed in as themselves: by the code that was mailed to them, read from the local desk."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from infra.console import Problem
from infra.demo.site import Refused, Site
from infra.polis.journal import Journal

CLIENTS = 4
BATCH = 24
_MAIL_WAIT_S, _LOOK_AGAIN_S = 60.0, 0.3

T = TypeVar("T")


def each(what: Iterable[T], does: Callable[[T], object]) -> None:
    """All of them, at most `CLIENTS` at once. The first failure ends it."""
    pool = ThreadPoolExecutor(CLIENTS, thread_name_prefix="client")
    try:
        for outcome in [pool.submit(does, one) for one in what]:
            outcome.result()
    finally:
        pool.shutdown(cancel_futures=True)


@dataclass(slots=True)
class Sessions:
    """Tokens are kept in the journal, so that going on needs no new codes."""

    site: Site
    desk: Site
    journal: Journal

    def ask(self, email: str, method: str, path: str, body: Any = None, *, key: str = "", route: str = "") -> Any:
        """As this person; who is not signed in any more signs in again. Raises `Refused`, `Unreachable`."""
        for again in (False, True):
            token = self.journal.of("person").get(email)
            try:
                return self.site.ask(method, path, body, token=token, key=key, route=route or None)
            except Refused as refused:
                if refused.status != 401 or again:
                    raise
            self._sign_in([email])
        raise AssertionError("unreachable")

    def open(self, emails: Sequence[str], ready: Callable[[str], object]) -> None:
        """Signs in who is not, a few at a time, and calls `ready` with each."""
        known = self.journal.of("person")
        missing = [email for email in emails if email not in known]
        for start in range(0, len(missing), BATCH):
            batch = missing[start : start + BATCH]
            self._sign_in(batch)
            each(batch, ready)

    def _sign_in(self, emails: Sequence[str]) -> None:
        """Raises `Problem` where no code comes."""
        flows, read = dict[str, str](), {email: len(codes) for email, codes in self._codes(emails).items()}
        each(emails, lambda email: flows.update({email: self.site.ask("POST", "/v1/sign-in", {"email": email})["flow"]}))
        until = time.monotonic() + _MAIL_WAIT_S
        while flows:
            if time.monotonic() > until:
                raise Problem(f"No code was mailed to {min(flows)} within {_MAIL_WAIT_S:.0f} s; the desk is where e-mails are read.")
            for email, codes in self._codes(list(flows)).items():
                if len(codes) > read[email] and self._verify(email, flows[email], codes[0]):
                    del flows[email]
                read[email] = len(codes)
            time.sleep(_LOOK_AGAIN_S)

    def _codes(self, emails: Sequence[str]) -> dict[str, list[str]]:
        """Every code mailed to each address, newest first."""
        found: dict[str, list[str]] = {email: [] for email in emails}
        for message in self.desk.ask("GET", "/control/mail")["messages"]:
            for address in message["to"]:
                if address in found and message["code"]:
                    found[address].append(message["code"])
        return found

    def _verify(self, email: str, flow: str, code: str) -> bool:
        """False for the code of an earlier e-mail, which may come late, or twice."""
        try:
            answer = self.site.ask("POST", "/v1/sign-in/verify", {"flow": flow, "code": code})
        except Refused as refused:
            if refused.status != 400:
                raise
            return False
        self.journal.note("person", email, answer["token"])
        return True
