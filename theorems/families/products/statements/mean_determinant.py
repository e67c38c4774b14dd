"""A Gaussian layer leaves ∏_{j<n}(1 - j/d) of a Gram matrix's determinant, on average.

Problem. n samples go through a linear layer of width d, weights of variance 1/d. Their Gram matrix
C has the mean it had; its determinant, the squared volume of the batch, has not. What is lost?

Method. Exact rationals at corners and at sizes drawn by Hypothesis. Rocq's kernel compares theorems
with both claims.

Guarantee. 1 - n(n - 1)/(2d) ≤ E det C⁺/det C = ∏_{j<n}(1 - j/d) ≤ (1 - (n - 1)/(2d))^n for d ≥ n
(the first at any d), with equality for n = 1 (both) and n = 2 (the lower). Without normalisation
volume is lost in every layer, by exp(-n(n - 1)/(2d)) or more.

Reference. Ours; that the mean is this product is the classical determinant of Wishart matrices.


Example:

    >>> [statement.variant for statement in STATEMENTS]
    ['lower', 'upper']
"""

from __future__ import annotations

from functools import partial

import sympy as sp

from simulators.lazy import composite
from simulators.lazy import strategies as st
from theorems.checking.pointwise import Pointwise
from theorems.checking.rational_inputs import as_given
from theorems.families.products import inputs
from theorems.families.products.notation import FAMILY, OURS, ROCQ, d, j, n
from theorems.statement import Assumption, Proof, Quantifier, Sentinel, Statement, Variable, Verdict

__all__ = ["FIGURES", "STATEMENTS"]


def corners() -> list[inputs.Item]:
    """Batches of 1 to 4 samples, as many units or 100; and five samples through one unit."""
    square = [{"n": size, "d": width} for size in (1, 2, 3, 4) for width in (size, 100)]
    return [*square, {"n": 5, "d": 1}]


@composite
def _sizes(draw: st.DrawFn) -> inputs.Item:
    width = draw(st.integers(1, 80))
    return {"n": draw(st.integers(1, min(width, 12))), "d": width}


_lost = sp.Product(1 - j / d, (j, 0, n - 1))
_least = 1 - n * (n - 1) / (2 * d)
_most = (1 - (n - 1) / (2 * d)) ** n

_determinants = partial(
    Statement,
    family=FAMILY,
    theorem="mean_determinant",
    quantifier=Quantifier.POINTWISE,
    source=OURS,
    variables=(
        Variable(n, sp.Range(1, sp.oo), "batch size"),
        Variable(d, sp.Range(1, sp.oo), "width"),
    ),
    lhs=_lost,
    expected=Verdict.CERTIFIED,
    checks=(Pointwise(as_given, _sizes, corners),),
)

STATEMENTS = (
    _determinants(
        variant="lower",
        title="E det C⁺/det C ≥ 1 - n(n - 1)/(2d) after a Gaussian layer",
        relation=">=",
        rhs=_least,
        sentinel=Sentinel("(1 - (n - 1)/(2d))^n, which is above it", rhs=_most),
        proof=Proof(
            theorem=f"{ROCQ}.determinant_lower",
            script="move=> R n d n1 d1; (have _ : (1 <= n)%N := n1); exact: (@THEOREM R n d d1)",
        ),
    ),
    _determinants(
        variant="upper",
        title="E det C⁺/det C ≤ (1 - (n - 1)/(2d))^n after a Gaussian layer",
        assumptions=(Assumption(sp.Le(n, d), "no more samples than units"),),
        relation="<=",
        rhs=_most,
        sentinel=Sentinel("one part in a thousand less", rhs=sp.Rational(999, 1000) * _most),
        proof=Proof(
            theorem=f"{ROCQ}.determinant_upper",
            script="move=> R n d n1 d1 nd; (have le : (n <= d)%N by rewrite -(ler_nat R) nd); "
            "exact: (@THEOREM R n d n1 d1 le)",
        ),
    ),
)
FIGURES = ()
