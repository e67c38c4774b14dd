"""A plane in input space, x = origin + u·first + v·second, with exact coefficients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from flint import fmpq
from numpy.typing import NDArray

from simulators.arguments import require, told
from simulators.splines.rationals import nearest, rationals

__all__ = ["Slice", "coordinate_slice", "principal_slice", "slice_through"]


@dataclass(frozen=True, eq=False)
class Slice:
    """A plane in R^D: three columns of D rationals, the directions linearly independent.

    ``labels`` are the names of the two axes.

    Example:
        >>> plane = coordinate_slice(3, 0, 2)
        >>> plane.point(0.5, 2.0).tolist(), plane.coordinates(np.array([[1.0, 9.0, 3.0]])).tolist()
        ([0.5, 0.0, 2.0], [[1.0, 3.0]])
    """

    origin: tuple[fmpq, ...]
    first: tuple[fmpq, ...]
    second: tuple[fmpq, ...]
    labels: tuple[str, str] = ("u", "v")

    @property
    def dimension(self) -> int:
        """D."""
        return len(self.origin)

    def exact_point(self, u: fmpq, v: fmpq) -> list[fmpq]:
        """The point of R^D at rational coordinates.

        Args:
            u: along ``first``.
            v: along ``second``.
        """
        columns = zip(self.origin, self.first, self.second, strict=True)
        return [o + u * a + v * b for o, a, b in columns]

    def point(self, u: float, v: float) -> NDArray[np.float64]:
        """The point of R^D at (u, v), in floats.

        Args:
            u: along ``first``.
            v: along ``second``.
        """
        return nearest(self.origin) + u * nearest(self.first) + v * nearest(self.second)

    def coordinates(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """(u, v) of the orthogonal projections of points, of shape (N, 2), in floats.

        Args:
            points: (N, D).
        """
        directions = np.stack([nearest(self.first), nearest(self.second)], axis=1)
        found = np.linalg.lstsq(directions, (points - nearest(self.origin)).T, rcond=None)[0]
        return np.ascontiguousarray(found.T)


def coordinate_slice(dimension: int, i: int = 0, j: int = 1) -> Slice:
    """The plane of coordinates i and j, the others being 0; all of the input space for D = 2.

    Raises:
        ValueError: i and j are not two different numbers in [0, D).

    Example:
        >>> coordinate_slice(2).labels
        ('x0', 'x1')
    """
    require(
        i != j and min(i, j) >= 0 and max(i, j) < dimension,
        f"slice={i},{j}: want two different coordinates from 0 to {dimension - 1}",
    )
    zero = [fmpq(0)] * dimension
    first, second = list(zero), list(zero)
    first[i] = second[j] = fmpq(1)
    return Slice(tuple(zero), tuple(first), tuple(second), (f"x{i}", f"x{j}"))


def slice_through(points: NDArray[np.float64]) -> Slice:
    """The plane through three points (3, D): at (0, 0), (1, 0) and (0, 1), exactly.

    Raises:
        ValueError: they lie on a line.

    Example:
        >>> slice_through(np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 1.0], [0.0, 2.0, 1.0]])).point(1, 1)
        array([1., 2., 1.])
    """
    require(points.shape[:1] == (3,), f"points of shape {points.shape}: want three, (3, D)")
    start, one, other = map(rationals, points)
    first = [x - o for x, o in zip(one, start, strict=True)]
    second = [x - o for x, o in zip(other, start, strict=True)]
    require(_independent(first, second), "slice: the three samples lie on a line; name others")
    return Slice(tuple(start), tuple(first), tuple(second))


def principal_slice(points: NDArray[np.float64]) -> Slice:
    """The plane through the mean of the points (N, D) along their two principal directions.

    Its origin is the exact mean, and the directions are the floats that a singular value
    decomposition gives, in units of one standard deviation; the larger entry of each is positive.

    Raises:
        ValueError: the points lie on a line.

    Example:
        >>> plane = principal_slice(np.array([[2.0, 0.0], [-2.0, 0.0], [0.0, 1.0], [0.0, -1.0]]))
        >>> np.round(plane.point(1.0, 0.0), 6).tolist()
        [1.414214, 0.0]
    """
    centred = points - points.mean(axis=0)
    scales, directions = np.linalg.svd(centred, full_matrices=False)[1:]
    enough = len(scales) > 1 and scales[1] > 1e-12 * scales[0]
    spread = told(scales.tolist())
    require(enough, f"slice=PCA: the samples lie on a line (singular values {spread}); name others")
    axes = directions[:2] * scales[:2, None] / np.sqrt(len(points))
    largest = np.abs(axes).argmax(axis=1)
    axes *= np.sign(axes[np.arange(2), largest])[:, None]
    count = len(points)
    mean = [sum(rationals(column), fmpq(0)) / count for column in points.T]
    return Slice(
        tuple(mean), tuple(rationals(axes[0])), tuple(rationals(axes[1])), ("PC 1", "PC 2")
    )


def _independent(first: Sequence[fmpq], second: Sequence[fmpq]) -> bool:
    """Whether two rational vectors span a plane."""
    pivot = next((k for k, x in enumerate(first) if x != 0), None)
    if pivot is None:
        return False
    ratio = second[pivot] / first[pivot]
    return any(y != ratio * x for x, y in zip(first, second, strict=True))
