"""Hypothesis strategies of starts; they shrink towards plain samples of a simple spectrum in the
diagonal basis.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from simulators.starts.corners import corner_axes
from simulators.starts.start import Start, Vector
from simulators.strategies import spectra

__all__ = ["starts"]

_ENTRY = st.integers(-9, 9).map(Fraction)
_COPIED: SearchStrategy[bool] = st.sampled_from((False, False, False, True))
_SIGN = st.sampled_from((Fraction(1), Fraction(-1)))
_SCALE = st.sampled_from(tuple(map(Fraction, ("1", "2", "1/2", "10", "1/10", "100", "1/100"))))


@st.composite
def starts(draw: DrawFn, min_n: int = 1, max_n: int = 8) -> Start:
    """Starts of min_n … max_n samples: any spectrum of `spectra`, any base and mirrors, copies,
    signs and scales.

    Raises as `spectra` does.

    Args:
        draw: given by Hypothesis; leave it out.
        min_n: the fewest samples, at least 1.
        max_n: the most, at least ``min_n``.

    Example:
        >>> from hypothesis import find
        >>> find(starts(2, 2), lambda start: True).gram
        ((Fraction(1, 2), Fraction(0, 1)), (Fraction(0, 1), Fraction(1, 2)))
    """
    spectrum = draw(spectra(min_n, max_n))
    size = len(spectrum)
    axes, mirrors = _of_size(size)
    base = draw(axes)
    copies = tuple(0 if draw(_COPIED) else k for k in range(size))
    scales = tuple(draw(_SIGN) * draw(_SCALE) for _ in range(size))
    return Start(spectrum, base, tuple(draw(mirrors)), copies, scales)


@lru_cache(maxsize=64)
def _of_size(size: int) -> tuple[SearchStrategy[tuple[Vector, ...]], SearchStrategy[list[Vector]]]:
    """The bases and the mirrors of starts of so many samples."""
    mirror = st.tuples(*[_ENTRY] * size).filter(any)
    return st.sampled_from(list(corner_axes(size).values())), st.lists(mirror, max_size=2)
