"""Numbers on their bound, as far as floats tell: no number of draws decides, whatever is read.

They are left after a number of draws, and the reason is told. What may still be decided is
drawn on.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sympy as sp

from simulators import rescale_chain
from theorems import Sentinel, Statement, Verdict
from theorems.checking import drawn_networks
from theorems.checking.confidence_sequence import BoundedMean, Estimator
from theorems.checking.estimates import (
    EstimatedFunction,
    KolmogorovDistance,
    KurtosisMean,
    PairedVariance,
    Quantile,
)
from theorems.checking.expectation import Expectation, Instance
from theorems.checking.lost_samples import Known
from theorems.context import Context
from theorems.statement import Quantifier, Source

X = sp.Symbol("x", real=True)
HALF = sp.Rational(1, 2)
MOST = 20_000
GIVEN_UP = range(4096, 8193)
ROUNDING = 1e-14


def claim(relation: str, bound: Any) -> Statement:
    return Statement(
        family="ours",
        theorem="bound",
        title="A number against its bound",
        quantifier=Quantifier.EXPECTATION,
        source=Source("ours", ""),
        variables=(),
        assumptions=(),
        definitions={X: "a number of a law"},
        lhs=X,
        relation=relation,
        rhs=sp.sympify(bound),
        sentinel=Sentinel(
            "far off", rhs=sp.sympify(bound) + (1 if relation in (">=", ">") else -1)
        ),
        expected=Verdict.SUPPORTED,
        checks=(),
    )


class Drawn:
    """A trajectory of which nothing is read but how many there are."""

    engine = "fake"

    def __init__(self, replicas: int) -> None:
        self.replicas = replicas


Draw = Callable[[np.random.Generator, int], tuple[np.ndarray, np.ndarray]]


def sampled(
    monkeypatch: pytest.MonkeyPatch,
    draw: Draw,
    made: Callable[[float, float | None], Estimator],
    *,
    relation: str = "<=",
    bound: Any = HALF,
    spoiled: float = 0.0,
) -> tuple[Verdict, dict[str, Any], str]:
    """What the check says of numbers between what ``draw`` gives: verdict, row, summary."""
    generator = np.random.default_rng(0)
    monkeypatch.setattr(drawn_networks, "simulate", lambda *_, replicas, **__: Drawn(replicas))

    def known(_: Statement, run: Any, __: Instance) -> Known:
        low, high = draw(generator, run.replicas)
        lost = generator.random(run.replicas) < spoiled
        shape = (len(lost),) + (1,) * (low.ndim - 1)
        low = np.where(lost.reshape(shape), 0.0, low)
        high = np.where(lost.reshape(shape), 1.0, high)
        return Known.between(low[:, None], high[:, None], lost[:, None])

    check = Expectation(
        lambda *_: [Instance("one", rescale_chain(4), np.eye(4), 1, ({},), (0.0, 1.0))],
        lambda *_: np.empty((0, 0)),
        (),
        known=known,
        estimator=lambda side, instance, values, level, aim: made(level, aim),
        noun="number",
        replicas=MOST,
        normals=10**9,
    )
    found = check(claim(relation, bound), Context(0, 1e-6))
    return found.verdict, found.details["readouts"][0], found.summary


def always(number: float) -> Draw:
    return lambda generator, count: (
        np.full(count, number * (1 - ROUNDING)),
        np.full(count, number * (1 + ROUNDING)),
    )


def both(one: Draw, other: Draw) -> Draw:
    """The two side by side."""

    def draw(generator: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
        pairs = zip(one(generator, count), other(generator, count), strict=True)
        low, high = (np.stack(pair, axis=1) for pair in pairs)
        return low, high

    return draw


def alike(generator: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Two numbers of each network that are one, within rounding."""
    values = np.tile(generator.random(count)[:, None], (1, 2))
    return values * (1 - ROUNDING), values


def mean(level: float, aim: float | None) -> Estimator:
    return BoundedMean(0.0, 1.0, level, aim)


def difference(of: Callable[[float], Estimator]) -> Callable[[float, float | None], Estimator]:
    return lambda level, aim: EstimatedFunction(
        lambda ends: ends["x"] - ends["y"],
        {"x": of(level / 2), "y": of(level / 2)},
        (-1.0, 1.0),
    )


