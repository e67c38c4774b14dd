"""Ranges of what is measured: their ends as numbers or formulas in n and d, and whether values lie
in them.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from functools import cache
from typing import TypeAlias

from array_api_compat import array_namespace, is_array_api_obj

from simulators.arguments import told
from simulators.arrays import Array

__all__ = ["End", "RangeError", "end_at", "require_within"]

End: TypeAlias = str | float | None
"""The end of a range: a number, or a formula in n samples and d rows, as ``"min(n, d)"``."""

_BINARY: Mapping[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
_FUNCTIONS: Mapping[str, Callable[..., float]] = {
    "sqrt": math.sqrt,
    "log": math.log,
    "exp": math.exp,
    "min": min,
    "max": max,
}
_ROUNDINGS = 64.0


class RangeError(ValueError):
    """A value outside the range that its observable is declared with, told in one line.

    Example:
        >>> str(RangeError("observable 'share' gave 2"))
        "observable 'share' gave 2"
    """


def end_at(end: End, n: int, d: int) -> float | None:
    """The end of a range at ``n`` ≥ 1 samples and ``d`` ≥ 1 rows; None for one that there is not.

    Raises `ValueError` for a text that is no formula of n, d, numbers, ``+ - * / **`` and min, max,
    sqrt, log, exp.

    Example:
        >>> end_at("sqrt(1 - 1/n)", 4, 8), end_at(2, 4, 8)
        (0.8660254037844386, 2.0)
    """
    if isinstance(end, str):
        return _formula_at(end, n, d)
    return None if end is None else float(end)


@cache
def _formula_at(formula: str, n: int, d: int) -> float:
    try:
        return float(_value(ast.parse(formula.strip(), mode="eval").body, {"n": n, "d": d}))
    except (SyntaxError, TypeError, ArithmeticError, ValueError) as error:
        raise ValueError(
            f"{told(formula)} at n={n}, d={d}: {error}; want a number, or a formula such as "
            "'sqrt(1 - 1/n)' or 'min(n, d)'"
        ) from None


def _value(node: ast.expr, sizes: Mapping[str, float]) -> float:
    match node:
        case ast.Constant(float(value) | int(value)):
            return value
        case ast.Name(name) if name in sizes:
            return sizes[name]
        case ast.UnaryOp(ast.USub(), operand):
            return -_value(operand, sizes)
        case ast.BinOp(left, action, right) if type(action) in _BINARY:
            return _BINARY[type(action)](_value(left, sizes), _value(right, sizes))
        case ast.Call(ast.Name(name), arguments, []) if name in _FUNCTIONS:
            return _FUNCTIONS[name](*(_value(argument, sizes) for argument in arguments))
    raise ValueError(f"{ast.unparse(node)!r} is not known here")


def require_within(name: str, values: Array, floor: End, ceiling: End, n: int, d: int) -> None:
    """Raise `RangeError` for a value below ``floor`` or above ``ceiling`` by more than rounding.

    ``values`` are an array of real numbers of any shape, measured on ``n`` samples of ``d`` rows by
    the observable ``name``; NaN, which stands for no value, is let through, and what is no such
    array is left to others to refuse.

    Example:
        >>> import numpy as np
        >>> require_within("share", np.array([0.5, 2.0]), 0, 1, 4, 8)
        Traceback (most recent call last):
        simulators.ranges.RangeError: observable 'share' gave 2, outside its range [0, 1] \
at n = 4, d = 8; mend it, or its floor and ceiling
    """
    if not is_array_api_obj(values):
        return
    found, xp = values, array_namespace(values)
    if not xp.isdtype(found.dtype, ("real floating", "integral")):
        return
    floating = xp.isdtype(found.dtype, "real floating")
    rounding = float(xp.finfo(found.dtype).eps) * (_ROUNDINGS + n * d**0.5) if floating else 0.0
    low, high = end_at(floor, n, d), end_at(ceiling, n, d)
    for end, sign in ((low, 1.0), (high, -1.0)):
        if end is None or math.isinf(end):
            continue
        outside = sign * (found - end) < -rounding * max(1.0, abs(end))
        if bool(xp.any(outside)):
            ends = ["−∞" if low is None else f"{low:.6g}", "∞" if high is None else f"{high:.6g}"]
            raise RangeError(
                f"observable {name!r} gave {float(found[outside][0]):.6g}, outside its range "
                f"[{ends[0]}, {ends[1]}] at n = {n}, d = {d}; mend it, or its floor and ceiling"
            )
