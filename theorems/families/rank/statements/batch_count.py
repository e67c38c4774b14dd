"""The number of eigenvalues fixes the rank: 2(a - √(a²-1)) = c at a = (c² + 4)/(4c).

Problem. The moments of a stationary spectrum are those of a semicircle about a = √d/r, by size of
the eigenvalues, whatever a is. Which a does a batch of n = c√d samples have?

Method. A batch of full rank keeps n eigenvalues, and their number is √d ∫ dμ(x)/x for that
semicircle μ, which is 2√d(a - √(a²-1)). Exact algebraic numbers; Rocq proves the equality, that
nothing else solves it (`batch_count_inverse`), and where the spectrum ends (`batch_edges`).

Guarantee. 2(a - √(a²-1)) = c at a = (c² + 4)/(4c), for 0 < c ≤ 2: r = √d/a = n/(1 + n²/(4d)). More
than 2√d eigenvalues no semicircle of radius 1 on [0, ∞) holds.

Reference. Ours, after D20 (arXiv 2003.01652) and DJB21 (arXiv 2106.03970).

Example:

    >>> float(STATEMENT.bound(c=1))
    1.0
"""

from __future__ import annotations

import sympy as sp

from theorems.checking.pointwise import Pointwise
from theorems.checking.rational_inputs import as_given
from theorems.families.rank.batches import CENTRE, SCALED_SIZE, c, scaled_corners, scaled_inputs
from theorems.families.rank.notation import FAMILY, OURS, ROCQ
from theorems.statement import Proof, Quantifier, Sentinel, Statement, Verdict

__all__ = ["FIGURES", "STATEMENT", "STATEMENTS"]


def _count(centre: sp.Expr) -> sp.Expr:
    return 2 * (centre - sp.sqrt(centre**2 - 1))


STATEMENT = Statement(
    family=FAMILY,
    theorem="batch_count",
    title="2(a - √(a²-1)) = c at a = (c² + 4)/(4c): n = c√d eigenvalues make √d/r = a",
    quantifier=Quantifier.POINTWISE,
    source=OURS,
    variables=(SCALED_SIZE,),
    lhs=_count(CENTRE),
    relation="==",
    rhs=c,
    sentinel=Sentinel("c² + 5 in place of c² + 4", lhs=_count((c**2 + 5) / (4 * c))),
    expected=Verdict.CERTIFIED,
    checks=(Pointwise(as_given, scaled_inputs, scaled_corners),),
    proof=Proof(
        theorem=f"{ROCQ}.BatchLaw.batch_count",
        also=(f"{ROCQ}.BatchLaw.batch_count_centre", f"{ROCQ}.BatchLaw.batch_count_inverse"),
    ),
)

STATEMENTS = (STATEMENT,)
FIGURES = ()
