"""What moderators decide: on the record first, then done, once; and whose votes count."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from chalicelib import comments, contributions, enrolments, flags, moderation, pseudonyms, revisions, tallies, votes
from chalicelib.campaigns import Campaign, NewPhase
from chalicelib.contributions import Contribution
from chalicelib.errors import Conflict, Forbidden, Invalid, NotFound
from chalicelib.moderation import Decision
from tests.aws import hook, lost_response
from tests.conftest import Make, make_campaign, said


@pytest.fixture
def ann(campaign: Campaign, person: Make, now: datetime) -> str:
    """The pseudonym of who had the idea."""
    return enrolments.join(campaign.slug, person("ann@example.org"), "patient", now=now).pseudonym


@pytest.fixture
def idea(campaign: Campaign, ann: str, now: datetime) -> Contribution:
    return contributions.add(campaign, ann, said(), request="1", now=now)


def decide(campaign: Campaign, target: str, action: str, now: datetime, request: str = "1", **more: Any) -> Decision:
    values = {"reason": "abusive" if action in ("hide", "suspend") else "", "moderator": "moderator"} | more
    return moderation.decide(campaign, target, action, request=request, now=now, **values)


def state(campaign: Campaign, idea: Contribution) -> str:
    return str(contributions.find(campaign.slug, idea.id, consistent=True).state)


def actions(campaign: Campaign) -> list[str]:
    return [decision.action for decision in moderation.record(campaign.slug).items]


def test_moderator_can_hide_and_restore(campaign: Campaign, idea: Contribution, now: datetime) -> None:
    decide(campaign, idea.id, "hide", now, note="Names a ward.")
    hidden = contributions.find(campaign.slug, idea.id, consistent=True)
    assert (hidden.state, hidden.reason, hidden.note) == ("hidden", "abusive", "Names a ward.")

    decide(campaign, idea.id, "restore", now + timedelta(seconds=1), "2")
    restored = contributions.find(campaign.slug, idea.id, consistent=True)
    assert (restored.state, restored.reason, restored.note) == ("published", None, None)
    assert actions(campaign) == ["restore", "hide"]


def test_moderator_can_hide_a_comment_and_its_count_follows(campaign: Campaign, idea: Contribution, now: datetime) -> None:
    comment = comments.add(campaign, idea.id, "ben", text="Rude.", request="1", now=now)

    decide(campaign, f"{idea.id}/{comment.id}", "hide", now)
    assert comments.find(campaign.slug, idea.id, comment.id).state == "hidden"
    assert contributions.get(campaign.slug, idea.id).comments == 0

    decide(campaign, f"{idea.id}/{comment.id}", "restore", now + timedelta(seconds=1), "2")
    assert contributions.get(campaign.slug, idea.id).comments == 1


def test_decision_is_on_the_record_before_it_is_done(campaign: Campaign, idea: Contribution, now: datetime) -> None:
    """A fault between the two leaves a record without the act, never an act without the record."""
    seen: list[list[str]] = []
    with hook("dynamodb", "UpdateItem", lambda: seen.append(actions(campaign))):
        decide(campaign, idea.id, "hide", now)

    assert seen == [["hide"]]


@pytest.mark.parametrize(("operation", "which"), [("PutItem", 1), ("PutItem", 2), ("UpdateItem", 1)])
def test_lost_response_decides_once(campaign: Campaign, idea: Contribution, now: datetime, operation: str, which: int) -> None:
    with lost_response("dynamodb", operation, which=which) as calls:
        decide(campaign, idea.id, "hide", now)

    assert len(calls) > which
    assert (actions(campaign), state(campaign, idea)) == (["hide"], "hidden")


def test_repeated_request_decides_once(campaign: Campaign, idea: Contribution, now: datetime) -> None:
    first, again = decide(campaign, idea.id, "hide", now), decide(campaign, idea.id, "hide", now + timedelta(seconds=5))

    assert first.id == again.id
    assert actions(campaign) == ["hide"]


def test_late_repetition_does_not_undo_a_newer_decision(campaign: Campaign, idea: Contribution, now: datetime) -> None:
    decide(campaign, idea.id, "hide", now)
    decide(campaign, idea.id, "restore", now + timedelta(seconds=1), "2")

    decide(campaign, idea.id, "hide", now + timedelta(seconds=2))

    assert (actions(campaign), state(campaign, idea)) == (["restore", "hide"], "published")


def test_decision_that_was_cut_off_is_done_when_it_is_sent_again(campaign: Campaign, idea: Contribution, now: datetime) -> None:
    def die() -> None:
        raise RuntimeError("cut off")

    with hook("dynamodb", "UpdateItem", die), pytest.raises(RuntimeError):
        decide(campaign, idea.id, "hide", now)
    assert (actions(campaign), state(campaign, idea)) == (["hide"], "published")

    decide(campaign, idea.id, "hide", now + timedelta(seconds=9))
    assert (actions(campaign), state(campaign, idea)) == (["hide"], "hidden")


@pytest.mark.parametrize("action", ["hide", "keep"])
def test_decision_takes_the_target_out_of_the_queue(campaign: Campaign, idea: Contribution, now: datetime, action: str) -> None:
    for who in (None, "ben"):
        moderation.report(campaign, idea.id, reason="other", note="", pseudonym=who, request="1", now=now)
    assert [queued.waiting.reasons for queued in moderation.queue(campaign.slug)] == [{"other": 2}]

    decide(campaign, idea.id, action, now + timedelta(seconds=1))
    assert moderation.queue(campaign.slug) == []


def test_only_what_everybody_can_read_can_be_reported(campaign: Campaign, idea: Contribution, now: datetime) -> None:
    comment = comments.add(campaign, idea.id, "ben", text="Rude.", request="1", now=now)
    decide(campaign, f"{idea.id}/{comment.id}", "hide", now)

    for target in (f"{idea.id}/{comment.id}", f"{idea.id}/", f"{idea.id}/{'0' * 26}", f"1-{'0' * 26}", "", "/", "x" * 3000):
        with pytest.raises(NotFound):
            moderation.report(campaign, target, reason="other", note="", pseudonym=None, request="1", now=now)
    assert moderation.queue(campaign.slug) == []


def test_queue_shows_the_words_and_survives_what_is_not_there(campaign: Campaign, idea: Contribution, now: datetime) -> None:
    flags.await_review(campaign.slug, f"1-{'0' * 26}", now=now - timedelta(hours=1))
    moderation.report(campaign, idea.id, reason="other", note="", pseudonym=None, request="1", now=now)

    found = [queued.item for queued in moderation.queue(campaign.slug)]
    assert found[0] is None
    assert isinstance(found[1], Contribution)
    assert found[1].title == idea.title


@pytest.fixture
def waiting(person: Make, now: datetime) -> tuple[Campaign, Contribution]:
    """An idea that a pre-moderated phase holds back."""
    phase = NewPhase("First days", now - timedelta(days=1), now + timedelta(days=2), ["barrier"], premoderated=True)
    campaign = make_campaign(person("olive@example.org"), now, phases=[phase])
    return campaign, contributions.add(campaign, "author", said(), request="1", now=now)


def test_moderator_can_publish_what_waits_and_its_edits_wait_again(waiting: tuple[Campaign, Contribution], now: datetime) -> None:
    campaign, idea = waiting
    decide(campaign, idea.id, "publish", now)
    assert (state(campaign, idea), moderation.queue(campaign.slug)) == ("published", [])

    revisions.edit(campaign, idea.id, "author", said(text="Other."), now=now + timedelta(minutes=1))
    assert state(campaign, idea) == "pending"
    assert [queued.waiting.target for queued in moderation.queue(campaign.slug)] == [idea.id]


def test_words_that_no_moderator_has_read_are_not_published(waiting: tuple[Campaign, Contribution], now: datetime) -> None:
    campaign, idea = waiting
    read = int(idea.revision)
    revisions.edit(campaign, idea.id, "author", said(text="Other."), now=now)

    with pytest.raises(Conflict) as refused:
        decide(campaign, idea.id, "publish", now, revision=read)

    assert (refused.value.code, state(campaign, idea), actions(campaign)) == ("changed", "pending", [])


def test_words_that_change_while_they_are_published_wait(waiting: tuple[Campaign, Contribution], now: datetime) -> None:
    campaign, idea = waiting
    changed: list[bool] = []

    def change() -> None:
        if not changed:
            changed.append(True)
            revisions.edit(campaign, idea.id, "author", said(text="Other."), now=now)

    with hook("dynamodb", "UpdateItem", change), pytest.raises(Conflict):
        decide(campaign, idea.id, "publish", now, revision=1)

    assert state(campaign, idea) == "pending"
    assert len(moderation.queue(campaign.slug)) == 1


@pytest.mark.parametrize(
    ("action", "more", "field"),
    [
        ("delete", {}, "action"),
        ("hide", {"reason": ""}, "reason"),
        ("suspend", {"reason": "rude"}, "reason"),
        ("keep", {"reason": "rude"}, "reason"),
        ("keep", {"note": "x" * 501}, "note"),
    ],
)
def test_decision_is_refused_naming_the_field(
    campaign: Campaign, idea: Contribution, now: datetime, action: str, more: dict[str, str], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        decide(campaign, idea.id, action, now, **more)

    assert (list(refused.value.fields), actions(campaign)) == ([field], [])


def test_what_its_author_took_back_stays_so(campaign: Campaign, idea: Contribution, ann: str, now: datetime) -> None:
    revisions.withdraw(campaign, idea.id, ann)

    for action in ("hide", "restore", "publish"):
        with pytest.raises(Conflict) as refused:
            decide(campaign, idea.id, action, now)
        assert refused.value.code == "withdrawn"
    assert actions(campaign) == []


def test_what_does_not_wait_is_not_published(campaign: Campaign, idea: Contribution, now: datetime) -> None:
    decide(campaign, idea.id, "hide", now)

    with pytest.raises(Conflict) as refused:
        decide(campaign, idea.id, "publish", now, "2")

    assert refused.value.code == "not_pending"


def test_votes_of_a_suspended_person_do_not_count_and_count_again_when_reinstated(
    campaign: Campaign, idea: Contribution, ann: str, person: Make, now: datetime
) -> None:
    other = contributions.add(campaign, "another", said(), request="1", now=now)
    for voter in (ann, "ben"):
        votes.cast(campaign, other.id, voter, 1, now=now)

    for _ in range(2):
        decide(campaign, idea.id, "suspend", now)
    assert tallies.recount(contributions.key(campaign.slug, other.id)) == tallies.Counts(1, 0)
    with pytest.raises(Forbidden) as refused:
        enrolments.require(campaign.slug, person("ann@example.org"))
    assert refused.value.code == "suspended"

    decide(campaign, idea.id, "reinstate", now + timedelta(seconds=1), "2")
    assert tallies.recount(contributions.key(campaign.slug, other.id)) == tallies.Counts(2, 0)
    assert enrolments.require(campaign.slug, person("ann@example.org")).role == "patient"
    assert actions(campaign) == ["reinstate", "suspend"]


def test_suspending_has_every_tally_recounted_that_the_votes_are_in(
    campaign: Campaign, idea: Contribution, ann: str, now: datetime
) -> None:
    votes.cast(campaign, idea.id, ann, 1, now=now)
    decide(campaign, idea.id, "suspend", now)

    touched = votes.Vote.find(contributions.key(campaign.slug, idea.id), ann)
    assert touched is not None
    assert touched.touched == 1


def test_nobody_decides_on_their_own_access(campaign: Campaign, idea: Contribution, ann: str, now: datetime) -> None:
    for action in ("suspend", "reinstate"):
        with pytest.raises(Conflict) as refused:
            decide(campaign, idea.id, action, now, moderator=ann)
        assert refused.value.code == "oneself"


def test_moderator_cannot_suspend_an_organiser(campaign: Campaign, person: Make, now: datetime) -> None:
    olive = pseudonyms.of(campaign.slug, person("olive@example.org"))
    idea = contributions.add(campaign, olive, said(), request="1", now=now)

    with pytest.raises(Conflict) as refused:
        decide(campaign, idea.id, "suspend", now)

    assert refused.value.code == "has_duty"
    assert enrolments.require_duty(campaign.slug, person("olive@example.org"), "organiser")


def test_record_goes_on_by_cursor_and_names_moderators_by_an_id_of_its_own(
    campaign: Campaign, idea: Contribution, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moderation, "LISTED", 2)
    for number in range(3):
        decide(campaign, idea.id, "keep", now + timedelta(seconds=number), str(number), note=str(number))

    first = moderation.record(campaign.slug)
    rest = moderation.record(campaign.slug, cursor=first.next)
    assert [decision.note for decision in [*first.items, *rest.items]] == ["2", "1", "0"]
    assert rest.next is None
    assert len({decision.moderator_id for decision in first.items}) == 1
    assert first.items[0].moderator_id != first.items[0].moderator
    with pytest.raises(Invalid):
        moderation.record(campaign.slug, cursor="nonsense")
