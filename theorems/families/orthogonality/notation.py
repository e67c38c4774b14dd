"""Symbols and sources shared by the orthogonality family (DJB21, chain ``rescale``).

``lambda[i]`` are the squared singular values of H, summing to 1, ``sigma[i]`` the singular values,
``s`` is the smallest squared singular value sigma_n^2 of the layer in question. Indices run from 0
to n - 1.
"""

from __future__ import annotations

import sympy as sp

from theorems.statement import Assumption, Source, Variable

FAMILY = "orthogonality"
#: Where the family's theorems are in the Rocq development.
ROCQ = "BatchNorm.orthogonality"
#: What its theorems about layers ask of the law of the weights, each on a class of functions.
LAW = (
    "for every positive normalised linear functional on a class of functions under which rows are "
    "independent copies, with the second and fourth moments of a uniform direction v and "
    "E[v_i v_k/Σλ_j v_j²] = 0 for i ≠ k, "
)
#: What of it is not proved in Rocq, and the statements that prove the rest.
GAUSSIAN_ROWS = (
    "the Gaussian integral, not built in Rocq (moments: sphere_moments; mixed ones: 0 by signs)"
)

n, d, depth = sp.symbols("n d L", integer=True, positive=True)
ell = sp.Symbol("ell", integer=True, nonnegative=True)
alpha = sp.Symbol("alpha", positive=True)
s = sp.Symbol("s", nonnegative=True)
i, j, k = sp.symbols("i j k", integer=True)
lam, sig = (sp.IndexedBase(name, real=True) for name in ("lambda", "sigma"))

WIDTH = Variable(d, sp.Range(1, sp.oo), "width")
BATCH = Variable(n, sp.Range(1, sp.oo), "batch size")
LAYER = Variable(ell, sp.Range(0, sp.oo), "number of layers after H_1")
DEPTH = Variable(depth, sp.Range(1, sp.oo), "number of layers averaged over")
SPECTRUM = Variable(lam, sp.Interval(0, 1), "squared singular values of H", size=(n,))
SINGULAR = Variable(sig, sp.Interval(0, 1), "singular values of H", size=(n,))
SMALLEST = Variable(s, sp.Interval(0, 1 / n), "smallest squared singular value, sigma_n^2")

UNIT_TRACE = Assumption(sp.Eq(sp.Sum(lam[i], (i, 0, n - 1)), 1), "‖H‖_F = 1")
UNIT_NORM = Assumption(sp.Eq(sp.Sum(sig[i] ** 2, (i, 0, n - 1)), 1), "‖H‖_F = 1")

#: The contraction constant of the sharp form: the slope of the mean-field map at the fixed point is
#: 1 - c/n.
c = 2 * n / (n + 2)
gap_squared = sp.Sum((lam[i] - 1 / n) ** 2, (i, 0, n - 1))


def djb21(place: str) -> Source:
    """A place in the family's source.

    Example:
        >>> print(djb21("Lemma 4"))
        DJB21 (arXiv 2106.03970), Lemma 4
    """
    return Source("DJB21 (arXiv 2106.03970)", place)


OURS = Source("ours", "sharpened from DJB21")
