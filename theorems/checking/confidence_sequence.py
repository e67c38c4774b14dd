"""Anytime-valid intervals for the mean of bounded observations, by betting.

Scale the observations to Y in [0, 1] and fix scales θ_1, ..., θ_J > 0. If E[Y_i | past] <= m, then

    K_t(θ, m) = ∏_{i<=t} (1 + θ Y_i) / (1 + θ m)

is a non-negative supermartingale started at 1: the capital of a gambler who stakes the fraction λ =
θ / (1 + θ m) < 1 / m on "the mean exceeds m" in each round, K_t = ∏ (1 + λ (Y_i - m)), the capital
process of Waudby-Smith & Ramdas, "Estimating means of bounded random variables by betting", JRSS B
86 (2024), section 4. By Ville's inequality K_t(θ_j, m) reaches J/β for some t and j with
probability at most β. Solved for m, in closed form, this gives a lower bound that holds at all t at
once, with probability 1 - β:

    m_t = max_j max_{s<=t}  expm1((Σ_{i<=s} log1p(θ_j Y_i) - log(J/β)) / s) / θ_j.

The upper bound is the lower bound for 1 - Y. Three consequences of holding θ rather than λ fixed:
- λ depends on m but not on the data: the bets are trivially predictable, the capital cannot go
  negative for any m, and it decreases in m, so that what is not rejected is exactly a half-line.
  There is no root to find.
- J sums are the whole state: no observation is kept.
- λ up to 1/m is allowed, so a mean tiny beside the range is bounded sharply from below.

Spacing θ by factors of two leaves the best of them within 6 % of the ideal bet; the price is log J
in place of a plug-in estimate's log t. Being a maximum over θ, the bound adapts to the variance by
itself.
"""

import math
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

__all__ = [
    "AimedMean",
    "BetweenEnds",
    "BoundedMean",
    "Decision",
    "Estimator",
    "LowerBound",
    "decide_at_least",
    "decide_at_most",
    "decide_equal",
    "equal_within",
    "error_level",
    "finite_float",
]

FloatArray = npt.NDArray[np.float64]

BLOCK = 8192  # observations handled at a time; with some 25 scales the work array stays in cache
_LEADING_BITS = 8
_SMALLEST_EXPONENT = (
    -14
)  # θ = 2^-14 is the best bet for some 1e10 observations of standard deviation 1/2
_HEADROOM = (
    4  # the largest stake on a candidate m at the reference is 16/17 or more of the admissible 1/m
)
_UNAIMED = 2.0**-6  # without a reference: full stakes for means down to 1/64 of the range
_NEAREST = (
    2.0**-30
)  # a reference closer to the edge, relative to the range, is treated as this close
_EPS = float(np.finfo(np.float64).eps)  # twice the unit roundoff


def finite_float(name: str, value: float) -> float:
    """`value` as a float; ValueError naming the argument unless it is a finite real number.

    Args:
        name: what a refusal calls it.
        value: whatever ``float`` takes.

    Example:
        >>> finite_float("bound", "wide")
        Traceback (most recent call last):
        ValueError: bound = 'wide' is not a finite real number; pass one
    """
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"{name} = {value!r} is not a finite real number; pass one")
    return number


def error_level(name: str, value: float) -> float:
    """`value` as a float; ValueError naming the argument unless it lies inside (0, 1).

    Args:
        name: what a refusal calls it.
        value: whatever ``float`` takes.

    Example:
        >>> error_level("level", 2)
        Traceback (most recent call last):
        ValueError: level = 2 is outside (0, 1); pass an error probability such as 1e-8
    """
    number = finite_float(name, value)
    if not 0.0 < number < 1.0:
        raise ValueError(
            f"{name} = {value!r} is outside (0, 1); pass an error probability such as 1e-8"
        )
    return number


def _scales(distance: float) -> FloatArray:
    """Powers of two, for a bound that must be sharp for means down to `distance` from the edge."""
    top = _HEADROOM + math.ceil(-math.log2(max(distance, _NEAREST)))
    return np.exp2(np.arange(_SMALLEST_EXPONENT, top + 1, dtype=np.float64))


