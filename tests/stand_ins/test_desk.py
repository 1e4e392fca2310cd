"""The local desk: its pages and its control API."""

from __future__ import annotations

import asyncio
import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from infra.desk import server as desk
from infra.desk.places import Place
from infra.stand_ins import StandIns
from infra.stand_ins.server import PortBusy
from tests.stand_ins.conftest import TOWN, Client

MAIL = {
    "messages": {
        "000000000000": [
            {"To": ["a@example.org"], "Subject": "Your code", "BodyText": "Your code is 123456.", "Timestamp": "1"},
            {"To": ["b@example.org"], "Subject": "<i>News</i>", "BodyText": "No code in 2026.", "Timestamp": "2"},
        ]
    }
}


class SentMail(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = json.dumps(MAIL).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass


@pytest.fixture
def aws() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), SentMail) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.fixture
def base(stand_ins: StandIns, aws: str) -> Iterator[str]:
    """The address of a desk in a thread of its own."""
    ready, ended, ports, loops = threading.Event(), asyncio.Event(), list[int](), list[asyncio.AbstractEventLoop]()

    async def run() -> None:
        loops.append(asyncio.get_running_loop())
        async with desk.listening(Place(stand_ins.world, stand_ins.trust, aws), 0) as port:
            ports.append(port)
            ready.set()
            await ended.wait()

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    assert ready.wait(5)
    yield f"http://127.0.0.1:{ports[0]}"
    loops[0].call_soon_threadsafe(ended.set)
    thread.join()


def page(address: str) -> str:
    with urllib.request.urlopen(address, timeout=5) as answer:
        return str(answer.read().decode())


def send(address: str, body: dict[str, Any], method: str = "POST") -> tuple[int, Any]:
    request = urllib.request.Request(address, json.dumps(body).encode(), {"Content-Type": "application/json"}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


def test_the_feed_shows_what_came_and_runs_none_of_it(client: Client, base: str) -> None:
    client.publish("<script>alert(1)</script>", name="mallory")
    send(f"{base}/control/moment", {"at": "2026-11-24T13:30:00+00:00"})

    shown = page(f"{base}/")

    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown
    assert "<script" not in shown
    assert "@mallory" in shown
    assert "ms after the moment" in shown
    assert 'http-equiv="refresh"' in shown
    assert 'http-equiv="refresh"' not in page(f"{base}/?still")


def test_the_mail_page_shows_codes_newest_first(base: str) -> None:
    shown = page(f"{base}/mail")

    assert shown.index("b@example.org") < shown.index("a@example.org")
    assert '<b class="code">123456</b>' in shown
    assert "&lt;i&gt;News" in shown
    mine = json.loads(page(f"{base}/control/mail?to=a@example.org"))["messages"]
    assert [message["code"] for message in mine] == ["123456"]


def test_anyone_can_get_a_token_that_works(client: Client, base: str, stand_ins: StandIns) -> None:
    token = stand_ins.token(TOWN, "ada")

    assert token in page(f"{base}/tokens?host={TOWN}&name=@Ada")
    assert "is not a user name" in page(f"{base}/tokens?host={TOWN}&name=%3Cb%3E")
    status, minted = send(f"{base}/control/tokens", {"accounts": [{"host": TOWN, "name": "ada"}, {"host": "town-02.test", "name": "bo"}]})
    assert (status, minted["tokens"][0]) == (200, {"host": TOWN, "name": "ada", "token": token})
    assert client.publish("x", host="town-02.test", token=minted["tokens"][1]["token"]).status == 200


def test_arrivals_are_told_once_each(client: Client, base: str) -> None:
    client.publish("one", key="k")
    client.ask("GET", "/api/v2/instance")

    first = json.loads(page(f"{base}/control/arrivals"))
    client.publish("two")
    second = json.loads(page(f"{base}/control/arrivals?posts=1&since={first['next']}"))

    assert [arrival["path"] for arrival in first["arrivals"]] == ["/api/v1/statuses", "/api/v2/instance"]
    assert first["arrivals"][0] | {"text": "one", "key": "k", "published": True} == first["arrivals"][0]
    assert [arrival["text"] for arrival in second["arrivals"]] == ["two"]


def test_faults_are_set_and_cleared(client: Client, base: str) -> None:
    assert send(f"{base}/control/faults", {"host": TOWN, "kind": "fail", "status": 500})[0] == 201
    assert client.publish("x").status == 500
    assert send(f"{base}/control/faults", {}, "DELETE")[0] == 204
    assert client.publish("x").status == 200


def test_a_token_can_be_revoked(client: Client, base: str, stand_ins: StandIns) -> None:
    assert send(f"{base}/control/revoke", {"host": TOWN, "token": stand_ins.token(TOWN, "ada")})[0] == 204
    assert client.publish("x").status == 401


def test_clearing_forgets_what_came(client: Client, base: str, stand_ins: StandIns) -> None:
    client.publish("x")

    assert send(f"{base}/control/clear", {})[0] == 204
    assert stand_ins.arrivals == []


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        ("tokens", {}, "accounts: a list"),
        ("tokens", {"accounts": [{"host": TOWN, "name": "No!"}]}, "name: 'No!' is not a user name"),
        ("faults", {"host": "nowhere", "kind": "fail"}, "host: nowhere is none of"),
        ("faults", {"host": "*", "kind": "explode"}, "kind: one of"),
        ("moment", {"at": "soon"}, "at: a time with an offset"),
        ("moment", {"at": "2026-11-24T13:30:00"}, "at: the offset is missing"),
    ],
)
def test_what_the_control_api_cannot_do_it_says(base: str, path: str, body: dict[str, Any], said: str) -> None:
    status, answer = send(f"{base}/control/{path}", body)

    assert status == 400
    assert answer["error"].startswith(said)


def test_another_site_s_page_gets_nothing(base: str) -> None:
    for headers in ({"Host": "evil.example"}, {"Content-Type": "text/plain"}):
        request = urllib.request.Request(f"{base}/control/clear", b"{}", headers)
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=5)
        with refused.value:
            assert refused.value.code in (403, 415)


def test_a_busy_desk_port_is_named(base: str, stand_ins: StandIns) -> None:
    port = int(base.rpartition(":")[2])

    async def second() -> None:
        async with desk.listening(Place(stand_ins.world, stand_ins.trust, ""), port):
            pass

    with pytest.raises(PortBusy, match=f"Port {port} .the local desk."):
        asyncio.run(second())
