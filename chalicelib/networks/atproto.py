"""Who is who on Bluesky's network: handle -> DID -> DID document -> the personal data server (PDS) that holds the account.
https://atproto.com/specs/handle, https://atproto.com/specs/did"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from .. import settings
from ..errors import Invalid, Unavailable
from .base import Request, Response
from .transport import fetch

HANDLE = re.compile(r"(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?")
_DID = re.compile(r"did:(?:plc:[a-z2-7]{24}|web:[a-z0-9.-]{4,200})")
_JSON = (("Accept", "application/json"),)
_NOBODY = "we cannot find this account; please check the handle, such as jane.bsky.social"


@dataclass(frozen=True, slots=True)
class Identity:
    """`pds` is the host that takes the account's posts."""

    did: str
    handle: str
    pds: str


def clean_handle(text: str) -> str:
    """Accepts `jane.bsky.social`, `@jane.bsky.social` and the profile's address. Raises `Invalid` (server)."""
    handle = text.strip().lower().removeprefix("https://bsky.app/profile/").removeprefix("@").strip("/\u200e\u202a\u202c ")
    if not HANDLE.fullmatch(handle):
        raise Invalid.field("server", "please give your whole handle, such as jane.bsky.social")
    return handle


def identify(handle: str) -> Identity:
    """Asks whose the handle is, and the DID's document whether it agrees. Raises `Invalid` (server), `Unavailable`."""
    did = find_did(handle)
    found = _json(fetch(Request(*_document_of(did), _JSON))) if did else {}
    if did is None or found.get("id") != did or f"at://{handle}" not in _texts(found.get("alsoKnownAs")):
        raise Invalid.field("server", _NOBODY)
    return Identity(did, handle, _pds(found))


def find_did(handle: str) -> str | None:
    """By the public resolver, which also reads DNS; else by the handle's own site. Raises `Unavailable`."""
    asked = f"/xrpc/com.atproto.identity.resolveHandle?{urlencode({'handle': handle})}"
    try:
        answer = fetch(Request(settings.current().handle_resolver, "GET", asked, _JSON))
    except (Invalid, Unavailable):
        return _did_at(handle)
    did = str(_json(answer).get("did", ""))
    return did if answer.status == 200 and _DID.fullmatch(did) else _did_at(handle)


def _did_at(handle: str) -> str | None:
    try:
        answer = fetch(Request(handle, "GET", "/.well-known/atproto-did", ()))
    except (Invalid, Unavailable):  # many handles have no site of their own
        return None
    did = answer.body[:300].decode(errors="replace").strip()
    return did if answer.status == 200 and _DID.fullmatch(did) else None


def _document_of(did: str) -> tuple[str, str, str]:
    """Host, method and target of the DID's document."""
    if did.startswith("did:web:"):
        return did.removeprefix("did:web:"), "GET", "/.well-known/did.json"
    return settings.current().plc_directory, "GET", f"/{did}"


def _pds(document: dict[str, Any]) -> str:
    """The host named by the document. Raises `Invalid` (server)."""
    services = document.get("service")
    for service in services if isinstance(services, list) else []:
        if isinstance(service, dict) and str(service.get("id", "")).endswith("#atproto_pds"):
            address = urlsplit(str(service.get("serviceEndpoint", "")))
            if address.scheme == "https" and HANDLE.fullmatch(address.netloc) and address.path in ("", "/"):
                return address.netloc
    raise Invalid.field("server", "this account’s own server cannot be reached from here")


def _json(answer: Response) -> dict[str, Any]:
    try:
        found = json.loads(answer.body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _texts(value: object) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else []
