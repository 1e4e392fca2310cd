"""What the e-mails about a launch say, and to whom: supporters who left an address, people who are reminded, organisers, whose
addresses are those of the team's list. No address is opened here, and no supporter is looked up by who they are. When they
are sent: `letters`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pynamodb.attributes import UnicodeAttribute

from . import campaigns, chunks, launches, pledges, reminders, reports, settings, slots, store, team
from .launches import Launch
from .mail import Letter
from .pledges import Pledge
from .reminders import Reminder

Mark = Literal["day", "hours"]
DELETED = "Our copy of your permission has been deleted."
TO_BE_DELETED = "Our copy of your permission is deleted when the launch is over, or as soon as you cancel your post."
STAYS = "You need not do anything: your post goes out at the new time. If that does not suit you, you can cancel it."
AGREE = (
    "Your post is sent only if you agree to the new time, until {until}: open your post, and press the "
    "button that says so. If you do nothing, nothing is posted for you, and our copy of your permission is deleted."
)
LEAD_MAX_S = 300
WHY = {
    "goal_missed": "Fewer people joined in than were needed, so nothing was posted for anybody.",
    "not_approved": "The organisers did not approve it in time, so nothing was posted for anybody.",
    "stopped": "The organisers stopped it.",
    "network_stopped": "The organisers stopped all that was to be sent on your network.",
    "halted": "Your network stopped all posts that we send, so yours was not sent.",
    "not_agreed": "The moment was moved, and you had not agreed to the new one.",
    "missed": "Something went wrong on our side.",
    "refused": "Your network did not take it.",
    "reconnect": "Your permission no longer worked.",
    "unknown": "Your network did not tell us what became of it: please look at your account before you post it again.",
}
_NOT_POSTED = {
    "refused": "Not taken by their network",
    "reconnect": "Not posted, since the permission no longer worked",
    "halted": "Not sent, since the network stopped us",
    "stopped": "Not sent, since they were stopped",
    "not_agreed": "Not sent, since their supporters did not agree to the new time",
    "unknown": "Perhaps posted: their network did not tell",
    "missed": "Not sent in time",
}


class Page(store.Record):
    """Where the launch's page is, as organisers reached it: functions that no browser asks do not know the site's address."""

    class Meta:
        table_name = settings.table("launches")

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True, default="page")
    address = UnicodeAttribute()


def note_page(launch: Launch, address: str) -> None:
    """For the organisers' letters. Safe to repeat; the last one stands."""
    Page(pk=launch.id, sk="page", address=address).save()


def page_of(launch: Launch) -> str | None:
    found = Page.find(launch.id, "page")
    return str(found.address) if found else None


def in_words(seconds: float, zone: str) -> str:
    """A time, as e-mails tell it."""
    at = datetime.fromtimestamp(float(seconds), ZoneInfo(zone))
    return f"{at:%A} {at.day} {at:%B %Y}, {at:%H:%M} ({zone})"


def title(launch: Launch) -> str:
    return str(campaigns.get(launch.campaign).title)


def _told(launch: Launch, **more: str) -> dict[str, str]:
    return {"campaign": title(launch), "at": in_words(launch.at, launch.zone)} | more


def _to_organisers(launch: Launch, kind: str, data: Mapping[str, str], once: str) -> Iterator[Letter]:
    for one in team.addressees(launch.campaign, "organiser"):
        yield Letter(one.address, one.context, kind, data, f"{launch.id}#{once}#{one.id}")


def unapproved(launch: Launch, mark: Mark) -> Iterator[Letter]:
    """To organisers, a day and two hours before the moment of a launch that is not approved."""
    missing = launches.APPROVERS - len(launch.approvals)
    data = _told(launch, missing="one approval is missing" if missing == 1 else f"{missing} approvals are missing")
    data |= {"until": in_words(approvable_until(launch), launch.zone), "link": page_of(launch) or "the campaign’s page, under “The moment”"}
    return _to_organisers(launch, "not_approved_yet", data, f"unapproved#{mark}#{int(launch.at)}")


def approvable_until(launch: Launch) -> float:
    """Epoch seconds. Before the freeze as if very many joined in, so that nobody who keeps to it is too late."""
    is_known = launch.plan is not None or settings.current().lead_s is not None
    lead = launch.lead_s() if is_known else LEAD_MAX_S
    return float(launch.at) - lead - launches.APPROVE_BEFORE_LEAD_S


def ended(launch: Launch) -> Iterator[Letter]:
    """To organisers, once the launch has ended: what became of it, and where the report is."""
    report, address = reports.get(launch.id), page_of(launch)
    link = f"{address}/report" if address else "the campaign’s page, under “The moment”"
    data = _told(launch, counts=_counts(report, _late(launch, report)), link=link)
    if launch.state not in launches.NOT_OUT or report["posted"] or report["unknown"]:
        return _to_organisers(launch, "closing", data, "ended")
    return _to_organisers(launch, "did_not_go_out", data | {"why": WHY[launch.state]}, "ended")


