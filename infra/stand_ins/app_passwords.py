"""Accounts of the stand-in Bluesky: their handles, DIDs, app passwords, and the sessions these lead to. As with Mastodon's
tokens nobody registers: everything is computed from the account's name."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,28}[a-z0-9])?", re.ASCII)
SESSION_S, REFRESH_S = 7200, 90 * 86_400
PASSWORD = re.compile(r"[a-z2-7]{4}(?:-[a-z2-7]{4}){3}", re.ASCII)
_SALT = "groundswell stand-in bluesky"


def mint(host: str, name: str, number: int = 1) -> str:
    """The account's app password with this number, such as abcd-efgh-ijkl-mnop. Raises `ValueError` (the name)."""
    if not NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not a user name: 1 to 30 small letters, digits and hyphens")
    letters = _letters("password", host, name, str(number))[:16]
    return "-".join(letters[place : place + 4] for place in range(0, 16, 4))


def did(handle: str) -> str:
    """A data server's own account is named by its site, every other by the directory."""
    return f"did:web:{handle}" if handle.count(".") == 1 else f"did:plc:{_letters('did', handle)[:24]}"


def _letters(*parts: str) -> str:
    return base64.b32encode(hashlib.sha256("\n".join((_SALT, *parts)).encode()).digest()).decode().lower().rstrip("=")


@dataclass(slots=True)
class Directory:
    """DID -> handle, of every account that anybody has asked for; and the app passwords that were taken away."""

    handles: dict[str, str] = field(default_factory=dict)
    revoked: set[tuple[str, str]] = field(default_factory=set)

    def add(self, handle: str) -> str:
        """The account's DID."""
        made = did(handle)
        self.handles[made] = handle
        return made

    def signed_in(self, host: str, identifier: str, password: str) -> str | None:
        """The DID, where the app password is one of the account's and not taken away."""
        handle = self.handles.get(identifier, identifier)
        name = handle.removesuffix(f".{host}") if handle != host else host.removesuffix(".test")
        known = NAME.fullmatch(name) and any(password == mint(host, name, number) for number in range(1, 6))
        return self.add(handle) if known and (host, password) not in self.revoked else None


def name_of(handle: str) -> str:
    return handle.partition(".")[0]


def token(kind: str, subject: str, host: str, *, now: float) -> str:
    """A JSON web token as a data server's sessions have. `kind`: access or refresh."""
    lasts = SESSION_S if kind == "access" else REFRESH_S
    scope = "com.atproto.appPass" if kind == "access" else "com.atproto.refresh"
    head = {"typ": "at+jwt" if kind == "access" else "refresh+jwt", "alg": "HS256"}
    claims = {"scope": scope, "sub": subject, "aud": f"did:web:{host}", "iat": int(now), "exp": int(now) + lasts}
    signed = f"{_encoded(json.dumps(head).encode())}.{_encoded(json.dumps(claims).encode())}"
    return f"{signed}.{_encoded(_signature(signed))}"


def claims(text: str, host: str) -> Mapping[str, Any] | None:
    """What an access token of this host says, expired or not; None where it is none."""
    head, _, signature = text.rpartition(".")
    if not head or not hmac.compare_digest(_encoded(_signature(head)), signature):
        return None
    body = head.partition(".")[2]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    good = found["aud"] == f"did:web:{host}" and found["scope"] == "com.atproto.appPass"
    return found if good else None


def _signature(text: str) -> bytes:
    return hmac.new(_SALT.encode(), text.encode(), hashlib.sha256).digest()


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
