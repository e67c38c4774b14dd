"""Intervals of floats hold every value of an expression over what is known to lie in others."""

from __future__ import annotations

import numpy as np
import pytest
import sympy as sp

from theorems.expressions import compiled
from theorems.float_intervals import Interval, order

X, Y = sp.symbols("x y", real=True)
EXPRESSIONS = [
    sp.log(abs(X)) + Y**3 / 3,
    (X - Y) / (X * Y),
    sp.sqrt(abs(X)) * sp.exp(Y),
    sp.Max(X, Y) ** 2 - sp.Min(X, 0),
    sp.acos(X / 10) + sp.sign(Y),
    abs(X) ** sp.Rational(3, 7),
    X**-2 + sp.pi * Y,
    sp.Piecewise((X, X < Y), (Y**2, True)),
    sp.Sum(X * sp.Symbol("k"), (sp.Symbol("k"), 1, 3)),
]


@pytest.mark.parametrize("expression", EXPRESSIONS, ids=str)
def test_every_value_lies_in_the_interval(expression: sp.Expr) -> None:
    generator = np.random.default_rng(0)
    low = 3 * generator.normal(size=(2, 300))
    width = generator.exponential(size=(2, 300)) * generator.choice([0, 1e-3, 1], size=(2, 300))
    functions = compiled(expression, (X, Y))
    found = functions.intervals(*(Interval(a, a + w) for a, w in zip(low, width, strict=True)))
    assert isinstance(found, Interval)
    for share in np.random.default_rng(1).random((40, 2, 1)):
        with np.errstate(all="ignore"):
            values = functions.floats(*np.minimum(low + share * width, low + width))
        assert not np.any((values < found.low) | (values > found.high))
    points = (width == 0).all(axis=0) & np.isfinite(found.low) & np.isfinite(found.high)
    size = 1 + np.abs(found.low[points])
    assert np.all(found.high[points] - found.low[points] <= 1e-12 * size)  # and not much else


def test_a_part_without_a_value_leaves_none_and_one_that_may_have_none_is_left_out() -> None:
    logarithm = compiled(sp.log(X), (X,)).intervals(Interval([-2.0, -1.0, 1.0], [-1.0, 1.0, 1.0]))
    assert np.isnan(logarithm.low).tolist() == [True, False, False]
    assert logarithm.low[1] == -np.inf
    assert 0 <= logarithm.high[1] <= 1e-300
    missing = Interval(np.nan) + Interval([0.0, 1.0])
    assert missing.undefined.all()


def test_quotients_are_unbounded_only_where_the_denominator_may_vanish() -> None:
    found = 1.0 / Interval([-1.0, 0.0, 1.0, -2.0], [1.0, 2.0, 2.0, 0.0])
    assert found.low[0] == -np.inf
    assert found.high[0] == np.inf
    assert 0.49 < found.low[1] <= 0.5
    assert found.high[1] == np.inf
    assert found.low[3] == -np.inf
    assert -0.5 <= found.high[3] < -0.49


def test_a_comparison_is_certain_only_where_intervals_are_apart() -> None:
    values = Interval([0.0, 1.0, 2.0, 2.0, np.nan], [1.0, 2.0, 2.0, 3.0, np.nan])
    table = {
        "<": ([True, False, False, False, False], [True, True, False, False, False]),
        "<=": ([True, True, True, False, False], [True, True, True, True, False]),
        ">": ([False, False, False, False, False], [False, False, False, True, False]),
        ">=": ([False, False, True, True, False], [False, True, True, True, False]),
        "==": ([False, False, True, False, False], [False, True, True, True, False]),
        "!=": ([True, False, False, False, False], [True, True, False, True, False]),
    }
    for relation, wanted in table.items():
        assert tuple(each.tolist() for each in order(values, relation, 2.0)) == wanted, relation


def test_an_interval_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(ValueError, match="want low <= high"):
        Interval(1.0, 0.0)
