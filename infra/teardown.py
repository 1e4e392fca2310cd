"""`infra down`: deletes a stage, after asking."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from infra import deployed, stack
from infra.console import Problem, step


def run(stage: str, *, confirmed: bool) -> None:
    """Deletes what chalice made, then the stack and all data in it."""
    if not confirmed and input(f"This deletes {stack.name(stage)} and all its data. Type the stage's name to go on: ") != stage:
        raise Problem("Nothing was deleted.")
    outputs = stack.outputs_of(stage)
    deployed.fetch(stage, outputs.bucket)
    if deployed.path(stage).exists():
        with step("chalice delete"):
            command = [str(Path(sys.executable).parent / "chalice"), "delete", "--stage", stage]
            done = subprocess.run(command, env=dict(os.environ), capture_output=True, text=True, check=False)
            if done.returncode:
                raise Problem(f"chalice delete failed:\n{done.stderr[-3000:]}")
    stack.down(stage)
