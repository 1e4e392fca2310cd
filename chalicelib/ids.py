"""The one seam through which randomness and ids come in."""

from __future__ import annotations

import secrets
from datetime import datetime

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32, lower case: https://www.crockford.com/base32.html


def _base32(number: int, length: int) -> str:
    return "".join(_ALPHABET[(number >> 5 * place) & 31] for place in reversed(range(length)))


def ordered(now: datetime) -> str:
    """26 characters that sort by time: 48 bits of milliseconds, 80 random bits (ULID: https://github.com/ulid/spec)."""
    return _base32(milliseconds(now), 10) + _base32(secrets.randbits(80), 16)


def short() -> str:
    """10 random characters, 50 bits: for things of which there are few."""
    return _base32(secrets.randbits(50), 10)


def token() -> str:
    """256 random bits, URL-safe: for what only its holder may know."""
    return secrets.token_urlsafe(32)


def code() -> str:
    """Six digits."""
    return f"{secrets.randbelow(1_000_000):06d}"


def number(bits: int) -> int:
    """So many random bits."""
    return secrets.randbits(bits)


def milliseconds(now: datetime) -> int:
    return int(now.timestamp() * 1000)
