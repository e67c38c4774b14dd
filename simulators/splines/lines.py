"""The lines that edges lie on: float coefficients with a bound, exact ones on demand.

A line is c₀ + c_u u + c_v v = 0: a side of the polygon, or where a unit is zero by the affine map
of one region before its activation.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from flint import fmpq
from numpy.typing import NDArray

from simulators.splines.affine_maps import ULP, maps_of
from simulators.splines.exact_maps import ExactMaps

__all__ = ["SIDE", "Lines"]

SIDE = -1
"""The layer of a line that is a side of the polygon."""

_FLATTEST = 1e-250
"""The least determinant, of normalised lines, from which floats tell where they meet."""
_NOTHING = -10_000  # for an exponent of 0, below that of any float

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Coefficients = tuple[fmpq, fmpq, fmpq]


class Lines:
    """A table of lines that grows.

    - ``coefficients`` (L, 3), and ``errors`` (L,): bounds over the box of the polygon
    - ``layer``, ``unit``, ``region`` (L,): whose line it is; for a side, `SIDE` and its number

    Args:
        sides: exact coefficients of the sides of the polygon.
        extent: 1 and the half-sides of a box about 0 that holds the polygon, (3,).
        maps: what gives exact coefficients of the others.

    Example:
        >>> lines = Lines([(fmpq(1), fmpq(0), fmpq(1, 3))], np.ones(3))
        >>> lines.exact(0), lines.layer.tolist()
        ((1, 0, 1/3), [-1])
    """

    def __init__(
        self, sides: Sequence[Coefficients], extent: Floats, maps: ExactMaps | None = None
    ) -> None:
        found = maps_of(list(zip(*sides, strict=True)), extent)
        self.coefficients: Floats = found.values[:, :, 0]
        self.errors: Floats = found.errors[:, 0]
        self.layer: Ints = np.full(len(sides), SIDE)
        self.unit: Ints = np.arange(len(sides))
        self.region: Ints = np.zeros(len(sides), dtype=np.int64)
        self._exact = dict(enumerate(sides))
        self._exponents = np.frexp(extent)[1] - np.array([1, 0, 0])  # of 1, and beyond the sides
        self._maps = maps

    def add(
        self, layer: int, unit: int, regions: Ints, coefficients: Floats, errors: Floats
    ) -> Ints:
        """New lines of one unit, one a region; their numbers.

        Args:
            layer: of the unit, from 0.
            unit: its number in the layer.
            regions: before that activation.
            coefficients: (count, 3).
            errors: (count,).
        """
        start, count = len(self.errors), len(regions)
        self.coefficients = np.concatenate([self.coefficients, coefficients])
        self.errors = np.concatenate([self.errors, errors])
        self.layer = np.concatenate([self.layer, np.full(count, layer)])
        self.unit = np.concatenate([self.unit, np.full(count, unit)])
        self.region = np.concatenate([self.region, regions])
        return start + np.arange(count)

    def exact(self, line: int) -> Coefficients:
        """The exact coefficients of a line.

        Args:
            line: its number.
        """
        if line not in self._exact and self._maps is not None:
            layer, unit, region = (int(a[line]) for a in (self.layer, self.unit, self.region))
            self._exact[line] = self._maps.unit(layer, region, unit)
        return self._exact[line]

    def exact_meeting(self, one: int, other: int) -> tuple[fmpq, fmpq]:
        """Where two lines that are not parallel meet, exactly.

        Args:
            one: the number of a line.
            other: that of another.
        """
        c, a, b = self.exact(one)
        f, d, e = self.exact(other)
        determinant = a * e - b * d
        return (b * f - c * e) / determinant, (c * d - a * f) / determinant

    def meetings(self, one: Ints, other: Ints) -> tuple[Floats, Floats]:
        """Where lines meet, pair by pair, in floats: points (count, 2), and bounds on the distance
        of either coordinate from the true one, infinite where floats do not tell.

        The bound is a posteriori: the true point is within the lines' own errors of either float
        line, and so is the float point within its residuals, which are evaluated.

        Args:
            one: numbers of lines.
            other: of lines that they cross inside the polygon.
        """
        with np.errstate(all="ignore"):
            (c, a, b), errors = self._normalised(one)
            (f, d, e), errors_other = self._normalised(other)
            determinant = a * e - b * d
            x = (b * f - c * e) / determinant
            y = (c * d - a * f) / determinant
            slack = errors + _residual(c, a, b, x, y)
            slack_other = errors_other + _residual(f, d, e, x, y)
            least = np.abs(determinant) - 4 * ULP * (np.abs(a * e) + np.abs(b * d))
            least = np.where(least > _FLATTEST, least, 0.0)
            dx = (np.abs(e) * slack + np.abs(b) * slack_other) / least
            dy = (np.abs(d) * slack + np.abs(a) * slack_other) / least
            scales = np.ldexp(1.0, self._exponents[1:])
            points = np.stack([x, y], axis=1) * scales
            bounds = np.stack([dx, dy], axis=1) * scales * (1 + 1e-9)
        sure = np.isfinite(points).all(axis=1) & np.isfinite(bounds).all(axis=1)
        bounds[~sure] = np.inf
        return points, bounds

    def _normalised(self, lines: Ints) -> tuple[Floats, Floats]:
        """Coefficients (3, count) and errors (count,) times powers of two, so that the largest
        coefficient is about 1 on a box of half-sides of about 1: no product of two underflows.
        """
        coefficients = self.coefficients[lines].T
        sizes = np.frexp(coefficients)[1] + self._exponents[:, None]
        top = np.where(coefficients == 0, _NOTHING, sizes).max(axis=0)
        normalised = np.ldexp(coefficients, self._exponents[:, None] - top)
        return normalised, np.ldexp(self.errors[lines], -top)


def _residual(c: Floats, a: Floats, b: Floats, x: Floats, y: Floats) -> Floats:
    """A bound on |c + a x + b y| of floats, with the rounding of its own evaluation."""
    sizes = np.abs(c) + np.abs(a * x) + np.abs(b * y)
    return np.asarray(np.abs(c + a * x + b * y) + 4 * ULP * sizes)
