"""Confidence sequences for bounded means: exact and simulated coverage, sharpness, rounding, doors, decisions.

The simulated coverage tests allow miscoverage up to a binomial quantile. Together they fail by
chance, were the sequences' error exactly their level, with probability below 1e-6; seeds are fixed,
so a failure repeats.
"""

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import flint
import numpy as np
import pytest
from scipy.stats import binom

from theorems.checking.confidence_sequence import (
    BLOCK,
    BoundedMean,
    LowerBound,
    decide_at_least,
    decide_at_most,
    decide_equal,
)

EPS = float(np.finfo(float).eps)

Draw = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]
Interval = tuple[float, float]


def bernoulli(p: float) -> Draw:
    return lambda rng, shape: (rng.random(shape) < p).astype(float)


def two_point(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return np.where(rng.random(shape) < 0.05, 1.0, 0.45)


def tiny(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.choice([0.0, 0.004, 0.01, 0.03], p=[0.4, 0.3, 0.2, 0.1], size=shape)


LAWS: dict[str, tuple[Draw, float]] = {
    "coin": (bernoulli(0.5), 0.5),
    "rare": (bernoulli(0.01), 0.01),
    "beta": (lambda rng, shape: rng.beta(2, 5, shape), 2 / 7),
    "concentrated": (lambda rng, shape: rng.beta(50, 50, shape), 0.5),
    "uniform": (lambda rng, shape: rng.random(shape), 0.5),
    "tiny": (tiny, 0.0012 + 0.002 + 0.003),
    "two-point": (two_point, 0.05 + 0.95 * 0.45),
}
LEVELS = (0.1, 0.05)
FALSE_ALARM = 1e-6 / (2 * len(LAWS) * len(LEVELS))  # two tests for each law and level
REPETITIONS, LENGTH = 1000, 1000


def betting(values: np.ndarray, level: float, reference: float | None) -> Interval:
    sequence = BoundedMean(0.0, 1.0, level, reference)
    sequence.update(values)
    return sequence.interval


def fixed_time(values: np.ndarray, level: float, reference: float | None) -> Interval:
    """Sentinel: the normal interval for one fixed time, intersected over all times from 30 on."""
    count = np.arange(1, len(values) + 1)
    mean = np.cumsum(values) / count
    deviation = np.sqrt(np.maximum(np.cumsum(values**2) / count - mean**2, 0.0))
    width = 1.96 * deviation / np.sqrt(count)
    return float((mean - width)[30:].max()), float((mean + width)[30:].min())


def peeking(values: np.ndarray, level: float, reference: float | None) -> Interval:
    """Sentinel: the gambler sees the observation and stakes only in the rounds won against mean
    1/2.
    """
    winning = np.maximum(values, 0.5)
    return betting(winning, level, reference)[0], 1.0


def miscoverages(
    method: Callable[..., Interval], law: str, level: float, reference: float | None
) -> int:
    """How many of the runs ever exclude the mean: intervals are nested, so the last one tells."""
    draw, mean = LAWS[law]
    runs = draw(np.random.default_rng([7, list(LAWS).index(law)]), (REPETITIONS, LENGTH))
    intervals = [method(run, level, reference) for run in runs]
    return sum(not low <= mean <= high for low, high in intervals)


def tolerable(misses: int, level: float) -> bool:
    return bool(binom.sf(misses - 1, REPETITIONS, level) >= FALSE_ALARM)


@pytest.mark.parametrize("aimed", [False, True])
@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("law", LAWS)
def test_coverage_at_all_times(law: str, level: float, aimed: bool) -> None:
    misses = miscoverages(betting, law, level, LAWS[law][1] if aimed else None)
    assert tolerable(misses, level), (
        f"{law}: {misses} of {REPETITIONS} runs exclude the mean at level {level}"
    )


@pytest.mark.parametrize("sentinel", [fixed_time, peeking])
@pytest.mark.parametrize("law", ["coin", "uniform"])
def test_invalid_methods_are_caught(law: str, sentinel: Callable[..., Interval]) -> None:
    assert not tolerable(miscoverages(sentinel, law, 0.05, None), 0.05)


def miscoverage_by_enumeration(
    length: int, scales: list[float], level: float, charged: float
) -> float:
    """The largest P(bound > p) over p, exact over all coin sequences, for a bound that is paid
    `charged`.
    """
    outcomes = np.array(list(itertools.product([0.0, 1.0], repeat=length)))
    counts = np.arange(1.0, length + 1)
    bounds = np.empty(len(outcomes))
    for i, outcome in enumerate(outcomes):
        lower = LowerBound(np.array(scales), -math.log(charged))
        lower.extend(outcome, np.arange(length), counts)
        bounds[i] = lower.bound
    successes = outcomes.sum(axis=1)
    worst = 0.0
    for p in np.unique(bounds[bounds > 0]) * (
        1 - 1e-9
    ):  # P(bound > p) is largest just below a jump
        weights = p**successes * (1 - p) ** (length - successes)
        worst = max(worst, float(weights[bounds > p].sum()))
    return worst / level


@pytest.mark.parametrize("scales", [[8.0], [64.0], [0.5, 4.0, 32.0]])
@pytest.mark.parametrize("level", [0.3, 0.02])
def test_exact_coverage_of_one_side(scales: list[float], level: float) -> None:
    ratio = miscoverage_by_enumeration(9, scales, level, level)
    assert 0.25 < ratio <= 1.0  # the level is kept, and nearly used up where one scale has it all


def test_exact_coverage_catches_a_level_taken_twice() -> None:
    assert miscoverage_by_enumeration(9, [64.0], 0.02, 0.04) > 1.0


def log_capital(scaled: np.ndarray, scale: float, candidate: float) -> np.ndarray:
    stake = scale / (1 + scale * candidate)
    return np.cumsum(np.log(1 + stake * (scaled - candidate)))


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("length", [200, 256])
def test_bounds_are_where_the_capital_reaches_its_target(law: str, length: int) -> None:
    """Against the definition: stakes λ on x - m, capital ∏ (1 + λ (x - m)), target 2 J / level."""
    draw, mean = LAWS[law]
    values = draw(np.random.default_rng(11), (length,))
    sequence = BoundedMean(0.0, 1.0, 0.1, mean)
    sequence.update(values)
    low, high = sequence.interval
    for bound, scaled, side in (
        (low, values, sequence._from_below),
        (1 - high, 1 - values, sequence._from_above),
    ):
        target = math.log(2 * len(side.scales) / 0.1)
        for candidate, rejected in ((bound * (1 - 1e-6), True), (bound * (1 + 1e-6) + 1e-9, False)):
            best = max(log_capital(scaled, scale, candidate).max() for scale in side.scales)
            assert bool(best >= target) is rejected or bound == 0.0


@pytest.mark.parametrize("law", ["coin", "rare", "beta", "concentrated", "uniform"])
@pytest.mark.parametrize("count", [10**4, 10**5, 10**6])
def test_width_adapts_to_the_variance(law: str, count: int) -> None:
    draw, mean = LAWS[law]
    values = draw(np.random.default_rng(3), (count,))
    sequence = BoundedMean(0.0, 1.0, 1e-8, mean)
    sequence.update(values)
    fixed = values.std() * math.sqrt(2 * math.log(2 / 1e-8) / count)
    assert sequence.half_width < 1.2 * fixed


def test_lower_bound_is_sharp_for_a_mean_tiny_beside_the_range() -> None:
    values = np.random.default_rng(5).exponential(1e-5, 10**4)
    level_width = 1e-5 * math.sqrt(2 * math.log(2 / 1e-8) / len(values))
    margins = {}
    for reference in (None, 1e-5):
        sequence = BoundedMean(0.0, 1.0, 1e-8, reference)
        sequence.update(values)
        margins[reference] = (sequence.mean - sequence.interval[0]) / level_width
    assert margins[1e-5] < 1.2
    assert margins[None] > 1.5  # so the reference is what makes it sharp


def test_intervals_are_nested_and_independent_of_batches() -> None:
    values = np.random.default_rng(8).beta(2, 3, 40_000)
    whole = BoundedMean(-3.0, 5.0, 0.01, 1.0)
    whole.update(8 * values - 3)
    pieces = BoundedMean(-3.0, 5.0, 0.01, 1.0)
    previous = pieces.interval
    assert previous == (-3.0, 5.0)
    for piece in np.split(8 * values - 3, [1, 1, 2, 7, 300, 8200, 8201, 16384, 33333]):
        pieces.update(piece)
        assert previous[0] <= pieces.interval[0] < pieces.interval[1] <= previous[1]
        previous = pieces.interval
    # The only difference is rounding: some 1e4 operations of relative error 1e-16 each.
    assert pieces.interval == pytest.approx(whole.interval, rel=1e-11)
    assert pieces.count == whole.count == 40_000
    assert pieces.mean == pytest.approx(whole.mean, rel=1e-12)
    assert whole.mean == pytest.approx(float(np.mean(8 * values - 3)), rel=1e-12)
    assert whole.half_width == (whole.interval[1] - whole.interval[0]) / 2


def test_reflection_swaps_the_sides() -> None:
    values = np.random.default_rng(9).beta(1, 6, 5000)
    one, other = BoundedMean(0.0, 1.0, 0.01, 0.125), BoundedMean(-1.0, 0.0, 0.01, -0.125)
    one.update(values)
    other.update(-values)
    assert other.interval == pytest.approx((-one.interval[1], -one.interval[0]), rel=1e-12)


@pytest.mark.parametrize(
    ("lower", "upper"), [(0.0, 1.0), (-1e300, 1e300), (1e9, 1e9 + 1), (0.0, 5e-324), (-7.0, 0.0)]
)
def test_constant_observations(lower: float, upper: float) -> None:
    for value in (lower, lower / 2 + upper / 2, upper):
        for reference in (None, lower, value, upper):
            sequence = BoundedMean(lower, upper, 1e-8, reference)
            sequence.update(np.full(5000, value))
            low, high = sequence.interval
            assert lower <= low <= value <= high <= upper
            assert low <= sequence.mean <= high
            assert high - low <= 0.03 * (upper - lower) or upper == 5e-324
            assert (low == lower) is (value == lower) or upper == 5e-324


def enclosed_bound(scaled: list[flint.arb], scales: np.ndarray, level: float) -> flint.arb:
    """The lower bound as the module's head defines it, in ball arithmetic."""
    best = flint.arb(0)
    for scale in map(flint.arb, scales.tolist()):
        total, cost = flint.arb(0), (flint.arb(2 * len(scales)) / level).log()
        for count, value in enumerate(scaled, start=1):
            total += (1 + scale * value).log()
            best = best.max((((total - cost) / count).exp() - 1) / scale)
    return best


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    ("lower", "upper"), [(0.0, 1.0), (0.1, 0.7), (-1e-3, 1e5), (1e6, 1e6 + 0.1)]
)
def test_rounding_errs_outwards(lower: float, upper: float, seed: int) -> None:
    values = np.random.default_rng(seed).uniform(lower, upper, 80).clip(lower, upper)
    sequence = BoundedMean(lower, upper, 0.1, lower + 0.01 * (upper - lower))
    sequence.update(values)
    low, high = sequence.interval
    with flint.ctx.workprec(200):
        span = flint.arb(upper) - lower
        rise = span * enclosed_bound(
            [(flint.arb(x) - lower) / span for x in values.tolist()],
            sequence._from_below.scales,
            0.1,
        )
        fall = span * enclosed_bound(
            [(upper - flint.arb(x)) / span for x in values.tolist()],
            sequence._from_above.scales,
            0.1,
        )
        slack = 1e-9 * (upper - lower) + 1e-15 * max(abs(lower), abs(upper))
        assert low < lower + rise < low + slack
        assert high - slack < upper - fall < high


@pytest.mark.parametrize("level", [1e-300, 5e-324, 0.999])
def test_extreme_levels(level: float) -> None:
    sequence = BoundedMean(0.0, 1.0, level)
    sequence.update(np.random.default_rng(1).random(20_000))
    low, high = sequence.interval
    assert 0.3 < low < 0.5 < high < 0.7


def test_observation_types() -> None:
    for values in (
        np.array([True, False]),
        [0, 1],
        np.array([0.5], dtype=np.float32),
        np.array([], dtype=float),
    ):
        sequence = BoundedMean(0.0, 1.0, 0.1)
        sequence.update(values)
        assert sequence.count == len(values)
    assert math.isnan(sequence.mean)


@pytest.mark.parametrize("bad", [1.5, -0.25, math.nan, math.inf, -math.inf])
def test_observation_outside_the_range_is_refused_whole(bad: float) -> None:
    sequence = BoundedMean(0.0, 1.0, 0.1)
    with pytest.raises(ValueError, match=r"values\[2\] = .*range claimed"):
        sequence.update([0.5, 0.25, bad])
    assert sequence.count == 0
    assert sequence.interval == (0.0, 1.0)


@pytest.mark.parametrize(
    "bad", [np.zeros((2, 2)), np.array(0.5), np.array([1j]), np.array(["a"]), [None]]
)
def test_observations_of_the_wrong_kind_are_refused(bad: object) -> None:
    with pytest.raises(ValueError, match="values has shape"):
        BoundedMean(0.0, 1.0, 0.1).update(bad)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ((math.nan, 1, 0.1), "lower"),
        ((0, math.inf, 0.1), "upper"),
        ((1, 1, 0.1), "lower, upper"),
        ((2, 1, 0.1), "lower, upper"),
        ((-1e308, 1e308, 0.1), "lower, upper"),
        ((0, 1, 0), "level"),
        ((0, 1, 1), "level"),
        ((0, 1, math.nan), "level"),
        ((0, 1, "x"), "level"),
        ((0, 1, 0.1, math.nan), "reference"),
    ],
)
def test_sequence_arguments_are_checked(arguments: tuple[float, ...], name: str) -> None:
    with pytest.raises(ValueError, match=rf"^{name} = "):
        BoundedMean(*arguments)


