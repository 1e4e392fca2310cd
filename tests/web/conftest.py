"""A site with a campaign, its people at their browsers, and a launch on stand-in servers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from chalice.test import Client

from app import app
from chalicelib import clock, enrolments, sessions
from chalicelib.campaigns import Campaign
from infra import organisers
from infra.stand_ins import StandIns
from tests.aws import Skipping, take_mailed
from tests.conftest import Make
from tests.launching import Launching
from tests.web.browser import Browser, Program

if TYPE_CHECKING:
    from tests.web.world import World

HERE = "/c/change-challenge"
API = "/v1/campaigns/change-challenge"


@pytest.fixture
def client(aws: None, skipping: Skipping, tmp_path: Path) -> Iterator[Client]:
    """Without the project's config.json, whose variables it would put over those of the tests."""
    with Client(app, project_dir=str(tmp_path)) as made:
        yield made


@pytest.fixture
def browser(client: Client, campaign: Campaign) -> Browser:
    """Of somebody who is not signed in."""
    return Browser(client)


@pytest.fixture
def program(client: Client, campaign: Campaign) -> Program:
    return Program(client)


def mailed_code() -> str:
    """The code in the newest e-mail that waits in the queue."""
    return str(take_mailed()[-1]["data"]["code"])


def signed_in(email: str) -> str:
    """A session's token."""
    flow = sessions.ask(email, now=clock.utc_now())
    return sessions.verify(flow, mailed_code(), now=clock.utc_now()).token


@pytest.fixture
def ann(browser: Browser, campaign: Campaign, person: Make, now: datetime) -> Browser:
    """The browser of Ann, who has signed in and joined as a patient."""
    enrolments.join(campaign.slug, person("ann@example.org"), "patient", now=now)
    browser.cookies["gs_session"] = signed_in("ann@example.org")
    return browser


@pytest.fixture
def ann_program(program: Program, campaign: Campaign, person: Make, now: datetime) -> Program:
    enrolments.join(campaign.slug, person("ann@example.org"), "patient", now=now)
    program.token = signed_in("ann@example.org")
    return program


@pytest.fixture
def olive(client: Client, campaign: Campaign) -> Browser:
    """The browser of the campaign's organiser."""
    made = Browser(client)
    made.cookies["gs_session"] = signed_in("olive@example.org")
    return made


@pytest.fixture
def organiser(client: Client, campaign: Campaign) -> Callable[[str], Program]:
    """Makes another organiser of the campaign, as `infra organiser add --campaign` does."""

    def make(email: str) -> Program:
        organisers.add(email, campaign.slug, now=clock.utc_now())
        return Program(client, signed_in(email))

    return make


@pytest.fixture
def launch(launching: Launching) -> Launching:
    """Open for pledges: on Saturday 9 January 2027 at 9.30am, with one person as its goal."""
    launching.propose()
    return launching


@pytest.fixture(scope="module")
def world(_serving: StandIns, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """For tests that go through every route: built once for all of a module's."""
    from tests.web.world import made

    with made(_serving, tmp_path_factory.mktemp("world")) as whole:
        yield whole
