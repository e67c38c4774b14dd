"""How long the verdicts of a family take, by the command that users type."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.report.document import Verdicts
from theorems import library
from theorems.registry import unasked
from theorems.statement import Quantifier

__all__ = ["FEW", "families", "verdict_times"]

FEW = 3
"""Statements of a family that the short form verifies: the first ones about every input."""

_VERDICT = re.compile(r"\[ *\d+/\d+\] ")


def families() -> list[str]:
    """The families that are verified where nothing is named, in the library's order."""
    return list(dict.fromkeys(each.family for each in unasked(library())))


def verdict_times(family: str, short: bool) -> Verdicts:
    """Verify a family, or in the ``short`` form a few of it, in a process of its own.

    Raises ``RuntimeError`` with what the command said where it gave no verdict, or another exit
    status than 0 and 1: a verdict other than expected is no matter of time.
    """
    statements = [each for each in library() if each.family == family]
    pointwise = [each for each in statements if each.quantifier is Quantifier.POINTWISE]
    names = [each.name for each in pointwise[:FEW]] if short else [family]
    with tempfile.TemporaryDirectory() as folder:
        found = Path(folder, "run.json")
        command = [sys.executable, "-m", "theorems", "verify", *names, "--json", str(found)]
        start, first, told = time.perf_counter(), None, ""
        with subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        ) as running:
            for line in running.stderr or ():
                told += line
                if first is None and _VERDICT.match(line):
                    first = time.perf_counter() - start
        taken = time.perf_counter() - start
        if first is None or running.returncode not in (0, 1):
            raise RuntimeError(f"theorems verify {' '.join(names)}: no verdict; it said {told!r}")
        verified = len(json.loads(found.read_text(encoding="utf-8"))["results"])
    return Verdicts(family, verified, len(statements), first, taken)