def test_a_lower_bound_gives_up_what_rounding_may_have_added() -> None:
    one = LowerBound(np.array([1.0]), 0.0)  # no cost: the capital reaches its target at the mean
    for blocks in (1, 2):
        one.extend(np.array([1.0]), np.array([0]), np.array([float(blocks)]))
        assert one.blocks == blocks
    additions = BLOCK + 1 + 16
    first = np.expm1(np.log1p(1.0) * (1 - additions * EPS))
    assert one.bound == first * (1 - 2.0**7 * EPS)


def test_an_interval_is_four_roundings_of_its_terms_wider() -> None:
    sequence = BoundedMean(-1.0, 1.0, 0.1)
    for side in (sequence._from_below, sequence._from_above):
        side.bound = (1 - 2.0**-10) / 2  # its end is 2^-10 away from 0, where floats are dense
    outwards = 2.0**-10 + 4 * EPS * (2 - 2.0**-10)
    assert sequence.interval == (-outwards, outwards)


def test_the_mean_of_observations_known_between_values_is_in_the_middle() -> None:
    sequence = BoundedMean(0.0, 1.0, 0.1)
    sequence.update(np.array([0.2, 0.4]), np.array([0.6, 0.8]))
    assert sequence.mean == pytest.approx(0.5)
    assert sequence.means == pytest.approx((0.3, 0.7))


