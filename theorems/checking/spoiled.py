"""What a sampled value is worth once rounding may have moved it: an interval, the whole range where it is spoiled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from simulators import Trajectory
from simulators.trajectory import SPOILED

__all__ = ["Known", "rounding_of", "told"]

Floats = npt.NDArray[np.floating[Any]]


class Known:
    """Values, ``(replicas,)`` or ``(replicas, readouts)``, with what is known of each: ``low`` ≤ it ≤ ``high``.

    An estimated rounding error moves both ends by its share of ``support``, the range of the values. Where it is
    too large for an estimate the value is ``spoiled``: it lies somewhere in the range, and no more is known. A
    value outside the range is left as it is, for others to refuse.
    """

    def __init__(self, values: Floats, rounding: Floats, support: tuple[float, float]) -> None:
        lower, upper = support
        off = rounding * (upper - lower)
        self.spoiled: npt.NDArray[np.bool_] = np.broadcast_to(rounding >= SPOILED, values.shape)
        self.low: Floats = np.where(values >= lower, np.maximum(values - off, lower), values)
        self.high: Floats = np.where(values <= upper, np.minimum(values + off, upper), values)
        self.low, self.high = (
            np.where(self.spoiled, lower, self.low),
            np.where(self.spoiled, upper, self.high),
        )

    @classmethod
    def at(
        cls,
        trajectory: Trajectory,
        values: Floats,
        support: tuple[float, float],
        last: Sequence[int] | None = None,
    ) -> Known:
        """For values read off ``trajectory``, each up to the layer of its readout in ``last``; of all by default.

        Values that are not one for each replica are taken to depend on all of them.
        """
        rounding = (
            trajectory.rounding[:, -1] if last is None else trajectory.rounding[:, list(last)]
        )
        if len(values) != len(rounding):
            rounding = np.broadcast_to(rounding.max(axis=0), (len(values), *rounding.shape[1:]))
        return cls(values, rounding if values.ndim == rounding.ndim else rounding[:, None], support)


def rounding_of(trajectory: Trajectory) -> float:
    """The largest rounding error at the last layer of what is not spoiled; 0 where all is."""
    errors = trajectory.rounding[:, -1]
    return float(errors.max(where=errors < SPOILED, initial=0.0))


def told(spoiled: int, samples: int) -> str:
    """The words in which evidence says that so many of its samples are spoiled; empty for none."""
    if not spoiled:
        return ""
    return (
        f"{spoiled} of {samples} samples spoiled by rounding, each counted as the worst it could be"
    )
