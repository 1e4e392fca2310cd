"""Bluesky: each account on its own personal data server. https://docs.bsky.app/docs/advanced-guides/posts

A post is `putRecord` with a record key and a record that are made once: the same again changes nothing. An app password
is a permission; a session made of it is the bearer."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import regex

from .. import ids
from ..errors import Invalid, Unavailable
from . import atproto
from .base import Account, Health, Post, Request, Response, Rules, Verdict
from .transport import fetch

NAME = "bluesky"
# A PDS takes 3,000 requests from one address in 5 minutes (https://docs.bsky.app/docs/advanced-guides/rate-limits); a post
# needs two, session and record, and a third is kept for repetitions. An account's own 5,000 points an hour (3 a post) and 30
# sessions in 5 minutes are never met, since an account lends one post.
BUDGET, PERIOD_S = 1000, 300
PER_S = 100  # the reference server takes about that many a second on two cores
REPEATABLE = True
LIMIT, BYTES_PER_GRAPHEME = 300, 10  # 300 graphemes and 3,000 bytes: app.bsky.feed.post
LANGS = ("en",)

_COLLECTION = "app.bsky.feed.post"
_GRAPHEME = regex.compile(r"\X")
_LINK = regex.compile(r"https?://[^\s<>\"]+", regex.IGNORECASE)
_LINK_TAIL = ".,;:!?'\")]}…”’"
_MENTION = regex.compile(r"(?<![\w@./])@((?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z](?:[a-z0-9-]*[a-z0-9])?)", regex.IGNORECASE)
_MENTIONS_MAX = 5
_SORTABLE = "234567abcdefghijklmnopqrstuvwxyz"
_SAID_MAX = 200

clean_server = atproto.clean_handle


def rules(server: str) -> Rules:
    """The limits are the network's; asked is whether there is such an account."""
    atproto.identify(server)
    return Rules(LIMIT, 0)


def account(server: str, token: str) -> Account:
    """Makes a session with the app password, and ends it again: whose it is, and whether it works."""
    token = token.strip()
    if not token or not token.isascii() or not token.isprintable() or len(token) > 200:
        raise Invalid.field("token", "please paste the app password as it is, such as abcd-efgh-ijkl-mnop")
    who = atproto.identify(server)
    permission = json.dumps({"did": who.did, "password": token})
    answer = fetch(session(who.pds, permission))
    found = _json(answer)
    if answer.status == 429 or answer.status >= 500:
        raise Unavailable(f"{who.pds} takes no sign-in just now; please try again in a few minutes.", code="server_unavailable")
    if answer.status != 200 or found.get("did") != who.did or not found.get("accessJwt"):
        raise Invalid.field("token", f"{who.pds} does not accept this app password; please make a new one")
    with suppress(Invalid, Unavailable):  # a session that nobody needs ends by itself
        fetch(_ending(who.pds, str(found.get("refreshJwt", ""))))
    return Account(who.did, f"@{who.handle}", who.pds, permission)


def _ending(pds: str, refresh: str) -> Request:
    """https://docs.bsky.app/docs/api/com-atproto-server-delete-session"""
    return Request(pds, "POST", "/xrpc/com.atproto.server.deleteSession", (("Authorization", f"Bearer {refresh}"),))


