"""The splines family as a user runs it: verdicts, sentinels, inputs that reach the corners, and the
user's batch.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

import hypothesis
import numpy as np
import pytest
import sympy as sp
from broken import run

from simulators.batches import Batch
from theorems import Result, Statement, Verdict, get, library
from theorems.checking.pointwise import Pointwise
from theorems.families.splines import inputs
from theorems.families.splines.jitter import B
from theorems.families.splines.notation import N, b, mu, variance
from theorems.verification import verify

#: Written down here and not read from the statements.
NAMES = """total_least_squares:least total_least_squares:unique total_least_squares:identity residual_variance:identity
    residual_variance:least central_arrangement:common central_arrangement:ray central_arrangement:unbounded
    scale_free:length scale_free:distance minibatch_jitter:mean minibatch_jitter:mean_variance
    minibatch_jitter:variance minibatch_jitter:replacement_mean minibatch_jitter:replacement_mean_variance
    minibatch_jitter:replacement_variance margin_jitter"""
FAMILY = tuple(
    s
    for s in library()
    if s.family == "splines" and f" {s.name.partition('.')[2]} " in f" {' '.join(NAMES.split())} "
)


@pytest.fixture(scope="module")
def results() -> dict[str, Result]:
    """Of a fifth of the draws that a run of the command takes; corners are all there."""
    fewer = [replace(s, checks=(replace(check_of(s), examples=40),)) for s in FAMILY]
    return {r.statement.name: r for r in verify(fewer, seed=1)}


def test_every_statement_is_there_and_tied_by_the_kernel() -> None:
    assert {s.name for s in FAMILY} == {f"splines.{name}" for name in NAMES.split()}
    for statement in FAMILY:
        assert statement.proof is not None
        assert statement.proof.link == "kernel"


@pytest.mark.parametrize("statement", FAMILY, ids=lambda s: s.name)
def test_exact_arithmetic_certifies_it_and_refutes_its_neighbour(
    statement: Statement, results: Mapping[str, Result]
) -> None:
    evidence = results[statement.name].evidence[0]
    assert evidence.method == "certificate"
    assert evidence.verdict is Verdict.CERTIFIED
    assert evidence.sentinel is Verdict.REFUTED
    assert evidence.details["decided"] > 100
    assert evidence.details["open"] == 0
    json.dumps(results[statement.name].as_json(), allow_nan=False)


def test_bounds_are_tight(results: Mapping[str, Result]) -> None:
    for name in ("total_least_squares:least", "residual_variance:least"):
        assert results[f"splines.{name}"].evidence[0].tightness == 1.0
    assert results["splines.central_arrangement:unbounded"].evidence[0].tightness == pytest.approx(
        1 / 4
    )


# --- wrong versions fall --------------------------------------------------------------------------


def check_of(statement: Statement) -> Pointwise:
    (check,) = statement.checks
    assert isinstance(check, Pointwise)
    return check


def verdict(statement: Statement, **values: Any) -> Verdict:
    """What the statement's own check finds, with some of its values replaced."""
    check = check_of(statement)
    changed = replace(
        check,
        examples=40,
        values=lambda item: {
            **check.values(item),
            **{name: rule(item) for name, rule in values.items()},
        },
    )
    return run(statement, [changed]).verdict


def activations(item: Mapping[str, Any]) -> list[Fraction]:
    return [
        sum((w * c for w, c in zip(item["w"], point, strict=True)), Fraction(0))
        for point in item["z"]
    ]


