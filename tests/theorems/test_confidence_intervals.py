"""Exponents and binomial intervals."""

import itertools
import math
from fractions import Fraction

import flint
import numpy as np
import pytest

from theorems.checking.confidence_intervals import clopper_pearson, fit_exponent

Interval = tuple[float, float]


def test_fit_exponent_encloses_every_line_through_the_intervals() -> None:
    rng = np.random.default_rng(6)
    widths = np.array([16.0, 32, 64, 128, 300])
    means = 3 * widths**-0.5
    intervals = np.stack([means * 0.9, means * 1.2], axis=1)
    low, high = fit_exponent(widths, intervals)
    slopes = [
        np.polyfit(np.log(widths), np.log(np.array(corner)), 1)[0]
        for corner in itertools.product(*intervals)
    ]
    assert low <= min(slopes) + 1e-12
    assert high >= max(slopes) - 1e-12
    assert (low, high) == pytest.approx((min(slopes), max(slopes)), rel=1e-9)
    inside = rng.uniform(intervals[:, 0], intervals[:, 1])
    assert low <= np.polyfit(np.log(widths), np.log(inside), 1)[0] <= high


@pytest.mark.parametrize(
    ("least", "ratio", "off"), [(1e9, 1 + 1e-9, 1e-3), (10.0, 100.0, 0.05), (0.1, 100.0, 0.05)]
)
def test_fit_exponent_is_widened_by_the_rounding_of_its_slope(
    least: float, ratio: float, off: float
) -> None:
    k, widths, mean = 2, np.array([least, ratio * least]), 1e3
    low, high = fit_exponent(widths, [(mean, mean)] * k)
    spread = np.log(ratio) / 2**0.5  # of the logarithms about their mean
    largest = np.abs(np.log(widths)).max()
    rounding = k * (k + 3) * 2.0**-52 * (np.log(mean) / spread) * (3 * largest / spread + 2)
    assert (high - low) / 2 == pytest.approx(rounding, rel=off, abs=0)
    assert low < 0 < high


@pytest.mark.parametrize("seed", range(10))
def test_fit_exponent_encloses_the_slope_of_points_however_it_is_rounded(seed: int) -> None:
    widths, means = np.random.default_rng(seed).uniform(1, 1000, (2, 6)).tolist()
    low, high = fit_exponent(widths, [(mean, mean) for mean in means])
    with flint.ctx.workprec(200):
        abscissae = [flint.arb(width).log() for width in widths]
        center = sum(abscissae, flint.arb(0)) / len(widths)
        products = [
            (x - center) * flint.arb(mean).log() for x, mean in zip(abscissae, means, strict=True)
        ]
        slope = sum(products, flint.arb(0)) / sum(
            ((x - center) ** 2 for x in abscissae), flint.arb(0)
        )
        assert low <= slope
        assert slope <= high
    assert high - low < 1e-11


@pytest.mark.parametrize(
    ("widths", "intervals", "message"),
    [
        ([1, 2], [(1, 2)], "shapes"),
        ([[1, 2]], [(1, 2)], "shapes"),
        ([1, 2], [(0, 2), (1, 2)], r"^intervals contains 0\.0"),
        ([1, 2], [(1, math.nan), (1, 2)], "^intervals contains nan"),
        ([1, 2], [(3, 2), (1, 2)], r"^intervals contains \[3.0, 2.0\]"),
        ([-1, 2], [(1, 2), (1, 2)], r"^widths contains -1\.0"),
        ([2, 2], [(1, 2), (1, 2)], "two distinct"),
        ([], np.zeros((0, 2)), "two distinct"),
    ],
)
def test_fit_exponent_arguments_are_checked(
    widths: list[float], intervals: list[Interval], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        fit_exponent(widths, intervals)


@pytest.mark.parametrize(("successes", "trials"), [(0, 7), (1, 7), (4, 7), (7, 7), (3, 60)])
@pytest.mark.parametrize("level", [0.05, 1e-9])
def test_clopper_pearson_ends_have_the_tail_probabilities_they_claim(
    successes: int, trials: int, level: float
) -> None:
    """Each end is where the binomial tail is level/2: summed exactly, in rationals."""

    def probability(p: float, hits: range) -> float:
        q = Fraction(p)
        return float(sum(math.comb(trials, k) * q**k * (1 - q) ** (trials - k) for k in hits))

    low, high = clopper_pearson(successes, trials, level)
    assert low <= successes / trials <= high
    assert (low == 0.0) is (successes == 0)
    assert (high == 1.0) is (successes == trials)
    if successes:
        assert probability(low, range(successes, trials + 1)) == pytest.approx(level / 2, rel=1e-9)
    if successes < trials:
        # 1 - high carries the rounding of a number near 1, relative to itself.
        accuracy = 1e-9 + trials * 1e-16 / (1 - high)
        assert probability(high, range(successes + 1)) == pytest.approx(level / 2, rel=accuracy)


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ((-1, 5, 0.1), "successes"),
        ((6, 5, 0.1), "successes"),
        ((1.5, 5, 0.1), "successes"),
        ((0, 0, 0.1), "trials"),
        ((1, math.nan, 0.1), "trials"),
        ((1, 5, 0.0), "level"),
    ],
)
def test_clopper_pearson_arguments_are_checked(
    arguments: tuple[int, int, float], name: str
) -> None:
    with pytest.raises(ValueError, match=f"^{name} = "):
        clopper_pearson(*arguments)