class Estimator(Protocol):
    """A confidence sequence for a number of the law of observations: its mean, or another.

    The probability that ``interval`` ever excludes the number is at most the level it was made
    with, however and whenever the caller decides to stop.

    - ``lower``, ``upper``: the least and the greatest that the number can be
    - ``update(values, up_to)``: takes observations, of which each lies between its ``values`` and
      its ``up_to``, by default equal
    - ``count``: of the observations taken
    - ``interval``: (low, high), nested as observations arrive; empty, low > high, when something as
      improbable as the level happened; ``half_width``: half its length
    - ``estimate``: the number for the observations taken, NaN before the first; ``estimates``:
      between what it lies, where observations are known only between two values
    """

    lower: float
    upper: float

    def update(self, values: npt.ArrayLike, up_to: npt.ArrayLike | None = None) -> None: ...

    @property
    def count(self) -> int: ...

    @property
    def interval(self) -> tuple[float, float]: ...

    @property
    def half_width(self) -> float: ...

    @property
    def estimate(self) -> float: ...

    @property
    def estimates(self) -> tuple[float, float]: ...


class _Sequence(Protocol):
    """What has both ends of an interval, and of what it estimates."""

    @property
    def interval(self) -> tuple[float, float]: ...

    @property
    def estimates(self) -> tuple[float, float]: ...


class BetweenEnds:
    """What follows of an `Estimator` from its ``interval`` and its ``estimates``.

    Example:
        >>> class Settled(BetweenEnds):
        ...     interval, estimates = (1.0, 4.0), (2.0, 2.5)
        >>> Settled().half_width, Settled().estimate
        (1.5, 2.25)
    """

    @property
    def half_width(self: _Sequence) -> float:
        """Half the length of ``interval``, in the unit of the number that is followed.

        Negative where that is empty, low > high; infinite until it has both ends.
        """
        low, high = self.interval
        return (high - low) / 2

    @property
    def estimate(self: _Sequence) -> float:
        """The number for the observations taken, NaN before the first.

        Where observations are known only between two values, the middle of what it may be.
        """
        low, high = self.estimates
        return low if low == high else (low + high) / 2


class LowerBound:
    """Lower confidence bound for the mean of observations Y ≥ 0, in units in which θ ≤ ``scales``
    are bets: of the range where they lie in [0, 1]. With θ·Y up to 2^34 rounding is inside it.

    Example:
        >>> bound = LowerBound(np.exp2(np.arange(-10.0, 5.0)), math.log(1e6))
        >>> bound.extend(np.full(1000, 0.5), np.array([0]), np.array([1000.0]))
        >>> 0.4 < bound.bound < 0.5
        True
    """

    def __init__(self, scales: FloatArray, target: float) -> None:
        """`target` is log(1/level): the log-capital that a single scale would have to reach."""
        self.scales = scales
        # The factor covers the rounding of the logarithms, and observations that underflow.
        self.cost = (math.log(len(scales)) + target) * (1 + 1e-12)
        self.log_growth: FloatArray = np.zeros(len(scales))
        self.blocks = 0
        self.bound = 0.0

    def extend(self, block: FloatArray, starts: npt.NDArray[np.intp], counts: FloatArray) -> None:
        """Take further scaled observations.

        Args:
            block: at most `BLOCK` of them, (k,), at least 0.
            starts: where sums begin, (m,): 0, and the place after each checkpoint but one at the
                end.
            counts: how many observations there are at each checkpoint, (m,) or (m - 1,).
        """
        logs = np.multiply.outer(self.scales, block)
        np.log1p(logs, out=logs)
        totals = np.add.reduceat(logs, starts, axis=1)
        totals[:, 0] += self.log_growth
        np.cumsum(totals, axis=1, out=totals)
        self.log_growth = totals[:, -1].copy()
        self.blocks += 1
        if counts.size == 0:
            return
        # All terms are non-negative and each passes through at most BLOCK + blocks additions, so
        # this factor
        # bounds the relative error of a total (16 eps: scaling, product, a log1p good to four
        # ulps).
        safe = 1.0 - _EPS * (BLOCK + self.blocks + 16)
        rates = (totals[:, : counts.size] * safe - self.cost) / counts
        means = np.expm1(rates.max(axis=1)) / self.scales
        # A relative error of a rate r grows by at most 1 + r < 30 in expm1.
        self.bound = max(self.bound, float(means.max()) * (1.0 - 128 * _EPS))


