"""Deep in a rescale chain the mean gap is at most √(n/d).  (Say here what is claimed, in one line.)

Problem. A batch of n samples goes through 12 layers of random weights of width d, each rescaled to
rows of norm 1/√d. How far from orthogonal are its images on average?

Method. Replicas are drawn from the network's law; their mean is enclosed by a confidence sequence
at the error level of the run, for every instance below.

Guarantee. E V(H_12) ≤ √(n/d), for the instances below; vacuous where √(n/d) reaches √(1 - 1/n),
which V never exceeds.

Reference. (Paper and place, or "ours", and what the place says otherwise.)

Example:

    >>> STATEMENT.name
    'family_name.theorem_name'
    >>> float(STATEMENT.bound(n=4, d=64))
    0.25
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from simulators import Trajectory, rescale_chain
from simulators.batches import gaussian_batch
from theorems.checking.expectation import Expectation, Instance
from theorems.statement import Quantifier, Sentinel, Source, Statement, Variable, Verdict

__all__ = ["FIGURES", "STATEMENT", "STATEMENTS"]

Floats = NDArray[np.floating[Any]]

# Symbols. A number is exact: sp.Rational(1, 3), never 0.333.
n = sp.Symbol("n", integer=True, positive=True)
d = sp.Symbol("d", integer=True, positive=True)
mean_gap = sp.Symbol("E_V", nonnegative=True)

DEPTH = 12


def instances(statement: Statement, batch: Floats | None) -> Iterator[Instance]:
    """The starts over which the claim is checked.

    Args:
        statement: the claim, or its false neighbour.
        batch: the user's, (d, n), which takes the place of the starts; None without one.

    Returns:
        An instance for each start and width, with a value for every variable of the statement.
    """
    starts = [gaussian_batch(16, size, seed=size) for size in (2, 4)] if batch is None else [batch]
    for start in starts:
        size = start.shape[1]
        for width in (64, 256):
            yield Instance(
                label=f"n={size}, d={width}",
                chain=rescale_chain(width),
                start=start,
                depth=DEPTH,
                readouts=({"n": size, "d": width},),
                support=(0.0, 1.0),  # the range of one sample
            )


def sample(statement: Statement, trajectory: Trajectory, instance: Instance) -> Floats:
    """One number a replica and readout, whose mean is the left side.

    Args:
        statement: the claim, or its false neighbour.
        trajectory: ``observables`` at every layer, (replicas, 1 + depth), the batch first.
        instance: what was simulated.

    Returns:
        Shape (replicas, readouts), within the instance's ``support``.
    """
    last: Floats = trajectory["orthogonality_gap"][:, -1:]
    return last


STATEMENT = Statement(
    family="family_name",
    theorem="theorem_name",
    title="After 12 rescaled layers the mean gap is at most √(n/d)",
    quantifier=Quantifier.EXPECTATION,
    source=Source("ours", ""),
    variables=(
        Variable(n, sp.Range(1, sp.oo), "batch size"),
        Variable(d, sp.Range(1, sp.oo), "width"),
    ),
    definitions={mean_gap: "E V(H_12)"},
    lhs=mean_gap,
    relation="<=",
    rhs=sp.sqrt(n / d),
    ceiling=sp.sqrt(1 - 1 / n),  # what the left side never exceeds
    chain="rescale",
    observables=("orthogonality_gap",),
    # A claim that is false, and nearly this one: the same check must refute it.
    sentinel=Sentinel("a tenth of that", rhs=sp.sqrt(n / d) / 10),
    expected=Verdict.SUPPORTED,
    checks=(Expectation(instances, sample, ("orthogonality_gap",)),),
)

STATEMENTS = (STATEMENT,)
#: Functions of a run's JSON value that draw a figure for the report; none is needed.
FIGURES = ()
