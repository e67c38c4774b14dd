"""Intervals, turns and exponents of the benchmarks, on times whose truth is known."""

from __future__ import annotations

import doctest
import math
from types import ModuleType

import numpy as np
import pytest
from scipy.stats import binomtest, mannwhitneyu

from bench import error_rates, intervals, timing
from bench.growth import Sizes, grown
from bench.intervals import fewest, median_interval, shift_above
from bench.memory import Simulation, peak
from bench.pair import Pair, Total, Work, measured, totalled
from bench.report import Against, drawings, numbers
from bench.timing import in_turns
from tests.synthetic_times import ModelledClock

TRIALS = 2000
RAREST = 1e-6
"""Probability that a test of a rate fails where the rate is right."""


def no_more_than(level: float, errors: int, trials: int) -> bool:
    """Whether so many errors may come from a rate of ``level`` or less."""
    return bool(binomtest(errors, trials, level, "greater").pvalue > RAREST)


@pytest.mark.parametrize("count", [6, 9, 12])
@pytest.mark.parametrize("law", ["normal", "exponential", "standard_cauchy"])
def test_the_interval_of_a_median_misses_it_rarely_whatever_the_law(count: int, law: str) -> None:
    draw = np.random.default_rng(1)
    middle = {"normal": 0.0, "exponential": math.log(2), "standard_cauchy": 0.0}[law]
    errors = 0
    for values in getattr(draw, law)(size=(TRIALS, count)):
        found = median_interval(values)
        errors += not found.low <= middle <= found.high
    assert no_more_than(0.05, errors, TRIALS)
    if count == 6:  # the level is 2/64 then, and an interval shorter by one value misses more often
        assert errors > 0.5 * TRIALS * 2 / 64


def test_too_few_rounds_for_an_interval_are_refused() -> None:
    assert 2 * 0.5 ** fewest(0.05) <= 0.05 < 2 * 0.5 ** (fewest(0.05) - 1)
    with pytest.raises(ValueError, match="values holds 5; want at least 6"):
        median_interval([1.0] * 5)


@pytest.mark.parametrize(("m", "n"), [(5, 4), (9, 9), (7, 11)])
@pytest.mark.parametrize("level", [0.05, 0.01])
def test_the_bound_of_a_shift_is_where_the_exact_test_rejects(m: int, n: int, level: float) -> None:
    draw = np.random.default_rng(2)
    for _ in range(20):
        new, old = draw.normal(size=m), draw.normal(size=n)
        low = shift_above(new, old, level).low

        def p(shift: float, new: np.ndarray = new, old: np.ndarray = old) -> float:
            return float(
                mannwhitneyu(new - shift, old, alternative="greater", method="exact").pvalue
            )

        assert p(low - 1e-9) <= level < p(low + 1e-9)


def test_a_shift_is_exceeded_rarely_whatever_the_law() -> None:
    draw = np.random.default_rng(3)
    errors = 0
    for _ in range(TRIALS):
        old, new = draw.exponential(size=(2, 9))
        errors += shift_above(new + 0.5, old, 0.05).low > 0.5
    assert no_more_than(0.05, errors, TRIALS)
    assert errors > 0.02 * TRIALS, "a bound that never errs says nothing"


def test_too_few_values_for_a_level_give_no_bound() -> None:
    assert shift_above([5, 6], [1, 2], 0.05).low == -math.inf


def test_actions_take_turns_in_an_order_that_rotates() -> None:
    clock = ModelledClock()
    actions = [clock.action(name, cost) for name, cost in (("a", 1.0), ("b", 2.0), ("c", 4.0))]
    found = in_turns(actions, 3, clock.clocks, least=0.5)
    assert "".join(clock.calls) == "abc" + "abc" + "bca" + "cab"
    assert [each.cpu for each in found] == [(1.0,) * 3, (2.0,) * 3, (4.0,) * 3]


def test_an_action_of_little_time_is_repeated() -> None:
    clock = ModelledClock()
    (found,) = in_turns([clock.action("a", 0.03)], 2, clock.clocks, least=0.1)
    assert clock.calls == ["a"] * (1 + 2 * 4)
    assert found.cpu == pytest.approx((0.03, 0.03))


def pair(clock: ModelledClock, ours: float, others: tuple[float, ...], name: str = "p") -> Pair:
    return Pair(
        name,
        Against.LOOP,
        "factor",
        "a layer",
        Work("ours", clock.action("ours", ours), amount=2.0),
        tuple(Work(f"other {k}", clock.action("other", cost)) for k, cost in enumerate(others)),
        target=10.0,
    )


def test_a_ratio_is_for_a_unit_of_work_and_against_the_quickest() -> None:
    clock = ModelledClock()
    found = measured(pair(clock, 1.0, (9.0, 6.0)), clocks=clock.clocks)
    assert found.found.value == pytest.approx(12.0)
    assert found.quickest.words == "other 1"
    assert (found.standing, found.meets) == ("met", True)
    assert found.log_costs == pytest.approx([math.log(0.5 / 9.0)] * 9), "compared by the first"


@pytest.mark.parametrize(("cost", "standing"), [(6.0, "met"), (4.0, "missed")])
def test_a_target_is_met_or_missed_on_its_own_side(cost: float, standing: str) -> None:
    clock = ModelledClock()
    assert measured(pair(clock, 1.0, (cost,)), clocks=clock.clocks).standing == standing


def test_a_total_is_the_ratio_of_sums() -> None:
    clock = ModelledClock()
    parts = (pair(clock, 2.0, (8.0,), "p"), pair(clock, 4.0, (10.0,), "q"))
    ratios = [measured(each, clocks=clock.clocks) for each in parts]
    found = totalled(Total("both", parts, 5.0), ratios)
    assert found.found.value == pytest.approx(18 / 3)
    assert (found.name, found.target) == ("both", 5.0)


@pytest.mark.parametrize("exponent", [0.5, 1.0, 2.0])
def test_an_exponent_is_that_of_the_cost_model_without_its_start(exponent: float) -> None:
    clock = ModelledClock()

    def run(size: int, amount: int) -> None:
        clock.action("run", 5.0 + amount * 1e-3 * size**exponent)()

    sizes = Sizes("s", "width", "factor", (10, 100, 1000), run, (7, 5, 3), 1.1)
    found = grown(sizes, clocks=clock.clocks)
    assert found.found.value == pytest.approx(exponent)
    assert found.standing == ("met" if exponent < 1.1 else "missed")


def test_work_that_this_clock_cannot_see_is_refused() -> None:
    clock = ModelledClock()
    sizes = Sizes(
        "s", "width", "factor", (10, 100), lambda *_: clock.action("run", 1.0)(), (1, 1), 1
    )
    with pytest.raises(ValueError, match="twice the amount took no longer"):
        grown(sizes, clocks=clock.clocks)


def test_the_peak_of_a_process_is_not_that_of_the_one_that_started_it() -> None:
    held = np.ones(2**25)  # 256 MiB, more than all that is imported there
    found = peak(
        Simulation("s", "factor", "rescale_chain(64)", (4, 4), "depth=2", most=held.nbytes)
    )
    assert 0 < found.before <= found.peak < held.nbytes
    assert found.standing == "met"


@pytest.mark.parametrize(
    "module",
    [drawings, error_rates, intervals, numbers, timing],
    ids=lambda module: module.__name__,
)
def test_examples_in_docstrings_give_what_they_show(module: ModuleType) -> None:
    found = doctest.testmod(module)
    assert found.attempted > 0
    assert found.failed == 0
