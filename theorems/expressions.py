"""One SymPy expression, four arithmetics: float arrays, Torch tensors, exact rationals, balls.

A statement is compiled once per expression. Rational constants stay rational, so that the exact and the
ball evaluation decide the claim that is printed and not a rounded cousin of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import cached_property, lru_cache, reduce
from typing import Any

import flint
import sympy as sp
from sympy.printing.pycode import AbstractPythonCodePrinter

from theorems.algebraic import Root
from theorems.minibatch_averages import Average, BatchSum
from theorems.number_systems import (
    BALLS,
    EXACT,
    FLOATS,
    InexactError,
    UndefinedError,
    compare,
    tensors,
)

__all__ = [
    "Compiled",
    "InexactError",
    "UndefinedError",
    "arguments_of",
    "branches",
    "compare",
    "compiled",
    "converted",
]


def converted(value: Any, exactly: bool) -> Any:
    """Numbers and sequences of them as ``fmpq``, so that no division leaves the rationals; balls stay balls.

    ``TypeError`` for a ball if ``exactly``: comparisons of balls are not certain, and branches are chosen by them.
    """
    if isinstance(value, flint.arb) and exactly:
        raise TypeError(f"{value} is a ball and no rational number")
    if isinstance(value, flint.arb | flint.fmpq):
        return value
    if isinstance(value, int | flint.fmpz):
        return flint.fmpq(value)
    if isinstance(value, Fraction):
        return flint.fmpq(value.numerator, value.denominator)
    if isinstance(value, float):
        return flint.fmpq(*value.as_integer_ratio())
    if isinstance(value, Root):
        if exactly:
            raise InexactError(f"{value} is not rational")
        return value.ball()
    if isinstance(value, sp.Expr):
        if value.is_Rational:
            return flint.fmpq(int(value.p), int(value.q))
        if not exactly:
            return compiled(value, ()).balls()
        raise InexactError(f"{value} is not rational")
    if isinstance(value, str):
        raise TypeError(f"{value!r} is no number")
    return [converted(v, exactly) for v in value]


def branches(expr: sp.Piecewise) -> list[tuple[sp.Expr, tuple[sp.core.relational.Relational, ...]]]:
    """Values with the comparisons that must all hold; the last has none.

    Raises ``TypeError`` for other conditions, and where no value is given for the remaining cases.
    """
    *given, (last, rest) = expr.args
    if rest != sp.true:
        raise TypeError(f"{expr} has no value where {rest} fails; end it with (value, True)")
    found = []
    for value, condition in given:
        comparisons = tuple(sorted(sp.And.make_args(condition), key=str))
        for comparison in comparisons:
            if not isinstance(comparison, sp.Le | sp.Lt | sp.Ge | sp.Gt | sp.Eq | sp.Ne):
                raise TypeError(
                    f"{condition} is no comparison by <=, <, >=, >, == or !=, nor several at once"
                )
        found.append((value, comparisons))
    return [*found, (last, ())]


class _Printer(AbstractPythonCodePrinter):  # type: ignore[misc]
    """SymPy to Python source that leaves every operation with more than one meaning to the namespace."""

    def _print_Integer(self, expr: sp.Integer) -> str:
        # Torch takes no whole number that is longer than a machine's
        return str(int(expr)) if abs(int(expr)) < 2**53 else f"rational({int(expr)}, 1)"

    def _print_Rational(self, expr: sp.Rational) -> str:
        return f"rational({expr.p}, {expr.q})"

    _print_Half = _print_Rational

    def _print_Float(self, expr: sp.Float) -> str:
        raise TypeError(
            f"{expr} is a float, which no exact evaluation can hold; write sp.Rational('{expr}')"
        )

    def _print_Pow(self, expr: sp.Pow, **_: Any) -> str:
        base, exponent = expr.as_base_exp()
        if exponent.is_Integer and int(exponent) < 0:
            # as_base_exp moves the sign of numeric bases; a reciprocal must stay exact
            return f"(rational(1, 1) / raised({self._print(base)}, {-int(exponent)}))"
        if exponent.is_Integer:
            return f"raised({self._print(base)}, {int(exponent)})"
        if exponent == sp.Rational(1, 2):
            return f"root({self._print(base)})"
        if exponent == sp.Rational(-1, 2):
            return f"(rational(1, 1) / root({self._print(base)}))"
        return f"power({self._print(base)}, {self._print(exponent)})"

    def _print_Root(self, expr: Root) -> str:
        return f"algebraic({expr.coefficients}, {expr.index})"

    def _print_Pi(self, expr: sp.Expr) -> str:
        return "pi()"

    def _print_Exp1(self, expr: sp.Expr) -> str:
        return "exponential(rational(1, 1))"

    def _print_acos(self, expr: sp.acos) -> str:
        return f"arccos({self._print(expr.args[0])})"

    def _print_Indexed(self, expr: sp.Indexed) -> str:
        return str(expr.base.label) + "".join(f"[slot({self._print(i)})]" for i in expr.indices)

    def _loop(self, function: str, expr: sp.Sum | sp.Product) -> str:
        loops = " ".join(
            f"for {i} in span({self._print(a)}, {self._print(b)})"
            for i, a, b in reversed(expr.limits)
        )
        return f"{function}({self._print(expr.function)} {loops})"

    def _print_Sum(self, expr: sp.Sum) -> str:
        return self._loop("total", expr)

    def _print_Product(self, expr: sp.Product) -> str:
        return self._loop("product", expr)

    def _print_BatchSum(self, expr: BatchSum) -> str:
        return f"total({self._print(expr.function)} for {expr.index} in {expr.batch})"

    def _print_Average(self, expr: Average) -> str:
        kind, size, population = (
            type(expr).__name__,
            self._print(expr.size),
            self._print(expr.population),
        )
        batches = f"batches_{kind}(span(0, {population} - 1), place({size}))"
        count = f"count_{kind}(place({population}), place({size}))"
        return f"(rational(1, 1) * total({self._print(expr.function)} for {expr.batch} in {batches}) / {count})"

    def _print_sign(self, expr: sp.sign) -> str:
        return f"sign({self._print(expr.args[0])})"

    def _print_Abs(self, expr: sp.Abs) -> str:
        return f"abs({self._print(expr.args[0])})"

    def _print_log(self, expr: sp.log) -> str:
        return f"natural({self._print(expr.args[0])})"

    def _print_exp(self, expr: sp.exp) -> str:
        return f"exponential({self._print(expr.args[0])})"

    def _print_polygamma(self, expr: sp.Expr) -> str:
        order, argument = expr.args
        if order != 0:
            raise TypeError(
                f"{expr} is a polygamma function of order {order}; only digamma is known here"
            )
        return f"digamma({self._print(argument)})"

    def _nest(self, function: str, expr: sp.Expr) -> str:
        first, *rest = (str(self._print(a)) for a in expr.args)
        return reduce(lambda nested, other: f"{function}({nested}, {other})", rest, first)

    def _print_Min(self, expr: sp.Min) -> str:
        return self._nest("least", expr)

    def _print_Max(self, expr: sp.Max) -> str:
        return self._nest("greatest", expr)

    def _print_Piecewise(self, expr: sp.Piecewise) -> str:
        text = ""
        for value, comparisons in reversed(branches(expr)):
            otherwise, text = text, f"({self._print(value)})"
            for c in reversed(comparisons):
                sides = f"{self._print(c.lhs)}, {c.rel_op!r}, {self._print(c.rhs)}"
                text = f"choose({sides}, lambda: {text}, lambda: {otherwise})"
        return text


class Compiled:
    """An expression ready to be evaluated: ``floats`` (arrays), ``tensors``, ``exact`` (``fmpq``), ``balls`` (``arb``).

    Arguments come in the order given to :func:`compiled`; indexed families are sequences indexed from 0.
    ``exact`` raises :class:`InexactError` when the value is irrational.
    """

    def __init__(
        self, expression: sp.Expr, arguments: tuple[sp.Symbol | sp.IndexedBase, ...]
    ) -> None:
        # every name is ours, so that no index hides an argument or a function of the namespace
        dummies = {a: f"x{k}" for k, a in enumerate(arguments)}
        bound = sorted({str(b) for b in expression.atoms(sp.Symbol) - dummies.keys()})
        renamed = {
            b: sp.Symbol(f"i{bound.index(str(b))}")
            for b in expression.atoms(sp.Symbol) - dummies.keys()
        }
        renamed |= {
            a: sp.IndexedBase(name) if isinstance(a, sp.IndexedBase) else sp.Symbol(name)
            for a, name in dummies.items()
        }
        plain = expression.xreplace(renamed)
        source = f"lambda {', '.join(dummies.values())}: {_Printer().doprint(plain)}"
        code = compile(source, f"<{source}>", "eval")

        self._code = code

        def bind(namespace: Mapping[str, Any]) -> Callable[..., Any]:
            function: Callable[..., Any] = eval(code, {"__builtins__": {}, **namespace})
            return function

        self.floats = bind(FLOATS)
        self._exact = bind(EXACT)
        self._balls = bind(BALLS)

    @cached_property
    def tensors(self) -> Callable[..., Any]:
        """The value at Torch tensors, float64, differentiable."""
        function: Callable[..., Any] = eval(self._code, {"__builtins__": {}, **tensors()})
        return function

    def exact(self, *values: Any) -> flint.fmpq:
        """The value at rational arguments, as a rational; ``InexactError`` if it is irrational or undefined."""
        return self.exactly([converted(v, True) for v in values])

    def exactly(self, values: Sequence[Any]) -> flint.fmpq:
        """:meth:`exact` at values that :func:`converted` has made rational."""
        try:
            return flint.fmpq(self._exact(*values))
        except ZeroDivisionError:
            raise UndefinedError("the value divides by zero") from None
        except IndexError:
            raise UndefinedError("the value names a place that is not there") from None

    def balls(self, *values: Any) -> flint.arb:
        """An enclosure of the value at rational or ball arguments, at the current ``flint.ctx.prec``.

        NaN, which decides nothing, where the value is undefined.
        """
        return self.enclosed([converted(v, False) for v in values])

    def enclosed(self, values: Sequence[Any]) -> flint.arb:
        """:meth:`balls` at values that :func:`converted` has made rationals or balls."""
        try:
            return flint.arb(self._balls(*values))
        except (ZeroDivisionError, IndexError):
            return flint.arb.nan()


@lru_cache(maxsize=4096)
def arguments_of(expression: sp.Expr) -> tuple[sp.Symbol | sp.IndexedBase, ...]:
    """What :func:`compiled` needs values for: free symbols and indexed families, by name."""
    bases = expression.atoms(sp.IndexedBase)
    labels = {b.label for b in bases}
    free = {s for s in expression.free_symbols if isinstance(s, sp.Symbol) and s not in labels}
    return tuple(sorted(bases | free, key=str))


@lru_cache(maxsize=4096)
def compiled(expression: sp.Expr, arguments: tuple[sp.Symbol | sp.IndexedBase, ...]) -> Compiled:
    """Compile once; later calls with the same expression and arguments return the same object."""
    opened = sp.sympify(expression).replace(
        lambda e: isinstance(e, sp.Derivative), lambda e: e.doit()
    )
    return Compiled(opened, arguments)
