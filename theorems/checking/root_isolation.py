"""All zeros of an analytic function on an interval, isolated and counted in ball arithmetic.

The interval is cut into cells until on each the function or its derivative certainly has no zero. A
cell of the first sort holds no zero. Neighbouring cells of the second, with the same sign of the
derivative, form a run, which holds one zero exactly if the signs at its two ends, which must be
certain, differ. The cells cover the interval, so the count is complete.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby

from flint import arb, arb_series, fmpq

__all__ = ["UndecidedError", "isolate", "narrow", "over", "signs"]

Function = Callable[[arb_series], arb_series]

#: Cells are not halved more often than this.
DEEPEST = 200


class UndecidedError(ArithmeticError):
    """The balls stayed wider than the question: a multiple zero, a zero at an end, or too little
    precision.
    """


@dataclass(frozen=True)
class Zero:
    """An interval with exactly one zero, and the sign of the derivative all over it."""

    low: fmpq
    high: fmpq
    rising: bool


def over(low: fmpq, high: fmpq) -> arb:
    """A ball that contains [low, high].

    Example:
        >>> over(fmpq(0), fmpq(1)).contains(arb(1) / 3)
        True
    """
    return arb(low).union(arb(high))


def isolate(function: Function, low: fmpq, high: fmpq) -> tuple[list[Zero], int]:
    """The zeros of ``function`` on [low, high], in order, each in an interval of its own, and the
    number of cells.

    ``function`` maps the series of the identity over a ball to its own, at flint's current
    precision, and is analytic on a neighbourhood of the interval. ``low`` and ``high`` are dyadic.
    Raises `UndecidedError` if the balls leave the count open. Cost: three evaluations a
    cell.

    Example:
        >>> (zero,), cells = isolate(lambda x: x * x - 2, fmpq(0), fmpq(2))
        >>> zero.low < fmpq(3, 2) < zero.high or zero.rising
        True
    """
    cells: list[
        tuple[fmpq, fmpq, int]
    ] = []  # with the sign of the derivative, or 0 where there is no zero
    waiting = [(low, high, 0)]
    while waiting:
        left, right, depth = waiting.pop()
        clear, monotone = signs(function, left, right)
        if clear or monotone:
            cells.append((left, right, 0 if clear else monotone))
        elif depth == DEEPEST:
            raise UndecidedError(f"open on [{float(left):.6g}, {float(right):.6g}]")
        else:
            middle = (left + right) / 2
            waiting += [(middle, right, depth + 1), (left, middle, depth + 1)]
    zeros = []
    for direction, run in groupby(cells, key=lambda cell: cell[2]):
        if (
            direction
            and (zero := _in_run(function, [(left, right) for left, right, _ in run], direction))
            is not None
        ):
            zeros.append(zero)
    return zeros, len(cells)


def _in_run(function: Function, run: list[tuple[fmpq, fmpq]], direction: int) -> Zero | None:
    """The zero in a run of cells on which the function is monotone, between inner ends of certain
    sign.
    """
    ends = [run[0][0], *(right for _, right in run)]
    found = [_sign(function(arb_series([arb(end)], 1))[0]) for end in ends]
    if not found[0] or not found[-1]:
        raise UndecidedError(
            f"the sign at an end of [{float(ends[0]):.6g}, {float(ends[-1]):.6g}] is open"
        )
    if found[0] == found[-1]:
        return None
    low = max(end for end, sign in zip(ends, found, strict=True) if sign == found[0])
    high = min(end for end, sign in zip(ends, found, strict=True) if sign == found[-1])
    return Zero(low, high, direction > 0)


def signs(function: Function, low: fmpq, high: fmpq) -> tuple[int, int]:
    """The signs of the function and of its derivative on all of [low, high]: 1, -1, or 0 where
    the balls leave it open.

    Cost: at most two evaluations of ``function``, which is as `isolate` takes it.

    Example:
        >>> signs(lambda x: x * x - 2, fmpq(2), fmpq(3))
        (1, 1)
    """
    cell, middle = over(low, high), arb((low + high) / 2)
    series = function(arb_series([cell, arb(1)], 2))
    slope = series[1]
    value = _sign(series[0]) or _sign(
        function(arb_series([middle], 1))[0] + slope * (cell - middle)
    )
    return value, _sign(slope)


def narrow(function: Function, zero: Zero) -> arb:
    """The zero as a ball about as narrow as the precision allows, by the interval Newton method.

    Raises `UndecidedError` if an enclosure leaves the interval, which a true zero cannot.

    Example:
        >>> (zero,), _ = isolate(lambda x: x * x - 2, fmpq(0), fmpq(2))
        >>> narrow(lambda x: x * x - 2, zero).contains(arb(2).sqrt().mid())
        True
    """
    low, high = arb(zero.low), arb(zero.high)
    while True:
        cell = low.union(high)
        middle = cell.mid()
        slope = function(arb_series([cell, arb(1)], 2))[1]
        step = middle - function(arb_series([middle], 1))[0] / slope
        if not step.is_finite() or not step.overlaps(cell):
            raise UndecidedError(f"no zero in {cell}")
        closer = low.max(step.lower()), high.min(step.upper())
        if not closer[1] - closer[0] < (high - low) / 2:
            return closer[0].union(closer[1])
        low, high = closer


def _sign(ball: arb) -> int:
    return int(ball > 0) - int(ball < 0)
