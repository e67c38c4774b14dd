"""The lemma on the soft rank: the exact count, the tight cases, and what the checks and the printer
make of it.
"""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings

from simulators.batches import Batch
from simulators.observables import effective_rank
from simulators.observables import soft_rank as observed_soft_rank
from simulators.strategies import matrices
from tests.theorems.broken import run
from theorems import Verdict, get
from theorems.checking.pointwise import decide
from theorems.families.rank.inputs import Levels, matrix_corners, nearly_tight, spectrum_corners
from theorems.families.rank.notation import d, eigenvalues_at_least, i, lam, tau
from theorems.families.rank.soft_rank import (
    AS_PRINTED,
    MATRIX,
    SHARP,
    soft_rank,
)
from theorems.proofs.printer import UnprintableError, proposition

HALF = Fraction(1, 2)


def inertia(matrix: list[list[Fraction]], threshold: Fraction) -> int:
    """Sylvester: eigenvalues at or above the threshold, by congruence transformations of M - τ,
    exactly.
    """
    a = [
        [x - (threshold if r == c else 0) for c, x in enumerate(row)]
        for r, row in enumerate(matrix)
    ]
    found = 0
    while a:
        size = len(a)
        pivot = next((p for p in range(size) if a[p][p] != 0), None)
        if pivot is None:
            pair = next(((r, c) for r in range(size) for c in range(r) if a[r][c] != 0), None)
            if pair is None:
                return found + size  # what is left is zero: ties
            r, c = pair  # add row and column c to r, which makes a diagonal entry
            a[r] = [x + y for x, y in zip(a[r], a[c], strict=True)]
            for row in a:
                row[r] += row[c]
            pivot = r
        head, top = a[pivot][pivot], a[pivot]
        found += head > 0
        kept = [p for p in range(size) if p != pivot]
        a = [[a[r][c] - a[r][pivot] * top[c] / head for c in kept] for r in kept]
    return found


@given(matrices(max_d=5, max_n=4))
@settings(max_examples=60, deadline=None)
def test_two_exact_counts_agree(rows: Any) -> None:
    batch = np.array(rows, dtype=object)
    gram = (batch @ batch.T).tolist()
    trace = sum(gram[a][a] for a in range(len(gram)))
    for threshold in (Fraction(0), trace / len(gram), trace / 7):
        assert eigenvalues_at_least(gram, threshold) == inertia(gram, threshold)


@pytest.mark.parametrize(
    ("threshold", "count"), [(0, 3), (1, 3), (Fraction(10**9 + 1, 10**9), 1), (3, 1), (4, 0)]
)
def test_ties_count_with_their_multiplicity(threshold: Any, count: int) -> None:
    third = Fraction(2, 3)  # eigenvalues 3, 1, 1
    matrix = [[(1 if a == b else 0) + third for b in range(3)] for a in range(3)]
    assert eigenvalues_at_least(matrix, Fraction(threshold)) == count


def test_negative_and_zero_eigenvalues_are_counted_as_such() -> None:
    matrix = [[Fraction(x) for x in row] for row in ((0, 1, 0), (1, 0, 0), (0, 0, 0))]  # 1, 0, -1
    assert [eigenvalues_at_least(matrix, Fraction(x)) for x in (-2, -1, 0, 1, 2)] == [3, 3, 2, 1, 0]


def test_a_matrix_without_symmetry_is_refused() -> None:
    with pytest.raises(ValueError, match="not symmetric"):
        eigenvalues_at_least([[Fraction(0), Fraction(1)], [Fraction(-1), Fraction(0)]], Fraction(0))


@pytest.mark.parametrize("shape", [(3, 5), (6, 4), (4, 4)])
def test_the_count_is_the_observable_away_from_ties(shape: tuple[int, int]) -> None:
    batch = np.random.default_rng(5).standard_normal(shape)
    rows = tuple(tuple(Fraction(float(x)) for x in row) for row in batch)
    for threshold in (Fraction(0), Fraction(1, 10), HALF, Fraction(1)):
        if threshold or shape[0] <= shape[1]:  # at τ = 0 float64 cannot tell a zero eigenvalue
            assert soft_rank(rows, threshold) == int(observed_soft_rank(batch, float(threshold)))
    assert soft_rank(rows, Fraction(0)) == shape[0]


@pytest.mark.parametrize("item", matrix_corners()[-12:], ids=range(12))
def test_the_matrix_form_reads_the_effective_rank(item: Any) -> None:
    values = MATRIX.checks[0].values(item)
    claim = replace(MATRIX, lhs=MATRIX.lhs / (1 - tau) ** 2)
    batch = np.array([[float(x) for x in row] for row in item[0]])
    found = decide(claim, lambda: {**values, "tau": Fraction(0)}).ratio
    assert found is not None
    assert found * values["rank"] == pytest.approx(float(effective_rank(batch)))


# --- the tight cases ------------------------------------------------------------------------------


def ratio(statement: Any, levels: Levels, threshold: Fraction) -> float:
    found = decide(statement, lambda: SHARP.checks[0].values((levels, threshold)))
    assert found.holds
    assert found.ratio is not None
    return found.ratio


