"""κ(xy)² ≤ κ(x²)κ(y²): κ is log-convex in the logarithm of the correlation.

Problem. If a layer is known at two correlations, what of the one between, in logarithms?

Method. Exact rationals at corners and at kernels and pairs of correlations drawn by Hypothesis.
Rocq proves it by the Cauchy-Schwarz inequality.

Guarantee. κ(xy)² ≤ κ(x²)κ(y²) for all x, y in [-1, 1], with equality at y = ±x, at y = x for every
kernel, and everywhere for κ = ρ^k.

Reference. Ours.

Example:

    >>> STATEMENT.name
    'kernels.product_inequality'
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

x, y = sp.symbols("x y", real=True)


def corners() -> list[inputs.Item]:
    """The kernel ρ², where both sides are equal, and ½ + ½ρ."""
    return [
        {"m": 3, "c": weights, "x": Fraction(1, 2), "y": Fraction(1)}
        for weights in ((0, 0, 1), (Fraction(1, 2), Fraction(1, 2), 0))
    ]


def _kernel(at: sp.Expr) -> sp.Expr:
    return sp.Sum(c[k] * at**k, (k, 0, m - 1))


_product = _kernel(x**2) * _kernel(y**2)

STATEMENT = Statement(
    family=FAMILY,
    theorem="product_inequality",
    title="κ(xy)² ≤ κ(x²)κ(y²)",
    quantifier=Quantifier.POINTWISE,
    source=OURS,
    variables=(
        TERMS,
        WEIGHTS,
        Variable(x, sp.Interval(-1, 1), "root of a correlation"),
        Variable(y, sp.Interval(-1, 1), "root of another"),
    ),
    lhs=_kernel(x * y) ** 2,
    relation="<=",
    rhs=_product,
    sentinel=Sentinel("one part in a thousand less", rhs=sp.Rational(999, 1000) * _product),
    expected=Verdict.CERTIFIED,
    checks=(Pointwise(as_given, inputs.with_pairs, corners),),
    proof=Proof(
        theorem=f"{SHAPE}.product_cauchy",
        link="name",
        gloss="for weights c_k ≥ 0: κ(xy)² ≤ κ(x²)κ(y²)",
    ),
)

STATEMENTS = (STATEMENT,)
FIGURES = ()
