"""What the functions wrote while the demonstration ran, kept in one file in the order of time: where to look first when
something does not hold."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

_UNTOLD = ("START ", "END ", "REPORT ")


def keep(file: Path) -> None:
    """Writes them to `file`. The embedded AWS may have gone: then what can be had is nothing, and that is no failure."""
    try:
        lines = sorted(_lines(boto3.client("logs")), key=lambda line: line[0])
    except (BotoCoreError, ClientError):
        return
    told = (f"{datetime.fromtimestamp(at / 1000, UTC):%H:%M:%S.%f} {function} {worker[-6:]} {text}" for at, function, worker, text in lines)
    file.write_text("\n".join(told) + "\n")


def _lines(logs: Any) -> Iterator[tuple[int, str, str, str]]:
    for page in logs.get_paginator("describe_log_groups").paginate():
        for group in page["logGroups"]:
            for found in logs.get_paginator("filter_log_events").paginate(logGroupName=group["logGroupName"]):
                for event in found["events"]:
                    text = event["message"].rstrip()
                    if not text.startswith(_UNTOLD):
                        function = group["logGroupName"].rpartition("/")[2].removeprefix("groundswell-local").lstrip("-") or "api"
                        yield event["timestamp"], function, event["logStreamName"], text
