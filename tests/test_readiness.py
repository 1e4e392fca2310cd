"""What is told before a launch is approved: quotas, permissions, workers, e-mail, exactness, dollars; what nobody knows is never
called fine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib import costs, findings, quotas, readiness, slots
from chalicelib.findings import Finding, Known, Level, Name, Window
from chalicelib.quotas import Account
from chalicelib.rehearsals import Looked
from tests.conftest import Make
from tests.launching import Launching

NOW = datetime(2027, 2, 10, 12, 0, tzinfo=UTC)
AT = NOW + timedelta(hours=1, minutes=30)


def window(posts: int, minutes: int = 0, network: str = "mastodon", hosts_s: int = 0) -> Window:
    return Window(network, AT + timedelta(minutes=minutes), posts, slots.chunks_for(posts), hosts_s)


def account(**changes: Any) -> Account:
    """An ordinary account, out of the sandbox."""
    usual = {"concurrent": 1000, "unreserved": 100, "reserved": 900, "mail_per_s": 14, "mail_per_day": 50_000, "mailed": 0, "mail_open": 1}
    return Account(pk="account", sk="quotas", read_at=0, **usual | changes)


def known(*windows: Window, **changes: Any) -> Known:
    values: dict[str, Any] = {"goal": 1, "is_open": True, "now": NOW, "account": account(), "mail_per_s": 14.0}
    return Known(windows or (window(200),), **values | changes)


def looked(**changes: Any) -> Looked:
    values: dict[str, Any] = {"kind": "probe", "standing": "done", "at": NOW, "asked": NOW, "again_at": NOW, "chunks": 1, "done": 1}
    return Looked(**values | {"counts": {}, "measured": {}} | changes)


def of(name: Name, found: Known) -> list[Finding]:
    return [one for one in findings.assess(found) if one.name == name]


def levels(name: Name, found: Known) -> list[Level]:
    return [one.level for one in of(name, found)]


def test_one_window_within_what_servers_take_is_fine() -> None:
    assert levels("windows", known(window(300), window(40, network="bluesky"))) == ["fine", "fine"]


def test_more_than_a_server_takes_is_told_with_each_windows_own_time() -> None:
    (told,) = of("windows", known(window(300), window(300, 5), window(12, 10)))

    assert told.level == "warning"
    assert "300 at 13:30, 300 at 13:35, 12 at 13:40" in told.found
    assert "at most 300 posts from us in 5 minutes" in told.found
    assert "13:40 instead of 13:30" in told.do


@pytest.mark.parametrize(
    ("probe", "level", "words"),
    [
        (None, "unknown", "Nobody has looked"),
        (looked(counts={"mastodon": {"ok": 200}}), "fine", "all 200 permissions work"),
        (looked(counts={"mastodon": {"ok": 197, "reconnect": 3}}), "warning", "3 of 200 permissions no longer work"),
        (looked(counts={"mastodon": {"ok": 197, "unreachable": 3}}), "warning", "the servers of 3 of 200"),
        (looked(counts={"mastodon": {"reconnect": 200}}), "stops", "200 of 200"),
        (looked(standing="running", chunks=4), "unknown", "1 of 4 parts"),
        (looked(standing="asked", done=0), "unknown", "under way"),
        (looked(standing="unfinished", chunks=4), "unknown", "did not finish"),
        (looked(counts={"mastodon": {"ok": 200}}, at=NOW - timedelta(days=3)), "unknown", "3 days ago"),
    ],
)
def test_permissions_are_as_the_last_probe_found_them(probe: Looked | None, level: Level, words: str) -> None:
    worst = of("permissions", known(probe=probe))[0]

    assert worst.level == level
    assert words in worst.found
    assert bool(worst.do) is (level != "fine")


@pytest.mark.parametrize(
    ("posts", "limits", "level"),
    [
        (200, None, "unknown"),
        (200, {"concurrent": None}, "unknown"),
        (200, {}, "fine"),
        (900 * 250, {}, "fine"),
        (200, {"concurrent": 10, "unreserved": 10, "reserved": None}, "warning"),
        (5 * 250, {"concurrent": 10, "unreserved": 10, "reserved": None}, "warning"),
        (6 * 250, {"concurrent": 10, "unreserved": 10, "reserved": None}, "stops"),
        (500 * 250, {"concurrent": 1000, "unreserved": 400, "reserved": None}, "stops"),
        (101 * 250, {"concurrent": 200, "unreserved": 100, "reserved": 100}, "stops"),
        (901 * 250, {}, "stops"),
        (4000 * 250, {"concurrent": 5000, "unreserved": 4100}, "fine"),
    ],
)
def test_workers_have_to_fit_into_the_account(posts: int, limits: dict[str, Any] | None, level: Level) -> None:
    (told,) = of("workers", known(window(posts), is_open=False, account=None if limits is None else account(**limits)))

    assert told.level == level
    assert f"{slots.chunks_for(posts)} worker" in told.found


def test_account_with_ten_functions_at_once_is_told_plainly() -> None:
    small = account(concurrent=10, unreserved=10, reserved=None)
    (few,), (many,) = (of("workers", known(window(posts), account=small)) for posts in (200, 5000))

    assert "may run only 10 functions at once" in few.found
    assert "needs 20 workers" in many.found
    assert "room for 5 of its 10 functions at once" in many.found
    assert "higher “concurrent executions” quota" in few.do


def test_goal_is_provided_for_before_anybody_has_joined_in() -> None:
    small = account(concurrent=10, unreserved=10, reserved=None)

    assert levels("workers", known(window(1), goal=5000, account=small)) == ["stops"]
    assert levels("workers", known(window(1), goal=5000, is_open=False, account=small)) == ["warning"]


def test_chunks_within_ten_minutes_and_of_other_launches_count_together() -> None:
    assert known(window(300), window(300, 5), window(300, 15), is_open=False).chunks == 4
    assert known(window(300), others=7, is_open=False).chunks == 9


@pytest.mark.parametrize(("chunks", "on", "levels_"), [(900, False, []), (901, False, ["stops"]), (901, True, ["fine"])])
def test_above_900_workers_pollers_are_asked_for(chunks: int, on: bool, levels_: list[Level]) -> None:
    found = known(window(chunks * 250), is_open=False, pollers=on, account=account(concurrent=5000, reserved=4900))

    assert levels("pollers", found) == levels_
    assert all("python -m infra pollers --launch" in one.do for one in of("pollers", found) if one.level == "stops")


@pytest.mark.parametrize(
    ("limits", "reminders", "per_s", "level", "words"),
    [
        (None, 100, 1, "unknown", "not known"),
        ({"mail_per_s": None}, 100, 1, "unknown", "not known"),
        ({}, 100, 14, "fine", "Up to 230 e-mails"),
        ({"mail_open": 0}, 100, 1, "warning", "sandbox"),
        ({"mail_per_s": 1}, 100, 14, "warning", "14 e-mails a second, and SES takes 1"),
        ({"mail_per_day": 1000, "mailed": 800}, 100, 14, "warning", "takes 200 more today"),
        ({"mail_per_day": -1, "mailed": 10**6}, 100, 14, "fine", "SES takes them"),
        ({}, 901, 1, "warning", "take longer than the 15 minutes"),
    ],
)
def test_letters_are_held_against_what_ses_takes(
    limits: dict[str, Any] | None, reminders: int, per_s: float, level: Level, words: str
) -> None:
    found = known(account=None if limits is None else account(**limits), reminders=reminders, people=30, mail_per_s=per_s)
    (told,) = of("email", found)

    assert (told.level, words in told.found) == (level, True), told


def test_what_nobody_could_read_is_never_fine() -> None:
    told = {one.name: one.level for one in findings.assess(known(account=None))}

    assert {name: told[name] for name in ("permissions", "workers", "email", "dress_rehearsal")} == dict.fromkeys(
        ("permissions", "workers", "email", "dress_rehearsal"), "unknown"
    )


def test_worst_comes_first() -> None:
    small = account(concurrent=10, unreserved=10, reserved=None)
    order = [one.level for one in findings.assess(known(window(3000), window(5, 5), account=small))]

    assert order == sorted(order, key=["stops", "warning", "unknown", "fine"].index)
    assert set(order) >= {"stops", "warning", "unknown", "fine"}


def test_exactness_says_what_is_expected_and_how_long_a_spared_server_takes() -> None:
    (told,) = of("exactness", known(window(300, hosts_s=5), window(12, 5)))

    assert "99 of 100 posts of one planned time are expected within 100 ms" in told.found
    assert "after 5 s" in told.found
    assert "from 13:30 to 13:35" in told.found
    assert "within 1000 ms" in of("exactness", known(window(1_000_000)))[0].found


DRESSED = {"mastodon": {"posts": 250, "open": 249, "reconnect": 1}}
MEASURED = {"late_ms": [float(number) for number in range(1, 101)], "woke_s": [58.0], "error_ms": [1.25]}


@pytest.mark.parametrize(
    ("dress", "level", "words"),
    [
        (None, "unknown", "There was no dress rehearsal"),
        (looked(kind="dress", standing="asked", at=NOW + timedelta(hours=1)), "unknown", "is set"),
        (looked(kind="dress", standing="asked", at=NOW - timedelta(hours=1)), "unknown", "There was no"),
        (
            looked(kind="dress", counts=DRESSED, measured=MEASURED),
            "fine",
            "249 of 250 connections stood open at the moment, 99 of 100 99.0 ms",
        ),
        (looked(kind="dress", counts=DRESSED, measured=MEASURED), "fine", "right to 1.2 ms"),
        (looked(kind="dress", counts=DRESSED, measured={}), "fine", "could not be measured"),
        (looked(kind="dress", counts=DRESSED, measured=MEASURED | {"woke_s": [58.0, 3.0]}), "warning", "249 of 250"),
        (looked(kind="dress", counts={"mastodon": {"posts": 250, "open": 100}}, measured=MEASURED), "warning", "100 of 250"),
    ],
)
def test_dress_rehearsal_is_told_as_it_was_measured(dress: Looked | None, level: Level, words: str) -> None:
    (told,) = of("dress_rehearsal", known(dress=dress))

    assert (told.level, words in told.found) == (level, True), told.found


def test_hundred_thousand_posts_cost_less_than_two_dollars_without_email() -> None:
    """The number to reach, with the lead that 400 workers have."""
    priced = {one.item: one.dollars for one in costs.of_launch(chunks=400, posts=100_000, letters=100_000, lead_s=180)}

    assert sum(dollars for item, dollars in priced.items() if item != "email") < 2
    assert priced["email"] == pytest.approx(10.0)
    assert priced["lambda"] == pytest.approx(400 * 195 * 1769 / 1024 * 0.0000133334, rel=0.01)
    assert "pollers" not in priced


def test_provisioned_pollers_are_priced() -> None:
    priced = {one.item: one.dollars for one in costs.of_launch(chunks=4000, posts=10**6, letters=0, lead_s=180, pollers=400)}

    assert priced["pollers"] == pytest.approx(3.70)


def test_readiness_is_gathered_from_what_there_is(launching: Launching) -> None:
    launching.propose(goal=3000)
    launching.pledge("ann")
    account(concurrent=10, unreserved=10, reserved=None).save()
    found = readiness.of(launching.launch, now=launching.now)

    assert [(one.network, one.posts) for one in found.windows] == [("mastodon", 1)]
    assert [one.name for one in found.findings if one.level == "stops"] == ["workers"]
    assert not found.ready
    assert found.dollars > found.dollars_without_email - 1e-9
    assert found.account_read_at == datetime(1970, 1, 1, tzinfo=UTC)


def test_second_window_is_told_before_approval_with_its_own_time(launching: Launching, monkeypatch: pytest.MonkeyPatch) -> None:
    from chalicelib.networks import mastodon

    monkeypatch.setattr(mastodon, "BUDGET", 2)
    launching.propose()
    for name in ("ann", "ben", "cat"):
        launching.pledge(name)

    for _ in range(2):  # before the freeze, and after it
        (told,) = [one for one in readiness.of(launching.launch, now=launching.now).findings if one.name == "windows"]
        assert "Mastodon: 2 at 09:30, 1 at 09:35" in told.found
        assert told.level == "warning"
        launching.tick(launching.moment(-590))
    assert launching.launch.state == "frozen"


def test_chunks_of_another_launch_at_the_same_time_are_counted(launching: Launching, person: Make) -> None:
    from chalicelib import campaigns, launches, slots
    from tests.conftest import make_campaign, new_launch

    launching.propose()
    other = make_campaign(person("otto@example.org"), launching.now, "another-campaign")
    made = launches.propose(
        other, "otto", new_launch(launching.now, at=launching.moment(300), closes_at=launching.moment(-600)), now=launching.now
    )
    slots.take(made.id, "mastodon.0")

    assert readiness.known_of(launching.launch, now=launching.now).others == 1
    launches.stop(campaigns.get("another-campaign", consistent=True), "otto", now=launching.now)
    assert readiness.known_of(launching.launch, now=launching.now).others == 0


def test_note_of_pollers_keeps_what_there_was_before_them(aws: None) -> None:
    def note(before: int) -> quotas.Pollers:
        return quotas.Pollers(pk="account", sk="pollers", at_least=200, at_most=450, concurrency_before=before, since=0)

    quotas.note_pollers(note(900))

    assert quotas.note_pollers(note(7)).concurrency_before == 900
    for _ in range(2):
        quotas.forget_pollers()
    assert quotas.pollers() is None
