"""All zeros of an analytic function on an interval, isolated and counted in ball arithmetic.

The interval is cut into cells until on each the function or its derivative certainly has no zero. A cell of the first
sort holds no zero; one of the second holds one exactly if the signs at its ends, which must be certain, differ. The
cells cover the interval, so the count is complete.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flint import arb, arb_series, fmpq

__all__ = ["UndecidedError", "isolate", "narrow", "over", "signs"]

Function = Callable[[arb_series], arb_series]

#: Cells are not halved more often than this.
DEEPEST = 200


class UndecidedError(ArithmeticError):
    """The balls stayed wider than the question: a multiple zero, a zero at an end, or too little precision."""


@dataclass(frozen=True)
class Zero:
    """An interval with exactly one zero, and the sign of the derivative all over it."""

    low: fmpq
    high: fmpq
    rising: bool


def over(low: fmpq, high: fmpq) -> arb:
    """A ball that contains [low, high]."""
    return arb(low).union(arb(high))


def isolate(function: Function, low: fmpq, high: fmpq) -> tuple[list[Zero], int]:
    """The zeros of ``function`` on [low, high], in order, each in an interval of its own, and the number of cells.

    ``function`` maps the series of the identity over a ball to its own, at flint's current precision, and is analytic
    on a neighbourhood of the interval. ``low`` and ``high`` are dyadic. Raises :class:`UndecidedError` if the balls
    leave the count open. Cost: three evaluations a cell.
    """
    zeros: list[Zero] = []
    cells = 0
    waiting = [(low, high, 0)]
    while waiting:
        left, right, depth = waiting.pop()
        clear, monotone = signs(function, left, right)
        if clear:
            cells += 1
        elif monotone:
            cells += 1
            first, last = _sign_at(function, left), _sign_at(function, right)
            if first != last:
                zeros.append(Zero(left, right, monotone > 0))
        elif depth == DEEPEST:
            raise UndecidedError(f"open on [{float(left):.6g}, {float(right):.6g}]")
        else:
            middle = (left + right) / 2
            waiting += [(middle, right, depth + 1), (left, middle, depth + 1)]
    return zeros, cells


def signs(function: Function, low: fmpq, high: fmpq) -> tuple[int, int]:
    """The signs of the function and of its derivative on all of [low, high]; 0 where open."""
    cell, middle = over(low, high), arb((low + high) / 2)
    series = function(arb_series([cell, arb(1)], 2))
    slope = series[1]
    value = _sign(series[0]) or _sign(function(arb_series([middle], 1))[0] + slope * (cell - middle))
    return value, _sign(slope)


def narrow(function: Function, zero: Zero) -> arb:
    """The zero as a ball about as narrow as the precision allows, by the interval Newton method.

    Raises :class:`UndecidedError` if an enclosure leaves the interval, which a true zero cannot.
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


def _sign_at(function: Function, point: fmpq) -> int:
    found = _sign(function(arb_series([arb(point)], 1))[0])
    if not found:
        raise UndecidedError(f"the sign at {float(point):.6g} is open")
    return found


def _sign(ball: arb) -> int:
    return 1 if ball > 0 else -1 if ball < 0 else 0
