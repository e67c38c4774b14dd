"""Slopes on a fake chain whose mean is an exact power of the width."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import sympy as sp

from simulators import rescale_chain
from simulators.batches import Batch
from theorems import Sentinel, Statement, Verdict, get
from theorems.checking import drawn_networks, scaling
from theorems.checking.confidence_sequence import BoundedMean
from theorems.checking.expectation import Instance
from theorems.checking.scaling import Scaling
from theorems.context import Context
from theorems.families.orthogonality.experiments import BURN_IN

beta = sp.Symbol("beta", real=True)
WIDTHS = (4, 16, 64)


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The simulator replaced by draws of mean width^(-1/2) within 10 %; records the replicas asked
    for.
    """
    asked: list[int] = []

    class Fake:
        engine = "fake"

        def __init__(self, values: np.ndarray) -> None:
            self.values = {"f": values}
            self.rounding = np.zeros(values.shape)

    def fake(chain: Any, start: Any, *, depth: int, replicas: int, seed: Any, **_: Any) -> Fake:
        asked.append(replicas)
        width = chain.widths(start.shape[0])[-1]
        noise = np.random.default_rng(seed).uniform(0.9, 1.1, replicas)
        return Fake(noise[:, None] * width**-0.5)

    monkeypatch.setattr(drawn_networks, "simulate", fake)
    return asked


TENTH = sp.Rational(1, 10)


def claim(exponent: Any, tolerance: Any = TENTH, other: Any = -2) -> Statement:
    base = get("orthogonality.width_scaling")
    return replace(
        base,
        lhs=sp.Abs(beta - sp.sympify(exponent)),
        rhs=sp.sympify(tolerance),
        sentinel=Sentinel("", lhs=sp.Abs(beta - sp.sympify(other))),
    )


def check(widths: tuple[int, ...] = WIDTHS, **more: Any) -> Scaling:
    def instances(_: Any) -> list[Instance]:
        return [Instance(f"d={w}", rescale_chain(w), np.eye(2), 1, (), (0.0, 1.0)) for w in widths]

    return Scaling(
        beta, instances, lambda t: t.values["f"][:, 0], ("f",), **{"replicas": 400, **more}
    )


HALF = sp.Rational(-1, 2)


@pytest.mark.parametrize(
    ("exponent", "verdict"),
    [
        (HALF, Verdict.SUPPORTED),
        (-1, Verdict.REFUTED),
        (0, Verdict.REFUTED),
        (sp.Rational(1, 2), Verdict.REFUTED),
        (sp.Rational(-2, 5), Verdict.INCONCLUSIVE),
    ],
)
def test_every_verdict_is_reached(drawn: list[int], exponent: Any, verdict: Verdict) -> None:
    evidence = check()(claim(exponent), Context(0, 1e-6))
    assert evidence.verdict is verdict
    assert evidence.sentinel is Verdict.REFUTED
    low, high = evidence.details["slope"]
    assert low < -0.5 < high


def test_the_sentinel_is_judged_by_the_same_interval(drawn: list[int]) -> None:
    assert (
        check()(claim(HALF, other=sp.Rational(-51, 100)), Context(0, 1e-6)).sentinel
        is Verdict.SUPPORTED
    )


