"""Algebraic numbers: roots apart and in order, signs exact, numbers to SymPy like others."""

import pickle
from fractions import Fraction
from itertools import pairwise
from typing import Any

import flint
import pytest
import sympy as sp

from theorems.algebraic import (
    Root,
    between,
    order,
    real_roots,
    sign,
    whole_above,
    whole_below,
)
from theorems.checking.real_line import as_point
from theorems.expressions import UndefinedError, compiled

R = sp.Rational
SQRT2 = Root((-2, 0, 1), 2)


def test_roots_are_isolated_ordered_and_rounded() -> None:
    polynomial = (
        flint.fmpz_poly([-2, 0, 0, 1]) * flint.fmpz_poly([-2, 0, 1]) ** 2 * flint.fmpz_poly([-1, 3])
    )
    found = real_roots(polynomial)
    assert [float(p) for p in found] == pytest.approx([-(2**0.5), 1 / 3, 2 ** (1 / 3), 2**0.5])
    assert all(
        order(a, b) == -1 and order(b, a) == 1 and order(a, a) == 0 for a, b in pairwise(found)
    )
    assert order(between(found[2], found[3]), found[2]) == 1
    assert (whole_above(SQRT2), whole_below(SQRT2), whole_above(Fraction(2))) == (2, 1, 3)
    assert (between(None, found[0]), between(SQRT2, None), between(None, None)) == (-2, 2, 0)


@pytest.mark.parametrize(
    ("expression", "want"),
    [
        (sp.sqrt(2) - SQRT2, 0),
        (sp.sqrt(2) + sp.sqrt(3) - sp.sqrt(5 + 2 * sp.sqrt(6)), 0),
        (sp.sqrt(2) + sp.sqrt(3) - sp.sqrt(5 + 2 * sp.sqrt(6)) + R(1, 10**300), 1),
        (sp.cbrt(2) - R(5, 4), 1),
        (1 / (SQRT2 + 1) - SQRT2 + 1, 0),
        (sp.Min(SQRT2, R(3, 2)) - SQRT2, 0),
        (sp.Abs(1 - SQRT2) - SQRT2, -1),
        (sp.sqrt(sp.sqrt(8) - 2 * SQRT2, evaluate=False), 0),
        (sp.exp(SQRT2), None),
        (sp.Add(*[sp.sqrt(p) for p in sp.primerange(60)]) ** 2, 1),
    ],
)
def test_signs_are_exact(expression: Any, want: Any) -> None:
    assert sign(expression) == want


@pytest.mark.parametrize(
    "expression", [1 / (SQRT2**2 - 2), sp.sqrt(1 - SQRT2), sp.Pow(SQRT2 - sp.sqrt(2), -1)]
)
def test_what_has_no_value_has_no_sign(expression: Any) -> None:
    with pytest.raises(UndefinedError):
        sign(expression)


def test_a_root_is_a_number_like_others() -> None:
    assert pickle.loads(pickle.dumps(SQRT2)) == SQRT2
    assert as_point(1 - SQRT2) == Root((-1, -2, 1), 1)
    assert as_point(SQRT2 * sp.sqrt(2)) == 2
    with flint.ctx.workprec(200):
        ball = compiled(SQRT2**2 - 2, ()).balls()
        assert ball.contains(0)
        assert ball.rad() < 1e-50
    assert float(sp.N(SQRT2, 30)) == pytest.approx(2**0.5, rel=1e-15)


@pytest.mark.parametrize(
    ("expression", "want"),
    [
        (sp.Mul(R(2), R(3, 4), evaluate=False), Fraction(3, 2)),
        (sp.Pow(R(2), R(3), evaluate=False), 8),
        (sp.Add(R(1, 2), R(1, 3), evaluate=False), Fraction(5, 6)),
        (sp.sqrt(sp.Add(sp.Mul(R(2), R(3), evaluate=False), R(3), evaluate=False)), 3),
        (sp.cbrt(sp.Add(sp.Pow(R(2), R(2), evaluate=False), R(4), evaluate=False)), 2),
    ],
    ids=str,
)
def test_a_number_that_is_not_worked_out_is_a_point(expression: Any, want: Any) -> None:
    assert as_point(expression) == want
