"""Letters about a launch that was postponed: everybody is told of the new time once, and who has to agree again until when."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from itertools import pairwise

import pytest

from chalicelib import notices, pledges
from tests.aws import Queued, lost_response, take_queued
from tests.launching import Launching
from tests.telling import cut_off, kinds, lend, text_of, ticked
from tests.test_postponing import agree, postpone
from tests.test_reminders import remind, sent_to

DAY, HOURS = -86_400, -7200


def moved_by(launching: Launching, **later: float) -> list[Queued]:
    """What the ticks after a postponement queue."""
    postpone(launching, timedelta(**later))
    take_queued("mail")
    found: list[Queued] = []
    for seconds in range(0, 240, 60):
        launching.tick(launching.now + timedelta(seconds=60 if seconds else 0))
        found += take_queued("mail")
    return [one for one in found if one.message["kind"] in ("postponed", "reminder_postponed")]


def test_who_need_not_agree_again_is_told_the_new_time_only(joined: Launching) -> None:
    queued = moved_by(joined, minutes=50)

    assert sorted(address for address, _ in sent_to(queued)) == ["ann@example.org", "ben@example.org", "dan@example.org"]
    said = [text_of(one) for one in queued]
    assert all("now" in one and "Saturday 9 January 2027, 10:20 (Europe/London)" in one for one in said)
    assert [notices.STAYS in one for one in said].count(True) == 2
    assert not any("agree to the new time" in one for one in said)


def test_who_has_to_agree_again_is_told_until_when_and_where(joined: Launching) -> None:
    queued = moved_by(joined, hours=3)

    lent = [text_of(one) for one in queued if one.message["kind"] == "postponed"]
    assert len(lent) == 2
    for said in lent:
        assert "you agreed to Saturday 9 January 2027, 09:30" in said
        assert "Your post is sent only if you agree to the new time, until Saturday 9 January 2027, 12:10 (Europe/London)" in said
        assert "https://example.org/mine" in said


def test_who_has_agreed_or_joined_since_is_not_told(joined: Launching) -> None:
    postpone(joined, timedelta(hours=3))
    joined.clock.at(joined.now + timedelta(seconds=1))
    lend(joined, "fay", 2)
    remind(joined, email="gus@example.org", request="later")

    queued = ticked(joined, -12_000, -11_940, -11_880)

    told = {address for address, _ in sent_to([one for one in queued if "postponed" in one.message["kind"]])}
    assert told == {"ann@example.org", "ben@example.org", "dan@example.org"}


def test_each_postponement_is_told_once(joined: Launching) -> None:
    first = moved_by(joined, minutes=50)
    assert ticked(joined, -4000, -3900) == []
    second = moved_by(joined, minutes=70)

    assert len(first) == len(second) == 3
    sent = Counter(address for address, subject in sent_to(first + second + first) if subject == "A new time: Change Challenge")
    assert sent == {"ann@example.org": 2, "ben@example.org": 2, "dan@example.org": 2}


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("number", [1, 2])
def test_telling_of_a_new_time_that_dies_goes_on_and_tells_once(joined: Launching, number: int, after: bool) -> None:
    postpone(joined, timedelta(minutes=50))
    take_queued("mail")

    assert cut_off(joined, number, -4000, -3940, -3880, -3820, after=after) == 1
    sent = Counter(address for address, subject in sent_to(take_queued("mail")) if subject == "A new time: Change Challenge")

    assert sent == {"ann@example.org": 1, "ben@example.org": 1, "dan@example.org": 1}


@pytest.mark.parametrize("which", [1, 2])
def test_telling_of_a_new_time_with_a_lost_response_tells_once(joined: Launching, which: int) -> None:
    postpone(joined, timedelta(minutes=50))
    take_queued("mail")
    with lost_response("sqs", "SendMessageBatch", which=which) as calls:
        for seconds in (-4000, -3940, -3880, -3820):
            joined.tick(joined.moment(seconds))
    assert len(calls) > which
    sent = Counter(address for address, subject in sent_to(take_queued("mail")) if subject == "A new time: Change Challenge")

    assert sent == {"ann@example.org": 1, "ben@example.org": 1, "dan@example.org": 1}


def test_new_time_is_told_at_the_pace_that_ses_takes(many: Launching) -> None:
    postpone(many, timedelta(minutes=50))
    found: list[float] = []
    for at in range(-4000, -3400, 60):
        queued = ticked(many, at)
        found += [at + one.delay_s for one in queued if one.message["kind"] == "reminder_postponed"]
    found.sort()

    assert len(found) == 140
    assert all(later - earlier >= 1 for earlier, later in pairwise(found))


def test_organisers_of_a_postponed_launch_are_warned_that_it_is_not_approved(planned: Launching) -> None:
    planned.approve()
    assert ticked(planned, DAY, HOURS) == []
    postpone(planned, timedelta(hours=1))

    assert kinds(ticked(planned, -9000, -8940)) == {"not_approved_yet": 2}


def test_who_did_not_agree_to_the_new_time_is_told_why_nothing_was_posted(joined: Launching) -> None:
    cat = next(one for one in joined.tokens)
    postpone(joined, timedelta(hours=3))
    agree(joined, pledges.find_confirmed(cat))
    joined.tick(joined.moment(-12_000))
    take_queued("mail")
    joined.work(joined.ready())
    queued = ticked(joined, 60)

    assert joined.posts() == ["cat"]
    assert [one.message["data"]["why"] for one in queued if one.message["kind"] == "not_sent"] == [notices.WHY["not_agreed"]] * 2
