"""Three stand-in towns on free ports, fresh for each test but for the certificates, and a client that speaks plain HTTP."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from infra.stand_ins import StandIns, serve

TOWN = "town-01.test"


@dataclass
class Answer:
    status: int
    headers: Mapping[str, str]
    json: Any


class LocalConnection(http.client.HTTPSConnection):
    """Goes to loopback, while the certificate and the Host header keep the town's name."""

    def __init__(self, host: str, port: int, context: ssl.SSLContext) -> None:
        super().__init__(host, port, context=context, timeout=5)
        self._trust = context

    def connect(self) -> None:
        plain = socket.create_connection(("127.0.0.1", self.port), 5)
        # Head and body are two writes here, and the second would wait for the first to be acknowledged.
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = self._trust.wrap_socket(plain, server_hostname=self.host)


@dataclass
class Client:
    """One connection a town, kept open."""

    stand_ins: StandIns
    connections: dict[str, LocalConnection] = field(default_factory=dict)

    def connection(self, host: str) -> LocalConnection:
        if host not in self.connections:
            context = ssl.create_default_context(cafile=str(self.stand_ins.ca))
            self.connections[host] = LocalConnection(host, self.stand_ins.ports[host], context)
        return self.connections[host]

    def ask(self, method: str, path: str, *, host: str = TOWN, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
        connection = self.connection(host)
        connection.request(method, path, body or None, dict(headers or {}))
        with connection.getresponse() as answer:
            return Answer(answer.status, dict(answer.headers), json.loads(answer.read() or b"null"))

    def publish(self, text: str, *, name: str = "ada", host: str = TOWN, key: str = "", token: str | None = None, **more: str) -> Answer:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        headers["Authorization"] = f"Bearer {token or self.stand_ins.token(host, name)}"
        if key:
            headers["Idempotency-Key"] = key
        return self.ask("POST", "/api/v1/statuses", host=host, body=urlencode({"status": text, **more}).encode(), headers=headers)

    def close(self) -> None:
        for connection in self.connections.values():
            connection.close()


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture
def stand_ins(certificates: Path) -> Iterator[StandIns]:
    with serve(certificates) as running:
        yield running


@pytest.fixture
def client(stand_ins: StandIns) -> Iterator[Client]:
    client = Client(stand_ins)
    yield client
    client.close()
