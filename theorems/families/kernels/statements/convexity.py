"""κ is convex on [0, 1].

Problem. What does a layer do to the mean of two correlations, or to their mean over random samples?

Method. Exact rationals at corners and at kernels and pairs of correlations drawn by Hypothesis.
Rocq proves it from secants that do not decrease.

Guarantee. κ(tx + (1 - t)y) ≤ tκ(x) + (1 - t)κ(y) for x, y, t in [0, 1], with equality for
κ = κ(0) + (1 - κ(0))ρ. By Jensen's inequality a mean of correlations ≥ 0 is taken to no more than
the mean of what they are taken to.

Reference. Ours.

Example:

    >>> STATEMENT.name
    'kernels.convexity'
"""

from __future__ import annotations

from fractions import Fraction

import sympy as sp

from theorems.checking.pointwise import Pointwise
from theorems.checking.rational_inputs import as_given
from theorems.families.kernels import inputs
from theorems.families.kernels.notation import (
    FAMILY,
    OURS,
    SHAPE,
    TERMS,
    WEIGHTS,
    c,
    k,
    m,
)
from theorems.statement import Proof, Quantifier, Sentinel, Statement, Variable, Verdict

__all__ = ["FIGURES", "STATEMENT", "STATEMENTS"]

x, y, t = sp.symbols("x y t", real=True)


def corners() -> list[inputs.Item]:
    """The kernels ρ, where both sides are equal, and ρ² at the ends and in the middle."""
    return [
        {"m": 3, "c": weights, "x": Fraction(0), "y": Fraction(1), "t": Fraction(1, 2)}
        for weights in ((0, 1, 0), (0, 0, 1))
    ]


def _kernel(at: sp.Expr) -> sp.Expr:
    return sp.Sum(c[k] * at**k, (k, 0, m - 1))


_mixed = t * _kernel(x) + (1 - t) * _kernel(y)

STATEMENT = Statement(
    family=FAMILY,
    theorem="convexity",
    title="κ(tx + (1 - t)y) ≤ tκ(x) + (1 - t)κ(y) for x, y ≥ 0",
    quantifier=Quantifier.POINTWISE,
    source=OURS,
    variables=(
        TERMS,
        WEIGHTS,
        Variable(x, sp.Interval(0, 1), "a correlation"),
        Variable(y, sp.Interval(0, 1), "another"),
        Variable(t, sp.Interval(0, 1), "the share of the first"),
    ),
    lhs=_kernel(t * x + (1 - t) * y),
    relation="<=",
    rhs=_mixed,
    sentinel=Sentinel("one part in a thousand less", rhs=sp.Rational(999, 1000) * _mixed),
    expected=Verdict.CERTIFIED,
    checks=(Pointwise(as_given, inputs.with_pairs, corners),),
    proof=Proof(
        theorem=f"{SHAPE}.kernel_convex",
        link="name",
        gloss="for weights c_k ≥ 0, x, y ≥ 0 and t in [0, 1]: κ(tx + (1-t)y) ≤ tκ(x) + (1-t)κ(y)",
    ),
)

STATEMENTS = (STATEMENT,)
FIGURES = ()
