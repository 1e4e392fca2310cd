"""Supporters of a launch: the people with a live pledge of either mode, the accounts that have lent a post, and how many
they are, which the pledges' stream recounts."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from pynamodb.attributes import JSONAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.transactions import TransactWrite

from . import settings, store

PARTITIONS = 64


class Supporter(store.Record):
    """One person in one launch: `pledges` maps network -> pledge id. In one of 64 partitions by hash. `shown` are pledges
    that somebody else made and that this person may see, since they hold the same account."""

    class Meta:
        table_name = settings.table("pledges")

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    pledges: JSONAttribute = JSONAttribute(default=dict)
    shown: JSONAttribute = JSONAttribute(default=list)
    version = NumberAttribute(default=0)


class AccountItem(store.Record):
    """One account on one network in one launch, so that it lends one post only, whoever connects it."""

    class Meta:
        table_name = settings.table("pledges")

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    pledge = UnicodeAttribute()


def partition(launch: str, what: str, name: str) -> str:
    """`what`: people, accounts or reminders."""
    return f"{launch}#{what}#{int(hashlib.sha256(name.encode()).hexdigest(), 16) % PARTITIONS:02d}"


def partitions(launch: str, what: str) -> list[str]:
    return [f"{launch}#{what}#{number:02d}" for number in range(PARTITIONS)]


def get(launch: str, name: str) -> Supporter:
    """By pseudonym; a new one without pledges where there is none."""
    key = partition(launch, "people", name)
    return Supporter.find(key, name) or Supporter(pk=key, sk=name, pledges={}, shown=[], version=0)


def account(launch: str, name: str) -> AccountItem:
    """By pseudonym; `pledge` is empty where the account has lent nothing."""
    key = partition(launch, "accounts", name)
    return AccountItem.find(key, name) or AccountItem(pk=key, sk=name, pledge="")


def put(transaction: TransactWrite, before: Supporter, *, pledges: dict[str, str], shown: list[str] | None = None) -> None:
    """Adds the supporter's new state to a transaction, if nobody has changed them since `before` was read."""
    version = int(before.version)
    unchanged = Supporter.version == version if version else Supporter.version.does_not_exist()
    after = Supporter(pk=before.pk, sk=before.sk, pledges=pledges, shown=list(before.shown) if shown is None else shown)
    after.version = version + 1
    transaction.save(after, condition=unchanged)


class Count(store.Record):
    """How many in one partition: `people#NN`, `reminders#NN` and `live#<lane>#<chunk>`. Of reminders also how many have
    an address, opened the network's form, said that they have posted."""

    class Meta:
        table_name = settings.table("launches")

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    n = NumberAttribute(default=0)
    mails = NumberAttribute(null=True)
    opened = NumberAttribute(null=True)
    done = NumberAttribute(null=True)
    version = NumberAttribute(default=0)


@dataclass(frozen=True, slots=True)
class Counts:
    """People with a live pledge; `automatic` counts live posts that we send, `reminders` those that people send themselves."""

    people: int
    automatic: int
    reminders: int = 0


def count(launch: str, *, consistent: bool = False) -> Counts:
    """What the recounts found: up to a few seconds old."""
    people, automatic, reminders = (
        sum(int(one.n) for one in Count.query(launch, Count.sk.startswith(f"{what}#"), consistent_read=consistent))
        for what in ("people", "live", "reminders")
    )
    return Counts(people, automatic, reminders)
