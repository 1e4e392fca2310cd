"""Pledges: a supporter lends one post. Draft -> (the network says whose account it is) -> confirmed in one transaction:
the pledge, its sealed grant under the same key, the supporter's item, the account's item. What was confirmed is sent
byte for byte."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from pynamodb.attributes import JSONAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.transactions import TransactWrite

from . import chunks, drafts, grants, ids, keyring, launches, networks, pseudonyms, settings, slots, store
from .campaigns import Campaign
from .drafts import Access, Draft
from .errors import Conflict, NotFound
from .launches import Launch
from .networks.base import Account

PARTITIONS = 64
WORDING = "2026-11"  # changes whenever the words that people agree to change
GRANT_DAYS_AFTER = 1


class Pledge(store.Record):
    """`supporter` is the supporter's pseudonym, `secret` the hash of the token of who did not sign in. `key` makes a
    repetition at the network harmless; it and `text` never change after confirmation. Times in epoch milliseconds, but
    `agreed_at`: the time that the supporter agreed to, in seconds. What is planned now: `planned_at`."""

    class Meta:
        table_name = settings.table("pledges")

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    supporter = UnicodeAttribute()
    secret = UnicodeAttribute(null=True)
    network = UnicodeAttribute()
    server = UnicodeAttribute()
    account = UnicodeAttribute()
    account_item = UnicodeAttribute()
    text = UnicodeAttribute()
    text_sha256 = UnicodeAttribute()
    key = UnicodeAttribute()
    wording = UnicodeAttribute()
    agreed_at = NumberAttribute()
    consented = NumberAttribute()
    withdrawn = NumberAttribute(null=True)

    @property
    def slot(self) -> slots.Slot:
        launch, lane, chunk = str(self.pk).split("#")
        return slots.Slot(launch, lane, int(chunk) * settings.SLOTS_PER_CHUNK + int(str(self.sk)))

    @property
    def id(self) -> str:
        return self.slot.pledge

    @property
    def state(self) -> str:
        return "withdrawn" if self.withdrawn else "pledged"

    @property
    def consented_at(self) -> float:
        return float(self.consented) / 1000


class Supporter(store.Record):
    """One person in one launch: `pledges` maps network -> pledge id. In one of 64 partitions by hash."""

    class Meta:
        table_name = settings.table("pledges")

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    pledges: JSONAttribute = JSONAttribute(default=dict)
    version = NumberAttribute(default=0)


class AccountItem(store.Record):
    """One account on one network in one launch, so that it lends one post only, whoever connects it."""

    class Meta:
        table_name = settings.table("pledges")

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    pledge = UnicodeAttribute()


@dataclass(frozen=True, slots=True)
class _Who:
    supporter: Supporter
    account: AccountItem


def confirm(campaign: Campaign, draft_id: str, token: str, access: Access, *, now: datetime) -> Pledge:
    """Confirms a draft with the permission to post: the supporter's agreement to exactly this text. Safe to repeat, and
    after a lost response the same pledge is answered.

    Raises `NotFound`, `Invalid` (token, text), `Conflict` (closed, second_pledge), `Unavailable`."""
    draft = drafts.get(campaign, draft_id, access, now=now)
    if draft.pledge:
        return find_confirmed(draft.pledge)
    launch = launches.of(campaign)
    if not launch.is_open(now):
        raise slots.closed()
    network = networks.get(draft.network)
    account = network.account(draft.server, token)
    who = _who(campaign, launch, draft, account)
    earlier = _earlier(who, draft)
    if earlier:
        return earlier
    ordinal = slots.ordinal(launch.id, draft.network, draft.server)
    slot = slots.take(launch.id, slots.lane_of(draft.network, ordinal))
    pledge = _pledge(launch, draft, account, who=who, slot=slot, now=now)
    return _write(launch, draft, pledge, who, token.strip())


def _who(campaign: Campaign, launch: Launch, draft: Draft, account: Account) -> _Who:
    name = pseudonyms.supporter(campaign.slug, "account", f"{draft.network}#{account.id}")
    person = draft.supporter or name
    supporter_key, account_key = _partition(launch.id, "people", person), _partition(launch.id, "accounts", name)
    supporter = Supporter.find(supporter_key, person) or Supporter(pk=supporter_key, sk=person, pledges={}, version=0)
    known = AccountItem.find(account_key, name)
    return _Who(supporter, known or AccountItem(pk=account_key, sk=name, pledge=""))


def _partition(launch: str, what: str, name: str) -> str:
    return f"{launch}#{what}#{int(hashlib.sha256(name.encode()).hexdigest(), 16) % PARTITIONS:02d}"


def _earlier(who: _Who, draft: Draft) -> Pledge | None:
    """The pledge this very draft has already made. Raises `Conflict` where another one stands."""
    standing = who.supporter.pledges.get(draft.network) or who.account.pledge
    if not standing:
        return None
    pledge = find_confirmed(standing)
    if pledge.key == draft.key:
        return pledge
    raise second_pledge(pledge.account)


def second_pledge(account: str) -> Conflict:
    return Conflict(
        f"A post from {account} has already been lent to this launch; one person lends one post on each network.", code="second_pledge"
    )


def _pledge(launch: Launch, draft: Draft, account: Account, *, who: _Who, slot: slots.Slot, now: datetime) -> Pledge:
    return Pledge(
        pk=slot.chunk,
        sk=slot.position,
        supporter=str(who.supporter.sk),
        secret=draft.secret,
        network=draft.network,
        server=draft.server,
        account=account.handle,
        account_item=f"{who.account.pk} {who.account.sk}",
        text=draft.text,
        text_sha256=hashlib.sha256(draft.text.encode()).hexdigest(),
        key=draft.key,
        wording=WORDING,
        agreed_at=slots.planned_at(launch, slot.lane),
        consented=ids.milliseconds(now),
    )


def _write(launch: Launch, draft: Draft, pledge: Pledge, who: _Who, token: str) -> Pledge:
    sealed = grants.seal(bytes(launch.public_key), pledge.id, token)
    expires = int(pledge.agreed_at) + GRANT_DAYS_AFTER * 86_400
    grant = grants.Grant(pk=pledge.pk, sk=pledge.sk, sealed=sealed, expires=expires)

    def fill(transaction: TransactWrite) -> None:
        transaction.save(pledge, condition=Pledge.pk.does_not_exist())
        transaction.save(grant, condition=grants.Grant.pk.does_not_exist())
        _put_supporter(transaction, who.supporter, {**who.supporter.pledges, pledge.network: pledge.id})
        account = AccountItem(pk=who.account.pk, sk=who.account.sk, pledge=pledge.id)
        transaction.save(account, condition=AccountItem.pk.does_not_exist())
        transaction.update(draft, actions=[Draft.pledge.set(pledge.id)], condition=Draft.pk.exists() & Draft.pledge.does_not_exist())

    if store.write_together(fill) is None:
        return pledge
    landed = Pledge.find(str(pledge.pk), str(pledge.sk))  # our own write, whose response was lost
    if landed and landed.key == pledge.key:
        return landed
    draft.refresh(consistent_read=True)  # or the same draft, confirmed twice at once
    if draft.pledge:
        return find_confirmed(draft.pledge)
    raise second_pledge(pledge.account)


def _put_supporter(transaction: TransactWrite, supporter: Supporter, pledges: dict[str, str]) -> None:
    version = int(supporter.version)
    unchanged = Supporter.version == version if version else Supporter.version.does_not_exist()
    transaction.save(Supporter(pk=supporter.pk, sk=supporter.sk, pledges=pledges, version=version + 1), condition=unchanged)


def planned_at(launch: Launch, pledge: Pledge) -> int:
    """When it goes out, in epoch seconds: the launch may have been moved, by less than asks for a new yes."""
    return slots.planned_at(launch, pledge.slot.lane)


def find_confirmed(pledge: str) -> Pledge:
    """By id, for whoever has the right to ask. Raises `NotFound`."""
    slot = slots.parse(pledge)
    found = Pledge.find(slot.chunk, slot.position) if slot else None
    if found is None:
        raise NotFound("There is no such pledge.")
    return found


def find(campaign: Campaign, pledge: str, access: Access, *, now: datetime) -> Draft | Pledge:
    """A draft or a pledge of theirs. Raises `NotFound`, also where it is somebody else's."""
    if slots.parse(pledge) is None:
        return drafts.get(campaign, pledge, access, now=now)
    found = find_confirmed(pledge)
    in_campaign = found.slot.launch == campaign.launch
    by_person = access.person is not None and found.supporter == pseudonyms.supporter(campaign.slug, "person", access.person)
    by_token = access.token is not None and found.secret == keyring.public_hash(access.token)
    if not in_campaign or not (by_person or by_token):
        raise NotFound("There is no such pledge.")
    return found


