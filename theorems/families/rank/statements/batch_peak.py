"""No batch size makes n/(1 + n²/(4d)) larger than √d, and n = 2√d makes it that.

Problem. Up to which batch size does another sample raise the rank that a deep network keeps?

Method. Exact algebraic numbers; √d - r is (n - 2√d)²√d/(4d + n²). Rocq proves it, that equality
holds at n = 2√d and nowhere else (`batch_law_peak_only`), and that up to there r is at least n/2
(`batch_law_half`).

Guarantee. n/(1 + n²/(4d)) ≤ √d for every n and d: both regimes of `batch_law` meet at n = 2√d, with
slope 0.

Reference. Ours, after D20 (arXiv 2003.01652) and DJB21 (arXiv 2106.03970).

Example:

    >>> float(STATEMENT.bound(d=64))
    8.0
"""

from __future__ import annotations

import sympy as sp

from theorems.checking.pointwise import Pointwise
from theorems.checking.rational_inputs import as_given
from theorems.families.rank.batches import SIZES, leading, sizes, sizes_corners
from theorems.families.rank.notation import FAMILY, OURS, ROCQ, d, n
from theorems.statement import NUDGE, Proof, Quantifier, Sentinel, Statement, Verdict

__all__ = ["FIGURES", "STATEMENT", "STATEMENTS"]

STATEMENT = Statement(
    family=FAMILY,
    theorem="batch_peak",
    title="n/(1 + n²/(4d)) ≤ √d, with equality at n = 2√d",
    quantifier=Quantifier.POINTWISE,
    source=OURS,
    variables=SIZES,
    lhs=leading(n),
    relation="<=",
    rhs=sp.sqrt(d),
    sentinel=Sentinel("√d, one part in a million smaller", rhs=(1 - NUDGE) * sp.sqrt(d)),
    expected=Verdict.CERTIFIED,
    checks=(Pointwise(as_given, sizes, sizes_corners),),
    proof=Proof(
        theorem=f"{ROCQ}.BatchLaw.batch_law_peak_sizes",
        also=(
            f"{ROCQ}.BatchLaw.batch_law_peak",
            f"{ROCQ}.BatchLaw.batch_law_peak_only",
            f"{ROCQ}.BatchLaw.batch_law_half",
        ),
    ),
)

STATEMENTS = (STATEMENT,)
FIGURES = ()
