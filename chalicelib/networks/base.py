"""What a network module promises, and the words that all of them use for what happened to a post."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

# What an answer means, on every network, and what it leads to:
# posted           it is there (already posted, a repetition that the network recognised, included)
# retry            nothing was posted: asked again, at once and ever more slowly, or after `wait_s`; `renew`: with another bearer
# uncertain        it may have been posted: asked again only where a repetition cannot double it, else the outcome is unknown
# reconnect        the permission no longer works: its supporter is asked for another
# halt             the network takes nothing from this app for now: no retries and no later windows there
# refused          the network will not take this post
OutcomeOfRequest = Literal["posted", "retry", "uncertain", "reconnect", "halt", "refused"]

# What a permission's probe has found: it works, it no longer does, or its server did not answer as it should.
Health = Literal["ok", "reconnect", "unreachable"]


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTPS request, built before the moment."""

    host: str
    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = field(repr=False, default=b"")


@dataclass(frozen=True, slots=True)
class Response:
    """Header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Verdict:
    """`url`: the post's address there. `said`: the network's own words, shortened. `wait_s`: seconds until a retry.
    `renew`: the bearer is spent, and another has to be made before asking again."""

    kind: OutcomeOfRequest
    url: str | None = None
    said: str | None = None
    wait_s: float | None = None
    renew: bool = False


@dataclass(frozen=True, slots=True)
class Account:
    """Who a token belongs to. `id` is unique on the whole network, `handle` is for people. `server` is the host that takes
    its posts; `permission` is what is sealed: all that is needed to post there."""

    id: str
    handle: str
    server: str
    permission: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Rules:
    """What a server says of itself. `per_link`: characters that each link counts as, whatever its length."""

    limit: int
    per_link: int


@dataclass(frozen=True, slots=True)
class Post:
    """What one pledge sends: `key` is made once, when its supporter agrees, and makes a repetition harmless."""

    server: str
    text: str
    key: str


class Network(Protocol):
    NAME: str
    BUDGET: int  # posts that one host takes from us in one period, by whatever it counts us: app, address, account
    PERIOD_S: int
    PER_S: int  # posts a second that a host gets from us: our own limit, for small servers
    REPEATABLE: bool  # sending the same post again cannot double it

    def clean_server(self, text: str) -> str:
        """The host name, or the account's name where that leads to its host, that a person meant. Raises `Invalid` (server)."""

    def rules(self, server: str) -> Rules:
        """Asks the server. Raises `Invalid` (server) where it is no such server, `Unavailable`."""

    def account(self, server: str, token: str) -> Account:
        """Asks whose token it is. Raises `Invalid` (token, server), `Unavailable`."""

    def length(self, text: str, rules: Rules) -> int:
        """The text's length as the network counts it."""

    def key(self, text: str, account: str, *, at: datetime) -> str:
        """What makes a repetition of this post recognisable: new for each call. `account` is its id, `at` the planned time.
        May ask the network whom the text mentions; who cannot be found stays plain text."""

    def renewed(self, key: str, text: str, *, at: datetime) -> str:
        """The key of another text from the same account."""

    def session(self, server: str, permission: str) -> Request | None:
        """The request that turns a permission into a bearer; None where the permission is one itself."""

    def bearer(self, response: Response, *, now: float) -> str | Verdict:
        """The bearer from the answer to `session`, or why there is none. `now` in epoch seconds."""

    def request(self, post: Post, bearer: str) -> Request:
        """The request that publishes the post."""

    def classify(self, response: Response, *, now: float) -> Verdict:
        """What an answer to `request` means. `now` in epoch seconds, for reset times."""

    def probe(self, server: str, permission: str) -> Request:
        """The one harmless request that shows whether a permission still works."""

    def probed(self, server: str, response: Response) -> tuple[Health, Request | None]:
        """What its answer means, and what is to be asked then so that nothing is left behind."""
