"""Mastodon: any server that speaks its API. https://docs.joinmastodon.org/methods/statuses/#create

A repetition with the same Idempotency-Key is answered with the same status, for up to one hour."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any

import regex

from .. import ids
from ..errors import Invalid
from .base import Account, Health, Post, Request, Response, Rules, Verdict
from .transport import fetch

NAME = "mastodon"
BUDGET, PERIOD_S = 300, 300  # https://docs.joinmastodon.org/api/rate-limits/
PER_S = 50  # many servers are small machines that run many other things
REPEATABLE = True

_HOST = re.compile(r"(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])")
_LINK = re.compile(r"https?://[^\s<>\"]+", re.IGNORECASE)
_MENTION = re.compile(r"(?<![\w@/])@([A-Za-z0-9_]+)@[A-Za-z0-9.-]+[A-Za-z0-9]")
_GRAPHEME = regex.compile(r"\X")
_SAID_MAX = 200


def clean_server(text: str) -> str:
    """Accepts `mastodon.social`, `https://mastodon.social/` and `@jane@mastodon.social`."""
    host = text.strip().lower().removeprefix("https://").split("/")[0].rpartition("@")[2]
    if not _HOST.fullmatch(host):
        raise Invalid.field("server", "please give your server's name, such as mastodon.social")
    return host


def rules(server: str) -> Rules:
    """https://docs.joinmastodon.org/methods/instance/#v2"""
    answer = fetch(Request(server, "GET", "/api/v2/instance", (("Accept", "application/json"),)))
    configured = _json(answer).get("configuration", {}).get("statuses", {}) if answer.status == 200 else {}
    if not isinstance(configured.get("max_characters"), int):
        raise Invalid.field("server", f"{server} does not answer as a Mastodon server does; please check the name")
    return Rules(configured["max_characters"], int(configured.get("characters_reserved_per_url", 23)))


def account(server: str, token: str) -> Account:
    """https://docs.joinmastodon.org/methods/accounts/#verify_credentials"""
    token = token.strip()
    if not token or not token.isascii() or not token.isprintable() or len(token) > 500:
        raise Invalid.field("token", "please paste the access token as it is, without spaces around it")
    answer = fetch(probe(server, token))
    found = _json(answer)
    if answer.status != 200 or not found.get("id") or not found.get("username"):
        raise Invalid.field("token", f"{server} does not accept this access token; please make a new one there")
    return Account(f"{server}#{found['id']}", f"@{found['username']}@{server}", server, token)


def length(text: str, rules: Rules) -> int:
    """Graphemes, each link as `per_link`, of a mention only the user part.
    https://docs.joinmastodon.org/user/posting/#text"""
    counted = _MENTION.sub(r"@\1", _LINK.sub("x" * rules.per_link, text))
    return len(_GRAPHEME.findall(counted))


def key(text: str, account: str, *, at: datetime) -> str:  # noqa: ARG001  # the protocol's arguments
    return ids.token()


def renewed(key: str, text: str, *, at: datetime) -> str:  # noqa: ARG001
    return ids.token()


def session(server: str, permission: str) -> None:
    """An access token is a bearer and does not expire. https://docs.joinmastodon.org/api/oauth-tokens/"""


def bearer(response: Response, *, now: float) -> str | Verdict:  # noqa: ARG001
    raise AssertionError("a Mastodon token is a bearer itself")


def request(post: Post, bearer: str) -> Request:
    headers = (
        ("Authorization", f"Bearer {bearer.strip()}"),
        ("Idempotency-Key", post.key),
        ("Content-Type", "application/json"),
        ("Accept", "application/json"),
    )
    body = json.dumps({"status": post.text, "visibility": "public"}, ensure_ascii=False).encode()
    return Request(post.server, "POST", "/api/v1/statuses", headers, body)


def classify(response: Response, *, now: float) -> Verdict:
    """https://docs.joinmastodon.org/methods/statuses/#create (401, 422), rate-limits (429). A 5xx may come after the
    post was made, so it is uncertain; the key makes asking again safe."""
    found = _json(response)
    if response.status == 200:
        return Verdict("posted", url=found.get("url") or found.get("uri"))
    said = str(found.get("error", ""))[:_SAID_MAX] or f"status {response.status}"
    if response.status == 429:
        return Verdict("retry", said=said, wait_s=_wait(response, now))
    if response.status in (401, 403):
        return Verdict("reconnect" if response.status == 401 else "refused", said=said)
    return Verdict("uncertain" if response.status >= 500 else "refused", said=said)


def probe(server: str, permission: str) -> Request:
    """https://docs.joinmastodon.org/methods/accounts/#verify_credentials"""
    return Request(server, "GET", "/api/v1/accounts/verify_credentials", (("Authorization", f"Bearer {permission}"),))


def probed(server: str, response: Response) -> tuple[Health, None]:  # noqa: ARG001
    """401 where the token was revoked, 403 where the account may do nothing, 422 where it has become unconfirmed."""
    if response.status in (401, 403, 422):
        return "reconnect", None
    return "ok" if response.status == 200 and _json(response).get("id") else "unreachable", None


def _wait(response: Response, now: float) -> float:
    """Seconds until the limit resets. The header is an ISO 8601 time."""
    reset = response.headers.get("x-ratelimit-reset", "")
    try:
        return max(1.0, datetime.fromisoformat(reset.replace("Z", "+00:00")).timestamp() - now)
    except ValueError:
        return float(PERIOD_S)


def _json(response: Response) -> dict[str, Any]:
    try:
        found = json.loads(response.body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
