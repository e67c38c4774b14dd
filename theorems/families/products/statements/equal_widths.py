"""Of all widths with the same mean equal ones spread norms least: ∏(1 + a/n_ℓ) ≥ (1 + a/n̄)^L.

Problem. The fourth moment of a sample's norm grows by 1 + a/n_ℓ in a layer of width n_ℓ, a = 2
without activation and 5 with ReLU. Given so many units in L layers, how are they best placed?

Method. Exact rationals at corners and at widths drawn by Hypothesis. Rocq's kernel compares a
theorem with the claim.

Guarantee. ∏(1 + a/n_ℓ) ≥ (1 + aL/Σn_ℓ)^L for every a ≥ 0 and all widths, with equality for equal
ones: a bottleneck costs more than the layers that it widens gain.

Reference. Ours; after H18, where Σ1/n_ℓ governs exploding and vanishing norms.

Example:

    >>> float(STATEMENTS[0].bound(L=2, x=(10, 30), a=5))
    1.5625
"""

from __future__ import annotations

import sympy as sp

from theorems.checking.pointwise import Pointwise
from theorems.checking.rational_inputs import as_given
from theorems.families.products import inputs
from theorems.families.products.notation import FAMILY, LAYERS, OURS, ROCQ, L, i
from theorems.statement import Proof, Quantifier, Sentinel, Statement, Variable, Verdict

__all__ = ["FIGURES", "STATEMENTS"]

a = sp.Symbol("a", nonnegative=True)
x = sp.IndexedBase("x", positive=True)


def corners() -> list[inputs.Item]:
    """Two equal widths, where both sides are equal, and a bottleneck."""
    return [{"L": 2, "x": widths, "a": each} for widths in ((4, 4), (1, 7)) for each in (0, 2, 5)]


_bound = (1 + a * L / sp.Sum(x[i], (i, 0, L - 1))) ** L

STATEMENTS = (
    Statement(
        family=FAMILY,
        theorem="equal_widths",
        title="∏(1 + a/n_ℓ) ≥ (1 + aL/Σn_ℓ)^L",
        quantifier=Quantifier.POINTWISE,
        source=OURS,
        variables=(
            LAYERS,
            Variable(x, sp.Interval.open(0, sp.oo), "widths of the layers", size=(L,)),
            Variable(a, sp.Interval(0, sp.oo), "growth of a layer of one unit"),
        ),
        lhs=sp.Product(1 + a / x[i], (i, 0, L - 1)),
        relation=">=",
        rhs=_bound,
        sentinel=Sentinel("one part in a thousand more", rhs=sp.Rational(1001, 1000) * _bound),
        expected=Verdict.CERTIFIED,
        checks=(Pointwise(as_given, inputs.width_families, corners, walks=False),),
        proof=Proof(
            theorem=f"{ROCQ}.equal_widths",
            script="move=> R L x a L1 x0 a0; rewrite [L%:R * a]mulrC addrC; "
            "under [X in _ <= X]eq_bigr do rewrite addrC; exact: (@THEOREM R L x a L1 a0 x0)",
        ),
    ),
)
FIGURES = ()
