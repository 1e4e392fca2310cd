"""The public JSON API as a program uses it, and the local desk's control API. A connection for each thread, kept open."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

TRIES = 4
_PAUSES_S = (0.2, 0.5, 1.0)
_TIMEOUT_S = 40.0


class Refused(Exception):
    """The site said no; `status` and the body say why."""

    def __init__(self, method: str, path: str, status: int, body: Any) -> None:
        super().__init__(f"{method} {path}: {status} {json.dumps(body)[:500]}")
        self.status = status
        self.body = body

    @property
    def code(self) -> str:
        return str(self.body.get("error", "")) if isinstance(self.body, dict) else ""


class Unreachable(Exception):
    """No answer, several times."""


@dataclass(slots=True)
class Timings:
    """How long the requests took, by what was asked, in seconds."""

    by_route: dict[str, list[float]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, route: str, seconds: float) -> None:
        with self.lock:
            self.by_route.setdefault(route, []).append(seconds)


class Site:
    """`address` ends where the API's own paths begin."""

    def __init__(self, address: str) -> None:
        self._url = urlsplit(address.rstrip("/"))
        self._own = threading.local()
        self.timings = Timings()

    def ask(self, method: str, path: str, body: Any = None, *, token: str | None = None, route: str | None = None, key: str = "") -> Any:
        """The answer's JSON. A 5xx or a broken connection is tried again: every request of the API is safe to repeat.
        Raises `Refused` and `Unreachable`."""
        headers = {"Content-Type": "application/json", "Accept": "application/json", "Host": self._url.netloc}
        headers |= {"Authorization": f"Bearer {token}"} if token else {}
        headers |= {"Idempotency-Key": key} if key else {}
        begun = time.perf_counter()
        status, found = self._tried(method, self._url.path + path, json.dumps(body).encode() if body is not None else None, headers)
        self.timings.add(f"{method} {route or path}", time.perf_counter() - begun)
        if status >= 400:
            raise Refused(method, path, status, found)
        return found

    def _tried(self, method: str, target: str, body: bytes | None, headers: dict[str, str]) -> tuple[int, Any]:
        problem: Exception | None = None
        for pause in (*_PAUSES_S, None):
            try:
                status, found = self._once(method, target, body, headers)
            except (OSError, http.client.HTTPException) as error:
                self.close()
                problem = error
            else:
                if status < 500 or pause is None:
                    return status, found
            if pause is not None:
                time.sleep(pause)
        raise Unreachable(f"{method} {target}: {problem!r}")

    def _once(self, method: str, target: str, body: bytes | None, headers: dict[str, str]) -> tuple[int, Any]:
        connection = self._connection()
        connection.request(method, target, body, headers)
        with connection.getresponse() as answer:
            data = answer.read()
        try:
            return answer.status, json.loads(data) if data else None
        except ValueError:
            return answer.status, data.decode(errors="replace")

    def _connection(self) -> http.client.HTTPConnection:
        found: http.client.HTTPConnection | None = getattr(self._own, "connection", None)
        if found is None or found.sock is None:
            kind = http.client.HTTPSConnection if self._url.scheme == "https" else http.client.HTTPConnection
            found = self._own.connection = kind(self._host(), self._url.port, timeout=_TIMEOUT_S)
            found.connect()
            # Head and body are two writes, and the second would wait for the first to be acknowledged.
            found.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return found

    def _host(self) -> str:
        """Names under localhost are this machine: https://www.rfc-editor.org/rfc/rfc6761#section-6.3"""
        name = self._url.hostname or ""
        return "127.0.0.1" if name.endswith(".localhost") else name

    def close(self) -> None:
        """Closes this thread's connection; the next request opens another."""
        found: http.client.HTTPConnection | None = getattr(self._own, "connection", None)
        if found is not None:
            found.close()
        self._own.connection = None
