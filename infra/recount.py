"""A full recount, as each night's: what an operator runs after an incident, and every restart of the embedded AWS ends with."""

from __future__ import annotations

import boto3
from botocore.config import Config

from infra import deployed
from infra.console import Problem

# As long as the function may take; asked again after a time-out, it would only run twice.
_CONFIG = Config(read_timeout=930, retries={"total_max_attempts": 1})


def run(stage: str) -> None:
    """Has `nightly` recount everything that streams keep up to date, and waits for it. Safe to repeat, at any time.
    Raises `Problem` where it failed."""
    name = deployed.function_name(stage, "nightly")
    answer = boto3.client("lambda", config=_CONFIG).invoke(FunctionName=name, InvocationType="RequestResponse", Payload=b"{}")
    if answer.get("FunctionError"):
        raise Problem(f"The recount failed; the log of {name} says why. It is safe to run again: python -m infra redrive --stage {stage}")
