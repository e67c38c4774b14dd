"""The drift of the effective rank: its generator, derived and simulated, and the inequality that
signs it.
"""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import scipy.stats
import sympy as sp
from hypothesis import find, settings
from hypothesis.errors import NoSuchExample

from simulators.antithetic import antithetic_layer
from simulators.batches import Batch
from simulators.strategies import Matrix
from tests.theorems.broken import run
from theorems import Verdict
from theorems.checking.confidence_sequence import BoundedMean
from theorems.checking.pointwise import Pointwise, decide
from theorems.context import Context
from theorems.families.rank.drift import (
    DRIFT,
    DRIFT_INEQUALITY,
    DRIFT_INEQUALITY_RESCALED,
    cube,
    rows,
    squares,
)
from theorems.families.rank.drift_checks import (
    Derivation,
    Paired,
    every_width,
    fourth_order,
    invariants,
    second_difference,
    second_order,
)
from theorems.families.rank.inputs import drift_corners, drift_inputs
from theorems.families.rank.notation import d
from theorems.statement import NUDGE

#: What the symbols are at a matrix, and the starts of the pairs.
ROWS, STARTS = DRIFT_INEQUALITY.checks[0].values, DRIFT.checks[2].starts


@pytest.mark.parametrize("item", drift_corners(), ids=range(len(drift_corners())))
def test_the_inequality_is_that_of_the_matrix(item: Matrix) -> None:
    batch = np.array([[float(x) for x in row] for row in item])
    m = batch @ batch.T / batch.shape[1]
    assert np.allclose(np.diag(m), 1)
    found = decide(DRIFT_INEQUALITY, lambda: ROWS(item))
    assert found.holds
    assert found.ratio == pytest.approx(np.sum(np.diag(m @ m) ** 2) / np.trace(m @ m @ m))


def test_the_inequality_is_certified_and_its_neighbour_falls() -> None:
    result = run(DRIFT_INEQUALITY)
    assert result.verdict is Verdict.CERTIFIED
    assert result.weak_sentinels == ()
    (check,) = DRIFT_INEQUALITY.checks
    own = run(DRIFT_INEQUALITY, [replace(check, walks=False)])  # type: ignore[type-var]
    assert own.evidence[0].details["outside"] == 0  # every input the family draws has diag M = 1


def with_corner(item: Matrix) -> Pointwise:
    return Pointwise(ROWS, drift_inputs, lambda: [item], examples=1, walks=False)


def test_a_diagonal_other_than_one_is_outside() -> None:
    far = ((Fraction(2), Fraction(0)), (Fraction(0), Fraction(3)))
    result = run(DRIFT_INEQUALITY, [with_corner(far)])
    assert result.evidence[0].details["outside"] == 1


def test_without_the_diagonal_it_fails() -> None:
    single = ((Fraction(2),),)  # M = 4: 256 > 64
    assert (
        run(replace(DRIFT_INEQUALITY, assumptions=()), [with_corner(single)]).verdict
        is Verdict.REFUTED
    )


def test_the_rescaled_inequality_is_that_of_the_rescaled_matrix() -> None:
    item = ((Fraction(3), Fraction(1)), (Fraction(0), Fraction(2)), (Fraction(-5), Fraction(10**6)))
    unit = np.array([[float(x) for x in row] for row in item])
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    m = unit @ unit.T
    found = decide(DRIFT_INEQUALITY_RESCALED, lambda: ROWS(item))
    assert found.ratio == pytest.approx(np.sum(np.diag(m @ m) ** 2) / np.trace(m @ m @ m))


def test_the_rescaled_inequality_is_certified_on_a_user_batch() -> None:
    array = np.random.default_rng(0).standard_normal((40, 3))
    result = run(DRIFT_INEQUALITY_RESCALED, batch=Batch.of(array, "normals"))
    assert result.verdict is Verdict.CERTIFIED
    assert result.weak_sentinels == ()
    array[3] = 0
    assert (
        run(DRIFT_INEQUALITY_RESCALED, batch=Batch.of(array, "a zero row")).verdict
        is Verdict.OUTSIDE
    )


# --- one row --------------------------------------------------------------------------------------

ONE_ROW = Batch.of(np.array([[2.0]]), "one row")


@pytest.mark.parametrize("statement", [DRIFT_INEQUALITY_RESCALED, DRIFT], ids=("rescaled", "drift"))
def test_a_batch_of_one_row_is_outside_and_told_why(statement: Any) -> None:
    result = run(statement, batch=ONE_ROW)
    assert result.verdict is Verdict.OUTSIDE
    for evidence in result.evidence:
        if evidence.method != "proof":
            assert evidence.verdict is Verdict.OUTSIDE
            assert "d = 1" in evidence.summary
    two = Batch.of(np.array([[2.0, 1.0], [1.0, 0.0]]), "two rows")
    assert run(statement, statement.checks[:2], batch=two).verdict.holds


