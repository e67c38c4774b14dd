"""The examples in docstrings of `theorems` run, and every public name has one."""

from __future__ import annotations

import doctest
import importlib
import inspect
import re
from pathlib import Path

import pytest

import theorems

ROOT = Path(__file__).parents[2]
#: Modules that show examples. Statements with a file each are tested with their files.
MODULES = [
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for path in sorted((ROOT / "theorems").rglob("*.py"))
    if ">>>" in path.read_text(encoding="utf-8") and path.parent.name != "statements"
]
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name: str) -> None:
    failed, tried = doctest.testmod(importlib.import_module(name), optionflags=FLAGS)
    assert (failed, tried > 0) == (0, True)


#: What the page of the reference about checks and proofs lists one by one.
LISTED = re.findall(
    r"^::: (\S+)$", (ROOT / "docs/reference/checks.md").read_text(encoding="utf-8"), re.MULTILINE
)


@pytest.mark.parametrize("name", [*(f"theorems.{name}" for name in theorems.__all__), *LISTED])
def test_every_public_name_has_an_example(name: str) -> None:
    module, _, thing = name.rpartition(".")
    assert ">>>" in (inspect.getdoc(getattr(importlib.import_module(module), thing)) or "")
