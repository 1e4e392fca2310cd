"""What the environment says, read once and failing fast with the missing name. No other module reads `os.environ`."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

APP = "groundswell"
SLOTS_PER_CHUNK = 250
LEASE_S = 12.0
RENEW_S = 4.0
GRACE_S = 600
RESOLVE_AFTER_S = 90.0
RESOLVE_UNTIL_S = 3000
_RESOLVER, _DIRECTORY = "public.api.bsky.app", "plc.directory"
_NTP_SERVER = "time.aws.com"
_LOCAL_ONLY = ("STAND_INS", "LEAD_S", "HANDLE_RESOLVER", "PLC_DIRECTORY")


class Missing(RuntimeError):
    """A setting without which nothing can start; the message says what to run or to set."""


@dataclass(frozen=True, slots=True)
class Settings:
    """`stand_ins` maps a host name to the loopback address that plays it, on the local stage only. `handle_resolver` and
    `plc_directory` are the hosts that know Bluesky's accounts. `ntp_server` knows the time; empty on the local stage, unless it
    is set. `mail_per_s`: SES's quota of this account, e-mails a second.
    All durations are in seconds."""

    stage: str
    mail_from: str
    lead_s: int | None
    stand_ins: Mapping[str, tuple[str, int]]
    worker: str
    handle_resolver: str = _RESOLVER
    plc_directory: str = _DIRECTORY
    mail_per_s: float = 1.0
    ntp_server: str = ""

    @property
    def is_local(self) -> bool:
        return self.stage == "local"

    @property
    def freeze_before_s(self) -> int:
        """Pledges close at the latest this long before the moment."""
        return 150 if self.is_local else 900

    def name(self, noun: str) -> str:
        return f"{APP}-{self.stage}-{noun}"


def _stand_ins(text: str) -> dict[str, tuple[str, int]]:
    pairs = (entry.split("=", 1) for entry in text.split())
    return {host: (address.rpartition(":")[0], int(address.rpartition(":")[2])) for host, address in pairs}


@cache
def current() -> Settings:
    """The settings of this process. Raises `Missing` naming the variable."""
    stage = os.environ.get("STAGE", "")
    if not stage:
        raise Missing("STAGE is not set: it is in .chalice/config.json for every stage")
    local = {name: os.environ.get(name, "") for name in _LOCAL_ONLY}
    for name, value in local.items():
        if value and stage != "local":
            raise Missing(f"{name} is for the local stage only, and this is {stage}: take it out of .chalice/config.json")
    return Settings(
        stage=stage,
        mail_from=os.environ.get("MAIL_FROM", ""),
        lead_s=int(local["LEAD_S"]) if local["LEAD_S"] else None,
        stand_ins=_stand_ins(local["STAND_INS"]),
        worker=os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME", f"process-{os.getpid()}"),
        handle_resolver=local["HANDLE_RESOLVER"] or _RESOLVER,
        plc_directory=local["PLC_DIRECTORY"] or _DIRECTORY,
        mail_per_s=float(os.environ.get("MAIL_PER_S") or 1.0),
        ntp_server=os.environ.get("NTP_SERVER", "" if stage == "local" else _NTP_SERVER),
    )


def table(noun: str) -> str:
    return current().name(noun)


def queue(noun: str) -> str:
    return current().name(noun)


def stream_arn(noun: str) -> str:
    """The stream of a table, known only while chalice deploys (`infra up` writes it down); a function does not need it."""
    if not os.environ.get("AWS_CHALICE_CLI_MODE"):
        return f"arn:aws:dynamodb:::table/{table(noun)}/stream/unused"
    stage = current().stage
    outputs = Path(".chalice") / f"outputs-{stage}.json"
    if not outputs.exists():
        raise Missing(f"{outputs} is not there: run `python -m infra up --stage {stage}` first, or `make deploy STAGE={stage}`")
    return str(json.loads(outputs.read_text())["streams"][noun])