def test_the_drift_is_about_two_rows_or_more() -> None:
    given = {"F": 1.0, "T_3": 1.0, "Q": 1.0}
    with pytest.raises(ValueError, match=r"d=.*1.*: width, must lie in Range\(2, oo, 1\)"):
        DRIFT.bound(d=1, **given)
    assert DRIFT.bound(d=2, **given) == 6
    pointwise = DRIFT.checks[1]
    assert all(len(item) >= 2 for item in pointwise.corners())
    few = settings(max_examples=50)
    assert find(pointwise.inputs(), lambda item: True, settings=few) is not None
    with pytest.raises(NoSuchExample):
        find(pointwise.inputs(), lambda item: len(item) < 2, settings=few)
    assert len(find(drift_inputs(), lambda item: len(item) < 2, settings=few)) == 1, (
        "so many draws would meet one"
    )


# --- the generator: derived -----------------------------------------------------------------------

MATRIX: list[list[Any]] = [
    [1, Fraction(1, 2), Fraction(-1, 3)],
    [Fraction(1, 2), 1, Fraction(1, 5)],
    [Fraction(-1, 3), Fraction(1, 5), 1],
]
TRUE = 2 * d**2 - 2 * squares - 8 * cube + 8 * rows


def frobenius(m: Any, v: Any) -> Any:
    """‖M⁺‖_F² for H⁺ = BN-rows((1 + V)H), from the definition."""
    a = (np.eye(len(m)) + v) @ m @ (np.eye(len(m)) + v).T
    scale = 1 / np.sqrt(np.diag(a))
    return np.sum((a * scale[:, None] * scale) ** 2)


def test_the_second_order_is_half_the_laplacian_by_finite_differences() -> None:
    m, step, total = np.array(MATRIX, dtype=float), 1e-4, 0.0
    for a in range(3):
        for b in range(3):
            v = np.zeros((3, 3))
            v[a, b] = step
            total += (frobenius(m, v) + frobenius(m, -v) - 2 * frobenius(m, 0 * v)) / 2 / step**2
    assert total == pytest.approx(float(second_order(MATRIX)), rel=1e-5)


NAN = float("nan")


@pytest.mark.parametrize("function", [second_order, invariants])
@pytest.mark.parametrize(
    ("matrix", "error", "words"),
    [
        (None, TypeError, "matrix=None is no sequence of rows"),
        ([1, 2], TypeError, r"matrix=\[1, 2\] is no sequence"),
        ([], ValueError, r"0 rows of lengths \[\]; give \(d, d\)"),
        ([[1, 2], [1]], ValueError, r"lengths \[2, 1\]"),
        ([[1, 2, 3]], ValueError, r"1 rows of lengths \[3\]"),
        ([["1"]], TypeError, "contains '1'"),
        ([[None]], TypeError, "contains None"),
        (np.ones((2, 2, 2)), TypeError, "contains array"),
        (
            [[1, Fraction(1, 3)], [Fraction(1, 2), 1]],
            ValueError,
            r"1, 2.* in entry \(1, 0\).*1, 3.* in entry \(0, 1\)",
        ),
        ([[1, NAN], [NAN, 1]], ValueError, r"nan in entry \(1, 0\)"),
        ([[NAN]], ValueError, r"nan in entry \(0, 0\)"),
    ],
)
def test_what_is_no_symmetric_matrix_is_refused(
    function: Any, matrix: Any, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=f"^(?=matrix).*{words}") as caught:
        function(matrix)
    assert "\n" not in str(caught.value)


def test_the_second_order_is_that_of_diagonal_1_and_the_invariants_of_any() -> None:
    x = sp.ring("x", sp.QQ)[0].gens[0]
    slanted = np.array([[1, 0.5], [0.5, 1.1]])
    for matrix, entry in (([[1, 0], [0, 2]], "2"), ([[x**0, x], [x, x]], "x"), (slanted, "1.1")):
        with pytest.raises(
            ValueError,
            match=rf"matrix has .*{entry}.* in entry \(1, 1\) .*; give one with diagonal 1",
        ):
            second_order(matrix)
        invariants(matrix)
    assert second_order(np.eye(2)) == 4
    indefinite = [[1, 2], [2, 1]]
    values = {str(s): v for s, v in invariants(indefinite).items()} | {"d": 2}
    assert second_order(indefinite) == TRUE.subs({s: values[str(s)] for s in TRUE.free_symbols})


