"""Batches of n samples at width d: what the rank of a deep rescaled chain is known to be, in
symbols.

With n = c√d and m_k = Tr Cᵏ, C = HᵀH of trace 1, stationary chains have m_k = a_k d^((1-k)/2) to
leading order. The a_k are the moments, of order k - 1, of a semicircle of radius 1 about a_2.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from itertools import product

import sympy as sp

from simulators.lazy import strategies as st
from theorems.families.rank.notation import BATCH, WIDTH, d, n
from theorems.statement import Variable

__all__ = [
    "CENTRE",
    "CORRECTED",
    "COUNTED",
    "LEADING",
    "SCALED_SIZE",
    "SIZES",
    "c",
    "corrected",
    "leading",
    "scaled_corners",
    "scaled_inputs",
    "sizes",
    "sizes_corners",
]

c = sp.Symbol("c", positive=True)
SCALED_SIZE = Variable(c, sp.Interval.Lopen(0, 2), "n/√d, batch size in units of √d")
SIZES = (WIDTH, BATCH)

#: a_2 = √d/r for c ≤ 2, to leading order.
CENTRE = (c**2 + 4) / (4 * c)


def leading(size: sp.Expr, factor: int = 4) -> sp.Expr:
    """r of a batch of ``size`` ≤ 2√d to leading order.

    ``factor``: 4; another one makes a false neighbour.

    Example:
        >>> leading(n)
        n/(1 + n**2/(4*d))
    """
    return size / (1 + size**2 / (factor * d))


def corrected(size: sp.Expr, factor: int = 4) -> sp.Expr:
    """r of a batch of ``size`` ≤ 2√d with its next order: right to order 1/d for a fixed size, and
    to order 1/√d beside the leading one for a size of order √d.

    ``factor``: 4; another one makes a false neighbour.

    Example:
        >>> round(float(corrected(n).subs({n: 8, d: 64})), 4)
        6.0512
    """
    first = (size - 1) * (size + 2) ** 2 / (factor * size * (size + 1) * d)
    return 1 / (1 / size + first + 7 * size**2 / (48 * d**2))


#: The sizes that count: beyond 2√d no sample adds a direction that lasts.
COUNTED = sp.Min(n, 2 * sp.sqrt(d))
LEADING, CORRECTED = leading(COUNTED), corrected(COUNTED)

Item = Mapping[str, object]


def scaled_corners() -> list[Item]:
    """c at 2, next to it, in the middle and near 0.

    Example:
        >>> [str(item["c"]) for item in scaled_corners()]
        ['2', '1999/1000', '1', '1/2', '1/1000']
    """
    near = Fraction(1, 1000)
    return [{"c": each} for each in (Fraction(2), 2 - near, Fraction(1), Fraction(1, 2), near)]


def scaled_inputs() -> st.SearchStrategy[Item]:
    """c in (0, 2], in hundredths at least.

    Example:
        >>> scaled_inputs().validate()
    """
    values = st.fractions(Fraction(1, 100), 2, max_denominator=100)
    return values.map(lambda value: {"c": value})


def sizes_corners() -> list[Item]:
    """Batches of 1 to 40 samples at widths of 1 to 100; at d = 4, 9, 16, 25 and 100 some have
    n = 2√d.

    Example:
        >>> {"d": 16, "n": 8} in sizes_corners()
        True
    """
    pairs = product((1, 2, 4, 9, 16, 25, 100), (1, 2, 3, 4, 6, 8, 10, 20, 40))
    return [{"d": width, "n": size} for width, size in pairs]


def sizes() -> st.SearchStrategy[Item]:
    """Any batch size and width up to 1000.

    Example:
        >>> sizes().validate()
    """
    return st.fixed_dictionaries({"d": st.integers(1, 1000), "n": st.integers(1, 1000)})
