"""The environment before anything is imported, AWS as moto plays it, and the people and things that tests are about."""

from __future__ import annotations

import base64
import json
import os

os.environ.update(
    STAGE="local",
    LEAD_S="60",
    MAIL_FROM="change@example.org",
    AWS_DEFAULT_REGION="eu-west-2",
    AWS_ACCESS_KEY_ID="test",
    AWS_SECRET_ACCESS_KEY="test",
    AWS_CONFIG_FILE=os.devnull,
    AWS_ACCOUNT_ID_ENDPOINT_MODE="disabled",
)
os.environ.pop("AWS_ENDPOINT_URL", None)

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import boto3
import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from moto import mock_aws

from chalicelib import campaigns, clock, keyring, mail, messages, participants, pseudonyms, settings, store, tallies
from chalicelib.campaigns import Campaign, Details, NewPhase
from chalicelib.contributions import Said
from chalicelib.networks import transport
from chalicelib.proposals import NewLaunch
from infra.stand_ins import StandIns, serve
from tests import aws as aws_hooks
from tests import tables

if TYPE_CHECKING:
    from tests.launching import Launching

_SLOW = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
hypothesis_settings.register_profile("dev", max_examples=15, stateful_step_count=20, deadline=None, suppress_health_check=_SLOW)
hypothesis_settings.register_profile(
    "ci", max_examples=60, stateful_step_count=30, deadline=None, suppress_health_check=_SLOW, derandomize=True
)
hypothesis_settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))

NOW = datetime(2027, 1, 9, 9, 0, tzinfo=UTC)


def forget() -> None:
    """What a process remembers of its AWS: queues, keys."""
    for remembered in (keyring._keys, mail._queue_url, messages._queue_url, pseudonyms._pair, settings.current, tallies._of_phase):
        remembered.cache_clear()


def build() -> None:
    """Everything that `infra up` makes, in moto."""
    forget()
    tables.create_all()
    kms = boto3.client("kms")
    kms.create_alias(AliasName="alias/groundswell-local", TargetKeyId=kms.create_key()["KeyMetadata"]["KeyId"])
    signing = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName="alias/groundswell-local-reports", TargetKeyId=signing)
    keys = {purpose: base64.b64encode(os.urandom(32)).decode() for purpose in keyring.PURPOSES}
    boto3.client("secretsmanager").create_secret(Name="groundswell-local-keys", SecretString=json.dumps(keys))
    boto3.client("ses").verify_email_identity(EmailAddress="change@example.org")


@pytest.fixture(scope="session", autouse=True)
def _kms() -> None:
    store.session().register("before-call.kms.GenerateDataKeyPairWithoutPlaintext", aws_hooks.data_key_pair)
    store.session().register("before-call.kms.Sign", aws_hooks.sign_digest)


@pytest.fixture
def aws() -> Iterator[None]:
    with mock_aws():
        build()
        yield
    forget()


@pytest.fixture
def now() -> datetime:
    return NOW


Make = Callable[..., str]


@pytest.fixture
def person(aws: None, now: datetime) -> Make:
    """Makes a person: `person("ann@example.org")` gives their id."""
    return lambda email: participants.find_or_create(participants.clean_email(email), now=now).id


def new_details(now: datetime, **changes: object) -> Details:
    """Everything that a campaign needs to open, with one open phase."""
    values: dict[str, object] = {
        "title": "Change Challenge",
        "question": "What stops good ideas from the ground up?",
        "phases": [NewPhase("What gets in the way?", now - timedelta(days=1), now + timedelta(days=14), ["barrier", "building-block"])],
        "controllers": [{"name": "Example Trust", "contact": "data@example.org"}],
        "contact": "hello@example.org",
        "minimum_age": 16,
        "rules": "Name nobody. Be kind.",
    }
    return Details(**(values | changes))  # type: ignore[arg-type]


def make_campaign(organiser: str, now: datetime, slug: str = "change-challenge", **changes: object) -> Campaign:
    """Made by the person `organiser`, and open. `changes`: other `Details`."""
    return campaigns.open_up(campaigns.create(slug, new_details(now, **changes), organiser=organiser, now=now), now=now)


def said(kind: str = "barrier", title: str = "Forms", text: str = "Too many forms.", **more: object) -> Said:
    return Said(kind, title, text, **more)  # type: ignore[arg-type]


@pytest.fixture
def campaign(person: Make, now: datetime) -> Campaign:
    """A campaign with one open phase, made by olive@example.org."""
    return make_campaign(person("olive@example.org"), now)


def new_launch(now: datetime, **changes: object) -> NewLaunch:
    values: dict[str, object] = {
        "message": "Change starts with the people who do the work.",
        "url": "https://change.example.org/solutions",
        "at": now + timedelta(minutes=30),
        "zone": "Europe/London",
        "closes_at": now + timedelta(minutes=20),
        "goal": 1,
        "networks": ["mastodon"],
    }
    return NewLaunch(**(values | changes))  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def _serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIns]:
    with serve(tmp_path_factory.mktemp("stand-ins"), count=3) as running:
        yield running


@pytest.fixture
def towns(_serving: StandIns, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIns]:
    """Three Mastodon servers and two of Bluesky's that this process trusts, with nothing arrived yet."""
    _serving.start_afresh()
    monkeypatch.setenv("STAND_INS", _serving.setting)
    monkeypatch.setenv("SSL_CERT_FILE", str(_serving.ca))
    monkeypatch.setenv("HANDLE_RESOLVER", "directory.test")
    monkeypatch.setenv("PLC_DIRECTORY", "directory.test")
    settings.current.cache_clear()
    transport._tls.cache_clear()
    yield _serving
    settings.current.cache_clear()
    transport._tls.cache_clear()


@pytest.fixture
def skipping(now: datetime, monkeypatch: pytest.MonkeyPatch) -> aws_hooks.Skipping:
    """The process's clock, starting at `now` and skipping all waits."""
    made = aws_hooks.Skipping(now)
    monkeypatch.setattr(clock, "current", made)
    return made


@pytest.fixture
def launching(campaign: Campaign, towns: StandIns, skipping: aws_hooks.Skipping) -> Launching:
    """A campaign on three towns, nothing proposed yet."""
    from tests.launching import Launching

    return Launching(campaign, towns, skipping)


@pytest.fixture
def planned(launching: Launching) -> Launching:
    """The moment is in three days; olive and oscar organise, mona moderates."""
    from tests import telling

    return telling.plan(launching)


@pytest.fixture
def joined(launching: Launching) -> Launching:
    """Ann and Ben lent posts, Cat without an address; Dan and Eve are reminded, Eve without an address."""
    from tests import telling

    return telling.join(launching)


@pytest.fixture
def many(launching: Launching, monkeypatch: pytest.MonkeyPatch) -> Launching:
    """A hundred and forty people to be told, SES taking one e-mail in two seconds."""
    from tests import telling

    monkeypatch.setenv("MAIL_PER_S", "0.5")
    settings.current.cache_clear()
    return telling.remind_many(launching)