def test_the_general_sum_is_the_stated_drift() -> None:
    assert (
        sp.expand(every_width() - TRUE.subs({s: sp.Symbol(str(s)) for s in TRUE.free_symbols})) == 0
    )


@pytest.mark.parametrize(
    "wrong",
    [TRUE + squares, TRUE - 2 * d**2 + 2 * d, TRUE - 4 * rows, TRUE + 4 * cube, TRUE + NUDGE * d],
)
def test_another_polynomial_is_refuted_entry_by_entry_and_not_certified_in_general(
    wrong: sp.Expr,
) -> None:
    claim = replace(DRIFT, rhs=wrong)
    context = Context(0, 1e-6)
    assert Derivation()(claim, context).verdict is Verdict.REFUTED
    assert Derivation(widths=())(claim, context).verdict is Verdict.INCONCLUSIVE
    assert run(claim, [DRIFT.checks[1]]).verdict is Verdict.REFUTED


def test_derived_and_certified_pointwise() -> None:
    result = run(DRIFT, DRIFT.checks[:2])
    assert [e.verdict for e in result.evidence] == [Verdict.CERTIFIED] * 2
    assert [e.sentinel for e in result.evidence] == [Verdict.REFUTED] * 2


# --- the generator: simulated ---------------------------------------------------------------------


def quadratic(batch: Any, weighted: Any) -> Any:
    """½ d²/dγ² ‖M⁺‖_F² at 0 for each V = WH, (draws, d, n), from the expansion of the cosines."""
    x = weighted @ batch.T
    x = x + np.swapaxes(x, -2, -1)
    y = weighted @ np.swapaxes(weighted, -2, -1)
    m = batch @ batch.T
    xd, yd = (np.diagonal(a, axis1=-2, axis2=-1) for a in (x, y))
    sums = xd[:, :, None] + xd[:, None, :]
    inverse = (xd**2 - yd)[:, :, None] + (xd**2 - yd)[:, None, :] + xd[:, :, None] * xd[:, None, :]
    return np.sum(x**2 + 2 * m * y - 2 * m * x * sums + m**2 * inverse, axis=(-2, -1))


@pytest.mark.parametrize("law", ["gaussian", "uniform", "rademacher"])
@pytest.mark.parametrize("gamma", [1e-2, 3e-2])
def test_the_bounds_hold_draw_by_draw(law: str, gamma: float) -> None:
    batch = np.linalg.cholesky(np.array(MATRIX, dtype=float))
    draws = np.random.default_rng(0)
    w = {
        "gaussian": draws.standard_normal((500, 3, 3)),
        "uniform": draws.uniform(-(3**0.5), 3**0.5, (500, 3, 3)),
        "rademacher": draws.choice([-1.0, 1.0], (500, 3, 3)),
    }[law]
    m, v = batch @ batch.T, w @ batch
    seconds = np.array(
        [(frobenius(m, gamma * a) + frobenius(m, -gamma * a)) / 2 - frobenius(m, 0 * a) for a in w]
    )
    speeds = np.linalg.norm(v, axis=-1).max(axis=-1)
    assert (speeds * gamma < 1 / 3).all()
    beyond = np.abs(seconds / gamma**2 - quadratic(batch, v))
    assert all(x <= fourth_order(3, r, gamma) for x, r in zip(beyond, speeds, strict=True))
    assert all(
        abs(x) / gamma**2 <= second_difference(3, r, gamma)
        for x, r in zip(seconds, speeds, strict=True)
    )
    assert fourth_order(3, 2.0, gamma / 2) == pytest.approx(
        fourth_order(3, 2.0, gamma) / 4, rel=0.2
    )


def test_a_step_too_long_for_the_bound_has_none() -> None:
    assert fourth_order(3, 2.0, 0.2) == np.inf


ONE = Paired(lambda batch: [s for s in STARTS(batch) if (s.law, len(s.batch)) == ("rademacher", 4)])


def test_the_drift_is_supported_and_its_neighbour_falls() -> None:
    (evidence,) = run(DRIFT, [ONE]).evidence
    assert (evidence.verdict, evidence.sentinel) == (Verdict.SUPPORTED, Verdict.REFUTED)
    (row,) = evidence.details["readouts"]
    assert row["low"] <= row["claimed"] <= row["high"]
    assert row["slack"] < row["half_width"]
    assert row["pairs"] < ONE.draws, "it stops once both are decided"


