"""What the next order adds to √d/r is (½ + 7c²/48)/√d: its terms at 0 add up to that.

Problem. √d/r is (c² + 4)/(4c) to leading order in the width. What comes next?

Method. The next order of `moment_recursion` is a linear equation for the correction B(z) of the
generating function, B = (P + βG)/√((z-a)² - 1) with β the correction of √d/r. As no eigenvalue is
lost, B vanishes at z = 0, where G = -c: β = P(0)/c, and P(0)/c = a/c - a² + ¼ + ac/2 + c²/12 for
a = (c² + 4)/(4c). Exact rationals; Rocq proves that this is ½ + 7c²/48.

Guarantee. β = ½ + 7c²/48 for 0 < c ≤ 2, rescale chain with Gaussian weights: ½ for small batches,
as `1/r = 1/n + (n-1)(n+2)²/(4n(n+1)d)` says, and 13/12 at the transition and beyond it.

Reference. Ours. The derivation is by formal expansion; `batch_law` measures what it says.

Example:

    >>> round(float(STATEMENT.bound(c=2)), 4)
    1.0833
"""

from __future__ import annotations

import sympy as sp

from theorems.checking.pointwise import Pointwise
from theorems.checking.rational_inputs import as_given
from theorems.families.rank.batches import CENTRE, SCALED_SIZE, c, scaled_corners, scaled_inputs
from theorems.families.rank.notation import FAMILY, OURS, ROCQ
from theorems.statement import Proof, Quantifier, Sentinel, Statement, Verdict

__all__ = ["FIGURES", "STATEMENT", "STATEMENTS"]

_half = sp.Rational(1, 2)

STATEMENT = Statement(
    family=FAMILY,
    theorem="batch_next_order",
    title="a/c - a² + ¼ + ac/2 + c²/12 = ½ + 7c²/48 at a = (c² + 4)/(4c)",
    quantifier=Quantifier.POINTWISE,
    source=OURS,
    variables=(SCALED_SIZE,),
    lhs=CENTRE / c - CENTRE**2 + sp.Rational(1, 4) + CENTRE * c / 2 + c**2 / 12,
    relation="==",
    rhs=_half + 7 * c**2 / 48,
    sentinel=Sentinel("8c²/48", rhs=_half + c**2 / 6),
    expected=Verdict.CERTIFIED,
    checks=(Pointwise(as_given, scaled_inputs, scaled_corners),),
    proof=Proof(
        theorem=f"{ROCQ}.BatchLaw.batch_next_order",
        also=(f"{ROCQ}.BatchLaw.batch_next_order_terms",),
    ),
)

STATEMENTS = (STATEMENT,)
FIGURES = ()
