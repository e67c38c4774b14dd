"""Chains that differ in one respect, run side by side under the same weights, and their ranks
compared.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import sympy as sp

from simulators import Chain, simulate
from theorems.checking.lost_samples import rounding_of
from theorems.checking.medians import Case, Floats, Medians, Sample
from theorems.context import Context

__all__ = ["LARGEST", "WANTS", "Arm", "arms", "rank_symbol", "square_batch", "too_dear"]

NETWORKS = 96
#: Widest batch that is run.
LARGEST = 512
#: Weights that the networks of one case may draw: half a minute on two cores.
AFFORDABLE = 8e9
WANTS = f"as many samples as rows, 2 to {LARGEST} of them, and full rank"


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


def too_dear(weights: int) -> str:
    """Why networks that draw so many weights are not run; empty if they are."""
    return (
        f"not run: {weights:.1g} weights to draw, {AFFORDABLE:.1g} allowed"
        if weights > AFFORDABLE
        else ""
    )


def arms(
    compared: Sequence[Arm],
    widths: Sequence[int],
    depth: Callable[[int], int],
    domain: range = range(2, LARGEST + 1),
) -> Medians:
    """Medians of r after ``depth(width)`` layers, from orthogonal samples or the user's batch.

    A network that died has no rank: it counts as the worst value for either end of an interval.
    ``domain``: the widths of batches that the claim is about.
    """

    def cases(batch: Floats | None) -> list[Case]:
        starts: list[Floats] = [np.eye(width) for width in widths]
        if batch is not None:
            starts = [batch] if square_batch(batch) and len(batch) in domain else []
        return [
            Case(
                f"d={len(start)}, {depth(len(start))} layers",
                {"d": len(start)},
                partial(_ranks, compared, start, depth(len(start))),
                len(compared),
            )
            for start in starts
        ]

    return Medians(
        cases, wants=f"as many samples as rows, {domain[0]} to {domain[-1]} of them, and full rank"
    )


def _ranks(compared: Sequence[Arm], start: Floats, depth: int, context: Context) -> Sample:
    if dear := too_dear(len(compared) * NETWORKS * depth * len(start) ** 2):
        return Sample({}, dear)
    found: dict[str, list[Any]] = {}
    rounding = 0.0
    for arm in compared:
        chain = arm.chain(len(start))
        key = ("arm", chain, start.tobytes(), depth)
        if key not in context.memory:
            run = simulate(
                chain,
                start,
                depth=depth,
                every=depth,
                replicas=NETWORKS,
                engine="dense",
                dtype="float32",
                observables=("effective_rank",),
                seed=context.stream("arms", len(start)),
            )
            context.memory[key] = (
                np.where(run.spoiled[:, -1], np.nan, run["effective_rank"][:, -1]),
                rounding_of(run),
            )
        ranks, error = context.memory[key]
        found[str(arm.symbol)] = [ranks]
        rounding = max(rounding, error)
    return Sample(
        found,
        rounding=rounding,
        notes={"networks": NETWORKS, "dtype": "float32", "engine": "dense"},
    )
