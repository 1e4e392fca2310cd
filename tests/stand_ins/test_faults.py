"""What the stand-ins do when they are told to misbehave: the worker's own tests rest on it."""

from __future__ import annotations

import http.client
import time
from pathlib import Path

import pytest

from infra.stand_ins import StandIns, serve
from infra.stand_ins.faults import Fault, Kind, parsed
from infra.stand_ins.server import PortBusy
from tests.stand_ins.conftest import TOWN, Client


def test_a_fault_meets_as_many_posts_as_it_was_told(client: Client, stand_ins: StandIns) -> None:
    stand_ins.world.faults.add(TOWN, Fault("fail", times=2, status=503))

    assert [client.publish("x").status for _ in range(3)] == [503, 503, 200]
    assert client.publish("x", host="town-02.test").status == 200
    assert [post.published for post in stand_ins.posts] == [False, False, True, True]


def test_throttled_is_429_with_the_time_to_wait_for(client: Client, stand_ins: StandIns) -> None:
    stand_ins.world.faults.add("*", Fault("throttle", times=1))

    answer = client.publish("x")

    assert answer.status == 429
    assert "X-RateLimit-Reset" in answer.headers


def test_an_error_after_publishing_is_found_again_by_its_key(client: Client, stand_ins: StandIns) -> None:
    stand_ins.world.faults.add(TOWN, Fault("fail_after", times=1, status=502))

    assert client.publish("x", key="k").status == 502
    assert client.publish("x", key="k").status == 200
    assert [post.published for post in stand_ins.posts] == [True, False]


@pytest.mark.parametrize(("kind", "published"), [("hang_after", True), ("hang", False)])
def test_hanging_gives_no_answer(client: Client, stand_ins: StandIns, kind: Kind, published: bool) -> None:
    stand_ins.world.faults.add(TOWN, Fault(kind, times=1))
    client.connection(TOWN).timeout = 0.2

    client.connection(TOWN).connect()
    client.connection(TOWN).sock.settimeout(0.2)
    with pytest.raises(TimeoutError):
        client.publish("x", key="k")
    client.connections.pop(TOWN).close()

    assert (stand_ins.posts[0].published, stand_ins.posts[0].status) == (published, None)
    assert client.publish("x", key="k").status == 200
    assert stand_ins.posts[1].published is not published


def test_a_dropped_connection_may_have_published(client: Client, stand_ins: StandIns) -> None:
    stand_ins.world.faults.add(TOWN, Fault("drop_after", times=1))

    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        client.publish("x", key="k")

    assert stand_ins.posts[0].published
    assert client.publish("x", key="k").status == 200


def test_a_fault_can_be_for_one_account(client: Client, stand_ins: StandIns) -> None:
    stand_ins.world.faults.add(TOWN, Fault("fail", account="ada"))

    assert client.publish("x", name="grace").status == 200
    assert client.publish("x", name="ada").status == 503


def test_a_wrong_fault_says_what_is_wrong() -> None:
    with pytest.raises(ValueError, match="kind: one of throttle"):
        parsed({"kind": "explode"})
    with pytest.raises(ValueError, match="times"):
        parsed({"kind": "hang", "times": 0})


def test_an_idle_connection_is_closed_even_before_its_first_request(certificates: Path) -> None:
    with serve(certificates, count=1, idle_s=0.2) as running:
        client = Client(running)
        client.connection(TOWN).connect()

        assert client.connection(TOWN).sock.recv(1) == b""

        client.close()
        assert client.publish("x").status == 200
        time.sleep(0.1)
        assert client.publish("y").status == 200, "an answer starts the time again"
        assert running.posts[0].connection == running.posts[1].connection
        client.close()


def test_a_busy_port_is_named(certificates: Path, stand_ins: StandIns) -> None:
    busy = stand_ins.ports[TOWN]

    with pytest.raises(PortBusy, match=f"Port {busy} .*already in use"), serve(certificates, count=1, first_port=busy):
        pass
