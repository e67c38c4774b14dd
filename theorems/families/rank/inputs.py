"""Exact inputs of the family's pointwise claims: corners that are always tried, strategies that
roam.
"""

from __future__ import annotations

from collections.abc import Iterable, Sized
from fractions import Fraction
from itertools import groupby, product
from typing import TypeAlias

import numpy as np

from simulators.lazy import strategies as st
from simulators.strategies import Matrix, corner_matrices, corner_spectra, matrices, spectra
from theorems.checking.rational_inputs import sphere_point, walsh_signs

__all__ = [
    "Levels",
    "drift_corners",
    "drift_inputs",
    "matrix_corners",
    "matrix_inputs",
    "nearly_tight",
    "nonzero_rows",
    "spectrum_corners",
    "spectrum_inputs",
    "too_narrow",
]

#: Eigenvalues with their multiplicities, of mean 1.
Levels: TypeAlias = tuple[tuple[Fraction, int], ...]

_CLOSE = Fraction(1, 10**9)
_HALF = Fraction(1, 2)


def _levels(spectrum: Iterable[Fraction]) -> Levels:
    """A spectrum of sum 1, descending, scaled to mean 1."""
    values = tuple(spectrum)
    return tuple((value * len(values), len(list(group))) for value, group in groupby(values))


def _thresholds(levels: Levels) -> tuple[Fraction, ...]:
    """Ends of [0, 1], its middle, and every eigenvalue there: at it, where it still counts, and
    just above it.
    """
    near = (value + step for (value, _), step in product(levels, (Fraction(0), _CLOSE)))
    tried = dict.fromkeys((Fraction(0), _HALF, Fraction(1), *near))
    return tuple(x for x in tried if 0 <= x <= 1)


def nearly_tight(size: int, threshold: Fraction) -> Levels:
    """One large eigenvalue, all others just below the threshold: as ``size`` grows, the lemma's
    bound is reached.

    ``threshold`` lies in (0, 1]; the eigenvalues have mean 1.

    Example:
        >>> [count for _, count in nearly_tight(8, Fraction(1, 2))]
        [1, 7]
    """
    below = threshold - _CLOSE
    return ((size - (size - 1) * below, 1), (below, size - 1))


def spectrum_corners() -> list[tuple[Levels, Fraction]]:
    """Corner spectra at every threshold where a count may change, and nearly tight ones.

    Example:
        >>> spectrum_corners()[0]
        (((Fraction(1, 1), 1),), Fraction(0, 1))
    """
    found: list[tuple[Levels, Fraction]] = []
    for size in (1, 2, 3, 8):
        for levels in map(_levels, corner_spectra(size).values()):
            found += [(levels, threshold) for threshold in _thresholds(levels)]
    tight = product((8, 2000), (Fraction(1, 10), _HALF, Fraction(9, 10)))
    return found + [(nearly_tight(size, x), x) for size, x in tight]


def spectrum_inputs() -> st.SearchStrategy[tuple[Levels, Fraction]]:
    """Spectra of 1 to 8 eigenvalues with a threshold: one that ties, or any in hundredths.

    Example:
        >>> spectrum_inputs().validate()
    """
    return (
        spectra(min_n=1, max_n=8)
        .map(_levels)
        .flatmap(
            lambda levels: st.tuples(
                st.just(levels),
                st.sampled_from(_thresholds(levels)) | st.fractions(0, 1, max_denominator=100),
            )
        )
    )


def _turned(diagonal: Iterable[Fraction]) -> Matrix:
    """Q diag(a) for a rational rotation Q of every two neighbouring coordinates: M has the
    eigenvalues a²/n.
    """
    values = tuple(diagonal)
    zeros = (Fraction(0),) * len(values)
    rows = [(*zeros[:a], value, *zeros[a + 1 :]) for a, value in enumerate(values)]
    for a in range(len(rows) - 1):
        pairs = list(zip(rows[a], rows[a + 1], strict=True))
        rows[a] = tuple((3 * x - 4 * y) / 5 for x, y in pairs)
        rows[a + 1] = tuple((4 * x + 3 * y) / 5 for x, y in pairs)
    return tuple(rows)


def _tied(diagonal: Iterable[Fraction]) -> list[tuple[Matrix, Fraction]]:
    """That matrix, with the thresholds at which its eigenvalues, scaled to mean 1, tie."""
    values = tuple(diagonal)
    total = sum((x * x for x in values), Fraction(0))
    descending = sorted((x * x / total for x in values), reverse=True)
    return [(_turned(values), threshold) for threshold in _thresholds(_levels(descending))]


