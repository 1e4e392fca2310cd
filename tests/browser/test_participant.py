"""What somebody who takes part does, from the first look to signing out."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.browser.person import Person

pytestmark = pytest.mark.browser
EMAIL = "ann.participant@example.org"


def test_reader_without_an_account_finds_their_way(somebody: Callable[[str], Person]) -> None:
    reader = somebody("reader")
    reader.open(reader.site.here)
    reader.open("/")
    reader.open("/sign-in")
    reader.open(f"{reader.site.here}/launch")
    reader.open("/c/nothing-here")
