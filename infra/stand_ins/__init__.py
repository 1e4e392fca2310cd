"""Stand-in networks: servers on loopback that speak the real networks' wire formats over TLS, stamp what arrives in
nanoseconds, and can be told to misbehave. Run by `python -m infra.stand_ins`, or inside a test by `serve`."""

from __future__ import annotations

from infra.stand_ins.server import StandIns, serve

__all__ = ["StandIns", "serve"]
