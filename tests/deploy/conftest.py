"""One package for all tests of the package: building it takes a quarter of a minute."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CHALICE = Path(sys.executable).parent / "chalice"
PLAIN = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "STAGE", "LEAD_S", "STAND_INS"))}


def project(folder: Path) -> Path:
    """A copy of what `chalice package` reads, with what `infra up` would have written."""
    folder.mkdir()
    shutil.copy(ROOT / "app.py", folder)
    shutil.copy(ROOT / "requirements.txt", folder)
    shutil.copytree(ROOT / "chalicelib", folder / "chalicelib", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / ".chalice").mkdir()
    shutil.copy(ROOT / ".chalice" / "config.json", folder / ".chalice")
    streams = {
        noun: f"arn:aws:dynamodb:eu-west-2:123456789012:table/groundswell-local-{noun}/stream/1"
        for noun in ("votes", "pledges", "contributions")
    }
    (folder / ".chalice" / "outputs-local.json").write_text(json.dumps({"streams": streams}))
    from infra import bytecode, policies

    place = policies.Place(
        "local", "eu-west-2", "123456789012", "arn:aws:kms:eu-west-2:123456789012:key/1", "arn:aws:kms:eu-west-2:123456789012:key/2"
    )
    policies.render(place, folder / ".chalice")
    bytecode.ship(folder)
    return folder


def package(folder: Path) -> Path:
    out = folder / "out"
    environment = PLAIN | {"PYTHONDONTWRITEBYTECODE": "1", "AWS_DEFAULT_REGION": "eu-west-2"}
    command = [str(CHALICE), "package", "--stage", "local", str(out)]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return out


@pytest.fixture(scope="session")
def packaged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that `chalice package` fills: sam.json and deployment.zip."""
    return package(project(tmp_path_factory.mktemp("package") / "project"))


@pytest.fixture(scope="session")
def unpacked(packaged: Path) -> Path:
    target = packaged / "unpacked"
    with zipfile.ZipFile(packaged / "deployment.zip") as archive:
        archive.extractall(target)
    return target
