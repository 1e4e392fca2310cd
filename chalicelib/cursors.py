"""Signed cursors of lists: opaque to the caller, valid only for the list they came from."""

from __future__ import annotations

import base64
import binascii
import hmac

from . import keyring
from .errors import Invalid

_MAC = 16


def make(scope: str, position: str) -> str:
    return base64.urlsafe_b64encode(f"{_mac(scope, position)}{position}".encode()).decode().rstrip("=")


def read(scope: str, cursor: str) -> str:
    """The position in the list. Raises `Invalid` (cursor)."""
    wrong = Invalid.field("cursor", "this is not a cursor of this list; leave it out to start at the top")
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except (binascii.Error, ValueError) as error:
        raise wrong from error
    mac, position = text[:_MAC], text[_MAC:]
    if not hmac.compare_digest(mac.encode(), _mac(scope, position).encode()):
        raise wrong
    return position


def _mac(scope: str, position: str) -> str:
    return keyring.keyed_hash("cursors", scope, position)[:_MAC]
