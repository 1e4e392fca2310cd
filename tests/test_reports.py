"""The launch report: signed once, recounted from itself, and every tampering found."""

from __future__ import annotations

import base64
import copy
import json
import zlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from chalicelib import chunks, figures, launches, reports, signatures
from chalicelib.chunks import Outcomes
from chalicelib.launches import Launch
from infra import verify_report
from infra.console import Problem
from tests.aws import hook, lost_response, nth
from tests.launching import Launching

Report = dict[str, Any]


@pytest.fixture
def report(launching: Launching) -> Report:
    """Of a launch on two networks whose first chunk was sent on time, with a clock that was measured, and whose other was sent
    late; one post was taken back."""
    launching.propose(networks=["mastodon", "bluesky"])
    for name in ("annabel", "benedict", "catriona"):
        launching.pledge(name)
    launching.withdraw(launching.pledge("deborah", town=1))
    launching.pledge("evelyn", network="bluesky")
    queued = launching.ready()
    late = [message for message in queued if message.message["lane"].startswith("bluesky")]
    launching.work([message for message in queued if message not in late])
    launching.work(late, at=75.0)
    _measure(launching, "mastodon.0", offset=-1.5, error=4.25)
    launching.tick(launching.moment(120))
    return reports.get(launching.launch.id)


def _measure(launching: Launching, lane: str, *, offset: float, error: float) -> None:
    """As the worker of a lane's first chunk would note it where there is a time server."""
    key = f"{launching.launch.id}#{lane}#0"
    found = chunks.outcomes(key, 1)
    assert found is not None
    found.update(actions=[Outcomes.meta.set({**found.meta, "clock_offset_ms": offset, "clock_error_ms": error})])


def verified(report: Report, key: str | None = None) -> list[str]:
    return list(verify_report.checked(json.loads(json.dumps(report)), key))


def test_report_counts_what_happened(report: Report) -> None:
    mastodon, bluesky = sorted(report["lanes"], key=lambda lane: str(lane["lane"]), reverse=True)

    assert (report["pledged"], report["posted"], mastodon["slots"], mastodon["empty"]) == (4, 4, 4, 1)
    assert (sum(mastodon["sent_histogram"].values()), mastodon["sent"]["posts"], mastodon["late_sent"]) == (3, 3, None)
    assert (bluesky["sent"], bluesky["late_sent"]["posts"], bluesky["late_chunks"]) == (None, 1, 1)
    assert list(bluesky["late_sent_histogram"]) == [f"{int(bluesky['late_sent']['max_ms'] // 100) / 10:.1f}"]
    assert bluesky["late_sent"]["p50_ms"] > 75_000


def test_report_tells_how_exact_the_machines_clocks_were(report: Report) -> None:
    clocks = {lane["network"]: lane["clock"] for lane in report["lanes"]}

    assert clocks["mastodon"] == {"measured": 1, "unknown": 0, "max_offset_ms": 1.5, "max_error_ms": 4.25}
    assert clocks["bluesky"] == {"measured": 0, "unknown": 1, "max_offset_ms": None, "max_error_ms": None}


def test_report_says_nothing_of_anybody(report: Report) -> None:
    text = json.dumps(report)

    assert not [word for word in ("annabel", "benedict", "evelyn", ".test", "https:", "@") if word in text]


@pytest.mark.parametrize("network", ["x", "tumblr"])
def test_answer_times_of_networks_that_forbid_it_are_not_told(network: str) -> None:
    assert network in reports._NOT_ACKED


def test_report_is_written_and_signed_once(launching: Launching, report: Report) -> None:
    launching.clock.at(launching.moment(900))

    reports.write(launching.launch, now=launching.now)

    assert reports.get(launching.launch.id) == report


def _ending(launching: Launching) -> Launch:
    """Frozen, and about to end."""
    launching.tick(launching.moment(-1200))
    launch = launching.launch
    launch.state = "stopped"
    return launch


@pytest.mark.parametrize(("service", "operation"), [("dynamodb", "PutItem"), ("kms", "GetPublicKey")])
def test_lost_response_while_a_report_is_written_changes_nothing(launching: Launching, service: str, operation: str) -> None:
    launching.propose()
    launching.pledge("ann")
    launch = _ending(launching)

    with lost_response(service, operation) as calls:
        reports.write(launch, now=launching.now)

    assert len(calls) == 2
    assert verified(reports.get(launching.launch.id))


def test_two_that_write_a_report_at_once_leave_one(launching: Launching) -> None:
    launching.propose()
    launch, between = _ending(launching), launching.now
    with hook("kms", "Sign", nth(1, lambda: reports.write(launch, now=between + timedelta(seconds=3)))):
        reports.write(launch, now=between)

    found = reports.get(launch.id)
    assert found["written_at"] == (between + timedelta(seconds=3)).isoformat(timespec="seconds")
    assert verified(found)


