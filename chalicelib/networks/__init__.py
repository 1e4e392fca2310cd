"""The social networks, one module each, by name. A module meets the `Network` protocol of `base`."""

from __future__ import annotations

from importlib import import_module
from typing import cast

from ..errors import Invalid
from .base import Network

NAMES = ("mastodon", "bluesky")


def get(name: str) -> Network:
    """Raises `Invalid` (network). Imported when first asked for."""
    if name not in NAMES:
        raise Invalid.field("network", f"please choose one of {', '.join(NAMES)}")
    return cast("Network", import_module(f"{__name__}.{name}"))
