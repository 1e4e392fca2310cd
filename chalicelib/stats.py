"""A campaign's figures. One request a minute counts them anew; the others tell what it found.

No tally can be worked out from them: votes are one number for the whole campaign, up and down together, at most once a minute,
and rounded down to `STEP` while any phase whose votes are hidden is under way. How somebody voted on what never enters."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from . import board, settings, store, tallies
from .board import Head
from .campaigns import Campaign
from .enrolments import Enrolment

EVERY_S, STEP = 60, 10
STATS = "stats"


class Figures(store.Record):
    """What was counted last. `claimed` (epoch seconds): when somebody last set out to count."""

    class Meta:
        table_name = settings.table("boards")

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True, default=STATS)
    claimed = NumberAttribute(default=0)
    people = NumberAttribute(default=0)
    votes = NumberAttribute(default=0)
    ideas = NumberAttribute(default=0)
    comments = NumberAttribute(default=0)


@dataclass(frozen=True, slots=True)
class Stats:
    """`people` have joined and are not suspended; `ideas` and `comments` are published; `votes` are live."""

    people: int
    ideas: int
    comments: int
    votes: int

    @property
    def total(self) -> int:
        return self.ideas + self.comments + self.votes


def of(campaign: Campaign, head: Head | None, known: Figures | None, *, now: datetime) -> Stats:
    """The figures, at most a minute older than the board. `known` is what was read of them with the campaign."""
    figures = known or Figures(pk=campaign.slug, sk=STATS)
    if now.timestamp() - float(figures.claimed) >= EVERY_S and _claim(figures, now):
        figures = _counted(campaign, head, now)
        # Whoever claimed a minute later counts what is newer.
        store.save_if(figures, Figures.claimed == figures.claimed)
    step = STEP if any(_hides(campaign, number, now) for number in range(1, len(campaign.phases) + 1)) else 1
    votes = int(figures.votes) // step * step
    return Stats(int(figures.people), int(figures.ideas), int(figures.comments), votes)


def _claim(figures: Figures, now: datetime) -> bool:
    """Whether it is this request that counts. Who is cut off meanwhile leaves the old figures for another minute."""
    claimed = int(now.timestamp())
    item = Figures(pk=figures.pk, sk=STATS)
    return store.update_if(item, [Figures.claimed.set(claimed)], Figures.claimed.does_not_exist() | (Figures.claimed <= claimed - EVERY_S))


def _counted(campaign: Campaign, head: Head | None, now: datetime) -> Figures:
    slug, outlines = campaign.slug, board.outlines_of(head)
    people = sum(1 for one in Enrolment.query(slug) if one.role and not one.suspended)
    votes = sum(counts.up + counts.down for phase in outlines for counts in tallies.of_phase(slug, phase, now=now).values())
    figures = Figures(pk=slug, sk=STATS, claimed=int(now.timestamp()), people=people, votes=votes)
    figures.ideas = sum(outline.ideas for outline in outlines.values())
    figures.comments = sum(outline.comments for outline in outlines.values())
    return figures


def _hides(campaign: Campaign, number: int, now: datetime) -> bool:
    """Whether votes of this phase may be there, and are not shown yet."""
    phase = campaign.phase(number)
    return float(phase.opens_at) <= now.timestamp() and not phase.shows_tallies(now)
