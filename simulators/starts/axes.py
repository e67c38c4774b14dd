"""Eigenbases of a batch's Gram matrix, as orthogonal vectors of rationals; an axis may have any
length.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from simulators.arguments import whole_number
from simulators.starts.start import Vector

__all__ = ["corner_axes", "diagonal_axes", "haar_mirrors", "helmert_axes", "pair_axes"]

#: Normal coordinates of a mirror are rounded to so many parts of one.
_GRID = 30


def diagonal_axes(n: int) -> tuple[Vector, ...]:
    """The coordinate axes: orthogonal samples.

    ``n`` ≥ 1 vectors of n entries each.

    Example:
        >>> diagonal_axes(2)[1]
        (Fraction(0, 1), Fraction(1, 1))
    """
    return tuple(tuple(Fraction(i == j) for i in range(n)) for j in range(n))


def helmert_axes(n: int) -> tuple[Vector, ...]:
    """The mean direction (1, …, 1), then Helmert's contrasts (1, …, 1, -k, 0, …, 0).

    ``n`` ≥ 1 vectors of n entries each, orthogonal, of different lengths.

    Example:
        >>> [list(map(int, axis)) for axis in helmert_axes(3)]
        [[1, 1, 1], [1, -1, 0], [1, 1, -2]]
    """
    contrasts = [
        (Fraction(1),) * k + (Fraction(-k),) + (Fraction(0),) * (n - k - 1) for k in range(1, n)
    ]
    return ((Fraction(1),) * n, *contrasts)


def pair_axes(n: int) -> tuple[Vector, ...]:
    """Sums of the pairs of neighbours (0, 1), (2, 3), …, then, if n is odd, the last sample, then
    their differences.

    Large leading eigenvalues bring the two samples of every pair together, and leave the pairs
    apart.

    Example:
        >>> [list(map(int, axis)) for axis in pair_axes(3)]
        [[1, 1, 0], [0, 0, 1], [1, -1, 0]]
    """

    def pair(k: int, sign: int) -> Vector:
        return tuple(Fraction({2 * k: 1, 2 * k + 1: sign}.get(i, 0)) for i in range(n))

    alone = [tuple(Fraction(i == n - 1) for i in range(n))] * (n % 2)
    return (*(pair(k, 1) for k in range(n // 2)), *alone, *(pair(k, -1) for k in range(n // 2)))


def corner_axes(n: int) -> dict[str, tuple[Vector, ...]]:
    """Named bases of n samples, all different; the first axis carries the first eigenvalue of a
    spectrum.

    ``mean last`` is Helmert's in opposite order: with a descending spectrum the mean direction has
    the smallest eigenvalue, so that samples are anti-correlated.

    Raises `ValueError` for n < 1.

    >>> corner_axes(2)["mean first"]
    ((Fraction(1, 1), Fraction(1, 1)), (Fraction(1, 1), Fraction(-1, 1)))
    """
    if whole_number("n", n, 1) == 1:
        return {"diagonal": diagonal_axes(1)}
    found = {
        "diagonal": diagonal_axes(n),
        "mean first": helmert_axes(n),
        "mean last": helmert_axes(n)[::-1],
    }
    if n > 3:
        found["pairs first"] = pair_axes(n)
    return found


def haar_mirrors(n: int, generator: np.random.Generator) -> tuple[Vector, ...]:
    """Mirrors whose product is an orthogonal matrix of Haar's law, up to the rounding of their
    coordinates.

    One of each dimension 2 … n, within the last coordinates, with independent normal entries
    (Stewart 1980, whose signs no Gram matrix sees). Entries are whole numbers. Raises `ValueError`
    for n < 1.

    Cost: O(n²) normals of the ``generator``.

    Example:
        >>> len(haar_mirrors(4, np.random.default_rng(0)))
        3
    """
    whole_number("n", n, 1)
    found = []
    for size in range(2, n + 1):
        entries = [round(_GRID * x) for x in generator.standard_normal(size).tolist()]
        # the mirror that takes the first axis of its block to the drawn direction, rounded
        length = round(sum(x * x for x in entries) ** 0.5) or 1
        entries[0] += length if entries[0] >= 0 else -length
        found.append((Fraction(0),) * (n - size) + tuple(map(Fraction, entries)))
    return tuple(found)
