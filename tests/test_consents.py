"""Other words for a lent post only with a new consent, until the freeze; every consent on record. And who asked for it is
told when the post could not be sent."""

from __future__ import annotations

import hashlib

import pytest

from chalicelib import chunks, consents, fan_out, launches, notices, pledges
from chalicelib.drafts import Access
from chalicelib.errors import Conflict, Invalid, NotFound
from chalicelib.pledges import Pledge
from infra.stand_ins.faults import Fault
from tests.aws import hook, lost_response, take_queued
from tests.launching import Launching
from tests.telling import lend
from tests.test_reminders import sent_to


def change(launching: Launching, pledge: Pledge, text: str = "My own words.", *, agree: bool = True) -> Pledge:
    access = Access(None, launching.tokens[pledge.id])
    changed = consents.change(launching.campaign, pledge.id, text, access, agree=agree, now=launching.now)
    assert isinstance(changed, Pledge)
    return changed


@pytest.mark.parametrize("network", ["mastodon", "bluesky"])
def test_new_words_are_sent_and_both_consents_are_kept(launching: Launching, network: str) -> None:
    launching.propose(networks=[network])
    pledge = launching.pledge("ann", network=network)
    before = pledges.find_confirmed(pledge.id)

    changed = change(launching, pledge)
    launching.work(launching.ready())

    assert [arrival.text for arrival in launching.towns.posts] == ["My own words."]
    assert changed.key != before.key
    assert changed.text_sha256 == hashlib.sha256(b"My own words.").hexdigest()
    (earlier,) = pledges.find_confirmed(pledge.id).earlier
    assert earlier == pledges.consent_of(before)
    assert set(earlier) == {"text_sha256", "account", "agreed_at", "wording", "consented"}


def test_words_do_not_change_without_a_new_yes(launching: Launching) -> None:
    launching.propose()
    pledge = launching.pledge("ann")
    with pytest.raises(Invalid) as refused:
        change(launching, pledge, agree=False)

    assert list(refused.value.fields) == ["agree"]
    assert pledges.find_confirmed(pledge.id).text == "I lend my voice."


def test_changing_twice_to_the_same_words_is_one_consent(launching: Launching) -> None:
    launching.propose()
    pledge = launching.pledge("ann")
    with lost_response("dynamodb", "TransactWriteItems") as calls:
        change(launching, pledge)
    change(launching, pledge)

    assert len(calls) == 2
    assert len(pledges.find_confirmed(pledge.id).earlier) == 1


def test_words_that_are_too_long_are_refused(launching: Launching) -> None:
    launching.propose(networks=["bluesky"])
    with pytest.raises(Invalid) as refused:
        change(launching, launching.pledge("ann", network="bluesky"), "x" * 301)

    assert list(refused.value.fields) == ["text"]


def test_words_do_not_change_after_the_freeze(launching: Launching) -> None:
    launching.propose()
    pledge = launching.pledge("ann")
    launching.ready()
    with pytest.raises(Conflict) as refused:
        change(launching, pledge)

    assert refused.value.code == "closed"


def test_freeze_while_the_words_change_keeps_the_old_ones(launching: Launching) -> None:
    launching.propose()
    pledge = launching.pledge("ann")
    frozen: list[bool] = []

    def freeze() -> None:
        if not frozen:
            frozen.append(True)
            fan_out.freeze(launching.launch, now=launching.now)

    with hook("dynamodb", "TransactWriteItems", freeze), pytest.raises(Conflict) as refused:
        change(launching, pledge)

    assert refused.value.code == "changed"
    assert pledges.find_confirmed(pledge.id).text == "I lend my voice."


def test_words_of_a_sealed_chunk_do_not_change(launching: Launching) -> None:
    launching.propose()
    pledge = launching.pledge("ann")
    state = chunks.lease(str(pledge.pk), 0, now=launching.now.timestamp())
    assert state
    assert chunks.seal(state, now=launching.now.timestamp())
    with pytest.raises(Conflict):
        change(launching, pledge)


def test_words_of_a_pledge_that_was_taken_back_do_not_change(launching: Launching) -> None:
    launching.propose()
    pledge = launching.pledge("ann")
    launching.withdraw(pledge)
    with pytest.raises(NotFound):
        change(launching, pledge)


def told(launching: Launching) -> list[str]:
    return [address for address, subject in sent_to(take_queued("mail")) if subject == "Your post for Change Challenge was not sent"]


def test_who_asked_for_it_is_told_that_their_post_was_refused(launching: Launching) -> None:
    launching.propose()
    lend(launching, "ann")
    lend(launching, "ben", 1)
    launching.pledge("cat", 1)
    queued = launching.ready()
    launching.towns.world.faults.add("town-02.test", Fault("fail", status=403))
    launching.work(queued)
    launching.tick(launching.moment(60))

    assert told(launching) == ["ben@example.org"]


@pytest.mark.parametrize("why", ["goal_missed", "not_approved", "stopped", "missed"])
def test_who_asked_for_it_is_told_that_nothing_was_posted(launching: Launching, why: str) -> None:
    launching.propose(goal=2 if why == "goal_missed" else 1)
    pledge = lend(launching, "ann")
    assert b"ann@" not in bytes(pledge.email)
    if why in ("stopped", "missed"):
        launching.ready()
    if why == "stopped":
        launches.stop(launching.campaign, "olive", now=launching.now)
    launching.tick(launching.moment(-599))
    launching.tick(launching.moment(-100))
    launching.tick(launching.moment(700))

    queued = take_queued("mail")
    (letter,) = [one for one in queued if one.message["kind"] == "not_sent"]
    assert letter.message["data"]["why"] == notices.WHY[why]
    assert "permission has been deleted" in letter.message["data"]["permission"]
    assert sorted(address for address, _ in sent_to(queued)) == ["ann@example.org", "olive@example.org"]


def test_address_is_forgotten_with_the_pledge(launching: Launching) -> None:
    launching.propose()
    pledge = lend(launching, "ann")
    for _ in range(2):
        pledges._take_back(launching.launch, pledge, launching.now)

    assert pledges.find_confirmed(pledge.id).email is None