class BoundedMean(BetweenEnds):
    """A confidence sequence for the mean of observations in [lower, upper]: valid at every count at
    once.

    The probability that `interval` ever excludes the mean is at most `level`, half of it on each
    side, however and whenever the caller decides to stop. Observations need not be independent: it
    is enough that each has the same mean given those before it.

    Parameters ---------- lower, upper: the range, finite, lower < upper, with a finite difference.
    level: error probability, in (0, 1). reference: finite value near which the bound must be sharp,
    such as the claimed one. It places the largest bets and never affects validity; beyond the range
    it stands for the nearest edge. It matters for means within about 1/64 of the range from an
    edge.

    Raises ValueError for arguments outside these domains.

    The interval is the running intersection over the checkpoints passed, the counts with at most
    eight significant bits (all up to 256, thereafter at most 1/128 of the count apart). Being fixed
    beforehand, they make the interval the same, up to rounding, however the observations are
    divided into batches. Memory: about 100 floats. Cost: some 50 logarithms an observation, about
    0.1 µs where they are vectorised. Source: the capital process of Waudby-Smith & Ramdas (2024),
    section 4; see the head of this module.

    Example:
        >>> sequence = BoundedMean(0.0, 1.0, 1e-6, reference=0.5)
        >>> sequence.update(np.full(10_000, 0.25))
        >>> sequence.count, sequence.mean, sequence.interval[0] < 0.25 < sequence.interval[1] < 0.3
        (10000, 0.25, True)
    """

    def __init__(
        self, lower: float, upper: float, level: float, reference: float | None = None
    ) -> None:
        self.lower = finite_float("lower", lower)
        self.upper = finite_float("upper", upper)
        self.level = error_level("level", level)
        self._range = self.upper - self.lower
        if not 0.0 < self._range < math.inf:
            raise ValueError(
                f"lower, upper = {lower!r}, {upper!r}: needs lower < upper with a finite "
                "difference; pass the range the theory gives"
            )
        self.reference = None if reference is None else finite_float("reference", reference)
        below = above = _UNAIMED
        if self.reference is not None:
            aim = min(max(self.reference, self.lower), self.upper)
            below, above = (aim - self.lower) / self._range, (self.upper - aim) / self._range
        target = math.log(2) - math.log(self.level)
        self._from_below = LowerBound(_scales(below), target)
        self._from_above = LowerBound(_scales(above), target)
        self._count = 0
        self._scaled_total = 0.0
        self._scaled_excess = 0.0

    def update(self, values: npt.ArrayLike, up_to: npt.ArrayLike | None = None) -> None:
        """Take further observations.

        Args:
            values: real, shape (k,), any k ≥ 0, finite, within [lower, upper].
            up_to: of that shape; an observation is then known only to lie between its value and
                that, and each side of the interval takes the end that is worse for it.

        Raises:
            ValueError: for a value outside the range, as what was to be bounded does not have the
                range claimed for it, and where an observation would end before it begins. None is
                taken then.
        """
        observations = self._validated(values)
        greatest = observations if up_to is None else self._validated(up_to)
        if len(observations) != len(greatest) or (observations > greatest).any():
            raise ValueError(
                "up_to is not of the shape of values, or below one of them: pass values <= up_to"
            )
        for first in range(0, len(observations), BLOCK):
            block, above = observations[first : first + BLOCK], greatest[first : first + BLOCK]
            counts = np.arange(self._count + 1, self._count + len(block) + 1)
            _, bits = np.frexp(counts)
            steps = 2 ** np.maximum(bits.astype(np.int64) - _LEADING_BITS, 0)
            ends = np.flatnonzero(counts % steps == 0) + 1
            starts = np.concatenate(([0], ends[ends < len(block)]))
            checkpoints = counts[ends - 1].astype(np.float64)
            scaled = (block - self.lower) / self._range
            self._from_below.extend(scaled, starts, checkpoints)
            self._from_above.extend((self.upper - above) / self._range, starts, checkpoints)
            self._scaled_total += float(scaled.sum())
            self._scaled_excess += float((above - block).sum()) / self._range
            self._count += len(block)

    def _validated(self, values: npt.ArrayLike) -> FloatArray:
        array = np.asarray(values)
        if array.ndim != 1 or array.dtype.kind not in "fiub":
            raise ValueError(
                f"values has shape {array.shape} and dtype {array.dtype}: "
                "pass a real array of shape (k,)"
            )
        observations = array.astype(np.float64)
        inside = (observations >= self.lower) & (observations <= self.upper)  # False for NaN
        if not inside.all():
            first = int(np.argmin(inside))
            raise ValueError(
                f"values[{first}] = {float(observations[first])!r} (one of {int((~inside).sum())}) "
                f"is outside [{self.lower!r}, {self.upper!r}]: the range claimed for it is wrong; "
                "correct the range"
            )
        return observations

    @property
    def count(self) -> int:
        """Number of observations taken by all calls of `update` so far, those known only between
        two values included.
        """
        return self._count

    @property
    def mean(self) -> float:
        """Mean of the observations taken, within [lower, upper]; NaN before the first.

        Of observations known only between two values, the middle counts.
        """
        low, high = self.means
        return min(max((low + high) / 2 if high > low else low, self.lower), self.upper)

    @property
    def means(self) -> tuple[float, float]:
        """Between what the mean of the observations lies, equal where each is known; NaN before the
        first.
        """
        if self._count == 0:
            return math.nan, math.nan
        low = self.lower + self._range * (self._scaled_total / self._count)
        return low, low + self._range * (self._scaled_excess / self._count)

    @property
    def estimate(self) -> float:
        """The same as `mean`, which is what is estimated."""
        return self.mean

    @property
    def estimates(self) -> tuple[float, float]:
        """The same as `means`."""
        return self.means

    @property
    def interval(self) -> tuple[float, float]:
        """(low, high), nested as observations arrive; (lower, upper) at first.

        low > high, an empty interval, has probability at most `level`: it says that the mean was
        not constant, or that something this improbable happened.
        """
        rise = self._range * self._from_below.bound
        fall = self._range * self._from_above.bound
        low = self.lower + rise - (4 * _EPS * (abs(self.lower) + rise) if rise else 0.0)
        high = self.upper - fall + (4 * _EPS * (abs(self.upper) + fall) if fall else 0.0)
        return max(low, self.lower), min(high, self.upper)


