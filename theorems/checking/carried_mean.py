"""A mean bounded from below by other means as well, that are known not to exceed it.

Near the end of a wide range a mean is told slowly, whatever the method and however small the
variance: a value at the other end, of probability ε, may be missed by 1/ε samples, and moves the
mean by ε times the range. So to see that E X is at least some b takes log(1/level)/(E X − b)
samples in units of the range, at least. Where Z ≤ X on average, and Z has a narrower range, E Z may
be told sooner than E X is: see `theorems.checking.cosine_drift`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from theorems.checking.confidence_sequence import BetweenEnds, BoundedMean, finite_float

__all__ = ["CarriedMean"]

FloatArray = npt.NDArray[np.float64]

#: Stakes that are compared, as shares of the most that may be staked.
_STAKES = (1 - 2.0 ** -np.arange(1, 8))[:, None]
_NARROWEST = 1e-9
#: How many of the carried means are followed.
_FOLLOWED = 4


class CarriedMean(BetweenEnds):
    """A confidence sequence for E X, of observations of X and of Z_1 … Z_K with E Z_k ≤ E X.

    - ``lower``, ``upper``: the range of X
    - ``floors``: (K,), the least of each Z_k; none exceeds ``upper``
    - ``level``: error probability, in (0, 1): half of it for X, half of it for some of the Z_k
    - ``reference``: a number that E X is compared with, near which the interval must be sharp

    Which Z_k are looked at, four at most, the observations of the first call of `update` decide, of
    which they then take no other notice: those that would soonest show that E X exceeds the
    reference. X takes all.

    Observations have an axis more: X, then every Z_k.

    Example:
        >>> sequence = CarriedMean(0.0, 1.0, [0.9], 1e-6, reference=0.98)
        >>> for _ in range(2):
        ...     sequence.update(np.tile([0.99, 0.985], (1000, 1)))
        >>> sequence.count, sequence.interval[0] > 0.98, round(sequence.estimate, 6)
        (2000, True, 0.99)
    """

    def __init__(
        self,
        lower: float,
        upper: float,
        floors: Sequence[float],
        level: float,
        reference: float | None = None,
    ) -> None:
        self._plain = BoundedMean(lower, upper, level / 2, reference)
        self.lower, self.upper = self._plain.lower, self._plain.upper
        self._level, self._reference = level, self._plain.reference
        self._floors = np.array([finite_float("floors", floor) for floor in floors])
        self._aimed = False
        self._carried: dict[int, BoundedMean] = {}

    def update(self, values: npt.ArrayLike, up_to: npt.ArrayLike | None = None) -> None:
        """Take further observations, (k, 1 + K), or (k,) where K = 0; with ``up_to``, each lies
        between both.

        Raises ValueError for an X outside its range, and for a Z_k below its floor.
        """
        ends = (values, values if up_to is None else up_to)
        low, high = (np.asarray(end, dtype=np.float64) for end in ends)
        if not self._floors.size:
            low, high = low.reshape(len(low), 1), high.reshape(len(high), 1)
        self._plain.update(low[:, 0], high[:, 0])
        for place, carried in self._carried.items():
            carried.update(low[:, place + 1])
        if not self._aimed and self._reference is not None and len(low):
            self._aimed = True
            self._aim(low[:, 1:], self._reference)

    def _aim(self, carried: FloatArray, reference: float) -> None:
        """Choose those that grow fastest in the game of `BoundedMean` against the reference."""
        widths = self.upper - self._floors
        usable = np.flatnonzero((widths > _NARROWEST) & (self._floors < reference))
        if not usable.size:
            return
        shares = (carried[:, usable] - self._floors[usable]) / widths[usable]
        claimed = (reference - self._floors[usable]) / widths[usable]
        gains = shares / np.maximum(claimed, _NARROWEST) - 1
        growth = [np.log1p(stake * gains).mean(axis=0) for stake in _STAKES[:, 0]]
        order = np.argsort(-np.max(growth, axis=0), kind="stable")[:_FOLLOWED]
        for place in usable[order].tolist():
            floor, share = float(self._floors[place]), self._level / 2 / len(order)
            self._carried[place] = BoundedMean(floor, self.upper, share, reference)

    @property
    def count(self) -> int:
        """Number of observations of X."""
        return self._plain.count

    @property
    def interval(self) -> tuple[float, float]:
        """(low, high), nested as observations arrive; at first what the ranges say."""
        low, high = self._plain.interval
        carried = [each.interval[0] for each in self._carried.values()]
        return float(max([low, *self._floors, *carried])), high

    @property
    def estimate(self) -> float:
        """Mean of the observations of X; NaN before the first."""
        return self._plain.mean

    @property
    def estimates(self) -> tuple[float, float]:
        """Between what that mean lies."""
        return self._plain.means
