"""A full recount, as each night's: what an operator runs after an incident, and every restart of the embedded AWS ends with."""

from __future__ import annotations

import json

import boto3
from botocore.config import Config

from infra import deployed
from infra.console import Problem

# Chalice reads every field of the schedule's event before it calls the handler.
_EVENT = dict.fromkeys(("id", "detail-type", "source", "account", "time", "region"), "") | {"version": "0", "resources": [], "detail": {}}
# As long as the function may take; asked again after a time-out, it would only run twice.
_CONFIG = Config(read_timeout=930, retries={"total_max_attempts": 1})


def run(stage: str) -> None:
    """Has `nightly` recount everything that streams keep up to date, and waits for it. Safe to repeat, at any time.
    Raises `Problem` where it failed."""
    name = deployed.function_name(stage, "nightly")
    payload = json.dumps(_EVENT).encode()
    answer = boto3.client("lambda", config=_CONFIG).invoke(FunctionName=name, InvocationType="RequestResponse", Payload=payload)
    if answer.get("FunctionError"):
        raise Problem(f"The recount failed; the log of {name} says why. It is safe to run again: python -m infra recount --stage {stage}")
