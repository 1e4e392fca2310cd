"""What a network module promises, and the words that all of them use for what happened to a post."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

# posted           it is there (a repetition that the network recognised included)
# retry            nothing was posted, and asking again may help; `wait_s` says when
# uncertain        it may have been posted: only a network that recognises repetitions is asked again
# reconnect        the permission no longer works
# refused          the network will not take this post
OutcomeOfRequest = Literal["posted", "retry", "uncertain", "reconnect", "refused"]


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
    """`url`: the post's address there. `said`: the network's own words, shortened. `wait_s`: seconds until a retry."""

    kind: OutcomeOfRequest
    url: str | None = None
    said: str | None = None
    wait_s: float | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """Who a token belongs to. `id` is unique on the whole network, `handle` is for people."""

    id: str
    handle: str


@dataclass(frozen=True, slots=True)
class Rules:
    """What a server says of itself. `per_link`: characters that each link counts as, whatever its length."""

    limit: int
    per_link: int


@dataclass(frozen=True, slots=True)
class Post:
    """What one pledge sends: `key` is made once, at confirmation, and makes a repetition harmless."""

    server: str
    text: str
    key: str


class Network(Protocol):
    NAME: str
    BUDGET: int  # posts that one host takes from us in one period
    PERIOD_S: int
    REPEATABLE: bool  # sending the same post again cannot double it

    def clean_server(self, text: str) -> str:
        """The host name that a person meant. Raises `Invalid` (server)."""

    def rules(self, server: str) -> Rules:
        """Asks the server. Raises `Invalid` (server) where it is no such server, `Unavailable`."""

    def account(self, server: str, token: str) -> Account:
        """Asks whose token it is. Raises `Invalid` (token), `Unavailable`."""

    def length(self, text: str, rules: Rules) -> int:
        """The text's length as the network counts it."""

    def request(self, post: Post, token: str) -> Request:
        """The request that publishes the post."""

    def classify(self, response: Response, *, now: float) -> Verdict:
        """What an answer to `request` means. `now` in epoch seconds, for reset times."""