class AimedMean(BetweenEnds):
    """A `BoundedMean` of which the first observations say where it must be sharp.

    The observations of the first call of `update` place the bets, and are then left out of the
    mean: that no bet may depend on what it is placed on is all that validity takes.

    - ``lower``, ``upper``, ``level``: as `BoundedMean` takes them

    Example:
        >>> sequence = AimedMean(0.0, 1.0, 1e-6)
        >>> sequence.update(np.full(32, 0.25))
        >>> sequence.update(np.full(10_000, 0.25))
        >>> sequence.count, sequence.interval[0] < 0.25 < sequence.interval[1] < 0.3
        (10000, True)
    """

    def __init__(self, lower: float, upper: float, level: float) -> None:
        self.lower, self.upper = finite_float("lower", lower), finite_float("upper", upper)
        self.level = error_level("level", level)
        self._mean: BoundedMean | None = None

    def update(self, values: npt.ArrayLike, up_to: npt.ArrayLike | None = None) -> None:
        """Take further observations; those of the first call that brings any only place the bets.

        Args:
            values: finite, within [lower, upper], shape (k,) with any k ≥ 0.
            up_to: of that shape; an observation then lies between its value and that.

        Raises:
            ValueError: as `BoundedMean.update`; of the observations that aim, none.
        """
        if self._mean is not None:
            self._mean.update(values, up_to)
            return
        ends = [np.asarray(each, dtype=np.float64) for each in (values, up_to) if each is not None]
        if ends[0].size:
            aim = float(np.mean([end.mean() for end in ends]))
            self._mean = BoundedMean(self.lower, self.upper, self.level, reference=aim)

    @property
    def count(self) -> int:
        """Number of observations that the mean is taken over."""
        return 0 if self._mean is None else self._mean.count

    @property
    def interval(self) -> tuple[float, float]:
        """(low, high), nested as observations arrive; (lower, upper) at first."""
        return (self.lower, self.upper) if self._mean is None else self._mean.interval

    @property
    def estimate(self) -> float:
        """Mean of the observations, NaN before the first that count."""
        return math.nan if self._mean is None else self._mean.mean

    @property
    def estimates(self) -> tuple[float, float]:
        """Between what that mean lies."""
        return (math.nan, math.nan) if self._mean is None else self._mean.means


