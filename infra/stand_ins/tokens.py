"""Access tokens of the stand-in networks. Nobody registers: the token of an account is computed from its name, so
anyone can make one and it still works after a restart. Each account's tokens are numbered; revoking ends one number."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field

NAME = re.compile(r"[a-z0-9_]{1,30}", re.ASCII)
_TOKEN = re.compile(r"(?P<name>[a-z0-9_]{1,30})\.(?P<number>[1-9][0-9]{0,5})\.(?P<mac>[0-9a-f]{32})", re.ASCII)
_SALT = "groundswell stand-in"


@dataclass(frozen=True, slots=True)
class Client:
    """The registered application that a host's tokens were given to; needed to revoke them."""

    id: str
    secret: str


@dataclass(slots=True)
class Tokens:
    """What has been revoked. Held in memory: a restart forgets it."""

    revoked: set[tuple[str, str]] = field(default_factory=set)

    def account_of(self, host: str, token: str) -> str | None:
        """The account's name, or None where the token was never good here or is no longer."""
        match = _TOKEN.fullmatch(token)
        if match is None or (host, token) in self.revoked:
            return None
        return match["name"] if token == mint(host, match["name"], int(match["number"])) else None

    def revoke(self, host: str, token: str) -> None:
        self.revoked.add((host, token))


def mint(host: str, name: str, number: int = 1) -> str:
    """The account's token with this number. Raises `ValueError` where the name is not one that Mastodon would accept."""
    if not NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not a user name: 1 to 30 small letters, digits and underscores")
    return f"{name}.{number}.{_digest('token', host, name, str(number))[:32]}"


def client(host: str) -> Client:
    return Client(id=_digest("client", host)[:43], secret=_digest("secret", host)[:43])


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join((_SALT, *parts)).encode()).hexdigest()