def narrow(center: float = 0.5) -> BoundedMean:
    sequence = BoundedMean(center - 0.5, center + 0.5, 1e-6)
    sequence.update(np.full(20_000, center))
    return sequence


def empty() -> BoundedMean:
    """The mean drifts from one end to the other: no constant mean fits, and the interval is empty."""
    sequence = BoundedMean(0.0, 1.0, 1e-6)
    sequence.update(np.concatenate([np.zeros(1000), np.ones(9000)]))
    assert sequence.half_width < 0
    return sequence


def test_decisions() -> None:
    sequence = narrow()
    low, high = sequence.interval
    assert 0.49 < low < 0.5 < high < 0.51
    assert [decide_at_most(sequence, b) for b in (0.4, low, 0.5, high)] == [
        "refuted",
        "undecided",
        "undecided",
        "supported",
    ]
    assert [decide_at_least(sequence, b) for b in (0.6, high, 0.5, low)] == [
        "refuted",
        "undecided",
        "undecided",
        "supported",
    ]
    assert decide_equal(sequence, 0.5, 0.02) == decide_equal(sequence, low, 0.02) == "supported"
    assert decide_equal(sequence, 0.5, 1e-6) == "undecided"
    assert decide_equal(sequence, 0.6, 1.0) == decide_equal(sequence, 0.4, 1.0) == "refuted"
    assert decide_equal(narrow(-0.5), -0.5, 0.02) == "supported"


