"""The contracts of imports in pyproject.toml: they hold, and each breaks when it is breached."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("importlinter")
ROOT = Path(__file__).parents[1]

#: By contract: the module that breaches it, and the import that does.
BREACHES = {
    "Imports run down": ("theorems/checking/pointwise.py", "theorems.workbench.parsing"),
    "Modules and folders side by side": (
        "theorems/workbench/parsing.py",
        "theorems.workbench.conjecture",
    ),
    "simulators knows no theorem": ("simulators/chains.py", "theorems.statement"),
    "Families know nothing": ("theorems/families/rank/drift.py", "theorems.families.cluster.norms"),
    "A family is imported": ("theorems/commands/list.py", "theorems.families.rank"),
    "What is installed": ("theorems/verification.py", "tests"),
}


def kept_and_broken(root: Path) -> tuple[list[str], list[str]]:
    """The names of the contracts that hold for the packages under ``root``, and of those broken."""
    run = subprocess.run(
        [
            sys.executable,
            "-c",
            "from importlinter.cli import lint_imports_command; lint_imports_command()",
            "--no-cache",
            "--no-logo",
        ],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
        env={**os.environ, "PYTHONPATH": str(root), "COLUMNS": "200"},
    )
    found = {
        word: re.findall(rf"^(.+) {word}$", run.stdout, re.MULTILINE) for word in ("KEPT", "BROKEN")
    }
    assert found["KEPT"] or found["BROKEN"], run.stdout + run.stderr
    assert (run.returncode == 0) == (not found["BROKEN"])
    return found["KEPT"], found["BROKEN"]


def test_every_contract_holds() -> None:
    kept, broken = kept_and_broken(ROOT)
    assert broken == []
    assert len(kept) == len(BREACHES)
    assert all(any(name.startswith(start) for name in kept) for start in BREACHES)


def test_every_contract_breaks_when_it_is_breached(tmp_path: Path) -> None:
    for package in ("simulators", "theorems"):
        shutil.copytree(
            ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for path, module in BREACHES.values():
        with open(tmp_path / path, "a", encoding="utf-8") as stream:
            stream.write(f"\n\ndef breach() -> None:\n    import {module}\n")
    kept, broken = kept_and_broken(tmp_path)
    assert kept == []
    assert len(broken) == len(BREACHES)
