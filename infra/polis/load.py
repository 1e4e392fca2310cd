"""An export straight through the domain's functions, with the times of the file: every statement is added and every vote
cast as a request would do it, under the campaign's limits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from chalicelib import campaigns, clock, contributions, errors, moderation, participants, tallies, votes
from chalicelib.campaigns import Campaign, Details, NewPhase
from chalicelib.contributions import Said
from infra.polis import people
from infra.polis.export import Export, Statement
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
    """Loads one share of an export. Safe to repeat: what is there already is found again."""

    def __init__(self, campaign: Campaign, export: Export, tick: Tick) -> None:
        self.campaign, self.export, self.tick = campaign, export, tick
        self.cast = 0

    def run(self) -> Tallies:
        """Everything; what the recount found, by statement."""
        ids = self._statements()
        self._votes(ids)
        self._hide(ids)
        counts = {one: tallies.recount(contributions.key(self.campaign.slug, found)) for one, found in ids.items()}
        return {one: (found.up, found.down) for one, found in counts.items()}

    def _person(self, email: str, at: int) -> str:
        """Their pseudonym."""
        person = participants.find_or_create(email, now=_time(at))
        return campaigns.admit(self.campaign, person.id, people.ROLE, of_age=True, now=_time(at)).pseudonym

    def _statements(self) -> dict[str, str]:
        """Our ids of them."""
        first = self.export.statements[0].at
        authors = {one: self._person(people.author(self.campaign.slug, one), first) for one in self.export.authors}
        known = {one: _said_before(self.campaign.slug, pseudonym) for one, pseudonym in authors.items()}
        ids = {}
        for one in self.export.statements:
            ids[one.id] = known[one.author].get(one.text) or self._add(one, authors[one.author])
            self.tick()
        return ids

    def _add(self, one: Statement, pseudonym: str) -> str:
        said = Said(str(self.campaign.phases[0].kinds[0]), one.title, one.text)
        return contributions.add(self.campaign, pseudonym, said, request=f"polis-{one.id}", now=_time(one.at)).id

    def _votes(self, ids: Mapping[str, str]) -> None:
        first = self.export.statements[0].at
        voters = {one: self._person(people.voter(self.campaign.slug, one), first) for one in self.export.voters}
        standing: set[tuple[str, str]] = set()
        for vote in self.export.votes:
            whose, who, at = (vote.statement, vote.voter), voters[vote.voter], _time(vote.at)
            if vote.value:
                votes.cast(self.campaign, ids[vote.statement], who, vote.value, now=at)
                standing.add(whose)
                self.cast += 1
            elif whose in standing:
                votes.withdraw(self.campaign, ids[vote.statement], who, now=at)
            self.tick()

    def _hide(self, ids: Mapping[str, str]) -> None:
        """As a moderator, after the votes: nobody votes on what is hidden."""
        moderator, now = str(self.campaign.founder), clock.utc_now()
        for one in self.export.statements:
            if one.hidden:
                request = f"polis-{one.id}"
                moderation.decide(self.campaign, ids[one.id], "hide", reason="other", moderator=moderator, request=request, now=now)


def _said_before(campaign: str, pseudonym: str) -> dict[str, str]:
    return {found.text: found.id for found in contributions.of_author(campaign, pseudonym)}
