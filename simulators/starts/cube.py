"""Starts on the unit cube: every coordinate of a start moves, and what comes out is exact and short
to write.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from simulators.arguments import require
from simulators.starts.corners import corner_axes
from simulators.starts.start import Start

__all__ = ["DECADES", "cube_dimensions", "share_weights", "start_at"]

#: Log-eigenvalues on the cube span this much.
DECADES = 16
_PARTS = 10**14
#: Mirrors have whole entries up to this.
_MIRROR = 9
#: Scales of samples, most of them 1.
_SCALES = tuple(map(Fraction, ("1/100", "1/10", "1/2", "1", "1", "1", "1", "2", "10", "100")))
#: Up to here a sample is its own, then its opposite, then a copy of the first, then the opposite of
#: that.
_OWN, _OPPOSITE, _COPY = 0.55, 0.75, 0.9


def cube_dimensions(n: int) -> int:
    """Coordinates of a start of n samples: its spectrum, base and mirror, signs and copies,
    scales.

    ``n`` ≥ 1 is the number of samples.

    Example:
        >>> cube_dimensions(3)
        13
    """
    return 4 * n + 1


def start_at(n: int, u: Sequence[float]) -> Start:
    """The start of n samples at ``u`` in [0, 1]^(4n + 1).

    The spectrum is proportional to exp(-16 u), rounded to parts of 10⁻¹⁴; a named basis is picked
    and reflected in one mirror; each sample is itself, its opposite, a copy of the first or the
    opposite of that; scales lie between 1/100 and 100, most of them at 1. Raises `ValueError` for
    another number of coordinates.

    Args:
        n: samples, at least 1.
        u: (4n + 1,) numbers in [0, 1].

    >>> start_at(2, [0.5] * 9).scales
    (Fraction(1, 1), Fraction(1, 1))
    """
    point = np.asarray(u, dtype=np.float64)
    require(
        point.shape == (cube_dimensions(n),),
        f"u has shape {point.shape}; {n} samples take {cube_dimensions(n)} coordinates",
    )
    levels, mirror, kinds, sizes = point[:-1].reshape(4, n)
    bases = list(corner_axes(n).values())
    entries = tuple(Fraction(round(_MIRROR * (2 * x - 1))) for x in mirror.tolist())
    signs, copies = [], []
    for k, kind in enumerate(kinds.tolist()):
        signs.append(-1 if _OWN <= kind < _OPPOSITE or kind >= _COPY else 1)
        copies.append(0 if kind >= _OPPOSITE else k)
    scales = [_SCALES[min(int(x * len(_SCALES)), len(_SCALES) - 1)] for x in sizes.tolist()]
    return Start(
        share_weights(levels.tolist()),
        bases[min(int(point[-1] * len(bases)), len(bases) - 1)],
        (entries,) if any(entries) else (),
        tuple(copies),
        tuple(sign * scale for sign, scale in zip(signs, scales, strict=True)),
    )


def share_weights(u: Sequence[float]) -> tuple[Fraction, ...]:
    """A descending spectrum of sum 1, proportional to exp(-16 u) up to parts of 10⁻¹⁴.

    Args:
        u: (n,) numbers in [0, 1]; the least of them has the largest eigenvalue.

    >>> share_weights([0.0, 0.0])
    (Fraction(1, 2), Fraction(1, 2))
    """
    levels = np.asarray(u, dtype=np.float64)
    weights = np.exp(-DECADES * (levels - levels.min()))
    whole = [Fraction(round(w * _PARTS), _PARTS) for w in weights.tolist()]
    return tuple(sorted((w / sum(whole) for w in whole), reverse=True))