KINDS: dict[str, tuple[Draw, Callable[[float, float | None], Estimator], Any]] = {
    "mean": (always(0.5), mean, HALF),
    "mean of a third, which sums round": (always(0.3), mean, sp.Rational(3, 10)),
    "mean without a range": (always(0.5), lambda level, aim: KurtosisMean(level, 4.0), HALF),
    "median": (always(0.5), lambda level, aim: Quantile(0.5, level), HALF),
    "quantile": (always(0.5), lambda level, aim: Quantile(0.9, level), HALF),
    "variance": (always(0.5), lambda level, aim: PairedVariance(0.0, 1.0, level, aim), 0),
    "event that rounding leaves open": (
        lambda generator, count: (np.zeros(count), np.ones(count)),
        mean,
        sp.Rational(1, 10),
    ),
    "distance from a law": (
        always(0.5),
        lambda level, aim: KolmogorovDistance(lambda x: np.clip(x, 0.0, 1.0), level),
        HALF,
    ),
    "difference of means": (alike, difference(lambda level: mean(level, 0.5)), 0),
    "difference of medians": (alike, difference(lambda level: Quantile(0.5, level)), 0),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("relation", ["<=", ">=", "<"])
def test_what_lies_on_its_bound_is_given_up_with_the_reason(
    monkeypatch: pytest.MonkeyPatch, kind: str, relation: str
) -> None:
    draw, made, bound = KINDS[kind]
    if kind == "variance" and relation == ">=":
        bound = sp.Rational(1, 10**18)  # of 0 it cannot fail
    verdict, row, summary = sampled(monkeypatch, draw, made, relation=relation, bound=bound)
    assert verdict is Verdict.INCONCLUSIVE
    assert row["replicas"] in GIVEN_UP
    assert "within rounding the estimate stays on the bound" in summary


def test_a_few_spoiled_samples_keep_nothing_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    verdict, row, summary = sampled(monkeypatch, always(0.5), mean, spoiled=1e-3)
    assert verdict is Verdict.INCONCLUSIVE
    assert row["spoiled"] > 0
    assert row["replicas"] in GIVEN_UP
    assert "given up, as within rounding" in summary


def test_what_is_near_its_bound_and_varies_is_drawn_to_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def varying(generator: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
        values = generator.random(count)
        return values, values * (1 + ROUNDING)

    for made in (mean, lambda level, aim: Quantile(0.5, level, 0.0, 1.0 + 1e-9)):
        verdict, row, summary = sampled(monkeypatch, varying, made)
        assert (verdict, row["replicas"]) == (Verdict.INCONCLUSIVE, MOST)
        assert "undecided at one" in summary
        assert "given_up" not in row or row["given_up"] == ""


def test_an_event_that_is_not_seen_may_still_come(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of probability 1/5000: none among the first thousands, and one refutes that there is none."""
    drawn = 0

    def rare(generator: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
        nonlocal drawn
        drawn += count
        values = (np.arange(drawn - count, drawn) % 5000 == 4999).astype(float)
        return values, values

    verdict, row, _ = sampled(monkeypatch, rare, mean, bound=0)
    assert verdict is Verdict.REFUTED
    assert row["replicas"] > 4096


def test_an_equality_that_holds_is_supported_though_the_estimate_is_the_bound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A hundredth on [0, 1] takes more draws than others are given up after."""
    bound = sp.Rational(1, 100)
    verdict, row, _ = sampled(monkeypatch, always(0.01), mean, relation="==", bound=bound)
    assert verdict is Verdict.SUPPORTED
    assert row["replicas"] > 4096


def test_an_equality_that_rounding_is_too_wide_for_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def wide(generator: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
        return np.full(count, 0.3), np.full(count, 0.7)

    verdict, row, summary = sampled(monkeypatch, wide, mean, relation="==")
    assert verdict is Verdict.INCONCLUSIVE
    assert row["replicas"] in GIVEN_UP
    assert "given up" in summary
    assert math.isclose(row["bound"], 0.5)
