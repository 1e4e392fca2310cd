"""Lending one post, as JSON; and being reminded to post oneself. Needs no account here. The pages: `lending`, `reminders`."""

from __future__ import annotations

from typing import Any, Literal, cast

import msgspec
from chalice import Blueprint, Response

from .. import campaigns, consents, drafts, launches, participants, pledges, reminders, reports
from ..campaigns import Campaign
from ..drafts import Draft
from ..pledges import Contact
from ..reminders import NewReminder, Reminder
from . import sharing, times
from .campaigns import seen
from .http import Visit
from .routes import route

bp = Blueprint(__name__)
Found = Draft | pledges.Pledge | Reminder


class NewPledge(msgspec.Struct):
    """`mode`: automatic, and we post for you; or reminder, and you do. `server`, for automatic: the Mastodon server, or the
    handle on Bluesky. `email`, for a reminder: where to remind you, the day before and by the moment."""

    network: str
    mode: str
    text: str
    server: str = ""
    email: str | None = None


class NewWords(msgspec.Struct):
    """`agree`: once a post has been lent, other words need a new yes to exactly these."""

    text: str
    agree: bool = False


class Consent(msgspec.Struct):
    """`token`: the permission to post: Mastodon's access token, Bluesky's app password. `email`: where to tell you if your
    post cannot be sent."""

    token: str
    email: str | None = None


class Done(msgspec.Struct):
    """A body without fields."""


class PledgeOutcome(msgspec.Struct):
    """What happened to one post. `said`: the network's own words; `sent_ms`: our first send after the planned time; `late`: a
    second worker sent it, or asked what became of it."""

    outcome: Literal[
        "posted",
        "refused",
        "reconnect",
        "halted",
        "stopped",
        "not_agreed",
        "unknown",
        "missed",
        "withdrawn",
        "goal_missed",
        "not_approved",
    ]
    url: str | None = None
    said: str | None = None
    sent_ms: float | None = None
    late: bool = False


class Pledge(msgspec.Struct):
    """A draft, a post that was lent, or a reminder. `agreed_to_moment`: false where the moment was moved so far that a new yes
    is needed, given by changing the text to the same with `agree`. `pledge`: what the draft has become. `share`: where a reminded person
    posts. `token` comes once, for who is not signed in: the way back. `already`: this account had lent this post before."""

    id: str
    campaign: str
    mode: Literal["automatic", "reminder"]
    state: Literal["draft", "pledged", "withdrawn"]
    network: str
    text: str
    server: str | None = None
    account: str | None = None
    length: int | None = None
    limit: int | None = None
    expires: str | None = None
    pledge: str | None = None
    planned_at: str | None = None
    agreed_to_moment: bool | None = None
    consented_at: str | None = None
    wording: str | None = None
    share: str | None = None
    opened_at: str | None = None
    done_at: str | None = None
    outcome: PledgeOutcome | None = None
    token: str | msgspec.UnsetType = msgspec.UNSET
    already: bool | msgspec.UnsetType = msgspec.UNSET


class Pledges(msgspec.Struct):
    items: list[Pledge]
    next: str | None = None


@route(bp, "POST", "/v1/campaigns/{slug}/pledges", takes=NewPledge, gives=Pledge, status=201, errors=(401, 409, 503))
def draft(visit: Visit, slug: str) -> Response:
    """Draft a post to lend, or be reminded to post yourself."""
    campaign = seen(visit, slug)
    if visit.bearer:
        visit.require_person()
    found, token = make(visit, campaign, visit.read(NewPledge))
    body = told(campaign, found)
    body.token = token or msgspec.UNSET
    return visit.json(body, 201)


def make(visit: Visit, campaign: Campaign, body: NewPledge) -> tuple[Draft | Reminder, str | None]:
    """A draft or a reminder, and the token of who is not signed in and had none."""
    access, email = visit.access, clean(body.email)
    if body.mode == "reminder":
        new = NewReminder(body.network, body.text, email, visit.address(f"/c/{campaign.slug}/remind"))
        reminded = reminders.make(campaign, new, access, request=visit.key, now=visit.now)
        return reminded.reminder, reminded.token
    if body.mode != "automatic":
        raise drafts.wrong_mode()
    drafted = drafts.draft(
        campaign, network=body.network, server=body.server, text=body.text, person=access.person, token=access.token, now=visit.now
    )
    return drafted.draft, drafted.token


def clean(email: str | None) -> str | None:
    """Raises `Invalid` (email)."""
    return participants.clean_email(email) if email and email.strip() else None


@route(bp, "GET", "/v1/campaigns/{slug}/pledges/{id}", needs="supporter", gives=Pledge)
def get(visit: Visit, slug: str, id: str) -> Response:  # noqa: A002  # the name in the address
    """A draft, a pledge or a reminder of yours."""
    campaign = seen(visit, slug)
    return visit.json(told(campaign, find(visit, campaign, id)))


@route(bp, "PATCH", "/v1/campaigns/{slug}/pledges/{id}", needs="supporter", takes=NewWords, gives=Pledge, errors=(409,))
def change(visit: Visit, slug: str, id: str) -> Response:  # noqa: A002
    """Other words: for a draft at once, for a post that was lent with a new consent."""
    campaign, body = seen(visit, slug), visit.read(NewWords)
    return visit.json(told(campaign, consents.change(campaign, id, body.text, visit.access, agree=body.agree, now=visit.now)))