def test_an_interval_of_one_point_is_not_empty() -> None:
    """All the observations at the end of their range, and none to come: the mean is that end."""

    @dataclass(frozen=True)
    class Known:
        interval: tuple[float, float] = (0.5, 0.5)
        half_width: float = 0.0

    assert decide_equal(cast(BoundedMean, Known()), 0.5, 0.1) == "supported"
    assert decide_equal(cast(BoundedMean, Known()), 0.6, 0.1) == "refuted"


def test_an_empty_interval_decides_nothing() -> None:
    sequence = empty()
    for value in (0.01, 0.5, 0.99):
        assert decide_at_most(sequence, value) == "undecided"
        assert decide_at_least(sequence, value) == "undecided"
        assert decide_equal(sequence, value, 0.1) == "undecided"


def test_an_equality_with_0_is_told_to_a_share_of_the_range() -> None:
    sequence = BoundedMean(-1.0, 1.0, 1e-6, reference=0.0)
    sequence.update(np.tile([-0.5, 0.5], 1000))
    assert decide_equal(sequence, 0.0, 0.1) == "undecided"
    sequence.update(np.tile([-0.5, 0.5], 50_000))
    assert sequence.half_width < 0.02
    assert decide_equal(sequence, 0.0, 0.1) == "supported"
    assert decide_equal(sequence, 0.0, sequence.half_width * 4.9) == "undecided"
    off = BoundedMean(-1.0, 1.0, 1e-6, reference=0.0)
    off.update(np.full(10_000, 0.1))
    assert decide_equal(off, 0.0, 0.1) == "refuted"


def test_decision_arguments_are_checked() -> None:
    sequence = narrow()
    for decide in (decide_at_most, decide_at_least):
        with pytest.raises(ValueError, match=r"^bound = nan"):
            decide(sequence, math.nan)
    for value, resolution, name in (
        (math.inf, 0.1, "value"),
        (1.0, 0.0, "resolution"),
    ):
        with pytest.raises(ValueError, match=f"^{name} = "):
            decide_equal(sequence, value, resolution)
