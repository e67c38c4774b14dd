"""Symbols, sources and exact quantities shared by the rank family (D20, chain ``residual``).

H has ``d`` rows, one per neuron, and ``n`` columns, one per sample; M = HHᵀ/n. ``lambda[i]`` are
the eigenvalues of M scaled to Tr M = d, so that their mean is 1. Indices run from 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise, product

import flint
import sympy as sp

from theorems.statement import Source, Variable

FAMILY = "rank"
#: Where the family's theorems are in the Rocq development.
ROCQ = "BatchNorm.rank"

d, n = sp.symbols("d n", integer=True, positive=True)
tau = sp.Symbol("tau", nonnegative=True)
i, j, k, m = sp.symbols("i j k m", integer=True)
lam, h = (sp.IndexedBase(name, real=True) for name in ("lambda", "h"))

WIDTH = Variable(d, sp.Range(1, sp.oo), "width")
#: Of one row M is always 1, and nothing drifts.
TWO_ROWS = Variable(d, sp.Range(2, sp.oo), "width")
BATCH = Variable(n, sp.Range(1, sp.oo), "batch size")
THRESHOLD = Variable(tau, sp.Interval(0, 1), "threshold of the soft rank")
SPECTRUM = Variable(lam, sp.Interval(0, sp.oo), "eigenvalues of M, scaled to Tr M = d", size=(d,))
ROWS = Variable(h, sp.Reals, "representations H, one row per neuron", size=(d, n))

OURS = Source("ours", "")


def d20(place: str) -> Source:
    """A place in the family's source.

    Example:
        >>> print(d20("Lemma"))
        D20 (arXiv 2003.01652), Lemma
    """
    return Source("D20 (arXiv 2003.01652)", place)


def eigenvalues_at_least(matrix: Sequence[Sequence[Fraction]], threshold: Fraction) -> int:
    """How many eigenvalues of a symmetric rational matrix are ``threshold`` or more, with
    multiplicity; exact.

    Ties count. All roots p of the characteristic polynomial are real, so Descartes' rule of signs
    is exact: p(x + τ) has as many positive roots as its coefficients have changes of sign. Cost:
    O(size⁴) rational operations.

    Raises ``ValueError`` for a matrix that is not symmetric.

    Example:
        >>> one, zero = Fraction(1), Fraction(0)
        >>> eigenvalues_at_least([[2 * one, zero], [zero, one]], 2 * one)
        1
    """
    size = len(matrix)
    rows = list(map(list, matrix))
    if any(len(row) != size for row in rows) or rows != list(map(list, zip(*rows, strict=True))):
        raise ValueError(f"matrix={matrix!r} is not symmetric, so its eigenvalues may not be real")
    shifted = flint.fmpq_mat(size, size)
    for a, b in product(range(size), repeat=2):
        entry = rows[a][b] - threshold * (a == b)
        shifted[a, b] = flint.fmpq(entry.numerator, entry.denominator)
    coefficients = shifted.charpoly().coeffs()
    ties = next(place for place, c in enumerate(coefficients) if c != 0)
    signs = [bool(c > 0) for c in coefficients[ties:] if c != 0]
    return ties + sum(a != b for a, b in pairwise(signs))
