"""Three conjectures to start from: one that holds, one that is false, one that is open.

    theorems verify examples                  theorems falsify examples::first_layer_rate
    pytest --pyargs theorems.examples         theorems show examples::rank_law

Copy what you need into a file of your own: ``theorems verify my_claims.py``,
``pytest my_claims.py``.
"""

import sympy as sp
from flint import arb

from theorems import conjecture

__all__ = ["first_layer_rate", "rank_law", "symmetric_cosine"]


def _cosine(n):  # type: ignore[no-untyped-def]  # a file of claims needs no annotations
    """The cosine of two samples of which recentring and ReLU make the same again: κ(-1/(n-1))."""
    recentred = arb(-1) / (n - 1)
    return ((1 - recentred**2).sqrt() + (arb.pi() - recentred.acos()) * recentred) / arb.pi()


#: True: every batch size of the domain is decided in balls.
symmetric_cosine = conjecture(
    "abs(kappa - 1/pi + 1/(2*(n - 1))) <= 1/(6*(n - 1)**2)",
    n="3..64",
    computed={"kappa": _cosine},
    title="Where recentring and ReLU leave a batch as it is, cosines are 1/π - 1/(2(n-1)), nearly",
)

#: False: near the fixed point the gap shrinks by n/(n+2) a layer, but not from the first layer on.
first_layer_rate = conjecture(
    "orthogonality_gap <= n/(n + 2)*orthogonality_gap_0",
    chain="rescale",
    quantifier="mean field",
    n="2..4",
    ell=1,
    assume="smallest_eigenvalue_0 >= 1/(8*n)",
    expected="refuted",
    title="At infinite width the gap shrinks by n/(n+2) in every layer, the first included",
)


#: Open: a rank of order √d is proved for this chain, and no constant; sampling supports this one
#: where it was tried.
@conjecture(
    chain="residual",
    n="8..24",
    d="8..24",
    ell="32..64",
    gamma="[1/10, 1/2]",
    assume=("n == d", "smallest_eigenvalue_0 >= 1/(2*n)"),
)
def rank_law(effective_rank, d):  # type: ignore[no-untyped-def]
    """Batch normalisation keeps the mean effective rank of a deep residual chain at √d/2 or more"""
    return effective_rank >= sp.sqrt(d) / 2
