"""People. A person is a random id; the e-mail address is sealed, and found again only by its keyed hash.
One address is one person, whatever happens at the same time."""

from __future__ import annotations

import re
from datetime import datetime

from pynamodb.attributes import BinaryAttribute, BooleanAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.transactions import TransactWrite

from . import ids, keyring, settings, store
from .errors import Invalid

# What HTML's <input type=email> accepts, with a dot in the domain: https://html.spec.whatwg.org/#valid-e-mail-address
_EMAIL = re.compile(
    r"[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)+"
)


class Person(store.Record):
    """`organiser`: may create campaigns (appointed by the operator)."""

    class Meta:
        table_name = settings.table("participants")

    pk = UnicodeAttribute(hash_key=True)
    email = BinaryAttribute(legacy_encoding=False)
    organiser = BooleanAttribute(default=False)
    created = NumberAttribute()

    @property
    def id(self) -> str:
        return str(self.pk).removeprefix("person#")


class Email(store.Record):
    class Meta:
        table_name = settings.table("participants")

    pk = UnicodeAttribute(hash_key=True)
    person = UnicodeAttribute()


def clean_email(text: str) -> str:
    """Trimmed, the domain in lower case. Raises `Invalid` naming the field."""
    text = text.strip()
    if len(text) > 254 or not _EMAIL.fullmatch(text):
        raise Invalid.field("email", "please give a whole e-mail address, such as name@example.org")
    local, _, domain = text.rpartition("@")
    return f"{local}@{domain.lower()}"


def lookup_key(email: str) -> str:
    """Addresses that differ only in case are one."""
    return f"email#{keyring.keyed_hash('email_lookup', email.lower())}"


def get(person: str) -> Person | None:
    return Person.find(f"person#{person}")


def find(email: str) -> Person | None:
    known = Email.find(lookup_key(email))
    return get(known.person) if known else None


def find_or_create(email: str, *, now: datetime) -> Person:
    """The person with this (cleaned) address. Safe to repeat: the address's own item decides a race."""
    known = find(email)
    if known:
        return known
    person = Person(pk=f"person#{ids.short()}{ids.short()}", created=ids.milliseconds(now), organiser=False)
    person.email = keyring.seal("email_seal", email.encode(), str(person.pk))

    def fill(transaction: TransactWrite) -> None:
        transaction.save(Email(pk=lookup_key(email), person=person.id), condition=Email.pk.does_not_exist())
        transaction.save(person, condition=Person.pk.does_not_exist())

    if store.write_together(fill) is None:
        return person
    winner = find(email)
    assert winner is not None, "the address is taken, so its person exists"
    return winner


def address(person: Person) -> str:
    """The person's e-mail address, opened."""
    return keyring.unseal("email_seal", bytes(person.email), str(person.pk)).decode()


def appoint(email: str, *, now: datetime) -> Person:
    """Lets the person with this address create campaigns; makes the person if need be. Safe to repeat."""
    person = find_or_create(clean_email(email), now=now)
    person.update(actions=[Person.organiser.set(True)], condition=Person.pk.exists())
    return person
