"""What goes to Lambda: handlers that Lambda can find, in a zip that is enough by itself and the same twice."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.conftest import CHALICE, PLAIN, package, project

HANDLERS = {"app.app", "app.board", "app.fan_out", "app.release", "app.tally", "app.counts", "app.mail", "app.nightly"}


def functions(packaged: Path) -> dict[str, dict[str, Any]]:
    resources = json.loads((packaged / "sam.json").read_text())["Resources"]
    return {name: one["Properties"] for name, one in resources.items() if one["Type"] == "AWS::Serverless::Function"}


def test_every_handler_is_in_app(packaged: Path) -> None:
    """A handler in a Blueprint would be `chalicelib.….name`: Lambda would import that module alone, without the app."""
    assert {one["Handler"] for one in functions(packaged).values()} == HANDLERS


def test_functions_stay_within_nine(packaged: Path) -> None:
    assert len(functions(packaged)) <= 9


def test_queue_timeouts_fit_the_functions(packaged: Path) -> None:
    from tests import tables

    queues = {queue["QueueName"]: queue for queue in tables.resources("AWS::SQS::Queue")}
    timeouts = {one["Handler"]: one["Timeout"] for one in functions(packaged).values()}
    assert queues["groundswell-local-chunks"]["VisibilityTimeout"] > timeouts["app.release"]
    assert queues["groundswell-local-mail"]["VisibilityTimeout"] >= 6 * timeouts["app.mail"]
    assert timeouts["app.app"] < 29


@pytest.mark.parametrize("handler", sorted(HANDLERS))
def test_handler_is_importable_from_the_zip_alone(unpacked: Path, handler: str) -> None:
    module, function = handler.split(".")
    program = (
        f"import sys; sys.path = [p for p in sys.path if 'site-packages' not in p]; sys.path.insert(0, {str(unpacked)!r})\n"
        f"import {module}; assert callable(getattr({module}, {function!r}))\n"
    )
    environment = {"STAGE": "local", "AWS_DEFAULT_REGION": "eu-west-2", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", "import os\n" + _environment(environment) + program], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr


def _environment(values: dict[str, str]) -> str:
    return f"os.environ.update({values!r})\n"


LATE = ("launches", "release", "pledges", "fan_out", "tallies", "nightly", "mail", "web.http", "web.pages", "networks.mastodon")


@pytest.mark.parametrize("module", LATE)
def test_what_handlers_import_late_is_in_the_zip_too(unpacked: Path, module: str) -> None:
    test_module = f"import chalicelib.{module}"
    program = f"import sys; sys.path.insert(0, {str(unpacked)!r})\n{test_module}\n"
    environment = {"STAGE": "local", "AWS_DEFAULT_REGION": "eu-west-2", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", "import os\n" + _environment(environment) + program], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr


def test_zip_holds_the_application_and_nothing_else(packaged: Path) -> None:
    with zipfile.ZipFile(packaged / "deployment.zip") as archive:
        names = archive.namelist()
        flags = {archive.read(name)[4] for name in names if name.endswith(".pyc")}
    top = {name.split("/")[0] for name in names}

    assert not [name for name in names if name.endswith((".md", ".toml")) and name.startswith(("app", "chalicelib"))]
    assert flags == {0b11}  # bytecode that bears its source's hash, and is ignored where that differs: PEP 552
    assert not top & {"infra", "tests", "moto", "pytest", "aiohttp", "boto3", "build"}
    assert {"app.py", "chalicelib", "chalice", "pynamodb", "h11", "cryptography", "tzdata"} <= top


def test_two_builds_are_equal(packaged: Path, tmp_path: Path) -> None:
    again = package(project(tmp_path / "project"))

    digests = {hashlib.sha256((folder / "deployment.zip").read_bytes()).hexdigest() for folder in (packaged, again)}
    assert len(digests) == 1


def test_deploy_without_up_stops_with_the_command_to_run(tmp_path: Path) -> None:
    folder = project(tmp_path / "project")
    (folder / ".chalice" / "outputs-local.json").unlink()
    environment = PLAIN | {"AWS_DEFAULT_REGION": "eu-west-2", "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}
    done = subprocess.run(
        [str(CHALICE), "deploy", "--stage", "local"], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )

    assert done.returncode != 0
    assert "python -m infra up --stage local" in done.stderr + done.stdout
