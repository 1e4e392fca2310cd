"""Who is who on Bluesky, what its answers mean, how it counts, and what makes a repetition harmless."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from chalicelib.errors import Invalid
from chalicelib.networks import atproto, bluesky
from chalicelib.networks.base import Post, Response, Rules
from infra.stand_ins import StandIns, bluesky_records
from infra.stand_ins.faults import Fault

AT = datetime(2027, 2, 10, 13, 30, tzinfo=UTC)
DID = "did:plc:" + "a" * 24


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("", 0),
        ("hello", 5),
        ("👩‍👩‍👧‍👦" * 10, 25),  # ten characters, but 250 bytes
        ("e\u0301", 1),
        ("https://example.org/" + "x" * 30, 50),
        ("ж" * 300, 300),
    ],
)
def test_length_is_graphemes_or_a_tenth_of_the_bytes(text: str, length: int) -> None:
    assert bluesky.length(text, Rules(300, 0)) == length


@pytest.mark.parametrize(
    ("typed", "handle"),
    [
        ("jane.bsky.social", "jane.bsky.social"),
        (" @Jane.bsky.social ", "jane.bsky.social"),
        ("https://bsky.app/profile/jane.bsky.social", "jane.bsky.social"),
        ("jane.example.org", "jane.example.org"),
    ],
)
def test_handle_is_understood_as_people_write_it(typed: str, handle: str) -> None:
    assert bluesky.clean_server(typed) == handle


@pytest.mark.parametrize("typed", ["", "jane", "jane@bsky.social", "10.0.0.1", "a b.org", "x" * 300 + ".org", "jane_.bsky.social"])
def test_what_is_no_handle_is_refused(typed: str) -> None:
    with pytest.raises(Invalid) as refused:
        bluesky.clean_server(typed)

    assert list(refused.value.fields) == ["server"]


def answer(status: int, body: object = None, **headers: str) -> Response:
    return Response(status, {name.replace("_", "-"): value for name, value in headers.items()}, json.dumps(body or {}).encode())


def problem(status: int, code: str) -> Response:
    return answer(status, {"error": code, "message": f"{code}."})


@pytest.mark.parametrize(
    ("response", "kind", "renew"),
    [
        (answer(200, {"uri": f"at://{DID}/app.bsky.feed.post/3k2", "cid": "b"}), "posted", False),
        (Response(200, {}, b"<html>"), "posted", False),
        (problem(400, "ExpiredToken"), "retry", True),
        (problem(400, "InvalidToken"), "retry", True),
        (problem(401, "AuthMissing"), "reconnect", False),
        (problem(401, "AuthenticationRequired"), "reconnect", False),
        (problem(400, "AccountDeactivated"), "reconnect", False),
        (problem(400, "InvalidRequest"), "refused", False),
        (problem(400, "InvalidSwap"), "refused", False),
        (problem(403, "AccountTakedown"), "refused", False),
        (problem(413, "PayloadTooLarge"), "refused", False),
        (problem(429, "RateLimitExceeded"), "retry", False),
        (problem(500, "InternalServerError"), "uncertain", False),
        (answer(502), "uncertain", False),
        (Response(503, {}, b"<html>"), "uncertain", False),
    ],
)
def test_answers_mean_what_the_network_says(response: Response, kind: str, renew: bool) -> None:
    verdict = bluesky.classify(response, now=0.0)

    assert (verdict.kind, verdict.renew) == (kind, renew)


@pytest.mark.parametrize(
    ("response", "kind"),
    [
        (problem(401, "AuthenticationRequired"), "reconnect"),
        (problem(401, "AuthFactorTokenRequired"), "reconnect"),
        (problem(400, "AccountTakedown"), "reconnect"),
        (problem(429, "RateLimitExceeded"), "retry"),
        (problem(500, "InternalServerError"), "retry"),
        (Response(200, {}, b"<html>"), "retry"),
    ],
)
def test_session_that_is_refused_is_an_outcome(response: Response, kind: str) -> None:
    found = bluesky.bearer(response, now=0.0)

    assert not isinstance(found, str)
    assert found.kind == kind


def test_session_gives_the_bearer() -> None:
    assert bluesky.bearer(answer(200, {"accessJwt": "a.b.c", "did": DID}), now=0.0) == "a.b.c"


def test_wait_is_until_the_limit_resets() -> None:
    assert bluesky.classify(answer(429, ratelimit_reset="120"), now=30.0).wait_s == 90.0
    assert bluesky.classify(answer(429, ratelimit_reset="soon"), now=30.0).wait_s == 300.0


def test_post_is_led_to_by_its_page() -> None:
    found = bluesky.classify(answer(200, {"uri": f"at://{DID}/app.bsky.feed.post/3k2"}), now=0.0)

    assert found.url == f"https://bsky.app/profile/{DID}/post/3k2"


def made(text: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(bluesky.key(text, DID, at=AT))
    return found


def test_key_is_the_whole_request_made_once(towns: StandIns) -> None:
    key = bluesky.key("Räume 🌱 https://example.org/a?b=c.", DID, at=AT)
    request = bluesky.request(Post("pds-01.test", "unused", key), "bearer")

    assert request.body.decode() == key
    whole = json.loads(key)
    assert whole["record"]["createdAt"] == "2027-02-10T13:30:00.000Z"
    assert (whole["repo"], whole["collection"]) == (DID, "app.bsky.feed.post")
    assert bluesky_records.TID.fullmatch(whole["rkey"])
    assert bluesky_records.wrong(whole["record"]) is None
    assert dict(request.headers)["Authorization"] == "Bearer bearer"


def test_other_words_get_another_record_key(towns: StandIns) -> None:
    first = bluesky.key("One.", DID, at=AT)
    second = json.loads(bluesky.renewed(first, "Two.", at=AT))

    assert second["record"]["text"] == "Two."
    assert second["repo"] == DID
    assert second["rkey"] != json.loads(first)["rkey"]


def test_record_keys_sort_by_the_moment(towns: StandIns) -> None:
    later = datetime(2027, 2, 10, 13, 31, tzinfo=UTC)

    assert made("x")["rkey"] < json.loads(bluesky.key("x", DID, at=later))["rkey"]  # type: ignore[operator]


def test_facets_are_places_in_the_bytes() -> None:
    text = "Für @jane.bsky.social: (https://example.org/ä), nicht @nobody.example und mail@example.org"
    known = {"jane.bsky.social": DID}

    found = list(bluesky.facets(text, known.get))

    whole = text.encode()
    marked = {whole[one["index"]["byteStart"] : one["index"]["byteEnd"]].decode(): one["features"][0] for one in found}
    assert marked == {
        "https://example.org/ä": {"$type": "app.bsky.richtext.facet#link", "uri": "https://example.org/ä"},
        "@jane.bsky.social": {"$type": "app.bsky.richtext.facet#mention", "did": DID},
    }


def test_mention_is_not_looked_for_within_a_link() -> None:
    found = list(bluesky.facets("https://example.org/@jane.bsky.social", lambda _: DID))

    assert [one["features"][0]["$type"] for one in found] == ["app.bsky.richtext.facet#link"]


def test_account_is_found_from_its_handle(towns: StandIns) -> None:
    found = atproto.identify("ada.pds-01.test")

    assert found.did.startswith("did:plc:")
    assert (found.handle, found.pds) == ("ada.pds-01.test", "pds-01.test")


def test_account_is_found_from_its_own_site(towns: StandIns) -> None:
    """The resolver does not know it; /.well-known/atproto-did does, and its DID is a did:web."""
    found = atproto.identify("pds-02.test")

    assert (found.did, found.pds) == ("did:web:pds-02.test", "pds-02.test")


def test_handle_of_nobody_is_refused(towns: StandIns) -> None:
    with pytest.raises(Invalid) as refused:
        atproto.identify("nobody.invalid")

    assert list(refused.value.fields) == ["server"]


def test_app_password_is_asked_whose_it_is(towns: StandIns) -> None:
    password = towns.token("pds-01.test", "ada")

    found = bluesky.account("ada.pds-01.test", f" {password} ")

    assert (found.handle, found.server) == ("@ada.pds-01.test", "pds-01.test")
    assert json.loads(found.permission) == {"did": found.id, "password": password}
    assert password not in repr(found)
    with pytest.raises(Invalid) as refused:
        bluesky.account("eve.pds-01.test", password)
    assert list(refused.value.fields) == ["token"]


def test_server_that_is_too_busy_to_ask_is_no_mistake_of_the_supporter(towns: StandIns) -> None:
    from chalicelib.errors import Unavailable

    towns.world.faults.add("pds-01.test", Fault("throttle", times=1, on="session"))
    with pytest.raises(Unavailable):
        bluesky.account("ada.pds-01.test", towns.token("pds-01.test", "ada"))
