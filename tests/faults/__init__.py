"""Faults: what must hold whatever happens is checked outside the test modules, and is to say what did not."""

import pytest

pytest.register_assert_rewrite("tests.faults.cases")
