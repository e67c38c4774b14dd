"""Three conjectures to start from: one that holds, one that is false, one that is open.

    theorems verify examples                  theorems falsify examples::first_layer_rate
    pytest --pyargs theorems.examples         theorems show examples::rank_law

Copy what you need into a file of your own: ``theorems verify my_claims.py``, ``pytest my_claims.py``.
"""

import sympy as sp

from theorems import conjecture
from theorems.families.cluster.fixed_points import find

__all__ = ["angle_law", "first_layer_rate", "rank_law"]


def _angle(n):  # type: ignore[no-untyped-def]  # a file of claims needs no annotations
    """The angle within the cluster at the outlier fixed point of the recenter-ReLU chain."""
    return find(n).outlier.cluster_angle  # type: ignore[union-attr]  # there is one from n = 7 on


#: True: every batch size of the domain is decided in balls; the library's cluster.angle_law covers all n.
angle_law = conjecture(
    "abs(angle - 3*pi/(n + 1)) <= 12*pi/(n**2*(n + 1))", n="7..64", computed={"angle": _angle},
    title="The cluster's angle is 3π/(n+1), up to a factor 1 ± 4/n²")

#: False: near the fixed point the gap shrinks by n/(n+2) a layer, but not from the first layer on.
first_layer_rate = conjecture(
    "orthogonality_gap <= n/(n + 2)*orthogonality_gap_0", chain="rescale", quantifier="mean field", n="2..4", ell=1,
    assume="smallest_eigenvalue_0 >= 1/(8*n)", expected="refuted",
    title="At infinite width the gap shrinks by n/(n+2) in every layer, the first included")


#: Open: a rank of order √d is proved for this chain, and no constant; sampling supports this one where it was tried.
@conjecture(chain="residual", n="8..24", d="8..24", ell="32..64", gamma="[1/10, 1/2]",
            assume=("n == d", "smallest_eigenvalue_0 >= 1/(2*n)"))
def rank_law(effective_rank, d):  # type: ignore[no-untyped-def]
    """Batch normalisation keeps the mean effective rank of a deep residual chain at √d/2 or more"""
    return effective_rank >= sp.sqrt(d) / 2
