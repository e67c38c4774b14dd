"""Samples that are lost: spoiled by rounding, or without a value. What they are worth, and how they
are told.

A spoiled sample may be anything in its range, and counts as the worst for either side of a claim. A
sample that is seen without a value settles for certain that its mean has none either, and nothing
is claimed of such a mean.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simulators import Trajectory
from simulators.trajectory import SPOILED
from theorems.checking.check import Floats, SampledCheck
from theorems.context import Context
from theorems.evidence import Details, Evidence
from theorems.statement import Statement

__all__ = [
    "Known",
    "UndefinedMean",
    "rounding_of",
    "spoiled_words",
    "undefined_words",
    "without_value",
]


class Known:
    """Values, ``(replicas,)`` or ``(replicas, readouts)``, with what is known of each: ``low`` ≤ it
    ≤ ``high``.

    ``rounding``, of a shape that broadcasts to theirs, estimates their errors. It moves both ends
    by its share of ``support``, the least and the largest value there can be, or where that has no
    end by its share of the value, and of 1. Where it is too large
    for an estimate the value is ``spoiled``: it lies somewhere in the range, and no more is known.
    A value outside the range is left as it is, for others to refuse.

    Example:
        >>> known = Known(np.array([0.5, 0.2]), np.array([0.0, 1.0]), (0.0, 1.0))
        >>> known.low.tolist(), known.high.tolist(), known.spoiled.tolist()
        ([0.5, 0.0], [0.5, 1.0], [False, True])
    """

    def __init__(self, values: Floats, rounding: Floats, support: tuple[float, float]) -> None:
        lower, upper = support
        sizes = np.where(np.isfinite(values), np.abs(values), 0.0)
        off = rounding * (upper - lower if math.isfinite(upper - lower) else 1 + sizes)
        self.spoiled: npt.NDArray[np.bool_] = np.broadcast_to(rounding >= SPOILED, values.shape)
        low = np.where(values >= lower, np.maximum(values - off, lower), values)
        high = np.where(values <= upper, np.minimum(values + off, upper), values)
        self.low: Floats = np.where(self.spoiled, lower, low)
        self.high: Floats = np.where(self.spoiled, upper, high)

    @classmethod
    def between(cls, low: Floats, high: Floats, spoiled: npt.NDArray[np.bool_]) -> Known:
        """For values that are known to lie between others, or anywhere where they are ``spoiled``.

        - ``low``, ``high``: the ends, NaN where there is no value; ``spoiled``: of their shape, or
          of that without the last axis where several values make one sample
        """
        found = cls.__new__(cls)
        found.low, found.high, found.spoiled = low, high, spoiled
        return found

    @classmethod
    def beside(cls, parts: Sequence[Known]) -> Known:
        """Values that make one sample together, (replicas, readouts, places), of several that are
        known, ``(replicas, readouts)`` each or with places of their own: spoiled where one is.
        """

        def joined(ends: Iterable[Floats]) -> Floats:
            flat = [end.reshape(*end.shape[:2], -1) for end in ends]
            return np.concatenate(flat, axis=2)

        low, high = joined(part.low for part in parts), joined(part.high for part in parts)
        return cls.between(low, high, np.any([part.spoiled for part in parts], axis=0))

    @classmethod
    def at(
        cls,
        trajectory: Trajectory,
        values: Floats,
        support: tuple[float, float],
        last: Sequence[int] | None = None,
    ) -> Known:
        """For values read off ``trajectory``, each up to the layer of its readout in ``last``; of
        all by default.

        Values that are not one for each replica are taken to depend on all of them.
        """
        rounding = (
            trajectory.rounding[:, -1] if last is None else trajectory.rounding[:, list(last)]
        )
        if len(values) != len(rounding):
            rounding = np.broadcast_to(rounding.max(axis=0), (len(values), *rounding.shape[1:]))
        return cls(values, rounding if values.ndim == rounding.ndim else rounding[:, None], support)


def without_value(samples: Floats, axes: int = 1) -> npt.NDArray[np.bool_]:
    """Which samples are NaN, in one of their places where they have several.

    - ``axes``: of the samples; what axes follow are their places

    Example:
        >>> without_value(np.array([[0.0, np.nan], [1.0, 2.0]])).tolist()
        [True, False]
    """
    return np.asarray(np.isnan(samples).any(axis=tuple(range(axes, samples.ndim))))


def rounding_of(trajectory: Trajectory) -> float:
    """The largest rounding error at the last layer of what is not spoiled, in [0, 1]; 0 where all
    is.
    """
    errors = trajectory.rounding[:, -1]
    return float(errors.max(where=errors < SPOILED, initial=0.0))


def spoiled_words(spoiled: int, samples: int) -> str:
    """How evidence says that so many of its samples are spoiled; empty for none.

    Example:
        >>> spoiled_words(2, 10)
        '2 of 10 samples spoiled by rounding, each counted as the worst it could be'
    """
    if not spoiled:
        return ""
    return (
        f"{spoiled} of {samples} samples spoiled by rounding, each counted as the worst it could be"
    )


def undefined_words(missing: int, count: int, where: str, noun: str = "mean") -> str:
    """How evidence says that so many samples have no value there, and how to condition the mean, or
    what ``noun`` says it is.

    Example:
        >>> undefined_words(3, 12, "n=2")[:34]
        'undefined in 3 of 12 samples (25.0'
    """
    seen = f"undefined in {missing} of {count} samples ({missing / count:.1%}) at {where}"
    return f"{seen}: {_no_value(noun)}"


def _no_value(noun: str) -> str:
    return (
        f"such a {noun} has no value; condition it on what keeps it defined, as assume='alive' "
        "does where samples die"
    )


@dataclass(frozen=True, kw_only=True)
class UndefinedSamples(Details):
    """How many of the ``samples`` drawn at an instance had no value."""

    seed: int
    undefined: int
    samples: int
    instance: str


@dataclass(frozen=True)
class UndefinedMean(SampledCheck):
    """The check of a claim about a mean, or what ``noun`` says it is, of which ``missing`` of
    ``count`` samples at ``where`` have no value; of no samples, where a sample dies, which is what
    happens with positive probability, and ``where`` says what then has none.
    """

    missing: int
    count: int
    where: str
    noun: str = "mean"

    @property
    def _told(self) -> str:
        if not self.count:
            seen = (
                f"{self.where}, which is 0 with positive probability, as samples die at any width"
            )
            return f"{seen}: {_no_value(self.noun)}"
        return undefined_words(self.missing, self.count, self.where, self.noun)

    def words(self, statement: Statement) -> str:
        return f"nothing: {self._told}"

    def __call__(self, statement: Statement, context: Context) -> Evidence:
        seen = UndefinedSamples(
            seed=context.seed, undefined=self.missing, samples=self.count, instance=self.where
        )
        return self.outside(self._told, seen)
