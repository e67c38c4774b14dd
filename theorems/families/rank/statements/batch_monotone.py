"""Up to n = 2√d every sample more raises n/(1 + n²/(4d)).

Problem. Is the rank of `batch_law` monotone in the batch size?

Method. Exact rationals at pairs of batch sizes; the difference is a quotient with the numerator
4d(n - m)(4d - mn). Rocq proves it.

Guarantee. m/(1 + m²/(4d)) ≤ n/(1 + n²/(4d)) for m ≤ n with mn ≤ 4d, and so wherever n ≤ 2√d; beyond
4d/m samples the formula would fall, which is where the other regime has set in.

Reference. Ours.

Example:

    >>> float(STATEMENT.bound(d=16, n=4))
    3.2
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

import sympy as sp

from simulators.lazy import strategies as st
from theorems.checking.pointwise import Pointwise
from theorems.checking.rational_inputs import as_given
from theorems.families.rank.batches import SIZES, leading
from theorems.families.rank.notation import FAMILY, OURS, ROCQ, d, m, n
from theorems.statement import Assumption, Proof, Quantifier, Sentinel, Statement, Variable, Verdict

__all__ = ["FIGURES", "STATEMENT", "STATEMENTS"]

Item = Mapping[str, object]


def corners() -> list[Item]:
    """Pairs m ≤ n at four widths, with mn = 4d among them.

    Example:
        >>> {"d": 16, "n": 8, "m": 8} in corners()
        True
    """
    found = product((1, 4, 16, 100), (1, 2, 4, 8, 20), (1, 2, 4, 8, 19, 20))
    return [{"d": width, "n": size, "m": less} for width, size, less in found if less <= size]


def inputs() -> st.SearchStrategy[Item]:
    """Any width up to 1000, and two batch sizes in order.

    Example:
        >>> inputs().validate()
    """
    sizes = st.lists(st.integers(1, 60), min_size=2, max_size=2).map(sorted)
    pairs = st.tuples(st.integers(1, 1000), sizes)
    return pairs.map(lambda pair: {"d": pair[0], "m": pair[1][0], "n": pair[1][1]})


STATEMENT = Statement(
    family=FAMILY,
    theorem="batch_monotone",
    title="m/(1 + m²/(4d)) ≤ n/(1 + n²/(4d)) for m ≤ n, mn ≤ 4d",
    quantifier=Quantifier.POINTWISE,
    source=OURS,
    variables=(*SIZES, Variable(m, sp.Range(1, sp.oo), "smaller batch size")),
    assumptions=(
        Assumption(sp.Le(m, n), "m ≤ n"),
        Assumption(sp.Le(m * n, 4 * d), "mn ≤ 4d"),
    ),
    lhs=leading(m),
    relation="<=",
    rhs=leading(n),
    sentinel=Sentinel("1 + n²/(3d) on the right", rhs=leading(n, 3)),
    expected=Verdict.CERTIFIED,
    checks=(Pointwise(as_given, inputs, corners),),
    proof=Proof(
        theorem=f"{ROCQ}.BatchLaw.batch_law_monotone_sizes",
        also=(f"{ROCQ}.BatchLaw.batch_law_monotone",),
    ),
)

STATEMENTS = (STATEMENT,)
FIGURES = ()
