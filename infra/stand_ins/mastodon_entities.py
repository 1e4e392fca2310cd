"""The JSON of Mastodon's entities as its published contract has them. https://docs.joinmastodon.org/entities/"""

from __future__ import annotations

import hashlib
import html
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from infra.stand_ins.mastodon_text import LINK_LENGTH

_BORN = "2024-01-01T00:00:00.000Z"
_LINK = re.compile(r"https?://[^\s<>\"]+")


@dataclass(frozen=True, slots=True)
class Status:
    """A published post."""

    id: str
    host: str
    account: str
    text: str
    visibility: str
    language: str | None
    created: float
    app: str = field(default="Groundswell")

    def as_json(self) -> dict[str, Any]:
        address = f"https://{self.host}/@{self.account}/{self.id}"
        return {
            "id": self.id,
            "created_at": moment(self.created),
            "in_reply_to_id": None,
            "in_reply_to_account_id": None,
            "sensitive": False,
            "spoiler_text": "",
            "visibility": self.visibility,
            "language": self.language or "en",
            "uri": f"https://{self.host}/users/{self.account}/statuses/{self.id}",
            "url": address,
            "content": _as_html(self.text),
            "replies_count": 0,
            "reblogs_count": 0,
            "favourites_count": 0,
            "edited_at": None,
            "reblog": None,
            "application": {"name": self.app, "website": None},
            "account": account(self.host, self.account),
            "media_attachments": [],
            "mentions": [],
            "tags": [],
            "emojis": [],
            "card": None,
            "poll": None,
        }


def moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _as_html(text: str) -> str:
    linked = _LINK.sub(lambda match: f'<a href="{match[0]}" rel="nofollow noopener">{match[0]}</a>', html.escape(text))
    paragraphs = linked.replace("\r\n", "\n").split("\n\n")
    return "".join("<p>" + paragraph.replace("\n", "<br />") + "</p>" for paragraph in paragraphs)


def account(host: str, name: str) -> dict[str, Any]:
    number = int(hashlib.sha256(f"{host}/{name}".encode()).hexdigest()[:12], 16)
    picture = f"https://{host}/avatars/original/missing.png"
    return {
        "id": str(10**17 + number),
        "username": name,
        "acct": name,
        "display_name": name.replace("_", " ").title(),
        "locked": False,
        "bot": False,
        "discoverable": True,
        "indexable": False,
        "group": False,
        "created_at": _BORN,
        "note": "",
        "url": f"https://{host}/@{name}",
        "uri": f"https://{host}/users/{name}",
        "avatar": picture,
        "avatar_static": picture,
        "header": picture,
        "header_static": picture,
        "followers_count": number % 400,
        "following_count": number % 200,
        "statuses_count": number % 1000,
        "last_status_at": None,
        "emojis": [],
        "fields": [],
    }


def credential_account(host: str, name: str) -> dict[str, Any]:
    source = {"privacy": "public", "sensitive": False, "language": "en", "note": "", "fields": [], "follow_requests_count": 0}
    role = {"id": "-99", "name": "", "color": "", "permissions": "65536", "highlighted": False}
    return account(host, name) | {"source": source | {"indexable": False}, "role": role}


def instance(host: str, max_characters: int) -> dict[str, Any]:
    return {
        "domain": host,
        "title": host.removesuffix(".test").replace("-", " ").title(),
        "version": "4.4.0",
        "source_url": "https://github.com/mastodon/mastodon",
        "description": "A stand-in for a Mastodon server. Nothing here leaves this machine.",
        "usage": {"users": {"active_month": 1000}},
        "thumbnail": {"url": f"https://{host}/thumbnail.png", "blurhash": None, "versions": {}},
        "icon": [],
        "languages": ["en"],
        "configuration": _configuration(host, max_characters),
        "registrations": dict.fromkeys(("message", "min_age", "reason_required", "url")) | {"enabled": False, "approval_required": False},
        "api_versions": {"mastodon": 6},
        "contact": {"email": f"admin@{host}", "account": None},
        "rules": [],
    }


def _configuration(host: str, max_characters: int) -> dict[str, Any]:
    return {
        "urls": {"streaming": f"wss://{host}", "about": f"https://{host}/about"},
        "accounts": {"max_featured_tags": 10, "max_pinned_statuses": 5},
        "statuses": {"max_characters": max_characters, "max_media_attachments": 4, "characters_reserved_per_url": LINK_LENGTH},
        "media_attachments": {
            "supported_mime_types": ["image/jpeg", "image/png"],
            "image_size_limit": 16_777_216,
            "image_matrix_limit": 33_177_600,
            "video_size_limit": 103_809_024,
            "video_frame_rate_limit": 120,
            "video_matrix_limit": 8_294_400,
        },
        "polls": {"max_options": 4, "max_characters_per_option": 50, "min_expiration": 300, "max_expiration": 2_629_746},
        "translation": {"enabled": False},
    }