def test_sampling_goes_on_until_both_are_clear(drawn: list[int]) -> None:
    check()(claim(HALF, sp.Rational(1, 2)), Context(0, 1e-6))
    few = sum(drawn)
    drawn.clear()
    check()(claim(HALF, sp.Rational(1, 40)), Context(0, 1e-6))
    assert few < sum(drawn) <= len(WIDTHS) * sum(max(400 * 2**k // 2, 1) for k in range(6))


def test_every_mean_has_its_part_of_the_level(
    drawn: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    spent: list[float] = []

    def recorded(lower: float, upper: float, level: float) -> BoundedMean:
        spent.append(level)
        return BoundedMean(lower, upper, level)

    monkeypatch.setattr(scaling, "BoundedMean", recorded)
    check()(claim(HALF), Context(0, 1e-6))
    assert spent == pytest.approx([1e-6 / len(WIDTHS)] * len(WIDTHS))


def test_few_widths_are_outside(drawn: list[int]) -> None:
    for widths in ((), (8,), (8, 8)):
        found = check(widths)(claim(HALF), Context(0, 1e-6))
        assert (found.verdict, found.sentinel) == (Verdict.OUTSIDE, Verdict.OUTSIDE)
    assert drawn == []


def test_a_deadline_stops_sampling(drawn: list[int]) -> None:
    evidence = check()(claim(HALF), Context(0, 1e-6, deadline=0.0))
    assert (evidence.verdict, evidence.sentinel, evidence.power) == (
        Verdict.INCONCLUSIVE,
        Verdict.INCONCLUSIVE,
        None,
    )
    assert drawn == []


def test_a_mean_that_may_be_zero_has_no_slope(drawn: list[int]) -> None:
    evidence = replace(check(rounds=2), sample=lambda t: 0 * t.values["f"][:, 0])(
        claim(HALF), Context(0, 1e-6)
    )
    assert (evidence.verdict, evidence.sentinel) == (Verdict.INCONCLUSIVE, Verdict.INCONCLUSIVE)
    assert evidence.details["slope"] is None


class Late(Context):
    """Out of time once a round was drawn."""

    @property
    def expired(self) -> bool:
        return bool(self.memory)


@pytest.mark.parametrize(
    ("exponent", "other", "expected"),
    [
        (-3, HALF, (Verdict.REFUTED, Verdict.INCONCLUSIVE)),
        (HALF, -3, (Verdict.INCONCLUSIVE, Verdict.REFUTED)),
    ],
)
def test_out_of_time_a_refutation_stands_and_nothing_else_is_said(
    drawn: list[int], exponent: Any, other: Any, expected: tuple[Verdict, Verdict]
) -> None:
    context = Late(0, 1e-6)
    found = replace(
        check(), sample=lambda t: (context.memory.update(drawn=True), t.values["f"][:, 0])[1]
    )(claim(exponent, sp.Rational(1, 10**6), other), context)
    assert (found.verdict, found.sentinel) == expected


_rng = np.random.default_rng(3)
_columns = _rng.standard_normal((8, 3))
NEAR = np.column_stack([_columns[:, 0], _columns[:, 0] + 1e-7 * _columns[:, 1], _columns[:, 2]])


@pytest.mark.parametrize(
    ("name", "batch"),
    [
        ("one sample", _columns[:, :1]),
        ("repeated", _columns[:, [0, 0, 1]]),
        ("too many", np.eye(400)),
    ],
)
def test_batches_without_a_stationary_slope_are_outside(
    drawn: list[int], name: str, batch: np.ndarray
) -> None:
    statement = get("orthogonality.width_scaling")
    assert (
        statement.checks[0](statement, Context(0, 1e-6, Batch.of(batch, name))).verdict
        is Verdict.OUTSIDE
    )
    assert drawn == []


def test_a_batch_near_collinearity_is_given_the_layers_it_needs() -> None:
    """Along the mean-field path its memory must have faded before the slope is read."""
    statement = get("orthogonality.width_scaling")
    plain, near = (statement.checks[0].instances(b)[0].depth for b in (_columns, NEAR))
    assert near > plain > BURN_IN
    assert statement.checks[0].instances(None)[0].depth == BURN_IN


@pytest.mark.parametrize("replicas", [2, 5, 8])
def test_every_replica_but_an_odd_one_is_in_one_pair(replicas: int) -> None:
    """Of Gram matrices that are powers of two no two differences are the same."""
    grams = 2.0 ** np.arange(replicas)[:, None, None, None]  # (replicas, layers, n, n)
    (check,) = get("orthogonality.activation_conjecture:relu").checks
    found = check.sample(SimpleNamespace(values={"gram": grams}))
    pairs = {tuple(int(2.0**k in (a, b)) for k in range(replicas)) for a, b in pairs_of(found)}
    assert len(found) == len(pairs) == replicas // 2
    assert max(np.sum(list(pairs), axis=0)) == 1


def pairs_of(distances: np.ndarray) -> list[tuple[float, float]]:
    """The two powers of two that differ by each of these."""
    smaller = [x & -x for x in distances.astype(int).tolist()]
    return [(s, x + s) for s, x in zip(smaller, distances.tolist(), strict=True)]


@pytest.mark.parametrize("variant", ["vanilla", "batchnorm"])
def test_two_samples_of_a_batch_are_a_start_unless_no_layer_tells_them_apart(variant: str) -> None:
    claim = get(f"orthogonality.vanilla_alignment:{variant}")
    lay_out = claim.checks[0].instances
    batch = np.eye(5, 3)
    assert len(lay_out(claim, batch)) == len(lay_out(claim, None)) > 1
    assert all((each.start == batch[:, :2]).all() for each in lay_out(claim, batch))
    for alike in (batch[:, :1], batch[:, [0, 0]], batch[:, [0, 0, 1]] * [1, -2, 1]):
        assert lay_out(claim, alike) == []


def test_a_slope_is_followed_no_further_than_its_verdict_needs(drawn: list[int]) -> None:
    """With the same verdicts as a thorough run, which draws alike at every width."""
    statement = claim(HALF, sp.Rational(1, 40), other=sp.Rational(-6, 10))
    thorough = check()(statement, Context(0, 1e-6, thorough=True))
    many = list(drawn)
    assert many == [400 * 2**k // 2 for k in range(len(many) // 3) for _ in WIDTHS]
    drawn.clear()
    found = check()(statement, Context(0, 1e-6))
    assert (found.verdict, found.sentinel) == (thorough.verdict, thorough.sentinel)
    assert (found.verdict, found.sentinel) == (Verdict.SUPPORTED, Verdict.REFUTED)
    assert sum(drawn) < sum(many)
    assert min(mean["count"] for mean in found.details["widths"]) >= 400 // 8


@pytest.mark.parametrize("thorough", [False, True])
def test_a_slope_is_simulated_in_float32_where_it_says_so_but_for_a_thorough_run(
    thorough: bool,
) -> None:
    statement = get("orthogonality.odd_activations:tanh")
    (probe,) = statement.checks
    assert probe.dtype == "float32"
    few = replace(probe, replicas=16, rounds=1)
    found = few(statement, Context(0, 1e-6, thorough=thorough))
    assert found.details["dtype"] == ("float64" if thorough else "float32")


@pytest.mark.parametrize("thorough", [False, True])
def test_a_slope_that_stays_open_is_given_up_after_as_many_replicas(
    thorough: bool, drawn: list[int]
) -> None:
    edge = claim(sp.Rational(-2, 5))
    found = check(rounds=3)(edge, Context(0, 1e-6, thorough=thorough))
    assert found.verdict is Verdict.INCONCLUSIVE
    most = sum(400 * 2**k // 2 for k in range(3))
    assert [mean["count"] for mean in found.details["widths"]] == [most] * len(WIDTHS)
    assert sum(drawn) == most * len(WIDTHS)


def test_no_two_batches_of_a_width_share_a_stream(
    drawn: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[object, ...]] = []
    stream = Context.stream

    def recorded(self: Context, *names: object) -> tuple[int, ...]:
        asked.append(names)
        return stream(self, *names)

    monkeypatch.setattr(Context, "stream", recorded)
    check(rounds=3)(claim(sp.Rational(-2, 5)), Context(0, 1e-6))
    assert len(asked) == len(drawn) > 6
    assert len(set(asked)) == len(asked)
