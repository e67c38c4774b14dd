"""The files that are mutated, and every mutant in them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

from tests.mutation.operators import PLANTED, Mutant, mutants

__all__ = ["ROOT", "chosen", "files", "in_file"]

ROOT = Path(__file__).parents[2]

_FILES = (
    "theorems/checking/*.py",
    "theorems/certificates/*.py",
    "theorems/context.py",
    "theorems/simple_fractions.py",
    "theorems/verification.py",
    "simulators/engines/*.py",
    "simulators/engines/mean_field/*.py",
    "simulators/streams.py",
    "theorems/proofs/printer.py",
    "theorems/proofs/formulas.py",
    "theorems/proofs/rocq.py",
    "theorems/proofs/vernacular.py",
    "theorems/families/*/*.py",
)
#: What draws or tells, and decides no verdict.
_NOT = ("*_figure.py", "findings.py")
#: Files in which a comparison with 0 may be one of a ball.
_BALLS = (
    "branching.py",
    "contraction_boxes.py",
    "growth.py",
    "root_isolation.py",
    "outlier_certificates.py",
    "pointwise.py",
    "width_limit.py",
    "enclosures.py",
    "outlier_enclosure.py",
    "outlier.py",
    "recenter_relu.py",
    "rescale.py",
)
#: Files in which a number half a percent off makes another law.
_TRANSFORMS = (
    "streams.py",
    "factor.py",
    "dense.py",
    "confidence_sequence.py",
    "confidence_intervals.py",
    "rescale.py",
    "recenter_relu.py",
)


def files(only: Sequence[str] = ()) -> list[str]:
    """The files, relative to the root; of ``only``, files or folders, if any are given.

    Raises ``ValueError`` for a name under which nothing is mutated.
    """
    every = sorted(
        {
            p.relative_to(ROOT).as_posix()
            for pattern in _FILES
            for p in ROOT.glob(pattern)
            if not any(p.match(other) for other in _NOT)
        }
    )
    for name in only:
        if not any(_under(path, name) for path in every):
            raise ValueError(f"--only {name}: no such file among those that are mutated")
    return [path for path in every if not only or any(_under(path, name) for name in only)]


def _under(path: str, name: str) -> bool:
    return path == name or path.startswith(name.rstrip("/") + "/")


def in_file(path: str) -> list[Mutant]:
    """Every mutant of a file."""
    name = path.rpartition("/")[2]
    return mutants(
        path,
        (ROOT / path).read_text(encoding="utf-8"),
        balls=name in _BALLS,
        transforms=name in _TRANSFORMS,
    )


def chosen(only: Sequence[str], *, planted: bool, sample: int, seed: int) -> list[Mutant]:
    """Every mutant of the planted kinds, and a sample of the rest."""
    every = [mutant for path in files(only) for mutant in in_file(path)]
    taken = [m for m in every if planted and m.kind in PLANTED]
    rest = [m for m in every if m.kind not in PLANTED]
    return taken + random.Random(seed).sample(rest, min(sample, len(rest)))
