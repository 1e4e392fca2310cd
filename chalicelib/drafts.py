"""Drafts of pledges: what a supporter has written and not yet confirmed. No slot, no permission; gone after a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from . import ids, keyring, launches, networks, pseudonyms, settings, slots, store
from .campaigns import Campaign
from .errors import Invalid, NotFound
from .networks.base import Network, Rules

DRAFT_S = 86_400
TEXT_MAX = 10_000


@dataclass(frozen=True, slots=True)
class Access:
    """Who asks: the person who is signed in, the bearer of a supporter's token, or both."""

    person: str | None
    token: str | None


def names(campaign: Campaign, access: Access) -> list[str]:
    """The supporter's pseudonyms of who asks."""
    known = {"person": access.person, "token": access.token}
    return [pseudonyms.supporter(campaign.slug, kind, whom) for kind, whom in known.items() if whom]


class Draft(store.Record, store.Expiring):
    """`supporter` is the supporter's pseudonym where they are signed in, `secret` the hash of their token where not.
    `pledge` is set by the transaction that confirms."""

    class Meta:
        table_name = settings.table("drafts")

    pk = UnicodeAttribute(hash_key=True)
    campaign = UnicodeAttribute()
    supporter = UnicodeAttribute(null=True)
    secret = UnicodeAttribute(null=True)
    network = UnicodeAttribute()
    server = UnicodeAttribute()
    text = UnicodeAttribute()
    length = NumberAttribute()
    limit = NumberAttribute()
    per_link = NumberAttribute()
    pledge = UnicodeAttribute(null=True)
    expires = NumberAttribute()

    @property
    def id(self) -> str:
        return str(self.pk)


@dataclass(frozen=True, slots=True)
class Drafted:
    """`token` comes once, for who is not signed in and brought none: it is the way back to the draft and the pledge."""

    draft: Draft
    token: str | None


def draft(campaign: Campaign, *, network: str, server: str, text: str, person: str | None, token: str | None, now: datetime) -> Drafted:
    """A draft of a post that we send, its text checked against the server's own limit. `server`: whatever leads to it, on
    Bluesky the account's handle.

    Raises `Invalid` (network, server, text), `NotFound` (no_launch), `Conflict` (closed), `Unavailable`."""
    launch = launches.of(campaign)
    if not launch.is_open(now):
        raise slots.closed()
    if network not in launch.networks:
        raise Invalid.field("network", f"please choose one of {', '.join(launch.networks)}")
    chosen = networks.get(network)
    host = chosen.clean_server(server)
    rules = chosen.rules(host)
    new = None if person or token else ids.token()
    secret = token or new
    made = Draft(pk=ids.ordered(now), campaign=campaign.slug, network=network, server=host)
    made.supporter = pseudonyms.supporter(campaign.slug, "person", person) if person else None
    made.secret = None if person or secret is None else keyring.public_hash(secret)
    made.text, made.length, made.limit, made.per_link = text, checked(chosen, text, rules), rules.limit, rules.per_link
    made.expires = int(now.timestamp()) + DRAFT_S
    made.save(condition=Draft.pk.does_not_exist())
    return Drafted(made, new)


def checked(network: Network, text: str, rules: Rules) -> int:
    """The text's length as the network counts it. Raises `Invalid` (text)."""
    if not text.strip():
        raise Invalid.field("text", "please write something")
    if len(text) > TEXT_MAX:
        raise Invalid.field("text", f"{len(text)} characters; this server takes {rules.limit}")
    length = network.length(text, rules)
    if length > rules.limit:
        raise Invalid.field("text", f"{length} characters as this server counts them; it takes {rules.limit}", code="too_long")
    return length


def wrong_mode() -> Invalid:
    return Invalid.field("mode", "please choose automatic or reminder")


def get(campaign: Campaign, draft_id: str, access: Access, *, now: datetime) -> Draft:
    """Raises `NotFound`, also where it is somebody else's."""
    found = Draft.find(draft_id, now=now.timestamp())
    if found is None or found.campaign != campaign.slug or not _theirs(found, access):
        raise NotFound("There is no such draft; it may have expired. Please start again.")
    return found


def _theirs(found: Draft, access: Access) -> bool:
    by_person = access.person is not None and found.supporter == pseudonyms.supporter(found.campaign, "person", access.person)
    return by_person or (access.token is not None and found.secret == keyring.public_hash(access.token))


def change(campaign: Campaign, draft_id: str, text: str, access: Access, *, now: datetime) -> Draft:
    """Another text, before it is confirmed. Safe to repeat. Raises `NotFound`, `Invalid` (text)."""
    found = get(campaign, draft_id, access, now=now)
    rules = Rules(int(found.limit), int(found.per_link))
    length = checked(networks.get(found.network), text, rules)
    unconfirmed = Draft.pk.exists() & Draft.pledge.does_not_exist()
    if not store.update_if(found, [Draft.text.set(text), Draft.length.set(length)], unconfirmed):
        raise NotFound("This draft has been confirmed or withdrawn.")
    return found
