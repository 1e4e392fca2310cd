"""What the desk looks at."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from infra.stand_ins.certificates import Certificates
from infra.stand_ins.world import World


@dataclass(frozen=True, slots=True)
class Place:
    """`aws` is the address of the embedded AWS, whose e-mails are shown."""

    world: World
    trust: Certificates
    aws: str


PLACE = web.AppKey("place", Place)
