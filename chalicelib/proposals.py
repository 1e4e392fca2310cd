"""What an organiser proposes as the launch, and whether it can be one. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from . import networks, settings
from .errors import Invalid

MESSAGE_MAX, URL_MAX, GOAL_MAX = 500, 500, 1_000_000


@dataclass(frozen=True, slots=True)
class NewLaunch:
    """`zone`: an IANA name, in which the moment is told. `goal`: people."""

    message: str
    url: str
    at: datetime
    zone: str
    closes_at: datetime
    goal: int
    networks: Sequence[str]


def check(new: NewLaunch, *, now: datetime) -> None:
    """Raises `Invalid` with every wrong field."""
    wrong = _wrong_words(new) | _wrong_times(new, now)
    if wrong:
        raise Invalid("; ".join(f"{name}: {what}" for name, what in wrong.items()), fields=wrong)


def _wrong_words(new: NewLaunch) -> dict[str, str]:
    wrong: dict[str, str] = {}
    if not 1 <= len(new.message.strip()) <= MESSAGE_MAX:
        wrong["message"] = f"1 to {MESSAGE_MAX} characters"
    link = urlsplit(new.url.strip())
    if link.scheme != "https" or not link.hostname or len(new.url) > URL_MAX or any(c.isspace() for c in new.url.strip()):
        wrong["url"] = "a whole link that begins with https://"
    if not 1 <= new.goal <= GOAL_MAX:
        wrong["goal"] = f"a number of people from 1 to {GOAL_MAX}"
    if not new.networks or any(network not in networks.NAMES for network in new.networks):
        wrong["networks"] = f"one or more of {', '.join(networks.NAMES)}"
    return wrong


def _wrong_times(new: NewLaunch, now: datetime) -> dict[str, str]:
    wrong: dict[str, str] = {}
    try:
        zone = ZoneInfo(new.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return {"zone": "the name of a time zone, such as Europe/London"}
    before = settings.current().freeze_before_s
    if new.at.tzinfo is None or new.closes_at.tzinfo is None:
        return {"at" if new.at.tzinfo is None else "closes_at": "please give the offset too, such as +00:00"}
    if new.at.utcoffset() not in (new.at.astimezone(zone).utcoffset(), timedelta(0)):
        wrong["at"] = f"its offset is not that of {new.zone} at that time"
    if new.at <= now + timedelta(seconds=before):
        wrong["at"] = "the moment is in the past or too near: pledges close some minutes before it"
    if new.closes_at > new.at - timedelta(seconds=before):
        wrong["closes_at"] = f"at least {_span(before)} before the moment"
    elif new.closes_at <= now:
        wrong["closes_at"] = "must be in the future"
    return wrong


def _span(seconds: int) -> str:
    return f"{seconds // 60} minutes" if seconds % 60 == 0 else f"{seconds} seconds"
