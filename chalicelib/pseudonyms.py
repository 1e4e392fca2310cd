"""In a campaign a person is a pseudonym, and as a supporter another one: two keys per campaign, deleted at closing.
No item, response or log joins the two."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache

from pynamodb.attributes import BinaryAttribute, UnicodeAttribute

from . import keyring, settings, store
from .errors import NotFound


class Keys(store.Record):
    """Wrapped by the API's own key. The table has no point-in-time recovery, so that deleting is deleting."""

    class Meta:
        table_name = settings.table("pseudonyms")

    pk = UnicodeAttribute(hash_key=True)
    conversation = BinaryAttribute(legacy_encoding=False)
    pledging = BinaryAttribute(legacy_encoding=False)


@dataclass(frozen=True, slots=True, repr=False)
class _Pair:
    conversation: bytes
    pledging: bytes


def create(campaign: str) -> None:
    """Makes the campaign's keys. Safe to repeat: the first ones stay."""
    item = Keys(pk=campaign)
    item.conversation = keyring.seal("pseudonyms", os.urandom(32), f"{campaign}#conversation")
    item.pledging = keyring.seal("pseudonyms", os.urandom(32), f"{campaign}#pledging")
    store.save_if(item, Keys.pk.does_not_exist())


@lru_cache(maxsize=64)
def _pair(campaign: str) -> _Pair:
    item = Keys.find(campaign)
    if item is None:
        raise NotFound("There is no such campaign, or it has been closed.")
    return _Pair(
        keyring.unseal("pseudonyms", bytes(item.conversation), f"{campaign}#conversation"),
        keyring.unseal("pseudonyms", bytes(item.pledging), f"{campaign}#pledging"),
    )


def of(campaign: str, person: str) -> str:
    """The person's pseudonym in the campaign's conversation."""
    return keyring.keyed_hash_with(_pair(campaign).conversation, campaign, person)[:32]


def author(campaign: str, contribution: str, pseudonym: str) -> str:
    """A public author id, another one for each contribution."""
    return keyring.keyed_hash_with(_pair(campaign).conversation, "author", contribution, pseudonym)[:12]


def supporter(campaign: str, kind: str, whom: str) -> str:
    """The supporter's pseudonym. `kind` is "person" for who signed in, "account" for who only pledges."""
    return keyring.keyed_hash_with(_pair(campaign).pledging, kind, whom)[:32]
