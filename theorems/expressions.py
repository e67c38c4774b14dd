"""One SymPy expression, five number systems: float arrays, intervals of floats, Torch tensors,
exact rationals, balls.

A statement is compiled once per expression. Rational constants stay rational, so that the exact and
the ball evaluation decide the claim that is printed and not a rounded cousin of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import cached_property, lru_cache, partialmethod, reduce
from typing import TYPE_CHECKING, Any, TypeAlias

import flint
import sympy as sp
from sympy.core.relational import Relational
from sympy.printing.pycode import AbstractPythonCodePrinter

from theorems.algebraic import Root
from theorems.float_intervals import Interval
from theorems.minibatch_averages import Average, BatchSum
from theorems.number_systems import (
    BALLS,
    EXACT,
    FLOATS,
    INTERVALS,
    Ball,
    Floats,
    InexactError,
    UndefinedError,
    compare,
    tensors,
)

if TYPE_CHECKING:
    import torch

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


Symbol: TypeAlias = sp.Symbol | sp.IndexedBase
#: What a symbol may be given, and what it is evaluated at.
Value: TypeAlias = "Ball | Fraction | float | sp.Expr | str | Sequence[Value]"
Arguments: TypeAlias = "flint.fmpq | flint.arb | list[Arguments]"


def converted(value: Value, exactly: bool) -> Arguments:
    """Numbers and sequences of them as ``fmpq``, so that no division leaves the rationals; balls
    stay balls.

    ``TypeError`` for a ball if ``exactly``: comparisons of balls are not certain, and branches are
    chosen by them.

    Example:
        >>> converted((Fraction(1, 2), 0.25), True)
        [1/2, 1/4]
    """
    match value:
        case flint.arb() if exactly:
            raise TypeError(f"{value} is a ball and no rational number")
        case flint.arb() | flint.fmpq():
            return value
        case int() | flint.fmpz():
            return flint.fmpq(value)
        case Fraction():
            return flint.fmpq(value.numerator, value.denominator)
        case float():
            return flint.fmpq(*value.as_integer_ratio())
        case sp.Expr(is_Rational=True):
            return flint.fmpq(int(value.p), int(value.q))
        case sp.Expr() if exactly:
            raise InexactError(f"{value} is not rational")
        case Root():
            return value.ball()
        case sp.Expr():
            return compiled(value, ()).balls()
        case str():
            raise TypeError(f"{value!r} is no number")
    return [converted(each, exactly) for each in value]


def branches(expr: sp.Piecewise) -> list[tuple[sp.Expr, tuple[Relational, ...]]]:
    """Values with the comparisons that must all hold; the last has none.

    Raises ``TypeError`` for other conditions, and where no value is given for the remaining cases.

    Example:
        >>> x = sp.Symbol("x")
        >>> branches(sp.Piecewise((1, x > 0), (0, True)))
        [(1, (x > 0,)), (0, ())]
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


#: What functions of one argument are called in the namespaces.
_FUNCTIONS = {
    "Abs": "abs",
    "acos": "arccos",
    "exp": "exponential",
    "log": "natural",
    "sign": "sign",
}


class _Printer(AbstractPythonCodePrinter):  # type: ignore[misc]
    """SymPy to Python source that leaves every operation with more than one meaning to the
    namespace.
    """

    #: Indices of the sums around what is printed that are whole numbers of Python's.
    _counted: frozenset[sp.Symbol] = frozenset()

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
        size, text = abs(exponent), str(self._print(base))
        if exponent.is_Integer:
            power = f"raised({text}, {size})"
        elif size == sp.Rational(1, 2):
            power = f"root({text})"
        else:
            return f"power({text}, {self._print(exponent)})"
        # as_base_exp moves the sign of numeric bases; a reciprocal must stay exact
        return power if exponent > 0 else f"(rational(1, 1) / {power})"

    def _print_Root(self, expr: Root) -> str:
        return f"algebraic({expr.coefficients}, {expr.index})"

    def _print_Pi(self, expr: sp.Expr) -> str:
        return "pi()"

    def _print_Exp1(self, expr: sp.Expr) -> str:
        return "exponential(rational(1, 1))"

    def _print_Indexed(self, expr: sp.Indexed) -> str:
        places = (str(i) if i in self._counted else f"slot({self._print(i)})" for i in expr.indices)
        return str(expr.base.label) + "".join(f"[{place}]" for place in places)

    def _loop(self, function: str, expr: sp.Sum | sp.Product) -> str:
        whole = sp.Tuple(expr.function, *(sp.Tuple(*ends) for _, *ends in expr.limits))
        counted = {
            i
            for i, first, _ in expr.limits
            if first.is_Integer and first >= 0 and _only_names_places(i, whole)
        }
        before, self._counted = self._counted, self._counted | counted
        loops = " ".join(
            f"for {i} in {'places' if i in counted else 'span'}({self._print(a)}, {self._print(b)})"
            for i, a, b in reversed(expr.limits)
        )
        body = self._print(expr.function)
        self._counted = before
        return f"{function}({body} {loops})"

    _print_Sum = partialmethod(_loop, "total")
    _print_Product = partialmethod(_loop, "product")

    def _print_BatchSum(self, expr: BatchSum) -> str:
        return f"total({self._print(expr.function)} for {expr.index} in {expr.batch})"

    def _print_Average(self, expr: Average) -> str:
        kind = type(expr).__name__
        size, population = self._print(expr.size), self._print(expr.population)
        batches = f"batches_{kind}(span(0, {population} - 1), place({size}))"
        count = f"count_{kind}(place({population}), place({size}))"
        terms = f"{self._print(expr.function)} for {expr.batch} in {batches}"
        return f"(rational(1, 1) * total({terms}) / {count})"

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

    _print_Min = partialmethod(_nest, "least")
    _print_Max = partialmethod(_nest, "greatest")

    def _print_Piecewise(self, expr: sp.Piecewise) -> str:
        text = ""
        for value, comparisons in reversed(branches(expr)):
            otherwise, text = text, f"({self._print(value)})"
            for c in reversed(comparisons):
                sides = f"{self._print(c.lhs)}, {c.rel_op!r}, {self._print(c.rhs)}"
                text = f"choose({sides}, lambda: {text}, lambda: {otherwise})"
        return text


