"""Where each network lets people post by themselves: its own share forms. Facebook and LinkedIn take a link only, and forbid
to fill in a person's words."""

from __future__ import annotations

from urllib.parse import urlencode

from ..networks import mastodon

_FORMS = {
    "x": ("https://x.com/intent/tweet", "text", None),  # https://docs.x.com/x-for-websites/post-button/guides/web-intent
    "facebook": ("https://www.facebook.com/sharer/sharer.php", None, "u"),
    "tumblr": ("https://www.tumblr.com/widgets/share/tool", "caption", "canonicalUrl"),
    "bluesky": ("https://bsky.app/intent/compose", "text", None),  # https://docs.bsky.app/docs/advanced-guides/intent-links
    "threads": ("https://www.threads.com/intent/post", "text", None),
    "linkedin": ("https://www.linkedin.com/sharing/share-offsite/", None, "url"),
}


def link(network: str, text: str, url: str) -> str | None:
    """The address of the network's form; None for Mastodon, whose form is on each person's own server."""
    if network not in _FORMS:
        return None
    form, for_text, for_url = _FORMS[network]
    asked = {name: value for name, value in ((for_text, text), (for_url, url)) if name}
    return f"{form}?{urlencode(asked)}"


def on_mastodon(server: str, text: str) -> str:
    """https://docs.joinmastodon.org/ Raises `Invalid` (server)."""
    return f"https://{mastodon.clean_server(server)}/share?{urlencode({'text': text})}"


def takes_text(network: str) -> bool:
    """Whether the network's form can be filled in with words."""
    return network == "mastodon" or _FORMS[network][1] is not None
