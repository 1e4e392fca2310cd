"""How long Mastodon finds a text: every link counts 23, of a mention only the user's part, and what a reader sees as one
character counts once. Written from https://docs.joinmastodon.org/user/posting/, not from the product's own counter, so
that each checks the other."""

from __future__ import annotations

import re
import unicodedata

LINK_LENGTH = 23
_LINK = re.compile(r"https?://(?:[\w-]+\.)+[a-z]{2,}(?::\d+)?(?:[/?#][^\s<>\"]*)?", re.IGNORECASE)
_LINK_TAIL = ".,;:!?'\")]}"
_MENTION = re.compile(r"(?<![=/\w])@([a-z0-9_]+(?:[.-]+[a-z0-9_]+)*)@[\w.-]+\w", re.IGNORECASE)
_JOINER = "\u200d"


def length(text: str) -> int:
    shortened = _MENTION.sub(r"@\1", _LINK.sub(_placeholder, text))
    return seen_characters(shortened)


def _placeholder(match: re.Match[str]) -> str:
    link = match[0].rstrip(_LINK_TAIL)
    return "x" * LINK_LENGTH + match[0][len(link) :]


def seen_characters(text: str) -> int:
    """Grapheme clusters (Unicode annex 29), without the rules for scripts that no campaign here has used yet."""
    count, previous, flags = 0, "", 0
    for character in unicodedata.normalize("NFC", text):
        is_flag = "\U0001f1e6" <= character <= "\U0001f1ff"
        flags = flags + 1 if is_flag else 0
        second_half = is_flag and flags % 2 == 0
        if not (second_half or _continues(previous, character)):
            count += 1
        previous = character
    return count


def _continues(previous: str, character: str) -> bool:
    if not previous:
        return False
    if previous == _JOINER:
        return unicodedata.category(character) == "So"
    extends = unicodedata.category(character) in ("Mn", "Me", "Mc") or character == _JOINER
    skin_or_tag = "\U0001f3fb" <= character <= "\U0001f3ff" or "\U000e0020" <= character <= "\U000e007f"
    return extends or skin_or_tag or (previous == "\r" and character == "\n")