def _only_names_places(index: sp.Symbol, e: sp.Basic) -> bool:
    """Whether an index occurs in an expression as a place of a family, and nowhere else."""
    if e == index:
        return False
    return all(
        _only_names_places(index, part)
        for part in e.args
        if not (part == index and isinstance(e, sp.Indexed))
    )


class Compiled:
    """An expression ready to be evaluated.

    - ``floats``: over arrays, which broadcast; ``tensors``: the same in Torch; ``intervals``: over
      arrays and intervals of floats, rounded outward
    - ``exact``: over rationals, ``fmpq``; `InexactError` when the value is irrational
    - ``balls``: over rationals and balls, ``arb``

    Arguments come in the order given to `compiled`; indexed families are sequences indexed
    from 0.
    """

    def __init__(self, expression: sp.Expr, arguments: tuple[Symbol, ...]) -> None:
        # every name is ours, so that no index hides an argument or a function of the namespace
        dummies = {a: f"x{k}" for k, a in enumerate(arguments)}
        others = expression.atoms(sp.Symbol) - dummies.keys()
        bound = sorted({str(b) for b in others})
        renamed = {b: sp.Symbol(f"i{bound.index(str(b))}") for b in others}
        renamed |= {
            a: sp.IndexedBase(name) if isinstance(a, sp.IndexedBase) else sp.Symbol(name)
            for a, name in dummies.items()
        }
        body = _Printer({"user_functions": _FUNCTIONS}).doprint(expression.xreplace(renamed))
        source = f"lambda {', '.join(dummies.values())}: {body}"
        self._code = compile(source, f"<{source}>", "eval")
        self.floats: Callable[..., Floats] = self._over(FLOATS)
        self._exact, self._balls = self._over(EXACT), self._over(BALLS)

    def _over(self, namespace: Mapping[str, object]) -> Callable[..., Any]:
        function: Callable[..., Any] = eval(self._code, {"__builtins__": {}, **namespace})
        return function

    @cached_property
    def tensors(self) -> Callable[..., torch.Tensor]:
        """The value at Torch tensors of float64, which broadcast; differentiable. Torch is imported
        at first use.
        """
        return self._over(tensors())

    @cached_property
    def intervals(self) -> Callable[..., Interval | Floats]:
        """The value at floats and intervals of floats, which broadcast, rounded outward.

        An interval, whose ends hold every value; a float, or an array, where no argument is one.
        """
        return self._over(INTERVALS)

    def exact(self, *values: Value) -> flint.fmpq:
        """The value at rational arguments, as a rational; ``InexactError`` if it is irrational or
        undefined.
        """
        return self.exactly([converted(v, True) for v in values])

    def exactly(self, values: Sequence[Arguments]) -> flint.fmpq:
        """`exact` at values that `converted` has made rational.

        Raises ``InexactError`` for an irrational value, ``UndefinedError`` where there is none.
        """
        try:
            return flint.fmpq(self._exact(*values))
        except ZeroDivisionError:
            raise UndefinedError("the value divides by zero") from None
        except IndexError:
            raise UndefinedError("the value names a place that is not there") from None

    def balls(self, *values: Value) -> flint.arb:
        """An enclosure of the value at rational or ball arguments, at the current
        ``flint.ctx.prec``.

        NaN, which decides nothing, where the value is undefined.
        """
        return self.enclosed([converted(v, False) for v in values])

    def enclosed(self, values: Sequence[Arguments]) -> flint.arb:
        """`balls` at values that `converted` has made rationals or balls.

        NaN where the value is undefined.
        """
        try:
            return flint.arb(self._balls(*values))
        except (ZeroDivisionError, IndexError):
            return flint.arb.nan()


@lru_cache(maxsize=4096)
def arguments_of(expression: sp.Expr) -> tuple[Symbol, ...]:
    """What `compiled` needs values for: free symbols and indexed families, by name.

    Example:
        >>> x, y = sp.symbols("x y")
        >>> arguments_of(y + 2 * x)
        (x, y)
    """
    bases = expression.atoms(sp.IndexedBase)
    labels = {b.label for b in bases}
    free = {s for s in expression.free_symbols if isinstance(s, sp.Symbol) and s not in labels}
    return tuple(sorted(bases | free, key=str))


@lru_cache(maxsize=4096)
def compiled(expression: sp.Expr, arguments: tuple[Symbol, ...]) -> Compiled:
    """Compile once; later calls with the same expression and arguments return the same object.

    - ``arguments``: symbols and families, in the order in which values will be given

    Raises ``TypeError`` for what no number system evaluates, as a float. Cost: some milliseconds.

    Example:
        >>> x = sp.Symbol("x")
        >>> half = compiled(x / 2, (x,))
        >>> half.exact(Fraction(1, 3)), half.floats(3.0)
        (1/6, 1.5)
    """
    opened = sp.sympify(expression).replace(
        lambda e: isinstance(e, sp.Derivative), lambda e: e.doit()
    )
    return Compiled(opened, arguments)
