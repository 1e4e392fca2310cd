"""Where the stand-in networks listen: every host of a network has a port of its own on loopback."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

FIRST_PORT = 4601
TOWNS = 24
PDSES, AFTER_TOWNS = 4, 40
DIRECTORY = "directory.test"


@dataclass(frozen=True, slots=True)
class Host:
    """One server of a network. `port` 0 lets the system choose, which only tests want."""

    network: str
    name: str
    port: int

    def at(self, port: int) -> Host:
        return Host(self.network, self.name, port)


def towns(count: int = TOWNS, *, first_port: int = FIRST_PORT) -> list[Host]:
    """The Mastodon servers town-01.test, town-02.test ... With `first_port` 0 each takes a free port."""
    return [Host("mastodon", f"town-{n:02}.test", first_port + n - 1 if first_port else 0) for n in range(1, count + 1)]


def bluesky(count: int = PDSES, *, first_port: int = FIRST_PORT) -> list[Host]:
    """Bluesky's: the directory that knows handles and DIDs, then the data servers pds-01.test, pds-02.test ..."""
    names = [DIRECTORY, *(f"pds-{n:02}.test" for n in range(1, count + 1))]
    return [Host("bluesky", name, first_port + AFTER_TOWNS + n if first_port else 0) for n, name in enumerate(names)]


def setting(hosts: Iterable[Host]) -> str:
    """As the functions' `STAND_INS` setting wants it: `host=127.0.0.1:port`, separated by spaces."""
    return " ".join(f"{host.name}=127.0.0.1:{host.port}" for host in hosts)
