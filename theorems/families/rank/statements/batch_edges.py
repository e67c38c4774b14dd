"""The stationary spectrum of n = c√d samples lies on [(2-c)²/(4c), (2+c)²/(4c)], in units of √d.

Problem. The eigenvalues of M/√d, weighted by size, have the law of a semicircle of radius 1 about
a = (c² + 4)/(4c). Where do they begin and end?

Method. Exact rationals; Rocq proves it.

Guarantee. (a - 1)(a + 1) = ((4 - c²)/(4c))², with a - 1 = (2-c)²/(4c): below the transition all
eigenvalues stay away from 0, at c = 2 they reach it. The edges are (1/√c ∓ √c/2)², those of the law
of Marchenko and Pastur: a deep network sees its batch as 4d/n independent directions would.

Reference. Ours.

Example:

    >>> float(STATEMENT.bound(c=1))
    0.25
"""

from __future__ import annotations

from theorems.checking.pointwise import Pointwise
from theorems.checking.rational_inputs import as_given
from theorems.families.rank.batches import CENTRE, SCALED_SIZE, c, scaled_corners, scaled_inputs
from theorems.families.rank.notation import FAMILY, OURS, ROCQ
from theorems.statement import Proof, Quantifier, Sentinel, Statement, Verdict

__all__ = ["FIGURES", "STATEMENT", "STATEMENTS"]

STATEMENT = Statement(
    family=FAMILY,
    theorem="batch_edges",
    title="The least eigenvalue of M/√d is a - 1 = (2-c)²/(4c) at n = c√d, c ≤ 2",
    quantifier=Quantifier.POINTWISE,
    source=OURS,
    variables=(SCALED_SIZE,),
    lhs=CENTRE - 1,
    relation="==",
    rhs=(2 - c) ** 2 / (4 * c),
    sentinel=Sentinel("(2 - c)²/(5c)", rhs=(2 - c) ** 2 / (5 * c)),
    expected=Verdict.CERTIFIED,
    checks=(Pointwise(as_given, scaled_inputs, scaled_corners),),
    proof=Proof(
        theorem=f"{ROCQ}.BatchLaw.batch_lower_edge", also=(f"{ROCQ}.BatchLaw.batch_upper_edge",)
    ),
    remark="The greatest is a + 1 = (2+c)²/(4c).",
)

STATEMENTS = (STATEMENT,)
FIGURES = ()