@route(
    bp,
    "POST",
    "/v1/campaigns/{slug}/pledges/{id}/consent",
    needs="supporter",
    takes=Consent,
    gives=Pledge,
    status=201,
    errors=(409, 503),
)
def consent(visit: Visit, slug: str, id: str) -> Response:  # noqa: A002
    """Give the permission and agree: lend the post."""
    campaign = seen(visit, slug)
    made = confirm(visit, campaign, id, visit.read(Consent))
    body = told(campaign, made)
    body.already = made.draft != id or msgspec.UNSET
    return visit.json(body, 201)


def confirm(visit: Visit, campaign: Campaign, draft_id: str, body: Consent) -> pledges.Pledge:
    email = clean(body.email)
    contact = Contact(email, visit.address(f"/c/{campaign.slug}/pledges")) if email else None
    return pledges.confirm(campaign, draft_id, body.token, visit.access, contact=contact, now=visit.now)


@route(bp, "DELETE", "/v1/campaigns/{slug}/pledges/{id}", needs="supporter", status=204, errors=(409,))
def withdraw(visit: Visit, slug: str, id: str) -> Response:  # noqa: A002
    """Take a draft, a post or a reminder back."""
    take_back(visit, seen(visit, slug), id)
    return visit.json(None, 204)


@route(bp, "POST", "/v1/campaigns/{slug}/pledges/{id}/done", needs="supporter", takes=Done, gives=Pledge)
def done(visit: Visit, slug: str, id: str) -> Response:  # noqa: A002
    """Say that you have posted what you were reminded of. It is counted as said, not as posted."""
    campaign = seen(visit, slug)
    visit.read(Done)
    return visit.json(told(campaign, reminders.note_done(campaign, id, now=visit.now)))


@route(bp, "GET", "/v1/me/pledges", needs="supporter", gives=Pledges, errors=(401,))
def mine(visit: Visit) -> Response:
    """Your posts and reminders in all campaigns."""
    if not visit.bearer:
        visit.require_person()
    every = [campaign for campaign in campaigns.every() if campaign.launch]
    found = [told(campaign, one) for campaign in every for one in reminders.of_supporter(campaign, visit.access)]
    return visit.json(Pledges(found))


def find(visit: Visit, campaign: Campaign, found: str) -> Found:
    """Raises `NotFound`."""
    if reminders.is_id(found):
        return reminders.find(campaign, found)
    return pledges.find(campaign, found, visit.access, now=visit.now)


def take_back(visit: Visit, campaign: Campaign, pledge: str) -> str | None:
    """By the id of the pledge, or of the draft that became it. What was taken back; None for a mere draft.

    Raises `NotFound`, `Conflict` (sealed)."""
    if reminders.is_id(pledge):
        reminders.withdraw(campaign, pledge, now=visit.now)
        return pledge
    found = pledges.find(campaign, pledge, visit.access, now=visit.now)
    confirmed = found.pledge if isinstance(found, Draft) else found.id
    pledges.withdraw(campaign, confirmed or pledge, visit.access, now=visit.now)
    return confirmed


def told(campaign: Campaign, found: Found) -> Pledge:
    """A draft, a pledge or a reminder as JSON, to its own supporter."""
    if isinstance(found, Draft):
        return _draft_told(campaign, found)
    return _reminder_told(campaign, found) if isinstance(found, Reminder) else _pledge_told(campaign, found)


def _draft_told(campaign: Campaign, found: Draft) -> Pledge:
    said = Pledge(found.id, campaign.slug, "automatic", "draft", found.network, found.text, server=found.server, pledge=found.pledge)
    said.length, said.limit, said.expires = int(found.length), int(found.limit), times.stamp(found.expires)
    return said


def _pledge_told(campaign: Campaign, found: pledges.Pledge) -> Pledge:
    launch, state = launches.of(campaign), "withdrawn" if found.withdrawn else "pledged"
    said = Pledge(found.id, campaign.slug, "automatic", cast("Any", state), found.network, found.text, account=found.account)
    said.server = found.server
    said.planned_at = times.stamp(pledges.planned_at(launch, found), launch.zone)
    said.agreed_to_moment = pledges.stands(launch, found)
    said.consented_at, said.wording = times.stamp(found.consented_at), found.wording
    outcome = reports.outcome(launch, found)
    if outcome:
        said.outcome = msgspec.convert(outcome, PledgeOutcome)
    return said


def _reminder_told(campaign: Campaign, found: Reminder) -> Pledge:
    launch, state = launches.of(campaign), "withdrawn" if found.withdrawn else "pledged"
    said = Pledge(found.id, campaign.slug, "reminder", cast("Any", state), found.network, found.text)
    said.planned_at = times.stamp(launch.at, launch.zone)
    said.share = sharing.link(found.network, found.text, launch.url)
    said.opened_at = times.stamp(int(found.opened) / 1000) if found.opened else None
    said.done_at = times.stamp(int(found.done) / 1000) if found.done else None
    return said
