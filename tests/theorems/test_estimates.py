"""Quantiles, variances and functions of several numbers of a law: each interval, watched after every
batch, ever misses the truth as seldom as its level says, however the law is made."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import TypeAlias

import numpy as np
import pytest
from scipy.stats import binom

from theorems.checking.confidence_intervals import quantile_interval
from theorems.checking.confidence_sequence import AimedMean, BoundedMean, Estimator
from theorems.checking.estimates import (
    Bracket,
    EstimatedFunction,
    KolmogorovDistance,
    KurtosisMean,
    LogSlope,
    PairedVariance,
    Quantile,
)
from theorems.checking.moments import CatoniMean, OneSidedMean, RelativeMean

Draw: TypeAlias = Callable[[np.random.Generator, int], np.ndarray]
LEVEL, RUNS = 0.1, 2000
#: Batches of a run, of growing size.
ENDS = (0, 8, 16, 32, 64)


def missed(make: Callable[[], Estimator], draw: Draw, truth: float, runs: int = RUNS) -> int:
    """In how many runs an interval ever left the truth out."""
    generator, count = np.random.default_rng(11), 0
    for _ in range(runs):
        sequence, values = make(), draw(generator, ENDS[-1])
        for first, last in pairwise(ENDS):
            sequence.update(values[first:last])
        low, high = sequence.interval  # nested, so what was once left out stays out
        count += not low <= truth <= high
    return count


def most(level: float = LEVEL, runs: int = RUNS) -> int:
    """More misses than this have a probability of at most 1e-9, at a true rate of ``level``."""
    return int(binom.isf(1e-9, runs, level))


LAWS: dict[str, tuple[Draw, dict[float, float], float]] = {
    "uniform": (lambda g, k: g.random(k), {0.5: 0.5, 0.9: 0.9}, 1 / 12),
    "coin": (lambda g, k: (g.random(k) < 0.25).astype(float), {0.5: 0.0, 0.9: 1.0}, 3 / 16),
    "cubes": (lambda g, k: g.random(k) ** 3, {0.5: 1 / 8, 0.9: 0.729}, 1 / 7 - 1 / 16),
}


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("share", [0.5, 0.9])
def test_a_quantile_is_missed_as_seldom_as_stated(law: str, share: float) -> None:
    draw, truths, _ = LAWS[law]
    assert missed(lambda: Quantile(share, LEVEL), draw, truths[share]) <= most()


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("reference", [None, 0.1])
def test_a_variance_is_missed_as_seldom_as_stated(law: str, reference: float | None) -> None:
    draw, _, truth = LAWS[law]
    assert missed(lambda: PairedVariance(0.0, 1.0, LEVEL, reference), draw, truth) <= most()


def test_a_mean_whose_bets_the_first_batch_placed_is_missed_as_seldom_as_stated() -> None:
    draw = LAWS["cubes"][0]
    assert missed(lambda: AimedMean(0.0, 1.0, LEVEL), draw, 1 / 4) <= most()


def test_a_function_of_two_is_missed_as_seldom_as_stated() -> None:
    def make() -> Estimator:
        parts = {name: BoundedMean(0.0, 1.0, LEVEL / 2, 0.3) for name in ("first", "second")}
        return EstimatedFunction(lambda ends: ends["second"] - ends["first"], parts, (-1.0, 1.0))

    def draw(generator: np.random.Generator, count: int) -> np.ndarray:
        values = generator.random(count)
        return np.stack([values**2, values], axis=1)

    assert missed(make, draw, 1 / 2 - 1 / 3) <= most()


def test_a_slope_is_missed_as_seldom_as_stated() -> None:
    """Of means 1/2, 1/4, 1/8 at 1, 2, 3, whose observations are one number and its powers of 1/2."""

    def draw(generator: np.random.Generator, count: int) -> np.ndarray:
        return generator.random((count, 1)) * 0.5 ** np.arange(3)

    assert missed(lambda: LogSlope([1, 2, 3], 0.0, 1.0, LEVEL), draw, -math.log(2)) <= most()


def test_a_slope_is_known_once_every_mean_is_positive_and_where_their_intervals_put_it() -> None:
    decay = LogSlope([1.0, 3.0], 0.0, 1.0, 1e-3)
    values = np.tile([0.5, 0.25], (20_000, 1))
    decay.update(values[:10])
    assert decay.interval == (-math.inf, math.inf)
    assert math.isnan(decay.estimate)
    decay.update(values)
    means = [AimedMean(0.0, 1.0, 5e-4) for _ in range(2)]
    for mean, column in zip(means, values.T, strict=True):
        mean.update(column[:10])
        mean.update(column)
    (a, b), (c, d) = (mean.interval for mean in means)
    assert decay.interval == pytest.approx((math.log(c / b) / 2, math.log(d / a) / 2))
    assert decay.estimate == pytest.approx(-math.log(2) / 2)


def test_the_coverage_tests_notice_a_level_that_is_not_kept() -> None:
    """An interval at five times its level is missed too often for the bound above."""
    draw, truths, _ = LAWS["uniform"]

    class Careless(Quantile):
        def update(self, values: object, up_to: object = None) -> None:
            self._low = np.concatenate((self._low, np.asarray(values)))
            low, high = quantile_interval(self._low, self.share, 3 * self.level)
            self.interval = max(self.interval[0], low), min(self.interval[1], high)

    assert missed(lambda: Careless(0.5, LEVEL), draw, truths[0.5]) > most()


@pytest.mark.parametrize("level", [0.3, 1e-2, 1e-6])
@pytest.mark.parametrize(("count", "share"), [(5, 0.5), (40, 0.9), (300, 0.05)])
def test_the_ends_of_a_quantile_are_the_sharpest_order_statistics(
    count: int, share: float, level: float
) -> None:
    low, high = quantile_interval(np.arange(count), share, level)
    below = int(low) + 1 if math.isfinite(low) else 0  # so many values up to the lower end
    assert below == 0 or binom.cdf(below - 1, count, share) <= level / 2
    assert binom.cdf(below, count, share) > level / 2
    above = count - int(high) if math.isfinite(high) else 0
    assert above == 0 or binom.cdf(above - 1, count, 1 - share) <= level / 2
    assert binom.cdf(above, count, 1 - share) > level / 2


def test_where_a_law_has_a_gap_the_interval_holds_every_quantile() -> None:
    """Half the values are 0 and half are 1: every number between is a median."""
    middle = Quantile(0.5, 1e-3)
    middle.update((np.arange(1000) % 2).astype(float))
    assert middle.interval == (0.0, 1.0)


def test_what_is_known_only_between_two_values_widens_every_interval() -> None:
    values = np.random.default_rng(0).random(2000)
    for make in (
        lambda: Quantile(0.5, 1e-3, 0.0, 1.0),
        lambda: PairedVariance(0.0, 1.0, 1e-3, 0.1),
        lambda: AimedMean(0.0, 1.0, 1e-3),
    ):
        exact, open_ = make(), make()
        for part in (values[:100], values[100:]):
            exact.update(part)
            open_.update(np.maximum(part - 0.01, 0), np.minimum(part + 0.01, 1))
        assert open_.interval[0] < exact.interval[0]
        assert exact.interval[1] < open_.interval[1]
        assert open_.estimates[0] < exact.estimate < open_.estimates[1]


def test_an_observation_that_may_be_anything_leaves_a_quantile_an_interval() -> None:
    middle = Quantile(0.5, 1e-3)
    low, high = np.zeros(400), np.ones(400)
    low[:5], high[:5] = -math.inf, math.inf
    middle.update(low, high)
    assert middle.interval == (0.0, 1.0)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Quantile(1.5, 1e-3), "share = 1.5 is outside"),
        (lambda: Quantile(0.5, 0.0), "level = 0.0 is outside"),
        (lambda: Quantile(0.5, 1e-3, 1.0, 0.0), "want lower < upper"),
        (lambda: PairedVariance(0.0, 1.0, 2.0), "level = 2.0 is outside"),
        (lambda: Quantile(0.5, 1e-3, 0.0, 1.0).update([2.0]), "correct the range"),
        (lambda: PairedVariance(0.0, 1.0, 0.1).update([2.0]), "the range claimed is wrong"),
        (lambda: LogSlope([2, 2], 0.0, 1.0, 0.1), "two distinct numbers"),
        (lambda: quantile_interval([], 0.5, 0.1), "R >= 1"),
        (lambda: quantile_interval([1.0, math.nan], 0.5, 0.1), "values <= up_to"),
    ],
)
def test_what_makes_no_sense_is_refused(make: Callable[[], object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make()


# --- what has no range ----------------------------------------------------------------------------

FEWER = 80
ANY = (-math.inf, math.inf)
#: Laws without a range: draws, mean, variance, E(x - E x)⁴/(variance)².
WIDE: dict[str, tuple[Draw, float, float, float]] = {
    "normal": (lambda g, k: g.standard_normal(k), 0.0, 1.0, 3.0),
    "exponential": (lambda g, k: g.exponential(size=k), 1.0, 1.0, 9.0),
    "rare": (lambda g, k: 8.0 * (g.random(k) < 1 / 64), 1 / 8, 63 / 64, 62 + 1 / 63),
    "pareto": (lambda g, k: g.pareto(5.0, k), 1 / 4, 5 / 48, 73.8),
}


@pytest.mark.parametrize("law", [name for name in WIDE if name != "normal"])
@pytest.mark.parametrize("reference", [None, 0.2])
def test_a_mean_of_half_a_range_is_missed_as_seldom_as_stated(
    law: str, reference: float | None
) -> None:
    draw, mean, _, _ = WIDE[law]

    def make() -> Estimator:
        return OneSidedMean(0.0, math.inf, LEVEL, reference)

    assert missed(make, draw, mean) <= most()
    assert (
        missed(
            lambda: OneSidedMean(-math.inf, 0.0, LEVEL, reference), lambda g, k: -draw(g, k), -mean
        )
        <= most()
    )


@pytest.mark.parametrize("law", WIDE)
@pytest.mark.parametrize("spread", [None, 0.5])
def test_a_mean_by_its_variance_is_missed_as_seldom_as_stated(
    law: str, spread: float | None
) -> None:
    draw, mean, variance, _ = WIDE[law]
    found = missed(lambda: CatoniMean(LEVEL, variance, spread), draw, mean, FEWER)
    assert found <= most(runs=FEWER)


@pytest.mark.parametrize("law", WIDE)
def test_a_variance_by_a_kurtosis_is_missed_as_seldom_as_stated(law: str) -> None:
    draw, _, variance, kurtosis = WIDE[law]
    found = missed(lambda: PairedVariance(*ANY, LEVEL, kurtosis=kurtosis), draw, variance, FEWER)
    assert found <= most(runs=FEWER)
    assert missed(lambda: PairedVariance(*ANY, LEVEL), draw, variance) <= most()


@pytest.mark.parametrize("law", WIDE)
def test_a_mean_by_a_kurtosis_is_missed_as_seldom_as_stated(law: str) -> None:
    draw, mean, _, kurtosis = WIDE[law]
    assert missed(lambda: KurtosisMean(LEVEL, kurtosis), draw, mean, FEWER) <= most(runs=FEWER)


def test_a_distance_from_a_law_is_missed_as_seldom_as_stated() -> None:
    def make() -> Estimator:
        return KolmogorovDistance(lambda x: np.clip(x, 0.0, 1.0), LEVEL)

    assert missed(make, LAWS["uniform"][0], 0.0) <= most()
    assert missed(make, lambda g, k: g.random(k) ** 2, 1 / 4) <= most()
    assert missed(make, lambda g, k: (g.random(k) < 0.5).astype(float), 1 / 2) <= most()


def test_these_coverage_tests_notice_a_level_that_is_not_kept() -> None:
    """Prices of a hundredth, and bands of half their width, are missed too often."""

    class CheapMean(CatoniMean):
        def __init__(self) -> None:
            super().__init__(LEVEL, 1.0, 1.0)
            self._price = 0.4

    class CheapVariance(RelativeMean):
        def __init__(self) -> None:
            super().__init__(LEVEL, 3.0)
            self._price = 0.4

    class Narrow(KolmogorovDistance):
        def update(self, values: object, up_to: object = None) -> None:
            super().update(values)
            off = (self.interval[1] - self.estimate) / 2
            self.interval = max(self.estimate - off, 0.0), self.estimate + off

    normal = WIDE["normal"][0]
    assert missed(CheapMean, normal, 0.0, FEWER) > most(runs=FEWER)
    assert missed(CheapVariance, lambda g, k: normal(g, k) ** 2, 1.0, FEWER) > most(runs=FEWER)

    def narrow() -> Estimator:
        return Narrow(lambda x: np.clip(x, 0.0, 1.0), LEVEL)

    assert missed(narrow, LAWS["uniform"][0], 0.0) > most()


def test_an_assumption_that_is_false_is_no_part_of_what_is_certain() -> None:
    """A rare value carries the mean: a variance that leaves it out misses it, as it may."""
    draw, mean, _, _ = WIDE["rare"]
    assert missed(lambda: CatoniMean(LEVEL, 1e-4, 0.01), draw, mean, FEWER) > most(runs=FEWER)


@pytest.mark.parametrize("count", [200, 5000])
def test_the_ends_of_a_mean_by_its_variance_are_those_of_the_formula(count: int) -> None:
    """At the end the sum of influences is what it may be at most, for one of the numbers λ."""
    values = np.random.default_rng(5).exponential(size=count)
    found = CatoniMean(1e-3, 1.0, 1.0)
    found.update(values)
    price = math.log(2 * 14 / 1e-3)

    def excess(m: float, scale: float) -> float:
        x = scale * (values - m)
        phi = np.sign(x) * np.log1p(np.abs(x) + x * x / 2)
        return abs(float(phi.sum())) - count * math.log1p(scale**2 / 2) - price

    scales = np.sqrt(2 * price / np.exp2(np.arange(5.0, 19.0)))
    for end in found.interval:
        gaps = [excess(end, scale) for scale in scales]
        assert -1e-6 <= max(gaps) < 0.01 * price


def test_where_no_moment_is_assumed_a_variance_has_no_upper_end() -> None:
    spread = PairedVariance(*ANY, 1e-3)
    for _ in range(2):
        spread.update(np.random.default_rng(0).standard_normal(20_000))
    low, high = spread.interval
    assert 0.9 < low < 1 < high == math.inf
    assert 0 < spread.half_width < 0.1


def test_a_sample_that_may_be_anything_bounds_no_mean_without_a_range() -> None:
    values = np.random.default_rng(0).standard_normal(2000)
    lost = np.where(np.arange(2000) == 1500, math.inf, values)
    for make in (
        lambda: CatoniMean(1e-3, 1.0),
        lambda: KurtosisMean(1e-3, 4.0),
        lambda: PairedVariance(*ANY, 1e-3, kurtosis=4.0),
    ):
        sequence = make()
        sequence.update(values[:10])
        sequence.update(np.minimum(values, lost), lost)
        assert sequence.interval[1] == math.inf
        assert math.isfinite(sequence.estimate)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: OneSidedMean(0.0, 1.0, 0.1), "want one infinite end"),
        (lambda: OneSidedMean(-math.inf, math.inf, 0.1), "want one infinite end"),
        (lambda: OneSidedMean(0.0, math.inf, 0.1).update([-1.0]), "the range claimed is wrong"),
        (lambda: OneSidedMean(0.0, math.inf, 0.1).update([math.nan]), "the range claimed is wrong"),
        (lambda: CatoniMean(0.1, 0.0), "variance = 0.0: want a positive"),
        (lambda: CatoniMean(0.1, 1.0, 1.0).update([math.nan]), "values <= up_to"),
        (lambda: RelativeMean(0.1, 1.0), "ratio = 1.0: want a finite number above 1"),
        (lambda: RelativeMean(0.1, 2.0).update([-1.0]), "of at least 0"),
        (lambda: KurtosisMean(0.1, 0.5), "no law has one below 1"),
        (lambda: KolmogorovDistance(lambda x: x, 0.1).update([math.nan]), "no number"),
    ],
)
def test_a_range_or_a_moment_that_makes_no_sense_is_refused(
    make: Callable[[], object], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        make()


def test_a_bracket_leaves_out_what_lies_between_as_seldom_as_stated() -> None:
    """Any number between the least and the greatest mean; all of them at once."""

    def make() -> Estimator:
        return Bracket([BoundedMean(0.0, 1.0, LEVEL / 2, 0.3) for _ in range(2)])

    def draw(generator: np.random.Generator, count: int) -> np.ndarray:
        values = generator.random(count)
        return np.stack([values**2, values], axis=1)

    for truth in (1 / 3, 0.4, 1 / 2):
        assert missed(make, draw, truth) <= most()


def test_a_bracket_ends_with_the_farthest_of_its_parts() -> None:
    parts = [BoundedMean(0.0, 1.0, 1e-3) for _ in range(3)]
    between = Bracket(parts)
    between.update(np.tile([0.25, 0.75, 0.5], (4000, 1)))
    assert between.interval == (parts[0].interval[0], parts[1].interval[1])
    assert (between.count, between.estimate) == (4000, 0.5)
    assert between.half_width > 0.25
    with pytest.raises(ValueError, match="want two or more"):
        Bracket(parts[:1])


def test_a_function_takes_the_places_that_it_is_told() -> None:
    parts = {"slope": LogSlope([1, 3], 0.0, 1.0, 1e-3), "mean": BoundedMean(0.0, 1.0, 1e-3)}
    both = EstimatedFunction(lambda ends: ends["mean"], parts, (0.0, 1.0), [[0, 2], [1]])
    both.update(np.tile([0.5, 0.25, 0.125], (100, 1)))
    both.update(np.tile([0.5, 0.25, 0.125], (20_000, 1)))
    assert both.estimate == pytest.approx(0.25)
    assert parts["slope"].estimate == pytest.approx(-math.log(2))


def test_a_function_of_numbers_takes_no_observations_at_all() -> None:
    """As where no replica of a batch has a value."""
    both = EstimatedFunction(lambda ends: ends["a"], {"a": Quantile(0.5, 1e-6)}, (-1.0, 1.0))
    both.update(np.empty((0, 1)))
    assert both.count == 0
