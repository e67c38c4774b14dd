"""Exact inputs of the family's pointwise claims: corners that are always tried, strategies that
roam.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from simulators.batches import dominant_spectrum, two_level_spectrum
from simulators.lazy import strategies as st
from simulators.strategies import TINY, corner_matrices, corner_spectra, matrices, spectra

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

__all__ = [
    "matrix_corners",
    "matrix_inputs",
    "singular_corners",
    "singular_inputs",
    "spectrum_corners",
    "spectrum_inputs",
]

Fractions = tuple[Fraction, ...]


def spectrum_corners(sizes: Iterable[int] = (1, 2, 3, 4, 8)) -> list[Fractions]:
    """The corners of every size, and spectra a breath away from uniform, where the contraction is
    tight.
    """
    found: list[Fractions] = []
    for n in sizes:
        found += corner_spectra(n).values()
        if n > 1:
            close = Fraction(1, n) - Fraction(1, 10**4 * n)
            found += [two_level_spectrum(n, close), dominant_spectrum(n, close)]
    return found


def spectrum_inputs() -> SearchStrategy[Fractions]:
    return spectra(min_n=1, max_n=8)


def _on_sphere(coordinates: Iterable[Fraction]) -> Fractions:
    """A rational point of the unit sphere, nonnegative: the inverse stereographic image."""
    u = tuple(coordinates)
    square = sum((x * x for x in u), Fraction(0))
    return (*(abs(2 * x) / (1 + square) for x in u), abs(1 - square) / (1 + square))


def singular_corners() -> list[Fractions]:
    """Unit vectors: uniform (n a square), zeros beside a uniform block, near-uniform, nearly rank
    one.
    """
    half = Fraction(1, 2)
    near_uniform = _on_sphere((Fraction(1, 3) + Fraction(1, 10**5),) * 3)
    return [
        (Fraction(1),),
        (Fraction(1), Fraction(0)),
        (Fraction(4, 5), Fraction(3, 5)),
        (half,) * 4,
        (half,) * 4 + (Fraction(0),),
        (Fraction(1, 3),) * 9,
        (Fraction(1, 3),) * 9 + (Fraction(0),),
        near_uniform,
        _on_sphere((TINY,) * 3),
        _on_sphere((Fraction(1, 100), Fraction(1, 10))),
    ]


def singular_inputs() -> SearchStrategy[Fractions]:
    small = st.fractions(min_value=-3, max_value=3, max_denominator=50)
    tiny = st.sampled_from((TINY, Fraction(1, 10**9), Fraction(1)))
    return st.lists(st.tuples(small, tiny).map(lambda p: p[0] * p[1]), min_size=0, max_size=7).map(
        _on_sphere
    )


def matrix_corners() -> list[Any]:
    return [m for d, n in ((1, 1), (3, 1), (2, 2), (5, 3)) for m in corner_matrices(d, n).values()]


def matrix_inputs() -> SearchStrategy[Any]:
    return matrices(max_d=6, max_n=4)
