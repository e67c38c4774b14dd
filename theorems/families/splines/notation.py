"""Symbols, sources and definitions shared by the splines family (BB22, R26).

``z[i, k]`` is coordinate k of input i, ``w[k]`` the weight of one unit, ``x[i]`` a population of
pre-activations. Indices run from 0. The definitions are evaluated as they are printed, so that a
check and a proof speak of the same mean and variance.
"""

from __future__ import annotations

from collections.abc import Mapping

import sympy as sp

from theorems.statement import Assumption, Source, Variable

FAMILY = "splines"
#: Where the family's theorems are in the Rocq development.
ROCQ = "BatchNorm.splines"
#: ``NONZERO`` as the theorems have it: some coordinate of w is not 0.
NORM = f"{ROCQ}.TotalLeastSquares.norm_neq0"

N, b, d = sp.symbols("N b d", integer=True, positive=True)
mu, mean = sp.symbols("mu mean", real=True)
variance = sp.Symbol("variance", nonnegative=True)
i, j, k = sp.symbols("i j k", integer=True)
w, z = (sp.IndexedBase(name, real=True) for name in "wz")

INPUTS = Variable(N, sp.Range(1, sp.oo), "number of inputs")
DIMENSION = Variable(d, sp.Range(1, sp.oo), "dimension of the inputs")
WEIGHT = Variable(w, sp.Reals, "weight of the unit", size=(d,))
DATA = Variable(z, sp.Reals, "inputs, one a row", size=(N, d))
THRESHOLD = Variable(mu, sp.Reals, "threshold of the boundary")

norm_squared = sp.Sum(w[k] ** 2, (k, 0, d - 1))
NONZERO = Assumption(sp.Gt(norm_squared, 0), "w ≠ 0")


def pre_activation(index: sp.Expr) -> sp.Expr:
    """⟨w, z_index⟩, of an index below N.

    Example:
        >>> pre_activation(i)
        Sum(w[k]*z[i, k], (k, 0, d - 1))
    """
    return sp.Sum(w[k] * z[index, k], (k, 0, d - 1))


def average(term: sp.Expr, index: sp.Symbol) -> sp.Expr:
    """The mean of ``term``, which names ``index``, over the N inputs.

    Example:
        >>> average(z[i, 0], i)
        Sum(z[i, 0], (i, 0, N - 1))/N
    """
    return sp.Sum(term, (index, 0, N - 1)) / N


mean_activation = average(pre_activation(i), i)
DEFINITIONS: Mapping[sp.Symbol, sp.Expr] = {
    mean: mean_activation,
    variance: average((pre_activation(i) - mean) ** 2, i),
}

#: The subject is theirs; the statements are ours, for one unit and any finite set of inputs.
BB22 = Source("after BB22 (arXiv 2209.14778)", "")
CLASSICAL = Source("classical", "sampling from a finite population")
