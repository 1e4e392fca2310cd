"""What a function loads before its first answer, out of the unpacked package. How long that takes: `make bench-cold`."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.util import cache_from_source, source_hash
from pathlib import Path

import pytest

from tests.deploy import cold


class _NothingThere(BaseHTTPRequestHandler):
    """DynamoDB, when no item is found, one was asked for or several."""

    answer = b'{"Responses": {}, "UnprocessedKeys": {}}'

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.answer)))
        self.end_headers()
        self.wfile.write(self.answer)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def environment() -> Iterator[dict[str, str]]:
    with HTTPServer(("127.0.0.1", 0), _NothingThere) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_address[1]}"
        keys = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "eu-west-2"}
        yield {"STAGE": "local", "AWS_ENDPOINT_URL": address, **keys}
        server.shutdown()


def test_api_answers_a_page_without_loading_the_worker_or_what_only_grants_need(unpacked: Path, environment: dict[str, str]) -> None:
    answer = cold.start(unpacked, "app", cold.page("/c/nothing-here", "nothing-here"), environment)

    cold.check("app", answer, status=404)
    assert "jinja2" in answer["loaded"]


def test_worker_drops_a_message_without_loading_templates(unpacked: Path, environment: dict[str, str]) -> None:
    answer = cold.start(unpacked, "release", cold.message(), environment)

    cold.check("release", answer)
    assert "chalicelib.release" in answer["loaded"]


def test_bytecode_is_shipped_with_every_module_and_fits_its_source(unpacked: Path) -> None:
    sources = [path for path in unpacked.rglob("*.py") if "dist-info" not in str(path) and ".data" not in str(path)]
    without = [path for path in sources if not Path(cache_from_source(str(path))).exists()]

    assert not without
    assert all(Path(cache_from_source(str(path))).read_bytes()[8:16] == source_hash(path.read_bytes()) for path in sources)