def length(text: str, rules: Rules) -> int:  # noqa: ARG001  # the protocol's arguments
    """Graphemes, or a tenth of the bytes where that is more: the two limits as one."""
    return max(len(_GRAPHEME.findall(text)), -(-len(text.encode()) // BYTES_PER_GRAPHEME))


def key(text: str, account: str, *, at: datetime) -> str:
    """The whole body of the request: repository, record key and record, so that whoever sends it again sends the same."""
    return _whole(text, account, at)


def renewed(key: str, text: str, *, at: datetime) -> str:
    return _whole(text, str(json.loads(key)["repo"]), at)


def _whole(text: str, repo: str, at: datetime) -> str:
    record: dict[str, Any] = {"$type": _COLLECTION, "text": text, "createdAt": _created(at), "langs": list(LANGS)}
    marked = list(facets(text, atproto.find_did))
    if marked:
        record["facets"] = marked
    whole = {"repo": repo, "collection": _COLLECTION, "rkey": _tid(at), "record": record}
    return json.dumps(whole, ensure_ascii=False, separators=(",", ":"))


def _created(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _tid(at: datetime) -> str:
    """A timestamp identifier (https://atproto.com/specs/tid): the microsecond, random within its second, and 10 random bits."""
    microseconds = int(at.timestamp()) * 1_000_000 + ids.number(20) % 1_000_000
    number = (microseconds << 10) | ids.number(10)
    return "".join(_SORTABLE[(number >> 5 * place) & 31] for place in reversed(range(13)))


def facets(text: str, resolve: Callable[[str], str | None]) -> Iterator[dict[str, Any]]:
    """What makes links and mentions work, by their place in the UTF-8 bytes. https://docs.bsky.app/docs/advanced-guides/post-richtext"""
    links = [(match.start(), match[0].rstrip(_LINK_TAIL)) for match in _LINK.finditer(text)]
    for start, link in links:
        yield _facet(text, start, link, {"$type": "app.bsky.richtext.facet#link", "uri": link})
    inside = [range(start, start + len(link)) for start, link in links]
    mentions = [match for match in _MENTION.finditer(text) if not any(match.start() in one for one in inside)]
    for match in mentions[:_MENTIONS_MAX]:
        did = _resolved(match[1].lower(), resolve)
        if did:
            yield _facet(text, match.start(), match[0], {"$type": "app.bsky.richtext.facet#mention", "did": did})


def _resolved(handle: str, resolve: Callable[[str], str | None]) -> str | None:
    try:
        return resolve(handle) if atproto.HANDLE.fullmatch(handle) else None
    except (Invalid, Unavailable):
        return None


def _facet(text: str, start: int, part: str, feature: dict[str, str]) -> dict[str, Any]:
    begin = len(text[:start].encode())
    return {"index": {"byteStart": begin, "byteEnd": begin + len(part.encode())}, "features": [feature]}


def session(server: str, permission: str) -> Request:
    """https://docs.bsky.app/docs/api/com-atproto-server-create-session"""
    known = json.loads(permission)
    body = json.dumps({"identifier": known["did"], "password": known["password"]}).encode()
    return Request(server, "POST", "/xrpc/com.atproto.server.createSession", (("Content-Type", "application/json"),), body)


def bearer(response: Response, *, now: float) -> str | Verdict:
    found = _json(response)
    if response.status == 200 and isinstance(found.get("accessJwt"), str):
        return str(found["accessJwt"])
    said = _said(response, found)
    if response.status == 429:
        return Verdict("retry", said=said, wait_s=_wait(response, now))
    return Verdict("retry" if response.status >= 500 or response.status == 200 else "reconnect", said=said)


def probe(server: str, permission: str) -> Request:
    """Of an app password only a session shows whether it works: one of the 30 that an account may begin in five minutes."""
    return session(server, permission)


def probed(server: str, response: Response) -> tuple[Health, Request | None]:
    """The session is ended again: nobody needs it."""
    made = bearer(response, now=0.0)
    if isinstance(made, str):
        return "ok", _ending(server, str(_json(response).get("refreshJwt", "")))
    return "reconnect" if made.kind == "reconnect" else "unreachable", None


def request(post: Post, bearer: str) -> Request:
    headers = (("Authorization", f"Bearer {bearer}"), ("Content-Type", "application/json"), ("Accept", "application/json"))
    return Request(post.server, "POST", "/xrpc/com.atproto.repo.putRecord", headers, post.key.encode())


def classify(response: Response, *, now: float) -> Verdict:
    """https://docs.bsky.app/docs/api/com-atproto-repo-put-record. The reference server answers a spent or a false bearer
    with 400. A 5xx may come after the record was written, so it is uncertain; the same again is safe."""
    found = _json(response)
    if response.status == 200:
        return Verdict("posted", url=_address(str(found.get("uri", ""))))
    said = _said(response, found)
    if response.status == 429:
        return Verdict("retry", said=said, wait_s=_wait(response, now))
    if found.get("error") in ("ExpiredToken", "InvalidToken"):
        return Verdict("retry", said=said, renew=True)
    if response.status == 401 or found.get("error") in ("AuthMissing", "AuthenticationRequired", "AccountDeactivated"):
        return Verdict("reconnect", said=said)
    return Verdict("uncertain" if response.status >= 500 else "refused", said=said)


def _address(uri: str) -> str | None:
    """The post's page: at://DID/app.bsky.feed.post/RKEY -> https://bsky.app/profile/DID/post/RKEY."""
    parts = uri.removeprefix("at://").split("/")
    return f"https://bsky.app/profile/{parts[0]}/post/{parts[2]}" if len(parts) == 3 else None


def _said(response: Response, found: dict[str, Any]) -> str:
    return str(found.get("message") or found.get("error") or f"status {response.status}")[:_SAID_MAX]


def _wait(response: Response, now: float) -> float:
    """Seconds until the limit resets. The header is in epoch seconds."""
    reset = response.headers.get("ratelimit-reset", "")
    return max(1.0, float(reset) - now) if reset.isascii() and reset.isdigit() else float(PERIOD_S)


def _json(response: Response) -> dict[str, Any]:
    try:
        found = json.loads(response.body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
