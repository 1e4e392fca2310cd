"""An export straight through the domain's functions, with the times of the file: every statement is added and every vote
cast as a request would do it, under the campaign's limits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from chalicelib import campaigns, clock, contributions, errors, moderation, participants, tallies, votes
from chalicelib.campaigns import Campaign, Details, NewPhase
from chalicelib.contributions import Contribution, Said
from infra.polis import people
from infra.polis.export import Export, Statement, Vote
from infra.polis.truth import Tallies

OPEN_FOR = timedelta(days=14)
Tick = Callable[[], None]


def campaign(slug: str, export: Export, *, organiser: str) -> Campaign:
    """The campaign, or one made for this export by the person with the address `organiser`: open since its first statement."""
    try:
        return campaigns.get(slug)
    except errors.NotFound:
        pass
    now, founder = clock.utc_now(), participants.appoint(organiser, now=clock.utc_now())
    phase = NewPhase("A conversation of Pol.is", _time(export.statements[0].at), now + OPEN_FOR, ["barrier"], blind=False)
    details = Details(
        title=slug,
        question="What do you think of these statements?",
        phases=[phase],
        rules="A real conversation, played again.",
        controllers=[{"name": "The Computational Democracy Project (CC BY 4.0)", "contact": "https://compdemocracy.org"}],
        contact=organiser,
        minimum_age=16,
        limits=people.limits(export),
    )
    return campaigns.open_up(campaigns.create(slug, details, organiser=founder.id, now=now), now=now)


def _time(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


class Load:
    """Loads one share of an export, and ticks for each author, voter, statement and vote. Safe to repeat: what is there already
    is found again."""

    def __init__(self, campaign: Campaign, export: Export, tick: Tick) -> None:
        self.campaign, self.export, self.tick = campaign, export, tick
        self.cast = 0

    def run(self) -> Tallies:
        """Everything; what the recount found, by statement."""
        added = self._statements()
        self._votes(added)
        self._hide(added)
        counts = {one: tallies.recount(contributions.key(self.campaign.slug, found.id)) for one, found in added.items()}
        return {one: (found.up, found.down) for one, found in counts.items()}

    def _person(self, email: str) -> str:
        """Their pseudonym. They have been there from the beginning."""
        at = _time(self.export.statements[0].at)
        person = participants.find_or_create(email, now=at)
        self.tick()
        return campaigns.admit(self.campaign, person.id, people.ROLE, of_age=True, now=at).pseudonym

    def _statements(self) -> dict[str, Contribution]:
        authors = {one: self._person(people.author(self.campaign.slug, one)) for one in self.export.authors}
        known = {(one.author, one.text): one for who in authors.values() for one in contributions.of_author(self.campaign.slug, who)}
        added = {}
        for one in self.export.statements:
            who = authors[one.author]
            added[one.id] = known.get((who, one.text)) or self._add(one, who)
            self.tick()
        return added

    def _add(self, one: Statement, pseudonym: str) -> Contribution:
        said = Said(str(self.campaign.phases[0].kinds[0]), one.title, one.text)
        return contributions.add(self.campaign, pseudonym, said, request=f"polis-{one.id}", now=_time(one.at))

    def _votes(self, added: Mapping[str, Contribution]) -> None:
        """Where a statement is hidden already, an earlier run has cast all votes on it."""
        voters = {one: self._person(people.voter(self.campaign.slug, one)) for one in self.export.voters}
        standing: set[tuple[str, str]] = set()
        for vote in self.export.votes:
            found = added[vote.statement]
            if found.state != "hidden":
                self._vote(vote, found, voters[vote.voter], standing)
            self.tick()

    def _vote(self, vote: Vote, found: Contribution, pseudonym: str, standing: set[tuple[str, str]]) -> None:
        whose, at = (found.id, pseudonym), _time(vote.at)
        if vote.value:
            votes.cast(self.campaign, found.id, pseudonym, vote.value, now=at, found=found)
            standing.add(whose)
            self.cast += 1
        elif whose in standing:
            votes.withdraw(self.campaign, found.id, pseudonym, now=at, found=found)

    def _hide(self, added: Mapping[str, Contribution]) -> None:
        """As a moderator, after the votes: nobody votes on what is hidden."""
        moderator, now = str(self.campaign.founder), clock.utc_now()
        for one in self.export.statements:
            if one.hidden:
                target, request = added[one.id].id, f"polis-{one.id}"
                moderation.decide(self.campaign, target, "hide", reason="other", moderator=moderator, request=request, now=now)