def _late(launch: Launch, report: Mapping[str, Any]) -> int:
    """Posts whose outcome a second worker wrote, after the planned time."""
    places = [(lane["lane"], number) for lane in report["lanes"] if lane["late_chunks"] for number in range(lane["chunks"])]
    found = (chunks.outcomes(slots.chunk_key(launch.id, lane, number), int(launch.epoch)) for lane, number in places)
    return sum(item["outcome"] == "posted" for one in found if one and one.meta.get("late") for item in one.items.values())


def _counts(report: Mapping[str, Any], late: int) -> str:
    """The report's, one a line."""
    lines = [f"People who took part: {report['people']} (the goal: {report['goal']})", f"Posts lent: {report['pledged']}"]
    lines.append(f"Posted: {report['posted']}" + (f", {late} of them late, or known late, through a second worker" if late else ""))
    lines += [f"{words}: {report[name]}" for name, words in _NOT_POSTED.items() if report[name]]
    made = report["reminders"]["made"]
    return "\n".join([*lines, f"Reminded to post themselves: {made}"] if made else lines)


def _asked(launch: Launch, lane: str, chunk: int) -> list[Pledge]:
    """Pledges of one chunk with an address."""
    return [pledge for pledge in pledges.of_chunk(slots.chunk_key(launch.id, lane, chunk)) if pledge.email]


def _planned(launch: Launch, pledge: Pledge) -> str:
    return in_words(pledges.planned_at(launch, pledge), launch.zone)


def _to_supporter(pledge: Pledge, kind: str, data: Mapping[str, str], once: str) -> Letter:
    return Letter(bytes(pledge.email), pledge.id, kind, {**data, "link": str(pledge.link)}, f"{pledge.id}#{once}")


def not_sent(launch: Launch, lane: str, chunk: int) -> Iterator[Letter]:
    """To supporters of one chunk of a launch that has ended, whose post was not sent, or nobody knows."""
    asked = _asked(launch, lane, chunk)
    if not asked:
        return
    items, told = reports.items_of(launch, lane, chunk), _told(launch, permission=DELETED)
    for pledge in asked:
        why = _why(launch, str(items[str(pledge.sk)]["outcome"]) if str(pledge.sk) in items else "missed")
        if why in WHY:
            yield _to_supporter(pledge, "not_sent", told | {"at": _planned(launch, pledge), "why": WHY[why]}, "not-sent")


def _why(launch: Launch, outcome: str) -> str:
    if launch.state in launches.NOT_OUT:
        return launch.state if outcome == "missed" else outcome
    return "network_stopped" if outcome == "stopped" else outcome


def network_stopped(launch: Launch, lane: str, chunk: int) -> Iterator[Letter]:
    """To supporters of one chunk, at once when organisers stop its network in time."""
    asked = _asked(launch, lane, chunk)
    told = _told(launch, permission=TO_BE_DELETED, why=WHY["network_stopped"]) if asked else {}
    for pledge in asked:
        yield _to_supporter(pledge, "not_sent", told | {"at": _planned(launch, pledge)}, "not-sent")


def postponed(launch: Launch, lane: str, chunk: int) -> Iterator[Letter]:
    """To supporters of one chunk who have agreed to nothing since the launch was postponed."""
    since, asked = float(launch.postponed[-1]["when"]), _asked(launch, lane, chunk)
    told = _told(launch) if asked else {}
    for pledge in asked:
        if float(pledge.consented) < since:
            agree = AGREE.format(until=in_words(launch.closes_at, launch.zone))
            data = {"at": _planned(launch, pledge), "what": STAYS if pledges.stands(launch, pledge) else agree}
            data["before"] = in_words(pledge.agreed_at, launch.zone)
            yield _to_supporter(pledge, "postponed", told | data, f"postponed#{len(launch.postponed)}")


def reminder_postponed(launch: Launch, partition: str) -> Iterator[Letter]:
    """To people of one partition who asked to be reminded of an earlier moment."""
    last = launch.postponed[-1]
    told = _told(launch, before=in_words(last["at"], launch.zone))
    for one in reminders.of_partition(partition):
        if one.email and float(one.made) < float(last["when"]):
            data = told | {"link": str(one.link)}
            yield Letter(bytes(one.email), one.id, "reminder_postponed", data, f"{one.id}#postponed#{len(launch.postponed)}")


def nothing_to_post(launch: Launch, partition: str) -> Iterator[Letter]:
    """To people of one partition who would have been reminded of a launch that ended before its moment."""
    told = _told(launch, why=WHY[launch.state])
    for one in reminders.of_partition(partition):
        if one.email:
            yield Letter(bytes(one.email), one.id, "nothing_to_post", told | {"link": str(one.link)}, f"{one.id}#nothing")


def reminder(launch: Launch, one: Reminder, kind: str, campaign: str) -> Letter:
    """`kind`: day or moment; `campaign`: its title."""
    data = {"campaign": campaign, "at": in_words(launch.at, launch.zone), "link": str(one.link)}
    return Letter(bytes(one.email), one.id, f"remind_{kind}", data, f"{one.id}#{kind}#{int(launch.at)}")
