"""The number systems that compiled expressions run in: floats, intervals of them, Torch tensors,
rationals, balls.

Each is a namespace of the operations that have more than one meaning; the names are those of the
printer in ``expressions``.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias, TypeVar

import flint
import numpy as np
import scipy

from theorems import float_intervals
from theorems.minibatch_averages import AverageWithoutReplacement, AverageWithReplacement

if TYPE_CHECKING:
    import torch

__all__ = [
    "BALLS",
    "EXACT",
    "FLOATS",
    "INTERVALS",
    "ORDER",
    "Ball",
    "Exact",
    "Floats",
    "InexactError",
    "UndefinedError",
    "compare",
    "enclosed_roots",
    "tensors",
]

#: What exact and ball arithmetic are made of; a whole number stands for itself.
Exact: TypeAlias = int | flint.fmpz | flint.fmpq
Ball: TypeAlias = Exact | flint.arb
Floats: TypeAlias = float | np.ndarray[tuple[int, ...], np.dtype[np.float64]]
T = TypeVar("T")


class InexactError(ArithmeticError):
    """The value is not a rational number, so exact rational arithmetic cannot hold it."""


class UndefinedError(InexactError, ValueError):
    """There is no value: a division by zero, the root of a negative number, a place that is not
    there.
    """


#: Powers of more bits than this are left to balls.
_LONGEST = 10**6


# --- exact rationals ------------------------------------------------------------------------------


def _exact_sqrt(x: Exact) -> flint.fmpq:
    q = flint.fmpq(x)
    if q < 0:
        raise UndefinedError(f"square root of the negative number {q}")
    p, r = math.isqrt(int(q.p)), math.isqrt(int(q.q))
    if p * p != int(q.p) or r * r != int(q.q):
        raise InexactError(f"sqrt({q}) is not rational")
    return flint.fmpq(p, r)


def _exact_power(x: Exact, k: Exact) -> flint.fmpq:
    exponent = flint.fmpq(k)
    if exponent.q != 1:
        raise InexactError(f"exponent {exponent} is not an integer")
    base = flint.fmpq(x)
    if max(abs(int(base.p)), int(base.q)).bit_length() * abs(int(exponent.p)) > _LONGEST:
        raise InexactError(f"a power of more than {_LONGEST} bits")
    return base ** int(exponent.p)


def _rational_at(name: str, known: Mapping[tuple[int, ...], int]) -> Callable[..., flint.fmpq]:
    """A function whose values are not rational but at the arguments that are ``known``."""

    def function(*arguments: object) -> flint.fmpq:
        for at, value in known.items():
            if arguments == at:
                return flint.fmpq(value)
        raise InexactError(f"{name}({', '.join(map(str, arguments))}) is not rational")

    return function


# --- balls ----------------------------------------------------------------------------------------


@lru_cache(maxsize=512)
def enclosed_roots(coefficients: tuple[int, ...], precision: int) -> tuple[flint.arb, ...]:
    """The real roots of a square-free integer polynomial, ascending and apart.

    ``coefficients`` start at the constant, ``precision`` is in bits.

    Example:
        >>> [root.str(5, radius=False) for root in enclosed_roots((-2, 0, 1), 64)]
        ['-1.4142', '1.4142']
    """
    with flint.ctx.workprec(precision):
        # of data: faster, and the numbers may be long
        if len(coefficients) == 3 and not coefficients[1]:
            square = flint.arb(flint.fmpq(-coefficients[0], coefficients[2]))
            return (-square.sqrt(), square.sqrt()) if square > 0 else ()
        # the imaginary part of a real root comes out as exactly 0
        roots = [
            r.real for r, _ in flint.fmpz_poly(list(coefficients)).complex_roots() if r.imag == 0
        ]
    return tuple(sorted(roots, key=lambda r: r.mid()))


def _ball_of_root(coefficients: tuple[int, ...], index: int) -> flint.arb:
    return enclosed_roots(coefficients, flint.ctx.prec)[index - 1]


def _floats_around_root(coefficients: tuple[int, ...], index: int) -> float_intervals.Interval:
    middle = _float_of_root(coefficients, index)
    return float_intervals.Interval(np.nextafter(middle, -np.inf), np.nextafter(middle, np.inf))


def _float_of_root(coefficients: tuple[int, ...], index: int) -> float:
    return float(_ball_of_root(coefficients, index).mid())


def _ball_raised(x: Ball, k: int) -> Ball:
    """x**k for a whole number k, also k ≥ 0 of a ball about 0, whose ``**`` is NaN: from its ends,
    by monotony.
    """
    if not isinstance(x, flint.arb) or k < 0 or x > 0 or x < 0:
        return x**k
    if k == 0:
        return flint.arb(1)
    if not x.is_finite():
        return x * x if k % 2 == 0 else x
    if k % 2 == 0:
        return flint.arb(0).union(flint.arb(x.abs_upper()) ** k)
    return (flint.arb(x.lower()) ** k).union(flint.arb(x.upper()) ** k)


def _ball_power(x: Ball, k: Ball) -> Ball:
    if isinstance(k, int | flint.fmpz):
        return _ball_raised(flint.arb(x), int(k))
    if isinstance(k, flint.fmpq) and k.q == 1:
        return _ball_raised(flint.arb(x), int(k.p))
    return flint.arb(x) ** flint.arb(k)


def compare(left: Ball, relation: str, right: Ball) -> bool | None:
    """Certain truth or falsehood of a relation between balls; None when they overlap.

    Example:
        >>> compare(flint.arb(1, 0.1), "<", 2), compare(flint.arb(1, 0.1), "<", 1)
        (True, None)
    """
    if relation in ("==", "!="):  # equality of balls is never certain
        return relation == "!=" if left != right else None
    if ORDER[relation](left, right):
        return True
    return False if ORDER[_OPPOSITE[relation]](left, right) else None


# --- indices, sums and cases ----------------------------------------------------------------------


def _whole(x: float | Exact) -> int:
    """An index or a limit of a sum; ``ValueError`` unless it is a whole number."""
    if isinstance(x, int):
        return x
    if isinstance(x, flint.fmpq) and x.q == 1:
        return int(x.p)
    if isinstance(x, flint.fmpq) or not float(x).is_integer():
        raise ValueError(f"{x} is not a whole number, as indices and limits of sums must be")
    return int(x)


def _slot(x: float | Exact) -> int:
    """A place in a family, counted from 0; ``IndexError`` for a negative one, which Python would
    count from the end.
    """
    if (k := _whole(x)) < 0:
        raise IndexError(f"there is no place {k}")
    return k


def _range(first: float | Exact, last: float | Exact) -> range:
    return range(_whole(first), _whole(last) + 1)


def _exact_range(first: Exact, last: Exact) -> list[flint.fmpq]:
    return [flint.fmpq(k) for k in _range(first, last)]


ORDER: Mapping[str, Callable[..., bool]] = {
    "<=": operator.le,
    "<": operator.lt,
    ">=": operator.ge,
    ">": operator.gt,
    "==": operator.eq,
    "!=": operator.ne,
}
_OPPOSITE = {"<=": ">", "<": ">=", ">=": "<", ">": "<="}


def _choose_floats(
    left: Floats,
    relation: str,
    right: Floats,
    then: Callable[[], Floats],
    otherwise: Callable[[], Floats],
) -> Floats:
    """Elementwise, so both branches are evaluated everywhere."""
    return np.where(ORDER[relation](left, right), then(), otherwise())


def _choose_exactly(
    left: Exact, relation: str, right: Exact, then: Callable[[], T], otherwise: Callable[[], T]
) -> T:
    return then() if ORDER[relation](left, right) else otherwise()


def _choose_balls(
    left: Ball,
    relation: str,
    right: Ball,
    then: Callable[[], Ball],
    otherwise: Callable[[], Ball],
) -> Ball:
    """The branch that is certain; a ball around both where the comparison is open."""
    if not (isinstance(left, flint.arb) or isinstance(right, flint.arb)):
        return _choose_exactly(left, relation, right, then, otherwise)
    certain = compare(left, relation, right)
    if certain is None:
        return flint.arb(then()).union(flint.arb(otherwise()))
    return then() if certain else otherwise()


# --- the namespaces -------------------------------------------------------------------------------


_AVERAGES = (AverageWithoutReplacement, AverageWithReplacement)
_COMMON: Mapping[str, Callable[..., object]] = {
    "total": sum,
    "product": math.prod,
    "place": _whole,
    "places": _range,
    "slot": _slot,
    "abs": abs,
    "raised": operator.pow,
    **{f"batches_{cls.__name__}": cls.batches for cls in _AVERAGES},
    **{f"count_{cls.__name__}": cls.count for cls in _AVERAGES},
}
FLOATS: Mapping[str, object] = {
    **_COMMON,
    "root": np.sqrt,
    "rational": operator.truediv,
    "power": np.power,
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
#: Over floats and `theorems.float_intervals.Interval`: what is known to lie between two floats.
INTERVALS: Mapping[str, object] = {
    **_COMMON,
    **float_intervals.OPERATIONS,
    "span": _range,
    "algebraic": _floats_around_root,
}
EXACT: Mapping[str, object] = {
    **_COMMON,
    "root": _exact_sqrt,
    "rational": flint.fmpq,
    "power": _exact_power,
    "sign": lambda x: flint.fmpq((x > 0) - (x < 0)),
    "least": min,
    "greatest": max,
    "span": _exact_range,
    "choose": _choose_exactly,
    "natural": _rational_at("log", {(1,): 0}),
    "exponential": _rational_at("exp", {(0,): 1}),
    "algebraic": _rational_at("root", {}),
    "digamma": _rational_at("digamma", {}),
    "arccos": _rational_at("acos", {(1,): 0}),
    "pi": _rational_at("pi", {}),
}
BALLS: Mapping[str, Callable[..., Ball]] = {
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


def tensors() -> Mapping[str, object]:
    """Torch's, in float64; Torch is imported when this is first asked for.

    Example:
        >>> tensors()["root"](4)
        tensor(2., dtype=torch.float64)
    """
    import torch

    def lifted(function: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
        return lambda *values: function(*(torch.as_tensor(v, dtype=torch.float64) for v in values))

    def choose(
        left: torch.Tensor,
        relation: str,
        right: torch.Tensor,
        then: Callable[[], torch.Tensor],
        otherwise: Callable[[], torch.Tensor],
    ) -> torch.Tensor:
        return lifted(
            lambda a, b, yes, no: torch.where(torch.as_tensor(ORDER[relation](a, b)), yes, no)
        )(left, right, then(), otherwise())

    return {
        **_COMMON,
        "root": lifted(torch.sqrt),
        "rational": operator.truediv,
        "power": lifted(torch.pow),
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
