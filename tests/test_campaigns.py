"""Making, changing and opening a campaign; what its clock allows; who may join it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from chalicelib import campaigns, enrolments, pseudonyms, team, texts
from chalicelib.campaigns import Campaign, NewPhase
from chalicelib.errors import Conflict, Forbidden, Invalid, NotFound
from tests.aws import hook, lost_response
from tests.conftest import Make, make_campaign, new_details

HOUR = timedelta(hours=1)


def created(person: Make, now: datetime, **changes: object) -> Campaign:
    """Not open yet, by olive@example.org."""
    return campaigns.create("change-challenge", new_details(now, **changes), organiser=person("olive@example.org"), now=now)


def code_of(refused: pytest.ExceptionInfo[Conflict]) -> str:
    return refused.value.code


def test_who_makes_a_campaign_is_its_first_organiser(campaign: Campaign, person: Make) -> None:
    found = enrolments.find(campaign.slug, person("olive@example.org"))

    assert found is not None
    assert found.duties == ["organiser"]
    assert [(member.email, member.duties) for member in team.members(campaign.slug)] == [("olive@example.org", ["organiser"])]


def test_making_the_same_campaign_again_changes_nothing(person: Make, now: datetime) -> None:
    first = created(person, now)

    assert created(person, now).created == first.created
    assert len(team.members(first.slug)) == 1


@pytest.mark.parametrize("which", [1, 2])
def test_making_survives_a_lost_response(person: Make, now: datetime, which: int) -> None:
    with lost_response("dynamodb", "TransactWriteItems", which=which):
        made = created(person, now)

    assert campaigns.get(made.slug, consistent=True).title == "Change Challenge"
    assert len(team.members(made.slug)) == 1


def test_making_goes_on_where_it_was_cut_off(person: Make, now: datetime) -> None:
    """The campaign was written, and then the process died before its organiser was."""
    made = created(person, now)
    for item in team.MemberItem.query(made.slug):
        item.delete()
    enrolments.Enrolment(pk=made.slug, sk=pseudonyms.of(made.slug, person("olive@example.org"))).delete()
    created(person, now)

    enrolments.require_duty(made.slug, person("olive@example.org"))
    assert len(team.members(made.slug)) == 1


def test_founder_who_was_removed_does_not_come_back_by_making_it_again(person: Make, now: datetime) -> None:
    made, olive = created(person, now), person("olive@example.org")
    (member,) = team.members(made.slug)
    team.appoint(made.slug, person("ben@example.org"), now=now)
    team.remove(made.slug, member.id, now=now)
    created(person, now)

    with pytest.raises(Forbidden):
        enrolments.require_duty(made.slug, olive)


def test_address_of_another_campaign_is_taken(campaign: Campaign, person: Make, now: datetime) -> None:
    with pytest.raises(Conflict) as refused:
        make_campaign(person("ann@example.org"), now)

    assert code_of(refused) == "taken"


def test_own_other_campaign_at_the_same_address_is_not_lost_silently(person: Make, now: datetime) -> None:
    created(person, now)

    with pytest.raises(Conflict) as refused:
        created(person, now, title="Another")
    assert code_of(refused) == "taken"


@pytest.mark.parametrize("slug", ["No", "a", "x" * 61, "-calm", "calm-", "calm ward", ""])
def test_address_that_is_none_is_refused(person: Make, now: datetime, slug: str) -> None:
    with pytest.raises(Invalid) as refused:
        campaigns.create(slug, new_details(now), organiser=person("olive@example.org"), now=now)

    assert set(refused.value.fields) == {"slug"}


@pytest.mark.parametrize("slug", ["nowhere", "", "../etc", "A B", "x" * 70])
def test_unknown_campaign_is_not_found(aws: None, slug: str) -> None:
    with pytest.raises(NotFound):
        campaigns.get(slug)


LACKING = {"controllers": [], "contact": " ", "minimum_age": None, "rules": ""}


@pytest.mark.parametrize("name", LACKING)
def test_campaign_cannot_open_without(person: Make, now: datetime, name: str) -> None:
    made = created(person, now, **{name: LACKING[name]})

    with pytest.raises(Conflict) as refused:
        campaigns.open_up(made, now=now)

    assert (code_of(refused), set(refused.value.fields)) == ("not_ready", {name})
    assert campaigns.get(made.slug, consistent=True).opened is None


def test_everything_that_is_missing_is_named_at_once(person: Make, now: datetime) -> None:
    made = created(person, now, **LACKING)

    with pytest.raises(Conflict) as refused:
        campaigns.open_up(made, now=now)
    assert set(refused.value.fields) == set(LACKING)


def test_opening_again_or_without_an_answer_opens_once(person: Make, now: datetime) -> None:
    with lost_response("dynamodb", "UpdateItem"):
        first = campaigns.open_up(created(person, now), now=now)
    again = campaigns.open_up(campaigns.get(first.slug, consistent=True), now=now + HOUR)

    assert int(first.opened or 0) == int(again.opened or 0) == int(now.timestamp() * 1000)


def test_what_opening_asks_for_cannot_be_taken_away_while_it_opens(person: Make, now: datetime) -> None:
    """One organiser opens; another one empties the rules at the same moment."""
    made = created(person, now)
    stale = campaigns.get(made.slug, consistent=True)
    campaigns.change(made, {"rules": ""}, "ben", now=now)

    with pytest.raises(Conflict) as refused:
        campaigns.open_up(stale, now=now)
    assert code_of(refused) in ("changed", "not_ready")
    assert campaigns.get(made.slug, consistent=True).opened is None


def test_campaign_that_opened_meanwhile_keeps_what_opening_asks_for(person: Make, now: datetime) -> None:
    made = created(person, now)
    stale = campaigns.get(made.slug, consistent=True)
    campaigns.open_up(made, now=now)

    with pytest.raises(Conflict) as refused:
        campaigns.change(stale, {"rules": ""}, "ben", now=now)
    assert code_of(refused) == "changed"


@pytest.mark.parametrize("name", LACKING)
def test_open_campaign_cannot_do_without(campaign: Campaign, now: datetime, name: str) -> None:
    with pytest.raises(Conflict) as refused:
        campaigns.change(campaign, {name: LACKING[name]}, "olive", now=now)

    assert (code_of(refused), set(refused.value.fields)) == ("opened", {name})


CHANGES: dict[str, object] = {
    "title": "Calm",
    "question": "Why?",
    "zone": "Europe/Paris",
    "about": "All about it.",
    "rules": "Be kind.",
    "urgent": "Ring 999.",
    "contact": "other@example.org",
    "minimum_age": 18,
    "tags": ["it", "people"],
    "controllers": [{"name": "HSJ", "contact": "data@hsj.example"}],
    "partners": [{"id": "nt", "name": "Nursing Times", "link": "https://nt.example"}],
    "choices": [
        {"id": "scope", "label": "Where?", "options": [{"id": "within", "label": "Within"}, {"id": "between", "label": "Between"}]}
    ],
    "limits": {"votes_per_hour": 5},
}


def test_organiser_can_change_everything(campaign: Campaign, now: datetime) -> None:
    changed = campaigns.change(campaign, CHANGES, "olive", now=now)

    found = campaigns.details_of(changed)
    assert {name: getattr(found, name) for name in CHANGES} == CHANGES
    assert (changed.limit("votes_per_hour"), changed.limit("comments_per_hour")) == (5, 120)
    assert (int(changed.revision), changed.changed_by) == (int(campaign.revision) + 1, "olive")


def test_change_leaves_the_rest_as_it_is(campaign: Campaign, now: datetime) -> None:
    before = campaigns.details_of(campaigns.change(campaign, CHANGES, "olive", now=now))
    after = campaigns.details_of(campaigns.change(campaigns.get(campaign.slug, consistent=True), {"title": "New"}, "olive", now=now))

    assert {name for name in before.__slots__ if getattr(before, name) != getattr(after, name)} == {"title"}


def test_same_change_again_changes_nothing(campaign: Campaign, now: datetime) -> None:
    first = campaigns.change(campaign, CHANGES, "olive", now=now)
    again = campaigns.change(first, CHANGES, "olive", now=now, revision=int(campaign.revision))

    assert int(again.revision) == int(first.revision)


def test_change_whose_answer_was_lost_is_made_once(campaign: Campaign, now: datetime) -> None:
    with lost_response("dynamodb", "TransactWriteItems"):
        changed = campaigns.change(campaign, {"title": "Calm"}, "olive", now=now)

    assert (changed.title, int(changed.revision)) == ("Calm", int(campaign.revision) + 1)


def test_of_two_organisers_who_edit_at_once_the_second_is_told(campaign: Campaign, now: datetime) -> None:
    """Both have opened the form; what the first one saved is not overwritten unseen."""
    seen = int(campaign.revision)
    campaigns.change(campaign, {"rules": "Be kind, always."}, "olive", now=now)

    with pytest.raises(Conflict) as refused:
        campaigns.change(campaigns.get(campaign.slug, consistent=True), {"title": "Calm"}, "ben", now=now, revision=seen)
    assert code_of(refused) == "changed"
    assert campaigns.get(campaign.slug, consistent=True).title == "Change Challenge"


def test_change_between_reading_and_writing_is_not_overwritten(campaign: Campaign, now: datetime) -> None:
    others = iter([lambda: campaigns.change(campaigns.get(campaign.slug, consistent=True), {"rules": "First."}, "olive", now=now)])

    def first() -> None:
        other = next(others, None)
        if other:
            other()

    stale = campaigns.get(campaign.slug, consistent=True)
    with hook("dynamodb", "TransactWriteItems", first), pytest.raises(Conflict) as refused:
        campaigns.change(stale, {"rules": "Second."}, "ben", now=now)

    assert code_of(refused) == "changed"
    assert texts.get(campaign.slug, consistent=True).rules == "First."


def test_partner_who_goes_takes_the_logo_along(campaign: Campaign, now: datetime) -> None:
    campaign = campaigns.change(campaign, CHANGES, "olive", now=now)
    texts.put_logo(campaign.slug, "nt", "<svg></svg>")
    campaigns.change(campaign, {"partners": []}, "olive", now=now)

    assert texts.logos(campaign.slug) == frozenset()


def stages(now: datetime) -> list[NewPhase]:
    return [
        NewPhase("One", now - 2 * HOUR, now - HOUR, ["barrier"]),
        NewPhase("Two", now - HOUR, now + HOUR, ["barrier"], comment=False),
        NewPhase("Three", now + HOUR, now + 2 * HOUR, ["solution"], vote=False, blind=False),
    ]


def test_rights_switch_at_the_minute(person: Make, now: datetime) -> None:
    campaign = make_campaign(person("olive@example.org"), now, phases=stages(now))
    switch = now + HOUR

    before = switch - timedelta(milliseconds=1)
    assert campaigns.require(campaign, 2, "vote", now=before).title == "Two"
    assert campaigns.writable_phase(campaign, now=before).title == "Two"
    assert campaigns.writable_phase(campaign, now=switch).title == "Three"
    for number, right, when, code in (
        (2, "comment", before, "not_in_phase"),
        (2, "vote", switch, "phase_closed"),
        (3, "contribute", before, "phase_closed"),
        (3, "vote", switch, "not_in_phase"),
    ):
        with pytest.raises(Conflict) as refused:
            campaigns.require(campaign, number, right, now=when)  # type: ignore[arg-type]
        assert code_of(refused) == code


def test_nothing_is_allowed_between_two_stages_or_after_the_last(person: Make, now: datetime) -> None:
    campaign = make_campaign(person("olive@example.org"), now, phases=[stages(now)[0], stages(now)[2]])

    for when in (now - 3 * HOUR, now, now + 2 * HOUR):
        with pytest.raises(Conflict) as refused:
            campaigns.writable_phase(campaign, now=when)
        assert code_of(refused) == "phase_closed"
    assert campaign.phase_to_show(now) is not None
    assert campaign.phase_to_show(now - 3 * HOUR) is None


def test_nobody_takes_part_before_the_campaign_is_opened(person: Make, now: datetime) -> None:
    campaign = created(person, now)

    assert campaign.open_phase(now) is None
    for act in (
        lambda: campaigns.require(campaign, 1, "vote", now=now),
        lambda: campaigns.writable_phase(campaign, now=now),
        lambda: campaigns.admit(campaign, person("ann@example.org"), "patient", of_age=True, now=now),
    ):
        with pytest.raises(Conflict) as refused:
            act()
        assert code_of(refused) == "not_open"


def test_stage_that_has_begun_stays(person: Make, now: datetime) -> None:
    campaign = make_campaign(person("olive@example.org"), now, phases=stages(now))

    with pytest.raises(Conflict) as refused:
        campaigns.change(campaign, {"phases": stages(now)[:1]}, "olive", now=now)
    assert code_of(refused) == "phase_begun"
    assert len(campaigns.change(campaign, {"phases": stages(now)[:2]}, "olive", now=now).phases) == 2


def test_stages_of_a_campaign_that_is_not_open_can_all_be_changed(person: Make, now: datetime) -> None:
    campaign = created(person, now, phases=stages(now))

    changed = campaigns.change(campaign, {"phases": [NewPhase("Later", now + HOUR, now + 2 * HOUR, ["barrier"])]}, "olive", now=now)
    assert [phase.title for phase in changed.phases] == ["Later"]


def test_only_who_is_old_enough_can_join_and_only_that_is_kept(campaign: Campaign, person: Make, now: datetime) -> None:
    ann = person("ann@example.org")
    with pytest.raises(Invalid) as refused:
        campaigns.admit(campaign, ann, "patient", of_age=False, now=now)
    assert "of_age" in refused.value.fields
    campaigns.admit(campaign, ann, "patient", of_age=True, now=now)

    found = enrolments.find(campaign.slug, ann)
    assert found is not None
    kept = {name for name, value in found.attribute_values.items() if value not in (None, False)}
    assert kept == {"pk", "sk", "role", "joined", "of_age"}


def test_who_has_joined_can_change_the_role_without_being_asked_again(campaign: Campaign, person: Make, now: datetime) -> None:
    ann = person("ann@example.org")
    campaigns.admit(campaign, ann, "patient", of_age=True, now=now)

    assert campaigns.admit(campaign, ann, "staff", of_age=False, now=now).role == "staff"


def test_all_campaigns_are_listed_newest_first(person: Make, now: datetime) -> None:
    olive = person("olive@example.org")
    for number in range(3):
        make_campaign(olive, now + timedelta(seconds=number), slug=f"number-{number}")

    assert [campaign.slug for campaign in campaigns.every()] == ["number-2", "number-1", "number-0"]
