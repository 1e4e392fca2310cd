"""What a client of a real Mastodon server may rely on, and must be ready for."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest

from infra.stand_ins import StandIns, tokens
from tests.stand_ins.conftest import TOWN, Client

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def test_a_post_is_published_byte_for_byte(client: Client, stand_ins: StandIns) -> None:
    text = "Räume für alle 🌱 <b>&amp; “mehr”\nhttps://example.org/a?b=c"

    answer = client.publish(text, key="k1")

    assert answer.status == 200
    assert answer.json["account"]["acct"] == "ada"
    assert [(post.account, post.key, post.text, post.published) for post in stand_ins.posts] == [("ada", "k1", text, True)]
    assert client.ask("GET", f"/api/v1/statuses/{answer.json['id']}").json == answer.json


def test_json_and_forms_are_both_read(client: Client, stand_ins: StandIns) -> None:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {stand_ins.token(TOWN, 'ada')}"}

    answer = client.ask("POST", "/api/v1/statuses", body=json.dumps({"status": "héllo"}).encode(), headers=headers)

    assert (answer.status, stand_ins.posts[0].text) == (200, "héllo")


def test_the_same_key_gives_the_same_post_and_publishes_once(client: Client, stand_ins: StandIns) -> None:
    first = client.publish("one", key="same")
    again = client.publish("one", key="same")
    other_account = client.publish("one", key="same", name="grace")
    other_host = client.publish("one", key="same", host="town-02.test")
    without = client.publish("one")

    assert again.json == first.json
    assert len({answer.json["id"] for answer in (first, other_account, other_host, without)}) == 4
    assert [post.published for post in stand_ins.posts] == [True, False, True, True, True]


def test_a_key_is_forgotten_after_an_hour(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infra.stand_ins.mastodon.KEY_KEPT_S", 0)

    assert client.publish("one", key="same").json["id"] != client.publish("one", key="same").json["id"]


@pytest.mark.parametrize("token", ["", "nonsense", "ada.1." + "0" * 32, tokens.mint("town-02.test", "ada")])
def test_a_token_that_is_not_good_here_is_401(client: Client, token: str) -> None:
    answer = client.ask("POST", "/api/v1/statuses", body=b"status=x", headers=FORM | {"Authorization": f"Bearer {token}"})

    assert (answer.status, answer.json) == (401, {"error": "The access token is invalid"})


def test_without_any_token_nothing_is_published(client: Client) -> None:
    assert client.ask("POST", "/api/v1/statuses", body=b"status=x", headers=FORM).status == 401
    assert client.ask("GET", "/api/v1/accounts/verify_credentials").status == 401


def test_a_revoked_token_is_401_and_the_next_one_is_good(client: Client, stand_ins: StandIns) -> None:
    first, app = stand_ins.token(TOWN, "ada"), tokens.client(TOWN)
    asked = {"client_id": app.id, "client_secret": app.secret, "token": first}

    revoked = client.ask("POST", "/oauth/revoke", body=urlencode(asked).encode(), headers=FORM)

    assert (revoked.status, revoked.json) == (200, {})
    assert client.publish("x", token=first).status == 401
    assert client.publish("x", token=stand_ins.token(TOWN, "ada", 2)).status == 200


def test_only_the_application_can_revoke(client: Client, stand_ins: StandIns) -> None:
    token = stand_ins.token(TOWN, "ada")
    asked = {"client_id": "x", "client_secret": "y", "token": token}

    refused = client.ask("POST", "/oauth/revoke", body=urlencode(asked).encode(), headers=FORM)

    assert (refused.status, refused.json["error"]) == (403, "unauthorized_client")
    assert client.publish("x", token=token).status == 200


@pytest.mark.parametrize("text", ["", "  \n "], ids=["empty", "blank"])
def test_an_empty_post_is_refused(client: Client, text: str) -> None:
    answer = client.publish(text)

    assert (answer.status, answer.json) == (422, {"error": "Validation failed: Text can't be blank"})


def test_length_is_the_instance_s_own_limit(client: Client) -> None:
    limit = client.ask("GET", "/api/v2/instance").json["configuration"]["statuses"]

    assert limit["max_characters"] == 500
    assert limit["characters_reserved_per_url"] == 23
    assert client.publish("x" * 500).status == 200
    assert client.publish("x" * 501).json == {"error": "Validation failed: Text character limit of 500 exceeded"}
    assert client.publish("x" * 476 + " https://example.org/" + "a" * 200).status == 200
    assert client.publish("x" * 477 + " https://example.org/").status == 422


@pytest.mark.parametrize(("name", "value"), [("visibility", "secret"), ("scheduled_at", "2030-01-01T00:00:00Z"), ("media_ids[]", "1")])
def test_what_it_cannot_do_is_refused_rather_than_ignored(client: Client, name: str, value: str) -> None:
    assert client.publish("x", **{name: value}).status == 422


def test_a_body_that_cannot_be_read_is_400(client: Client, stand_ins: StandIns) -> None:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {stand_ins.token(TOWN, 'ada')}"}

    assert client.ask("POST", "/api/v1/statuses", body=b"{", headers=headers).status == 400


def test_300_requests_in_five_minutes_and_no_more(client: Client, stand_ins: StandIns, monkeypatch: pytest.MonkeyPatch) -> None:
    # A window of a day, so that the test does not stand across the end of one.
    monkeypatch.setattr(stand_ins.world.limits, "period_s", 86_400)
    answers = [client.publish(f"{n}", name=f"person{n % 2}") for n in range(301)]

    assert {answer.status for answer in answers[:300]} == {200}
    assert [answers[n].headers["X-RateLimit-Remaining"] for n in (0, 1, 298, 299)] == ["299", "298", "1", "0"]
    refused = answers[300]
    assert (refused.status, refused.json) == (429, {"error": "Too many requests"})
    assert (refused.headers["X-RateLimit-Limit"], refused.headers["X-RateLimit-Remaining"]) == ("300", "0")
    assert datetime.fromisoformat(refused.headers["X-RateLimit-Reset"]) > datetime.now(UTC)
    assert client.publish("elsewhere", host="town-02.test").status == 200


def test_a_host_answers_to_its_own_name_only(client: Client) -> None:
    assert client.ask("GET", "/api/v2/instance", headers={"Host": "evil.example"}).status == 403


def test_an_unknown_path_is_an_error_in_json(client: Client) -> None:
    answer = client.ask("GET", "/api/v1/nothing")

    assert (answer.status, list(answer.json)) == (404, ["error"])


def test_every_request_is_stamped_when_it_came(client: Client, stand_ins: StandIns) -> None:
    before = time.time_ns()
    client.publish("one", key="a")
    between = time.time_ns()
    client.publish("two", key="b")
    client.publish("three", host="town-02.test")
    after = time.time_ns()

    one, two, three = stand_ins.posts
    assert before < one.at_ns < between < two.at_ns < three.at_ns < after
    assert one.connection == two.connection != three.connection
    assert [post.host for post in (one, two, three)] == [TOWN, TOWN, "town-02.test"]
