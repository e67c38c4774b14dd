"""Hypothesis strategies of starts; they shrink towards plain samples of a simple spectrum in the
diagonal basis.
"""

from __future__ import annotations

from fractions import Fraction

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from simulators.starts.axes import corner_axes
from simulators.starts.start import Start
from simulators.strategies import spectra

__all__ = ["starts"]

_SCALES = tuple(map(Fraction, ("1", "2", "1/2", "10", "1/10", "100", "1/100")))


@st.composite
def starts(draw: DrawFn, min_n: int = 1, max_n: int = 8) -> Start:
    """Starts of min_n … max_n samples: any spectrum of `spectra`, any base and mirrors, copies,
    signs and scales.
    """
    spectrum = draw(spectra(min_n, max_n))
    size = len(spectrum)
    axes = draw(st.sampled_from(list(corner_axes(size).values())))
    entry = st.integers(-9, 9).map(Fraction)
    mirror = st.tuples(*[entry] * size).filter(any)
    copied: SearchStrategy[bool] = st.sampled_from((False, False, False, True))
    copies = tuple(0 if draw(copied) else k for k in range(size))
    sign = st.sampled_from((Fraction(1), Fraction(-1)))
    scales = tuple(draw(sign) * draw(st.sampled_from(_SCALES)) for _ in range(size))
    return Start(spectrum, axes, tuple(draw(st.lists(mirror, max_size=2))), copies, scales)
