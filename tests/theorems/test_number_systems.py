"""Number systems: what is certain of balls, what is rational, and a place that is not there."""

from __future__ import annotations

from fractions import Fraction

import flint
import pytest
import sympy as sp

from theorems.expressions import InexactError, UndefinedError, compiled
from theorems.number_systems import ORDER, compare

POINT, LOW, HIGH, WIDE = flint.arb(1), flint.arb(0, 0.25), flint.arb(2, 0.25), flint.arb(1, 2)


@pytest.mark.parametrize("relation", ORDER)
@pytest.mark.parametrize(
    ("left", "right"),
    [(LOW, HIGH), (HIGH, LOW), (WIDE, LOW), (HIGH, WIDE), (POINT, POINT), (WIDE, WIDE)],
)
def test_what_is_certain_of_balls_holds_at_all_their_points(
    relation: str, left: flint.arb, right: flint.arb
) -> None:
    ends = [(a, b) for a in (left.lower(), left.upper()) for b in (right.lower(), right.upper())]
    found = compare(left, relation, right)
    if found is not None:
        assert all(bool(ORDER[relation](a, b)) is found for a, b in ends)
    elif relation not in ("==", "!="):
        assert {bool(ORDER[relation](a, b)) for a, b in ends} == {True, False}


@pytest.mark.parametrize("relation", ["==", "!="])
def test_equality_of_balls_is_never_certain(relation: str) -> None:
    assert compare(POINT, relation, POINT) is None
    assert compare(LOW, relation, HIGH) is (relation == "!=")


@pytest.mark.parametrize("relation", ORDER)
def test_nothing_is_certain_of_what_has_no_value(relation: str) -> None:
    assert not compare(flint.arb.nan(), relation, POINT)


X = sp.Symbol("x", real=True)


@pytest.mark.parametrize(
    ("expression", "at", "value"),
    [
        (sp.log(X), 1, 0),
        (sp.exp(X), 0, 1),
        (sp.acos(X), 1, 0),
        (sp.sqrt(X), Fraction(4, 9), Fraction(2, 3)),
        (X**3, Fraction(-1, 2), Fraction(-1, 8)),
    ],
)
def test_transcendental_functions_are_rational_where_they_are(
    expression: sp.Expr, at: Fraction, value: Fraction
) -> None:
    found = compiled(expression, (X,))
    assert found.exact(at) == flint.fmpq(value.numerator, value.denominator)
    if not isinstance(expression, sp.Pow) or expression.exp != 3:
        with pytest.raises(InexactError, match="not rational"):
            found.exact(Fraction(1, 2))


@pytest.mark.parametrize("expression", [sp.pi * X, sp.polygamma(0, X), X**X])
def test_other_values_are_left_to_balls(expression: sp.Expr) -> None:
    with pytest.raises(InexactError):
        compiled(expression, (X,)).exact(Fraction(1, 2))


def test_a_power_of_too_many_bits_is_left_to_balls() -> None:
    with pytest.raises(InexactError, match="bits"):
        compiled(sp.Pow(X, sp.Symbol("k")), (sp.Symbol("k"), X)).exact(10**6, Fraction(1, 3))


def test_the_root_of_a_negative_number_is_undefined() -> None:
    with pytest.raises(UndefinedError, match="negative"):
        compiled(sp.sqrt(X), (X,)).exact(-1)
