"""Lending a post: one account lends one, exactly as agreed, and can take it back until it is sent."""

from __future__ import annotations

import hashlib
import socket

import pytest

from chalicelib import counts, drafts, grants, launches, pledges, reminders, reports
from chalicelib.drafts import Access
from chalicelib.errors import Conflict, Invalid, NotFound
from chalicelib.networks import transport
from chalicelib.supporters import Counts
from infra.stand_ins.faults import Fault
from tests.aws import hook, lost_response, take_records
from tests.conftest import Make
from tests.launching import Launching


def draft(launching: Launching, **changes: str | None) -> drafts.Drafted:
    values: dict[str, str | None] = {"network": "mastodon", "server": "town-01.test", "text": "Hello."}
    values |= {"person": None, "token": None} | changes
    return drafts.draft(launching.campaign, now=launching.now, **values)  # type: ignore[arg-type]


def confirm(launching: Launching, drafted: drafts.Drafted, name: str = "ann") -> pledges.Pledge:
    token = launching.towns.token(drafted.draft.server, name)
    return pledges.confirm(launching.campaign, drafted.draft.id, token, Access(None, drafted.token), now=launching.now)


def people(launching: Launching) -> Counts:
    counts.recount(record["dynamodb"]["Keys"]["pk"]["S"] for record in take_records("pledges"))
    return launches.supporters(launching.launch)


def test_supporter_can_lend_a_post_without_an_account(launching: Launching) -> None:
    launching.propose()
    pledge = confirm(launching, draft(launching, text="Hällo, wörld."))

    assert pledge.account == "@ann@town-01.test"
    assert pledge.text_sha256 == hashlib.sha256("Hällo, wörld.".encode()).hexdigest()
    assert int(pledge.agreed_at) == pledges.planned_at(launching.launch, pledge) == int(launching.launch.at)
    assert people(launching) == Counts(people=1, automatic=1)


def test_launch_moved_by_a_little_takes_its_pledges_along(launching: Launching) -> None:
    launching.propose()
    pledge = confirm(launching, draft(launching))
    people(launching)
    launching.propose(at=launching.moment(900))
    launching.approve()
    queued = launching.tick(launching.moment(-590))
    launching.work(queued)
    launching.tick(launching.moment(60))

    assert pledges.planned_at(launching.launch, pledge) == int(pledge.agreed_at) + 900
    assert 0 <= reports.get(launching.launch.id)["lanes"][0]["sent"]["max_ms"] < 1000


def test_grant_in_the_table_is_sealed(launching: Launching) -> None:
    launching.propose()
    pledge = confirm(launching, draft(launching))

    sealed = grants.of_chunk(str(pledge.pk))[str(pledge.sk)]
    assert b"ann" not in sealed


def test_confirming_again_answers_with_the_same_pledge(launching: Launching) -> None:
    launching.propose()
    drafted = draft(launching)

    assert confirm(launching, drafted).id == confirm(launching, drafted).id
    assert people(launching) == Counts(people=1, automatic=1)


@pytest.mark.parametrize("operation", ["UpdateItem", "TransactWriteItems"])
def test_lost_response_while_confirming_makes_one_pledge(launching: Launching, operation: str) -> None:
    launching.propose()
    drafted = draft(launching)

    with lost_response("dynamodb", operation) as calls:
        pledge = confirm(launching, drafted)

    assert len(calls) > 1
    assert pledge.id == confirm(launching, drafted).id
    assert people(launching) == Counts(people=1, automatic=1)


