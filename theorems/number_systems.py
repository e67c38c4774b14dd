"""The arithmetics that compiled expressions run in: float arrays, Torch tensors, exact rationals, balls.

Each is a namespace of the operations that have more than one meaning; the names are those of the printer in
``expressions``.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import flint
import numpy as np
import scipy

from theorems.minibatch_averages import AverageWithoutReplacement, AverageWithReplacement

__all__ = [
    "BALLS",
    "EXACT",
    "FLOATS",
    "InexactError",
    "UndefinedError",
    "compare",
    "enclosed_roots",
    "tensors",
]


class InexactError(ArithmeticError):
    """The value is not a rational number, so exact rational arithmetic cannot hold it."""


class UndefinedError(InexactError, ValueError):
    """There is no value: a division by zero, the root of a negative number, a place that is not there."""


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


def _no_root(coefficients: tuple[int, ...], index: int) -> flint.fmpq:
    raise InexactError(f"root {index} of {coefficients} is not rational")


def _ball_of_root(coefficients: tuple[int, ...], index: int) -> flint.arb:
    return enclosed_roots(coefficients, flint.ctx.prec)[index - 1]


def _float_of_root(coefficients: tuple[int, ...], index: int) -> float:
    return float(_ball_of_root(coefficients, index).mid())


@lru_cache(maxsize=512)
def enclosed_roots(coefficients: tuple[int, ...], precision: int) -> tuple[flint.arb, ...]:
    """The real roots of a square-free integer polynomial, ascending and apart; coefficients from the constant on."""
    with flint.ctx.workprec(precision):
        if (
            len(coefficients) == 3 and not coefficients[1]
        ):  # of data: faster, and the numbers may be long
            square = flint.arb(flint.fmpq(-coefficients[0], coefficients[2]))
            return (-square.sqrt(), square.sqrt()) if square > 0 else ()
        # the imaginary part of a real root comes out as exactly 0
        roots = [
            r.real for r, _ in flint.fmpz_poly(list(coefficients)).complex_roots() if r.imag == 0
        ]
    return tuple(sorted(roots, key=lambda r: r.mid()))


def _exact_arccos(x: Any) -> flint.fmpq:
    if x != 1:
        raise InexactError(f"acos({x}) is not rational")
    return flint.fmpq(0)


def _no_digamma(x: Any) -> flint.fmpq:
    raise InexactError(f"digamma({x}) is not rational")


def _ball_raised(x: Any, k: int) -> Any:
    """x**k for a whole number k, also k ≥ 0 of a ball about 0, whose ``**`` is NaN: from its ends, by monotony."""
    if not isinstance(x, flint.arb) or k < 0 or x > 0 or x < 0:
        return x**k
    if k == 0:
        return flint.arb(1)
    if not x.is_finite():
        return x * x if k % 2 == 0 else x
    low, high = flint.arb(x.lower()), flint.arb(x.upper())
    return (
        flint.arb(0).union(flint.arb(x.abs_upper()) ** k) if k % 2 == 0 else (low**k).union(high**k)
    )


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


def _whole(x: Any) -> int:
    """An index or a limit of a sum; ``ValueError`` unless it is a whole number."""
    q = x if isinstance(x, flint.fmpq) else flint.fmpq(int(x)) if float(x).is_integer() else None
    if q is None or q.q != 1:
        raise ValueError(f"{x} is not a whole number, as indices and limits of sums must be")
    return int(q.p)


def _slot(x: Any) -> int:
    """A place in a family, counted from 0; ``IndexError`` for a negative one, which Python would count from the end."""
    if (k := _whole(x)) < 0:
        raise IndexError(f"there is no place {k}")
    return k


def _range(first: Any, last: Any) -> range:
    return range(_whole(first), _whole(last) + 1)


def _exact_range(first: Any, last: Any) -> list[flint.fmpq]:
    return [flint.fmpq(k) for k in _range(first, last)]


def _sum(terms: Any) -> Any:
    return sum(terms)


def _product(terms: Any) -> Any:
    return math.prod(terms)


def compare(left: Any, relation: str, right: Any) -> bool | None:
    """Certain truth or falsehood of a relation between balls; None when they overlap."""
    if relation in (">=", ">"):
        left, right, relation = right, left, {">=": "<=", ">": "<"}[relation]
    if relation == "<=":
        return True if left <= right else False if left > right else None
    if relation == "<":
        return True if left < right else False if left >= right else None
    if relation == "!=":
        return True if left != right else None
    return False if left != right else None  # equality of balls is never certain


ORDER = {
    "<=": operator.le,
    "<": operator.lt,
    ">=": operator.ge,
    ">": operator.gt,
    "==": operator.eq,
    "!=": operator.ne,
}
_Branch = Callable[[], Any]


def _choose_floats(left: Any, relation: str, right: Any, then: _Branch, otherwise: _Branch) -> Any:
    """Elementwise, so both branches are evaluated everywhere."""
    return np.where(ORDER[relation](left, right), then(), otherwise())


def _choose_exactly(left: Any, relation: str, right: Any, then: _Branch, otherwise: _Branch) -> Any:
    return then() if ORDER[relation](left, right) else otherwise()


def _choose_balls(left: Any, relation: str, right: Any, then: _Branch, otherwise: _Branch) -> Any:
    """The branch that is certain; a ball around both where the comparison is open."""
    if isinstance(left, flint.arb) or isinstance(right, flint.arb):
        certain = compare(left, relation, right)
    else:
        certain = ORDER[relation](left, right)
    if certain is None:
        return flint.arb(then()).union(flint.arb(otherwise()))
    return then() if certain else otherwise()


_COMMON = {
    "total": _sum,
    "product": _product,
    "place": _whole,
    "slot": _slot,
    "abs": abs,
    **{
        f"{verb}_{cls.__name__}": getattr(cls, verb)
        for cls in (AverageWithoutReplacement, AverageWithReplacement)
        for verb in ("batches", "count")
    },
}
FLOATS: Mapping[str, Any] = {
    **_COMMON,
    "root": np.sqrt,
    "rational": lambda p, q: p / q,
    "power": np.power,
    "raised": operator.pow,
    "sign": np.sign,
    "least": np.minimum,
    "greatest": np.maximum,
    "span": _range,
    "choose": _choose_floats,
    "natural": np.log,
    "exponential": np.exp,
    "algebraic": _float_of_root,
    "digamma": lambda x: scipy.special.digamma(x),
    "arccos": np.arccos,
    "pi": lambda: np.pi,
}
EXACT: Mapping[str, Any] = {
    **_COMMON,
    "root": _exact_sqrt,
    "rational": flint.fmpq,
    "power": _exact_power,
    "raised": operator.pow,
    "sign": lambda x: flint.fmpq((x > 0) - (x < 0)),
    "least": min,
    "greatest": max,
    "span": _exact_range,
    "choose": _choose_exactly,
    "natural": _exact_log,
    "exponential": _exact_exp,
    "algebraic": _no_root,
    "digamma": _no_digamma,
    "arccos": _exact_arccos,
    "pi": _no_pi,
}
BALLS: Mapping[str, Any] = {
    **_COMMON,
    "root": lambda x: flint.arb(x).sqrt(),
    "rational": flint.fmpq,
    "power": _ball_power,
    "raised": _ball_raised,
    "sign": lambda x: flint.arb(x).sgn(),
    "least": lambda a, b: flint.arb(a).min(flint.arb(b)),
    "greatest": lambda a, b: flint.arb(a).max(flint.arb(b)),
    "span": _exact_range,
    "choose": _choose_balls,
    "arccos": lambda x: flint.arb(x).acos(),
    "pi": flint.arb.pi,
    "algebraic": _ball_of_root,
    "natural": lambda x: flint.arb(x).log(),
    "exponential": lambda x: flint.arb(x).exp(),
    "digamma": lambda x: flint.arb(x).digamma(),
}


def tensors() -> Mapping[str, Any]:
    """Torch's, in float64; Torch is imported when this is first asked for."""
    import torch

    def lifted(function: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *values: function(*(torch.as_tensor(v, dtype=torch.float64) for v in values))

    def choose(left: Any, relation: str, right: Any, then: _Branch, otherwise: _Branch) -> Any:
        return lifted(lambda a, b, yes, no: torch.where(ORDER[relation](a, b), yes, no))(
            left, right, then(), otherwise()
        )

    return {
        **_COMMON,
        "root": lifted(torch.sqrt),
        "rational": lambda p, q: p / q,
        "power": lifted(torch.pow),
        "raised": operator.pow,
        "least": lifted(torch.minimum),
        "greatest": lifted(torch.maximum),
        "span": _range,
        "arccos": lifted(torch.arccos),
        "pi": lambda: torch.pi,
        "natural": lifted(torch.log),
        "exponential": lifted(torch.exp),
        "sign": lifted(torch.sign),
        "choose": choose,
        "algebraic": _float_of_root,
    }
