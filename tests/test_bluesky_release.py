"""A launch on Bluesky: sessions are made in the lead, and whatever they meet ends in an outcome and never stops the others."""

from __future__ import annotations

import json

import pytest

from chalicelib import figures, reports, volleys
from chalicelib.networks import transport
from infra.stand_ins.app_passwords import token
from infra.stand_ins.faults import Fault
from tests.launching import Launching

NAMES = ["ann", "ben", "cat"]


@pytest.fixture
def lent(launching: Launching) -> Launching:
    launching.propose(networks=["mastodon", "bluesky"])
    for place, name in enumerate(NAMES):
        launching.pledge(name, place, network="bluesky", text=f"{name} – https://example.org/")
    return launching


def outcomes(launching: Launching) -> dict[str, int]:
    launching.tick(launching.moment(700))
    report = reports.get(launching.launch.id)
    return {name: report[name] for name in figures.OUTCOMES if report[name]}


def test_posts_go_out_exactly_as_agreed(lent: Launching) -> None:
    lent.work(lent.ready())

    assert lent.posts() == NAMES
    assert sorted(arrival.text or "" for arrival in lent.towns.posts) == [f"{name} – https://example.org/" for name in NAMES]
    assert outcomes(lent) == {"posted": 3}


@pytest.mark.parametrize("kind", ["fail", "throttle", "hang", "drop_after"])
def test_session_that_fails_at_first_is_asked_for_again(lent: Launching, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.setattr(volleys, "SESSION_S", 0.5)
    queued = lent.ready()
    lent.towns.world.faults.add("pds-01.test", Fault(kind, times=1, on="session", status=500))  # type: ignore[arg-type]
    lent.work(queued)

    assert lent.posts() == NAMES
    assert outcomes(lent) == {"posted": 3}


def test_app_password_that_was_taken_away_is_reconnect_and_the_others_go_out(lent: Launching) -> None:
    lent.pledge("dot", 0, network="bluesky")
    queued = lent.ready()
    lent.towns.world.revoke("pds-01.test", lent.towns.token("pds-01.test", "dot"))
    lent.work(queued)

    assert lent.posts() == NAMES
    assert outcomes(lent) == {"posted": 3, "reconnect": 1}


def test_server_whose_sessions_never_work_holds_up_nobody_else(lent: Launching) -> None:
    queued = lent.ready()
    lent.towns.world.faults.add("pds-02.test", Fault("fail", on="session", status=503))
    lent.work(queued)

    assert lent.posts() == ["ann", "cat"]
    sent = {arrival.account: arrival.at_ns for arrival in lent.towns.posts}
    assert set(sent) == {"ann", "cat"}


@pytest.mark.parametrize("kind", ["hang_after", "drop_after", "fail_after", "fail", "throttle"])
def test_post_that_is_answered_badly_goes_out_once(lent: Launching, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    queued = lent.ready()
    lent.towns.world.faults.add("pds-02.test", Fault(kind, times=1, status=500))  # type: ignore[arg-type]
    monkeypatch.setattr(transport, "ANSWER_S", 0.5)
    lent.work(queued)

    assert lent.posts() == NAMES
    assert outcomes(lent) == {"posted": 3}


def test_bearer_that_is_spent_is_made_anew_once(lent: Launching, monkeypatch: pytest.MonkeyPatch) -> None:
    queued = lent.ready()
    spent: list[str] = []

    def expired_at_first(kind: str, subject: str, host: str, *, now: float) -> str:
        first = kind == "access" and len(spent) < 3
        spent.extend([subject] if first else [])
        return token(kind, subject, host, now=now - 10_000 if first else now)

    monkeypatch.setattr("infra.stand_ins.app_passwords.token", expired_at_first)
    lent.work(queued)

    assert lent.posts() == NAMES
    assert outcomes(lent) == {"posted": 3}


def test_grant_is_what_a_session_needs_and_sealed(lent: Launching) -> None:
    from chalicelib import grants, pledges

    pledge = pledges.of_chunk(f"{lent.launch.id}#bluesky.0#0")[0]
    sealed = grants.of_chunk(str(pledge.pk))[str(pledge.sk)]
    opened = grants.unseal(grants.open_key(lent.campaign.slug, lent.launch.id), pledge.id, sealed)

    assert b"password" not in sealed
    assert set(json.loads(opened)) == {"did", "password"}
    assert pledge.server == "pds-01.test"


def test_both_networks_go_out_together_and_live_counts_tell(lent: Launching) -> None:
    from chalicelib import counts
    from tests.aws import take_records

    lent.pledge("zoe")
    counts.recount(record["dynamodb"]["Keys"]["pk"]["S"] for record in take_records("pledges"))
    assert reports.live(lent.launch, now=lent.now) == []
    lent.work(lent.ready())
    lent.clock.at(lent.moment(20))

    assert lent.posts() == [*NAMES, "zoe"]
    assert reports.live(lent.launch, now=lent.now) == [reports.Live("bluesky", 3, 0, 0), reports.Live("mastodon", 1, 0, 0)]
