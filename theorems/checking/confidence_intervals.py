"""Confidence intervals from a number of observations fixed in advance: probabilities, medians,
exponents.
"""

import math
from collections.abc import Sequence
from numbers import Integral

import numpy as np
import numpy.typing as npt
import scipy

from theorems.checking.confidence_sequence import error_level

__all__ = [
    "clopper_pearson",
    "fit_exponent",
    "fit_slope",
    "median_interval",
    "quantile_interval",
]


def _count(name: str, value: object, least: int) -> int:
    if not isinstance(value, Integral) or int(value) < least:
        raise ValueError(f"{name} = {value!r} is not a whole number of at least {least}; pass one")
    return int(value)


def fit_exponent(
    widths: Sequence[float] | npt.NDArray[np.float64],
    intervals: Sequence[tuple[float, float]] | npt.NDArray[np.float64],
) -> tuple[float, float]:
    """Range of the least-squares slope of log mean against log width over all means in their
    intervals.

    `widths` has shape (k,), `intervals` (k, 2), all positive and finite, low <= high, two distinct
    widths at least; anything else is a ValueError. The slope is linear in the logs, Σ c_i
    log(mean_i), so its extremes take each interval's end by the sign of c_i: exact, then widened by
    the rounding. The probability of missing the slope of the true means is at most the sum of the
    intervals' levels.

    Example:
        >>> low, high = fit_exponent([16, 64, 256], [(0.5, 0.5), (0.25, 0.25), (0.125, 0.125)])
        >>> round(low, 6), round(high, 6)
        (-0.5, -0.5)
    """
    sizes = np.asarray(widths, dtype=np.float64)
    ends = np.asarray(intervals, dtype=np.float64)
    if sizes.ndim != 1 or ends.shape != (len(sizes), 2):
        raise ValueError(
            f"widths, intervals have shapes {sizes.shape}, {ends.shape}; pass (k,) and (k, 2)"
        )
    for name, array in (("widths", sizes), ("intervals", ends)):
        wrong = ~((array > 0.0) & (array < math.inf))
        if wrong.any():
            raise ValueError(
                f"{name} contains {float(array[wrong][0])!r}; "
                "a logarithm needs positive finite values"
            )
    if (ends[:, 0] > ends[:, 1]).any():
        empty = ends[ends[:, 0] > ends[:, 1]][0].tolist()
        raise ValueError(f"intervals contains {empty!r}; pass low <= high")
    if len(np.unique(sizes)) < 2:
        raise ValueError(
            f"widths = {sizes.tolist()!r} has fewer than two distinct values; no slope exists"
        )
    return fit_slope(np.log(sizes), np.log(ends))


def fit_slope(
    abscissae: npt.NDArray[np.float64], ordinates: npt.NDArray[np.float64]
) -> tuple[float, float]:
    """Range of the least-squares slope over all values in their intervals.

    `abscissae` has shape (k,), two of them distinct at least, `ordinates` (k, 2), low <= high, all
    finite. The slope is linear in the ordinates, so its extremes take each interval's end by the
    sign of its coefficient: exact, then widened by the rounding, that of logarithms included.

    Example:
        >>> low, high = fit_slope(np.array([1.0, 2.0]), np.array([[0.0, 0.5], [2.0, 2.0]]))
        >>> round(low, 6), round(high, 6)
        (1.5, 2.0)
    """
    deviations = abscissae - abscissae.mean()
    spread = math.sqrt(float(deviations @ deviations))
    coefficients = deviations / spread**2
    rising = coefficients > 0
    low = float(coefficients @ np.where(rising, ordinates[:, 0], ordinates[:, 1]))
    high = float(coefficients @ np.where(rising, ordinates[:, 1], ordinates[:, 0]))
    # With k values, |log width| <= W, |log mean| <= M: a deviation is off by at most (k + 3) u W,
    # the slope
    # by k (k + 3) u (M / spread) (3 W / spread + 2), u = eps / 2; doubled.
    largest_x, largest_y = float(np.abs(abscissae).max()), float(np.abs(ordinates).max())
    k, eps = len(abscissae), float(np.finfo(np.float64).eps)
    rounding = k * (k + 3) * eps * (largest_y / spread) * (3 * largest_x / spread + 2)
    return low - rounding, high + rounding


