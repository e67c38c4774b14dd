"""Hypothesis strategies for what the statements range over: spectra, singular values, matrices,
batches.

Draws are exact (`fractions.Fraction`) except `batches`, and shrink to small whole numbers. Each
strategy reaches its corners with fair probability; `corner_spectra` and `corner_matrices` list
corners outright, for checks that must always run them. Invalid size limits raise `ValueError`, and
`TypeError` if they are no whole numbers, when the strategy is made.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from fractions import Fraction
from functools import cache, lru_cache, partial
from itertools import repeat
from math import gcd
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from simulators.arguments import require, whole_number
from simulators.arrays import Floats
from simulators.batches import dominant_spectrum, two_level_spectrum
from simulators.lazy import composite
from simulators.lazy import strategies as st

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn, SearchStrategy

Vector: TypeAlias = tuple[Fraction, ...]
Matrix: TypeAlias = tuple[Vector, ...]

TINY = Fraction(1, 10**300)
CLOSE = Fraction(1, 10**6)
#: Levels are digit·10^-exponent; 16 is where float64 rounds.
_EXPONENTS = (0, 1, 2, 6, 16, 50, 150, 300)


def spectra(min_n: int = 1, max_n: int = 8, *, allow_zero: bool = True) -> SearchStrategy[Vector]:
    """Spectra of n = min_n…max_n eigenvalues: nonnegative, descending, of sum exactly 1.

    Corners: uniform, one dominant, one small, repeated, ratios down to 1e-300, and, if
    ``allow_zero``, exactly singular.

    Args:
        min_n: the fewest eigenvalues, at least 1.
        max_n: the most, at least ``min_n``.
        allow_zero: whether some may be 0.

    Example:
        >>> from hypothesis import find
        >>> find(spectra(2, 2), lambda spectrum: True)
        (Fraction(1, 2), Fraction(1, 2))
    """
    return _spectra(*_sizes(min_n, max_n), allow_zero)


def singular_values(
    min_n: int = 1, max_n: int = 8, *, allow_zero: bool = True
) -> SearchStrategy[Vector]:
    """n = min_n…max_n nonnegative numbers, descending, not all zero, of any sum; corners as
    `spectra`.

    Largest value from 1e-300 to 9e300.

    Args:
        min_n: the fewest of them, at least 1.
        max_n: the most, at least ``min_n``.
        allow_zero: whether some may be 0.

    Example:
        >>> from hypothesis import find
        >>> find(singular_values(2, 2), lambda values: values[0] > values[1] > 0)
        (Fraction(1, 1), Fraction(1, 10))
    """
    scales = st.sampled_from((Fraction(1), Fraction(10**300)))
    return st.builds(_scaled, _levels(*_sizes(min_n, max_n), allow_zero), scales)


def matrices(
    max_d: int = 6, max_n: int = 4, *, allow_zero_rows: bool = False
) -> SearchStrategy[Matrix]:
    """d × n matrices as rows of Fractions, 1 ≤ n ≤ d, n ≤ max_n, d ≤ max_d, not all zero.

    Corners: d = n, n = 1, columns equal, opposite or 1e-6 apart, one 100 times larger, columns of
    zeros, entries of scale 1e-300 and 1e300, and, if ``allow_zero_rows``, rows of zeros.

    Args:
        max_d: the most rows.
        max_n: the most columns, at least 1 and at most ``max_d``.
        allow_zero_rows: whether rows may be 0.

    Example:
        >>> from hypothesis import find
        >>> find(matrices(2, 1), lambda matrix: True)
        ((Fraction(1, 1),),)
    """
    require(
        1 <= whole_number("max_n", max_n, 0) <= whole_number("max_d", max_d, 0),
        f"max_d={max_d}, max_n={max_n}; matrices need 1 ≤ max_n ≤ max_d",
    )
    return _matrices(max_d, max_n, allow_zero_rows)


def batches(
    max_d: int = 6, max_n: int = 4, *, allow_zero_rows: bool = True
) -> SearchStrategy[Floats]:
    """(d, n) float64 batches: `matrices`, with the same corners, entries rounded to nearest.

    Arguments, and what they may be, are those of `matrices`.

    Args:
        max_d: the most rows.
        max_n: the most samples, at least 1 and at most ``max_d``.
        allow_zero_rows: whether rows may be 0.

    Example:
        >>> from hypothesis import find
        >>> find(batches(3, 2), lambda H: H.shape == (3, 2)).dtype
        dtype('float64')
    """
    return matrices(max_d, max_n, allow_zero_rows=allow_zero_rows).map(_rounded)


def corner_spectra(n: int, *, allow_zero: bool = True) -> dict[str, Vector]:
    """The corners of `spectra` of size n, by name, all different. Raises `ValueError` for n < 1.

    Exact, descending, of sum 1; those that are singular only if ``allow_zero``.

    Args:
        n: eigenvalues, at least 1.
        allow_zero: whether singular ones are among them.

    Example:
        >>> sorted(corner_spectra(2))
        ['nearly singular', 'one small', 'singular', 'uniform']
    """
    require(whole_number("n", n, 0) >= 1, f"n={n}; a spectrum has n ≥ 1 eigenvalues")
    corners = {"uniform": (Fraction(1, n),) * n}
    if n == 1:
        return corners
    corners["one small"] = two_level_spectrum(n, Fraction(1, 100 * n))
    corners["nearly singular"] = two_level_spectrum(n, TINY)
    if allow_zero:
        corners["singular"] = two_level_spectrum(n, Fraction(0))
    if n > 2:
        corners["dominant"] = dominant_spectrum(n, Fraction(1, 100 * n))
        corners["nearly rank one"] = dominant_spectrum(n, TINY)
        if allow_zero:
            corners["rank one"] = dominant_spectrum(n, Fraction(0))
        half = n // 2
        total = 2 * half + (n - half)
        corners["repeated"] = (Fraction(2, total),) * half + (Fraction(1, total),) * (n - half)
        corners["distinct"] = tuple(Fraction(2 * k, n * (n + 1)) for k in range(n, 0, -1))
    return corners


def corner_matrices(d: int, n: int) -> dict[str, Matrix]:
    """The corners of `matrices` of size d × n, by name, without zero rows. `ValueError` unless 1 ≤
    n ≤ d.

    Args:
        d: rows, at least n.
        n: columns, at least 1.

    Example:
        >>> corner_matrices(2, 1)["plain"]
        ((Fraction(2, 1),), (Fraction(1, 1),))
    """
    require(
        1 <= whole_number("n", n, 0) <= whole_number("d", d, 0),
        f"d={d}, n={n}; matrices need 1 ≤ n ≤ d",
    )

    def filled(entry: Callable[[int, int], int]) -> Matrix:
        return tuple(tuple(map(Fraction, map(entry, repeat(i), range(n)))) for i in range(d))

    plain = filled(lambda i, j: 1 + (i == j) + (i + 1) * j)
    corners = {
        "orthogonal": filled(lambda i, j: i % n == j),
        "plain": plain,
        "tiny": tuple(_scaled(row, TINY) for row in plain),
        "huge": tuple(_scaled(row, 1 / TINY) for row in plain),
    }
    if n > 1:
        corners["equal columns"] = tuple((row[0],) * n for row in plain)
        moved = [_scaled(row, CLOSE) for row in plain]
        corners["close columns"] = tuple(
            (row[0], *map(row[0].__add__, small[1:]))
            for row, small in zip(plain, moved, strict=True)
        )
        corners["opposite columns"] = tuple((row[0], -row[0], *row[2:]) for row in plain)
        corners["one large column"] = tuple((100 * row[0], *row[1:]) for row in plain)
    return corners


@lru_cache(maxsize=1024)
def fractions_between(low: Fraction, high: Fraction, most: int) -> SearchStrategy[Fraction]:
    """Fractions in [low, high] of a denominator of at most ``most``, drawn, and shrunk, as
    ``hypothesis.strategies.fractions`` does, which makes a strategy anew at every draw.

    ``low`` ≤ ``high``, both of a denominator of at most ``most`` ≥ 1.

    Example:
        >>> from hypothesis import find
        >>> find(fractions_between(Fraction(0), Fraction(1), 4), lambda x: x > Fraction(1, 2))
        Fraction(1, 1)
    """

    fractions = st.integers(1, most).flatmap(partial(_fractions_over, low, high))
    return fractions.map(partial(Fraction.limit_denominator, max_denominator=most))


@lru_cache(maxsize=4096)
def _fractions_over(low: Fraction, high: Fraction, denominator: int) -> SearchStrategy[Fraction]:
    """Fractions in [low, high] over a multiple of ``denominator`` at which both ends are whole."""
    first, last = low.numerator * high.denominator, high.numerator * low.denominator
    scale = low.denominator * high.denominator
    common = gcd(scale, first, last)
    numerators = st.integers(denominator * first // common, denominator * last // common)
    return numerators.map(partial(_over, denominator * scale // common))


def _over(denominator: int, numerator: int) -> Fraction:
    return Fraction(numerator, denominator)


def _sizes(min_n: int, max_n: int) -> tuple[int, int]:
    least, most = whole_number("min_n", min_n, 0), whole_number("max_n", max_n, 0)
    require(1 <= least <= most, f"min_n={min_n}, max_n={max_n}; give 1 ≤ min_n ≤ max_n")
    return least, most


@lru_cache(maxsize=256)
def _spectra(min_n: int, max_n: int, allow_zero: bool) -> SearchStrategy[Vector]:
    def normalised(values: Vector) -> Vector:
        total = sum(values, Fraction(0))
        return tuple(value / total for value in values)

    return _levels(min_n, max_n, allow_zero).map(normalised)


@lru_cache(maxsize=256)
def _levels(min_n: int, max_n: int, allow_zero: bool) -> SearchStrategy[Vector]:
    """Descending nonnegative values, not all zero: all free, or on two levels."""
    sizes = [Fraction(1, 10**exponent) for exponent in _EXPONENTS]

    def digit_of(*sizes: Fraction) -> SearchStrategy[Fraction]:
        return st.builds(operator.mul, st.integers(1, 9), st.sampled_from(sizes))

    positive = digit_of(*sizes)
    # shrinks to 1, not to 0
    level = digit_of(*sizes, *[Fraction(0)] * 2) if allow_zero else positive

    @lru_cache(maxsize=64)
    def levels_of(n: int) -> SearchStrategy[Vector]:
        two_levels = st.builds(
            lambda high, low, split: (high,) * split + (low,) * (n - split),
            positive,
            level,
            st.integers(1, n),
        )
        free = st.builds(
            lambda first, rest: (first, *rest), positive, st.tuples(*[level] * (n - 1))
        )
        return (two_levels | free).map(lambda values: tuple(sorted(values, reverse=True)))

    return st.integers(min_n, max_n).flatmap(levels_of)


@cache
def _mixtures() -> SearchStrategy[tuple[Fraction | int, int]]:
    """How much of a column is its own, and how much the first column."""
    return st.sampled_from(((1, 0), (1, 0), (1, 0), (100, 0), (0, 1), (0, -1), (CLOSE, 1), (0, 0)))


@cache
def _scales() -> SearchStrategy[Fraction]:
    return st.sampled_from((Fraction(1), Fraction(1, 7), 1 / TINY, TINY))


@lru_cache(maxsize=256)
def _columns(d: int, n: int) -> SearchStrategy[list[Vector]]:
    """n columns of d whole numbers."""
    entry = st.integers(-9, 9).map(Fraction)
    return st.lists(st.tuples(*[entry] * d), min_size=n, max_size=n)


@composite
def _matrices(draw: DrawFn, max_d: int, max_n: int, allow_zero_rows: bool) -> Matrix:
    n = draw(st.integers(1, max_n))
    d = draw(st.integers(n, max_d))
    columns = draw(_columns(d, n))
    for j in range(1, n):
        # a column of its own, one much larger, the first one again, its opposite, it moved by a
        # millionth, or zero
        own, first = draw(_mixtures())
        pairs = zip(columns[j], columns[0], strict=True)
        columns[j] = tuple(own * mine + first * lead for mine, lead in pairs)
    rows = list(zip(*columns, strict=True))
    empty = [i for i, row in enumerate(rows) if not any(row)]
    if not allow_zero_rows or len(empty) == d:
        for i in empty:
            rows[i] = (Fraction(1),) * n  # equal entries, so that equal columns stay equal
    scale = draw(_scales())
    return tuple(_scaled(row, scale) for row in rows)


def _scaled(values: Vector, scale: Fraction) -> Vector:
    return tuple(scale * value for value in values)


def _rounded(matrix: Matrix) -> Floats:
    return np.array(matrix, dtype=np.float64)
