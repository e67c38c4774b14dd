"""Exact inputs of the family's pointwise claims: corners that are always tried, strategies that
roam.
"""

from __future__ import annotations

from collections.abc import Iterable, Sized
from fractions import Fraction
from itertools import groupby
from typing import TYPE_CHECKING, TypeAlias

from simulators.lazy import strategies as st
from simulators.strategies import corner_matrices, corner_spectra, matrices, spectra

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

__all__ = [
    "Levels",
    "Rows",
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
Rows: TypeAlias = tuple[tuple[Fraction, ...], ...]

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
    ties = [value for value, _ in levels]
    near = [x + step for x in ties for step in (0, _CLOSE)]
    return tuple(dict.fromkeys(x for x in (Fraction(0), _HALF, Fraction(1), *near) if 0 <= x <= 1))


def nearly_tight(size: int, threshold: Fraction) -> Levels:
    """One large eigenvalue, all others just below the threshold: as ``size`` grows, the lemma's
    bound is reached.
    """
    below = threshold - _CLOSE
    return ((size - (size - 1) * below, 1), (below, size - 1))


def spectrum_corners() -> list[tuple[Levels, Fraction]]:
    found = [
        (levels, threshold)
        for size in (1, 2, 3, 8)
        for spectrum in corner_spectra(size).values()
        for levels in [_levels(spectrum)]
        for threshold in _thresholds(levels)
    ]
    return found + [
        (nearly_tight(size, x), x)
        for size in (8, 2000)
        for x in (Fraction(1, 10), _HALF, Fraction(9, 10))
    ]


def spectrum_inputs() -> SearchStrategy[tuple[Levels, Fraction]]:
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


def _turned(diagonal: Iterable[Fraction]) -> Rows:
    """Q diag(a) for a rational rotation Q of every two neighbouring coordinates: M has the
    eigenvalues a²/n.
    """
    values = tuple(diagonal)
    rows = [
        [value if a == b else Fraction(0) for b, value in enumerate(values)]
        for a in range(len(values))
    ]
    for a in range(len(rows) - 1):
        first, second = rows[a], rows[a + 1]
        rows[a] = [(3 * x - 4 * y) / 5 for x, y in zip(first, second, strict=True)]
        rows[a + 1] = [(4 * x + 3 * y) / 5 for x, y in zip(first, second, strict=True)]
    return tuple(map(tuple, rows))


def _tied(diagonal: Iterable[Fraction]) -> list[tuple[Rows, Fraction]]:
    """That matrix, with the thresholds at which its eigenvalues, scaled to mean 1, tie."""
    values = tuple(diagonal)
    total = sum((x * x for x in values), Fraction(0))
    descending = sorted((x * x / total for x in values), reverse=True)
    return [(_turned(values), threshold) for threshold in _thresholds(_levels(descending))]


def matrix_corners() -> list[tuple[Rows, Fraction]]:
    """Plain corners, known eigenvalues with the threshold at and above each, and one row of the
    nearly tight kind.
    """
    whole = [Fraction(x) for x in (3, 2, 2, 1, 0)]
    found = [
        (rows, x)
        for a, b in ((1, 1), (3, 1), (4, 3))
        for rows in corner_matrices(a, b).values()
        for x in (Fraction(0), _HALF, Fraction(1))
    ]
    return [
        *found,
        *_tied(whole),
        *_tied([Fraction(1)] * 3),
        (_turned([Fraction(19, 6), *[Fraction(1)] * 7]), _HALF),
    ]


def matrix_inputs() -> SearchStrategy[tuple[Rows, Fraction]]:
    """Any matrix with any threshold, or one of known eigenvalues with a threshold that ties."""
    free = st.tuples(matrices(max_d=6, max_n=4), st.fractions(0, 1, max_denominator=100))
    tied = (
        st.lists(st.integers(1, 6).map(Fraction), min_size=1, max_size=5)
        .map(_tied)
        .flatmap(st.sampled_from)
    )
    return free | tied


def _on_sphere(coordinates: Iterable[Fraction]) -> tuple[Fraction, ...]:
    """A rational point of the unit sphere: the inverse stereographic image."""
    u = tuple(coordinates)
    square = sum((x * x for x in u), Fraction(0))
    return (*(2 * x / (1 + square) for x in u), (1 - square) / (1 + square))


def _unit_rows(least: int) -> SearchStrategy[Rows]:
    """Unit vectors of dimension 4, rational: equal, close, or free."""
    small = st.fractions(min_value=-2, max_value=2, max_denominator=8)
    free = st.tuples(small, small, small).map(_on_sphere)
    close = st.sampled_from((Fraction(0), _CLOSE, Fraction(1, 100))).map(
        lambda x: _on_sphere((x, x, x))
    )
    return st.lists(free | close, min_size=least, max_size=5).map(tuple)


def _signs(n: int, least: int) -> SearchStrategy[Rows]:
    sign = st.sampled_from((Fraction(1), Fraction(-1)))
    return st.lists(st.tuples(*[sign] * n), min_size=least, max_size=5).map(tuple)


def _doubled(rows: Rows) -> Rows:
    return tuple(tuple(2 * x for x in row) for row in rows)


def drift_inputs(least: int = 1) -> SearchStrategy[Rows]:
    """Rational H of ``least`` rows or more with diag M = 1: rows of signs, or of norm 2 = √n for n
    = 4.
    """
    return _unit_rows(least).map(_doubled) | st.integers(1, 4).flatmap(lambda n: _signs(n, least))


def nonzero_rows() -> SearchStrategy[Rows]:
    """Any H without zero row."""
    return matrices(max_d=4, max_n=3)


def drift_corners(least: int = 1) -> list[Rows]:
    """Orthogonal rows and equal rows, where both sides of the inequality agree, and what lies
    between.
    """
    walsh = tuple(tuple(Fraction((-1) ** (a & b).bit_count()) for b in range(4)) for a in range(4))
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
    """Why nothing is said of a user's (d, n) batch of one row; empty for two and more."""
    return (
        "the batch has d = 1, where M is always 1; a rank needs 2 rows or more"
        if len(batch) < 2
        else ""
    )
