"""Being reminded to post oneself: two presses; then the page with the words, and the networks' own forms. The address of a
reminder is known to its maker only, so who has it may use it."""

from __future__ import annotations

from typing import Any

from chalice import Blueprint, Response

from .. import launches, pledges, reminders
from ..campaigns import Campaign
from ..drafts import Draft
from ..errors import GroundswellError, NotFound
from ..reminders import Reminder
from . import sharing
from .campaigns import seen, standing
from .http import SUPPORTER, Visit
from .lending import remember
from .pages import NETWORKS
from .pledges import NewPledge, make
from .routes import route

bp = Blueprint(__name__)


@route(bp, "GET", "/c/{slug}/remind")
def new_page(visit: Visit, slug: str) -> Response:
    campaign = seen(visit, slug)
    launch = launches.of(campaign)
    typed = {"network": visit.query("network") or "", "text": f"{launch.message} {launch.url}"}
    return _new(visit, campaign, typed=typed | _of_draft(visit, campaign))


def _of_draft(visit: Visit, campaign: Campaign) -> dict[str, str]:
    """What the supporter had written before they chose to be reminded instead."""
    asked = visit.query("draft")
    if asked is None:
        return {}
    try:
        found = pledges.find(campaign, asked, visit.access, now=visit.now)
    except NotFound:
        return {}
    return {"network": found.network, "text": found.text} if isinstance(found, Draft) else {}


def _new(visit: Visit, campaign: Campaign, **shown: Any) -> Response:
    launch = launches.of(campaign)
    offered = {name: NETWORKS[name] for name in reminders.NETWORKS}
    context: dict[str, Any] = {"launch": launch, "offered": offered, "is_open": launch.is_open(visit.now)}
    return visit.page("remind_new.html", campaign=campaign, **standing(visit, campaign), **context | shown)


@route(bp, "POST", "/c/{slug}/remind", errors=(409,))
def make_on_page(visit: Visit, slug: str) -> Response:
    campaign = seen(visit, slug)
    try:
        found, token = make(visit, campaign, visit.read(NewPledge))
    except GroundswellError as error:
        return _new(visit, campaign, typed=visit.typed, wrong=error)
    remember(visit, found.id, keep=bool(visit.typed.get("keep")), token=token or visit.cookies.get(SUPPORTER))
    return visit.redirect(f"/c/{slug}/remind/{found.id}")


@route(bp, "GET", "/c/{slug}/remind/{id}")
def page(visit: Visit, slug: str, id: str) -> Response:  # noqa: A002
    campaign = seen(visit, slug)
    return _page(visit, campaign, reminders.find(campaign, id))


def _page(visit: Visit, campaign: Campaign, found: Reminder, **more: Any) -> Response:
    context: dict[str, Any] = {"reminder": found, "launch": (launch := launches.of(campaign)), "typed": {}}
    context["is_off"] = reminders.is_off(launch)
    context["to"] = None
    context["takes_text"] = sharing.takes_text(found.network)
    return visit.page("remind.html", campaign=campaign, **standing(visit, campaign), **context | more)


@route(bp, "GET", "/c/{slug}/remind/{id}/open", status=303)
def open_form(visit: Visit, slug: str, id: str) -> Response:  # noqa: A002
    """Leads to the network's own form, and counts, once, that it was opened: a link, since a form's redirect to another site
    is forbidden here. E-mails lead to the page before it, so that filters do not count. To a Mastodon server, which may be
    anybody's, the page shows the way rather than going it."""
    campaign = seen(visit, slug)
    found = reminders.find(campaign, id)
    to = sharing.link(found.network, found.text, launches.of(campaign).url)
    if to is None:
        return _towards(visit, campaign, found)
    reminders.note_opened(campaign, id, now=visit.now)
    leaving = visit.redirect("/")
    leaving.headers["Location"] = to
    return leaving


def _towards(visit: Visit, campaign: Campaign, found: Reminder) -> Response:
    typed = {"server": visit.query("server") or ""}
    try:
        to = sharing.on_mastodon(typed["server"], found.text)
    except GroundswellError as error:
        return _page(visit, campaign, found, typed=typed, wrong=error)
    reminders.note_opened(campaign, found.id, now=visit.now)
    return _page(visit, campaign, found, typed=typed, to=to)


@route(bp, "POST", "/c/{slug}/remind/{id}/done")
def done_on_page(visit: Visit, slug: str, id: str) -> Response:  # noqa: A002
    visit.check_csrf()
    reminders.note_done(seen(visit, slug), id, now=visit.now)
    return visit.redirect(f"/c/{slug}/remind/{id}")


@route(bp, "POST", "/c/{slug}/remind/{id}/withdraw", errors=(409,))
def withdraw_on_page(visit: Visit, slug: str, id: str) -> Response:  # noqa: A002
    visit.check_csrf()
    reminders.withdraw(seen(visit, slug), id, now=visit.now)
    return visit.redirect(f"/c/{slug}/remind/{id}")


@route(bp, "GET", "/c/{slug}/pledges/{id}/event.ics", media="text/calendar")
def event(visit: Visit, slug: str, id: str) -> Response:  # noqa: A002
    """The moment, for a calendar."""
    campaign = seen(visit, slug)
    found, launch = reminders.find(campaign, id), launches.of(campaign)
    page = visit.address(f"/c/{slug}/remind/{found.id}")
    whole = reminders.event(found, launch, campaign.title, page, now=visit.now)
    headers = {
        "Content-Type": "text/calendar; charset=utf-8",
        "Content-Disposition": 'attachment; filename="reminder.ics"',
        "Cache-Control": "private, no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(whole.decode(), headers=headers)
