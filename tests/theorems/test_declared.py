"""Whether a value lies in the domain that a statement declares for it, exactly."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

import flint
import pytest
import sympy as sp

from theorems.algebraic import root_of
from theorems.checking.declared import require_inside
from theorems.statement import Variable

n = sp.Symbol("n", integer=True, positive=True)
x = sp.Symbol("x", real=True)
spectrum = sp.IndexedBase("lambda", real=True)
SIZE = Variable(n, sp.Range(2, 9), "samples")
OPEN = Variable(x, sp.Interval.open(0, 1 / n), "a share")
CLOSED = Variable(x, sp.Interval(0, 2), "a number")
FAMILY = Variable(spectrum, sp.Interval(0, 1), "eigenvalues", size=(n,))
HALF = Fraction(1, 2)
ROOT_2 = root_of(Fraction(2), 2)


@pytest.mark.parametrize(
    ("variable", "item"),
    [
        (SIZE, {"n": 2}),
        (SIZE, {"n": flint.fmpq(8)}),
        (OPEN, {"n": 2, "x": Fraction(1, 3)}),
        (CLOSED, {"x": 0}),
        (CLOSED, {"x": sp.Rational(2)}),
        (CLOSED, {"x": ROOT_2}),
        (FAMILY, {"n": 2, "lambda": (HALF, 1)}),
        (FAMILY, {"n": 2, "lambda": [flint.fmpq(1, 2), flint.fmpq(0)]}),
    ],
)
def test_what_lies_in_the_domain_is_right(variable: Variable, item: dict[str, Any]) -> None:
    require_inside(variable, item)


@pytest.mark.parametrize(
    ("variable", "item", "words"),
    [
        (SIZE, {"n": 1}, "n = 1 is not in"),
        (SIZE, {"n": 9}, "n = 9 is not in"),
        (SIZE, {"n": Fraction(5, 2)}, "n = 5/2 is not in"),
        (OPEN, {"n": 2, "x": HALF}, "x = 1/2 is not in Interval.open(0, 1/2)"),
        (OPEN, {"n": 2, "x": 0}, "x = 0 is not in"),
        (CLOSED, {"x": Fraction(201, 100)}, "x = 201/100 is not in"),
        (CLOSED, {"x": 2 * HALF * 3}, "x = 3 is not in"),
        (CLOSED, {"x": (1, 1)}, "x: want no entries"),
        (CLOSED, {"x": "one"}, ""),
        (FAMILY, {"n": 2, "lambda": (HALF,)}, "lambda: want 2 entries"),
        (FAMILY, {"n": 2, "lambda": HALF}, "lambda: want 2 entries"),
        (FAMILY, {"n": 2, "lambda": (HALF, (HALF,))}, "lambda: want 2 entries"),
        (FAMILY, {"n": 2, "lambda": (HALF, -1)}, "lambda = -1 is not in"),
        (FAMILY, {"n": 1, "lambda": (ROOT_2,)}, "lambda = root 2 of"),
    ],
)
def test_what_does_not_is_named_with_its_domain(
    variable: Variable, item: dict[str, Any], words: str
) -> None:
    with pytest.raises((ValueError, TypeError), match=f"^{re.escape(words)}"):
        require_inside(variable, item)
