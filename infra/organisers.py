"""`infra organiser add`: who may create campaigns, and who organises one that exists."""

from __future__ import annotations

from datetime import datetime

from infra.console import Problem


def add(email: str, campaign: str | None, *, now: datetime) -> None:
    """Appoints a person, known or not. With a campaign, to be one of its organisers; without, to create campaigns.
    Safe to repeat. Raises `Problem` where there is no such campaign, or this is no address."""
    from chalicelib import campaigns, errors, participants, team  # they read the stage's settings, which are set by now

    try:
        if campaign is None:
            participants.appoint(email, now=now)
        else:
            person = participants.find_or_create(participants.clean_email(email), now=now)
            team.appoint(campaigns.get(campaign).slug, person.id, now=now)
    except errors.GroundswellError as error:
        raise Problem(error.message) from error
