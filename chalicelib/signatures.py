"""Signatures that show that a document has not been changed since it was signed, and nothing more: neither that it was right,
nor that our clock was. The private key never leaves KMS, and only the function that writes launch reports may use it."""

from __future__ import annotations

import base64
import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any

from . import settings

ALGORITHM = "ECDSA_SHA_256"  # on NIST P-256, the signature in DER (RFC 3279, 2.2.3)
_PLAIN = (1e-4, 1e16)  # between these Python and RFC 8785 write the same digits


class Broken(ValueError):
    """The signature is not one of this document; the message says why."""


def canonical(value: Any) -> bytes:
    """A document's bytes, the same whoever writes it: RFC 8785 (sorted keys, no spaces, UTF-8), for documents whose keys are
    ASCII and whose numbers need no exponent. Raises `ValueError` for others. https://www.rfc-editor.org/rfc/rfc8785"""
    return json.dumps(_plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) and key.isascii() for key in value):
            raise ValueError("a key is not ASCII")
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return _number(value) if isinstance(value, float) else value


def _number(value: float) -> float | int:
    if not math.isfinite(value) or (value and not _PLAIN[0] <= abs(value) < _PLAIN[1]):
        raise ValueError("a number would need an exponent")
    return int(value) if value.is_integer() else value


def fingerprint(public: bytes) -> str:
    """A public key's (DER) own name: the SHA-256 of it, in hex."""
    return hashlib.sha256(public).hexdigest()


def sign(document: Mapping[str, Any]) -> dict[str, str]:
    """Has KMS sign a document's canonical bytes. The public key goes with it, since the one in KMS goes with the deployment."""
    from . import store

    kms, key = store.client("kms"), f"alias/{settings.current().name('reports')}"
    public = kms.get_public_key(KeyId=key)["PublicKey"]
    digest = hashlib.sha256(canonical(document)).digest()
    signed = kms.sign(KeyId=key, Message=digest, MessageType="DIGEST", SigningAlgorithm=ALGORITHM)
    text = {name: base64.b64encode(found).decode() for name, found in (("public_key", public), ("value", signed["Signature"]))}
    return {"algorithm": ALGORITHM, "key_id": fingerprint(public)} | text


def check(document: Mapping[str, Any], signature: Mapping[str, str]) -> None:
    """Raises `Broken`."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    if signature["algorithm"] != ALGORITHM:
        raise Broken(f"it is signed by {signature['algorithm']}, and only {ALGORITHM} is known here")
    try:
        public, value = (base64.b64decode(signature[name], validate=True) for name in ("public_key", "value"))
        key, signed = load_der_public_key(public), canonical(document)
    except ValueError as error:
        raise Broken(f"it cannot be checked: {error}") from error
    if signature["key_id"] != fingerprint(public):
        raise Broken("key_id is not the fingerprint of public_key")
    if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
        raise Broken("public_key is not one on NIST P-256")
    try:
        key.verify(value, signed, ECDSA(SHA256()))
    except InvalidSignature:
        raise Broken("it was changed after it was signed, or signed with another key") from None
