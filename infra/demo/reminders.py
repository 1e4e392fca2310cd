"""Whether everybody who asked to be reminded got one e-mail at the moment, and by it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

_SUBJECT = "Now: post for"


def complaints(reminded: Sequence[str], letters: Iterable[Mapping[str, Any]], report: Mapping[str, Any], *, at: float) -> list[str]:
    """What does not hold. `letters` as the desk tells of them; `at`: the moment, in epoch seconds."""
    found = [letter for letter in letters if str(letter["subject"]).startswith(_SUBJECT)]
    got = Counter(address for letter in found for address in letter["to"])
    wrong = [
        (len(set(reminded) - set(got)), "people were not reminded"),
        (sum(1 for count in got.values() if count > 1), "people were reminded twice"),
        (len(set(got) - set(reminded)), "people were reminded who had not asked for it"),
        (sum(1 for letter in found if letter["sent"] is not None and letter["sent"] > at), "reminders came after the moment"),
        (abs(int(report["reminders"]["made"]) - len(reminded)), "reminders are not what the launch report says"),
    ]
    return [f"{count} {what}" for count, what in wrong if count]
