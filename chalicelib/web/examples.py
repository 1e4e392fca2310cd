"""What the contract shows as examples, by the name of a path's parameter and of a body's Struct. Tests send them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

CONTRIBUTION, COMMENT = "1-01kjt0v7c0ta5w6m4xq9e2rzbn", "01kjt1a2b3c4d5e6f7g8h9j0km"
SERVER = "mastodon.example"

PATHS: Mapping[str, tuple[str, str]] = {
    "slug": ("The campaign's name in addresses.", "change-challenge"),
    "id": ("The id of what this is about.", CONTRIBUTION),
}

BODIES: Mapping[str, Mapping[str, Any]] = {
    "Ask": {"email": "ann@example.org"},
    "Verify": {"flow": "pOm2SJlyyLxYy5dJ6oAyYwQ5rQY0mQ5n0p4m3o4F0xk", "code": "123456"},
}
