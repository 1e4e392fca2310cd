"""The sample campaign of `make run`: a few ideas, two organisers, and a launch five minutes ahead that both have approved.
Made through the domain's own functions, as an operator would."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

ORGANISERS = ("first.organiser@example.org", "second.organiser@example.org")
AHEAD_S, OPEN_S = 300, 150
ZONE = "Europe/London"
QUESTION = "What stops good ideas from the ground up, and what helps them?"
IDEAS = (
    ("barrier", "Every change needs five signatures", "By the time the last one has signed, the people who had the idea have moved on."),
    ("barrier", "Nobody hears about what worked next door", "Two wards solved the same problem in the same month, and neither knew."),
    (
        "building-block",
        "A manager who asks first",
        "Ours asks each Monday what got in the way, and then removes one thing.",
    ),
)


@dataclass(frozen=True, slots=True)
class Sample:
    slug: str
    at: datetime
    closes_at: datetime


def _details(now: datetime) -> Any:
    from chalicelib.campaigns import Details, NewPhase

    title, kinds = "What gets in the way, and what helps?", ["barrier", "building-block"]
    return Details(
        title="Change Challenge",
        question=QUESTION,
        phases=[NewPhase(title, now - timedelta(minutes=1), now + timedelta(days=14), kinds)],
        controllers=[{"name": "Change Challenge", "contact": "data@example.org"}],
        contact="hello@example.org",
        minimum_age=16,
        rules="Name no patient, colleague or ward. Criticise ideas, not people.",
    )


def make() -> Sample:
    """Makes a campaign of its own for this start, so that each has a launch ahead."""
    from chalicelib import campaigns, clock, contributions, launches, participants, pseudonyms, team
    from chalicelib.contributions import Said

    now = clock.utc_now()
    slug = f"change-{now:%d%H%M%S}"
    people = [participants.appoint(email, now=now).id for email in ORGANISERS]
    campaign = campaigns.open_up(campaigns.create(slug, _details(now), organiser=people[0], now=now), now=now)
    team.appoint(slug, people[1], now=now)
    both = [pseudonyms.of(slug, person) for person in people]
    for number, (kind, title, text) in enumerate(IDEAS):
        contributions.add(campaign, both[number % 2], Said(kind, title, text), request=f"sample-{number}", now=now)
    at = now.astimezone(ZoneInfo(ZONE)).replace(microsecond=0) + timedelta(seconds=AHEAD_S)
    pledges_until = at - timedelta(seconds=AHEAD_S - OPEN_S)
    message, url = "Change starts with the people who do the work. Say what stands in your way:", "https://change.example.org/solutions"
    launches.propose(campaign, both[0], launches.NewLaunch(message, url, at, ZONE, pledges_until, 1, ["mastodon", "bluesky"]), now=now)
    for pseudonym in both:
        launches.approve(campaign, pseudonym, now=now)
    return Sample(slug, at, pledges_until)
