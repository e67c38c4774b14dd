"""Affine maps of a plane, one for each region: floats with a bound on their error.

In every region each feature of a piecewise affine network is c₀ + c_u u + c_v v. The floats
that stand for the three coefficients differ from those of the exact network; what is kept of the
difference is one number, a bound on |difference of the two affine functions| over the whole
polygon that is looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from flint import fmpq
from numpy.typing import NDArray

from simulators.splines.rationals import nearest

__all__ = ["TINY", "ULP", "AffineMaps", "maps_of"]

ULP = 2.0**-52
"""Twice the largest relative error of one rounding: room for the rounding of the bounds."""
TINY = 1e-290
"""Above what products that underflow lose, in each of the three coefficients."""


@dataclass(frozen=True, eq=False)
class AffineMaps:
    """Affine functions of (u, v) for n features and R regions.

    - ``values`` (n, 3, R): coefficients c₀, c_u, c_v
    - ``errors`` (n, R): bounds over the box |u| ≤ ``extent[1]``, |v| ≤ ``extent[2]``; 0 only where
      a map is 0, exactly, and not where it has underflowed
    - ``extent`` (3,): 1 and the two half-sides
    - ``multiple_of`` (n, R): the number of an earlier unit, counted over all layers, of which a
      feature is an exact multiple there, so that it is zero where that is; −1 where none is known.
      None where nothing is

    Example:
        >>> maps = maps_of([[fmpq(1)], [fmpq(2)], [fmpq(0)]], np.array([1.0, 3.0, 3.0]))
        >>> maps.values[:, :, 0].tolist(), maps.magnitudes().tolist()
        ([[1.0, 2.0, 0.0]], [[7.0]])
    """

    values: NDArray[np.float64]
    errors: NDArray[np.float64]
    extent: NDArray[np.float64]
    multiple_of: NDArray[np.int32] | None = None

    @property
    def lost(self) -> float:
        """A bound on what products that underflow lose over the box."""
        return TINY * float(self.extent.sum())

    def magnitudes(self) -> NDArray[np.float64]:
        """Bounds on |c₀| + |c_u u| + |c_v v| over the box, of shape (n, R)."""
        return np.asarray(np.einsum("nkr,k->nr", np.abs(self.values), self.extent))

    def take(self, regions: NDArray[np.intp]) -> AffineMaps:
        """The maps of these regions, in this order; a region may come more than once.

        Args:
            regions: their numbers, in [0, R).
        """
        values = np.empty((*self.values.shape[:2], len(regions)))
        for k, each in enumerate(self.values):  # one at a time: all may be far beyond caches
            np.take(each, regions, axis=1, out=values[k])
        known = None if self.multiple_of is None else self.multiple_of[:, regions]
        return AffineMaps(values, self.errors[:, regions], self.extent, known)

    def room(self, regions: int) -> AffineMaps:
        """Maps of the same features on so many regions, to be written by `put`.

        Args:
            regions: R, of all that will be put.
        """
        known = self.multiple_of
        return AffineMaps(
            np.empty((*self.values.shape[:2], regions)),
            np.empty((len(self.errors), regions)),
            self.extent,
            None if known is None else np.empty((len(known), regions), dtype=known.dtype),
        )

    def put(self, part: AffineMaps, first: int) -> None:
        """Write maps of some regions in the places from ``first``.

        Args:
            part: of the same features.
            first: from 0.
        """
        places = slice(first, first + part.errors.shape[1])
        self.values[:, :, places] = part.values
        self.errors[:, places] = part.errors
        if self.multiple_of is not None and part.multiple_of is not None:
            self.multiple_of[:, places] = part.multiple_of

    def vanish(self) -> NDArray[np.bool_]:
        """Where a map is known to be 0, exactly; of shape (n, R)."""
        return np.asarray((self.errors == 0) & ~self.values.any(axis=1))


def maps_of(columns: Sequence[Sequence[fmpq]], extent: NDArray[np.float64]) -> AffineMaps:
    """The maps of a single region with exact coefficients, given as three columns of n rationals.

    Example:
        >>> maps_of([[fmpq(1, 3)], [fmpq(0)], [fmpq(0)]], np.ones(3)).errors.item() < 1e-15
        True
    """
    values = np.stack([nearest(column) for column in columns], axis=1)[:, :, None]
    present = [any(x != 0 for x in row) for row in zip(*columns, strict=True)]
    exact = AffineMaps(values, np.zeros((len(values), 1)), extent)
    errors = ULP * exact.magnitudes() + exact.lost * np.array(present)[:, None]
    return AffineMaps(values, errors, extent)