def withdraw(campaign: Campaign, pledge: str, access: Access, *, now: datetime) -> None:
    """Takes the pledge back, up to the seal of its chunk, and deletes the permission. Safe to repeat.

    Raises `NotFound`, `Conflict` (sealed)."""
    found = find(campaign, pledge, access, now=now)
    if isinstance(found, Draft):
        if store.delete_if(found, Draft.pledge.does_not_exist()):
            return
        found.refresh(consistent_read=True)  # confirmed, perhaps this very moment
        found = find_confirmed(str(found.pledge))
    if found.withdrawn:
        return
    launch = launches.of(campaign)
    for _ in range(5):  # the supporter's item or the epoch may change meanwhile
        if _take_back(launch, found, now):
            return
        found.refresh(consistent_read=True)
        if found.withdrawn:
            return
        launch.refresh(consistent_read=True)
        state = chunks.get(str(found.pk), int(launch.epoch))
        if state and state.sealed:
            break
    raise Conflict("Your post is just being sent, or has been; it can no longer be held back here.", code="sealed")


def _take_back(launch: Launch, pledge: Pledge, now: datetime) -> bool:
    supporter = Supporter.find(_partition(launch.id, "people", pledge.supporter), pledge.supporter)
    account_pk, account_sk = pledge.account_item.split(" ")
    epoch = int(launch.epoch)

    def fill(transaction: TransactWrite) -> None:
        chunks.not_sealed(transaction, str(pledge.pk), epoch)
        transaction.condition_check(Launch, launch.id, "launch", condition=Launch.epoch == epoch)
        at = ids.milliseconds(now)
        transaction.update(pledge, actions=[Pledge.withdrawn.set(at)], condition=Pledge.pk.exists() & Pledge.withdrawn.does_not_exist())
        transaction.delete(grants.Grant(pk=pledge.pk, sk=pledge.sk))
        transaction.delete(AccountItem(pk=account_pk, sk=account_sk), condition=AccountItem.pledge == pledge.id)
        if supporter:
            _put_supporter(transaction, supporter, {n: p for n, p in supporter.pledges.items() if p != pledge.id})

    return store.write_together(fill) is None


def of_chunk(chunk: str) -> list[Pledge]:
    """The live pledges of a chunk in slot order, read consistently."""
    return [pledge for pledge in Pledge.query(chunk, consistent_read=True) if not pledge.withdrawn]
