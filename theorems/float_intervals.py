"""Intervals of floats that certainly hold a value, elementwise over arrays, rounded outward.

What rounding may have moved by a little is known to lie between two floats; a function of it lies
between two others. Ends may be infinite. Where a part is undefined everywhere, as the logarithm of
what is negative for sure, both ends are NaN; where it is only for some values, those that have none
are left out, and it is for others to ask whether all have one (`theorems.definedness`).
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from itertools import product
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["OPERATIONS", "Interval", "order"]

Array: TypeAlias = npt.NDArray[np.float64]
Bools: TypeAlias = npt.NDArray[np.bool_]

#: Units in the last place by which an end is moved outward: of what is rounded correctly, and of
#: functions of the C library and of NumPy.
_ROUNDED, _COMPUTED = 1, 4


class Interval:
    """``low`` ≤ value ≤ ``high``, elementwise; NaN where there is no value.

    - ``low``, ``high``: floats or arrays of one shape; ``high`` is ``low`` by default

    Raises ``ValueError`` for an interval that ends before it begins.

    Example:
        >>> x = Interval(-1.0, 2.0)
        >>> float(abs(x).low), bool((x + x).high >= 4), float((1 / x).low)
        (0.0, True, -inf)
    """

    __slots__ = ("high", "low")
    __array_ufunc__ = None  # an array on the left leaves the operation to the interval

    def __init__(self, low: npt.ArrayLike, high: npt.ArrayLike | None = None) -> None:
        self.low: Array = np.asarray(low, dtype=np.float64)
        self.high: Array = self.low if high is None else np.asarray(high, dtype=np.float64)
        if np.any(self.low > self.high):
            raise ValueError("an interval ends before it begins: want low <= high")

    @property
    def undefined(self) -> Bools:
        """Where there is no value: booleans of the shape of the ends, true where one of them is
        NaN.
        """
        return np.isnan(self.low) | np.isnan(self.high)

    def within(self, low: npt.ArrayLike, high: npt.ArrayLike) -> Interval:
        """What of it lies in a range that is known to hold the value.

        - ``low``, ``high``: of the range, which broadcast; where nothing of the interval lies in
          it, its nearer end is left
        """
        return Interval(np.clip(self.low, low, high), np.clip(self.high, low, high))

    def __neg__(self) -> Interval:
        return Interval(-self.high, -self.low)

    def __abs__(self) -> Interval:
        least = np.maximum(np.maximum(self.low, -self.high), 0.0)
        return Interval(least, np.maximum(-self.low, self.high))

    def __add__(self, other: _Value) -> Interval:
        there = _interval(other)
        with np.errstate(all="ignore"):
            return _outward(self.low + there.low, self.high + there.high, self, there)

    def __sub__(self, other: _Value) -> Interval:
        return self + (-_interval(other))

    def __mul__(self, other: _Value) -> Interval:
        return _monotone(_product, self, _interval(other))

    def __truediv__(self, other: _Value) -> Interval:
        return self * _reciprocal(_interval(other))

    def __radd__(self, other: _Value) -> Interval:
        return self + other

    def __rsub__(self, other: _Value) -> Interval:
        return _interval(other) - self

    def __rmul__(self, other: _Value) -> Interval:
        return self * other

    def __rtruediv__(self, other: _Value) -> Interval:
        return _interval(other) / self


_Value: TypeAlias = Interval | float | Array


def order(left: _Value, relation: str, right: _Value) -> tuple[Bools, Bools]:
    """Where a comparison is true for certain, and where it may be.

    - ``relation``: one of ``<=``, ``<``, ``>=``, ``>``, ``==``, ``!=``

    Where a side has no value, neither.

    Example:
        >>> surely, perhaps = order(Interval([0.0, 1.0, 3.0], [1.0, 2.0, 3.0]), "<", 2.0)
        >>> surely.tolist(), perhaps.tolist()
        ([True, False, False], [True, True, False])
    """
    a, b = _interval(left), _interval(right)
    if relation in (">=", ">"):
        a, b, relation = b, a, {">=": "<=", ">": "<"}[relation]
    known = ~(a.undefined | b.undefined)
    if relation in ("<=", "<"):
        compare = operator.le if relation == "<=" else operator.lt
        return compare(a.high, b.low) & known, compare(a.low, b.high) & known
    meet = (a.low <= b.high) & (b.low <= a.high)
    same = (a.low == b.high) & (b.low == a.high)
    surely, perhaps = (same, meet) if relation == "==" else (~meet, ~same)
    return surely & known, perhaps & known


# --- operations -----------------------------------------------------------------------------------


def _interval(value: _Value) -> Interval:
    return value if isinstance(value, Interval) else Interval(value)


def _outward(low: Array, high: Array, *parts: Interval, units: int = _ROUNDED) -> Interval:
    """An interval around computed ends.

    NaN where a part has no value, and unbounded where only an end has none.
    """
    missing = parts[0].undefined
    for part in parts[1:]:
        missing = missing | part.undefined
    below = np.where(np.isnan(low), -np.inf, low - units * _spacing(low))
    above = np.where(np.isnan(high), np.inf, high + units * _spacing(high))
    return Interval(np.where(missing, np.nan, below), np.where(missing, np.nan, above))


def _spacing(ends: Array) -> Array:
    finite = np.isfinite(ends)
    return np.where(finite, np.spacing(np.abs(np.where(finite, ends, 0.0))), 0.0)


def _monotone(
    function: Callable[[Array, Array], Array], a: Interval, b: Interval, units: int = _ROUNDED
) -> Interval:
    """A function of two values that is monotone in each where the other is held: its extremes are
    at corners.
    """
    with np.errstate(all="ignore"):
        corners = [function(x, y) for x, y in product((a.low, a.high), (b.low, b.high))]
    low, high = corners[0], corners[0]
    for corner in corners[1:]:
        low, high = np.minimum(low, corner), np.maximum(high, corner)
    return _outward(low, high, a, b, units=units)


def _product(x: Array, y: Array) -> Array:
    """0 times an end that is infinite is 0: the end itself is no value."""
    found = np.asarray(x * y)
    return np.where((x == 0) | (y == 0), 0.0, found)


def _reciprocal(x: Interval) -> Interval:
    across = (x.low < 0) & (x.high > 0)
    with np.errstate(all="ignore"):
        low = np.where(across | (x.high == 0), -np.inf, 1 / x.high)
        high = np.where(across | (x.low == 0), np.inf, 1 / x.low)
    return _outward(low, high, x)


def _raised(x: Interval, k: int) -> Interval:
    """A whole power, k ≥ 0, of the sign of what is raised; 0**0 is 1."""
    if k == 1:
        return x
    base = abs(x) if k % 2 == 0 else x
    with np.errstate(all="ignore"):
        return _outward(base.low**k, base.high**k, x, units=_COMPUTED).within(
            np.where(base.low >= 0, 0.0, -np.inf), np.where(base.high <= 0, 0.0, np.inf)
        )


def _power(x: _Value, k: _Value) -> Interval:
    """A power of a base that is not negative."""
    base = _interval(x)
    floored = base.within(0.0, np.inf)
    found = _monotone(np.power, floored, _interval(k), units=_COMPUTED).within(0.0, np.inf)
    return _nowhere(base.high < 0, found)


def _nowhere(gone: Bools, found: Interval) -> Interval:
    """The same, without a value where all is ``gone``."""
    return Interval(np.where(gone, np.nan, found.low), np.where(gone, np.nan, found.high))


def _rising(
    function: Callable[[Array], Array], least: float = -np.inf, low: float = -np.inf
) -> Callable[[_Value], Interval]:
    """A rising function that is defined from ``least`` on, with values from ``low`` on."""

    def enclosed(value: _Value) -> Interval:
        x = _interval(value)
        inside = x.within(least, np.inf)
        with np.errstate(all="ignore"):
            ends = function(inside.low), function(inside.high)
        return _nowhere(x.high < least, _outward(*ends, x, units=_COMPUTED).within(low, np.inf))

    return enclosed


def _arccos(value: _Value) -> Interval:
    x = _interval(value)
    inside = x.within(-1.0, 1.0)
    ends = np.arccos(inside.high), np.arccos(inside.low)
    found = _outward(*ends, x, units=_COMPUTED).within(0.0, np.nextafter(np.pi, 4))
    return _nowhere((x.high < -1) | (x.low > 1), found)


def _union(a: Interval, b: Interval, first: Bools, second: Bools) -> Interval:
    """Where ``first`` alone may be, the first; where ``second`` alone may be, the second; else
    both.
    """
    low = np.where(first & second, np.minimum(a.low, b.low), np.where(first, a.low, b.low))
    high = np.where(first & second, np.maximum(a.high, b.high), np.where(first, a.high, b.high))
    return Interval(low, high)


def _choose(
    left: _Value,
    relation: str,
    right: _Value,
    then: Callable[[], _Value],
    otherwise: Callable[[], _Value],
) -> Interval:
    """Elementwise, so both branches are evaluated everywhere."""
    surely, perhaps = order(left, relation, right)
    found = _union(_interval(then()), _interval(otherwise()), perhaps, ~surely)
    return _nowhere(_interval(left).undefined | _interval(right).undefined, found)


def _ends_of(function: Callable[[Array, Array], Array]) -> Callable[[_Value, _Value], Interval]:
    """A function that rises in both values and rounds nothing, as the least of two."""

    def enclosed(a: _Value, b: _Value) -> Interval:
        x, y = _interval(a), _interval(b)
        return Interval(function(x.low, y.low), function(x.high, y.high))

    return enclosed


def _quotient(p: int, q: int) -> Interval:
    """The rational p/q."""
    value = np.asarray(p / q)  # the quotient of whole numbers is rounded correctly
    return (
        Interval(value)
        if float(value).as_integer_ratio() == (p, q)
        else _outward(value, value, Interval(value))
    )


def _sign(value: _Value) -> Interval:
    x = _interval(value)
    return Interval(np.sign(x.low), np.sign(x.high))


def _absolute(value: _Value) -> Interval:
    return abs(_interval(value))


#: The operations of expressions that have more than one meaning, by the names of their printer.
OPERATIONS: Mapping[str, Callable[..., Interval]] = {
    "abs": _absolute,
    "raised": lambda x, k: _raised(_interval(x), int(k)),
    "root": _rising(np.sqrt, 0.0, 0.0),
    "rational": _quotient,
    "power": _power,
    "sign": _sign,
    "least": _ends_of(np.minimum),
    "greatest": _ends_of(np.maximum),
    "choose": _choose,
    "natural": _rising(np.log, 0.0),
    "exponential": _rising(np.exp, -np.inf, 0.0),
    "arccos": _arccos,
    "pi": lambda: Interval(np.pi, np.nextafter(np.pi, 4)),
}
