"""Who a conversation's people are with us. Authors are people of their own, apart from voters: in a conversation some vote
on what they said themselves."""

from __future__ import annotations

from infra.polis.export import Export

ROLE = "other"
ROOM = 10  # times that everything can be repeated within an hour


def voter(slug: str, number: str) -> str:
    """The voter's e-mail address, always the same."""
    return f"voter-{number}@{slug}.example.org"


def author(slug: str, number: str) -> str:
    return f"author-{number}@{slug}.example.org"


def limits(export: Export) -> dict[str, int]:
    """A campaign's settings under which nobody of this conversation is held up, however fast it is played."""
    most_votes = max(len(votes) for votes in export.of_voter().values())
    most_said = max(sum(one.author == author for one in export.statements) for author in export.authors)
    return {"contributions_per_hour": max(60, ROOM * most_said), "votes_per_hour": max(600, ROOM * most_votes)}
