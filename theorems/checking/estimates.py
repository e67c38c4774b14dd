"""Confidence sequences for numbers of a law that are no means of a range: quantiles, variances,
distances from a given law, slopes, functions of several.

All of them are nested, and hold at every time at once at their level, as `BoundedMean` does.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from theorems.checking.confidence_intervals import fit_slope, quantile_interval
from theorems.checking.confidence_sequence import (
    AimedMean,
    BetweenEnds,
    BoundedMean,
    Estimator,
    error_level,
)
from theorems.checking.moments import CatoniMean, OneSidedMean, RelativeMean
from theorems.float_intervals import Interval

__all__ = [
    "Bracket",
    "EstimatedFunction",
    "KolmogorovDistance",
    "KurtosisMean",
    "LogSlope",
    "PairedVariance",
    "Quantile",
    "log_slope",
]

FloatArray = npt.NDArray[np.float64]

#: Distribution functions are computed to this.
_CDF = 1e-10


def _ends(values: npt.ArrayLike, up_to: npt.ArrayLike | None) -> tuple[FloatArray, FloatArray]:
    low = np.asarray(values, dtype=np.float64)
    return low, low if up_to is None else np.asarray(up_to, dtype=np.float64)


class Quantile(BetweenEnds):
    """A quantile of the law of independent observations, whatever that law: by order statistics.

    - ``share``: the probability below it, inside (0, 1)
    - ``level``: error probability, inside (0, 1)
    - ``lower``, ``upper``: a range that certainly holds the observations; infinite by default

    The k-th call of `update` spends level/(k(k + 1)) on an interval from all observations so far,
    which adds up to the level however many calls there are; how many observations a call brings
    must not depend on their values. Where several numbers are quantiles the interval holds all of
    them, and ties among observations make it no less certain. Raises ValueError for arguments
    outside these domains. Memory: the observations; cost: sorting them at each call. Source: David
    & Nagaraja, Order Statistics (2003), section 7.1.

    Example:
        >>> middle = Quantile(0.5, 1e-6)
        >>> middle.update(np.arange(1001.0))
        >>> middle.estimate, middle.interval
        (500.0, (420.0, 580.0))
    """

    def __init__(
        self, share: float, level: float, lower: float = -math.inf, upper: float = math.inf
    ) -> None:
        self.share = error_level("share", share)
        self.level = error_level("level", level)
        if not lower < upper:
            raise ValueError(f"lower, upper = {lower!r}, {upper!r}: want lower < upper")
        self.lower, self.upper = lower, upper
        self.interval = lower, upper
        self._low: FloatArray = np.empty(0)
        self._high: FloatArray = np.empty(0)
        self._looks = 0

    def update(self, values: npt.ArrayLike, up_to: npt.ArrayLike | None = None) -> None:
        """Take further observations.

        Args:
            values: shape (k,), any k ≥ 0, within [lower, upper].
            up_to: of that shape; an observation then lies between its value and that.

        Raises:
            ValueError: for one that is NaN or outside the range. None is taken then.

        Cost: sorting all observations so far; each call that brings any spends a part of the level.
        """
        low, high = _ends(values, up_to)
        inside = (low >= self.lower) & (low <= high) & (high <= self.upper)
        if not inside.all():
            raise ValueError(
                f"values has {float(low[~inside][0])!r} (one of {int((~inside).sum())}), not a "
                f"number in [{self.lower!r}, {self.upper!r}]; correct the range"
            )
        if not len(low):
            return
        self._low = np.concatenate((self._low, low))
        self._high = np.concatenate((self._high, high))
        self._looks += 1
        spent = self.level / (self._looks * (self._looks + 1))
        below, above = quantile_interval(self._low, self.share, spent, self._high)
        self.interval = max(self.interval[0], below), min(self.interval[1], above)

    @property
    def count(self) -> int:
        """Number of observations taken."""
        return len(self._low)

    @property
    def estimates(self) -> tuple[float, float]:
        """Between what the quantile of the observations lies; NaN before the first."""
        if not self.count:
            return math.nan, math.nan
        ends = (self._low, self._high)
        low, high = (float(np.quantile(end, self.share, method="inverted_cdf")) for end in ends)
        return low, high


class PairedVariance:
    """The variance of the law of independent observations: half the squared difference of two of
    them has that mean, exactly.

    - ``lower``, ``upper``: the range; where it is infinite, samples alone bound the variance from
      below, and from above with ``kurtosis``
    - ``level``: error probability, inside (0, 1)
    - ``reference``: near which it must be sharp; by default the first observations say where
    - ``kurtosis``: the most that E(x - E x)⁴/(variance)² is assumed to be, at least 1

    Observations are taken in pairs, in order. With a range half squares lie in
    [0, (upper - lower)²/2], and their mean is followed by `BoundedMean`; the variance is at most
    (upper - lower)²/4. To bound it from above takes some log(1/level) ranges² over the variance:
    observations as far apart as the range allows might have been missed. With a kurtosis k the
    second moment of half squares is at most (k + 3)/2 times that of their mean: `RelativeMean`.
    Raises ValueError for arguments outside these domains.

    Example:
        >>> spread = PairedVariance(0.0, 1.0, 1e-6, reference=0.1)
        >>> spread.update(np.random.default_rng(0).random(20_000))
        >>> low, high = spread.interval
        >>> low < 1 / 12 < high < 0.1
        True
        >>> normal = PairedVariance(-math.inf, math.inf, 1e-6, kurtosis=4.0)
        >>> normal.update(np.random.default_rng(0).standard_normal(20_000))
        >>> [round(end, 1) for end in normal.interval]
        [0.9, 1.1]
    """

    def __init__(
        self,
        lower: float,
        upper: float,
        level: float,
        reference: float | None = None,
        kurtosis: float | None = None,
    ) -> None:
        bounded = math.isfinite(upper - lower)
        top = (upper - lower) ** 2 / 2 if bounded else math.inf
        self.lower, self.upper = 0.0, top / 2
        self._range = lower, upper
        self._left: tuple[FloatArray, FloatArray] = np.empty(0), np.empty(0)
        self._mean: Estimator
        if bounded and reference is None:
            self._mean = AimedMean(0.0, top, level)
        elif bounded:
            self._mean = BoundedMean(0.0, top, level, reference)
        elif kurtosis is None:
            self._mean = OneSidedMean(0.0, math.inf, level, reference)
        else:
            self._mean = RelativeMean(level, (_kurtosis(kurtosis) + 3) / 2)
        self.count = 0

    def update(self, values: npt.ArrayLike, up_to: npt.ArrayLike | None = None) -> None:
        """Take further observations; one that is left over waits for the next call.

        Args:
            values: shape (k,), any k ≥ 0, within the range.
            up_to: of that shape; an observation then lies between its value and that.

        Raises:
            ValueError: for one that is NaN or outside the range. None is taken then.
        """
        given = _ends(values, up_to)
        low, high = (np.concatenate(parts) for parts in zip(self._left, given, strict=True))
        if not ((low >= self._range[0]) & (low <= high) & (high <= self._range[1])).all():
            raise ValueError(
                f"values has a number outside {list(self._range)}: the range claimed is wrong"
            )
        even = len(low) - len(low) % 2
        self._left = low[even:], high[even:]
        self.count += len(given[0])
        first, second = (Interval(low[k:even:2], high[k:even:2]) for k in (0, 1))
        apart = abs(first - second)
        halves = (apart * apart / 2.0).within(0.0, 2 * self.upper)
        self._mean.update(halves.low, halves.high)

    @property
    def interval(self) -> tuple[float, float]:
        """(low, high), nested as observations arrive."""
        low, high = self._mean.interval
        return low, min(high, self.upper)

    @property
    def estimates(self) -> tuple[float, float]:
        """Between what the mean of the half squares lies; NaN before the first."""
        return self._mean.estimates

    @property
    def estimate(self) -> float:
        """The mean of the half squares."""
        return self._mean.estimate

    @property
    def half_width(self) -> float:
        """Half the length of the interval, negative if that is empty; where it has no upper end,
        how far the estimate is from the lower one.
        """
        low, high = self.interval
        return (high - low) / 2 if math.isfinite(high) else self._mean.half_width


def _kurtosis(value: float) -> float:
    if not 1 <= value < math.inf:
        raise ValueError(f"kurtosis = {value!r}: no law has one below 1; pass a finite one")
    return value


class KurtosisMean(BetweenEnds):
    """The mean of a law without a range whose kurtosis is bounded: E(x - E x)⁴ ≤ k (variance)².

    - ``level``: error probability, inside (0, 1): half for the variance, half for the mean
    - ``kurtosis``: the bound k, at least 1

    No scale is assumed: `PairedVariance` bounds the variance, and with it `CatoniMean` the mean.
    Raises ValueError for arguments outside these domains.

    Example:
        >>> normal = KurtosisMean(1e-6, 4.0)
        >>> for _ in range(2):
        ...     normal.update(np.random.default_rng(0).standard_normal(20_000))
        >>> low, high = normal.interval
        >>> low < 0 < high, high - low < 0.2
        (True, True)
    """

    lower, upper = -math.inf, math.inf

    def __init__(self, level: float, kurtosis: float) -> None:
        half = error_level("level", level) / 2
        self._spread = PairedVariance(-math.inf, math.inf, half, kurtosis=kurtosis)
        self._mean = CatoniMean(half, lambda: self._spread.interval[1])

    def update(self, values: npt.ArrayLike, up_to: npt.ArrayLike | None = None) -> None:
        """Take further observations; for the mean, those of the first call that brings two only set
        the scale.

        Args:
            values: finite, shape (k,), in the unit of the mean.
            up_to: of that shape; an observation then lies between its value and that.

        Raises:
            ValueError: for a value that is NaN, or above its ``up_to``.

        Cost: some hundred sums over all observations so far.
        """
        self._spread.update(values, up_to)
        self._mean.update(values, up_to)

    @property
    def count(self) -> int:
        """Number of observations that the mean is taken over."""
        return self._mean.count

    @property
    def interval(self) -> tuple[float, float]:
        """(low, high), nested as observations arrive; empty where that of the variance is."""
        low, high = self._spread.interval
        return self._mean.interval if low <= high else (math.inf, -math.inf)

    @property
    def estimates(self) -> tuple[float, float]:
        """Between what the mean of the observations lies; NaN before the first that count."""
        return self._mean.estimates


class KolmogorovDistance(BetweenEnds):
    """The greatest difference between the distribution function of independent observations and a
    given continuous one.

    - ``distribution``: the given function, of an array of numbers
    - ``level``: error probability, inside (0, 1)

    The empirical distribution function of N observations is off by more than ε anywhere with
    probability at most 2 exp(-2Nε²), whatever the law, and the distance then by at most ε. The k-th
    call of `update` spends level/(k(k + 1)). Memory: the observations; cost: sorting them at each
    call. Source: Massart, Annals of Probability 18 (1990), the constant in the inequality of
    Dvoretzky, Kiefer and Wolfowitz.

    Example:
        >>> apart = KolmogorovDistance(lambda x: np.clip(x, 0.0, 1.0), 1e-6)
        >>> apart.update(np.random.default_rng(0).random(20_000) ** 2)   # √x - x is at most 1/4
        >>> low, high = apart.interval
        >>> low < 0.25 < high, high - low < 0.05
        (True, True)
    """

    lower, upper = 0.0, 1.0

    def __init__(self, distribution: Callable[[FloatArray], FloatArray], level: float) -> None:
        self.level = error_level("level", level)
        self._distribution = distribution
        self._low: FloatArray = np.empty(0)
        self._high: FloatArray = np.empty(0)
        self._looks = 0
        self.interval = 0.0, 1.0

    def update(self, values: npt.ArrayLike, up_to: npt.ArrayLike | None = None) -> None:
        """Take further observations, (k,); with ``up_to``, each lies between its value and that.

        Raises ValueError for one that is NaN.
        """
        low, high = _ends(values, up_to)
        if not (low <= high).all():
            raise ValueError("values has what is no number, or more than its up_to")
        if not len(low):
            return
        self._low = np.sort(np.concatenate((self._low, low)))
        self._high = np.sort(np.concatenate((self._high, high)))
        self._looks += 1
        spent = self.level / (self._looks * (self._looks + 1))
        off = math.sqrt(math.log(2 / spent) / (2 * self.count)) + _CDF
        least, most = self.estimates
        self.interval = max(self.interval[0], least - off), min(self.interval[1], most + off)

    @property
    def count(self) -> int:
        """Number of observations taken."""
        return len(self._low)

    @property
    def estimates(self) -> tuple[float, float]:
        """Between what the distance of the observations lies; NaN before the first."""
        if not self.count:
            return math.nan, math.nan
        after = np.arange(1, self.count + 1) / self.count
        before = np.arange(self.count) / self.count
        early, late = self._distribution(self._low), self._distribution(self._high)
        most = max(float((after - early).max()), float((late - before).max()))
        least = max(float((after - late).max()), float((early - before).max()), 0.0)
        return least, most


class LogSlope(BetweenEnds):
    """The least-squares slope of the logarithms of means against numbers, as along depth; or of
    quantiles.

    - ``abscissae``: (k,) numbers, two of them distinct at least
    - ``lower``, ``upper``: the range of the observations; of means without ``follow`` finite
    - ``level``: error probability, inside (0, 1), split over the means
    - ``share``: of quantiles, the probability below them, inside (0, 1)
    - ``follow``: of a place and a level, what follows the mean there; `AimedMean` by default

    An observation has k places, which may depend on one another. Each mean is followed by
    `AimedMean`, each quantile by `Quantile`; the slope lies where all of them in their intervals
    put it, and anywhere until each is certainly positive. Raises ValueError for fewer than two
    distinct numbers, and as `AimedMean`.

    Example:
        >>> decay = LogSlope([1, 2, 3], 0.0, 1.0, 1e-6)
        >>> for _ in range(2):
        ...     decay.update(np.tile([1 / 2, 1 / 4, 1 / 8], (50_000, 1)))
        >>> low, high = decay.interval
        >>> low < -math.log(2) < high, high - low < 0.02
        (True, True)
    """

    def __init__(
        self,
        abscissae: npt.ArrayLike,
        lower: float,
        upper: float,
        level: float,
        share: float | None = None,
        follow: Callable[[int, float], Estimator] | None = None,
    ) -> None:
        self._abscissae = np.asarray(abscissae, dtype=np.float64)
        if len(np.unique(self._abscissae)) < 2:
            raise ValueError(
                f"abscissae = {self._abscissae.tolist()}: want two distinct numbers or more"
            )
        part = error_level("level", level) / len(self._abscissae)

        def usual(place: int, part: float) -> Estimator:
            if share is not None:
                return Quantile(share, part, lower, upper)
            return AimedMean(lower, upper, part)

        self._means: list[Estimator] = [
            (follow or usual)(place, part) for place in range(len(self._abscissae))
        ]
        self.lower, self.upper = -math.inf, math.inf

    def update(self, values: npt.ArrayLike, up_to: npt.ArrayLike | None = None) -> None:
        """Take further observations.

        Args:
            values: shape (m, k), a column for each of the ``abscissae``.
            up_to: of that shape; an observation then lies between its value and that.

        Raises:
            ValueError: as what follows the mean of a column does.
        """
        low, high = _ends(values, up_to)
        for place, mean in enumerate(self._means):
            mean.update(low[:, place], high[:, place])

    @property
    def count(self) -> int:
        """Number of observations that the means are taken over."""
        return self._means[0].count

    def _between(self, ends: list[tuple[float, float]]) -> tuple[float, float]:
        if any(low > high for low, high in ends):
            return math.inf, -math.inf
        if not all(low > 0 for low, _ in ends):
            return self.lower, self.upper
        return fit_slope(self._abscissae, np.log(ends))

    @property
    def interval(self) -> tuple[float, float]:
        """(low, high), nested as observations arrive; infinite until every mean is positive."""
        return self._between([mean.interval for mean in self._means])

    @property
    def estimates(self) -> tuple[float, float]:
        """Between what the slope through the means of the observations lies; NaN before the
        first.
        """
        if not self.count:
            return math.nan, math.nan
        return self._between([mean.estimates for mean in self._means])

    @property
    def estimate(self) -> float:
        """The slope through the means of the observations; NaN where one is not positive."""
        low, high = self.estimates
        return (low + high) / 2 if math.isfinite(high - low) else math.nan


def log_slope(
    abscissae: npt.ArrayLike, observations: FloatArray, share: float | None = None
) -> float:
    """The slope through the logarithms of the means of observations, (m, k), or of the quantiles
    with this ``share`` below them.

    One that is not positive counts as the least number there is.
    """
    found = observations.mean(axis=0) if share is None else np.quantile(observations, share, axis=0)
    means = np.maximum(found, np.finfo(np.float64).tiny)
    return float(np.polyfit(np.asarray(abscissae, dtype=np.float64), np.log(means), 1)[0])


class Bracket(BetweenEnds):
    """What lies between several numbers: between the least and the greatest of them.

    - ``parts``: a confidence sequence for each, two at least, whose levels add up to that of this

    An observation has a place for each. As for a mean under any mixture of laws, given those under
    each.

    Example:
        >>> parts = [BoundedMean(0.0, 1.0, 1e-6), BoundedMean(0.0, 1.0, 1e-6)]
        >>> between = Bracket(parts)
        >>> between.update(np.tile([0.5, 0.75], (10_000, 1)))
        >>> low, high = between.interval
        >>> 0.4 < low < 0.5, 0.75 < high < 0.8, between.estimates
        (True, True, (0.5, 0.75))
    """

    def __init__(self, parts: Sequence[Estimator]) -> None:
        if len(parts) < 2:
            raise ValueError(f"parts has {len(parts)}: want two or more")
        self._parts = parts
        self.lower = min(part.lower for part in parts)
        self.upper = max(part.upper for part in parts)

    def update(self, values: npt.ArrayLike, up_to: npt.ArrayLike | None = None) -> None:
        """Take further observations.

        Args:
            values: shape (m, k), a column for each of the ``parts``.
            up_to: of that shape; an observation then lies between its value and that.

        Raises:
            ValueError: as the part of a column does.
        """
        low, high = _ends(values, up_to)
        for place, part in enumerate(self._parts):
            part.update(low[:, place], high[:, place])

    @property
    def count(self) -> int:
        """Number of observations that every part has taken."""
        return min(part.count for part in self._parts)

    @property
    def interval(self) -> tuple[float, float]:
        """(low, high), nested as observations arrive; empty, low > high, where a part's is."""
        ends = [part.interval for part in self._parts]
        if any(low > high for low, high in ends):
            return math.inf, -math.inf
        return min(low for low, _ in ends), max(high for _, high in ends)

    @property
    def estimates(self) -> tuple[float, float]:
        """The least and the greatest of the estimates; NaN before the first."""
        if not self.count:
            return math.nan, math.nan
        ends = [part.estimates for part in self._parts]
        return min(low for low, _ in ends), max(high for _, high in ends)


