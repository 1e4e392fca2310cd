"""What reached the stand-in networks, in the order it came. An arrival is stamped when the first bytes of a request
are handed over by the transport, before anything is parsed; what was answered is added when it is known."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Deed = Literal["post", "session"]
_DEEDS: dict[str, Deed] = {
    "/api/v1/statuses": "post",
    "/xrpc/com.atproto.repo.putRecord": "post",
    "/xrpc/com.atproto.server.createSession": "session",
}


@dataclass(slots=True)
class Arrival:
    """One request. `at_ns` is Unix time in nanoseconds. `status` is None until answered and stays None where the
    connection was left hanging or dropped. `post` is the id of the post that the request made or, if `replayed`, found."""

    at_ns: int
    network: str
    host: str
    connection: int
    method: str
    path: str
    account: str | None = None
    key: str | None = None
    text: str | None = None
    text_sha256: str | None = None
    post: str | None = None
    replayed: bool = False
    status: int | None = None
    error: str | None = None

    def said(self, text: str) -> None:
        self.text = text
        self.text_sha256 = hashlib.sha256(text.encode()).hexdigest()

    @property
    def deed(self) -> Deed | None:
        """Whether it asked for something to be published, or for a session; None for anything else."""
        return _DEEDS.get(self.path) if self.method == "POST" else None

    @property
    def is_post(self) -> bool:
        return self.deed == "post"

    @property
    def published(self) -> bool:
        """Whether it was this request that made a post; known to the server even where the sender got no answer."""
        return self.post is not None and not self.replayed

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "published": self.published}


@dataclass(slots=True)
class Ledger:
    """All arrivals since the start or the last `clear`."""

    arrivals: list[Arrival] = field(default_factory=list)

    def add(self, arrival: Arrival) -> Arrival:
        self.arrivals.append(arrival)
        return arrival

    def posts(self) -> Iterator[Arrival]:
        return (arrival for arrival in self.arrivals if arrival.is_post)

    def newest_posts(self, count: int) -> list[Arrival]:
        newest = (arrival for arrival in reversed(self.arrivals) if arrival.is_post)
        return [arrival for _, arrival in zip(range(count), newest, strict=False)]

    def clear(self) -> None:
        self.arrivals.clear()
