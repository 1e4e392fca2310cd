"""The demonstration's client: what it repeats, and what it passes on."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest

from infra.demo import site
from infra.demo.site import Refused, Site


class Scripted(BaseHTTPRequestHandler):
    """Answers with the statuses of its script, the last one again and again."""

    protocol_version = "HTTP/1.1"
    script: ClassVar[list[int]] = []
    seen: ClassVar[list[tuple[str, str | None]]] = []

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.seen.append((self.path, self.headers.get("Authorization")))
        status = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        body = json.dumps({"error": "closed"} if status >= 400 else {"ok": True}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr(site, "_PAUSES_S", (0.0, 0.0, 0.0))
    Scripted.seen.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Scripted) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        found = Site(f"http://127.0.0.1:{server.server_address[1]}/api/")
        yield found
        found.close()
        server.shutdown()
        thread.join()


def test_a_failure_of_the_server_is_tried_again(answering: Site) -> None:
    Scripted.script = [502, 500, 200]

    assert answering.ask("POST", "/v1/x", {}, token="t") == {"ok": True}
    assert Scripted.seen == [("/api/v1/x", "Bearer t")] * 3


def test_a_refusal_is_passed_on_at_once(answering: Site) -> None:
    Scripted.script = [409]

    with pytest.raises(Refused, match="POST /v1/x: 409") as refused:
        answering.ask("POST", "/v1/x", {})

    assert (refused.value.status, refused.value.code, len(Scripted.seen)) == (409, "closed", 1)
