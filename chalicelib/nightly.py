"""What the night does, and a restart: recounts everything that streams keep up to date, in case one was lost, and counts what
came of launches."""

from __future__ import annotations

import logging

from . import aftermath, board, campaigns, clock, contributions, counts, launches, slots, supporters, tallies
from .campaigns import Campaign
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
        _aftermath(campaign)
    for launch in launches.active():
        for what in ("people", "reminders"):
            counts.recount(supporters.partitions(launch.id, what))
        counts.recount(slots.chunk_key(launch.id, lane, chunk) for lane, chunk in slots.chunks_of(slots.given(launch.id)))
    log.info("recounted")


def _aftermath(campaign: Campaign) -> None:
    launch = launches.get(campaign.launch) if campaign.launch else None
    if launch is not None and launch.settled_at:
        aftermath.write(campaign, launch, now=clock.utc_now())