def test_account_lends_one_post_only_and_whoever_connects_it_again_is_shown_it(launching: Launching, person: Make) -> None:
    launching.propose()
    first = launching.pledge("ann")
    for whom in (None, person("ann@example.org")):
        again = launching.pledge("ann", person=whom, text="Other words.")
        assert (again.id, again.text) == (first.id, first.text)

    assert people(launching) == Counts(people=1, automatic=1)
    access = Access(person("ann@example.org"), None)
    assert pledges.find(launching.campaign, first.id, access, now=launching.now).id == first.id
    assert [one.id for one in reminders.of_supporter(launching.campaign, access)] == [first.id]
    pledges.withdraw(launching.campaign, first.id, access, now=launching.now)
    assert people(launching) == Counts(people=0, automatic=0)


def test_permission_that_is_given_again_is_the_one_used(launching: Launching) -> None:
    launching.propose()
    launching.pledge("rae")
    host = launching.towns.hosts[0].name
    launching.towns.world.tokens.revoke(host, launching.towns.token(host, "rae"))
    again = draft(launching, text="Other words.")
    token = launching.towns.token(host, "rae", 2)
    pledges.confirm(launching.campaign, again.draft.id, token, Access(None, again.token), now=launching.now)
    launching.work(launching.ready())

    assert launching.posts() == ["rae"]


def test_person_lends_one_post_on_a_network(launching: Launching, person: Make) -> None:
    launching.propose()
    ann = person("ann@example.org")
    launching.pledge("ann", person=ann)

    with pytest.raises(Conflict) as refused:
        launching.pledge("ann_elsewhere", town=1, person=ann)

    assert refused.value.code == "second_pledge"
    assert people(launching).people == 1


def test_same_account_confirmed_twice_at_once_makes_one_pledge(launching: Launching) -> None:
    launching.propose()
    first, second = draft(launching), draft(launching)
    raced = []

    def race() -> None:
        if not raced:
            raced.append(True)
            confirm(launching, second)

    with hook("dynamodb", "TransactWriteItems", race):
        pledge = confirm(launching, first)

    assert pledge.draft == second.draft.id
    assert people(launching) == Counts(people=1, automatic=1)


def test_supporter_can_withdraw_and_lend_again(launching: Launching) -> None:
    launching.propose()
    pledge = launching.pledge("ann")
    launching.withdraw(pledge)
    launching.withdraw(pledge)

    assert people(launching) == Counts(people=0, automatic=0)
    assert grants.of_chunk(str(pledge.pk)) == {}
    assert launching.pledge("ann").id != pledge.id
    assert people(launching) == Counts(people=1, automatic=1)


def test_withdrawing_by_the_confirmed_drafts_id_takes_the_pledge_back(launching: Launching) -> None:
    launching.propose()
    drafted = draft(launching)
    confirm(launching, drafted)
    pledges.withdraw(launching.campaign, drafted.draft.id, Access(None, drafted.token), now=launching.now)

    assert people(launching) == Counts(people=0, automatic=0)


def test_lost_response_of_a_withdrawal_withdraws_once(launching: Launching) -> None:
    launching.propose()
    pledge = launching.pledge("ann")
    with lost_response("dynamodb", "TransactWriteItems") as calls:
        launching.withdraw(pledge)

    assert len(calls) > 1
    assert people(launching) == Counts(people=0, automatic=0)


def test_withdrawing_is_refused_after_the_seal(launching: Launching) -> None:
    launching.propose()
    pledge = launching.pledge("ann")
    queued = launching.ready()
    launching.work(queued)

    with pytest.raises(Conflict) as refused:
        launching.withdraw(pledge)

    assert refused.value.code == "sealed"


def test_withdrawn_in_the_last_seconds_is_not_sent(launching: Launching) -> None:
    """Between the worker's first reading and its seal."""
    launching.propose()
    launching.pledge("ann")
    ben = launching.pledge("ben")
    queued = launching.ready()
    done = []

    def withdraw() -> None:
        if not done:
            done.append(True)
            launching.withdraw(ben)

    with hook("kms", "Decrypt", withdraw):
        launching.work(queued)

    assert launching.posts() == ["ann"]


