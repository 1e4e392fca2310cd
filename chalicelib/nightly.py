"""What the night does, and a restart: recounts everything that streams keep up to date, in case one was lost."""

from __future__ import annotations

import logging

from . import campaigns, contributions, counts, launches, pledges, slots, tallies
from .contributions import Contribution

log = logging.getLogger(__name__)


def run() -> None:
    """Recounts all tallies and the counts of every launch that has not ended. Resumable: each recount stands alone."""
    for campaign in campaigns.every():
        for phase in campaign.phases:
            for contribution in Contribution.query(f"{campaign.slug}#{int(phase.number)}", attributes_to_get=["pk", "sk"]):
                tallies.recount(contributions.key(campaign.slug, contribution.id))
    for launch in launches.active():
        counts.recount(f"{launch.id}#people#{number:02d}" for number in range(pledges.PARTITIONS))
        counts.recount(slots.chunk_key(launch.id, lane, chunk) for lane, chunk in slots.chunks_of(slots.given(launch.id)))
    log.info("recounted")
