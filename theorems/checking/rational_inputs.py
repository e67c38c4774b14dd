"""Exact inputs of pointwise claims: a batch in rationals, rows of signs, points of a sphere."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["as_given", "rational_rows", "sphere_point", "walsh_signs"]

Item = TypeVar("Item")
Vector = tuple[Fraction, ...]


def as_given(item: Item) -> Item:
    """An input as it is: for checks whose inputs are the symbols' values by name, or the batch.

    Example:
        >>> as_given({"n": 2})
        {'n': 2}
    """
    return item


def rational_rows(matrix: ArrayLike) -> tuple[Vector, ...]:
    """The entries of a float matrix (d, n), without rounding: d tuples of n fractions.

    Raises ``ValueError`` for entries that are not finite. Cost: O(d n).

    Example:
        >>> rational_rows([[0.5, -3.0]])
        ((Fraction(1, 2), Fraction(-3, 1)),)
    """
    rows = np.asarray(matrix, dtype=np.float64)
    if not np.isfinite(rows).all():
        raise ValueError(f"matrix has the entry {rows[~np.isfinite(rows)][0]}: want finite numbers")
    return tuple(tuple(map(Fraction, row)) for row in rows.tolist())


def walsh_signs(number: int, size: int) -> Vector:
    """Row ``number`` of Walsh's matrix, cut to ``size`` entries 1 and -1; both are at least 0.

    Rows with different numbers below ``size`` are orthogonal if ``size`` is a power of 2.

    Example:
        >>> [int(sign) for sign in walsh_signs(3, 4)]
        [1, -1, -1, 1]
    """
    return tuple(Fraction((-1) ** (number & k).bit_count()) for k in range(size))


def sphere_point(coordinates: Iterable[Fraction]) -> Vector:
    """A rational point of the unit sphere, one entry longer than ``coordinates``.

    It is their inverse stereographic image: every rational point but one is met.

    Example:
        >>> sphere_point([Fraction(1, 3)])
        (Fraction(3, 5), Fraction(4, 5))
    """
    u = tuple(coordinates)
    square = sum((x * x for x in u), Fraction(0))
    return (*(2 * x / (1 + square) for x in u), (1 - square) / (1 + square))
