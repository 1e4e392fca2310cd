"""Times at the edge: read from JSON (RFC 3339 with offset) and from forms (a wall clock and its zone), written for
programs and for people."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ..errors import Invalid

_YEARS = range(2000, 2101)
_DAY, _HOUR, _MINUTE = 86_400, 3_600, 60

Read = Callable[[str], datetime]


def read_all(texts: Mapping[str, str], read: Read) -> dict[str, datetime]:
    """The times of several fields. Raises `Invalid` naming every wrong one."""
    found, wrong = dict[str, datetime](), dict[str, str]()
    for name, text in texts.items():
        try:
            found[name] = read(text)
        except ValueError as error:
            wrong[name] = str(error)
    if wrong:
        raise Invalid("; ".join(f"{name}: {what}" for name, what in wrong.items()), fields=wrong)
    return found


def rfc3339(text: str) -> datetime:
    """A time with its offset. Raises `ValueError` saying what to do."""
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError("please give a time such as 2027-02-10T13:30:00+00:00") from None
    if found.tzinfo is None:
        raise ValueError("please give the offset too, such as +00:00 at the end")
    return _sane(found)


def on_the_clock_of(zone: str) -> Read:
    """Reads what a clock in the zone shows. Raises `Invalid` (zone)."""
    place = place_of(zone)

    def read(text: str) -> datetime:
        try:
            shown = datetime.fromisoformat(text.strip())
        except ValueError:
            raise ValueError("please give a day and a time, such as 2027-02-10T13:30") from None
        if shown.tzinfo is not None:
            raise ValueError("please give the time without an offset; the zone says it")
        found = _sane(shown.replace(tzinfo=place))
        if found.astimezone(UTC).astimezone(place).replace(tzinfo=None) != shown:
            raise ValueError("no clock there shows this time: that hour is skipped in spring")
        return found

    return read


def place_of(zone: str) -> ZoneInfo:
    """Raises `Invalid` (zone)."""
    try:
        return ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Invalid.field("zone", "please give the name of a time zone, such as Europe/London") from None


def _sane(found: datetime) -> datetime:
    if found.year not in _YEARS:
        raise ValueError(f"the year must be from {_YEARS[0]} to {_YEARS[-1]}")
    return found


def stamp(seconds: float, zone: str = "UTC") -> str:
    """RFC 3339 with the offset of the zone."""
    return datetime.fromtimestamp(float(seconds), ZoneInfo(zone)).isoformat(timespec="seconds")


def on_the_clock(seconds: float, zone: str) -> str:
    """As a form's date-and-time field wants it. Seconds only where there are some."""
    shown = datetime.fromtimestamp(float(seconds), ZoneInfo(zone)).replace(tzinfo=None)
    return shown.isoformat(timespec="seconds" if shown.second else "minutes")


def clock(moment: datetime) -> str:
    """1.30pm, or 1.30:05pm."""
    seconds = f":{moment.second:02d}" if moment.second else ""
    return f"{moment.hour % 12 or 12}.{moment.minute:02d}{seconds}{'am' if moment.hour < 12 else 'pm'}"


def day(moment: datetime) -> str:
    return f"{moment:%A} {moment.day} {moment:%B %Y}"


def in_words(seconds: float, zone: str = "UTC") -> str:
    """Wednesday 10 February 2027 at 1.30pm (GMT, Europe/London)."""
    moment = datetime.fromtimestamp(float(seconds), ZoneInfo(zone))
    named = f"{moment:%Z}, {zone}" if zone != "UTC" else "UTC"
    return f"{day(moment)} at {clock(moment)} ({named})"


def short(seconds: float, zone: str) -> str:
    """10 February at 1.30pm, for a button."""
    moment = datetime.fromtimestamp(float(seconds), ZoneInfo(zone))
    return f"{moment.day} {moment:%B} at {clock(moment)}"


def ahead(seconds: float, now: datetime) -> str:
    """in 2 days and 3 hours; in a moment; 5 minutes ago."""
    left = timedelta(seconds=round(float(seconds) - now.timestamp())).total_seconds()
    if abs(left) < _MINUTE:
        return "in less than a minute" if left > 0 else "just now"
    told = span(abs(left))
    return f"in {told}" if left > 0 else f"{told} ago"


def span(seconds: float) -> str:
    """The two largest units: 2 days and 3 hours; 4 minutes."""
    whole = int(seconds)
    parts = ((whole // _DAY, "day"), (whole % _DAY // _HOUR, "hour"), (whole % _HOUR // _MINUTE, "minute"))
    told = [f"{count} {unit}{'' if count == 1 else 's'}" for count, unit in parts if count]
    return " and ".join(told[:2]) or f"{whole} second{'' if whole == 1 else 's'}"