class EstimatedFunction(BetweenEnds):
    """A function of several numbers of a law, each of which has a confidence sequence.

    - ``function``: of what each part lies in, by name; it gives what the function lies in
    - ``parts``: the confidence sequences, by name; their levels add up to that of the function
    - ``support``: the least and the greatest that the function can be
    - ``columns``: the places of an observation that each part takes; one by default

    Observations have an axis more, their places, unless there is one.

    Example:
        >>> parts = {"a": BoundedMean(0.0, 1.0, 1e-6), "b": BoundedMean(0.0, 1.0, 1e-6)}
        >>> both = EstimatedFunction(lambda ends: ends["a"] - ends["b"], parts, (-1.0, 1.0))
        >>> both.update(np.tile([0.75, 0.25], (10_000, 1)))
        >>> both.estimate, 0 < both.interval[0] < 0.5 < both.interval[1]
        (0.5, True)
    """

    def __init__(
        self,
        function: Callable[[Mapping[str, Interval]], Interval],
        parts: Mapping[str, Estimator],
        support: tuple[float, float],
        columns: Sequence[Sequence[int]] = (),
    ) -> None:
        self._function, self._parts = function, parts
        self._columns = columns or [[place] for place in range(len(parts))]
        self.lower, self.upper = support

    def update(self, values: npt.ArrayLike, up_to: npt.ArrayLike | None = None) -> None:
        """Take further observations.

        Args:
            values: shape (k, places), of which each part takes its ``columns``; any further axes
                are run together, and of one place (k,) will do.
            up_to: of that shape; an observation then lies between its value and that.

        Raises:
            ValueError: as the parts do.
        """
        low, high = (
            end.reshape(len(end), math.prod(end.shape[1:])) for end in _ends(values, up_to)
        )
        for part, columns in zip(self._parts.values(), self._columns, strict=True):
            taken = columns if len(columns) > 1 else columns[0]
            part.update(low[:, taken], high[:, taken])

    @property
    def count(self) -> int:
        """Number of observations that every part has taken."""
        return min(part.count for part in self._parts.values())

    def _at(self, ends: Mapping[str, tuple[float, float]]) -> tuple[float, float]:
        """Between what it lies where its parts lie between these ends."""
        found = self._function({name: Interval(*pair) for name, pair in ends.items()})
        if found.undefined:
            return self.lower, self.upper
        inside = found.within(self.lower, self.upper)
        return float(inside.low), float(inside.high)

    @property
    def interval(self) -> tuple[float, float]:
        """(low, high), nested as observations arrive; empty, low > high, where a part's is."""
        ends = {name: part.interval for name, part in self._parts.items()}
        if any(low > high for low, high in ends.values()):
            return math.inf, -math.inf
        return self._at(ends)

    @property
    def estimates(self) -> tuple[float, float]:
        """Between what it lies by the estimates of its parts; NaN before the first."""
        if not self.count:
            return math.nan, math.nan
        return self._at({name: part.estimates for name, part in self._parts.items()})
