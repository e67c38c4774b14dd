"""The fixed points of f_n for one batch size: isolated, counted and enclosed in balls, with the
spectrum at each.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from flint import arb, arb_series, ctx, fmpq

from simulators.engines.mean_field.outlier_enclosure import (
    SpectrumEnclosure,
    cluster_angle_series,
    excess_series,
    spectrum_enclosure,
)
from theorems.checking.root_isolation import UndecidedError, isolate, narrow

__all__ = ["PRECISION", "FixedPoints", "Point", "find", "one_apart"]

PRECISION = 192
#: ψ runs over [0, π/2); this dyadic end lies just beyond, where e is still analytic and has no
#: zero.
_END = fmpq(101, 64)


@dataclass(frozen=True)
class Point:
    """A fixed point of f_n: ψ, y = (n − 1) cos² ψ, the cluster's angle φ before ReLU, and the
    Jacobian's spectrum.
    """

    angle: arb
    y: arb
    cluster_angle: arb
    spectrum: SpectrumEnclosure


@dataclass(frozen=True)
class FixedPoints:
    """All fixed points of f_n on (0, n − 1] but the exact two-block point n − 1, by decreasing y;
    one is symmetric.
    """

    n: int
    outlier: Point | None
    separatrix: Point | None
    symmetric: Point
    cells: int

    @property
    def others(self) -> int:
        """The number of fixed points besides the symmetric and the two-block one."""
        return (self.outlier is not None) + (self.separatrix is not None)

    @property
    def points(self) -> tuple[Point, ...]:
        return tuple(p for p in (self.outlier, self.separatrix, self.symmetric) if p is not None)


@lru_cache(maxsize=256)
def find(n: int, precision: int = PRECISION) -> FixedPoints:
    """The fixed points for ``n`` samples, from 3 to some 10⁹.

    Raises :class:`UndecidedError` if the balls leave their number open or show a picture other than
    these: one rising zero of e, or a rising, a falling and a rising one, the last of them
    symmetric. Cost: some ten milliseconds.
    """
    if n < 3:
        raise ValueError(f"n={n}; want at least 3")
    with ctx.workprec(precision):
        size = arb(n)

        def excess(angle: arb_series) -> arb_series:
            return excess_series(angle, size)

        zeros, cells = isolate(excess, fmpq(0), _END)
        symmetric = (1 / (size - 1)).acos()
        if [z.rising for z in zeros] not in ([True], [True, False, True]) or not (
            arb(zeros[-1].low) < symmetric < arb(zeros[-1].high)
        ):
            raise UndecidedError(f"n={n}: {len(zeros)} zeros, not as described")
        found = [_point(narrow(excess, zero), n) for zero in zeros]
    outlier, separatrix = found[:2] if len(found) == 3 else (None, None)
    return FixedPoints(n, outlier, separatrix, found[-1], cells)


def _point(angle: arb, n: int) -> Point:
    phi = cluster_angle_series(arb_series([angle], 1), arb(n))[0]
    return Point(angle, (n - 1) * angle.cos() ** 2, phi, spectrum_enclosure(angle, n))


def one_apart(n: int, square: Any, inner: Any, across: Any, apart: Any) -> list[list[Any]]:
    """The Gram matrix of n - 1 alike samples and a last one, n rows of n numbers.

    The alike ones have squared norm ``square`` and product ``inner`` with each other, ``across``
    with the last, whose squared norm is ``apart``.
    """
    rows = [[inner] * (n - 1) + [across] for _ in range(n - 1)]
    for k, row in enumerate(rows):
        row[k] = square
    return [*rows, [across] * (n - 1) + [apart]]
