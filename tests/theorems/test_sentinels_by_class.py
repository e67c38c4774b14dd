"""One small claim for every kind of exact check: a neighbour that holds is upheld or left open, a
false one falls.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
import sympy as sp
from flint import arb
from hypothesis import strategies as st

from theorems import Assumption, Sentinel, Statement, Verdict, get
from theorems.checking.enclosures import Enclosed, Part
from theorems.checking.pointwise import Pointwise
from theorems.checking.symbolic import SymbolicIdentity, SymbolicSign
from theorems.checking.width_limit import RepeatedSpectrum, WidthLimit
from theorems.context import Context
from theorems.statement import Variable
from theorems.verification import Result

X, D, ELL = (
    sp.Symbol("x", real=True),
    sp.Symbol("d", positive=True),
    sp.Symbol("ell", nonnegative=True),
)


def claim(lhs: Any, relation: str, rhs: Any, other: Any) -> Statement:
    base = get("orthogonality.gap_vs_smallest_eigenvalue:sharp")
    variables = tuple(Variable(s, sp.Interval(0, 3), str(s)) for s in (D, ELL))
    return replace(
        base,
        variables=variables,
        definitions={X: "what is read"},
        assumptions=(),
        proof=None,
        lhs=sp.sympify(lhs),
        relation=relation,
        rhs=sp.sympify(rhs),
        sentinel=Sentinel("", rhs=sp.sympify(other)),
        expected=Verdict.CERTIFIED,
    )


def path(values: Any) -> WidthLimit:
    starts = tuple(
        RepeatedSpectrum((least, 1 - least), (1, 1)) for least in (Fraction(1, 4), Fraction(1, 3))
    )
    return WidthLimit(
        starts, 2, lambda spectrum, sizes: values, lambda statement, start: {}, D, ELL
    )


ONE = {"x": Fraction(1)}
#: The check, a claim that holds, a neighbour that does, and one that is false.
HOLDING = {
    "Pointwise": (
        Pointwise(lambda item: {"x": item}, lambda: st.just(Fraction(1)), examples=2),
        X,
        "<=",
        2,
        3,
        0,
    ),
    "WidthLimit": (path({"x": arb(1)}), X, "<=", 2, 3, 0),
    "WidthLimit read from layer 1": (replace(path({"x": arb(1)}), offset=1), X, "<=", 2, 3, 0),
    "Enclosed": (
        Enclosed(parts=lambda: [Part("all", lambda: {"x": arb(1, 0.25)})]),
        X,
        "<=",
        2,
        3,
        0,
    ),
    "SymbolicIdentity": (
        SymbolicIdentity((ONE,)),
        (X + 1) ** 2,
        "==",
        X**2 + 2 * X + 1,
        sp.Mul(X + 1, X + 1, evaluate=False),
        X**2 + 1,
    ),
    "SymbolicSign": (SymbolicSign(sp.S.One, (X**2,), {}, (ONE,)), X**2 + 1, ">=", 1, 0, 3),
}


@pytest.mark.parametrize("name", HOLDING)
def test_a_neighbour_that_holds_does_not_fall_and_a_false_one_does(name: str) -> None:
    check, lhs, relation, rhs, holds, false = HOLDING[name]
    stands = check(claim(lhs, relation, rhs, holds), Context(0, 1e-6))
    falls = check(claim(lhs, relation, rhs, false), Context(0, 1e-6))
    assert (stands.verdict, falls.verdict) == (Verdict.CERTIFIED, Verdict.CERTIFIED)
    assert stands.sentinel in (Verdict.CERTIFIED, Verdict.INCONCLUSIVE)
    assert falls.sentinel is Verdict.REFUTED
    assert not Result(claim(lhs, relation, rhs, holds), stands.verdict, (stands,)).sound
    assert Result(claim(lhs, relation, rhs, false), falls.verdict, (falls,)).sound


@pytest.mark.parametrize("name", HOLDING)
def test_a_false_claim_falls_whatever_its_neighbour(name: str) -> None:
    check, lhs, relation, rhs, _, false = HOLDING[name]
    found = check(claim(lhs, relation, false, rhs), Context(0, 1e-6))
    assert found.verdict is Verdict.REFUTED
    assert found.sentinel in (Verdict.CERTIFIED, Verdict.INCONCLUSIVE)
    assert found.power is None


@pytest.mark.parametrize("name", ["Pointwise", "WidthLimit", "Enclosed"])
def test_what_is_open_is_said_to_be_open(name: str) -> None:
    vague = {"x": arb(1, 2)}
    check = {
        "Pointwise": Pointwise(lambda item: vague, lambda: st.just(0), examples=1),
        "WidthLimit": path(vague),
        "Enclosed": Enclosed(parts=lambda: [Part("all", lambda: vague)]),
    }[name]
    found = check(claim(X, "<=", 2, 1), Context(0, 1e-6))
    assert (found.verdict, found.sentinel, found.power) == (
        Verdict.INCONCLUSIVE,
        Verdict.INCONCLUSIVE,
        None,
    )


def test_two_paths_of_which_one_falls_refute() -> None:
    starts = path({}).starts
    check = replace(path({}), readings=lambda spectrum, sizes: {"x": spectrum[0]}, depth=0)
    found = check(claim(X, "<=", Fraction(3, 10), 1), Context(0, 1e-6))
    assert (found.verdict, found.sentinel) == (Verdict.REFUTED, Verdict.CERTIFIED)
    assert [p["verdict"] for p in found.details["paths"]] == ["certified", "refuted"]
    assert [p["crossing_layer"] for p in found.details["paths"]] == [None, 0]
    assert len(starts) == 2


S = sp.Symbol("s", nonnegative=True)


@pytest.mark.parametrize("offset", [0, 1])
@pytest.mark.parametrize(
    ("least", "verdict"),
    [
        (arb(0.25, 0.0625), Verdict.CERTIFIED),
        (arb(0.25, 0.25), Verdict.INCONCLUSIVE),
        (arb(0.0625, 0.03125), Verdict.OUTSIDE),
    ],
)
def test_a_path_whose_assumption_is_open_or_fails_is_not_judged(
    offset: int, least: arb, verdict: Verdict
) -> None:
    """At the start, 1/4 and 1/3, it holds; afterwards ``least`` is all that is known."""
    check = replace(path({"x": arb(1), "s": least}), offset=offset)
    assumed = Assumption(sp.Ge(S, Fraction(1, 8)), "", along="path")
    given = replace(
        claim(X, "<=", 2, 3),
        assumptions=(assumed,),
        definitions={X: "what is read", S: "the least"},
    )
    found = check(given, Context(0, 1e-6))
    assert found.verdict is verdict
