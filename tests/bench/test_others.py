"""What others take of the processors."""

from __future__ import annotations

import os
import time

import pytest

from tests.bench.others import Watch


def test_our_own_work_is_not_taken_for_others() -> None:
    watch, begun = Watch(), time.process_time()
    while time.process_time() - begun < 0.3:
        pass

    mine = watch.share(time.process_time() - begun)
    all_of_it = watch.share(0.0)

    assert all_of_it - mine == pytest.approx(0.3 / ((time.monotonic() - watch.begun) * (os.cpu_count() or 1)), rel=0.2)
    assert watch.share(9e9) == 0
