"""The sample campaign of `make run`: the story of 2015, with a few people who talk and vote, two organisers, and a launch five
minutes ahead that both have approved. Made through the domain's own functions, as an operator would."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

ORGANISERS = ("first.organiser@example.org", "second.organiser@example.org")
PEOPLE = (("ann", "staff"), ("ben", "patient"), ("cem", "volunteer"), ("dot", "staff"))
AHEAD_S, OPEN_S = 300, 150
ZONE = "Europe/London"
QUESTION = "What stops good ideas from the ground up, and what helps them?"
ABOUT = """Those who do the work, and those it is done for, see first what stands in the way. Say it here, answer others, vote.

Two people sort what comes into a few barriers and building blocks. Then everybody looks for solutions, and the best are written
up in a guide that anybody can use."""
RULES = "Name no patient, colleague or ward.\n\nCriticise ideas, not people.\n\nA moderator hides what does either, and says why."
URGENT = (
    "Nobody here can help in an emergency: ring 999 in danger, 111 for medical advice. To complain about care, ask the hospital's PALS."
)
WHERE = {
    "id": "where",
    "label": "Where does it happen?",
    "options": [
        {"id": "within", "label": "Within one organisation"},
        {"id": "between", "label": "Between organisations"},
        {"id": "other", "label": "Somewhere else"},
    ],
}
TAGS = ("paperwork", "leadership", "time", "sharing")
PARTNERS = ({"id": "calm-wards", "name": "Calm Wards", "link": "https://example.org/calm"}, {"id": "change-day", "name": "Change Day"})
IDEAS = (
    (
        "barrier",
        "Every change needs five signatures",
        "By the time the last has signed, who had the idea has moved on.",
        "within",
        "paperwork",
    ),
    ("barrier", "Nobody hears about what worked next door", "Two wards solved the same problem, and neither knew.", "between", "sharing"),
    (
        "building-block",
        "A manager who asks first",
        "Ours asks each Monday what got in the way, and removes one thing.",
        "within",
        "leadership",
    ),
)
COMMENTS = ("With us it is seven.", "We put ours on one page, and the signatures went down to two.")


@dataclass(frozen=True, slots=True)
class Sample:
    slug: str
    at: datetime
    closes_at: datetime


def _details(now: datetime) -> Any:
    """The four stages of 2015, of which the first has just begun."""
    from chalicelib.campaigns import Details
    from chalicelib.phases import template_2015

    return Details(
        title="Change Challenge",
        question=QUESTION,
        phases=template_2015(now - timedelta(minutes=1)),
        about=ABOUT,
        rules=RULES,
        urgent=URGENT,
        choices=[WHERE],
        tags=TAGS,
        partners=PARTNERS,
        controllers=[{"name": "Change Challenge", "contact": "data@example.org"}],
        contact="hello@example.org",
        minimum_age=16,
    )


def make() -> Sample:
    """Makes a campaign of its own for this start, so that each has a launch ahead."""
    from chalicelib import campaigns, clock, participants, pseudonyms, team

    now = clock.utc_now()
    slug = f"change-{now:%d%H%M%S}"
    people = [participants.appoint(email, now=now).id for email in ORGANISERS]
    campaign = campaigns.open_up(campaigns.create(slug, _details(now), organiser=people[0], now=now), now=now)
    team.appoint(slug, people[1], now=now)
    _talk(campaign, now)
    return _propose(campaign, [pseudonyms.of(slug, person) for person in people], now)


def _talk(campaign: Any, now: datetime) -> None:
    """Ideas, comments and votes, each person's under their own name."""
    from chalicelib import campaigns, comments, contributions, participants, votes
    from chalicelib.contributions import Said

    people = [participants.find_or_create(f"{name}@example.org", now=now).id for name, _ in PEOPLE]
    roles = [role for _, role in PEOPLE]
    names = [campaigns.admit(campaign, one, role, of_age=True, now=now).pseudonym for one, role in zip(people, roles, strict=True)]
    ideas = []
    for number, (kind, title, text, where, tag) in enumerate(IDEAS):
        said = Said(kind, title, text, [tag], {"where": where})
        ideas.append(contributions.add(campaign, names[number], said, request=f"sample-{number}", now=now).id)
    first = comments.add(campaign, ideas[0], names[1], text=COMMENTS[0], request="sample-1", now=now)
    comments.add(campaign, ideas[0], names[2], text=COMMENTS[1], request="sample-2", now=now, parent=first.id)
    for place, idea in enumerate(ideas):
        for number, name in enumerate(names):
            if number != place:
                votes.cast(campaign, idea, name, -1 if (number + place) % 4 == 3 else 1, now=now)


def _propose(campaign: Any, organisers: list[str], now: datetime) -> Sample:
    from chalicelib import launches
    from chalicelib.proposals import NewLaunch

    at = now.astimezone(ZoneInfo(ZONE)).replace(microsecond=0) + timedelta(seconds=AHEAD_S)
    pledges_until = at - timedelta(seconds=AHEAD_S - OPEN_S)
    message, url = "Change starts with the people who do the work. Say what stands in your way:", "https://change.example.org/solutions"
    new = NewLaunch(message, url, at, ZONE, pledges_until, 1, ["mastodon", "bluesky"])
    launches.propose(campaign, organisers[0], new, now=now)
    for organiser in organisers:
        launches.approve(campaign, organiser, now=now)
    return Sample(campaign.slug, at, pledges_until)