def test_report_holds(report: Report) -> None:
    told = verified(report, report["signature"]["key_id"])

    assert told[0].startswith("signature: ECDSA_SHA_256")
    assert any("mastodon.0: 3 posts" in line for line in told)
    assert any("4 posted" in line for line in told)


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every single value, and of every empty list or object."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = [deeper for key, one in inner for deeper in leaves(one, (*path, key))]
    yield from found or [path]


def at(report: Report, path: tuple[Any, ...]) -> Any:
    found: Any = report
    for key in path:
        found = found[key]
    return found


def other(value: Any) -> Any:
    """A little different, of the same kind where there is one."""
    if isinstance(value, bool) or value is None:
        return 1
    if isinstance(value, int | float):
        return value + 1
    if isinstance(value, str):
        return value[:-1] + ("0" if value[-1] != "0" else "1") if value else "x"
    return {"0.0": 1} if isinstance(value, dict) else [1]


def changed(report: Report, path: tuple[Any, ...], value: Any) -> Report:
    made = copy.deepcopy(report)
    at(made, path[:-1])[path[-1]] = value
    return made


def refused(report: Report, key: str | None = None) -> bool:
    try:
        verify_report.checked(report, key)
        verified(report, key)
    except (verify_report.Wrong, signatures.Broken, KeyError, TypeError, ValueError):
        return True
    return False


def test_every_change_of_any_field_is_found(report: Report) -> None:
    paths = list(leaves(report))

    assert len(paths) > 80
    assert [path for path in paths if not refused(changed(report, path, other(at(report, path))))] == []


def test_every_field_left_out_or_added_is_found(report: Report) -> None:
    for path in leaves(report):
        less = copy.deepcopy(report)
        del at(less, path[:-1])[path[-1]]
        assert refused(less), path
    assert refused(report | {"more": 1})
    assert refused(changed(report, ("lanes", 0, "more"), 1))


def signed(report: Report) -> Report:
    """By a key that is not ours, as somebody who changed it would."""
    body = {name: value for name, value in report.items() if name != "signature"}
    key = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    value = key.sign(signatures.canonical(body), ec.ECDSA(SHA256()))
    named = {"algorithm": signatures.ALGORITHM, "key_id": signatures.fingerprint(public)}
    return body | {"signature": named | {"public_key": base64.b64encode(public).decode(), "value": base64.b64encode(value).decode()}}


# What nothing else in the report says, or says only to a tenth of a second.
ON_SIGNATURE_ALONE = {"launch", "campaign", "zone", "goal", "people", "made", "max_offset_ms", "max_error_ms", "written_at"}
ON_SIGNATURE_ALONE |= {"p50_ms", "p99_ms", "max_ms", "opened", "done", "late_chunks"}


def test_what_is_counted_is_found_wrong_even_if_it_was_signed_again(report: Report) -> None:
    """Everything but what the report itself says rests on the signature alone."""
    counted = [path for path in leaves(report) if path[0] != "signature" and path[-1] not in ON_SIGNATURE_ALONE]

    assert len(counted) > 50
    assert [path for path in counted if not refused(signed(changed(report, path, other(at(report, path)))))] == []


def test_percentiles_are_found_wrong_by_a_tenth_of_a_second_even_if_they_were_signed_again(report: Report) -> None:
    lane = next(place for place, one in enumerate(report["lanes"]) if one["sent"])
    for name in ("p50_ms", "p99_ms", "max_ms"):
        path = ("lanes", lane, "sent", name)
        assert refused(signed(changed(report, path, at(report, path) + 100))), name
        assert refused(signed(changed(report, path, at(report, path) - 100))), name


def test_other_keys_signature_is_found_by_who_knows_the_key(report: Report) -> None:
    forged = signed(changed(report, ("people",), report["people"] + 1))

    assert not refused(forged)
    assert refused(forged, report["signature"]["key_id"])


@given(st.lists(st.floats(0, 700_000, allow_nan=False), min_size=1, max_size=400))
def test_percentiles_are_recounted_from_their_histogram(times: list[float]) -> None:
    verify_report._times("sent", figures.percentiles(times), figures.histogram(times))


Value = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(0.001, 10**9) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(codec="ascii"), max_size=6), inner, max_size=4),
    max_leaves=12,
)


@given(Value)
def test_canonical_bytes_survive_json(value: Any) -> None:
    try:
        written = signatures.canonical(value)
    except UnicodeEncodeError:  # a lone surrogate has no bytes
        return

    assert signatures.canonical(json.loads(written)) == written
    assert signatures.canonical(json.loads(json.dumps(value, indent=2))) == written


