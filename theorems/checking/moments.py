"""Means of what has no range: what can be said of them from samples alone, and what a bound on a
moment adds.

Without a range a value too rare to be seen may carry any part of a mean, so that samples alone
bound it on no side (Bahadur & Savage, Annals of Mathematical Statistics 27, 1956). A floor bounds
it from below, for rare values can then only raise it: `OneSidedMean`. An assumed bound on the
variance bounds it on both sides, whatever else the law may be, by the influence function

    φ(x) = log(1 + x + x²/2) for x ≥ 0, -φ(-x) for x < 0,      E exp φ(λ(X - μ)) ≤ 1 + λ² Var X / 2

(Catoni, Annales de l'IHP 48, 2012): exp Σ φ(λ(X_i - μ)) / (1 + λ²v/2)^t is a supermartingale, so
that the sum exceeds t log(1 + λ²v/2) + log(1/β) at some t with probability at most β, by Ville's
inequality (Wang & Ramdas, Stochastic Processes and their Applications 163, 2023). As the sum falls
in μ, what is not excluded is an interval. A share of the level goes to each of a fixed list of λ.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import numpy as np
import numpy.typing as npt

from theorems.checking.confidence_sequence import (
    BLOCK,
    BetweenEnds,
    LowerBound,
    error_level,
    finite_float,
)

__all__ = ["CatoniMean", "OneSidedMean", "RelativeMean"]

FloatArray = npt.NDArray[np.float64]

_EPS = float(np.finfo(np.float64).eps)
#: Bets in units of the mean aimed at: powers of two.
_BETS = np.exp2(np.arange(-14.0, 5.0))
#: Values beyond so many of these units count as that: a mean is only lowered by it.
_LARGEST = 2.0**30
#: Numbers of observations at which one of the list of λ is sharpest.
_SHARP = np.exp2(np.arange(5.0, 19.0))
#: So many λ are looked at, those that are sharpest nearest the number of observations.
_LOOKED_AT = 3
_HALVINGS, _DOUBLINGS = 26, 60
#: From here on φ(x) is 2 log x - log 2, to all digits.
_FAR = 1e100
_LARGEST_QUOTIENT = 1e300


class _Kept:
    """Observations that are kept, each known to lie between two values."""

    def __init__(self) -> None:
        self.low: FloatArray = np.empty(0)
        self.high: FloatArray = np.empty(0)

    def take(self, values: npt.ArrayLike, up_to: npt.ArrayLike | None, least: float) -> None:
        """Take further observations; ValueError for NaN, and for one below ``least``."""
        low = np.asarray(values, dtype=np.float64)
        high = low if up_to is None else np.asarray(up_to, dtype=np.float64)
        if low.shape != high.shape or low.ndim != 1 or not ((least <= low) & (low <= high)).all():
            raise ValueError(
                f"values, up_to have shapes {low.shape}, {high.shape}: pass (k,) of numbers of at "
                f"least {least!r}, values <= up_to"
            )
        self.low = np.concatenate((self.low, low))
        self.high = np.concatenate((self.high, high))

    @property
    def means(self) -> tuple[float, float]:
        """Between what the mean of those that are known lies; NaN where none is."""
        known = np.isfinite(self.low) & np.isfinite(self.high)
        if not known.any():
            return math.nan, math.nan
        return float(self.low[known].mean()), float(self.high[known].mean())


class OneSidedMean(BetweenEnds):
    """The mean of observations of which one end of the range is known: a bound on that side.

    - ``lower``, ``upper``: the ends, of which just one is finite
    - ``level``: error probability, inside (0, 1)
    - ``reference``: near which the bound must be sharp; by default, and where it is beyond the
      range, the first call of `update` that brings any says where, and its observations are left
      out

    Scaled to Y ≥ 0, capital ∏ (1 + θY)/(1 + θm) is a supermartingale where E Y ≤ m, for any θ > 0
    and whatever the law, as in `BoundedMean`: no moment needs to be finite, and where the mean is
    infinite the bound grows for ever. The other end stays infinite. Raises ValueError for arguments
    outside these domains.

    Example:
        >>> heavy = OneSidedMean(0.0, float("inf"), 1e-6, reference=1.0)
        >>> heavy.update(np.random.default_rng(0).pareto(1.5, 20_000))   # of mean 2
        >>> low, high = heavy.interval
        >>> 1.5 < low < 2, high
        (True, inf)
    """

    def __init__(
        self, lower: float, upper: float, level: float, reference: float | None = None
    ) -> None:
        self.lower, self.upper = float(lower), float(upper)
        self._sign = 1.0 if math.isfinite(self.lower) else -1.0
        self._floor = self.lower if self._sign > 0 else self.upper
        ends = [math.isfinite(end) for end in (self.lower, self.upper)]
        if not self.lower < self.upper or ends.count(True) != 1:
            raise ValueError(f"lower, upper = {lower!r}, {upper!r}: want one infinite end")
        self.level = error_level("level", level)
        unit = math.nan if reference is None else self._sign * (float(reference) - self._floor)
        self._unit = unit if 0 < unit < math.inf else math.nan
        self._bound = LowerBound(_BETS, -math.log(self.level))
        self._known = _Kept()
        self.count = 0

    def update(self, values: npt.ArrayLike, up_to: npt.ArrayLike | None = None) -> None:
        """Take further observations, (k,); with ``up_to``, each lies between its value and that.

        Raises ValueError for one that is NaN or outside the range.
        """
        given = np.asarray(values, dtype=np.float64)
        ends = (given, given if up_to is None else np.asarray(up_to, dtype=np.float64))
        near = ends[0] if self._sign > 0 else ends[1]
        excess = self._sign * (near - self._floor)
        if not (excess >= 0).all():
            raise ValueError(
                f"values has a number outside [{self.lower!r}, {self.upper!r}]: the range claimed "
                "is wrong"
            )
        if math.isnan(self._unit):
            known = excess[np.isfinite(excess)]
            if known.size and known.mean() > 0:
                self._unit = float(known.mean())
            return
        self._known.take(*ends, -math.inf)
        scaled = np.minimum(excess / self._unit, _LARGEST)
        for first in range(0, len(scaled), BLOCK):
            block = scaled[first : first + BLOCK]
            self.count += len(block)
            self._bound.extend(block, np.array([0]), np.array([float(self.count)]))

    @property
    def interval(self) -> tuple[float, float]:
        """(low, high), nested as observations arrive; one of them infinite."""
        rise = self._unit * self._bound.bound if self._bound.bound else 0.0
        safe = rise - 4 * _EPS * (abs(self._floor) + rise) if rise else 0.0
        end = self._floor + self._sign * max(safe, 0.0)
        return (end, math.inf) if self._sign > 0 else (-math.inf, end)

    @property
    def estimates(self) -> tuple[float, float]:
        """Between what the mean of the observations lies; NaN before the first that count."""
        return self._known.means

    @property
    def half_width(self) -> float:
        """How far the estimate is from the finite end; infinite before the first observation."""
        low, high = self.interval
        apart = self.estimate - low if self._sign > 0 else high - self.estimate
        return math.inf if math.isnan(apart) else apart


def influence(x: FloatArray) -> FloatArray:
    """Catoni's φ, odd and rising: as x near 0, as 2 log x far out; infinite where x is.

    Example:
        >>> influence(np.array([-1.0, 0.0, 1e-9])).round(10).tolist()
        [-0.9162907319, 0.0, 1e-09]
    """
    size = np.abs(x)
    near = np.minimum(size, _FAR)
    with np.errstate(divide="ignore"):
        found = np.where(
            size < _FAR, np.log1p(near + near * near / 2), 2 * np.log(size) - math.log(2)
        )
    return np.asarray(np.copysign(found, x))


def _exceeds(terms: FloatArray, most: float) -> bool:
    """Whether the sum is at least ``most``, whatever rounding did to it."""
    total = float(terms.sum())
    slack = 0.0
    if math.isfinite(total):
        slack = (len(terms) + 16) * _EPS * (float(np.abs(terms).sum()) + abs(most))
    return total >= most + slack


def _farthest(holds: Callable[[float], bool], good: float, bad: float) -> float:
    """A number up to which what holds at ``good`` still holds, near where it stops to."""
    for _ in range(_HALVINGS):
        middle = good + (bad - good) / 2
        good, bad = (middle, bad) if holds(middle) else (good, middle)
    return good


def _end(
    excluded: Callable[[float], bool], middle: float, step: float, direction: float
) -> float | None:
    """How far from ``middle`` numbers stop to be excluded that are farther in one direction; None
    where none was found that is.

    - ``excluded``: whether a number is; those farther out then are too
    """
    near, far = middle, middle + direction * step
    for _ in range(_DOUBLINGS):
        if not math.isfinite(far):
            return None
        if excluded(far):
            return _farthest(excluded, far, near)
        near, far = far, far + direction * (abs(far - middle))
    return None


class _MeanOfKept(BetweenEnds):
    """What a confidence sequence tells of the observations that it has kept."""

    def __init__(self, level: float, floor: float) -> None:
        self.level = error_level("level", level)
        self._price = math.log(2 * len(_SHARP) / self.level)
        self._kept = _Kept()
        self.interval = floor, math.inf

    @property
    def count(self) -> int:
        """Number of observations that the mean is taken over."""
        return len(self._kept.low)

    @property
    def estimates(self) -> tuple[float, float]:
        """Between what the mean of the observations lies; NaN before the first that count."""
        return self._kept.means


class CatoniMean(_MeanOfKept):
    """The mean of observations whose variance is at most a given number, whatever their law.

    - ``level``: error probability, inside (0, 1), half of it on each side
    - ``variance``: the bound; or a function without arguments that gives one, which may fall as
      observations arrive, and whose own errors are no part of the level
    - ``spread``: a standard deviation for which it must be sharp, which has no part in what is
      certain; by default that of the first call of `update` that brings two, whose observations
      are left out

    Half the length is about √(2 log(2J/level) (Var X + v)/(2 count)) with J = 14 numbers λ. Memory:
    the observations; cost: some hundred sums over them at each call. Raises ValueError for
    arguments outside these domains.

    Example:
        >>> heavy = CatoniMean(1e-6, variance=3.0)
        >>> for _ in range(2):
        ...     heavy.update(np.random.default_rng(0).standard_t(3, 20_000))
        >>> low, high = heavy.interval
        >>> low < 0 < high, high - low < 0.2
        (True, True)
    """

    lower, upper = -math.inf, math.inf

    def __init__(
        self,
        level: float,
        variance: float | Callable[[], float],
        spread: float | None = None,
    ) -> None:
        super().__init__(level, -math.inf)
        if not callable(variance) and not 0 < variance < math.inf:
            raise ValueError(f"variance = {variance!r}: want a positive finite number")
        self._variance = variance
        self._spread = None if spread is None else finite_float("spread", spread)

    def update(self, values: npt.ArrayLike, up_to: npt.ArrayLike | None = None) -> None:
        """Take further observations, (k,); with ``up_to``, each lies between its value and that.

        Raises ValueError for one that is NaN.
        """
        if self._spread is None:
            known = np.asarray(values, dtype=np.float64)
            known = known[np.isfinite(known)]
            if len(known) > 1 and (spread := float(known.std())) > 0:
                self._spread = spread
            return
        self._kept.take(values, up_to, -math.inf)
        bound = self._variance() if callable(self._variance) else self._variance
        if self.count and math.isfinite(bound):
            self._look(bound)

    def _look(self, variance: float) -> None:
        scales = np.sqrt(2 * self._price / _SHARP) / (self._spread or 1.0)
        for scale in _nearest(scales, self.count):
            growth = math.log1p(scale * scale * variance / 2)
            most = (self.count * growth + self._price) * (1 + 64 * _EPS)
            step = most / (scale * self.count)
            middle = self.estimate
            if math.isnan(middle):
                return

            def too_low(m: float, scale: float = scale, most: float = most) -> bool:
                return _exceeds(influence(scale * (self._kept.low - m)), most)

            def too_high(m: float, scale: float = scale, most: float = most) -> bool:
                return _exceeds(-influence(scale * (self._kept.high - m)), most)

            self.interval = _narrowed(
                self.interval,
                _end(too_low, middle, step, -1.0),
                _end(too_high, middle, step, 1.0),
            )


class RelativeMean(_MeanOfKept):
    """The mean of observations X ≥ 0 with E X² ≤ ``ratio``·(E X)², whatever their law.

    - ``level``: error probability, inside (0, 1), half of it on each side
    - ``ratio``: above 1

    What is excluded as a mean m is by the sum of φ(θ(X/m - 1)), of which the second moment is at
    most ``ratio`` - 1 at the true mean: no scale is assumed. Half the length, relative to the mean,
    is about √(2 log(2J/level) (ratio - 1)/count). Memory and cost as of `CatoniMean`. Raises
    ValueError for arguments outside these domains.

    Example:
        >>> squares = RelativeMean(1e-6, ratio=3.0)
        >>> squares.update(np.random.default_rng(0).standard_normal(20_000) ** 2)
        >>> low, high = squares.interval
        >>> low < 1 < high, high - low < 0.2
        (True, True)
    """

    lower, upper = 0.0, math.inf

    def __init__(self, level: float, ratio: float) -> None:
        super().__init__(level, 0.0)
        if not 1 < ratio < math.inf:
            raise ValueError(f"ratio = {ratio!r}: want a finite number above 1")
        self._ratio = ratio

    def update(self, values: npt.ArrayLike, up_to: npt.ArrayLike | None = None) -> None:
        """Take further observations, (k,); with ``up_to``, each lies between its value and that.

        Raises ValueError for one that is NaN or negative.
        """
        self._kept.take(values, up_to, 0.0)
        middle = self.estimate
        if not 0 < middle < math.inf:
            return
        scales = np.sqrt(2 * self._price / (_SHARP * (self._ratio - 1)))
        for scale in _nearest(scales, self.count):
            growth = math.log1p(scale * scale * (self._ratio - 1) / 2)
            most = (self.count * growth + self._price) * (1 + 64 * _EPS)
            step = middle * most / (scale * self.count)

            def too_low(m: float, scale: float = scale, most: float = most) -> bool:
                return m <= 0 or _exceeds(
                    influence(scale * (_quotients(self._kept.low, m) - 1)), most
                )

            def too_high(m: float, scale: float = scale, most: float = most) -> bool:
                with np.errstate(over="ignore"):
                    return _exceeds(-influence(scale * (self._kept.high / m - 1)), most)

            self.interval = _narrowed(
                self.interval,
                _end(too_low, middle, step, -1.0),
                _end(too_high, middle, step, 1.0),
            )


def _quotients(values: FloatArray, m: float) -> FloatArray:
    """Their quotients by m > 0, or less where floats do not reach so far."""
    with np.errstate(over="ignore"):
        return np.minimum(values / m, _LARGEST_QUOTIENT)


def _nearest(scales: FloatArray, count: int) -> Iterable[float]:
    """Those of a list of λ that are sharpest near so many observations."""
    order = np.argsort(np.abs(np.log(_SHARP) - math.log(count)), kind="stable")
    return (float(scales[place]) for place in order[:_LOOKED_AT])


def _narrowed(
    interval: tuple[float, float], low: float | None, high: float | None
) -> tuple[float, float]:
    return (
        interval[0] if low is None else max(interval[0], low),
        interval[1] if high is None else min(interval[1], high),
    )
