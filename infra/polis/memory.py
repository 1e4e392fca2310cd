"""An AWS of the process's own, in its memory, as moto plays it: made from our template, and gone with the process."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from moto import mock_aws

from chalicelib import settings
from infra import stack
from infra.embedded import server


@contextmanager
def aws() -> Iterator[None]:
    os.environ.update(server.client_environment())
    del os.environ["AWS_ENDPOINT_URL"]
    os.environ.update({name: str(value) for name, value in stack.stage_config("local")["environment_variables"].items()})
    settings.current.cache_clear()
    logging.getLogger("moto").setLevel(logging.ERROR)
    with mock_aws(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it has no alarms, and says so of each
        stack.apply("local")
        stack.make_keys("local")
        yield
