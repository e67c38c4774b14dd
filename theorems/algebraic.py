"""Real algebraic numbers, exactly: roots of integer polynomials, and signs of what they make.

A closed expression made of rationals and roots by + - * / and radicals is either 0 or not too near
to it: the separation bound of Burnikel, Funke, Mehlhorn, Schirra and Schmitt (2001). Written as
E₁/E₂ with algebraic integers whose conjugates are at most u and l, of a field of degree D, it is 0
or at least 1/(l u^(D-1)): the norm of E₁ is a whole number. Balls narrower than that decide its
sign, so that no equality is left open.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import cmp_to_key
from math import isqrt, log2, prod

import flint
import sympy as sp
from sympy.core.relational import Relational

from theorems.number_systems import BALLS, UndefinedError, enclosed_roots
from theorems.simple_fractions import simplest_between

__all__ = [
    "Point",
    "Root",
    "between",
    "fraction",
    "holds",
    "number",
    "order",
    "rational",
    "real_roots",
    "restored",
    "root_of",
    "sign",
    "stored",
    "true",
    "whole_above",
    "whole_below",
    "within",
]

#: Bits that a sign may take; beyond them it is left open.
_MOST_BITS = 60_000
_DIGITS = 12
_UNBOUNDED = (-sp.oo, sp.oo)


class Root(sp.AtomicExpr):  # type: ignore[misc]
    """A real root of an irreducible integer polynomial of degree 2 or more.

    A SymPy number that every evaluation here knows.

    - ``coefficients``: start at the constant
    - ``index``: which of the real roots, ascending, from 1

    Example:
        >>> Root((-2, 0, 1), 2)
        root 2 of x**2 - 2 (1.41421356237)
    """

    is_number, is_real, is_finite, is_rational = True, True, True, False
    is_extended_real = is_commutative = is_algebraic = True

    coefficients: tuple[int, ...]
    index: int

    def __new__(cls, coefficients: Iterable[int], index: int) -> Root:
        made: Root = sp.AtomicExpr.__new__(cls)
        made.coefficients, made.index = tuple(map(int, coefficients)), int(index)
        return made

    def __getnewargs__(self) -> tuple[tuple[int, ...], int]:
        return self.coefficients, self.index

    _hashable_content = __getnewargs__

    def ball(self) -> flint.arb:
        """An enclosure of the root.

        Returns:
            A ball about as narrow as the precision of the moment, ``flint.ctx.prec`` bits, allows.

        Cost: roots are isolated once a polynomial and precision.

        Example:
            >>> Root((-2, 0, 1), 2).ball().contains(flint.arb(2).sqrt())
            True
        """
        return enclosed_roots(self.coefficients, flint.ctx.prec)[self.index - 1]

    def _eval_is_extended_positive(self) -> bool:
        return order(self, Fraction(0)) > 0

    def _eval_is_extended_negative(self) -> bool:
        return order(self, Fraction(0)) < 0

    def _eval_evalf(self, precision: int) -> sp.Expr:
        with flint.ctx.workprec(precision + 10):
            mantissa, exponent = self.ball().mid().man_exp()
        return sp.Float(
            sp.Integer(int(mantissa)) * sp.Integer(2) ** int(exponent), precision=precision
        )

    def __float__(self) -> float:
        return float(self.ball().mid())

    def _sympystr(self, _: object) -> str:
        polynomial = sp.Poly(self.coefficients[::-1], sp.Symbol("x")).as_expr()
        with flint.ctx.workprec(128):
            value = self.ball().mid().str(_DIGITS, radius=False)
        return f"root {self.index} of {polynomial} ({value})"

    _sympyrepr = _sympystr


Point = Fraction | Root


def real_roots(polynomial: flint.fmpz_poly) -> list[Point]:
    """The distinct real roots of a polynomial that is not 0, ascending, rational ones as fractions.

    Example:
        >>> real_roots(flint.fmpz_poly([0, -2, 0, 1]))[1:]
        [Fraction(0, 1), root 2 of x**2 - 2 (1.41421356237)]
    """
    found: list[Point] = []
    for factor, _ in polynomial.factor()[1]:
        coefficients = tuple(int(c) for c in factor.coeffs())
        if len(coefficients) == 2:
            found.append(Fraction(-coefficients[0], coefficients[1]))
        elif len(coefficients) > 2:
            found += [
                Root(coefficients, k + 1) for k in range(len(enclosed_roots(coefficients, 64)))
            ]
    return sorted(found, key=cmp_to_key(order))


def _ball(point: Point) -> flint.arb:
    if isinstance(point, Root):
        return point.ball()
    return flint.arb(rational(point))


def root_of(x: Fraction, degree: int) -> sp.Expr:
    """The nonnegative root of a nonnegative rational, exactly.

    SymPy would factor its numerator and denominator.

    Example:
        >>> root_of(Fraction(4, 9), 2), root_of(Fraction(2), 3)
        (2/3, root 1 of x**3 - 2 (1.25992104989))
    """
    if x == 0:
        return sp.S.Zero
    if degree == 2:  # the common case, without factors of polynomials
        top, bottom = isqrt(x.numerator), isqrt(x.denominator)
        square = (top * top, bottom * bottom) == (x.numerator, x.denominator)
        return sp.Rational(top, bottom) if square else Root((-x.numerator, 0, x.denominator), 2)
    return number(
        real_roots(flint.fmpz_poly([-x.numerator, *[0] * (degree - 1), x.denominator]))[-1]
    )


def order(left: Point, right: Point) -> int:
    """-1, 0 or 1: whether one number is less than, equal to, or more than another.

    Example:
        >>> order(Root((-2, 0, 1), 2), Fraction(7, 5))
        1
    """
    if left == right:
        return 0
    if isinstance(left, Fraction) and isinstance(right, Fraction):
        return -1 if left < right else 1
    for precision in _precisions():  # they differ, so some precision tells them apart
        with flint.ctx.workprec(precision):
            a, b = _ball(left), _ball(right)
        if a < b or a > b:
            break
    return -1 if a < b else 1


def _precisions(bits: int = 64) -> Iterator[int]:
    """Finer and finer working precisions."""
    while True:
        yield bits
        bits *= 2


def between(left: Point | None, right: Point | None) -> Fraction:
    """A simple rational strictly between two numbers that differ; None stands for no end.

    Example:
        >>> between(Root((-2, 0, 1), 2), None), between(Fraction(0), Fraction(1))
        (Fraction(2, 1), Fraction(1, 2))
    """
    if left is None:
        return Fraction(0) if right is None else min(whole_below(right), Fraction(0))
    if right is None:
        return max(whole_above(left), Fraction(0))
    for precision in _precisions():
        with flint.ctx.workprec(precision):
            low, high = _rational(_ball(left).upper()), _rational(_ball(right).lower())
        if low < high:
            break
    inside = (high - low) / 1000  # off the ends, which may be the numbers themselves
    return simplest_between(low + inside, high - inside)


def whole_above(point: Point) -> Fraction:
    """The least whole number that is more than ``point``.

    Example:
        >>> whole_above(Root((-2, 0, 1), 2)), whole_above(Fraction(2))
        (Fraction(2, 1), Fraction(3, 1))
    """
    if isinstance(point, Fraction):
        return Fraction(point.__floor__() + 1)
    for precision in _precisions():
        with flint.ctx.workprec(precision):
            floor = point.ball().floor()
        if floor.is_exact():
            break
    return _rational(floor) + 1


def whole_below(point: Point) -> Fraction:
    """The greatest whole number that is less than ``point``.

    Example:
        >>> whole_below(Root((-2, 0, 1), 2)), whole_below(Fraction(2))
        (Fraction(1, 1), Fraction(1, 1))
    """
    if isinstance(point, Fraction):
        return Fraction(point.__ceil__() - 1)
    return whole_above(point) - 1  # it is none itself


def _rational(ball: flint.arb) -> Fraction:
    mantissa, exponent = ball.mid().man_exp()
    return Fraction(int(mantissa)) * Fraction(2) ** int(exponent)


# --- signs ----------------------------------------------------------------------------------------


class _OpenError(ArithmeticError):
    """Not an algebraic expression, or its sign would take too many bits."""


def sign(
    expression: sp.Expr, at: Mapping[sp.Symbol, sp.Expr | Fraction] | None = None
) -> int | None:
    """-1, 0 or 1 for an expression of rationals, roots, radicals, Abs, Min, Max, sign and cases.

    ``at`` gives the symbols' values. None, for open, where something else occurs, and where more
    than some ten thousand bits would be needed.

    Raises `UndefinedError` where there is no value: a division by zero, a root of a negative
    number.

    Example:
        >>> sign(sp.sqrt(2) * sp.sqrt(3) - sp.sqrt(6)), sign(sp.sqrt(2) - 2)
        (0, -1)
    """
    try:
        seen = {symbol: _plain(number(value), {}) for symbol, value in (at or {}).items()}
        return _sign(_plain(expression, seen))
    except _OpenError:
        return None


def true(
    relation: Relational, at: Mapping[sp.Symbol, sp.Expr | Fraction] | None = None
) -> bool | None:
    """Whether a relation holds at these values; None where that is open, or a side has no value.

    Example:
        >>> x = sp.Symbol("x")
        >>> true(x**2 <= 2, {x: Root((-2, 0, 1), 2)})
        True
    """
    try:
        found = sign(relation.lhs - relation.rhs, at)
    except UndefinedError:
        return None
    return None if found is None else holds(type(relation), found)


def within(x: sp.Expr, interval: sp.Interval) -> list[Relational]:
    """What ``x`` must satisfy to lie in an interval.

    Example:
        >>> within(sp.Symbol("x"), sp.Interval.Ropen(0, sp.oo))
        [x >= 0]
    """
    above = sp.Gt if interval.left_open else sp.Ge
    below = sp.Lt if interval.right_open else sp.Le
    ends = (above, interval.start), (below, interval.end)
    return [side(x, end, evaluate=False) for side, end in ends if end not in _UNBOUNDED]


def number(point: sp.Expr | Fraction | int | flint.fmpz | flint.fmpq) -> sp.Expr:
    """A rational of any kind, or a number of SymPy's, as SymPy holds it.

    Example:
        >>> number(Fraction(2, 3))
        2/3
    """
    if isinstance(point, sp.Expr):
        return point
    if isinstance(point, Fraction):
        return sp.Rational(point.numerator, point.denominator)
    q = flint.fmpq(point)
    return sp.Rational(int(q.p), int(q.q))


def fraction(x: flint.fmpq | sp.Rational) -> Fraction:
    """A rational of FLINT or SymPy as Python holds it.

    Example:
        >>> fraction(sp.Rational(2, 3))
        Fraction(2, 3)
    """
    return Fraction(int(x.p), int(x.q))


def rational(x: Fraction) -> flint.fmpq:
    """A rational of Python as FLINT holds it.

    Example:
        >>> rational(Fraction(2, 3))
        2/3
    """
    return flint.fmpq(x.numerator, x.denominator)


def _plain(e: sp.Expr, seen: dict[sp.Basic, sp.Expr]) -> sp.Expr:
    """The expression with every case decided, so that only sums, products and powers are left."""
    if e not in seen:
        seen[e] = _decided(e, seen)
    return seen[e]


def _decided(e: sp.Expr, seen: dict[sp.Basic, sp.Expr]) -> sp.Expr:
    match e:
        case sp.Rational() | Root():
            return e
        case sp.Add() | sp.Mul():
            return e.func(*(_plain(a, seen) for a in e.args))
        case sp.Pow():
            return _power(e, seen)
        case sp.Abs():
            inside = _plain(e.args[0], seen)
            return -inside if _sign(inside) < 0 else inside
        case sp.sign():
            return sp.Integer(_sign(_plain(e.args[0], seen)))
        case sp.Max() | sp.Min():
            extreme = max if isinstance(e, sp.Max) else min
            return extreme((_plain(a, seen) for a in e.args), key=cmp_to_key(_compared))
        case sp.Piecewise():
            for value, condition in e.args:
                if _true(condition, seen):
                    return _plain(value, seen)
            raise UndefinedError(f"{e} has no value")
    raise _OpenError(f"{e} is not algebraic")


def _compared(left: sp.Expr, right: sp.Expr) -> int:
    return _sign(left - right)


def _power(e: sp.Pow, seen: dict[sp.Basic, sp.Expr]) -> sp.Expr:
    base, exponent = _plain(e.base, seen), e.exp
    if not isinstance(exponent, sp.Rational):
        exponent = _plain(exponent, seen)
        if base == 0:
            exponent = sp.Integer(_sign(exponent))
        if not isinstance(exponent, sp.Rational):
            raise _OpenError(f"{e} has an exponent that is not rational")
    if exponent.is_Integer and exponent > 0:
        return base**exponent
    positive = _sign(base)
    if exponent == 0:
        return sp.S.One
    if positive == 0 and exponent < 0:
        raise UndefinedError(f"{e} divides by zero")
    if positive == 0:
        return sp.S.Zero
    if positive < 0 and not exponent.is_Integer:
        raise UndefinedError(f"{e} is a root of a negative number")
    if isinstance(base, sp.Rational) and exponent.q > 1:
        return root_of(Fraction(int(base.p), int(base.q)), int(exponent.q)) ** exponent.p
    return base**exponent


def _true(condition: sp.Basic, seen: dict[sp.Basic, sp.Expr]) -> bool:
    if condition in (sp.true, sp.false):
        return bool(condition)
    if isinstance(condition, sp.And):
        return all(_true(c, seen) for c in condition.args)
    if not isinstance(condition, Relational):
        raise _OpenError(f"{condition} is no comparison")
    return holds(type(condition), _sign(_plain(condition.lhs - condition.rhs, seen)))


def holds(relation: type[Relational], found: int) -> bool:
    """Whether a relation holds between two sides whose difference has this sign.

    Example:
        >>> holds(sp.Le, 0), holds(sp.Lt, 0)
        (True, False)
    """
    return {
        sp.Le: found <= 0,
        sp.Lt: found < 0,
        sp.Ge: found >= 0,
        sp.Gt: found > 0,
        sp.Eq: found == 0,
        sp.Ne: found != 0,
    }[relation]


def _sign(plain: sp.Expr) -> int:
    if plain.is_Rational:
        return int(sp.sign(plain))
    needed = 0.0
    for precision in _precisions(128):
        with flint.ctx.workprec(precision):
            ball = _value(plain, {})
        if ball > 0 or ball < 0:
            return 1 if ball > 0 else -1
        needed = needed or _separation(plain)
        if ball.is_finite() and abs(ball).upper() < flint.arb(2) ** -int(needed):
            return 0
        if precision > 4 * needed + 1000:
            break
    raise _OpenError("a ball that does not narrow")


def _value(e: sp.Expr, seen: dict[sp.Basic, flint.arb]) -> flint.arb:
    if e not in seen:
        seen[e] = _enclosed(e, seen)
    return seen[e]


def _enclosed(e: sp.Expr, seen: dict[sp.Basic, flint.arb]) -> flint.arb:
    match e:
        case sp.Rational():
            return flint.arb(flint.fmpq(int(e.p), int(e.q)))
        case Root():
            return e.ball()
        case sp.Add():
            return sum((_value(a, seen) for a in e.args), flint.arb(0))
        case sp.Mul():
            return prod((_value(a, seen) for a in e.args), start=flint.arb(1))
        case sp.Pow(exp=sp.Rational(p=p, q=q)):
            found = _value(e.base, seen)
            if q != 1:
                found = found.sqrt() if q == 2 else found.root(int(q))
            return BALLS["raised"](found, int(p))
    raise _OpenError(f"{e} is not algebraic")


def _separation(e: sp.Expr) -> float:
    """Bits b such that the expression is 0 or at least 2^-b in size."""
    degrees: dict[object, int] = {}
    upper, lower = _conjugates(e, degrees)
    bits = (lower + (prod(degrees.values()) - 1) * upper) * 1.001 + 16
    if bits > _MOST_BITS:
        raise _OpenError(f"{bits:.3g} bits would be needed")
    return bits


def _conjugates(e: sp.Expr, degrees: dict[object, int]) -> tuple[float, float]:
    """log₂ of bounds on the conjugates of numerator and denominator.

    ``degrees`` collects the roots met.
    """
    if isinstance(e, sp.Rational):
        return log2(max(abs(int(e.p)), 1)), log2(int(e.q))
    if isinstance(e, Root):
        lead = abs(e.coefficients[-1])
        degrees[e] = len(e.coefficients) - 1
        return log2(lead + max(map(abs, e.coefficients))), log2(lead)
    if isinstance(e, sp.Pow):
        return _conjugates_of_power(e, degrees)
    parts = [_conjugates(a, degrees) for a in e.args]
    below = sum(lower for _, lower in parts)
    if isinstance(e, sp.Mul):
        return sum(upper for upper, _ in parts), below
    return log2(len(parts)) + max(upper + below - lower for upper, lower in parts), below


def _conjugates_of_power(e: sp.Pow, degrees: dict[object, int]) -> tuple[float, float]:
    upper, lower = _conjugates(e.base, degrees)
    q, p = int(e.exp.q), int(e.exp.p)
    if q > 1:
        degrees[e.base, q] = q
        if upper >= lower:
            upper = (upper + (q - 1) * lower) / q
        else:
            lower = ((q - 1) * upper + lower) / q
    return (upper * p, lower * p) if p > 0 else (lower * -p, upper * -p)


def stored(root: Root) -> str:
    """A root as text that `restored` reads.

    Example:
        >>> stored(Root((-2, 0, 1), 2))
        'root 2 of [-2, 0, 1]'
    """
    return f"root {root.index} of {list(root.coefficients)}"


def restored(index: int, coefficients: Sequence[int]) -> Root:
    """The root that was stored.

    Raises ``ValueError`` unless the polynomial is irreducible and has it.

    Example:
        >>> restored(2, [-2, 0, 1])
        root 2 of x**2 - 2 (1.41421356237)
    """
    polynomial = flint.fmpz_poly(list(coefficients))
    factors = polynomial.factor()[1] if polynomial.degree() > 1 else []
    irreducible = [multiplicity for _, multiplicity in factors] == [1]
    if not irreducible or not 1 <= index <= len(enclosed_roots(tuple(coefficients), 64)):
        raise ValueError("no such root of an irreducible polynomial")
    return Root(coefficients, index)
