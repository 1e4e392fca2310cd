"""The shape of the code, as rules: imports run one way, handlers live in app.py, modules and functions stay small."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OURS = sorted((ROOT / "chalicelib").rglob("*.py"))
ALL = [ROOT / "app.py", *OURS, *sorted((ROOT / "infra").rglob("*.py"))]
MODULE_MAX, APP_MAX, FUNCTION_MAX = 300, 120, 30
EVENT_DECORATORS = {"schedule", "on_sqs_message", "on_dynamodb_record", "on_cw_event", "on_s3_event", "on_sns_message", "lambda_function"}


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


NAMES = {name_of(path) for path in ALL}


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, at its top or late, by its full name."""
    package = name_of(path).split(".") if path.name == "__init__.py" else name_of(path).split(".")[:-1]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *(node.module.split(".") if node.module else [])])
            for alias in node.names:
                full = f"{module}.{alias.name}"
                yield full if full in NAMES else module


def test_imports_are_acyclic() -> None:
    graph = {name_of(path): {found for found in imports(path) if found in NAMES and found != name_of(path)} for path in ALL}
    # A package that gathers its own modules, as `web` does, is not their dependency.
    inner = {name: {found for found in uses if not name.startswith(f"{found}.")} for name, uses in graph.items()}

    TopologicalSorter(inner).prepare()


@pytest.mark.parametrize("path", OURS, ids=name_of)
def test_the_application_does_not_know_its_infrastructure_or_its_edge(path: Path) -> None:
    found = set(imports(path))
    name = name_of(path)

    assert not {imported for imported in found if imported.split(".")[0] in ("infra", "tests", "app")}
    if not name.startswith("chalicelib.web"):
        assert not {imported for imported in found if imported.startswith("chalicelib.web")}
    if not name.startswith("chalicelib.web") and name != "chalicelib.errors":
        assert "chalice" not in {imported.split(".")[0] for imported in found}


@pytest.mark.parametrize("path", OURS, ids=name_of)
def test_only_settings_reads_the_environment(path: Path) -> None:
    reads = [
        node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv")
    ]

    assert not reads or name_of(path) == "chalicelib.settings"


@pytest.mark.parametrize("path", OURS, ids=name_of)
def test_event_handlers_live_in_app_only(path: Path) -> None:
    """In a Blueprint they deploy broken while tests pass."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef):
            for decorator in node.decorator_list:
                called = decorator.func if isinstance(decorator, ast.Call) else decorator
                assert getattr(called, "attr", "") not in EVENT_DECORATORS


def test_handlers_are_at_most_two_lines() -> None:
    for node in ast.parse((ROOT / "app.py").read_text()).body:
        if isinstance(node, ast.FunctionDef):
            assert len(node.body) <= 2, node.name


@pytest.mark.parametrize("path", ALL, ids=name_of)
def test_modules_and_functions_stay_small(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= (APP_MAX if path.name == "app.py" else MODULE_MAX)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno + 1 <= FUNCTION_MAX, node.name


def test_half_of_the_functions_are_under_ten_lines() -> None:
    lengths = sorted(
        (node.end_lineno or 0) - node.lineno + 1
        for path in OURS
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )

    assert lengths[len(lengths) // 2] < 10
