"""Means of what is drawn otherwise than from a chain: verdicts, the neighbour's, and what is open."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import sympy as sp
from numpy.typing import NDArray

from theorems.checking.drawn_means import DrawnMeans, MeanCase
from theorems.context import Context
from theorems.statement import Quantifier, Sentinel, Source, Statement, Variable, Verdict

p, mean = sp.symbols("p mean", nonnegative=True)
HALF = sp.Rational(1, 2)


def coins(share: float, seed: tuple[int, ...], size: int) -> NDArray[np.float64]:
    return (np.random.default_rng(seed).random(size) < share).astype(np.float64)


def claim(relation: str, sentinel: sp.Expr) -> Statement:
    return Statement(
        family="splines",
        theorem="coins",
        title="heads",
        quantifier=Quantifier.EXPECTATION,
        source=Source("ours", ""),
        variables=(Variable(p, sp.Interval(0, 1), "claimed share"),),
        definitions={mean: "share of heads"},
        lhs=mean,
        relation=relation,
        rhs=p,
        sentinel=Sentinel("another share", rhs=sentinel),
        expected=Verdict.SUPPORTED,
        checks=(),
    )


def case(share: float, claimed: float = 0.5, most: int = 100_000) -> MeanCase:
    return MeanCase(f"{share}", {"p": claimed}, partial(coins, share), (0.0, 1.0), most)


@pytest.mark.parametrize(
    ("relation", "shares", "verdict"),
    [
        ("==", (0.5,), Verdict.SUPPORTED),
        ("==", (0.5, 0.6), Verdict.REFUTED),
        ("<=", (0.4,), Verdict.SUPPORTED),
        ("<=", (0.4, 0.7), Verdict.REFUTED),
        (">=", (0.6,), Verdict.SUPPORTED),
        (">=", (0.4,), Verdict.REFUTED),
    ],
)
def test_verdicts(relation: str, shares: tuple[float, ...], verdict: Verdict) -> None:
    check = DrawnMeans(lambda batch: [case(share) for share in shares])
    found = check(claim(relation, p + sp.Rational(1, 4)), Context(0, 1e-6))
    assert found.verdict is verdict
    assert (found.summary.count("mean in") == 1) is (verdict is Verdict.REFUTED)


@pytest.mark.parametrize(("off", "word"), [(0.25, "refuted"), (0.0, "supported")])
def test_the_neighbour_is_judged_on_the_same_numbers(off: float, word: str) -> None:
    neighbour = p + sp.Rational(off) if off else p + sp.Symbol("zero", zero=True)
    statement = claim("==", p + HALF)
    statement = replace(statement, sentinel=Sentinel("n", rhs=neighbour)) if off else statement
    found = DrawnMeans(lambda batch: [case(0.5 if off else 1.0)])(statement, Context(0, 1e-6))
    assert found.sentinel.value == word


def test_too_few_draws_leave_it_open() -> None:
    found = DrawnMeans(lambda batch: [case(0.5, most=40)])(claim("==", p / 2), Context(0, 1e-6))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.details["readouts"][0]["replicas"] == 40


def test_out_of_time_nothing_is_drawn() -> None:
    late = Context(0, 1e-6, deadline=0.0)
    found = DrawnMeans(lambda batch: [case(0.5)])(claim("==", p / 2), late)
    assert found.verdict is found.sentinel is Verdict.INCONCLUSIVE
    assert found.summary.endswith("nothing was drawn")


def test_a_batch_has_no_part_in_it() -> None:
    assert not DrawnMeans(lambda batch: []).takes_batch
