"""Other words for a post that has been lent: only together with a new consent, and only until the freeze."""

from __future__ import annotations

from datetime import UTC, datetime

from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from . import chunks, drafts, grants, launches, networks, pledges, slots, store
from .campaigns import Campaign
from .drafts import Access, Draft
from .errors import Conflict, Invalid, NotFound
from .launches import Launch
from .networks.base import Rules
from .pledges import Pledge


def change(campaign: Campaign, pledge: str, text: str, access: Access, *, agree: bool, now: datetime) -> Draft | Pledge:
    """Another text. For a draft, as `drafts.change`; for a pledge a new consent (`agree`) to exactly this text and to the
    time that is planned now; the same text again is a yes to a moment that was moved. The permission stays, the earlier
    consent is kept on the record. Safe to repeat.

    Raises `NotFound`, `Invalid` (text, agree), `Conflict` (closed, changed, reconnect)."""
    found = pledges.find(campaign, pledge, access, now=now)
    if isinstance(found, Draft) and not found.pledge:
        return drafts.change(campaign, found.id, text, access, now=now)
    found = pledges.find_confirmed(str(found.pledge)) if isinstance(found, Draft) else found
    launch = launches.of(campaign)
    check(launch, found, text, now=now)
    if not agree:
        raise Invalid.field("agree", "you have agreed to other words; please agree to these, or leave the post as it is")
    return found if found.text == text and pledges.stands(launch, found) else _agree(launch, found, text, now)


def check(launch: Launch, pledge: Pledge, text: str, *, now: datetime) -> int:
    """Whether the pledge could have this text; its length as the network counts it. Raises as `change`."""
    if pledge.withdrawn:
        raise NotFound("You have taken this post back.")
    if not launch.is_open(now):
        raise slots.closed()
    return drafts.checked(networks.get(pledge.network), text, Rules(int(pledge.limit), int(pledge.per_link)))


def _agree(launch: Launch, pledge: Pledge, text: str, now: datetime) -> Pledge:
    before, epoch = pledge.key, int(launch.epoch)
    planned = pledges.planned_at(launch, pledge)
    after = networks.get(pledge.network).renewed(before, text, at=datetime.fromtimestamp(planned, UTC))
    pledge.key = after
    pledges.agree(pledge, text, planned=planned, now=now)

    def fill(transaction: TransactWrite) -> None:
        chunks.not_sealed(transaction, str(pledge.pk), epoch)
        still = (Launch.state == "open") & (Launch.epoch == epoch)
        transaction.condition_check(Launch, launch.id, "launch", condition=still)
        transaction.save(pledge, condition=(Pledge.key == before) & Pledge.withdrawn.does_not_exist())
        kept: list[Action] = [grants.Grant.expires.set(pledges.kept_until(launch, pledge))]
        transaction.update(grants.Grant(pk=pledge.pk, sk=pledge.sk), actions=kept, condition=grants.Grant.pk.exists())

    refused = store.write_together(fill)
    if refused is None:
        return pledge
    current = pledges.find_confirmed(pledge.id)
    if current.key == after:  # our own write, whose response was lost
        return current
    if refused[-1]:
        raise Conflict("Your permission has been deleted meanwhile; please lend a post from the same account again.", code="reconnect")
    raise Conflict("Your post, or the launch, changed at the same moment; please look again.", code="changed")
