"""Where an expression has a value: what can be seen in it, and what is settled is left out."""

import pytest
import sympy as sp

from theorems.definedness import conditions_of
from theorems.expressions import UndefinedError, compiled

x = sp.Symbol("x", real=True)
k = sp.Symbol("k", integer=True)


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        (1 / x, ["Ne(x, 0)"]),
        (sp.sqrt(1 - x), ["1 - x >= 0"]),
        (sp.log(x), ["x > 0"]),
        (sp.acos(x), ["1 - x >= 0", "x + 1 >= 0"]),
        (
            sp.Mul(x, sp.Pow(x, -1, evaluate=False), evaluate=False),
            ["Ne(x, 0)"],
        ),  # unevaluated parts are seen
        (x**2 / x, []),  # and what SymPy has cancelled is not
        (
            sp.Piecewise((1 / x, x > 0), (sp.sqrt(-x), True)),
            ["Ne(Piecewise((x, x > 0), (1, True)), 0)", "Piecewise((1, x > 0), (-x, True)) >= 0"],
        ),
        (
            sp.Sum(1 / (x - k), (k, 0, 3)),
            ["Sum(Piecewise((0, Ne(k - x, 0)), (-1, True)), (k, 0, 3)) >= 0"],
        ),
    ],
)
def test_conditions_of_a_sympy_expression_are_those_that_can_be_seen(
    expression: sp.Expr, wanted: list[str]
) -> None:
    assert [str(c.relation) for c in conditions_of(expression)] == wanted


def test_a_place_that_is_not_there_is_undefined_and_never_counted_from_the_end() -> None:
    family, n = sp.IndexedBase("v"), sp.Symbol("n", integer=True, positive=True)
    assert len(conditions_of(family[n - 3], {"v": (n,)})) == 1
    assert conditions_of(sp.Sum(family[k], (k, 0, n - 1)), {"v": (n,)}) == ()
    place = compiled(family[n - 3], (n, family))
    with pytest.raises(UndefinedError, match="not there"):
        place.exact(2, [1, 2])
    assert place.balls(2, [1, 2]).is_nan()
    assert place.exact(3, [5, 6, 7]) == 5
