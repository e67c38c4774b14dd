"""Residual branches keep the batch law, for fewer samples than rows and with mean subtraction too.

Problem. `batch_law` is about layers without residual branch, `stationary_law` about as many samples
as rows. What of residual chains H + γWH with rescaled rows and n < d samples, and of those that
subtract the mean, as networks do?

Method. Small branches make the same steps, smaller: to leading order γ scales the time of
`moment_recursion` and no more. Mean subtraction leaves n - 1 dimensions. Sampled, from orthogonal
samples.

Guarantee. r̄ is within 2/d of the law with its next order for γ = 1 and 3/10, relatively, and of
that of n - 1 samples with mean subtraction, γ = 1. The sizes tried are in the titles. At d = 16
that is an eighth, and tells little: only at d = 64 do the false neighbours fall. Small branches lie
above the law, by some 3/(5d) at γ = 3/10: its next order is that of γ = ∞.

Reference. Ours; after D20 (arXiv 2003.01652). More samples than rows have rank d, and are d samples
to these chains.

Example:

    >>> [statement.variant for statement in STATEMENTS]
    ['upper', 'lower', 'recentred_upper', 'recentred_lower']
"""

from __future__ import annotations

from functools import partial

import sympy as sp

from simulators import Chain, residual_chain
from simulators.chains import residual_batchnorm_chain
from theorems.families.rank.batch_ranks import BatchRun, batch_medians
from theorems.families.rank.batches import CORRECTED, LEADING, SIZES, corrected
from theorems.families.rank.notation import FAMILY, OURS, WIDTH, d, n
from theorems.statement import Quantifier, Sentinel, Statement, Variable, Verdict

__all__ = ["FIGURES", "STATEMENTS"]

r_bar = sp.Symbol("r_bar", nonnegative=True)


def _residual(gamma: float, width: int) -> Chain:
    return residual_chain(width, gamma)


def _recentred(width: int) -> Chain:
    return residual_batchnorm_chain(width, 1.0)


#: Networks, and layers averaged in units of √d: few samples, and those near the transition or
#: beyond it, whose rank moves slowly.
FEW, MANY = (40, 40), (64, 100)
RUNS = [
    BatchRun(width, size, replicas, partial(_residual, gamma), f"γ={gamma:g}", window)
    for width, size, gamma, (replicas, window) in (
        (16, 4, 1.0, FEW),
        (64, 8, 1.0, FEW),
        (64, 24, 1.0, MANY),
        (16, 4, 0.3, FEW),
        (64, 8, 0.3, FEW),
    )
]
RECENTRED = [
    BatchRun(width, size, replicas, _recentred, "γ=1, mean subtracted", window)
    for width, size, (replicas, window) in ((16, 5, FEW), (64, 9, FEW), (64, 17, MANY))
]
TRIED = "γ = 1: n = 4 at d = 16; 8, 24 at d = 64; γ = 3/10: n = 4 at d = 16; 8 at d = 64"
TRIED_RECENTRED = "n = 5 at d = 16; 9, 17 at d = 64"
_AVERAGE = (
    "over 40√d layers (100√d at n = 17, 24), from full rank, after 30√d; its median over networks"
)
_law = partial(
    Statement,
    family=FAMILY,
    theorem="batch_law_residual",
    quantifier=Quantifier.LIMIT,
    source=OURS,
    observables=("effective_rank",),
    lhs=r_bar,
    expected=Verdict.SUPPORTED,
)
_branches = partial(
    _law,
    variables=SIZES,
    chain="residual(1)",
    definitions={r_bar: f"1 over the average of 1/r(H_ℓ), residual branches of size γ, {_AVERAGE}"},
    checks=(batch_medians(RUNS, ("r_bar",)),),
)
_less_one = corrected(sp.Min(n - 1, 2 * sp.sqrt(d)))
_means = partial(
    _law,
    variables=(WIDTH, Variable(n, sp.Range(3, sp.oo), "batch size, at least 3")),
    chain="residual_batchnorm(1)",
    definitions={
        r_bar: f"1 over the average of 1/r(H_ℓ), branches of size 1, mean subtracted, {_AVERAGE}"
    },
    checks=(batch_medians(RECENTRED, ("r_bar",), holds=lambda width, size: size >= 3),),
)

STATEMENTS = (
    _branches(
        variant="upper",
        title=f"Residual branches: r̄ ≤ (1 + 2/d) × the law with its next order: {TRIED}",
        relation="<=",
        rhs=(1 + 2 / d) * CORRECTED,
        sentinel=Sentinel("9/10 of it", rhs=sp.Rational(9, 10) * (1 + 2 / d) * CORRECTED),
    ),
    _branches(
        variant="lower",
        title=f"Residual branches: r̄ ≥ (1 - 2/d) × the law with its next order: {TRIED}",
        relation=">=",
        rhs=(1 - 2 / d) * CORRECTED,
        sentinel=Sentinel("without next order", rhs=(1 - 2 / d) * LEADING),
    ),
    _means(
        variant="recentred_upper",
        title=f"Mean subtracted, γ = 1: r̄ ≤ (1 + 2/d) × the law of n - 1 samples: {TRIED_RECENTRED}",
        relation="<=",
        rhs=(1 + 2 / d) * _less_one,
        sentinel=Sentinel("9/10 of it", rhs=sp.Rational(9, 10) * (1 + 2 / d) * _less_one),
    ),
    _means(
        variant="recentred_lower",
        title=f"Mean subtracted, γ = 1: r̄ ≥ (1 - 2/d) × the law of n - 1 samples: {TRIED_RECENTRED}",
        relation=">=",
        rhs=(1 - 2 / d) * _less_one,
        sentinel=Sentinel("of n samples", rhs=(1 - 2 / d) * CORRECTED),
    ),
)
FIGURES = ()
