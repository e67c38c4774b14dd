"""Symbols and sources shared by the kernels family (JH24).

``c[k]`` is the weight of ρ^k in the kernel κ, ``k`` running from 0 to m - 1, ``rho`` the
correlation of two samples before the layer. The definitions are evaluated as they are printed.
"""

from __future__ import annotations

from collections.abc import Mapping

import sympy as sp

from theorems.statement import Assumption, Source, Variable

FAMILY = "kernels"
#: Where the family's theorems are in the Rocq development.
ROCQ = "BatchNorm.kernels.Correlations"
SHAPE = "BatchNorm.kernels.Shape"
OURS = Source("ours", "")

m = sp.Symbol("m", integer=True, positive=True)
k = sp.Symbol("k", integer=True)
rho, kappa, rho_star = sp.symbols("rho kappa rho_star", real=True)
slope, alpha = sp.symbols("slope alpha", nonnegative=True)
c = sp.IndexedBase("c", real=True)

TERMS = Variable(m, sp.Range(2, sp.oo), "number of weights, at least 2")
WEIGHTS = Variable(c, sp.Interval(0, 1), "weights of the kernel", size=(m,))
CORRELATION = Variable(rho, sp.Interval(-1, 1), "correlation of two samples before the layer")

FIXED_POINT = Variable(rho_star, sp.Interval.Ropen(0, 1), "fixed point of the kernel, below 1")

_ALL = (k, 0, m - 1)
FIXED = Assumption(sp.Eq(sp.Sum(c[k] * rho_star**k, _ALL), rho_star), "κ(ρ*) = ρ*")
UNIT_SUM = Assumption(sp.Eq(sp.Sum(c[k], _ALL), 1), "κ(1) = 1")
#: κ(ρ), and κ′(1).
KERNEL: Mapping[sp.Symbol, sp.Expr] = {kappa: sp.Sum(c[k] * rho**k, _ALL)}
SLOPE: Mapping[sp.Symbol, sp.Expr] = {slope: sp.Sum(k * c[k], _ALL)}


def jh24(place: str) -> Source:
    """A statement of the family's source, as its author restated it.

    Example:
        >>> print(jh24("κ(0) = 0"))
        after JH24 (arXiv 2410.20107), κ(0) = 0
    """
    return Source("after JH24 (arXiv 2410.20107)", place)
