"""A Gaussian layer's E‖h‖^2k/‖x‖^2k = ∏_{j<k}(1 + 2j/n) is from 1 + k(k - 1)/n to a power.

Problem. One sample goes through a linear layer of n units, weights of variance 1/n. Its squared
norm has mean 1; how large are its other moments, and those of L layers, their L-th powers?

Method. Exact rationals at corners and at widths and orders drawn by Hypothesis. Rocq's kernel
compares theorems with both claims.

Guarantee. 1 + k(k - 1)/n ≤ ∏_{j<k}(1 + 2j/n) ≤ (1 + (k - 1)/n)^k at every width and order, with
equality for k = 1 (both) and k = 2 (the lower). After L layers every moment of order k ≥ 2 grows
like exp(cL/n) at least: depth over width, as in all of this family.

Reference. Ours; after H18 and HN19, where the ratio of depth to width is what counts.


Example:

    >>> [statement.variant for statement in STATEMENTS]
    ['lower', 'upper']
"""

from __future__ import annotations

from functools import partial

import sympy as sp

from theorems.checking.pointwise import Pointwise
from theorems.checking.rational_inputs import as_given
from theorems.families.products import inputs
from theorems.families.products.notation import FAMILY, ORDER, OURS, ROCQ, WIDTH, j, k, n
from theorems.statement import Proof, Quantifier, Sentinel, Statement, Verdict

__all__ = ["FIGURES", "STATEMENTS"]


def corners() -> list[inputs.Item]:
    """Orders 1 to 4 at widths 1, 2 and 50."""
    return [{"n": width, "k": order} for width in (1, 2, 50) for order in (1, 2, 3, 4)]


_moment = sp.Product(1 + 2 * j / n, (j, 0, k - 1))
_least = 1 + k * (k - 1) / n
_most = (1 + (k - 1) / n) ** k

_moments = partial(
    Statement,
    family=FAMILY,
    theorem="gaussian_moments",
    quantifier=Quantifier.POINTWISE,
    source=OURS,
    variables=(WIDTH, ORDER),
    lhs=_moment,
    expected=Verdict.CERTIFIED,
    checks=(Pointwise(as_given, partial(inputs.sizes, n=60, k=12), corners, walks=False),),
)

STATEMENTS = (
    _moments(
        variant="lower",
        title="E‖h‖^2k/‖x‖^2k ≥ 1 + k(k - 1)/n after a Gaussian layer",
        relation=">=",
        rhs=_least,
        sentinel=Sentinel("one part in a thousand more", rhs=sp.Rational(1001, 1000) * _least),
        proof=Proof(
            theorem=f"{ROCQ}.gaussian_moments_lower",
            script="move=> R n k n1 k1; (have _ : (1 <= k)%N := k1); rewrite addrC; "
            "under eq_bigr do rewrite addrC; exact: (@THEOREM R n k n1)",
        ),
    ),
    _moments(
        variant="upper",
        title="E‖h‖^2k/‖x‖^2k ≤ (1 + (k - 1)/n)^k after a Gaussian layer",
        relation="<=",
        rhs=_most,
        sentinel=Sentinel("one part in a thousand less", rhs=sp.Rational(999, 1000) * _most),
        proof=Proof(
            theorem=f"{ROCQ}.gaussian_moments_upper",
            script="move=> R n k n1 k1; (have _ : (1 <= k)%N := k1); "
            "under eq_bigr do rewrite addrC; rewrite [_ / _ + 1]addrC; exact: (@THEOREM R n k n1)",
        ),
    ),
)
FIGURES = ()