def median(item: Mapping[str, Any]) -> Fraction:
    ordered = sorted(activations(item))
    return (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2


def midrange(item: Mapping[str, Any]) -> Fraction:
    return (min(activations(item)) + max(activations(item))) / 2


def average(item: Mapping[str, Any]) -> Fraction:
    return sum(activations(item), Fraction(0)) / item["N"]


@pytest.mark.parametrize("name", ["total_least_squares:least", "residual_variance:identity"])
def test_no_other_centre_will_do(name: str) -> None:
    statement = get(f"splines.{name}")
    assert verdict(statement, mean=average) is Verdict.CERTIFIED
    for centre in (median, midrange):
        assert verdict(statement, mean=centre) is Verdict.REFUTED


LEAST, UNIQUE = get("splines.total_least_squares:least"), get("splines.total_least_squares:unique")
JITTER, MARGIN = get("splines.minibatch_jitter:mean_variance"), get("splines.margin_jitter")
REPLACED = get("splines.minibatch_jitter:replacement_variance")
RESIDUAL = get("splines.residual_variance:least")
LENGTH, RAY = get("splines.scale_free:length"), get("splines.central_arrangement:ray")
WRONG = {
    "least: the other way": replace(LEAST, relation=">="),
    "least: strictly": replace(LEAST, relation="<"),
    "unique: without its assumption": replace(UNIQUE, assumptions=UNIQUE.assumptions[:1]),
    "residual: N + 1 for N": replace(RESIDUAL, lhs=RESIDUAL.lhs * (N + 1) / N),
    "mean variance: as with replacement": replace(JITTER, rhs=variance / b),
    "mean variance: b for b²": replace(JITTER, rhs=JITTER.rhs / b),
    "replaced variance: as without": replace(
        REPLACED, rhs=variance * N * (b - 1) / (b * (N - 1 + 1 / N**3))
    ),
    "margin: without the root of b": replace(MARGIN, rhs=MARGIN.rhs / sp.sqrt(b)),
    "length: one side doubled": replace(LENGTH, lhs=LENGTH.lhs * 2),
    "ray: backwards": replace(RAY, rhs=-RAY.rhs),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_versions_are_refuted(name: str) -> None:
    assert (
        run(WRONG[name], [replace(check_of(WRONG[name]), examples=60)]).verdict is Verdict.REFUTED
    )


def test_the_best_threshold_found_by_hand_is_the_mean() -> None:
    rng = np.random.default_rng(3)
    w, z = rng.standard_normal(3), rng.standard_normal((7, 3))
    grid = np.linspace(-3, 3, 601)
    cost = [LEAST.bound(w=w, z=z, mu=point, N=7, d=3) for point in grid]
    assert abs(grid[int(np.argmin(cost))] - np.mean(z @ w)) <= 5e-3
    gaps = (z @ w - 0.25) / np.linalg.norm(w)
    assert LEAST.bound(w=w, z=z, mu=0.25, N=7, d=3) == pytest.approx(np.sum(gaps**2))


# --- inputs ---------------------------------------------------------------------------------------


def test_corners_are_what_they_are_called() -> None:
    units = inputs.unit_corners()
    assert {item["N"] for item in units} >= {1, 2, 3}
    assert {item["d"] for item in units} >= {1, 2, 3}
    assert any(len(set(item["z"])) < item["N"] for item in units), "repeated points"
    assert any(len(set(activations(item))) == 1 < item["N"] for item in units), (
        "a weight across the data"
    )
    assert any(item["mu"] == average(item) for item in units)
    for kind, beyond in (("part", False), ("proper", False), ("any", True)):
        corners = inputs.population_corners(kind)
        assert any(item["b"] == 1 for item in corners)
        assert any(item["b"] == item["N"] for item in corners)
        assert any(item["b"] > item["N"] for item in corners) is beyond
        assert any(item["N"] == 1 for item in corners) is (kind != "proper")
    assert {item["b"] == item["N"] for item in inputs.drawn_unit_corners()} == {True, False}


def items(check: Pointwise) -> Iterable[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = list(check.corners())
    quiet = hypothesis.settings(max_examples=30, database=None, deadline=None, derandomize=True)
    quiet(
        hypothesis.given(check.inputs())(lambda item: found.append(item))
    )()  # wants a function of its own
    return found


@pytest.mark.parametrize("statement", FAMILY, ids=lambda s: s.name)
def test_inputs_lie_in_the_domains(statement: Statement) -> None:
    for item in items(check_of(statement)):
        floats = {name: np.asarray(value, dtype=float) for name, value in item.items()}
        for variable in statement.variables:
            variable.admit(floats)


def test_batch_sizes_end_at_the_population() -> None:
    part, beyond = (
        get(f"splines.minibatch_jitter:{name}").variables[1]
        for name in ("mean", "replacement_mean")
    )
    with pytest.raises(ValueError, match=r"b=.*6.*must lie in"):
        part.admit({"N": 5, "b": 6})
    beyond.admit({"N": 5, "b": 6})


def test_the_users_samples_are_the_inputs() -> None:
    samples = np.array([[1.0, 2.0, 4.0], [0.5, -1.0, 0.0]])
    item = inputs.unit_of_batch(samples)
    assert (item["N"], item["d"]) == (3, 2)
    assert item["z"] == ((1, Fraction(1, 2)), (2, -1), (4, 0))
    assert activations(item) == [Fraction(1, 2), 3, 4]
    assert item["mu"] == Fraction(1, 2)
    assert inputs.indexed_of_batch(samples)["r"] == 2
    evidence = run(
        replace(LEAST, lhs=LEAST.lhs * 3),
        [replace(check_of(LEAST), corners=tuple, examples=1)],
        Batch.of(samples, ""),
    ).evidence[0]
    assert evidence.details["batch"] == "refuted"


def test_a_threshold_is_free_and_a_batch_is_bound() -> None:
    assert mu in LEAST.rhs.free_symbols
    assert B not in JITTER.lhs.free_symbols
