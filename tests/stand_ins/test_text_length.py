"""Lengths as Mastodon's own documentation gives them."""

from __future__ import annotations

import pytest

from infra.stand_ins.mastodon_text import length


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", 0),
        ("hello", 5),
        ("https://example.org/" + "x" * 100, 23),
        ("http://a.de", 23),
        ("see https://example.org/a, and https://example.org/b.", 4 + 23 + 6 + 23 + 1),
        ("(https://example.org/a)", 25),
        ("example.org/no-protocol", 23),
        ("https://nodomain", 16),
        ("@ada@town-01.test hi", 7),
        ("@ada hi", 7),
        ("mail ada@example.org", 20),
        ("e\u0301", 1),
        ("👩‍👩‍👧", 1),
        ("👍🏽", 1),
        ("🇬🇧🇩🇪", 2),
        ("❤️", 1),
        ("日本語", 3),
        ("a\r\nb", 3),
    ],
)
def test_length(text: str, expected: int) -> None:
    assert length(text) == expected
