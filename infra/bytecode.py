"""Bytecode that goes along with the functions. Chalice packs sources only, and where functions run nothing can be written,
so that each cold start would compile everything anew: more than half of its time (`make bench-cold`). What lies in
`vendor/` chalice adds to the package. Each file bears the hash of its source, and Python ignores it where that differs."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

VENDOR = Path("vendor")
_OURS = ("app.py", "chalicelib/**/*.py")
_RUNTIME = ("chalice/__init__.py", "chalice/app.py")  # all that chalice packs of itself
_HEADER = 16
_COMPILE = """
import json, py_compile, sys
for source, target, name in json.load(sys.stdin):
    mode = py_compile.PycInvalidationMode.CHECKED_HASH
    py_compile.compile(source, target, dfile=name, doraise=True, invalidation_mode=mode)
"""


def ship(project: Path = Path()) -> None:
    """Fills `vendor/` with the bytecode of this Python for everything that the package will hold. Only what has changed is
    compiled; what has no source any more is removed."""
    sources = dict(_sources(project))
    vendor = project / VENDOR
    for stale in set(vendor.rglob("*.pyc")) - {vendor / _compiled(name) for name in sources}:
        stale.unlink()
    compiled = {name: vendor / _compiled(name) for name in sources}
    asked = [(str(source), str(compiled[name]), name) for name, source in sources.items() if not _fits(compiled[name], source)]
    if asked:
        # In a process with nothing else in it: what is interned already shows in the bytecode, and two builds would differ.
        subprocess.run([sys.executable, "-I", "-S", "-c", _COMPILE], input=json.dumps(asked), text=True, check=True)


def _compiled(name: str) -> str:
    return str(importlib.util.cache_from_source(name))


def _fits(target: Path, source: Path) -> bool:
    if not target.exists():
        return False
    with target.open("rb") as file:
        header = file.read(_HEADER)
    return header[:4] == importlib.util.MAGIC_NUMBER and header[8:] == importlib.util.source_hash(source.read_bytes())


def _sources(project: Path) -> Iterator[tuple[str, Path]]:
    """Every module of the package: its path in there, and its source here."""
    for pattern in _OURS:
        yield from ((str(path.relative_to(project)), path) for path in sorted(project.glob(pattern)))
    chalice = _modules("chalice")
    yield from ((name, chalice[name]) for name in _RUNTIME)
    for requirement in _required(project / "requirements.txt"):
        yield from sorted(_modules(requirement).items())


def _required(requirements: Path) -> Iterator[str]:
    for line in requirements.read_text().splitlines():
        found = re.match(r"[A-Za-z0-9_.-]+(?===)", line)
        if found:
            yield found[0]


def _modules(distribution: str) -> Mapping[str, Path]:
    """The modules that a distribution installs, which are the same for every platform."""
    files = importlib.metadata.files(distribution) or []
    return {str(file): Path(str(file.locate())) for file in files if file.suffix == ".py" and not str(file).startswith("..")}
