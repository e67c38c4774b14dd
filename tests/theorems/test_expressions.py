"""One expression, three arithmetics: the ball contains the exact value, the float is within its own
rounding.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction
from functools import partial
from itertools import cycle
from typing import Any

import flint
import numpy as np
import pytest
import sympy as sp

from theorems import library
from theorems.expressions import InexactError, arguments_of, compiled
from theorems.families.rank.notation import BATCH, SPECTRUM, WIDTH, lam
from theorems.statement import Sentinel, Statement
from theorems.templates.pointwise import STATEMENT as POINTWISE

x, y, n, i, j = sp.symbols("x y n i j")
a = sp.IndexedBase("a")
THIRD = Fraction(1, 3)

#: What whole numbers are, and real ones in their domains, in the order of declaration: floats of
#: the shares are off by one rounding, and no two sizes are alike.
WHOLE = (4, 5, 3, 2)
SHARES = tuple(Fraction(p, q) for p, q in ((3, 7), (1, 3), (5, 9), (2, 11), (5, 13), (7, 17)))


class Values(dict[str, Any]):
    """Values of a statement's symbols, made from the domains and sizes that it declares.

    What its definitions stand for gets values too, whatever they are defined by.
    """

    def __init__(self, statement: Statement) -> None:
        super().__init__()
        self.shares = cycle(SHARES)
        self.whole = cycle(WHOLE)
        for variable in statement.variables:
            real = not isinstance(variable.domain, sp.Range)
            one = partial(self.real if real else self.whole_number, variable.domain)
            self[variable.name] = self.family(variable.size, one)
        for symbol in statement.definitions:
            shape = tuple(symbol.shape) if isinstance(symbol, sp.IndexedBase) else ()
            self[str(symbol)] = self.family(shape, partial(next, self.shares))

    def family(self, size: tuple[sp.Expr, ...], one: Callable[[], Any]) -> Any:
        if not size:
            return one()
        return [self.family(size[1:], one) for _ in range(int(self.end(size[0])))]

    def whole_number(self, domain: sp.Range) -> int:
        wanted = max(next(self.whole), int(self.end(domain.start)))
        return wanted if domain.stop == sp.oo else min(wanted, int(self.end(domain.stop)) - 1)

    def real(self, domain: sp.Interval) -> Fraction:
        share = next(self.shares)
        low, high = map(self.end, (domain.start, domain.end))
        if low is None or high is None:
            return share + (low or 0) if high is None else high - share
        return low + share * (high - low)

    def end(self, end: sp.Expr) -> Fraction | None:
        """The end of a domain, to 60 bits where it is irrational; None where there is none."""
        if abs(end) == sp.oo:
            return None
        arguments = arguments_of(end)
        function, given = compiled(end, arguments), [self[str(a)] for a in arguments]
        try:
            exact = function.exact(*given)
        except InexactError:
            return Fraction(float(function.floats(*given)))
        return Fraction(int(exact.p), int(exact.q))


def sides_of(statement: Statement) -> dict[str, sp.Expr]:
    """What is evaluated of a statement and of its false neighbour, by its place."""
    neighbour = statement.neighbour
    places = {
        "lhs": statement.lhs,
        "rhs": statement.rhs,
        "sentinel lhs": neighbour.lhs,
        "sentinel rhs": neighbour.rhs,
        "ceiling": statement.ceiling,
    }
    return {place: side for place, side in places.items() if side is not None}


SIDES = [(s, place) for s in library() for place in sides_of(s)]


@pytest.mark.parametrize(
    ("statement", "place"), SIDES, ids=[f"{s.name} {place}" for s, place in SIDES]
)
def test_the_three_arithmetics_agree(statement: Statement, place: str) -> None:
    require_agreement(sides_of(statement)[place], Values(statement))


def test_values_have_the_sizes_and_domains_that_a_statement_declares() -> None:
    for statement in library():
        values = Values(statement)
        for variable in statement.variables:
            variable.admit({name: as_floats(value) for name, value in values.items()})


def test_sizes_of_any_declared_symbol_are_followed() -> None:
    """A statement whose family has another extent than that of the same name elsewhere."""
    for size in (WIDTH, BATCH):
        spectrum = replace(SPECTRUM, size=(size.symbol,))
        last = size.symbol - 1
        squares, cubes = (sp.Sum(lam[i] ** power, (i, 0, last)) for power in (2, 3))
        statement = replace(
            POINTWISE,
            variables=(size, spectrum),
            assumptions=(),
            lhs=squares**2,
            relation="<=",
            rhs=size.symbol * cubes,
            sentinel=Sentinel("less", rhs=size.symbol * cubes / 2),
        )
        values = Values(statement)
        assert len(values["lambda"]) == values[size.name]
        for side in sides_of(statement).values():
            require_agreement(side, values)


def as_floats(value: Any) -> Any:
    return np.asarray(value, dtype=float)


def require_agreement(side: sp.Expr, values: Mapping[str, Any]) -> None:
    function = compiled(side, arguments_of(side))
    numbers = [values[str(argument)] for argument in arguments_of(side)]
    with flint.ctx.workprec(200):
        ball = function.balls(*numbers)
        assert ball.is_finite()
        assert ball.rel_accuracy_bits() > 150 or ball.is_zero() or abs(ball) < flint.arb(2) ** -150
        # The same operations in balls of 53 bits: the radius collects the rounding of all, and
        # floats round as often.
        with flint.ctx.workprec(53):
            coarse = function.balls(*map(to_balls, numbers))
        assert coarse.overlaps(ball)
        number = function.floats(*map(as_floats, numbers))
        assert flint.arb(float(number)).overlaps(coarse + flint.arb(0, coarse.rad()))
        try:
            exact = function.exact(*numbers)
        except InexactError:
            assert side.has(sp.Pow, sp.polygamma, sp.acos, sp.pi, sp.log)
        else:
            assert ball.contains(flint.arb(exact)) or ball.overlaps(flint.arb(exact))


def to_balls(value: Any) -> Any:
    """The numbers as balls of the current precision, so that every operation rounds."""
    if isinstance(value, list):
        return [to_balls(v) for v in value]
    return flint.arb(value.numerator) / value.denominator if isinstance(value, Fraction) else value


def rational(value: sp.Rational) -> flint.fmpq:
    return flint.fmpq(int(value.p), int(value.q))


def test_rational_constants_stay_exact() -> None:
    function = compiled(sp.Rational(2, 3) * x + sp.Rational(-1, 7) / (x + 3), (x,))
    assert function.exact(THIRD) == flint.fmpq(2, 9) - flint.fmpq(3, 70)
    with flint.ctx.workprec(400):
        wrong = flint.arb(2 / 3)  # the nearest float
        assert not compiled(sp.Rational(2, 3), ()).balls().overlaps(wrong)


def test_a_float_in_the_expression_is_refused() -> None:
    with pytest.raises(TypeError, match=r"write sp.Rational"):
        compiled(sp.Float("0.1") * x, (x,))


def test_irrational_values_are_refused_exactly() -> None:
    assert compiled(sp.sqrt(x), (x,)).exact(Fraction(4, 9)) == flint.fmpq(2, 3)
    for expression, value in ((sp.sqrt(x), 2), (x ** sp.Rational(1, 3), 2), (2**x, Fraction(1, 2))):
        with pytest.raises(InexactError):
            compiled(expression, (x,)).exact(value)
    with pytest.raises(ValueError, match="negative"):
        compiled(sp.sqrt(x), (x,)).exact(-4)


def test_an_exact_value_never_comes_from_a_ball() -> None:
    with pytest.raises(TypeError):
        compiled(x + 1, (x,)).exact(flint.arb(1) / 3)


def test_radicals_as_arguments() -> None:
    root = sp.sqrt(sp.Rational(1, 3))
    with pytest.raises(InexactError):
        compiled(x**2, (x,)).exact(root)
    assert compiled(x**2, (x,)).balls(root).contains(flint.fmpq(1, 3))
    assert compiled(x**2, (x,)).exact(sp.Rational(2, 3)) == flint.fmpq(4, 9)


@pytest.mark.parametrize(
    "expression", [sp.Sum(i / (i + 2), (i, 0, n - 1)), sp.Product((i + 1) / (i + 2), (i, 0, n - 1))]
)
def test_an_index_divides_exactly(expression: sp.Expr) -> None:
    """Indices are integers; in Python their quotient would be a float, and the ball a wrong one."""
    function = compiled(expression, (n,))
    assert function.exact(5) == rational(expression.subs(n, 5).doit())
    with flint.ctx.workprec(300):
        assert function.balls(5).overlaps(flint.arb(function.exact(5)))


@pytest.mark.parametrize("index", ["x0", "x1", "i0", "total", "place", "span", "lambda", "i'"])
def test_an_index_of_any_name_hides_nothing(index: str) -> None:
    k, a, size = sp.symbols((index, "a", "size"))
    family = sp.IndexedBase("x")
    expression = sp.Sum(family[k] * a + k, (k, 0, size - 1))
    arguments = arguments_of(expression)
    assert [str(x) for x in arguments] == ["a", "size", "x"]
    assert compiled(expression, arguments).exact(5, 3, [1, 2, 3]) == 33


def test_sums_with_symbolic_limits() -> None:
    double = sp.Sum(sp.Sum(a[i] * a[j], (j, 0, i)), (i, 0, n - 1))
    base = arguments_of(double)
    assert [str(argument) for argument in base] == ["a", "n"]
    values = [Fraction(1, 2), Fraction(1, 3), Fraction(1, 5)]
    truth = sum((values[p] * values[q] for p in range(3) for q in range(p + 1)), Fraction(0))
    assert compiled(double, base).exact(values, 3) == flint.fmpq(truth.numerator, truth.denominator)
    assert compiled(double, base).exact(values, 0) == 0
    with pytest.raises(ValueError, match="not a whole number"):
        compiled(double, base).exact(values, Fraction(5, 2))
    with pytest.raises(ValueError, match="not a whole number"):
        compiled(double, base).floats(np.ones(3), 2.5)


def test_derivatives_are_opened() -> None:
    assert compiled(sp.Derivative(x**3, (x, 2)), (x,)).exact(Fraction(1, 2)) == 3


@pytest.mark.parametrize(
    "expression",
    [
        sp.Min(x, y, 1),
        sp.Max(x, y, sp.Rational(1, 3)),
        x ** (-2),
        (x + y) ** -y,
        1 / sp.sqrt(x),
        (sp.Rational(1, 2)) ** y,
        -x - y,
        3 / (x * y),
    ],
)
def test_every_printed_operation(expression: sp.Expr) -> None:
    function = compiled(expression, (x, y))
    truth = sp.N(expression.subs({x: sp.Rational(9, 4), y: 2}), 40)
    with flint.ctx.workprec(100):
        assert function.balls(Fraction(9, 4), 2).overlaps(flint.arb(str(truth), flint.arb("1e-35")))
    assert function.exact(Fraction(9, 4), 2) == rational(
        expression.subs({x: sp.Rational(9, 4), y: 2})
    )
    assert function.floats(np.array([2.25, 2.25]), np.array([2.0, 2.0])).shape in ((2,), ())


STEP = sp.Piecewise((1, a[i] >= x), (y, a[i] > 0), (0, True))
COUNT = sp.Sum(STEP, (i, 0, n - 1))


def test_cases_count_ties_in_every_arithmetic() -> None:
    values = {
        "a": [Fraction(2), THIRD, Fraction(1, 4), Fraction(0)],
        "n": 4,
        "x": THIRD,
        "y": Fraction(1, 8),
    }
    function = compiled(COUNT, arguments_of(COUNT))
    given = [values[str(s)] for s in arguments_of(COUNT)]
    assert function.exact(*given) == flint.fmpq(17, 8)
    assert function.balls(*given) == flint.fmpq(17, 8)
    assert function.floats(*map(as_floats, given)) == 2.125


def test_cases_broadcast_in_floats() -> None:
    step = sp.Piecewise((1, x >= y), (0, True))
    assert compiled(step, (x, y)).floats(np.array([1.0, 2.0, 3.0]), 2.0).tolist() == [0, 1, 1]


def test_an_open_comparison_chooses_no_branch() -> None:
    step = sp.Piecewise((1, x >= y), (sp.Rational(1, 2), True))
    function = compiled(step, (x, y))
    near = flint.arb(THIRD.numerator) / 3  # contains 1/3, and numbers on both sides of it
    ball = function.balls(near, THIRD)
    assert ball.contains(1)
    assert ball.contains(flint.fmpq(1, 2))
    assert not ball.contains(flint.fmpq(1, 4))
    assert function.balls(near + flint.fmpq(1, 10**6), THIRD) == 1
    assert function.balls(near - flint.fmpq(1, 10**6), THIRD) == flint.fmpq(1, 2)


def test_several_comparisons_must_all_hold() -> None:
    step = sp.Piecewise((5, sp.Eq(x, 2) & (y > 0)), (7, y > 1), (9, True))
    function = compiled(step, (x, y))
    for values, expected in (((2, 1), 5), ((2, 0), 9), ((1, 2), 7), ((1, 1), 9)):
        assert function.exact(*values) == expected
        assert function.balls(*values) == expected
        assert function.floats(*map(float, values)) == expected
    near = flint.arb(THIRD.numerator) / 3 * 6
    assert function.balls(near, 1).contains(5)
    assert function.balls(near, 1).contains(9)


def test_a_branch_not_taken_is_not_evaluated_exactly() -> None:
    inverse = sp.Piecewise((1 / x, x > 0), (0, True))
    assert compiled(inverse, (x,)).exact(0) == 0


@pytest.mark.parametrize(
    "cases",
    [
        sp.Piecewise((1, (x > 0) | (y > 0)), (0, True)),
        sp.Piecewise((1, x > 0)),
    ],
    ids=str,
)
def test_other_cases_are_refused(cases: sp.Piecewise) -> None:
    with pytest.raises(TypeError, match=r"comparison|no value"):
        compiled(cases, (x, y))


@pytest.mark.parametrize("k", [1, 2, 3, 8])
def test_powers_of_balls_that_hold_negative_numbers_are_enclosed(k: int) -> None:
    x = sp.Symbol("x", real=True)
    for middle in (-2.0, 0.0, 1e-21):
        ball = compiled(x**k, (x,)).balls(flint.arb(middle, 1e-20))
        for point in (middle - 1e-20, middle, middle + 1e-20):
            assert ball.contains(flint.arb(point) ** k)
        assert k % 2 or not ball < 0
        assert ball.rad() < 1e-15


def test_logarithms_exponentials_and_sizes_in_all_arithmetics() -> None:
    import torch

    x = sp.Symbol("x", real=True)
    expression = sp.Abs(sp.log(x) - sp.exp(-x))
    f = compiled(expression, (x,))
    expected = abs(np.log(0.5) - np.exp(-0.5))
    assert np.isclose(f.floats(np.float64(0.5)), expected)
    assert np.isclose(float(f.balls(flint.fmpq(1, 2))), expected)
    tensor = torch.tensor(0.5, dtype=torch.float64, requires_grad=True)
    value = f.tensors(tensor)
    assert np.isclose(value.item(), expected)
    assert value.requires_grad
    assert compiled(sp.exp(x) + sp.log(1 - x), (x,)).exact(0) == 1
    with pytest.raises(InexactError):
        f.exact(Fraction(1, 2))
    assert f.balls(-1).is_nan()  # undefined decides nothing
    assert compiled(1 / x, (x,)).balls(0).is_nan()
    with pytest.raises(ValueError, match="divides by zero"):
        compiled(1 / x, (x,)).exact(0)
