"""Comments and one level of replies."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from chalicelib import comments, contributions
from chalicelib.campaigns import Campaign, NewPhase
from chalicelib.comments import Comment
from chalicelib.contributions import Contribution
from chalicelib.errors import Conflict, Forbidden, Invalid, NotFound, TooMany
from tests.aws import hook, lost_response
from tests.conftest import Make, make_campaign, said


@pytest.fixture
def idea(campaign: Campaign, now: datetime) -> Contribution:
    return contributions.add(campaign, "author", said(), request="1", now=now)


def add(campaign: Campaign, idea: Contribution, now: datetime, text: str = "Yes.", who: str = "ann", **more: str) -> Comment:
    return comments.add(campaign, idea.id, who, text=text, request=more.pop("request", text), now=now, **more)


def listed(idea: Contribution) -> list[str]:
    return [comment.text for comment in comments.of(idea.campaign, idea.id).items]


def counted(idea: Contribution) -> int:
    return int(contributions.get(idea.campaign, idea.id).comments)


def test_repeated_request_adds_one_comment(campaign: Campaign, idea: Contribution, now: datetime) -> None:
    for _ in range(2):
        add(campaign, idea, now)
    add(campaign, idea, now + timedelta(seconds=1), "Thank you.", "author")

    found = comments.of(campaign.slug, idea.id).items
    assert [comment.text for comment in found] == ["Yes.", "Thank you."]
    assert [comment.author_id == idea.author_id for comment in found] == [False, True]
    assert counted(idea) == 2


@pytest.mark.parametrize("operation", ["PutItem", "UpdateItem"])
@pytest.mark.parametrize("which", [1, 2])
def test_lost_response_adds_one_comment_and_counts_it_once(
    campaign: Campaign, idea: Contribution, now: datetime, operation: str, which: int
) -> None:
    with lost_response("dynamodb", operation, which=which):
        add(campaign, idea, now)

    assert listed(idea) == ["Yes."]
    assert counted(idea) == 1


def test_reply_follows_what_it_replies_to(campaign: Campaign, idea: Contribution, now: datetime) -> None:
    first = add(campaign, idea, now, "First")
    second = add(campaign, idea, now + timedelta(seconds=1), "Second")
    add(campaign, idea, now + timedelta(seconds=2), "To the second", parent=second.id)
    add(campaign, idea, now + timedelta(seconds=3), "To the first", parent=first.id)

    assert listed(idea) == ["First", "To the first", "Second", "To the second"]


def test_reply_to_a_reply_is_refused(campaign: Campaign, idea: Contribution, now: datetime) -> None:
    first = add(campaign, idea, now, "First")
    reply = add(campaign, idea, now, "Reply", parent=first.id)

    with pytest.raises(Invalid) as refused:
        add(campaign, idea, now, "Too deep", parent=reply.id)

    assert list(refused.value.fields) == ["parent"]


@pytest.mark.parametrize("parent", ["", "x", "0" * 26, "é" * 26, "x" * 3000])
def test_reply_to_nothing_is_refused(campaign: Campaign, idea: Contribution, now: datetime, parent: str) -> None:
    with pytest.raises(Invalid) as refused:
        add(campaign, idea, now, parent=parent)

    assert list(refused.value.fields) == ["parent"]


def test_author_can_take_a_comment_back_and_its_place_stays_where_it_has_replies(
    campaign: Campaign, idea: Contribution, now: datetime
) -> None:
    first, alone = add(campaign, idea, now, "First"), add(campaign, idea, now, "Alone")
    add(campaign, idea, now, "Reply", "ben", parent=first.id)

    for _ in range(2):
        comments.withdraw(campaign.slug, idea.id, first.id, "ann")
    with lost_response("dynamodb", "UpdateItem"):
        comments.withdraw(campaign.slug, idea.id, alone.id, "ann")

    found = comments.of(campaign.slug, idea.id).items
    assert [(comment.state, comment.text.strip()) for comment in found] == [("withdrawn", ""), ("published", "Reply")]
    assert counted(idea) == 1


def test_comment_of_somebody_else_cannot_be_taken_back(campaign: Campaign, idea: Contribution, now: datetime) -> None:
    comment = add(campaign, idea, now)

    with pytest.raises(Forbidden) as refused:
        comments.withdraw(campaign.slug, idea.id, comment.id, "ben")

    assert refused.value.code == "not_author"


def test_count_that_was_overtaken_is_taken_again(campaign: Campaign, idea: Contribution, now: datetime) -> None:
    overtaken: list[bool] = []

    def overtake() -> None:
        if not overtaken and Comment.count(contributions.key(campaign.slug, idea.id)) == 1:
            overtaken.append(True)
            add(campaign, idea, now, "Second", "ben")

    with hook("dynamodb", "UpdateItem", overtake):
        add(campaign, idea, now, "First")

    assert overtaken
    assert counted(idea) == 2


@pytest.mark.parametrize("text", ["", " ", "x" * 2001])
def test_comment_is_refused_naming_the_field(campaign: Campaign, idea: Contribution, now: datetime, text: str) -> None:
    with pytest.raises(Invalid) as refused:
        add(campaign, idea, now, text)

    assert list(refused.value.fields) == ["text"]


def test_comment_is_refused_when_the_phase_has_closed(campaign: Campaign, idea: Contribution, now: datetime) -> None:
    with pytest.raises(Conflict) as refused:
        add(campaign, idea, now + timedelta(days=14))

    assert refused.value.code == "phase_closed"


def test_comment_is_refused_where_the_phase_has_none(person: Make, now: datetime) -> None:
    phase = NewPhase("Vote only", now - timedelta(days=1), now + timedelta(days=2), ["barrier"], comment=False)
    campaign = make_campaign(person("olive@example.org"), now, phases=[phase])
    idea = contributions.add(campaign, "author", said(), request="1", now=now)

    with pytest.raises(Conflict) as refused:
        add(campaign, idea, now)

    assert refused.value.code == "not_in_phase"


def test_comments_of_one_account_are_limited_by_the_campaigns_setting(person: Make, now: datetime) -> None:
    campaign = make_campaign(person("olive@example.org"), now, limits={"comments_per_hour": 1})
    idea = contributions.add(campaign, "author", said(), request="1", now=now)
    add(campaign, idea, now)

    with pytest.raises(TooMany):
        add(campaign, idea, now, "Again.")


def test_what_is_hidden_takes_no_comment(campaign: Campaign, idea: Contribution, now: datetime) -> None:
    idea.update(actions=[Contribution.state.set("hidden")])

    with pytest.raises(NotFound):
        add(campaign, idea, now)


@pytest.mark.parametrize("unknown", ["x", "0" * 26, "é" * 100])
def test_unknown_comment_is_not_found(campaign: Campaign, idea: Contribution, unknown: str) -> None:
    with pytest.raises(NotFound):
        comments.find(campaign.slug, idea.id, unknown)


def test_long_talk_goes_on_by_cursor(campaign: Campaign, idea: Contribution, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comments, "SHOWN", 2)
    tops = [add(campaign, idea, now + timedelta(seconds=number), f"{number}") for number in range(3)]
    add(campaign, idea, now + timedelta(seconds=9), "Reply", parent=tops[0].id)

    first = comments.of(campaign.slug, idea.id)
    rest = comments.of(campaign.slug, idea.id, cursor=first.next)

    assert [comment.text for comment in first.items] == ["0", "Reply"]
    assert [comment.text for comment in rest.items] == ["1", "2"]
    assert rest.next is None
    with pytest.raises(Invalid):
        comments.of(campaign.slug, idea.id, cursor="nonsense")