Decision = Literal["supported", "refuted", "undecided"]


def _decided(sequence: Estimator, supported: bool, refuted: bool) -> Decision:
    """What an interval says; an empty one says nothing."""
    low, high = sequence.interval
    if low > high or not (supported or refuted):
        return "undecided"
    return "supported" if supported else "refuted"


def decide_at_most(sequence: Estimator, bound: float) -> Decision:
    """Is the mean at most `bound`? Supported once the interval lies in (-∞, bound], refuted beyond
    it.

    An empty interval decides nothing. Raises ValueError unless `bound` is finite.

    Args:
        sequence: of the mean, or of another number.
        bound: in its unit.

    Example:
        >>> sequence = BoundedMean(0.0, 1.0, 1e-6)
        >>> sequence.update(np.full(10_000, 0.25))
        >>> [decide_at_most(sequence, bound) for bound in (0.2, 0.25, 0.3)]
        ['refuted', 'undecided', 'supported']
    """
    bound = finite_float("bound", bound)
    low, high = sequence.interval
    return _decided(sequence, high <= bound, low > bound)


def decide_at_least(sequence: Estimator, bound: float) -> Decision:
    """Is the mean at least `bound`? Supported once the interval lies in [bound, ∞), refuted below
    it.

    An empty interval decides nothing. Raises ValueError unless `bound` is finite.

    Args:
        sequence: of the mean, or of another number.
        bound: in its unit.

    Example:
        >>> sequence = BoundedMean(0.0, 1.0, 1e-6)
        >>> sequence.update(np.full(10_000, 0.25))
        >>> [decide_at_least(sequence, bound) for bound in (0.2, 0.25, 0.3)]
        ['supported', 'undecided', 'refuted']
    """
    bound = finite_float("bound", bound)
    low, high = sequence.interval
    return _decided(sequence, low >= bound, high < bound)


def decide_equal(sequence: Estimator, value: float, resolution: float) -> Decision:
    """Is the mean `value`, to a relative `resolution`? Refuted once `value` is outside the
    interval.

    Supported once `value` is inside and the half-width is at most `equal_within`; "supported" then
    means that the mean is within twice that of `value`. An empty interval decides nothing. Raises
    ValueError unless `value` is finite and `resolution` positive and finite.

    Args:
        sequence: of the mean, or of another number.
        value: in its unit.
        resolution: a share of ``value``, above 0.

    Example:
        >>> sequence = BoundedMean(0.0, 1.0, 1e-6)
        >>> sequence.update(np.full(10_000, 0.25))
        >>> [decide_equal(sequence, value, 0.1) for value in (0.2, 0.25)]
        ['refuted', 'supported']
    """
    value = finite_float("value", value)
    resolution = finite_float("resolution", resolution)
    if resolution <= 0.0:
        raise ValueError(
            f"resolution = {resolution!r} is not positive; pass a relative half-width, say 0.01"
        )
    low, high = sequence.interval
    narrow = sequence.half_width <= equal_within(sequence, value, resolution)
    inside = low <= value <= high
    return _decided(sequence, inside and narrow, not inside)


def equal_within(sequence: Estimator, value: float, resolution: float) -> float:
    """The half-width at which a number is told to be `value`, to a relative `resolution`.

    A share of |value|; of 0, which has no size, a tenth of that share of the range, and where that
    has no end nothing is narrow enough: an equality with 0 is then refuted, or left open.

    Args:
        sequence: whose range counts where ``value`` is 0.
        value: in its unit.
        resolution: a share, above 0.

    Example:
        >>> cosine = BoundedMean(-1.0, 1.0, 1e-6)
        >>> equal_within(cosine, 0.5, 0.1), equal_within(cosine, 0.0, 0.1)
        (0.05, 0.02)
    """
    if value != 0.0:
        return resolution * abs(value)
    span = sequence.upper - sequence.lower
    return resolution * span / 10 if math.isfinite(span) else 0.0
