"""A claim about every spectrum, decided exactly, and one about a chain made of existing layers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from simulators import Chain, Trajectory
from simulators.batches import gaussian_batch
from simulators.layers import Linear, Recenter, Rescale
from simulators.strategies import corner_spectra, spectra
from theorems import Assumption, Quantifier, Sentinel, Source, Statement, Variable, Verdict
from theorems.checking.expectation import Expectation, Instance
from theorems.checking.pointwise import Pointwise

__all__ = ["LOWER_BOUND", "RECENTRED", "STATEMENTS"]

Floats = NDArray[np.floating[Any]]

n = sp.Symbol("n", integer=True, positive=True)
i = sp.Symbol("i", integer=True)
lam = sp.IndexedBase("lambda", real=True)
mean_rank = sp.Symbol("E_r", nonnegative=True)
SOURCE = Source("a test", "of another package")
BATCH = Variable(n, sp.Range(1, sp.oo), "batch size")


def _values(item: tuple[Fraction, ...]) -> Mapping[str, Any]:
    return {"n": len(item), "lambda": item}


def _corners() -> list[tuple[Fraction, ...]]:
    return [spectrum for size in (1, 2, 3, 5) for spectrum in corner_spectra(size).values()]


LOWER_BOUND = Statement(
    family="purity",
    theorem="lower_bound",
    title="A spectrum of sum 1 has purity at least 1/n",
    quantifier=Quantifier.POINTWISE,
    source=SOURCE,
    variables=(BATCH, Variable(lam, sp.Interval(0, 1), "eigenvalues", size=(n,))),
    assumptions=(
        Assumption(sp.Eq(sp.Sum(lam[i], (i, 0, n - 1)), 1), "the eigenvalues add up to 1"),
    ),
    lhs=sp.Sum(lam[i] ** 2, (i, 0, n - 1)),
    relation=">=",
    rhs=1 / n,
    sentinel=Sentinel("one part in a thousand more", rhs=sp.Rational(1001, 1000) / n),
    expected=Verdict.CERTIFIED,
    checks=(Pointwise(_values, spectra, _corners, examples=40),),
)


def chain(width: int) -> Chain:
    """Signs for weights, recentred and rescaled rows: no chain of the library, all its layers."""
    return Chain((Linear(width, "rademacher"), Recenter(), Rescale()))


def _starts(statement: Statement, batch: Floats | None) -> Iterator[Instance]:
    starts = (
        [gaussian_batch(32, 4, seed=4), gaussian_batch(32, 6, seed=6)] if batch is None else [batch]
    )
    for start in starts:
        size = start.shape[1]
        yield Instance(f"n={size}, d=32", chain(32), start, 8, ({"n": size},), (1.0, float(size)))


def _last_rank(statement: Statement, trajectory: Trajectory, instance: Instance) -> Floats:
    last: Floats = trajectory["effective_rank"][:, -1:]
    return last


RECENTRED = Statement(
    family="purity",
    theorem="recentred",
    title="Recentring leaves a mean effective rank of at most n - 1",
    quantifier=Quantifier.EXPECTATION,
    source=SOURCE,
    variables=(Variable(n, sp.Range(2, sp.oo), "batch size, at least 2"),),
    definitions={
        mean_rank: "E of the effective rank after 8 layers of sign weights, recentred and rescaled"
    },
    lhs=mean_rank,
    relation="<=",
    rhs=n - 1,
    ceiling=n,
    observables=("effective_rank",),
    sentinel=Sentinel("half of that", rhs=(n - 1) / 2),
    expected=Verdict.SUPPORTED,
    checks=(Expectation(_starts, _last_rank, ("effective_rank",)),),
)

STATEMENTS = (LOWER_BOUND, RECENTRED)
