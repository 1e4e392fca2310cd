"""A launch in a test: people who lend a post, two who approve, and the messages that move it on."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from chalicelib import campaigns, drafts, enrolments, fan_out, launches, pledges, pseudonyms, release
from chalicelib.campaigns import Campaign
from chalicelib.drafts import Access
from chalicelib.launches import Launch
from chalicelib.pledges import Pledge
from infra.stand_ins import StandIns
from infra.stand_ins.hosts import DIRECTORY
from tests.aws import Queued, Skipping, take_queued
from tests.conftest import new_launch


@dataclass
class Launching:
    """`clock` is moved by the steps; `tokens` maps pledge id -> the supporter's own token."""

    campaign: Campaign
    towns: StandIns
    clock: Skipping
    tokens: dict[str, str] = field(default_factory=dict)

    @property
    def now(self) -> datetime:
        from chalicelib import clock

        return clock.utc_now()

    @property
    def launch(self) -> Launch:
        return launches.of(campaigns.get(self.campaign.slug))

    def propose(self, **changes: object) -> Launch:
        made = launches.propose(self.campaign, "olive", new_launch(self.now, **changes), now=self.now)
        self.campaign.refresh()
        return made

    def approve(self) -> None:
        for organiser in ("olive", "oscar"):
            launches.approve(self.campaign, organiser, now=self.now)

    def pledge(
        self, name: str, town: int = 0, text: str = "I lend my voice.", person: str | None = None, network: str = "mastodon"
    ) -> Pledge:
        """Drafts and confirms; `person` signs in, else the supporter keeps a token of their own."""
        hosts = [host.name for host in self.towns.hosts if host.network == network and host.name != DIRECTORY]
        host = hosts[town % len(hosts)]
        server = host if network == "mastodon" else f"{name}.{host}"
        drafted = drafts.draft(self.campaign, network=network, server=server, text=text, person=person, token=None, now=self.now)
        access = Access(person, drafted.token)
        pledge = pledges.confirm(self.campaign, drafted.draft.id, self.towns.token(host, name), access, now=self.now)
        if drafted.token:
            self.tokens[pledge.id] = drafted.token
        return pledge

    def withdraw(self, pledge: Pledge) -> None:
        pledges.withdraw(self.campaign, pledge.id, Access(None, self.tokens[pledge.id]), now=self.now)

    def tick(self, at: datetime | None = None) -> list[Queued]:
        """One firing of the minute's rule; gives the messages it sent."""
        if at is not None:
            self.clock.at(at)
        fan_out.run(self.now)
        return take_queued("chunks")

    def moment(self, seconds: float = 0.0) -> datetime:
        return self.launch.moment + timedelta(seconds=seconds)

    def ready(self) -> list[Queued]:
        """Frozen and fanned out: the messages of the chunks, ten minutes before the moment."""
        self.approve()
        self.tick(self.moment(-1200))
        return self.tick(self.moment(-600))

    def work(self, queued: list[Queued], do: str = "send", at: float | None = -60.0) -> None:
        """A worker takes each message of a kind, woken `at` seconds from the moment."""
        for message in queued:
            if message.message["do"] == do:
                if at is not None:
                    self.clock.at(self.moment(at))
                release.handle(message.body)

    def posts(self) -> list[str]:
        """Who has a published post, once for each."""
        return sorted(arrival.account or "" for arrival in self.towns.posts if arrival.published)


def join_as_organiser(campaign: Campaign, person: str, now: datetime) -> str:
    enrolments.appoint(campaign.slug, person, ["organiser"], now=now)
    return pseudonyms.of(campaign.slug, person)
