"""Whether gradients explode or vanish from place to place on their way back.

Two numbers are looked at: the factor of a least-squares line over all places, and the factor from
the last place to the first, as measured, which sees a jump at one of them. Gradients are steady as
long as both lie within a thousand, either way, or within what chance does where they neither grow
nor shrink in the mean. For that there are two measures, and the smaller counts:

- in a layer of ReLU of width d, log‖∂L/∂y‖² of one sample has a variance of about 5/d, by which
  layers add up (Hanin and Nica 2020); other layers fluctuate less, and convolutions much less,
  as do norms over many samples
- steps from place to place that differ among themselves by s add up to s√L over L of them

Each is passed with probability 5e-4, by a normal variable and by Student's, so that where gradients
are steady in the mean about one network in a thousand is told otherwise, if chance alone takes it
beyond a thousand.

Steps of time share their weights, whose gradient is the sum over the steps: what arrives at the
first is lost where it is no more than half a unit in the last place of that, 2⁻²⁴ in single
precision. Down to there gradients along time are steady.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy import stats

__all__ = [
    "DEVIATIONS",
    "FLAT",
    "LOST",
    "STEADY",
    "Course",
    "Growth",
    "by_chance",
    "course_of",
    "factor",
    "growth_of",
    "interval",
]

Floats = NDArray[np.float64]

STEADY = 1000.0
"""The factor over all places up to which gradients are steady, or one over it."""
DEVIATIONS = 3.48
"""Standard deviations that chance is allowed, of a normal variable passed with probability 5e-4
either way."""
LOST = 2.0**-24
"""The factor over all steps of time down to which gradients are steady."""
FLAT = 0.1
"""Of the largest slope, below which a unit is saturated."""
_LEVEL = 0.95
_ENOUGH = 8  # steps of which a deviation is taken


class Course(StrEnum):
    """What becomes of gradients on their way back."""

    STEADY = "steady"
    EXPLODING = "exploding"
    VANISHING = "vanishing"


@dataclass(frozen=True)
class Growth:
    """How gradients grow over a chain of places.

    ``rate`` is the factor a place on the way back, of least squares, ``low`` to ``high`` an
    interval at level 95 % of the mean ``over`` what is told, NaN where there is none; ``places``
    how many steps there are between the first and the last, and ``ends`` the factor from the last to
    the first.
    ``allowed`` is the factor within which they are steady.
    """

    rate: float
    low: float
    high: float
    over: str
    places: int
    ends: float
    allowed: float
    course: Course

    def sentence(self, unit: str) -> str:
        """In words, how gradients grow from one ``unit`` to another.

        >>> Growth(0.5, 0.4, 0.6, "8 draws", 10, 1e-3, 1e3,
        ...        Course.STEADY).sentence("step")
        'factor 0.5 a step on the way back (mean over 8 draws: 0.4 to 0.6), 0.001 over 10 steps'
        """
        if not math.isfinite(self.rate):
            return f"no growth, as no two {unit}s in a row have gradients"
        ends = f"{self.low:.3g} to {self.high:.3g}"
        spread = f" (mean over {self.over}: {ends})" if self.over else ""
        many = f"{self.places} {unit}{'s' if self.places > 1 else ''}"
        return (
            f"factor {self.rate:.3g} a {unit} on the way back{spread}, {self.ends:.2g} over {many}"
        )

    def as_json(self) -> dict[str, object]:
        """The fields."""
        return {**self.__dict__, "course": self.course.value}


def by_chance(widths: Iterable[float], logs: Floats) -> float:
    """log of the factor that chance alone makes over a chain, where there is no growth in the mean.

    Args:
        widths: of the places.
        logs: of the norms, place by place, (places,), finite; of few the widths alone decide.

    Example:
        >>> wavering = np.tile([0.0, 0.1], 20)
        >>> round(by_chance([5.0] * 40, wavering), 2), round(by_chance([5e6] * 40, wavering), 3)
        (2.41, 0.011)
    """
    bound = DEVIATIONS * math.sqrt(5 * math.fsum(1 / width for width in widths)) / 2
    steps = np.diff(logs)
    if len(steps) < _ENOUGH:
        return bound
    reach = float(stats.t.isf(stats.norm.sf(DEVIATIONS), len(steps) - 1))
    return min(bound, reach * float(steps.std(ddof=1)) * math.sqrt(len(steps)))


def course_of(
    fitted: float, ends: float, chance: float, fading: float = 0.0
) -> tuple[Course, float]:
    """What becomes of gradients, and the factor within which they are steady.

    Args:
        fitted: log of the factor over all places, of least squares; NaN if there is none.
        ends: log of that from the last place to the first, −∞ where none arrives; NaN likewise.
        chance: log of what chance alone makes of either.
        fading: log of the least factor by which they may shrink and are steady, up to its sign.

    Example:
        >>> course_of(7.0, 3.0, 4.0)[0], course_of(7.0, 3.0, 9.0)[0]
        (<Course.EXPLODING: 'exploding'>, <Course.STEADY: 'steady'>)
    """
    allowed = max(math.log(STEADY), chance)
    seen = [value for value in (fitted, ends) if not math.isnan(value)]
    largest = max(seen, key=abs, default=0.0)
    if -max(allowed, fading) <= largest <= allowed:
        return Course.STEADY, factor(allowed)
    return (Course.EXPLODING if largest > 0 else Course.VANISHING), factor(allowed)


def growth_of(logs: Floats, others: Sequence[Floats], width: int) -> Growth:
    """How gradients grow over a chain of places of one width, the first place first.

    Args:
        logs: log‖∂L/∂h‖, (places, draws), −∞ where no gradient came.
        others: the same of networks with other weights, a mean over the draws each, (places,).
        width: of each place.

    Example:
        >>> fading = np.log(0.5) * np.arange(30.0)[::-1, None]
        >>> found = growth_of(fading, [], 64)
        >>> round(found.rate, 6), found.places, found.course.value
        (0.5, 29, 'vanishing')
    """
    places = max(len(logs) - 1, 0)
    mean = logs.mean(axis=1)
    fitted = _slope(mean)
    rates = [_slope(column) for column in logs.T] if logs.shape[1] > 1 else []
    over = f"{logs.shape[1]} random output gradients"
    if others:
        rates = [fitted, *map(_slope, others)]
        over = f"{len(rates)} initialisations"
    low, high = interval(rates)
    ends = float(mean[0] - mean[-1]) if places else math.nan
    chance = by_chance([width] * (places + 1), mean[np.isfinite(mean)])
    course, allowed = course_of(fitted * places, ends, chance, -math.log(LOST))
    rate, low, high = (factor(value) for value in (fitted, low, high))
    known = over if math.isfinite(low) else ""
    return Growth(rate, low, high, known, places, _whole(ends), allowed, course)


def _slope(logs: Floats) -> float:
    """log g of least squares, of values along depth; what is not finite is left out."""
    where = np.arange(len(logs), dtype=np.float64)
    kept = np.isfinite(logs)
    if kept.sum() < 2:
        return math.nan
    return float(-np.polynomial.Polynomial.fit(where[kept], logs[kept], 1).convert().coef[1])


def _whole(log: float) -> float:
    """The factor, 0 of −∞."""
    return 0.0 if log == -math.inf else factor(log)


def factor(log: float) -> float:
    """Its exponential, ∞ beyond floats, NaN where there is none."""
    return float(np.exp(min(log, 709.0))) if math.isfinite(log) else math.nan


def interval(rates: Sequence[float]) -> tuple[float, float]:
    """Student's interval of the mean; NaN for fewer than two, or where one is not finite."""
    if len(rates) < 2 or not np.isfinite(rates).all():
        return math.nan, math.nan
    reach = stats.t.ppf((1 + _LEVEL) / 2, len(rates) - 1) * stats.sem(rates)
    return float(np.mean(rates) - reach), float(np.mean(rates) + reach)
