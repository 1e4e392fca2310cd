"""What Mastodon's answers mean, and how it counts."""

from __future__ import annotations

import json

import pytest

from chalicelib.errors import Invalid
from chalicelib.networks import mastodon
from chalicelib.networks.base import Post, Response, Rules

RULES = Rules(limit=500, per_link=23)


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("", 0),
        ("hello", 5),
        ("héllo", 5),
        ("👩‍👩‍👧‍👦", 1),
        ("e\u0301", 1),
        ("see https://example.org/" + "x" * 300, 27),
        ("http://a.org", 23),
        ("thank you @jane@mastodon.social!", 16),
        ("write to jane@example.org", 25),
    ],
)
def test_length_is_counted_as_mastodon_counts(text: str, length: int) -> None:
    assert mastodon.length(text, RULES) == length


@pytest.mark.parametrize(
    ("typed", "host"),
    [
        ("mastodon.social", "mastodon.social"),
        (" https://Mastodon.Social/ ", "mastodon.social"),
        ("@jane@mastodon.social", "mastodon.social"),
        ("https://mastodon.social/@jane", "mastodon.social"),
    ],
)
def test_server_is_understood_as_people_write_it(typed: str, host: str) -> None:
    assert mastodon.clean_server(typed) == host


@pytest.mark.parametrize(
    "typed", ["", "mastodon", "localhost", "10.0.0.1", "[::1]", "a b.org", "mastodon.social:8080", "x" * 300 + ".org", "é.org"]
)
def test_server_is_refused_when_it_is_no_public_name(typed: str) -> None:
    with pytest.raises(Invalid):
        mastodon.clean_server(typed)


def answer(status: int, body: object = None, **headers: str) -> Response:
    return Response(status, {name.replace("_", "-"): value for name, value in headers.items()}, json.dumps(body or {}).encode())


@pytest.mark.parametrize(
    ("response", "kind"),
    [
        (answer(200, {"id": "1", "url": "https://a.org/@jane/1"}), "posted"),
        (answer(401, {"error": "The access token is invalid"}), "reconnect"),
        (answer(403, {"error": "This action is not allowed"}), "refused"),
        (answer(422, {"error": "Validation failed"}), "refused"),
        (answer(429, {"error": "Too many requests"}), "retry"),
        (answer(500), "uncertain"),
        (answer(503), "uncertain"),
        (Response(200, {}, b"<html>"), "posted"),
    ],
)
def test_answers_mean_what_the_documentation_says(response: Response, kind: str) -> None:
    assert mastodon.classify(response, now=0.0).kind == kind


def test_wait_is_until_the_limit_resets() -> None:
    limited = answer(429, x_ratelimit_reset="1970-01-01T00:02:00.000000Z")

    assert mastodon.classify(limited, now=30.0).wait_s == 90.0


def test_wait_is_a_whole_period_where_the_header_is_missing() -> None:
    assert mastodon.classify(answer(429), now=0.0).wait_s == 300.0


def test_request_carries_the_exact_text_and_the_key() -> None:
    request = mastodon.request(Post("a.org", 'Ünï "quoted"\n', "key-1"), "token")

    assert json.loads(request.body)["status"] == 'Ünï "quoted"\n'
    assert dict(request.headers)["Idempotency-Key"] == "key-1"
    assert "token" not in repr(request.body)
