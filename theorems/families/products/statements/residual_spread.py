"""Linear residual branches spread norms by 4/d at any depth: E‖h‖⁴/(E‖h‖²)² ≤ exp(4/d).

Problem. h⁺ = h + Wh/√L, weights of variance 1/d: the ratio E‖h⁺‖⁴/(E‖h⁺‖²)² grows by
1 + (4L + 2)/(d(L + 1)²) a layer. Does the norm of a sample become uncertain with depth?

Method. Exact rationals at corners and at sizes drawn by Hypothesis. Rocq's kernel compares theorems
with both claims.

Guarantee. After L layers the ratio lies between 1 + L(4L + 2)/(d(L + 1)²) and (1 + 4/(dL))^L, which
is at most exp(4/d) and right to first order in 1/d and 1/L: not depth over width counts, as without
residual, but width alone. Equality below at L = 1.

Reference. Ours.


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
from theorems.families.products.notation import FAMILY, LAYERS, OURS, ROCQ, L, d
from theorems.statement import Proof, Quantifier, Sentinel, Statement, Variable, Verdict

__all__ = ["FIGURES", "STATEMENTS"]


def corners() -> list[inputs.Item]:
    """Depths 1, 2 and 1000 at widths 1 and 100."""
    return [{"L": depth, "d": width} for depth in (1, 2, 1000) for width in (1, 100)]


_layer = (4 * L + 2) / (d * (L + 1) ** 2)
_least = 1 + L * _layer
_most = (1 + 4 / (d * L)) ** L

_spreads = partial(
    Statement,
    family=FAMILY,
    theorem="residual_spread",
    quantifier=Quantifier.POINTWISE,
    source=OURS,
    variables=(LAYERS, Variable(d, sp.Range(1, sp.oo), "width")),
    lhs=(1 + _layer) ** L,
    expected=Verdict.CERTIFIED,
    checks=(Pointwise(as_given, partial(inputs.sizes, L=200, d=60), corners, walks=False),),
)

STATEMENTS = (
    _spreads(
        variant="lower",
        title="E‖h_L‖⁴/(E‖h_L‖²)² ≥ 1 + L(4L + 2)/(d(L + 1)²)",
        relation=">=",
        rhs=_least,
        sentinel=Sentinel("one part in a thousand more", rhs=sp.Rational(1001, 1000) * _least),
        proof=Proof(
            theorem=f"{ROCQ}.residual_spread_lower",
            script="move=> R L d L1 d1; rewrite ![_ / _ + 1]addrC; exact: (@THEOREM R L d L1 d1)",
        ),
    ),
    _spreads(
        variant="upper",
        title="E‖h_L‖⁴/(E‖h_L‖²)² ≤ (1 + 4/(dL))^L",
        relation="<=",
        rhs=_most,
        sentinel=Sentinel("one part in a thousand less", rhs=sp.Rational(999, 1000) * _most),
        proof=Proof(
            theorem=f"{ROCQ}.residual_spread_upper",
            script="move=> R L d L1 d1; rewrite ![_ / _ + 1]addrC [L%:R * d%:R]mulrC; "
            "exact: (@THEOREM R L d L1 d1)",
        ),
    ),
)
FIGURES = ()
