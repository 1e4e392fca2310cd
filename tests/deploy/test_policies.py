"""The rendered policies allow what each function does, recorded while it does it, and no more than the design says.
Queue, stream and log rights are checked here alone: the embedded AWS does not."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from chalicelib import (
    board,
    contributions,
    counts,
    enrolments,
    keyring,
    launches,
    mail,
    messages,
    nightly,
    sessions,
    store,
    tallies,
    votes,
)
from infra import policies
from tests.aws import take_queued, take_records
from tests.conftest import said
from tests.launching import Launching

PLACE = policies.Place(
    "local", "eu-west-2", "123456789012", "arn:aws:kms:eu-west-2:123456789012:key/1", "arn:aws:kms:eu-west-2:123456789012:key/2"
)
SERVICE = {"DynamoDB": "dynamodb", "SQS": "sqs", "KMS": "kms", "SESv2": "ses", "Secrets Manager": "secretsmanager"}
Call = tuple[str, str]


def allowed(function: str) -> list[tuple[str, str]]:
    """(action, resource) pairs of the rendered policy."""
    pairs = []
    for statement in policies.policy(function, PLACE)["Statement"]:
        pairs += [(action, resource) for action in statement["Action"] for resource in statement["Resource"]]
    return pairs


def permits(function: str, action: str, arn: str) -> bool:
    return any(own == action and fnmatch.fnmatchcase(arn, resource) for own, resource in allowed(function))


def table(noun: str) -> str:
    return PLACE.arn("dynamodb", f"table/groundswell-local-{noun}")


def needed(service: str, operation: str, params: dict[str, Any]) -> Iterator[Call]:
    """The action and the resource of one request, as IAM sees them."""
    if service == "dynamodb":
        yield from _dynamodb(operation, params)
    elif service == "sqs":
        name = params.get("QueueName") or params["QueueUrl"].rpartition("/")[2]
        yield "sqs:SendMessage" if operation == "SendMessageBatch" else f"sqs:{operation}", PLACE.arn("sqs", name)
    elif service == "kms":
        yield f"kms:{operation}", PLACE.reports_key if params.get("KeyId") == "alias/groundswell-local-reports" else PLACE.kms_key
    elif service == "secretsmanager":
        yield f"secretsmanager:{operation}", PLACE.arn("secretsmanager", f"secret:{params['SecretId']}-AbCdEf")
    else:
        yield f"ses:{operation}", PLACE.arn("ses", "identity/example.org")


def _dynamodb(operation: str, params: dict[str, Any]) -> Iterator[Call]:
    if operation == "TransactWriteItems":
        inner = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem"}
        for item in params["TransactItems"]:
            for kind, one in item.items():
                yield f"dynamodb:{inner[kind]}", table(one["TableName"].removeprefix("groundswell-local-"))
    elif operation == "BatchGetItem":
        for name in params["RequestItems"]:
            yield "dynamodb:BatchGetItem", table(name.removeprefix("groundswell-local-"))
    else:
        whole = table(params["TableName"].removeprefix("groundswell-local-"))
        yield f"dynamodb:{operation}", f"{whole}/index/{params['IndexName']}" if "IndexName" in params else whole


@contextmanager
def recorded() -> Iterator[set[Call]]:
    """Every call that our code makes to AWS, as the rights it needs."""
    calls: set[Call] = set()

    def note(params: dict[str, Any], model: Any, **_: Any) -> None:
        calls.update(needed(SERVICE[model.service_model.service_id], model.name, params))

    clients = [store.dynamodb(), *(store.client(name) for name in ("sqs", "kms", "sesv2", "secretsmanager"))]
    for client in clients:
        client.meta.events.register("before-parameter-build.*", note)
    try:
        yield calls
    finally:
        for client in clients:
            client.meta.events.unregister("before-parameter-build.*", note)


def forget_keys() -> None:
    for remembered in (keyring._keys, mail._queue_url, messages._queue_url):
        remembered.cache_clear()


def refused(function: str, calls: set[Call]) -> set[Call]:
    return {call for call in calls if not permits(function, *call)}


@pytest.fixture
def did(launching: Launching) -> dict[str, set[Call]]:
    """What each function called on the way from sign-in to the report."""
    calls: dict[str, set[Call]] = {}
    with recorded() as calls["api_handler"]:
        converse(launching)
    moment = launching.moment()
    with recorded() as calls["counts"]:
        counts.recount(record["dynamodb"]["Keys"]["pk"]["S"] for record in take_records("pledges"))
    with recorded() as calls["tally"]:
        tallies.recount_touched(record["dynamodb"]["Keys"]["pk"]["S"] for record in take_records("votes"))
    with recorded() as calls["board"]:
        board.refresh(board_keys(record) for record in take_records("contributions"))
    with recorded() as more:
        read_lists(launching)
    calls["api_handler"] |= more
    with recorded() as calls["mail"]:
        forget_keys()
        mail.deliver(take_queued("mail")[0].body)
    with recorded() as calls["nightly"]:
        forget_keys()
        nightly.run()
    with recorded() as calls["fan_out"]:
        forget_keys()
        prepare = launching.tick(moment - timedelta(seconds=1750))
        queued = launching.tick(moment - timedelta(seconds=590))
    with recorded() as calls["release"]:
        forget_keys()
        launching.clock.at(moment - timedelta(seconds=1740))
        launching.work(prepare, "prepare", at=None)
        launching.work(prepare, "probe", at=None)
        launching.clock.at(moment - timedelta(seconds=60))
        launching.work(queued, at=None)
        launching.work(queued, "watch", at=None)
    with recorded() as more:
        launching.tick(moment + timedelta(seconds=60))
    calls["fan_out"] |= more
    assert launching.launch.state == "settled"
    launching.clock.at(moment + timedelta(hours=73))
    with recorded() as more:
        nightly.run()
    calls["nightly"] |= more
    return calls


def board_keys(record: dict[str, Any]) -> tuple[str, str]:
    keys = record["dynamodb"]["Keys"]
    return keys["pk"]["S"], keys["sk"]["S"]


def read_lists(launching: Launching) -> None:
    """Lists, search, figures and open data, while votes are hidden and once they are shown."""
    from chalicelib import exports, listing, participants, stats

    person = participants.find_or_create("ann@example.org", now=launching.now).id
    scene = listing.look(launching.campaign.slug, person, (stats.Figures, stats.STATS))
    for now in (launching.now, launching.now + timedelta(days=30)):
        listing.page(scene, listing.Wanted(), now=now)
        listing.page(scene, listing.Wanted(q="forms"), now=now)
        listing.page(scene, listing.Wanted(sort="new"), now=now)
        stats.of(scene.campaign, scene.head, None, now=now)
        exports.part(scene.campaign, scene.head, cursor=None, now=now)


def organise(launching: Launching) -> None:
    """Everything that the console does to a campaign, its team, its themes and its partners."""
    from chalicelib import campaigns, framework, participants, team, texts

    slug, now = launching.campaign.slug, launching.now
    other = campaigns.create(
        "another", campaigns.details_of(launching.campaign), organiser=participants.find_or_create("o@example.org", now=now).id, now=now
    )
    campaigns.open_up(
        campaigns.change(other, {"title": "Another", "partners": [{"id": "nt", "name": "NT", "link": ""}]}, "o", now=now), now=now
    )
    texts.put_logo("another", "nt", "<svg></svg>")
    texts.logos("another")
    campaigns.change(campaigns.get("another", consistent=True), {"partners": []}, "o", now=now)
    member = team.invite(slug, "ben@example.org", ["organiser"], team.Welcome("Calm", "https://change.example.org"), now=now)
    team.remove(slug, member.id, now=now)
    framework.put(slug, "safe", framework.Said("barrier", "Playing it safe", ""), now=now)
    framework.remove(slug, "safe")


def converse(launching: Launching) -> None:
    from chalicelib import campaigns, comments, participants, readiness, rehearsals, reports, visits

    forget_keys()
    organise(launching)
    flow = sessions.ask("ann@example.org", now=launching.now)
    person = participants.find_or_create("ann@example.org", now=launching.now).id
    sessions.find(sessions._session(flow, person, launching.now).token, now=launching.now)
    campaigns.every()
    pseudonym = enrolments.join(launching.campaign.slug, person, "staff", now=launching.now).pseudonym
    idea = contributions.add(launching.campaign, pseudonym, said("barrier", "A", "B"), request="1", now=launching.now)
    contributions.newest(launching.campaign.slug, 1)
    comments.add(launching.campaign, idea.id, pseudonym, text="C", request="1", now=launching.now)
    votes.cast(launching.campaign, idea.id, pseudonym, 1, now=launching.now)
    votes.own_of(launching.campaign.slug, [idea.id], pseudonym)
    tallies.get_all(launching.campaign.slug, [idea.id])
    votes.withdraw(launching.campaign, idea.id, pseudonym, now=launching.now + timedelta(seconds=1))
    launching.propose()
    launching.withdraw(launching.pledge("ann"))
    pledge = launching.pledge("ben")
    launching.approve()
    launches.supporters(launching.launch)
    reports.outcome(launching.launch, pledge)
    visits.count(launching.campaign.slug, now=launching.now)
    rehearsals.start(campaigns.get(launching.campaign.slug), "olive", "probe", now=launching.now)
    readiness.of(launching.launch, now=launching.now)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_policies_allow_what_each_function_calls(did: dict[str, set[Call]]) -> None:
    assert {function: refused(function, calls) for function, calls in did.items() if refused(function, calls)} == {}
    assert set(did) == set(policies.FUNCTIONS)
    assert all(did.values())


def test_the_api_can_neither_read_a_grant_nor_a_key_nor_decrypt() -> None:
    for action, noun in (("GetItem", "grants"), ("Query", "grants"), ("Scan", "grants"), ("GetItem", "keys"), ("Query", "keys")):
        assert not permits("api_handler", f"dynamodb:{action}", table(noun))
    assert not permits("api_handler", "kms:Decrypt", PLACE.kms_key)
    assert not permits("api_handler", "sqs:SendMessage", PLACE.arn("sqs", "groundswell-local-chunks"))


def test_only_the_worker_reads_grants_and_opens_keys() -> None:
    readers = {function for function in policies.FUNCTIONS if permits(function, "dynamodb:Query", table("grants"))}
    openers = {function for function in policies.FUNCTIONS if permits(function, "kms:Decrypt", PLACE.kms_key)}

    assert readers == openers == {"release"}


def test_only_what_writes_reports_signs_them() -> None:
    signers = {function for function in policies.FUNCTIONS if permits(function, "kms:Sign", PLACE.reports_key)}

    assert signers == {"fan_out"}
    assert not permits("fan_out", "kms:Decrypt", PLACE.reports_key)
    assert not [function for function in policies.FUNCTIONS if permits(function, "kms:Sign", PLACE.kms_key)]


def test_only_three_functions_read_the_apis_own_keys() -> None:
    secret = PLACE.arn("secretsmanager", "secret:groundswell-local-keys-AbCdEf")

    readers = {function for function in policies.FUNCTIONS if permits(function, "secretsmanager:GetSecretValue", secret)}
    assert readers == {"api_handler", "mail", "nightly"}


@pytest.mark.parametrize(("function", "queue"), [("release", "chunks"), ("mail", "mail")])
def test_queue_functions_may_take_from_their_queue(function: str, queue: str) -> None:
    for action in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes"):
        assert permits(function, f"sqs:{action}", PLACE.arn("sqs", f"groundswell-local-{queue}"))


@pytest.mark.parametrize(("function", "noun"), [("tally", "votes"), ("counts", "pledges")])
def test_stream_functions_may_read_their_stream_and_send_what_failed(function: str, noun: str) -> None:
    stream = f"{table(noun)}/stream/2027-01-01T00:00:00.000"
    for action in ("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams"):
        assert permits(function, f"dynamodb:{action}", stream)
    assert permits(function, "sqs:SendMessage", PLACE.arn("sqs", "groundswell-local-streams-dead"))


@pytest.mark.parametrize("function", list(policies.FUNCTIONS))
def test_every_function_may_write_its_own_log(function: str) -> None:
    from infra import deployed

    group = PLACE.arn("logs", f"log-group:/aws/lambda/{deployed.function_name('local', function)}")
    for action in ("CreateLogStream", "PutLogEvents"):
        assert permits(function, f"logs:{action}", f"{group}:log-stream:1")


def test_outside_the_local_stage_a_key_opens_only_in_its_context() -> None:
    prod = policies.Place("prod", "eu-west-2", "123456789012", PLACE.kms_key, PLACE.reports_key)
    conditions = [one.get("Condition") for one in policies.policy("release", prod)["Statement"] if "kms:Decrypt" in one["Action"]]

    assert conditions == [{"Null": {"kms:EncryptionContext:campaign": "false", "kms:EncryptionContext:launch": "false"}}]
