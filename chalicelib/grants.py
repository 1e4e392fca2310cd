"""Grants: the permission to post, sealed by HPKE (RFC 9180) to a key pair that KMS made for the launch. The API is given
the public half only, never sees the private one, and so can store a grant but never open it. Only `release` may.
`keys` and `grants` have no point-in-time recovery: once the key is destroyed, no copy of a table opens anything."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING

from pynamodb.attributes import BinaryAttribute, NumberAttribute, UnicodeAttribute

from . import ids, settings, store

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.hpke import Suite


class Key(store.Record):
    """`private` is encrypted by KMS and absent once destroyed."""

    class Meta:
        table_name = settings.table("keys")

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    public = BinaryAttribute(legacy_encoding=False)
    private = BinaryAttribute(legacy_encoding=False, null=True)
    destroyed = NumberAttribute(null=True)


class Grant(store.Record, store.Expiring):
    """Under the key of its pledge."""

    class Meta:
        table_name = settings.table("grants")

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    sealed = BinaryAttribute(legacy_encoding=False)
    expires = NumberAttribute()


class Destroyed(LookupError):
    """The launch's key is gone: no grant of it can ever be opened."""


@cache
def _suite() -> Suite:
    """Loaded with the first grant: most of the API's requests need none, and their first answer waits for every import."""
    from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

    return Suite(KEM.P256, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


def create_key(campaign: str, launch: str) -> bytes:
    """Has KMS make the launch's key pair and stores it; returns the public half (DER). For a new launch id only."""
    pair = store.client("kms").generate_data_key_pair_without_plaintext(
        KeyId=_alias(), KeyPairSpec="ECC_NIST_P256", EncryptionContext=_context(campaign, launch)
    )
    item = Key(pk=campaign, sk=launch, public=pair["PublicKey"], private=pair["PrivateKeyCiphertextBlob"])
    store.save_if(item, Key.pk.does_not_exist())
    return bytes(pair["PublicKey"])


def _alias() -> str:
    return f"alias/{settings.APP}-{settings.current().stage}"


def _context(campaign: str, launch: str) -> dict[str, str]:
    return {"campaign": campaign, "launch": launch}


def seal(public: bytes, pledge: str, token: str) -> bytes:
    """Seals a token to the launch's key, bound to one pledge."""
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    key = load_der_public_key(public)
    assert isinstance(key, EllipticCurvePublicKey)
    return _suite().encrypt(token.encode(), key, pledge.encode())


def open_key(campaign: str, launch: str) -> EllipticCurvePrivateKey:
    """The launch's private key, once for a chunk. Raises `Destroyed`. For the release worker."""
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.serialization import load_der_private_key

    item = Key.find(campaign, launch)
    if item is None or item.private is None:
        raise Destroyed(launch)
    answer = store.client("kms").decrypt(CiphertextBlob=bytes(item.private), EncryptionContext=_context(campaign, launch))
    key = load_der_private_key(answer["Plaintext"], password=None)
    assert isinstance(key, EllipticCurvePrivateKey)
    return key


def unseal(key: EllipticCurvePrivateKey, pledge: str, sealed: bytes) -> str:
    return _suite().decrypt(sealed, key, pledge.encode()).decode()


def of_chunk(chunk: str) -> Mapping[str, bytes]:
    """The sealed grants of a chunk by slot, read consistently."""
    return {str(grant.sk): bytes(grant.sealed) for grant in Grant.query(chunk, consistent_read=True)}


def destroy_key(campaign: str, launch: str, *, now: datetime) -> None:
    """Removes the private key for good. Safe to repeat; the first time stays on the record."""
    Key(pk=campaign, sk=launch).update(
        actions=[Key.private.remove(), Key.destroyed.set(Key.destroyed | ids.milliseconds(now))], condition=Key.pk.exists()
    )