def test_only_the_supporter_sees_their_pledge(launching: Launching, person: Make) -> None:
    launching.propose()
    pledge = launching.pledge("ann")
    for access in (Access(None, None), Access(None, "another"), Access(person("ben@example.org"), None)):
        with pytest.raises(NotFound):
            pledges.find(launching.campaign, pledge.id, access, now=launching.now)
        with pytest.raises(NotFound):
            pledges.withdraw(launching.campaign, pledge.id, access, now=launching.now)


def test_text_longer_than_the_server_allows_is_refused(launching: Launching) -> None:
    launching.propose()
    draft(launching, text="x" * 477 + "https://example.org/" + "y" * 400)
    with pytest.raises(Invalid) as refused:
        draft(launching, text="x" * 501)

    assert list(refused.value.fields) == ["text"]
    assert "501" in refused.value.message


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"text": " \n"}, "text"),
        ({"server": "not a server"}, "server"),
        ({"server": "localhost"}, "server"),
        ({"server": "127.0.0.1"}, "server"),
        ({"network": "friendface"}, "network"),
    ],
)
def test_draft_is_refused_naming_the_field(launching: Launching, changes: dict[str, str], field: str) -> None:
    launching.propose()
    with pytest.raises(Invalid) as refused:
        draft(launching, **changes)

    assert list(refused.value.fields) == [field]


def test_token_that_the_server_does_not_know_is_refused_and_nothing_is_stored(launching: Launching) -> None:
    launching.propose()
    drafted = draft(launching)
    with pytest.raises(Invalid) as refused:
        pledges.confirm(launching.campaign, drafted.draft.id, "wrong", Access(None, drafted.token), now=launching.now)

    assert list(refused.value.fields) == ["token"]
    assert pledges.Pledge.count() == grants.Grant.count() == 0


def test_server_that_is_not_known_is_told_and_the_draft_is_kept(launching: Launching, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    launching.propose()
    drafted = draft(launching)
    with pytest.raises(Invalid) as refused:
        draft(launching, server="nowhere.invalid")

    assert list(refused.value.fields) == ["server"]
    assert confirm(launching, drafted).account == "@ann@town-01.test"


def test_lending_is_refused_once_pledges_have_closed(launching: Launching) -> None:
    launching.propose()
    drafted = draft(launching)
    launching.clock.at(float(launching.launch.closes_at))
    for attempt in (lambda: draft(launching), lambda: confirm(launching, drafted)):
        with pytest.raises(Conflict) as refused:
            attempt()
        assert refused.value.code == "closed"


def test_draft_expires_after_a_day_even_while_it_is_still_in_the_table(launching: Launching) -> None:
    launching.propose()
    drafted = draft(launching)
    launching.clock.at(float(drafted.draft.expires) + 1)

    with pytest.raises(NotFound):
        drafts.get(launching.campaign, drafted.draft.id, Access(None, drafted.token), now=launching.now)


def test_supporter_can_change_the_text_before_confirming(launching: Launching) -> None:
    launching.propose()
    drafted = draft(launching)
    drafts.change(launching.campaign, drafted.draft.id, "Better.", Access(None, drafted.token), now=launching.now)

    assert confirm(launching, drafted).text == "Better."


@pytest.mark.parametrize("kind", ["hang_after", "drop_after", "fail_after", "fail", "throttle"])
def test_post_that_the_network_answers_badly_goes_out_once(launching: Launching, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    launching.propose()
    for town, name in enumerate(("ann", "ben", "cat")):
        launching.pledge(name, town)
    queued = launching.ready()
    fault = Fault(kind, times=1, seconds=0.2)  # type: ignore[arg-type]
    launching.towns.world.faults.add("town-02.test", fault)
    monkeypatch.setattr(transport, "ANSWER_S", 0.5)
    launching.work(queued)

    assert launching.posts() == ["ann", "ben", "cat"]
    launching.tick(launching.moment(700))
    assert launching.launch.state == "settled"
