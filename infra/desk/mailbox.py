"""The e-mails that the embedded AWS pretends to have sent, with the sign-in code found in them."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import aiohttp

_CODE = re.compile(r"(?<![\d-])(\d{3}) ?(\d{3})(?![\d-])")
_WAIT = aiohttp.ClientTimeout(total=5)


class Unreachable(Exception):  # as in chalicelib.errors
    """The embedded AWS does not answer."""


@dataclass(frozen=True, slots=True)
class Message:
    """`sent` in epoch seconds, where the embedded AWS says it."""

    to: list[str]
    subject: str
    text: str
    at: str
    code: str | None
    sent: float | None = None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


async def newest_first(aws: str) -> list[Message]:
    """Every e-mail since the embedded AWS started. Raises `Unreachable`."""
    try:
        async with aiohttp.request("GET", f"{aws}/_ministack/ses/messages", timeout=_WAIT) as answer:
            found = await answer.json()
    except (aiohttp.ClientError, TimeoutError) as error:
        raise Unreachable(f"The embedded AWS at {aws} does not answer, so its e-mails cannot be read") from error
    return [_message(record) for records in found["messages"].values() for record in reversed(records)]


def _message(record: dict[str, Any]) -> Message:
    subject, text = str(record.get("Subject") or ""), str(record.get("BodyText") or record.get("BodyHtml") or "")
    code = _CODE.search(subject) or _CODE.search(text)
    return Message(
        list(record.get("To") or []), subject, text, _when(record.get("Timestamp")), code[1] + code[2] if code else None, _seconds(record)
    )


def _seconds(record: dict[str, Any]) -> float | None:
    try:
        return float(str(record.get("Timestamp")))
    except ValueError:
        return None


def _when(stamp: object) -> str:
    """The time of day here, or what was said where that is no number of seconds."""
    try:
        return f"{datetime.fromtimestamp(float(str(stamp)), UTC).astimezone():%H:%M:%S}"
    except ValueError:
        return str(stamp or "")
