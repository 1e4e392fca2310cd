"""One launch on one network, frozen and fanned out, that can be played again and again: AWS and the network are put back as they
were in between. Three people lend a post on three hosts' accounts; a fourth has taken theirs back."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from moto import mock_aws
from moto.dynamodb.models import dynamodb_backends

from chalicelib import clock, networks, participants, pledges, release, reports, settings, slots, store
from chalicelib.networks import mastodon, transport
from chalicelib.networks.base import Post, Request
from infra.stand_ins import StandIns
from tests import conftest
from tests.aws import Queued, Skipping, die, hook, nth, take_queued
from tests.conftest import NOW, make_campaign
from tests.launching import Launching

NAMES = ("ann", "ben", "cat")
NETWORKS = ("mastodon", "bluesky", "forgetful")
CUTS = ("before call", "after call", "lost response")
ENDED_BY_S = (3, 17, 60, 120, 180, 300, 420, 700, 1500, 3000, 3700)
CALLS = {
    "dynamodb": ("GetItem", "PutItem", "UpdateItem", "Query", "BatchGetItem", "TransactWriteItems"),
    "kms": ("Decrypt",),
    "sqs": ("GetQueueUrl", "SendMessageBatch"),
}


def forgetful() -> Any:
    """A network that recognises no repetition, as most do: each request that arrives is another post."""

    def request(post: Post, bearer: str) -> Request:
        made = mastodon.request(post, bearer)
        return Request(made.host, made.method, made.target, tuple(h for h in made.headers if h[0] != "Idempotency-Key"), made.body)

    return SimpleNamespace(**{name: getattr(mastodon, name) for name in dir(mastodon)} | {"REPEATABLE": False, "request": request})


@dataclass
class Scene:
    """`kept`: the tables at each time that a play can begin. `name`: of the network."""

    name: str
    launching: Launching
    queued: list[Queued] = field(default_factory=list)
    kept: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def repeatable(self) -> bool:
        return self.name != "forgetful"

    @property
    def towns(self) -> StandIns:
        return self.launching.towns

    def keep(self, when: str) -> None:
        self.kept[when] = {name: copy.deepcopy(table.items) for name, table in _tables().items()}

    def restore(self, when: str) -> None:
        """New keys too, so that the network takes no post of an earlier play for a repetition."""
        for name, table in _tables().items():
            table.items = copy.deepcopy(self.kept[when][name])
        take_queued("chunks")
        take_queued("mail")
        self.towns.start_afresh()
        for pledge in pledges.Pledge.query(self.chunk):
            network = networks.get(pledge.network)
            pledge.key = network.renewed(pledge.key, pledge.text, at=self.launching.launch.moment)
            pledge.save()

    @property
    def chunk(self) -> str:
        return slots.chunk_key(self.launching.launch.id, "bluesky.0" if self.name == "bluesky" else "mastodon.0", 0)

    def revoke(self, name: str) -> None:
        """Its owner takes the permission away."""
        server = next(str(one.server) for one in pledges.of_chunk(self.chunk) if f"@{name}" in one.account)
        self.towns.world.revoke(server, self.towns.token(server, name))

    def go_on(self, queued: list[Queued]) -> None:
        """Every message is taken, and the minute looks, until the launch has ended."""
        waiting = list(queued)
        for after in ENDED_BY_S:
            self.launching.clock.at(max(clock.current.now(), self.launching.moment(after).timestamp()))
            waiting += self.launching.tick()
            for _ in range(10):
                for sent in waiting:
                    release.handle(sent.body)
                waiting = take_queued("chunks")
                if not waiting:
                    break
            if self.launching.launch.settled_at:
                return

    def published(self) -> Counter[str]:
        """Posts that are out, by account."""
        return Counter(str(arrival.account) for arrival in self.towns.posts if arrival.published)

    def report(self) -> dict[str, Any]:
        return reports.get(self.launching.launch.id)

    def outcomes(self) -> dict[str, str]:
        """By account, as the supporters are told."""
        launch = self.launching.launch
        lent = [one for one in pledges.Pledge.query(self.chunk) if not one.withdrawn]
        return {one.account.split("@")[1].split(".")[0]: (reports.outcome(launch, one) or {"outcome": "none"})["outcome"] for one in lent}


def _tables() -> dict[str, Any]:
    found: dict[str, Any] = dynamodb_backends["123456789012"]["eu-west-2"].tables
    return found


@contextmanager
def set_up(name: str, towns: StandIns, folder: Path) -> Iterator[Scene]:
    """On an AWS of its own."""
    with mock_aws(), pytest.MonkeyPatch.context() as patch:
        for variable, value in {"STAND_INS": towns.setting, "SSL_CERT_FILE": str(towns.ca)}.items():
            patch.setenv(variable, value)
        patch.setenv("HANDLE_RESOLVER", "directory.test")
        patch.setenv("PLC_DIRECTORY", "directory.test")
        patch.setattr(transport, "ANSWER_S", 0.3)
        transport._tls.cache_clear()
        conftest.build()
        skipping = Skipping(NOW)
        patch.setattr(clock, "current", skipping)
        if name == "forgetful":
            patch.setattr(networks, "get", lambda _: network, raising=True)
            network = forgetful()
        yield _lent(name, Launching(make_campaign(participants.find_or_create("olive@example.org", now=NOW).id, NOW), towns, skipping))
    conftest.forget()
    settings.current.cache_clear()
    transport._tls.cache_clear()


def _lent(name: str, launching: Launching) -> Scene:
    scene, network = Scene(name, launching), "bluesky" if name == "bluesky" else "mastodon"
    launching.towns.start_afresh()
    launching.propose(networks=[network])
    for town, who in enumerate(NAMES):
        launching.pledge(who, town, network=network)
    launching.withdraw(launching.pledge("dan", network=network))
    launching.approve()
    scene.keep("open")
    launching.tick(launching.moment(-1200))
    scene.keep("frozen")
    scene.queued = launching.tick(launching.moment(-600))
    scene.keep("fanned out")
    return scene


@contextmanager
def each_call(act: Callable[[], None], *, after: bool = False) -> Iterator[None]:
    """Runs `act` just before (or after) each call that reaches AWS."""
    with ExitStack() as stack:
        for service, operations in CALLS.items():
            for operation in operations:
                stack.enter_context(hook(service, operation, act, after=after))
        yield


@contextmanager
def lost(number: int) -> Iterator[None]:
    """The response of the `number`-th call is lost, and botocore asks again."""
    seen = [0]

    def lose(response: Any, **_: Any) -> int | None:
        seen[0] += 1
        return 0 if seen[0] == number and response is not None else None  # seconds until it asks again

    with ExitStack() as stack:
        for service, operations in CALLS.items():
            events = (store.dynamodb() if service == "dynamodb" else store.client(service)).meta.events
            for operation in operations:
                name = f"needs-retry.{service}.{operation}"
                events.register_first(name, lose)
                stack.callback(events.unregister, name, lose)
        yield


def cut_off(cut: str, number: int) -> AbstractContextManager[object]:
    """Killed before or after the `number`-th call of AWS, or its response lost; or none of it."""
    if cut == "none":
        return nullcontext()
    assert cut in CUTS, cut
    return lost(number) if cut == "lost response" else each_call(nth(number, die), after=cut == "after call")
