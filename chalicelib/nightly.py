"""What the night does, and a restart: recounts everything that streams keep up to date, in case one was lost."""

from __future__ import annotations

import logging

from . import board, campaigns, contributions, counts, launches, slots, supporters, tallies
from .contributions import Contribution

log = logging.getLogger(__name__)


def run() -> None:
    """Makes all boards anew, recounts all tallies, and the counts of every launch that has not ended. Resumable: each recount
    stands alone."""
    for campaign in campaigns.every():
        for phase in campaign.phases:
            board.recount(campaign.slug, int(phase.number))
            for contribution in Contribution.query(f"{campaign.slug}#{int(phase.number)}", attributes_to_get=["pk", "sk"]):
                tallies.recount(contributions.key(campaign.slug, contribution.id))
    for launch in launches.active():
        for what in ("people", "reminders"):
            counts.recount(supporters.partitions(launch.id, what))
        counts.recount(slots.chunk_key(launch.id, lane, chunk) for lane, chunk in slots.chunks_of(slots.given(launch.id)))
    log.info("recounted")