@pytest.mark.parametrize("threshold", [Fraction(0), HALF, Fraction(9, 10)])
def test_the_constant_is_reached_as_the_width_grows(threshold: Fraction) -> None:
    if threshold == 0:
        assert ratio(AS_PRINTED, ((Fraction(1), 4),), threshold) == 1
        return
    ratios = [
        ratio(AS_PRINTED, nearly_tight(size, threshold), threshold)
        for size in (20, 200, 2000, 20_000)
    ]
    assert ratios == sorted(ratios)
    assert 1 - ratios[-1] == pytest.approx((1 / (1 - threshold) ** 2 - 1) / 20_000, rel=0.01)


@pytest.mark.parametrize("size", [2, 5, 30])
def test_the_sharp_form_is_approached_at_every_width(size: int) -> None:
    assert ratio(SHARP, nearly_tight(size, HALF), HALF) == pytest.approx(1, abs=1e-7)
    assert ratio(AS_PRINTED, nearly_tight(size, HALF), HALF) < 0.95


@pytest.mark.parametrize("threshold", [Fraction(0), HALF, Fraction(99, 100)])
def test_the_sharp_form_is_attained_at_the_identity(threshold: Fraction) -> None:
    assert ratio(SHARP, ((Fraction(1), 5),), threshold) == 1


def test_the_corners_meet_the_assumption_and_stay_in_the_domains() -> None:
    for levels, threshold in spectrum_corners():
        assert sum(value * count for value, count in levels) == sum(count for _, count in levels)
        assert all(value >= 0 for value, _ in levels)
        assert 0 <= threshold <= 1


# --- verdicts -------------------------------------------------------------------------------------


@pytest.mark.parametrize("statement", [AS_PRINTED, SHARP, MATRIX], ids=lambda s: s.variant)
def test_certified_and_the_neighbour_falls(statement: Any) -> None:
    result = run(statement)
    assert result.verdict is Verdict.CERTIFIED
    assert result.weak_sentinels == ()


@pytest.mark.parametrize(
    ("relation", "verdict"), [(sp.Gt, Verdict.CERTIFIED), (sp.Le, Verdict.REFUTED)]
)
def test_ties_are_not_what_it_rests_on_but_the_side_is(relation: Any, verdict: Verdict) -> None:
    count = sp.Sum(sp.Piecewise((1, relation(lam[i], tau)), (0, True)), (i, 0, d - 1))
    assert run(replace(AS_PRINTED, rhs=count)).verdict is verdict


def test_a_user_batch_is_decided() -> None:
    array = np.random.default_rng(0).standard_normal((12, 5))
    result = run(MATRIX, batch=Batch.of(array, "normals"))
    assert result.verdict is Verdict.CERTIFIED
    assert result.evidence[0].details["batch"] == "certified"


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"tau": 1.5}, "tau"),
        ({"tau": float("nan")}, "tau"),
        ({"tau": -0.1}, "tau"),
        ({"lambda": [-1.0, 3.0]}, "lambda"),
        ({"d": 0}, "d"),
    ],
)
def test_what_lies_outside_a_domain_is_refused_by_name(values: dict[str, Any], name: str) -> None:
    given_values = {"d": 2, "tau": 0.5, "lambda": [0.5, 1.5]} | values
    with pytest.raises(ValueError, match=f"^{name}"):
        AS_PRINTED.bound(**given_values)


# --- printing -------------------------------------------------------------------------------------


def test_the_count_is_printed_as_a_sum_of_cases() -> None:
    assert (
        proposition(get("rank.soft_rank_lower_bound:as_printed"))
        == r"""
forall (R : realFieldType) (d : nat) (lambda : 'I_d -> R) (tau : R),
  (1 <= d)%N ->
  (forall i : 'I_d, 0 <= lambda i) ->
  0 <= tau <= 1 ->
  \sum_(i < d) lambda i = d%:R ->
  (1 - tau) ^+ 2 * (\sum_(i < d) lambda i) ^+ 2 / (\sum_(i < d) lambda i ^+ 2)"""[1:]
        + (r" <= \sum_(i < d) (if tau <= lambda i then 1 else 0)")
    )


CASES = "(if 2%:R^-1 < tau then 1 else if 3%:R^-1 <= tau then 2%:R else 3%:R)"


def test_cases_beside_a_relation_are_in_parentheses() -> None:
    cases = sp.Piecewise((1, tau > sp.Rational(1, 2)), (2, tau >= sp.Rational(1, 3)), (3, True))
    text = proposition(replace(AS_PRINTED, lhs=cases, rhs=tau + cases))
    assert text.splitlines()[-1] == f"  {CASES} <= {CASES} + tau"


def test_cases_by_other_conditions_are_not_printed() -> None:
    with pytest.raises(UnprintableError, match="no comparison by"):
        proposition(replace(AS_PRINTED, lhs=sp.Piecewise((1, (tau < 1) | (tau > 1)), (0, True))))


def test_of_a_large_batch_as_much_is_taken_as_can_be_decided_exactly() -> None:
    batch = np.random.default_rng(0).standard_normal((200, 60))
    rows, threshold = MATRIX.checks[0].from_batch(batch)
    assert threshold == HALF
    np.testing.assert_array_equal(np.array(rows, dtype=float), batch[:48, :48])
    result = run(MATRIX, batch=Batch.of(batch[:, :6], "six samples"))
    assert result.evidence[0].details["batch"] == Verdict.CERTIFIED