def clopper_pearson(successes: int, trials: int, level: float) -> tuple[float, float]:
    """Interval for a probability from `successes` in `trials` independent trials, error at most
    `level`.

    The number of trials is fixed in advance: unlike `BoundedMean`, this interval does not allow for
    stopping when the answer pleases. The level is met to the accuracy of SciPy's `betaincinv`,
    about 1e-12 of it. Raises ValueError unless trials >= 1 and 0 <= successes <= trials are
    integers and level is in (0, 1). Source: Clopper & Pearson, Biometrika 26 (1934).

    Example:
        >>> low, high = clopper_pearson(0, 100, 0.05)
        >>> low, round(high, 4)
        (0.0, 0.0362)
    """
    level = error_level("level", level)
    trials, successes = _count("trials", trials, 1), _count("successes", successes, 0)
    if successes > trials:
        raise ValueError(
            f"successes = {successes} exceeds trials = {trials}; pass successes out of trials"
        )
    failures = trials - successes
    low = float(scipy.special.betaincinv(successes, failures + 1, level / 2)) if successes else 0.0
    high = float(scipy.special.betainccinv(successes + 1, failures, level / 2)) if failures else 1.0
    return low, high


def median_interval(
    values: npt.ArrayLike, level: float, up_to: npt.ArrayLike | None = None
) -> tuple[float, float]:
    """Interval for the median of the law of independent `values`, whatever that law, error at most
    `level`.

    The ends are order statistics: k of the R values lie below a median with a binomial(R, 1/2)
    count. The number of values is fixed in advance. Where they are too few for the level, the
    interval is (-inf, inf). Where `up_to` is given, a value is known only to lie between that in
    `values` and that in `up_to`. Raises ValueError unless `values` are real and finite, of shape
    (R,), R >= 1, `up_to` likewise and nowhere below them, and level is in (0, 1). Source: David &
    Nagaraja, Order Statistics (2003), section 7.1.

    Example:
        >>> median_interval(np.arange(100), 0.05)
        (39.0, 60.0)
        >>> median_interval(np.arange(3), 1e-6)
        (-inf, inf)
    """
    level = error_level("level", level)
    sample = np.asarray(values)
    if (
        sample.ndim != 1
        or not len(sample)
        or sample.dtype.kind not in "fiu"
        or not np.isfinite(sample).all()
    ):
        raise ValueError(
            f"values has shape {sample.shape} and dtype {sample.dtype}: "
            "pass finite real numbers (R,)"
        )
    greatest = sample if up_to is None else np.asarray(up_to)
    if (
        greatest.shape != sample.shape
        or not np.isfinite(greatest).all()
        or (greatest < sample).any()
    ):
        raise ValueError(
            "up_to is not finite, not of the shape of values, or below one of them: "
            "pass values <= up_to"
        )
    return quantile_interval(sample, 0.5, level, greatest)


def quantile_interval(
    values: npt.ArrayLike, share: float, level: float, up_to: npt.ArrayLike | None = None
) -> tuple[float, float]:
    """Interval for the quantiles of the law of independent `values`, whatever that law, error at
    most `level`.

    m is a quantile if values are below it with probability at most `share`, and at most m with
    probability at least that; where the law has gaps, several numbers are, and the interval holds
    all of them. Its ends are order statistics: of R values at most as many lie below a quantile, or
    up to it, as a binomial(R, `share`) count says, on either side at level/2, ties or none. The
    number of values is fixed in advance. Where they are too few for the level on a side, that end
    is infinite. Where `up_to` is given, a value is known only to lie between that in `values` and
    that in `up_to`, which may be infinite. Raises ValueError unless the shapes are (R,), R >= 1,
    and no value is NaN or above its `up_to`. Source: David & Nagaraja, Order Statistics (2003),
    section 7.1.

    Example:
        >>> quantile_interval(np.arange(1000), 0.9, 0.01)
        (874.0, 924.0)
        >>> quantile_interval(np.arange(20), 0.9, 0.01)
        (13.0, inf)
    """
    share, level = error_level("share", share), error_level("level", level)
    low = np.asarray(values, dtype=np.float64)
    high = low if up_to is None else np.asarray(up_to, dtype=np.float64)
    if low.ndim != 1 or not len(low) or low.shape != high.shape or not (low <= high).all():
        raise ValueError(
            f"values, up_to have shapes {low.shape}, {high.shape}: pass (R,), R >= 1, of numbers "
            "with values <= up_to"
        )
    count = len(low)
    # of at most so many below a quantile, and of at most so many above it
    below, above = (scipy.stats.binom.cdf(np.arange(count), count, p) for p in (share, 1 - share))
    first, last = (int(np.searchsorted(c, level / 2, side="right")) for c in (below, above))
    ends = np.sort(low), np.sort(high)
    return (
        float(ends[0][first - 1]) if first else -math.inf,
        float(ends[1][count - last]) if last else math.inf,
    )
