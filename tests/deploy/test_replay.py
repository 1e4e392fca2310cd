"""A real conversation on the embedded AWS, everybody as themselves, with every tally right; and again after a restart and after
an incident, which both end with a recount. About two minutes (`make embedded`)."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from infra import redrive, site
from infra.demo import system
from infra.demo.site import Site
from infra.demo.system import System
from tests.deploy.test_redrive import FAILED_RECORDS

pytestmark = pytest.mark.embedded
ROOT = Path(__file__).parents[2]
BIODIVERSITY = ROOT.parent / "shared" / "data" / "polis" / "scoop-hivemind.biodiversity"
FIRST = 2000
API = "/v1/campaigns/replayed"


@pytest.fixture(scope="module", autouse=True)
def running() -> Iterator[System]:
    if not BIODIVERSITY.exists():
        pytest.skip("the real conversation scoop-hivemind.biodiversity is not beside this checkout")
    before, folder = dict(os.environ), ROOT / "build" / "embedded-replay"
    shutil.rmtree(folder, ignore_errors=True)
    (ROOT / "build" / "replay" / "replayed.jsonl").unlink(missing_ok=True)
    os.environ.pop("AWS_ACCOUNT_ID_ENDPOINT_MODE", None)
    os.chdir(ROOT)
    try:
        with system.up(folder) as made:
            yield made
    finally:
        os.environ.clear()
        os.environ.update(before)


def replay() -> str:
    """The last line of what the command says."""
    command = [sys.executable, "-m", "infra", "replay", str(BIODIVERSITY), "--campaign", "replayed", "--url", site.url("local")]
    done = subprocess.run([*command, "--first", str(FIRST)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout.strip().splitlines()[-1]


def test_first_votes_of_a_real_conversation_are_counted_without_a_difference() -> None:
    assert replay().startswith(f"75 statements, {FIRST} votes, 0 differences")


def lose_tallies() -> int:
    """As if no stream had told of any vote; how many there were."""
    table = boto3.resource("dynamodb").Table("groundswell-local-tallies")
    found = table.scan()["Items"]
    for item in found:
        table.delete_item(Key={"pk": item["pk"], "sk": item["sk"]})
    return len(found)


def test_restart_ends_with_a_recount(running: System) -> None:
    assert lose_tallies() > 50

    running.aws.stop()
    running.aws.start()

    assert replay().startswith(f"75 statements, {FIRST} votes, 0 differences")
    asked = Site(site.url("local"))
    assert asked.ask("GET", API)["opened"]
    asked.close()


def test_records_that_no_function_could_take_are_made_up_by_a_recount(running: System, capsys: pytest.CaptureFixture[str]) -> None:
    lose_tallies()
    sqs = boto3.client("sqs")
    dead = sqs.get_queue_url(QueueName="groundswell-local-streams-dead")["QueueUrl"]
    sqs.send_message(QueueUrl=dead, MessageBody=json.dumps(FAILED_RECORDS))

    assert redrive.run("local", confirmed=True) == 1

    assert "groundswell-local-tally: 7 records" in capsys.readouterr().out
    assert replay().startswith(f"75 statements, {FIRST} votes, 0 differences")
