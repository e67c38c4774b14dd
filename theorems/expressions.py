"""One SymPy expression, four arithmetics: float arrays, Torch tensors, exact rationals, balls.

A statement is compiled once per expression. Rational constants stay rational, so that the exact and the
ball evaluation decide the claim that is printed and not a rounded cousin of it.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import cached_property, lru_cache, reduce
from typing import Any

import flint
import numpy as np
import sympy as sp
from sympy.printing.pycode import AbstractPythonCodePrinter

__all__ = ["Compiled", "InexactError", "UndefinedError", "arguments_of", "compiled"]


class InexactError(ArithmeticError):
    """The value is not a rational number, so exact rational arithmetic cannot hold it."""


class UndefinedError(InexactError, ValueError):
    """There is no value: a division by zero, or the root of a negative number."""


#: Powers of more bits than this are left to balls.
_LONGEST = 10**6


def _exact_sqrt(x: Any) -> flint.fmpq:
    q = flint.fmpq(x)
    if q < 0:
        raise UndefinedError(f"square root of the negative number {q}")
    p, r = math.isqrt(int(q.p)), math.isqrt(int(q.q))
    if p * p != int(q.p) or r * r != int(q.q):
        raise InexactError(f"sqrt({q}) is not rational")
    return flint.fmpq(p, r)


def _exact_power(x: Any, k: Any) -> flint.fmpq:
    exponent = flint.fmpq(k)
    if exponent.q != 1:
        raise InexactError(f"exponent {exponent} is not an integer")
    base = flint.fmpq(x)
    if max(abs(int(base.p)), int(base.q)).bit_length() * abs(int(exponent.p)) > _LONGEST:
        raise InexactError(f"a power of more than {_LONGEST} bits")
    return base ** int(exponent.p)


def _no_pi() -> flint.fmpq:
    raise InexactError("pi is not rational")


def _exact_arccos(x: Any) -> flint.fmpq:
    if x != 1:
        raise InexactError(f"acos({x}) is not rational")
    return flint.fmpq(0)


def _ball_raised(x: Any, k: int) -> Any:
    """x**k for a whole number k, also k ≥ 0 of a ball about 0, whose ``**`` is NaN."""
    if not isinstance(x, flint.arb) or k < 0 or x > 0 or x < 0:
        return x**k
    base, found = abs(x) if k % 2 == 0 else x, flint.arb(1)
    while k:
        found, base, k = found * base if k & 1 else found, base * base, k >> 1
    return found


def _ball_power(x: Any, k: Any) -> flint.arb:
    if isinstance(k, int | flint.fmpz):
        return _ball_raised(flint.arb(x), int(k))
    if isinstance(k, flint.fmpq) and k.q == 1:
        return _ball_raised(flint.arb(x), int(k.p))
    return flint.arb(x) ** flint.arb(k)


def _exact_log(x: Any) -> flint.fmpq:
    if flint.fmpq(x) != 1:
        raise InexactError(f"log({x}) is not rational")
    return flint.fmpq(0)


def _exact_exp(x: Any) -> flint.fmpq:
    if flint.fmpq(x) != 0:
        raise InexactError(f"exp({x}) is not rational")
    return flint.fmpq(1)


def _rational(value: Any, exactly: bool) -> Any:
    """Numbers and sequences of them as ``fmpq``, so that no division leaves the rationals; balls stay balls."""
    if isinstance(value, flint.arb | flint.fmpq):
        return value
    if isinstance(value, int | flint.fmpz):
        return flint.fmpq(value)
    if isinstance(value, Fraction):
        return flint.fmpq(value.numerator, value.denominator)
    if isinstance(value, float):
        return flint.fmpq(*value.as_integer_ratio())
    if isinstance(value, sp.Expr):
        if value.is_Rational:
            return flint.fmpq(int(value.p), int(value.q))
        if not exactly:
            return compiled(value, ()).balls()
        raise InexactError(f"{value} is not rational")
    if isinstance(value, str):
        raise TypeError(f"{value!r} is no number")
    return [_rational(v, exactly) for v in value]


def _whole(x: Any) -> int:
    """An index or a limit of a sum; ``ValueError`` unless it is a whole number."""
    q = x if isinstance(x, flint.fmpq) else flint.fmpq(int(x)) if float(x).is_integer() else None
    if q is None or q.q != 1:
        raise ValueError(f"{x} is not a whole number, as indices and limits of sums must be")
    return int(q.p)


def _range(first: Any, last: Any) -> range:
    return range(_whole(first), _whole(last) + 1)


def _exact_range(first: Any, last: Any) -> list[flint.fmpq]:
    return [flint.fmpq(k) for k in _range(first, last)]


def _sum(terms: Any) -> Any:
    return sum(terms)


def _product(terms: Any) -> Any:
    return math.prod(terms)


_COMMON = {"total": _sum, "product": _product, "place": _whole, "abs": abs}
_FLOATS: Mapping[str, Any] = {
    **_COMMON, "root": np.sqrt, "rational": lambda p, q: p / q, "power": np.power, "raised": operator.pow,
    "least": np.minimum, "greatest": np.maximum, "span": _range, "arccos": np.arccos, "pi": lambda: np.pi,
    "natural": np.log, "exponential": np.exp,
}
_EXACT: Mapping[str, Any] = {
    **_COMMON, "root": _exact_sqrt, "rational": flint.fmpq, "power": _exact_power, "raised": operator.pow,
    "least": min, "greatest": max, "span": _exact_range, "arccos": _exact_arccos, "pi": _no_pi,
    "natural": _exact_log, "exponential": _exact_exp,
}
_BALLS: Mapping[str, Any] = {
    **_COMMON, "root": lambda x: flint.arb(x).sqrt(), "rational": flint.fmpq, "power": _ball_power,
    "raised": _ball_raised,
    "least": lambda a, b: flint.arb(a).min(flint.arb(b)), "greatest": lambda a, b: flint.arb(a).max(flint.arb(b)),
    "span": _exact_range, "arccos": lambda x: flint.arb(x).acos(), "pi": flint.arb.pi,
    "natural": lambda x: flint.arb(x).log(), "exponential": lambda x: flint.arb(x).exp(),
}


def _tensors() -> Mapping[str, Any]:
    import torch

    def lifted(function: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *values: function(*(torch.as_tensor(v, dtype=torch.float64) for v in values))

    return {
        **_COMMON, "root": lifted(torch.sqrt), "rational": lambda p, q: p / q, "power": lifted(torch.pow),
        "raised": operator.pow,
        "least": lifted(torch.minimum), "greatest": lifted(torch.maximum), "span": _range,
        "arccos": lifted(torch.arccos), "pi": lambda: torch.pi, "natural": lifted(torch.log),
        "exponential": lifted(torch.exp),
    }


class _Printer(AbstractPythonCodePrinter):  # type: ignore[misc]
    """SymPy to Python source that leaves every operation with more than one meaning to the namespace."""

    def _print_Integer(self, expr: sp.Integer) -> str:
        return str(int(expr))

    def _print_Rational(self, expr: sp.Rational) -> str:
        return f"rational({expr.p}, {expr.q})"

    _print_Half = _print_Rational

    def _print_Float(self, expr: sp.Float) -> str:
        raise TypeError(f"{expr} is a float, which no exact evaluation can hold; write sp.Rational('{expr}')")

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

    def _print_Pi(self, expr: sp.Expr) -> str:
        return "pi()"

    def _print_acos(self, expr: sp.acos) -> str:
        return f"arccos({self._print(expr.args[0])})"

    def _print_Indexed(self, expr: sp.Indexed) -> str:
        return str(expr.base.label) + "".join(f"[place({self._print(i)})]" for i in expr.indices)

    def _loop(self, function: str, expr: sp.Sum | sp.Product) -> str:
        loops = " ".join(
            f"for {i} in span({self._print(a)}, {self._print(b)})" for i, a, b in reversed(expr.limits)
        )
        return f"{function}({self._print(expr.function)} {loops})"

    def _print_Sum(self, expr: sp.Sum) -> str:
        return self._loop("total", expr)

    def _print_Product(self, expr: sp.Product) -> str:
        return self._loop("product", expr)

    def _print_Abs(self, expr: sp.Abs) -> str:
        return f"abs({self._print(expr.args[0])})"

    def _print_log(self, expr: sp.log) -> str:
        return f"natural({self._print(expr.args[0])})"

    def _print_exp(self, expr: sp.exp) -> str:
        return f"exponential({self._print(expr.args[0])})"

    def _nest(self, function: str, expr: sp.Expr) -> str:
        first, *rest = (str(self._print(a)) for a in expr.args)
        return reduce(lambda nested, other: f"{function}({nested}, {other})", rest, first)

    def _print_Min(self, expr: sp.Min) -> str:
        return self._nest("least", expr)

    def _print_Max(self, expr: sp.Max) -> str:
        return self._nest("greatest", expr)


class Compiled:
    """An expression ready to be evaluated: ``floats`` (arrays), ``tensors``, ``exact`` (``fmpq``), ``balls`` (``arb``).

    Arguments come in the order given to :func:`compiled`; indexed families are sequences indexed from 0.
    ``exact`` raises :class:`InexactError` when the value is irrational.
    """

    def __init__(self, expression: sp.Expr, arguments: tuple[sp.Symbol | sp.IndexedBase, ...]) -> None:
        dummies = {a: f"x{k}" for k, a in enumerate(arguments)}
        labels = {sp.Symbol(str(a)): sp.Symbol(name) for a, name in dummies.items()}
        plain = expression.xreplace({a: sp.IndexedBase(labels[sp.Symbol(str(a))]) for a in arguments
                                     if isinstance(a, sp.IndexedBase)})
        plain = plain.xreplace({a: sp.Symbol(dummies[a]) for a in arguments if not isinstance(a, sp.IndexedBase)})
        source = f"lambda {', '.join(dummies.values())}: {_Printer().doprint(plain)}"
        code = compile(source, f"<{expression}>", "eval")

        self._code = code

        def bind(namespace: Mapping[str, Any]) -> Callable[..., Any]:
            function: Callable[..., Any] = eval(code, {"__builtins__": {}, **namespace})
            return function

        self.floats = bind(_FLOATS)
        self._exact = bind(_EXACT)
        self._balls = bind(_BALLS)

    @cached_property
    def tensors(self) -> Callable[..., Any]:
        """The value at Torch tensors, float64, differentiable."""
        function: Callable[..., Any] = eval(self._code, {"__builtins__": {}, **_tensors()})
        return function

    def exact(self, *values: Any) -> flint.fmpq:
        """The value at rational arguments, as a rational; ``InexactError`` if it is irrational or undefined."""
        try:
            return flint.fmpq(self._exact(*(_rational(v, True) for v in values)))
        except ZeroDivisionError:
            raise UndefinedError("the value divides by zero") from None

    def balls(self, *values: Any) -> flint.arb:
        """An enclosure of the value at rational or ball arguments, at the current ``flint.ctx.prec``.

        NaN, which decides nothing, where the value is undefined.
        """
        try:
            return flint.arb(self._balls(*(_rational(v, False) for v in values)))
        except ZeroDivisionError:
            return flint.arb.nan()


def arguments_of(expression: sp.Expr) -> tuple[sp.Symbol | sp.IndexedBase, ...]:
    """What :func:`compiled` needs values for: free symbols and indexed families, by name."""
    bases = expression.atoms(sp.IndexedBase)
    labels = {b.label for b in bases}
    free = {s for s in expression.free_symbols if isinstance(s, sp.Symbol) and s not in labels}
    return tuple(sorted(bases | free, key=str))


@lru_cache(maxsize=4096)
def compiled(expression: sp.Expr, arguments: tuple[sp.Symbol | sp.IndexedBase, ...]) -> Compiled:
    """Compile once; later calls with the same expression and arguments return the same object."""
    opened = sp.sympify(expression).replace(lambda e: isinstance(e, sp.Derivative), lambda e: e.doit())
    return Compiled(opened, arguments)
