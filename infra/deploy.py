"""`make deploy`: up, an unmodified `chalice deploy`, finish. On the local stage nothing is done where nothing changed."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import botocore

from infra import deployed, finish, pollers, stack
from infra.console import Problem, say, step

DEPLOYED_FROM = (
    "app.py",
    "chalicelib",
    "requirements.txt",
    ".chalice/config.json",
    "infra/resources.yaml",
    "infra/policies.py",
    "infra/finish.py",
)


def run(stage: str, *, folder: Path | None = None) -> None:
    """`folder`, where given, keeps what was deployed last, so that an unchanged tree is not deployed again."""
    stack.enter(stage)
    pollers.refuse_while_provisioned(stage)
    clear_bytecode()
    stamp, wanted = folder / "deployed-from" if folder else None, fingerprint(stage)
    if stamp and stamp.exists() and stamp.read_text() == wanted and _stands(stage):
        say("  nothing has changed since the last deploy")
        return
    stack.up(stage)
    with step("chalice deploy"):
        chalice(stage)
    finish.run(stage)
    if stamp:
        stamp.write_text(wanted)


def _stands(stage: str) -> bool:
    try:
        stack.up(stage)
        return deployed.path(stage).exists() and bool(finish.api_id(stage))
    except Problem:
        return False


def clear_bytecode() -> None:
    """Chalice packs all of `chalicelib`, stale bytecode too, and then no two packages are equal."""
    for folder in Path("chalicelib").rglob("__pycache__"):
        shutil.rmtree(folder)


def fingerprint(stage: str) -> str:
    digest = hashlib.sha256(f"{stage} {sys.version}".encode())
    for name in DEPLOYED_FROM:
        files = sorted(Path(name).rglob("*")) if Path(name).is_dir() else [Path(name)]
        for file in files:
            if file.is_file() and "__pycache__" not in file.parts:
                digest.update(str(file).encode() + file.read_bytes())
    return digest.hexdigest()


def chalice(stage: str) -> None:
    """Plain `chalice deploy --stage S`. Its output is shown only where it fails."""
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    if stage == "local":
        environment["AWS_DATA_PATH"] = str(_quick_waiters())
    command = [str(Path(sys.executable).parent / "chalice"), "deploy", "--stage", stage]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Problem(f"chalice deploy failed:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")


def _quick_waiters() -> Path:
    """botocore's own waiters for Lambda, asking five times a second: the embedded AWS is ready at once."""
    source = Path(botocore.__file__).parent / "data" / "lambda" / "2015-03-31"
    target = Path("build/waiters/lambda/2015-03-31")
    target.mkdir(parents=True, exist_ok=True)
    packed = source / "waiters-2.json"
    waiters = json.loads(packed.read_text())
    for waiter in waiters["waiters"].values():
        waiter["delay"] = 0.2
    (target / "waiters-2.json").write_text(json.dumps(waiters))
    return Path("build/waiters").absolute()
