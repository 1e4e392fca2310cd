"""The clock's error, asked of a server that tells the time; nonsense is not believed."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from chalicelib import ntp

Answer = Callable[[bytes], bytes]


def told(request: bytes, *, ahead_s: float = 0.0, first: int = 0x24, stratum: int = 2, origin: bytes | None = None) -> bytes:
    """An answer of a server whose clock is `ahead_s` ahead of ours."""
    now = ntp._stamp(time.time() + ahead_s)
    dispersion = 2**16 // 1000  # one millisecond
    return struct.pack(ntp._FORMAT, first, stratum, 0, 0, 0, dispersion, b"", now, origin or request[40:48], now, now)


@contextmanager
def serving(answer: Answer) -> Iterator[str]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(0.05)
        ended = threading.Event()

        def serve() -> None:
            while not ended.is_set():
                try:
                    request, whom = server.recvfrom(512)
                except TimeoutError:
                    continue
                server.sendto(answer(request), whom)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        ended.set()
        thread.join()


@pytest.mark.parametrize("ahead_s", [0.0, 0.25, -3.5])
def test_offset_is_what_our_clock_lacks_within_the_error(ahead_s: float) -> None:
    with serving(lambda request: told(request, ahead_s=ahead_s)) as server:
        found = ntp.measure(server)

    assert found is not None
    assert abs(found.offset_ms - ahead_s * 1000) <= found.error_ms
    assert found.error_ms >= 0.98


@pytest.mark.parametrize(
    "answer",
    [
        lambda request: told(request, stratum=0),
        lambda request: told(request, first=0xE4),
        lambda request: told(request, first=0x23),
        lambda request: told(request, origin=b"of-other"),
        lambda request: b"short",
    ],
    ids=["kiss of death", "not in step", "no server", "answer to another", "too short"],
)
def test_answer_that_says_nothing_is_not_believed(answer: Answer) -> None:
    with serving(answer) as server:
        assert ntp.measure(server) is None


def test_error_is_unknown_without_a_server_or_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ntp, "TIMEOUT_S", 0.05)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        assert ntp.measure(f"127.0.0.1:{silent.getsockname()[1]}") is None
    assert ntp.measure("") is None
