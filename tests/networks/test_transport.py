"""Outbound requests reach public servers only, and a failure says whether anything can have been posted."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from typing import Any

import pytest

from chalicelib import settings
from chalicelib.errors import Invalid, Unavailable
from chalicelib.networks import transport
from chalicelib.networks.base import Request
from chalicelib.networks.transport import Connection, NotSent, Uncertain
from infra.stand_ins import StandIns, serve
from infra.stand_ins.faults import Fault


def get(host: str) -> Request:
    return Request(host, "GET", "/api/v2/instance", ())


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.1.2.3", "192.168.0.1", "169.254.169.254", "::1", "fe80::1", "fc00::1", "0.0.0.0", "::ffff:10.0.0.1"]
)
def test_name_that_leads_inside_is_refused(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    """Also where only one of several addresses is internal, as a rebinding name server would answer."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET

    async def resolved(*_: Any, **__: Any) -> list[Any]:
        return [(socket.AF_INET, 1, 6, "", ("93.184.215.14", 443)), (family, 1, 6, "", (address, 443))]

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", resolved)
    with pytest.raises(Invalid) as refused:
        transport.fetch(get("rebinding.example.org"))

    assert list(refused.value.fields) == ["server"]


def test_name_that_nobody_has_is_the_persons_to_correct(monkeypatch: pytest.MonkeyPatch) -> None:
    async def unknown(*_: Any, **__: Any) -> list[Any]:
        raise socket.gaierror

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", unknown)
    with pytest.raises(Invalid) as refused:
        transport.fetch(get("nowhere.example.org"))

    assert list(refused.value.fields) == ["server"]


def test_server_that_is_down_is_no_mistake_of_the_person(towns: StandIns, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        monkeypatch.setenv("STAND_INS", f"town-01.test=127.0.0.1:{nobody.getsockname()[1]}")
        settings.current.cache_clear()
        with pytest.raises(Unavailable):
            transport.fetch(get("town-01.test"))
    settings.current.cache_clear()


def test_stand_in_answers_over_tls_that_is_checked(towns: StandIns) -> None:
    assert transport.fetch(get("town-01.test")).status == 200


def test_certificate_that_is_not_trusted_is_refused(towns: StandIns, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    transport._tls.cache_clear()

    with pytest.raises(NotSent):
        asyncio.run(transport.exchange(get("town-01.test")))


def test_idle_connection_that_was_closed_is_noticed_before_sending(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        connection = Connection(get("town-01.test"))
        await connection.open()
        assert connection.is_open
        await asyncio.sleep(0.5)
        assert not connection.is_open
        with pytest.raises(NotSent):
            connection.send()
        await connection.open()
        connection.send()
        assert (await connection.answer()).status == 200
        connection.close()

    with serve(tmp_path, count=1, idle_s=0.2) as running:
        monkeypatch.setenv("STAND_INS", running.setting)
        monkeypatch.setenv("SSL_CERT_FILE", str(running.ca))
        settings.current.cache_clear()
        transport._tls.cache_clear()
        asyncio.run(run())
    settings.current.cache_clear()
    transport._tls.cache_clear()


def test_lost_answer_is_uncertain(towns: StandIns) -> None:
    towns.world.faults.add("town-01.test", Fault("drop_after"))
    headers = (("Authorization", f"Bearer {towns.token('town-01.test', 'ann')}"), ("Content-Type", "application/json"))

    with pytest.raises(Uncertain):
        asyncio.run(transport.exchange(Request("town-01.test", "POST", "/api/v1/statuses", headers, b'{"status":"x"}')))
