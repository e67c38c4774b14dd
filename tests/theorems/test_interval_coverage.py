"""Every interval misses what it bounds as seldom as its level says: exactly for order statistics and binomials,
by binomial bounds on repeated runs for confidence sequences, and against their formula in exact arithmetic."""

from __future__ import annotations

import math
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from scipy.stats import binom

from theorems.checking.confidence_intervals import clopper_pearson, fit_exponent, median_interval
from theorems.checking.confidence_sequence import BoundedMean
from theorems.workbench.everywhere import largest_share

LEVELS = (0.5, 0.1, 1e-2, 1e-4, 1e-9, 1e-30)


def at_most(k: int, n: int) -> Fraction:
    """P[Bin(n, 1/2) ≤ k], exactly."""
    return Fraction(sum(math.comb(n, j) for j in range(k + 1)), 2**n)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("count", [1, 2, 5, 11, 31, 40, 100, 257, 400])
def test_a_median_is_missed_with_the_probability_stated_and_no_interval_inside_would_do(
    count: int, level: float
) -> None:
    low, high = median_interval(np.arange(count), level)
    if math.isinf(low):
        assert math.isinf(high)
        assert 2 * at_most(0, count) > Fraction(level)
        return
    outside = int(low)  # so many values lie below the lower end
    assert high == count - 1 - outside
    # the median is below the lower end if at most that many values are below it
    assert 2 * at_most(outside, count) <= Fraction(level)
    assert 2 * at_most(outside + 1, count) > Fraction(level) or 2 * (outside + 1) > count - 1


@pytest.mark.parametrize("level", [0.3, 0.05, 1e-3])
@pytest.mark.parametrize("trials", [1, 7, 40])
def test_a_probability_is_missed_at_most_as_often_as_stated(trials: int, level: float) -> None:
    """Summed over all outcomes at many probabilities: at most the level, and somewhere at least a
    fifth of it.
    """
    ends = [clopper_pearson(k, trials, level) for k in range(trials + 1)]
    worst = 0.0
    inside = [
        end * (1 - 1e-9) if side else end * (1 + 1e-9)
        for pair in ends
        for side, end in enumerate(pair)
    ]
    for p in (
        *np.linspace(0.01, 0.99, 99),
        *(p for p in inside if 0 < p < 1),
        *(1e-9 + end[1] for end in ends[:-1]),
    ):
        missed = sum(
            binom.pmf(k, trials, p) for k, (low, high) in enumerate(ends) if not low <= p <= high
        )
        assert missed <= level * (1 + 1e-9)
        worst = max(worst, missed)
    assert worst >= level / 5


def bound_below(values: list[Fraction], level: float, scales: np.ndarray) -> mpmath.mpf:
    """The lower bound of the module's head, at counts up to 256, in 40 digits."""
    with mpmath.workdps(40):
        best = mpmath.mpf(0)
        price = mpmath.log(len(scales) * 2 / mpmath.mpf(level))
        for theta in map(mpmath.mpf, scales):
            total = mpmath.mpf(0)
            for count, value in enumerate(values, 1):
                total += mpmath.log1p(theta * value.numerator / value.denominator)
                best = max(best, mpmath.expm1((total - price) / count) / theta)
        return best


@pytest.mark.parametrize("level", [0.9, 0.1, 1e-6])
@pytest.mark.parametrize(("reference", "top"), [(None, 10), (0.5, 5), (1e-3, 14)])
def test_a_confidence_sequence_is_its_formula(
    level: float, reference: float | None, top: int
) -> None:
    values = [Fraction(k * k % 17, 64) for k in range(200)]
    sequence = BoundedMean(0.0, 1.0, level, reference=reference)
    sequence.update([float(v) for v in values])
    scales = np.exp2(np.arange(-14, top + 1))
    above = np.exp2(np.arange(-14, {None: 10, 0.5: 5, 1e-3: 5}[reference] + 1))
    assert sequence.interval[0] == pytest.approx(
        float(bound_below(values, level, scales)), rel=1e-9
    )
    upper = 1 - float(bound_below([1 - v for v in values], level, above))
    assert sequence.interval[1] == pytest.approx(upper, rel=1e-9)


@pytest.mark.parametrize("mean", [0.5, 0.1, 0.02])
def test_a_confidence_sequence_ever_misses_the_mean_as_seldom_as_stated(mean: float) -> None:
    """Of signs, watched after every observation: 800 runs, at level 1/4, six deviations allowed."""
    level, runs, missed = 0.25, 800, 0
    generator = np.random.default_rng(7)
    for _ in range(runs):
        sequence = BoundedMean(0.0, 1.0, level, reference=mean)
        sequence.update((generator.random(200) < mean).astype(float))
        low, high = sequence.interval  # the running intersection: once missed, missed for good
        missed += not low <= mean <= high
    assert missed <= runs * level + 6 * math.sqrt(runs * level * (1 - level))
    assert missed >= runs * level / 50


@pytest.mark.parametrize("level", [1e-3, 1e-6, 1e-9])
@pytest.mark.parametrize("draws", [1, 50, 200])
def test_a_share_that_no_draw_met_is_bounded_at_its_level(draws: int, level: float) -> None:
    with mpmath.workdps(40):
        share = mpmath.mpf(largest_share(draws, level))
        assert float((1 - share) ** draws) == pytest.approx(level, rel=1e-6)


def test_the_slopes_of_all_lines_through_the_intervals_are_inside_and_touch_the_ends() -> None:
    widths = [10.0, 100.0, 1000.0]
    low, high = fit_exponent(widths, [(1.0, 2.0), (1.0, 1.0), (1.0, 4.0)])
    assert high == pytest.approx(math.log10(4) / 2, rel=1e-9)
    assert low == pytest.approx(-math.log10(2) / 2, rel=1e-9)
