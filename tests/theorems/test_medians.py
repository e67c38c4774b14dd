"""Medians over independent networks: the interval, the judgement at its ends, what keeps a case
from deciding.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sympy as sp
from scipy.stats import binom

from simulators.batches import Batch
from theorems import Sentinel, Statement, Verdict
from theorems.checking.confidence_intervals import median_interval
from theorems.checking.medians import Case, Medians, Sample, within
from theorems.context import Context
from theorems.families.rank.average import WIDTH
from theorems.families.rank.notation import OURS, d
from theorems.statement import Quantifier
from theorems.verification import verify

X = sp.Symbol("X", real=True)
Y = sp.Symbol("Y", real=True)


def test_the_interval_is_made_of_order_statistics() -> None:
    values = np.arange(100.0)[::-1]
    low, high = median_interval(values, 0.05)
    count = int(low) + 1  # the count-th smallest
    assert binom.cdf(count - 1, 100, 0.5) <= 0.025 < binom.cdf(count, 100, 0.5)
    assert (low, high) == (39.0, 60.0)


def test_too_few_values_bound_nothing() -> None:
    assert median_interval(np.ones(10), 1e-3) == (-math.inf, math.inf)
    # all ten lie on one side of the median with probability 2^-9
    assert median_interval(np.ones(10), 0.999 * 2.0**-9) == (-math.inf, math.inf)
    assert median_interval(np.ones(10), 1.001 * 2.0**-9) == (1, 1)
    assert median_interval(np.ones(11), 1e-3) == (1.0, 1.0)


@pytest.mark.parametrize(
    "law", [np.random.Generator.standard_cauchy, np.random.Generator.standard_exponential]
)
def test_the_interval_misses_the_median_as_seldom_as_it_says(law: Callable[..., Any]) -> None:
    median = {"standard_cauchy": 0.0, "standard_exponential": math.log(2)}[law.__name__]
    rng, misses = np.random.default_rng(1), 0
    for _ in range(4000):
        low, high = median_interval(law(rng, 31), 0.1)
        misses += not low <= median <= high
    assert misses / 4000 < 0.1 + 6 * (0.1 * 0.9 / 4000) ** 0.5
    assert misses > 100  # and not by being wide


@pytest.mark.parametrize(
    ("values", "level"),
    [([], 0.1), ([[1.0]], 0.1), ([math.nan], 0.1), (["a"], 0.1), ([1.0], 0.0), ([1.0], 1.0)],
)
def test_arguments_of_the_interval_are_checked(values: Any, level: float) -> None:
    with pytest.raises(ValueError, match=r"values|level"):
        median_interval(values, level)


def claim(
    relation: str, rhs: Any, other: Any, cases: list[Case], lhs: Any = X, **more: Any
) -> Statement:
    return Statement(
        family="rank",
        theorem="claim",
        title="",
        quantifier=Quantifier.LIMIT,
        source=OURS,
        variables=(WIDTH,),
        definitions={X: "", Y: ""},
        lhs=lhs,
        relation=relation,
        rhs=sp.sympify(rhs),
        sentinel=Sentinel("", rhs=sp.sympify(other)),
        expected=Verdict.SUPPORTED,
        checks=(Medians(lambda batch: cases, **more),),
    )


def case(*arrays: Any, obstacle: str = "", y: Any = None) -> Case:
    values = {"X": list(arrays)} | ({} if y is None else {"Y": [y]})
    return Case("a case", {"d": 4}, lambda context: Sample(values, obstacle), len(values) + 1)


NEAR_TWO = np.random.default_rng(2).normal(2, 0.1, 200)


@pytest.mark.parametrize(
    ("relation", "rhs", "other", "verdict", "sentinel"),
    [
        (">=", sp.sqrt(d) * 3 / 4, sp.sqrt(d) * 5 / 4, "supported", "refuted"),
        (">=", sp.sqrt(d) * 5 / 4, sp.sqrt(d) * 3 / 4, "refuted", "supported"),
        ("<=", 2.5, 1.5, "supported", "refuted"),
        ("<=", 2, 1, "inconclusive", "refuted"),
        ("==", 2, 3, "supported", "refuted"),
        ("==", 3, 2, "refuted", "supported"),
    ],
)  # fmt: skip
def test_both_claims_are_judged_by_the_same_interval(
    relation: str, rhs: Any, other: Any, verdict: str, sentinel: str
) -> None:
    statement = claim(
        relation, sp.nsimplify(rhs), sp.nsimplify(other), [case(NEAR_TWO)], resolution=0.05
    )
    (result,) = verify([statement])
    assert (result.verdict.value, result.evidence[0].sentinel.value) == (verdict, sentinel)


def test_an_equality_needs_a_narrow_interval() -> None:
    (result,) = verify([claim("==", 2, 3, [case(NEAR_TWO)], resolution=1e-4)])
    assert result.verdict is Verdict.INCONCLUSIVE


def test_a_claim_is_made_of_every_start() -> None:
    both = claim(">=", 1, 3, [case(NEAR_TWO, NEAR_TWO - 1.5)])
    assert verify([both])[0].verdict is Verdict.INCONCLUSIVE
    assert (
        verify([claim(">=", 1, 3, [case(NEAR_TWO, NEAR_TWO + 1.5)])])[0].verdict
        is Verdict.SUPPORTED
    )


def test_sides_may_join_several_samples() -> None:
    low = claim(">=", 1, 5, [case(NEAR_TWO, y=NEAR_TWO - 2)], lhs=sp.Min(X, Y))
    assert verify([low])[0].verdict is Verdict.REFUTED
    assert (
        verify([claim(">=", 1, 5, [case(NEAR_TWO, y=NEAR_TWO)], lhs=sp.Min(X, Y))])[0].verdict
        is Verdict.SUPPORTED
    )


def test_what_is_decided_is_not_called_undecided() -> None:
    (result,) = verify([claim(">=", 1, 3, [case(NEAR_TWO), case(NEAR_TWO)])])
    assert result.evidence[0].summary == "medians of 2 chains"
    assert result.evidence[0].details["sentinel_refuted_on"] == 2


def test_one_refuted_case_refutes_and_one_open_case_leaves_it_open() -> None:
    good, bad = case(NEAR_TWO), case(NEAR_TWO - 5)
    assert verify([claim(">=", 1, 3, [good, bad])])[0].verdict is Verdict.REFUTED
    for open_case in (case(NEAR_TWO, obstacle="the start is not forgotten"), case(NEAR_TWO[:5])):
        (result,) = verify([claim(">=", 1, 3, [good, open_case])])
        assert result.verdict is Verdict.INCONCLUSIVE
        assert "undecided" in result.evidence[0].summary
        result.as_json()


@pytest.mark.parametrize(
    ("open_", "summary"),
    [
        (case(NEAR_TWO, obstacle="the start is not forgotten"), "the start is not forgotten"),
        (case(NEAR_TWO[:5]), "too few networks for the level"),
    ],
)
def test_an_open_case_says_nothing_of_either_claim(open_: Case, summary: str) -> None:
    statement = claim(">=", 1, 3, [open_])
    found = statement.checks[0](statement, Context(0, 1e-6))
    assert (found.verdict, found.sentinel) == (Verdict.INCONCLUSIVE, Verdict.INCONCLUSIVE)
    (row,) = found.details["readouts"]
    assert (row["verdict"], row["sentinel"]) == ("inconclusive", "inconclusive")
    assert found.summary == f"medians of 1 chain, 1 undecided: {summary}"


def test_every_sample_has_its_part_of_the_level() -> None:
    statement = claim(">=", 1, 3, [case(NEAR_TWO, y=NEAR_TWO), case(NEAR_TWO)])
    found = statement.checks[0](statement, Context(0, 1e-2))
    for row in found.details["readouts"]:  # three parts and two
        assert (row["low X"], row["high X"]) == median_interval(NEAR_TWO, 1e-2 / 5)
        assert within(NEAR_TWO, 1e-2 / 5) == median_interval(NEAR_TWO, 1e-2 / 5)


@pytest.mark.parametrize(
    ("relation", "left", "right", "verdict"),
    [
        ("<=", (1, 2), (2, 3), Verdict.SUPPORTED),
        ("<", (1, 2), (2, 3), Verdict.INCONCLUSIVE),
        ("<", (1, 2), (3, 3), Verdict.SUPPORTED),
        ("<=", (3, 4), (1, 2), Verdict.REFUTED),
        ("<=", (2, 4), (1, 2), Verdict.INCONCLUSIVE),
        ("<", (2, 4), (1, 2), Verdict.REFUTED),
        (">=", (2, 3), (1, 2), Verdict.SUPPORTED),
        (">", (2, 3), (1, 2), Verdict.INCONCLUSIVE),
        ("==", (1, 2), (3, 4), Verdict.REFUTED),
        ("==", (3, 4), (1, 2), Verdict.REFUTED),
        ("==", (9.95, 10.05), (10, 10), Verdict.SUPPORTED),
        ("==", (9.95, 10.2), (10, 10), Verdict.INCONCLUSIVE),
    ],
)
def test_sides_are_judged_by_the_ends_of_their_intervals(
    relation: str, left: Any, right: Any, verdict: Verdict
) -> None:
    assert Medians(lambda _: []).judged(relation, left, right) is verdict


def test_the_tightness_is_that_of_the_cases_that_decide() -> None:
    statement = claim("<=", 3, sp.Rational(1, 2), [case(NEAR_TWO), case(NEAR_TWO + 4)])
    found = statement.checks[0](statement, Context(0, 1e-6))
    assert found.verdict is Verdict.REFUTED
    assert found.tightness == pytest.approx(2, rel=0.02)
    assert found.summary.startswith("a case: X in [5.")
    assert found.summary.endswith("bound 3; 1 of 2 chains")


def test_nothing_is_drawn_once_time_is_up() -> None:
    def never(context: Context) -> Sample:
        raise AssertionError("drawn")

    statement = claim(">=", 1, 3, [Case("late", {"d": 4}, never, 1)])
    evidence = statement.checks[0](statement, Context(0, 1e-6, deadline=0.0))
    assert (evidence.verdict, evidence.sentinel) == (Verdict.INCONCLUSIVE, Verdict.INCONCLUSIVE)
    (row,) = evidence.details["readouts"]
    assert (row["verdict"], row["sentinel"], row["obstacle"]) == (
        "inconclusive",
        "inconclusive",
        "out of time",
    )


def test_a_batch_without_cases_is_outside() -> None:
    statement = claim(">=", 1, 3, [], wants="full rank")
    evidence = statement.checks[0](statement, Context(0, 1e-6, batch=Batch.of(np.eye(2), "")))
    assert (evidence.verdict, evidence.sentinel) == (Verdict.OUTSIDE, Verdict.OUTSIDE)
    assert "full rank" in evidence.summary


@pytest.mark.parametrize(
    ("relation", "rhs", "tightness"), [(">=", 1, 0.5), ("<=", 4, 0.5), ("<=", -1, 0.25)]
)
def test_tightness_is_one_at_the_bound(relation: str, rhs: int, tightness: float) -> None:
    values = np.full(100, 2.0 if rhs > 0 else -4.0)
    (result,) = verify([claim(relation, rhs, 3 if relation == ">=" else -9, [case(values)])])
    assert result.tightness == pytest.approx(tightness)


def test_power_is_half_the_interval_over_the_bound() -> None:
    statement = claim(">=", 1, 3, [case(np.arange(100.0))])
    found = statement.checks[0](statement, Context(0, 1e-6))
    (row,) = found.details["readouts"]
    low, high = (float(row[f"{end} X"]) for end in ("low", "high"))
    assert 0 < low < high
    assert found.power == row["power"] == pytest.approx((high - low) / 2)
