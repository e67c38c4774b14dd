"""Intervals for medians and shifts that hold whatever the law of the noise is.

Times are skewed and have outliers: a round that another process interrupts takes twice as long.
So nothing here supposes a normal law, or takes a mean.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate

import numpy as np
from scipy.stats import binom

__all__ = ["LEVEL", "Interval", "fewest", "median_interval", "shift_above"]

LEVEL = 0.05
"""Probability that an interval misses, unless said otherwise."""


@dataclass(frozen=True)
class Interval:
    """An estimate with an interval around it."""

    value: float
    low: float
    high: float


def fewest(level: float = LEVEL) -> int:
    """Values from which a median's interval of that level exists: their range has to hold it.

    Example:
        >>> fewest(0.05)
        6
    """
    return math.ceil(1 - math.log2(level))


def median_interval(values: Sequence[float], level: float = LEVEL) -> Interval:
    """The median of ``values`` with the interval of the sign test.

    The interval runs between two of the values. For independent values of one continuous law it
    misses the law's median with probability at most ``level``, whatever that law is.

    Raises ``ValueError`` for fewer values than `fewest`.

    Example:
        >>> median_interval([5, 1, 4, 2, 3, 6])
        Interval(value=3.5, low=1.0, high=6.0)
    """
    ordered = np.sort(np.asarray(values, dtype=float))
    if len(ordered) < fewest(level):
        raise ValueError(
            f"values holds {len(ordered)}; want at least {fewest(level)} for an interval "
            f"at level {level:g}"
        )
    # The median is below all but k of the values with the probability of at most k heads.
    outside = int(binom.ppf(level / 2, len(ordered), 0.5))
    if binom.cdf(outside, len(ordered), 0.5) > level / 2:
        outside -= 1
    return Interval(
        float(np.median(ordered)), float(ordered[outside]), float(ordered[-outside - 1])
    )


def shift_above(new: Sequence[float], old: Sequence[float], level: float) -> Interval:
    """By how much ``new`` lies above ``old``: the median of all differences, and a bound below.

    The bound is that of the exact test of Mann and Whitney: if ``new`` has the law of ``old``
    moved by some amount, it exceeds that amount with probability at most ``level``. ``high`` is
    the bound above, of the same level.

    Both are infinite where there are too few values for the level.

    Example:
        >>> shift = shift_above([12, 13, 14, 15], [1, 2, 3, 4], level=0.05)
        >>> shift.value, shift.low
        (11.0, 9.0)
    """
    one, other = np.asarray(new, dtype=float), np.asarray(old, dtype=float)
    return Interval(
        float(np.median(np.subtract.outer(one, other))),
        _bound_below(one, other, level),
        -_bound_below(-one, -other, level),
    )


def _bound_below(new: np.ndarray, old: np.ndarray, level: float) -> float:
    """The smallest shift that the test at this level does not reject as too small."""
    differences = np.sort(np.subtract.outer(new, old), axis=None)
    # A shift just below the difference of rank c leaves c differences on its other side.
    rejected = int(np.searchsorted(_tails(len(new), len(old)), level, side="right"))
    return float(differences[rejected - 1]) if rejected else -math.inf


@cache
def _tails(m: int, n: int) -> np.ndarray:
    """P(U <= u) for u = 0 … mn, U being Mann and Whitney's for m and n values of one law.

    Their numbers of orders are the coefficients of Gauss's binomial, the product over i = 1 … m of
    (1 - q^(n+i))/(1 - q^i).
    """
    orders = [1] + [0] * (m * n)
    for i in range(1, m + 1):
        for u in range(m * n, n + i - 1, -1):
            orders[u] -= orders[u - n - i]
        for u in range(i, m * n + 1):
            orders[u] += orders[u - i]
    total = math.comb(m + n, m)
    return np.array([count / total for count in accumulate(orders)])
