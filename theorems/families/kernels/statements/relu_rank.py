"""After one ReLU layer n samples do not have the rank n(1 - (1 - 2/π)) of a published formula.

Problem. Which rank has a batch of n orthogonal samples after ℓ random ReLU layers?

Method. Eigenvalues that are not small are counted in simulated networks, which are no more than the
rank; their mean is enclosed by a confidence sequence.

Guarantee. None: the formula n(1 - (1 - 2/π)^ℓ) + O(exp(-cn)) gives 12.7 at n = 20 and ℓ = 1, and
the mean rank is told to be more than one above it; all networks drawn have rank 20, at widths 40
and 60.

Reference. MK25 (arXiv 2507.07675), as in its abstract; the text and its constant were not seen.

Example:

    >>> round(float(STATEMENTS[0].bound(n=20, L=1)), 1)
    13.7
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy as sp

from simulators import Trajectory, vanilla_chain
from theorems.checking.expectation import Expectation, Instance
from theorems.families.kernels.notation import FAMILY
from theorems.statement import Quantifier, Sentinel, Source, Statement, Variable, Verdict

__all__ = ["FIGURES", "STATEMENTS"]

Floats = npt.NDArray[np.floating[Any]]

n, L = sp.symbols("n L", integer=True, positive=True)
mean = sp.Symbol("E_rank", nonnegative=True)

SAMPLES = 20
#: Eigenvalues of at least a thousandth of their mean over the units: no more than the rank.
RANK = "soft_rank(0.001)"


def instances(statement: Statement, batch: Floats | None) -> Iterator[Instance]:
    """Orthogonal samples through one layer of twice and three times as many units."""
    for width in (2 * SAMPLES, 3 * SAMPLES):
        yield Instance(
            label=f"n={SAMPLES}, d={width}",
            chain=vanilla_chain(width, "relu"),
            start=np.eye(width, SAMPLES),
            depth=1,
            readouts=({"n": SAMPLES, "L": 1},),
            support=(0.0, float(SAMPLES)),
        )


def sample(statement: Statement, trajectory: Trajectory, instance: Instance) -> Floats:
    """How many eigenvalues are not small after the layer, for each replica."""
    last: Floats = trajectory[RANK][:, -1:]
    return last


_formula = n * (1 - (1 - 2 / sp.pi) ** L)

STATEMENTS = (
    Statement(
        family=FAMILY,
        theorem="relu_rank",
        variant="as_in_the_abstract",
        title="ℓ ReLU layers have mean rank n(1 - (1 - 2/π)^ℓ) + 1 at most",
        quantifier=Quantifier.EXPECTATION,
        source=Source("after MK25 (arXiv 2507.07675)", "abstract"),
        variables=(
            Variable(n, sp.Range(1, sp.oo), "batch size"),
            Variable(L, sp.Range(1, sp.oo), "number of layers"),
        ),
        definitions={mean: "E rank(H_L)"},
        lhs=mean,
        relation="<=",
        rhs=_formula + 1,
        sentinel=Sentinel("without the 1", rhs=_formula),
        chain="vanilla",
        observables=(RANK,),
        expected=Verdict.REFUTED,
        checks=(Expectation(instances, sample, (RANK,), follows_batch=False),),
    ),
)
FIGURES = ()
