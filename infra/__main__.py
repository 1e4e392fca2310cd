"""The operator's commands: python -m infra COMMAND --stage STAGE"""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime

from infra import console, stack
from infra.console import Problem


def up(arguments: argparse.Namespace) -> None:
    stack.enter(arguments.stage)
    stack.up(arguments.stage)


def finish(arguments: argparse.Namespace) -> None:
    from infra import finish

    stack.enter(arguments.stage)
    finish.run(arguments.stage)


def main() -> None:
    pass


if __name__ == "__main__":
    main()
