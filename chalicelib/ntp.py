"""How far this machine's clock is from the true time, asked by SNTP: https://www.rfc-editor.org/rfc/rfc4330"""

from __future__ import annotations

import socket
import struct
import time
from dataclasses import dataclass

PORT, ASKED, TIMEOUT_S = 123, 3, 1.0
_SINCE_1900_S = 2_208_988_800
_CLIENT_V4 = 0x23
_HEAD, _FORMAT = 48, "!BBbb II4s 8s8s8s8s"


@dataclass(frozen=True, slots=True)
class Offset:
    """`offset_ms`: what our clock lacks to the server's; the true time is at most `error_ms` further away."""

    offset_ms: float
    error_ms: float


def measure(server: str) -> Offset | None:
    """The best of three answers of `server` (a name, or name:port); None without a server, or where none answers. Takes at
    most 3 s."""
    host, _, port = server.partition(":")
    found = [one for _ in range(ASKED if host else 0) if (one := _ask(host, int(port or PORT)))]
    return min(found, key=lambda one: one.error_ms, default=None)


def _ask(host: str, port: int) -> Offset | None:
    request = struct.pack(_FORMAT, _CLIENT_V4, 0, 0, 0, 0, 0, b"", b"", b"", b"", _stamp(time.time()))
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            asking.settimeout(TIMEOUT_S)
            asking.connect((host, port))
            sent = time.time()
            asking.send(request)
            answer = asking.recv(512)
            received = time.time()
    except OSError:
        return None
    return _offset(answer, request[40:48], sent, received)


def _offset(answer: bytes, asked: bytes, sent: float, received: float) -> Offset | None:
    """Offset and bound: half of the way there and back, and the server's own distance from its source (RFC 5905, 11.3)."""
    if len(answer) < _HEAD:
        return None
    first, stratum, _, _, delay, dispersion, _, _, origin, there, back = struct.unpack(_FORMAT, answer[:_HEAD])
    if first & 7 != 4 or first >> 6 == 3 or not 1 <= stratum <= 15 or origin != asked:
        return None  # no answer to us, a server that is not in step itself, or a kiss of death
    arrived, left = _seconds(there), _seconds(back)
    offset = ((arrived - sent) + (left - received)) / 2
    error = ((received - sent) - (left - arrived)) / 2 + delay / 2**17 + dispersion / 2**16
    return Offset(round(offset * 1000, 3), round(max(0.0, error) * 1000, 3))


def _stamp(seconds: float) -> bytes:
    whole = int(seconds)
    return struct.pack("!II", (whole + _SINCE_1900_S) % 2**32, int((seconds - whole) * 2**32))


def _seconds(stamp: bytes) -> float:
    whole, fraction = struct.unpack("!II", stamp)
    return float(whole - _SINCE_1900_S + (2**32 if whole < _SINCE_1900_S else 0)) + float(fraction) / 2**32
