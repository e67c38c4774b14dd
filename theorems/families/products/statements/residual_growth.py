"""Linear residual branches over √L take E‖h_L‖² to (1 + 1/L)^L: more with every layer, below e.

Problem. h⁺ = h + Wh/√L with weights of variance 1/d: E‖h⁺‖² = (1 + 1/L)‖h‖². How much do L such
layers add to a squared norm, and how does that depend on L?

Method. Exact rationals, and balls for e, at corners and at depths drawn by Hypothesis. Rocq's
kernel compares a theorem with the first claim.

Guarantee. (1 + 1/L)^L increases with L, and is at most e(1 - 1/(2L + 2)): no depth explodes. The
distance e/(2L + 2) is right to first order in 1/L.

Reference. Ours; E‖h_L‖² = (1 + 1/L)^L as for any residual branch of that variance.


Example:

    >>> [statement.variant for statement in STATEMENTS]
    ['increasing', 'below_e']
"""

from __future__ import annotations

from functools import partial

import sympy as sp

from theorems.checking.pointwise import Pointwise
from theorems.checking.rational_inputs import as_given
from theorems.families.products import inputs
from theorems.families.products.notation import FAMILY, LAYERS, OURS, ROCQ, L
from theorems.statement import Proof, Quantifier, Sentinel, Statement, Verdict

__all__ = ["FIGURES", "STATEMENTS"]


def corners() -> list[inputs.Item]:
    """Depths 1, 2, 3, 100 and 1000."""
    return [{"L": depth} for depth in (1, 2, 3, 100, 1000)]


_growth = (1 + 1 / L) ** L
_next = (1 + 1 / (L + 1)) ** (L + 1)
_below = sp.E * (1 - 1 / (2 * L + 2))

_grows = partial(
    Statement,
    family=FAMILY,
    theorem="residual_growth",
    quantifier=Quantifier.POINTWISE,
    source=OURS,
    variables=(LAYERS,),
    lhs=_growth,
    relation="<=",
    expected=Verdict.CERTIFIED,
    checks=(Pointwise(as_given, partial(inputs.sizes, L=400), corners, walks=False),),
)

STATEMENTS = (
    _grows(
        variant="increasing",
        title="(1 + 1/L)^L ≤ (1 + 1/(L + 1))^(L + 1)",
        rhs=_next,
        sentinel=Sentinel("one part in a thousand less", rhs=sp.Rational(999, 1000) * _next),
        proof=Proof(
            theorem=f"{ROCQ}.residual_increasing",
            script="move=> R L L1; rewrite [L%:R^-1 + 1]addrC [(L%:R + 1)^-1 + 1]addrC addn1; "
            "exact: (@THEOREM R L L1)",
        ),
    ),
    _grows(
        variant="below_e",
        title="(1 + 1/L)^L ≤ e(1 - 1/(2L + 2))",
        rhs=_below,
        sentinel=Sentinel("1/(2L + 1) in place of it", rhs=sp.E * (1 - 1 / (2 * L + 1))),
    ),
)
FIGURES = ()
