"""A verb imports what it needs and no more, so that looking something up is quick."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest

from theorems.cli import main
from theorems.commands import VERBS

HEAVY = (
    "torch",
    "hypothesis",
    "scipy.stats",
    "scipy.special",
    "sympy.stats",
    "matplotlib",
    "array_api_compat.numpy",
)
ALL = (*HEAVY, "numpy", "sympy", "rich", "simulators", "theorems.registry")


def loaded(arguments: list[str]) -> set[str]:
    """The modules that a command line imports, in a process of its own."""
    script = (
        "import sys\n"
        "from theorems.cli import main\n"
        f"status = main({arguments!r})\n"
        "print(*sys.modules, file=sys.stderr)\n"
        "sys.exit(status)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(done.stderr.split())


@pytest.mark.parametrize(
    ("arguments", "without"),
    [
        (["--help"], ALL),
        (["list"], HEAVY),
        (["show", "orthogonality.decay"], HEAVY),
        (["list", "rank"], (*HEAVY, "theorems.families.cluster.notation")),
        (["doctor"], (*HEAVY, "z3", "sklearn", "distributed", "pyarrow", "jinja2")),
        (["show", "rank.drift"], (*HEAVY, "theorems.families.splines.notation")),
    ],
)
def test_what_looks_something_up_imports_nothing_that_checks(
    arguments: list[str], without: tuple[str, ...]
) -> None:
    assert loaded(arguments) & set(without) == set()


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_is_a_module_that_takes_arguments_and_runs(
    verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    module = import_module(f"theorems.commands.{verb}")
    assert callable(module.add_arguments)
    assert callable(module.run)
    assert main([verb, "--help"]) == 0
    words = VERBS[verb].split(",")[0].split(":")[0]
    assert words[1:] in " ".join(capsys.readouterr().out.split())
