"""Rules of the house that a reader of one file cannot see: imports, asserts, silenced checks."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted(path for package in ("simulators", "theorems") for path in (ROOT / package).rglob("*.py"))


def imported(tree: ast.AST) -> set[str]:
    """Top-level packages that a module names in imports, wherever they stand."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


def asserts(tree: ast.AST) -> list[int]:
    return [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Assert)]


def silent(text: str) -> list[str]:
    """Lines that switch a type check off without naming the error, so that any other would pass as well."""
    return [line for line in text.splitlines() if "# type: ignore" in line
            and not re.search(r"# type: ignore\[[\w-]+\]", line)]


def test_there_is_something_to_read() -> None:
    assert len(SOURCES) > 30


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_house_rules(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    assert asserts(tree) == [], "python -O removes asserts; raise instead"
    assert silent(text) == []
    found = imported(tree)
    assert not found & {"tests", "bench"}
    if path.is_relative_to(ROOT / "simulators"):
        assert "theorems" not in found, "imports run one way: theorems knows simulators"


def test_the_rules_see_what_they_forbid() -> None:
    """Each rule is fed a breach."""
    bad = ast.parse("def f():\n    from theorems.verification import verify\n    assert f\nimport theorems.registry\n")
    assert imported(bad) == {"theorems"}
    assert asserts(bad) == [3]
    assert silent("x = 1  # type: ignore") != []
    assert silent("x = 1  # type: ignore[misc]") == []
