"""What a replay has done already, one line a thing, so that it goes on where it was cut off. Each thing is written down after
it was done; done twice, it changes nothing. Holds sign-in tokens: readable by its owner only, and under build/."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any

from infra.console import Problem


class Journal:
    """`done[kind][key]` is the last value noted. Any number of threads may note."""

    def __init__(self, file: Path, about: str) -> None:
        """Raises `Problem` where the file is about something else."""
        self.file, self.done = file, dict[str, dict[str, Any]]()
        self._lock = threading.Lock()
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.exists():
            self._read(file)
        known = self.of("replay").setdefault("about", about)
        if known != about:
            raise Problem(f"{file} is about another replay ({known}); delete it to begin anew, or take another campaign.")
        self._lines = os.fdopen(os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "w", encoding="utf-8")
        self._lines.write("\n")  # ends a line that was cut off
        self.note("replay", "about", about)

    def _read(self, file: Path) -> None:
        for line in file.read_text(encoding="utf-8").splitlines():
            try:
                kind, key, value = json.loads(line)
            except ValueError:
                continue
            self.of(kind)[key] = value

    def of(self, kind: str) -> dict[str, Any]:
        return self.done.setdefault(kind, {})

    def note(self, kind: str, key: str, value: Any = True) -> None:
        with self._lock:
            self.of(kind)[key] = value
            self._lines.write(json.dumps([kind, key, value]) + "\n")
            self._lines.flush()

    def close(self) -> None:
        self._lines.close()