def matrix_corners() -> list[tuple[Matrix, Fraction]]:
    """Plain corners, known eigenvalues with the threshold at and above each, and one row of the
    nearly tight kind.

    Example:
        >>> matrix_corners()[0][1]
        Fraction(0, 1)
    """
    found: list[tuple[Matrix, Fraction]] = []
    for a, b in ((1, 1), (3, 1), (4, 3)):
        corners = corner_matrices(a, b).values()
        found += product(corners, (Fraction(0), _HALF, Fraction(1)))
    return [
        *found,
        *_tied(map(Fraction, (3, 2, 2, 1, 0))),
        *_tied([Fraction(1)] * 3),
        (_turned([Fraction(19, 6), *[Fraction(1)] * 7]), _HALF),
    ]


def matrix_inputs() -> st.SearchStrategy[tuple[Matrix, Fraction]]:
    """Any matrix with any threshold, or one of known eigenvalues with a threshold that ties.

    Of up to 6 rows and 5 columns.

    Example:
        >>> matrix_inputs().validate()
    """
    free = st.tuples(matrices(max_d=6, max_n=4), st.fractions(0, 1, max_denominator=100))
    tied = (
        st.lists(st.integers(1, 6).map(Fraction), min_size=1, max_size=5)
        .map(_tied)
        .flatmap(st.sampled_from)
    )
    return free | tied


def _unit_rows(least: int) -> st.SearchStrategy[Matrix]:
    """Unit vectors of dimension 4, rational: equal, close, or free."""
    small = st.fractions(min_value=-2, max_value=2, max_denominator=8)
    free = st.tuples(small, small, small).map(sphere_point)
    close = st.sampled_from((Fraction(0), _CLOSE, Fraction(1, 100))).map(
        lambda x: sphere_point((x, x, x))
    )
    return st.lists(free | close, min_size=least, max_size=5).map(tuple)


def _signs(n: int, least: int) -> st.SearchStrategy[Matrix]:
    sign = st.sampled_from((Fraction(1), Fraction(-1)))
    return st.lists(st.tuples(*[sign] * n), min_size=least, max_size=5).map(tuple)


def _doubled(rows: Matrix) -> Matrix:
    return tuple(map(tuple, 2 * np.array(rows, dtype=object)))


def drift_inputs(least: int = 1) -> st.SearchStrategy[Matrix]:
    """Rational H of ``least`` rows or more with diag M = 1: rows of signs, or of norm 2 = √n for n
    = 4.

    Example:
        >>> drift_inputs().validate()
    """
    return _unit_rows(least).map(_doubled) | st.integers(1, 4).flatmap(lambda n: _signs(n, least))


def nonzero_rows() -> st.SearchStrategy[Matrix]:
    """Any H without zero row, of up to 4 rows and 3 columns.

    Example:
        >>> nonzero_rows().validate()
    """
    return matrices(max_d=4, max_n=3)


def drift_corners(least: int = 1) -> list[Matrix]:
    """Orthogonal rows and equal rows, where both sides of the inequality agree, and what lies
    between.

    Those of ``least`` rows or more, each with diag M = 1.

    Example:
        >>> len(drift_corners()), len(drift_corners(5))
        (6, 1)
    """
    walsh = tuple(walsh_signs(number, 4) for number in range(4))
    first = (Fraction(1), Fraction(0), Fraction(0), Fraction(0))
    slanted = (Fraction(3, 5), Fraction(4, 5), Fraction(0), Fraction(0))
    found = [
        ((Fraction(1),),),
        walsh,
        (walsh[0],) * 4,
        (walsh[0], walsh[0], walsh[1]),
        _doubled((first, slanted, slanted)),
        (*walsh, *_doubled((first,))),
    ]
    return [rows for rows in found if len(rows) >= least]


def too_narrow(batch: Sized) -> str:
    """Why nothing is said of a user's (d, n) batch of one row; empty for two and more.

    Example:
        >>> too_narrow([[1.0, 2.0], [0.0, 1.0]])
        ''
    """
    return (
        "the batch has d = 1, where M is always 1; a rank needs 2 rows or more"
        if len(batch) < 2
        else ""
    )
