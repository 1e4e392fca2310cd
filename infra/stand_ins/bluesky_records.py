"""Whether a record is a post as the network's lexicon has it. https://github.com/bluesky-social/atproto/tree/main/lexicons/app/bsky
Written from the lexicon, not from the product's own code, so that each checks the other."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from infra.stand_ins.mastodon_text import seen_characters

GRAPHEMES, BYTES, LANGS = 300, 3000, 3
TID = re.compile(r"[234567abcdefghij][234567abcdefghijklmnopqrstuvwxyz]{12}", re.ASCII)
_DID = re.compile(r"did:[a-z]+:[A-Za-z0-9._:%-]+", re.ASCII)
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]+)*", re.ASCII)
_KNOWN = {"$type", "text", "createdAt", "langs", "facets"}


def wrong(record: Any) -> str | None:
    """What is wrong with it; None for a post that is taken. Embeds and the like are refused: nothing here makes any."""
    if not isinstance(record, dict) or record.get("$type") != "app.bsky.feed.post":
        return 'Record/$type must be "app.bsky.feed.post"'
    if set(record) - _KNOWN:
        return f"{', '.join(sorted(set(record) - _KNOWN))} is not something this stand-in can do"
    return _text(record.get("text")) or _moment(record.get("createdAt")) or _langs(record) or _facets(record)


def _text(text: Any) -> str | None:
    if not isinstance(text, str):
        return "Record/text must be a string"
    if len(text.encode()) > BYTES:
        return f"Record/text must not be longer than {BYTES} characters"
    return f"Record/text must not be longer than {GRAPHEMES} graphemes" if seen_characters(text) > GRAPHEMES else None


def _moment(text: Any) -> str | None:
    try:
        found = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        found = None
    return None if found and found.tzinfo else "Record/createdAt must be an valid atproto datetime (both RFC-3339 and ISO-8601)"


def _langs(record: dict[str, Any]) -> str | None:
    langs = record.get("langs", [])
    good = isinstance(langs, list) and len(langs) <= LANGS and all(isinstance(one, str) and _LANGUAGE.fullmatch(one) for one in langs)
    return None if good else "Record/langs must be an array of language tags"


def _facets(record: dict[str, Any]) -> str | None:
    facets, whole = record.get("facets", []), str(record["text"]).encode()
    if not isinstance(facets, list):
        return "Record/facets must be an array"
    for number, facet in enumerate(facets):
        if not isinstance(facet, dict) or not _in_range(facet.get("index"), whole) or not _features(facet.get("features")):
            return f"Record/facets/{number} is not a facet of this text"
    return None


def _in_range(index: Any, whole: bytes) -> bool:
    """Within the text, and not through the middle of a character."""
    if not isinstance(index, dict):
        return False
    start, end = index.get("byteStart"), index.get("byteEnd")
    if not (isinstance(start, int) and isinstance(end, int) and 0 <= start < end <= len(whole)):
        return False
    try:
        whole[start:end].decode()
    except UnicodeDecodeError:
        return False
    return True


def _features(features: Any) -> bool:
    return isinstance(features, list) and bool(features) and all(isinstance(one, dict) and _feature(one) for one in features)


def _feature(one: dict[str, Any]) -> bool:
    if one.get("$type") == "app.bsky.richtext.facet#link":
        return isinstance(one.get("uri"), str) and one["uri"].startswith(("https://", "http://"))
    return one.get("$type") == "app.bsky.richtext.facet#mention" and bool(_DID.fullmatch(str(one.get("did"))))
