"""Times as people read and type them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.errors import Invalid
from chalicelib.web import times

NOW = datetime(2027, 2, 10, 13, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "zone", "words"),
    [
        (0, "Europe/London", "Wednesday 10 February 2027 at 1.30pm (GMT, Europe/London)"),
        (0, "Asia/Kolkata", "Wednesday 10 February 2027 at 7.00pm (IST, Asia/Kolkata)"),
        (-13.5 * 3600, "UTC", "Wednesday 10 February 2027 at 12.00am (UTC)"),
        (-3600, "UTC", "Wednesday 10 February 2027 at 12.30pm (UTC)"),
        (5, "UTC", "Wednesday 10 February 2027 at 1.30:05pm (UTC)"),
        (150 * 86_400, "Europe/London", "Saturday 10 July 2027 at 2.30pm (BST, Europe/London)"),
    ],
)
def test_moment_in_words(seconds: float, zone: str, words: str) -> None:
    assert times.in_words(NOW.timestamp() + seconds, zone) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (20, "in less than a minute"),
        (-20, "just now"),
        (60, "in 1 minute"),
        (3 * 3600 + 120, "in 3 hours and 2 minutes"),
        (2 * 86_400 + 3600 + 59 * 60, "in 2 days and 1 hour"),
        (-5 * 60, "5 minutes ago"),
    ],
)
def test_how_long_it_is(seconds: float, words: str) -> None:
    assert times.ahead(NOW.timestamp() + seconds, NOW) == words


def test_form_shows_the_time_that_was_typed() -> None:
    typed = times.on_the_clock_of("Europe/London")("2027-07-14T13:30")

    assert typed.utcoffset() == timedelta(hours=1)
    assert times.on_the_clock(typed.timestamp(), "Europe/London") == "2027-07-14T13:30"


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "../../etc/passwd", "/etc/localtime", "Europe", "a\x00b"])
def test_what_is_no_zone_is_refused(zone: str) -> None:
    with pytest.raises(Invalid) as refused:
        times.on_the_clock_of(zone)

    assert list(refused.value.fields) == ["zone"]
