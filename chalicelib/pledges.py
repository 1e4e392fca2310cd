"""Pledges: a supporter lends one post. Draft -> (the network says whose account it is) -> confirmed in one transaction:
the pledge, its sealed grant under the same key, the supporter's item, the account's item. What was agreed to is sent
byte for byte. Changing the words, and giving the permission anew: `consents`."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cryptography.exceptions import InvalidTag
from pynamodb.attributes import BinaryAttribute, JSONAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.transactions import TransactWrite

from . import chunks, drafts, grants, ids, launches, mail, networks, pseudonyms, settings, slots, store, supporters
from .campaigns import Campaign
from .drafts import Access, Draft
from .errors import Conflict, NotFound
from .launches import Launch
from .networks.base import Account
from .supporters import AccountItem, Supporter

WORDING = "2026-11b"  # changes whenever the words that people agree to change
GRANT_DAYS_AFTER = 1


class Pledge(store.Record):
    """`supporter` is the supporter's pseudonym. `key` makes a repetition at the network harmless; it and `text` change only
    together, with a new consent. The consent itself: `text_sha256`, `account`, `agreed_at` (the planned time, epoch
    seconds), `wording`, `consented`; `earlier` has those before. `email` is sealed, `link` the page to tell of in an
    e-mail. Other times in epoch milliseconds. `offset_s`: seconds after the lane's time, mostly 0. What is planned now:
    `planned_at`."""

    class Meta:
        table_name = settings.table("pledges")

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    draft = UnicodeAttribute()
    supporter = UnicodeAttribute()
    network = UnicodeAttribute()
    server = UnicodeAttribute()
    account = UnicodeAttribute()
    account_item = UnicodeAttribute()
    limit = NumberAttribute()
    per_link = NumberAttribute()
    offset_s = NumberAttribute(default=0)
    text = UnicodeAttribute()
    key = UnicodeAttribute()
    text_sha256 = UnicodeAttribute()
    wording = UnicodeAttribute()
    agreed_at = NumberAttribute()
    consented = NumberAttribute()
    earlier: JSONAttribute = JSONAttribute(default=list)
    email = BinaryAttribute(legacy_encoding=False, null=True)
    link = UnicodeAttribute(null=True)
    withdrawn = NumberAttribute(null=True)

    @property
    def slot(self) -> slots.Slot:
        launch, lane, chunk = str(self.pk).split("#")
        return slots.Slot(launch, lane, int(chunk) * settings.SLOTS_PER_CHUNK + int(str(self.sk)))

    @property
    def id(self) -> str:
        return self.slot.pledge

    @property
    def consented_at(self) -> float:
        return float(self.consented) / 1000


@dataclass(frozen=True, slots=True)
class Who:
    """Whom a permission belongs to. `supporter` and `item` as they stand in the table, or new."""

    account: Account
    supporter: Supporter
    item: AccountItem


@dataclass(frozen=True, slots=True)
class Contact:
    """Where a supporter wants to be told that their post could not be sent. `link`: their page."""

    email: str
    link: str


def confirm(campaign: Campaign, draft_id: str, token: str, access: Access, *, contact: Contact | None = None, now: datetime) -> Pledge:
    """Confirms a draft with the permission to post: the supporter's agreement to exactly this text. Safe to repeat, and
    after a lost response the same pledge is answered. Where this account has lent a post already, that pledge is answered
    (its `draft` is another one), with the new permission, and who holds the account may see it from now on.

    Raises `NotFound`, `Invalid` (token, server, text), `Conflict` (closed, second_pledge), `Unavailable`."""
    draft = drafts.get(campaign, draft_id, access, now=now)
    if draft.pledge:
        return find_confirmed(draft.pledge)
    launch = launches.of(campaign)
    if not launch.is_open(now):
        raise slots.closed()
    who = _who(campaign, launch, draft, access, networks.get(draft.network).account(draft.server, token))
    return _standing(launch, who, draft) or _write(launch, draft, who, contact, now)


def _who(campaign: Campaign, launch: Launch, draft: Draft, access: Access, account: Account) -> Who:
    name = pseudonyms.supporter(campaign.slug, "account", f"{draft.network}#{account.id}")
    person = draft.supporter or pseudonyms.supporter(campaign.slug, "token", access.token or "")
    return Who(account, supporters.get(launch.id, person), supporters.account(launch.id, name))


def _standing(launch: Launch, who: Who, draft: Draft) -> Pledge | None:
    """The pledge that this draft or this account has made already. Raises `Conflict` where the supporter has lent a post
    from another account of this network."""
    if who.item.pledge:
        pledge = find_confirmed(who.item.pledge)
        if pledge.draft != draft.id:
            show(launch, who, pledge)
        return pledge
    standing = who.supporter.pledges.get(draft.network)
    if standing:
        raise second_pledge()
    return None


def second_pledge() -> Conflict:
    return Conflict("You take part on this network already; one person lends one post on each network.", code="second_pledge")


def show(launch: Launch, who: Who, pledge: Pledge) -> None:
    """Lets who holds the account see its pledge, and puts their permission in the place of the earlier one unless the
    pledge is being sent. Safe to repeat. Raises `Conflict` (changed)."""
    name, epoch = str(who.supporter.sk), int(launch.epoch)
    shown = sorted({*who.supporter.shown, pledge.id})

    def note(transaction: TransactWrite) -> None:
        supporters.put(transaction, who.supporter, pledges=dict(who.supporter.pledges), shown=shown)

    def renew(transaction: TransactWrite) -> None:
        chunks.not_sealed(transaction, str(pledge.pk), epoch)
        transaction.condition_check(Pledge, str(pledge.pk), str(pledge.sk), condition=Pledge.withdrawn.does_not_exist())
        transaction.save(grant_of(launch, pledge, who.account.permission))

    unseen = name != pledge.supporter and pledge.id not in who.supporter.shown
    if unseen and store.write_together(note) is not None and pledge.id not in supporters.get(launch.id, name).shown:
        raise Conflict("Your record changed at the same moment; please try again.", code="changed")
    store.write_together(renew)


def grant_of(launch: Launch, pledge: Pledge, permission: str) -> grants.Grant:
    sealed = grants.seal(bytes(launch.public_key), pledge.id, permission)
    return grants.Grant(pk=pledge.pk, sk=pledge.sk, sealed=sealed, expires=kept_until(launch, pledge))


def kept_until(launch: Launch, pledge: Pledge) -> int:
    """Epoch seconds after which DynamoDB removes the sealed permission, whatever becomes of the launch."""
    return max(int(pledge.agreed_at), planned_at(launch, pledge)) + GRANT_DAYS_AFTER * 86_400


def _write(launch: Launch, draft: Draft, who: Who, contact: Contact | None, now: datetime) -> Pledge:
    pledge = _pledge(launch, draft, who, contact, now)

    def fill(transaction: TransactWrite) -> None:
        transaction.save(pledge, condition=Pledge.pk.does_not_exist())
        transaction.save(grant_of(launch, pledge, who.account.permission), condition=grants.Grant.pk.does_not_exist())
        supporters.put(transaction, who.supporter, pledges={**who.supporter.pledges, pledge.network: pledge.id})
        item = AccountItem(pk=who.item.pk, sk=who.item.sk, pledge=pledge.id)
        transaction.save(item, condition=AccountItem.pk.does_not_exist())
        transaction.update(draft, actions=[Draft.pledge.set(pledge.id)], condition=Draft.pk.exists() & Draft.pledge.does_not_exist())

    if store.write_together(fill) is None:
        return pledge
    draft.refresh(consistent_read=True)
    if draft.pledge:  # our own write, whose response was lost, or the same draft confirmed twice at once
        return find_confirmed(draft.pledge)
    again = Who(who.account, supporters.get(launch.id, str(who.supporter.sk)), supporters.account(launch.id, str(who.item.sk)))
    standing = _standing(launch, again, draft)
    if standing is None:
        raise Conflict("Your supporter's record changed at the same moment; please try again.", code="changed")
    return standing


def _pledge(launch: Launch, draft: Draft, who: Who, contact: Contact | None, now: datetime) -> Pledge:
    ordinal = slots.ordinal(launch.id, draft.network, who.account.server)
    slot = slots.take(launch.id, slots.lane_of(draft.network, ordinal))
    pledge = Pledge(pk=slot.chunk, sk=slot.position, draft=draft.id, supporter=str(who.supporter.sk), network=draft.network)
    pledge.server, pledge.account = who.account.server, who.account.handle
    pledge.account_item = f"{who.item.pk} {who.item.sk}"
    pledge.limit, pledge.per_link, pledge.offset_s = draft.limit, draft.per_link, slots.offset_of(draft.network, ordinal)
    agreed = planned_at(launch, pledge)
    pledge.key = networks.get(draft.network).key(draft.text, who.account.id, at=datetime.fromtimestamp(agreed, UTC))
    agree(pledge, draft.text, planned=agreed, now=now)
    if contact:
        pledge.email, pledge.link = mail.sealed(contact.email, pledge.id), contact.link
    return pledge


def agree(pledge: Pledge, text: str, *, planned: int, now: datetime) -> None:
    """The record of what was agreed to, and when; an earlier one is kept."""
    if pledge.text_sha256:
        pledge.earlier = [*pledge.earlier, consent_of(pledge)]
    pledge.text, pledge.text_sha256 = text, hashlib.sha256(text.encode()).hexdigest()
    pledge.wording, pledge.agreed_at, pledge.consented = WORDING, planned, ids.milliseconds(now)


def consent_of(pledge: Pledge) -> dict[str, str | int]:
    whole = {"agreed_at": int(pledge.agreed_at), "consented": int(pledge.consented)}
    return {"text_sha256": pledge.text_sha256, "account": pledge.account, "wording": pledge.wording, **whole}


def planned_at(launch: Launch, pledge: Pledge) -> int:
    """When it goes out, in epoch seconds: the launch may have been moved, by less than asks for a new yes."""
    return slots.planned_at(launch, pledge.slot.lane) + int(pledge.offset_s)


def stands(launch: Launch, pledge: Pledge) -> bool:
    """Whether its supporter has agreed to the moment as it is planned now; one that moved by an hour at most is the same."""
    return abs(int(pledge.agreed_at) - planned_at(launch, pledge)) <= launches.FRESH_CONSENT_AFTER_S


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
    found, names = find_confirmed(pledge), drafts.names(campaign, access)
    launch = found.slot.launch
    if launch != campaign.launch or not (found.supporter in names or any(found.id in supporters.get(launch, name).shown for name in names)):
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
    launch = launches.of(campaign)
    for _ in range(5):  # the supporter's item or the epoch may change meanwhile
        if found.withdrawn or _take_back(launch, found, now):
            return
        found.refresh(consistent_read=True)
        launch.refresh(consistent_read=True)
        state = chunks.get(str(found.pk), int(launch.epoch))
        if state and state.sealed and not found.withdrawn:
            break
    raise Conflict("Your post is just being sent, or has been; it can no longer be held back here.", code="sealed")


def _take_back(launch: Launch, pledge: Pledge, now: datetime) -> bool:
    supporter, account = supporters.get(launch.id, pledge.supporter), pledge.account_item.split(" ")
    epoch, at = int(launch.epoch), ids.milliseconds(now)

    def fill(transaction: TransactWrite) -> None:
        chunks.not_sealed(transaction, str(pledge.pk), epoch)
        transaction.condition_check(Launch, launch.id, "launch", condition=Launch.epoch == epoch)
        live = Pledge.pk.exists() & Pledge.withdrawn.does_not_exist()
        transaction.update(pledge, actions=[Pledge.withdrawn.set(at), Pledge.email.remove()], condition=live)
        transaction.delete(grants.Grant(pk=pledge.pk, sk=pledge.sk))
        transaction.delete(AccountItem(pk=account[0], sk=account[1]), condition=AccountItem.pledge == pledge.id)
        supporters.put(transaction, supporter, pledges={n: p for n, p in supporter.pledges.items() if p != pledge.id})

    return store.write_together(fill) is None


def of_chunk(chunk: str) -> list[Pledge]:
    """The live pledges of a chunk in slot order, read consistently."""
    return [pledge for pledge in Pledge.query(chunk, consistent_read=True) if not pledge.withdrawn]


def permitted(launch: Launch, chunk: str) -> list[tuple[Pledge, str]]:
    """The live pledges of a chunk in slot order, read consistently, each with its opened permission; an empty one where there is
    none, or it cannot be opened. For the release worker. Raises `grants.Destroyed`."""
    found = of_chunk(chunk)
    if not found:
        return []
    sealed, key = grants.of_chunk(chunk), grants.open_key(launch.campaign, launch.id)
    return [(one, _opened(key, one, sealed.get(str(one.sk)))) for one in found]


def _opened(key: Any, pledge: Pledge, sealed: bytes | None) -> str:
    """One that cannot be opened must not keep the others of its chunk from being sent."""
    try:
        return grants.unseal(key, pledge.id, sealed) if sealed else ""
    except InvalidTag:
        return ""