def test_what_is_supported_is_known_as_narrowly_as_asked() -> None:
    """Of one number of draws: equality is claimed from a half-width of what was asked on."""
    met = set()
    for asked in np.geomspace(0.05, 0.5, 12):
        check = replace(ONE, draws=2**14, resolution=float(asked))
        (row,) = run(DRIFT, [check]).evidence[0].details["readouts"]
        assert row["half_width"] == pytest.approx((row["high"] - row["low"]) / 2)
        assert row["asked"] == pytest.approx(16 * asked)
        assert row["low"] <= row["claimed"] <= row["high"]
        narrow = row["half_width"] <= row["asked"]
        assert row["verdict"] == ("supported" if narrow else "inconclusive")
        met.add((narrow, 2 * row["half_width"] <= row["asked"]))
    assert met == {(False, False), (True, False), (True, True)}


def test_the_slack_covers_draws_that_do_not_count_and_the_fourth_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of Gaussian weights: those of a row faster than ρ, in expectation, by λ_max ‖W_i‖² ~ χ²."""
    reaches: list[float] = []

    class Noted(BoundedMean):
        def __init__(self, low: float, high: float, *more: Any, **named: Any) -> None:
            assert low == -high
            reaches.append(high)
            super().__init__(low, high, *more, **named)

    monkeypatch.setattr("theorems.families.rank.drift_checks.BoundedMean", Noted)
    starts = [s for s in STARTS(None) if s.law == "gaussian"]
    check = Paired(lambda batch: starts, draws=16, first=16)
    table = run(DRIFT, [check]).evidence[0].details["readouts"]
    assert len(table) == len(starts) == len(reaches) > 1
    for start, row, reach in zip(starts, table, reaches, strict=True):
        width, gamma = int(row["d"]), float(row["gamma"])
        unit = start.batch / np.linalg.norm(start.batch, axis=1, keepdims=True)
        top = np.linalg.eigvalsh(unit @ unit.T)[-1]
        slower = (reach / (10 * width * (width - 1))) ** 0.5
        speed = slower / (1 + slower * gamma)  # of which the reach is the second difference
        assert second_difference(width, speed, gamma) == pytest.approx(reach)
        beyond = scipy.stats.chi2.sf(speed**2 / top, width + 2)
        lost = 10 * width * (width - 1) * top * width * width * beyond
        assert row["slack"] - fourth_order(width, speed, gamma) >= 0.99 * lost


@pytest.mark.parametrize(
    "wrong", [TRUE + squares, TRUE - 2 * d**2 + 2 * d, TRUE - 4 * rows], ids=str
)
def test_a_wrong_drift_is_refuted_by_simulation(wrong: sp.Expr) -> None:
    assert run(replace(DRIFT, rhs=wrong), [ONE]).verdict is Verdict.REFUTED


def test_weights_of_another_variance_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def louder(batch: Any, gamma: float, **given: Any) -> Any:
        plus, minus, speeds = antithetic_layer(batch, 1.2 * gamma, **given)
        return plus, minus, speeds

    monkeypatch.setattr("theorems.families.rank.drift_checks.antithetic_layer", louder)
    assert run(DRIFT, [ONE]).verdict is Verdict.REFUTED


def test_too_few_draws_decide_nothing() -> None:
    evidence = run(DRIFT, [replace(ONE, draws=100)]).evidence[0]
    assert evidence.verdict is Verdict.INCONCLUSIVE
    assert "1 of 1 drifts undecided: rademacher weights, half-width" in evidence.summary
    assert "after 100 pairs, 0.8 asked" in evidence.summary


@pytest.mark.parametrize(
    ("shape", "size", "verdict"),
    [
        ((3, 3), 1.0, Verdict.SUPPORTED),
        ((3, 3), 1e200, Verdict.SUPPORTED),
        ((64, 4), 1.0, Verdict.OUTSIDE),
    ],
)
def test_a_user_batch_of_any_size_is_taken_if_its_weights_can_be_drawn(
    shape: tuple[int, int], size: float, verdict: Verdict
) -> None:
    array = size * np.random.default_rng(0).standard_normal(shape)
    result = run(DRIFT, [Paired(STARTS, resolution=0.2)], batch=Batch.of(array, "normals"))
    assert result.evidence[0].verdict is verdict


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.array([[1.0, 2.0], [0.0, 0.0], [1.0, 0.0]]), "zero row"),
        (np.ones((17, 1)), "d = 17"),
        (np.array([[2.0]]), "d = 1: a rank needs 2 rows or more"),
    ],
)
def test_a_batch_that_is_not_simulated_says_why(array: Any, words: str) -> None:
    (evidence,) = run(DRIFT, [Paired(STARTS)], batch=Batch.of(array, "a batch")).evidence
    assert evidence.verdict is Verdict.OUTSIDE
    assert words in evidence.summary
