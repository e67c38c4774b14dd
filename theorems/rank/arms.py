"""Chains that differ in one respect, run side by side under the same weights, and their ranks compared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import sympy as sp

from simulators import Chain, simulate
from theorems.checking.context import Context
from theorems.checking.medians import Case, Floats, Medians, Sample

__all__ = ["LARGEST", "WANTS", "Arm", "arms", "rank_symbol", "square_batch"]

NETWORKS = 96
#: Widest batch that is run.
LARGEST = 512
WANTS = f"as many samples as rows, at most {LARGEST}, and full rank"


@dataclass(frozen=True)
class Arm:
    """One of the chains compared: its rank's symbol, what it is, and the chain of a given width."""

    symbol: sp.Symbol
    chain: Callable[[int], Chain]


def rank_symbol(name: str) -> sp.Symbol:
    return sp.Symbol(f"r_{name}", nonnegative=True)


def square_batch(batch: Floats) -> bool:
    """Whether a batch is what the family wants: rank X = d, and n = d."""
    rows, columns = batch.shape
    return rows == columns and 2 <= rows <= LARGEST and bool(np.linalg.matrix_rank(batch) == rows)


def arms(compared: Sequence[Arm], widths: Sequence[int], depth: Callable[[int], int]) -> Medians:
    """Medians of r after ``depth(width)`` layers, from orthogonal samples or the user's batch."""
    def cases(batch: Floats | None) -> list[Case]:
        starts: list[Floats] = [np.eye(width) for width in widths]
        if batch is not None:
            starts = [batch] if square_batch(batch) else []
        return [Case(f"d={len(start)}, {depth(len(start))} layers", {"d": len(start)},
                     partial(_ranks, compared, start, depth(len(start))), len(compared)) for start in starts]
    return Medians(cases, wants=WANTS)


def _ranks(compared: Sequence[Arm], start: Floats, depth: int, context: Context) -> Sample:
    found: dict[str, list[Any]] = {}
    for arm in compared:
        chain = arm.chain(len(start))
        key = ("arm", chain, start.tobytes(), depth)
        if key not in context.memory:
            context.memory[key] = simulate(
                chain, start, depth=depth, every=depth, replicas=NETWORKS, engine="dense", dtype="float32",
                observables=("effective_rank",), seed=context.stream("arms", len(start)))["effective_rank"][:, -1]
        found[str(arm.symbol)] = [context.memory[key]]
    return Sample(found, notes={"networks": NETWORKS, "dtype": "float32", "engine": "dense"})
