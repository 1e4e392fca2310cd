"""The API's own keys, from Secrets Manager: e-mail look-up and sealing, sign-in codes, cursors, pseudonym keys.
Readable by api, mail and nightly only. Not the campaign keys that open grants: those are in `grants`."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
from functools import cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from . import settings, store

PURPOSES = ("email_lookup", "email_seal", "codes", "cursors", "pseudonyms")
_NONCE_BYTES = 12


class Unreadable(ValueError):
    """Sealed bytes that this key did not make, or that were changed."""


@cache
def _keys() -> dict[str, bytes]:
    answer = store.client("secretsmanager").get_secret_value(SecretId=settings.current().name("keys"))
    return {purpose: base64.b64decode(text) for purpose, text in json.loads(answer["SecretString"]).items()}


def keyed_hash(purpose: str, *parts: str) -> str:
    """HMAC-SHA-256 in hex of the parts, each prefixed by its length so that no two lists of parts collide."""
    return keyed_hash_with(_keys()[purpose], *parts)


def keyed_hash_with(key: bytes, *parts: str) -> str:
    message = b"".join(len(part.encode()).to_bytes(4, "big") + part.encode() for part in parts)
    return hmac.new(key, message, hashlib.sha256).hexdigest()


def seal(purpose: str, data: bytes, context: str) -> bytes:
    """AES-256-GCM under a random nonce; `context` must be given again to open it."""
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(_keys()[purpose]).encrypt(nonce, data, context.encode())


def unseal(purpose: str, sealed: bytes, context: str) -> bytes:
    """Raises `Unreadable`."""
    try:
        return AESGCM(_keys()[purpose]).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], context.encode())
    except InvalidTag as error:
        raise Unreadable(purpose) from error


def public_hash(token: str) -> str:
    """How a random token is stored: SHA-256 is enough, since it has 256 bits of its own."""
    return hashlib.sha256(token.encode()).hexdigest()