def test_canonical_bytes_are_those_of_rfc_8785() -> None:
    """From the numbers and the strings of its section 3.2.2, as far as our documents hold such."""
    document = {"numbers": [333333333.3333333, 4.50, 2.0, 0.002], "string": '€$\u000f\nA\'B"\\\\"/', "literals": [None, True, False]}

    assert signatures.canonical(document) == (
        '{"literals":[null,true,false],"numbers":[333333333.3333333,4.5,2,0.002],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'.encode()
    )


@pytest.mark.parametrize("value", [1e-7, 1e22, float("nan"), float("inf"), {"é": 1}])
def test_what_would_be_written_otherwise_elsewhere_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"number|ASCII"):
        signatures.canonical(value)


def _end(launching: Launching, until: float = 4000) -> Report:
    """Ticks until the launch has ended."""
    after = 60.0
    while not launching.launch.settled_at and after < until:
        launching.tick(launching.moment(after))
        after += 600
    return reports.get(launching.launch.id)


def test_unsealed_posts_of_a_stopped_network_are_stopped_and_of_nobody_missed(launching: Launching) -> None:
    launching.propose(networks=["mastodon", "bluesky"])
    mastodon, bluesky = launching.pledge("ann"), launching.pledge("evelyn", network="bluesky")
    launching.ready()
    launches.stop(launching.campaign, "olive", network="bluesky", now=launching.now)

    report = _end(launching)

    assert (report["stopped"], report["missed"], report["posted"]) == (1, 1, 0)
    assert reports.outcome(launching.launch, mastodon) == {"outcome": "missed"}
    assert reports.outcome(launching.launch, bluesky) == {"outcome": "stopped"}
    assert verified(report)


def test_sealed_posts_without_outcomes_are_unknown_to_report_and_supporter_alike(launching: Launching) -> None:
    launching.propose()
    pledge = launching.pledge("ann")
    launching.ready()
    state = chunks.lease(str(pledge.pk), 1, now=launching.clock.now())
    assert state is not None
    assert chunks.seal(state, now=launching.clock.now())

    report = _end(launching)

    assert report["unknown"] == 1
    assert reports.outcome(launching.launch, pledge) == {"outcome": "unknown"}


def test_outcome_says_that_it_was_late(launching: Launching) -> None:
    launching.propose()
    pledge = launching.pledge("ann")
    queued = launching.ready()
    launching.work(queued, at=90.0)

    found = reports.outcome(launching.launch, pledge)

    assert found is not None
    assert (found["outcome"], found["late"]) == ("posted", True)
    assert found["sent_ms"] > 90_000


def test_outcome_on_time_is_not_late(launching: Launching) -> None:
    launching.propose()
    pledge = launching.pledge("ann")
    launching.work(launching.ready())

    assert reports.outcome(launching.launch, pledge)["late"] is False  # type: ignore[index]


def test_report_of_a_launch_that_did_not_go_out_holds(launching: Launching) -> None:
    launching.propose(goal=5)
    pledge = launching.pledge("ann")
    launching.tick(launching.moment(-1200))
    launching.tick(launching.moment(-600))

    report = reports.get(launching.launch.id)

    assert (report["state"], report["missed"]) == ("goal_missed", 1)
    assert reports.outcome(launching.launch, pledge) == {"outcome": "goal_missed"}
    assert verified(report)


def test_large_report_fits_into_an_item() -> None:
    """Two thousand lanes, more than a million pledges have on any known network."""
    times = [float(place * 7 % 900) for place in range(300)]
    lane = {"sent": figures.percentiles(times), "sent_histogram": figures.histogram(times), "outcomes": dict.fromkeys(figures.OUTCOMES, 3)}
    body = {"lanes": [lane | {"lane": f"mastodon.{number}", "pledged": number} for number in range(2000)]}

    assert len(zlib.compress(signatures.canonical(body), 9)) < 400_000


def test_verify_report_reads_files_and_says_why_it_refuses(report: Report, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "report.json"
    file.write_text(json.dumps(report, indent=2))
    verify_report.run(str(file), None)
    assert "The report holds" in capsys.readouterr().out

    for text, why in (
        (json.dumps(report | {"posted": 5}), "changed after it was signed"),
        (json.dumps({"a": 1}), "no launch report"),
        ('{"a": 1, "a": 2}', "twice"),
        ("<html>", "not the JSON"),
        ("[]", "no launch report"),
    ):
        file.write_text(text)
        with pytest.raises(Problem, match=why):
            verify_report.run(str(file), None)
