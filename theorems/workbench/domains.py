"""Where one symbol of a claim lives: read from text or SymPy, its corners, a strategy, and maps
from [0, 1].

``"2..8"`` are whole numbers, ``"16.."`` whole numbers without end, ``"(0, 1/n]"`` real numbers; a
number alone is a fixed value. Ends may name symbols declared before.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache
from itertools import chain
from types import ModuleType
from typing import TYPE_CHECKING

import flint
import numpy as np
import sympy as sp
from hypothesis import strategies as st

from simulators.arrays import Floats
from simulators.exact import Number
from simulators.strategies import fractions_between
from theorems.algebraic import Point, Root, fraction, rational, true, within
from theorems.checking.symbol_values import changed, evaluate, in_balls
from theorems.expressions import InexactError, arguments_of, compiled
from theorems.workbench.parsing import BITS, ClaimError, Names, read_expression, refuse

if TYPE_CHECKING:
    import torch

__all__ = ["Domain", "floats_at", "in_turn", "nested_floats", "read_domain"]

#: Where an unbounded real domain is cut off when inputs are drawn from it.
FAR = Fraction(10**6)
#: Whole numbers without an end are tried up to so much above their start.
LONG = 10**4
_GRID = 10**12
_INFINITE = (sp.oo, -sp.oo)


def floats_at(expression: sp.Expr, values: Mapping[str, Number], xp: ModuleType = np) -> Number:
    """The value of an expression in floats.

    - ``values``: floats, or arrays of ``xp`` that broadcast, by name of its symbols and families
    - ``xp``: NumPy or Torch

    Raises ``ArithmeticError`` for what Python refuses, as 1/0; NumPy gives NaN or infinity.

    Example:
        >>> floats_at(sp.Symbol("x") / 2, {"x": 3.0})
        1.5
    """
    names = arguments_of(expression)
    function = compiled(expression, names)
    evaluate = function.floats if xp is np else function.tensors
    return evaluate(*(values[str(s)] for s in names))


def nested_floats(value: Number) -> Number:
    """A number, or numbers nested in sequences, as NumPy's floats in lists.

    - ``value``: whatever ``float`` takes, in lists and tuples of any depth

    NumPy divides by zero with a warning where Python would raise.

    Example:
        >>> nested_floats((1, Fraction(1, 2)))
        [np.float64(1.0), np.float64(0.5)]
    """
    return changed(value, lambda each: np.float64(float(each)))


@dataclass(frozen=True)
class Domain:
    """One symbol with its set. Ends may depend on symbols declared before it.

    - ``symbol``: as the claim names it
    - ``set``: a SymPy ``Range``, of whole numbers with numbers for ends, or an ``Interval``

    What is asked at ``values`` takes exact numbers by name, of the symbols that the ends name.

    Example:
        >>> n = Domain(sp.Symbol("n"), sp.Range(2, 9))
        >>> n.ends({}), n.contains(Fraction(5), {}), n.law
        ((Fraction(2, 1), Fraction(8, 1)), True, 'n uniform from 2 to 8')
    """

    symbol: sp.Symbol
    set: sp.Set

    @cached_property
    def name(self) -> str:
        return str(self.symbol)

    @property
    def whole(self) -> bool:
        """Whether it holds whole numbers alone: whether ``set`` is a ``Range``."""
        return isinstance(self.set, sp.Range)

    @property
    def limits(self) -> tuple[sp.Expr, sp.Expr]:
        """Both ends as they are declared, the last included: of ``Range(2, 9)`` 2 and 8."""
        return (self.set.inf, self.set.sup) if self.whole else (self.set.start, self.set.end)

    @property
    def endless(self) -> bool:
        """Whether it has no upper end, as ``"16.."`` and ``"[0, oo)"`` have none."""
        return bool(self.limits[1] == sp.oo)

    def ends(self, values: Mapping[str, Number]) -> tuple[Fraction, Fraction]:
        """Both ends as rationals, cut off where they are infinite.

        Open and irrational ends are moved inside. Raises `ClaimError` where an end has no value.
        """
        low, high = (self._end(end, values) for end in self.limits)
        if self.whole:
            least = math.ceil(low) if low is not None else -LONG
            return Fraction(least), Fraction(math.floor(high) if high is not None else least + LONG)
        if low is None:
            low = -FAR if high is None else min(-FAR, 2 * high)
        if high is None:
            high = max(FAR, 2 * low)
        inside = (high - low) / 10**9
        first, last = (self._open(side, values) * inside for side in (0, 1))
        return low + first, high - last

    def hull(self, values: Mapping[str, Number]) -> tuple[Fraction, Fraction] | None:
        """Rationals between which it certainly lies, however open or irrational its ends.

        None if it is unbounded. Values may be balls.
        """
        found = []
        for side, end in enumerate(self.limits):
            if end in _INFINITE:
                return None
            if (exact := _exact(end, values)) is None:
                ball = in_balls(end, values)
                if not ball.is_finite():
                    return None
                mantissa, exponent = (ball.upper() if side else ball.lower()).man_exp()
                exact = Fraction(int(mantissa)) * Fraction(2) ** int(exponent)
            found.append(exact)
        return found[0], found[1]

    def _stretched(self, low: Number, high: Number) -> bool:
        """Whether points between these ends are spaced by their logarithm."""
        return self.endless or bool(self.whole and high - low > 64 and low > 0)

    @property
    def law(self) -> str:
        """In words, how `exactly` is distributed for an argument that is uniform on [0, 1].

        Example:
            >>> Domain(sp.Symbol("d"), sp.Range(16, sp.oo)).law
            'd log-uniform from 16 to 16 + 10000'
        """
        low, high = self.limits
        fixed = not low.free_symbols | high.free_symbols
        stretched = self.endless or (fixed and self._stretched(*self.ends({})))
        first = f"{-FAR}" if low == -sp.oo else str(low)
        last = str(high)
        if high == sp.oo:
            last = f"{first} + {LONG}" if self.whole else f"{FAR}"
        return f"{self.name} {'log-uniform' if stretched else 'uniform'} from {first} to {last}"

    def _open(self, side: int, values: Mapping[str, Number]) -> bool:
        end = self.limits[side]
        opened = bool(self.set.right_open if side else self.set.left_open)
        return end not in _INFINITE and (opened or _exact(end, values) is None)

    def _end(self, end: sp.Expr, values: Mapping[str, Number]) -> Fraction | None:
        if end in _INFINITE:
            return None
        if (exact := _exact(end, values)) is not None:
            return exact
        names = list(map(str, arguments_of(end)))
        try:
            with np.errstate(all="ignore"):
                return Fraction(float(floats_at(end, {s: float(values[s]) for s in names})))
        except (ArithmeticError, ValueError):
            at = ", ".join(f"{s}={values[s]}" for s in names)
            raise ClaimError(
                f"{self.name}: the end {end} of its domain is undefined at {at}"
            ) from None

    def contains(self, value: Point | int, values: Mapping[str, Number]) -> bool:
        """Whether a number certainly lies in it.

        Exactly for rational ends, by enclosure for irrational ones; False if that leaves it open.
        """
        if isinstance(value, Root):
            relations = [] if self.whole else within(value, self.set)
            symbols = set().union(*(relation.free_symbols for relation in relations))
            at = {s: values[str(s)] for s in symbols}
            return not self.whole and all(true(each, at) is True for each in relations)
        given = Fraction(value)
        if self.whole and given.denominator != 1:
            return False
        return self._beyond(0, given, values) and self._beyond(1, given, values)

    def _beyond(self, side: int, value: Fraction, values: Mapping[str, Number]) -> bool:
        """Whether ``value`` is certainly on the inner side of an end."""
        end = self.limits[side]
        if end in _INFINITE:
            return True
        if (exact := _exact(end, values)) is not None:
            closed = self.whole or not (self.set.right_open if side else self.set.left_open)
            return (value == exact and closed) or (value < exact if side else value > exact)
        with flint.ctx.workprec(256):
            inside = in_balls(end, values) - rational(value)
            return bool(inside > 0 if side else inside < 0)

    def corners(self, values: Mapping[str, Number]) -> list[Fraction]:
        """The ends and a few values between, ascending; none if the domain is empty there.

        - ``values``: of the symbols that the ends name
        """
        low, high = self.ends(values)
        if low > high:
            return []
        if self.whole:
            middle = (math.isqrt(int(4 * low * high)) + 1) // 2 if low > 0 else (low + high) // 2
            return sorted({low, min(low + 1, high), Fraction(middle), high})
        found = {low, high, (low + high) / 2, low + (high - low) / 1000}
        return sorted(found | ({Fraction(0)} if low < 0 < high else set()))

    def strategy(self, values: Mapping[str, Number]) -> st.SearchStrategy[Fraction]:
        """Draws from it, for Hypothesis, which shrinks them towards the lower end.

        - ``values``: of the symbols that the ends name

        Fractions have small denominators where the ends have.
        """
        low, high = self.ends(values)
        if self.whole:
            return _whole_numbers(int(low), int(high))
        return _real_numbers(low, high, bool(self.set.left_open))

    def at(
        self,
        u: Floats | torch.Tensor | np.float64,
        values: Mapping[str, Number],
        xp: ModuleType = np,
    ) -> Number:
        """The floats at ``u`` in [0, 1], of any shape.

        - ``u``: an array of ``xp``, NumPy or Torch
        - ``values``: may hold arrays, of the symbols that the ends depend on

        Whole numbers are rounded, and have no gradient. Where there is no end it is logarithmic, so
        that most is tried near the start, and the far end too.
        """
        low, high = self._float_ends(values, xp)
        if self._stretched(low, high):
            span = xp.log1p(high - low) if hasattr(high - low, "shape") else math.log1p(high - low)
            found = low + xp.expm1(u * span)
        else:
            found = low + u * (high - low)
        return xp.floor(found + 0.5) if self.whole else found

    def _float_ends(self, values: Mapping[str, Number], xp: ModuleType) -> tuple[Number, Number]:
        symbols = chain.from_iterable(map(arguments_of, self.limits))
        if all(isinstance(values[str(s)], int | Fraction) for s in symbols):
            first, last = self.ends(values)
            return float(first), float(last)
        ends: list[Number] = [
            None if end in _INFINITE else floats_at(end, values, xp) for end in self.limits
        ]
        low, high = ends
        if low is None:
            low = xp.minimum(2 * high, 0 * high - float(FAR))
        if high is None:
            high = xp.maximum(2 * low, 0 * low + float(FAR))
        return low, high

    def exactly(self, u: float, values: Mapping[str, Number]) -> Fraction:
        """A rational of the domain.

        - ``u``: in [0, 1], from the lower end to the upper; spaced as `at` has it
        - ``values``: of the symbols that the ends name
        """
        low, high = self.ends(values)
        found = float(self.at(np.float64(u), values))
        if self.whole:
            return Fraction(min(max(round(found), int(low)), int(high)))
        return min(max(Fraction(round(found * _GRID), _GRID), low), high)


def in_turn(
    domains: Sequence[Domain],
    options: Callable[[Domain, Mapping[str, Number]], Iterable[Fraction]],
    known: Mapping[str, Number],
) -> Iterator[dict[str, Number]]:
    """``known`` with every choice of values of further symbols, one at a time.

    - ``domains``: of these symbols, in order of declaration
    - ``options``: the values of one of them, where those before it have the values given

    Example:
        >>> x, y = sp.symbols("x y")
        >>> square = (Domain(x, sp.Interval(0, 1)), Domain(y, sp.Interval(0, x)))
        >>> [float(at["y"]) for at in in_turn(square, lambda each, known: each.ends(known), {})]
        [0.0, 0.0, 0.0, 1.0]
    """
    if not domains:
        yield dict(known)
        return
    for value in options(domains[0], known):
        yield from in_turn(domains[1:], options, {**known, domains[0].name: value})


@lru_cache(maxsize=1024)
def _whole_numbers(low: int, high: int) -> st.SearchStrategy[Fraction]:
    return st.integers(low, high).map(Fraction)


@lru_cache(maxsize=1024)
def _real_numbers(low: Fraction, high: Fraction, left_open: bool) -> st.SearchStrategy[Fraction]:
    """Fractions of small denominators between two ends, or, where these say little, small shares
    of the way from one to the other.
    """
    if low == high:
        return st.just(low)
    fine = max(low.denominator, high.denominator) > 1000 or high - low < Fraction(1, 100)
    if fine or left_open:
        share = fractions_between(Fraction(0), Fraction(1), 1000)
        return share.map(lambda t: low + t * (high - low))
    return fractions_between(low, high, 1000)


def _exact(end: sp.Expr, values: Mapping[str, Number]) -> Fraction | None:
    try:
        return fraction(evaluate(end, values, True))
    except (InexactError, TypeError):
        return None


def read_domain(name: str, given: object, names: Names) -> sp.Set | sp.Expr:
    """A SymPy set, or a number for a fixed value.

    - ``name``: of the symbol, for what is said of it
    - ``given``: as the author wrote it: text, a number, a ``range``, a SymPy ``Range`` or
      ``Interval``
    - ``names``: what its ends may name

    Raises `ClaimError` saying what is understood.

    Example:
        >>> read_domain("alpha", "(0, 1/2]", {})
        Interval.Lopen(0, 1/2)
    """
    if isinstance(given, int | Fraction | sp.Rational):
        if max(abs(given.numerator), given.denominator).bit_length() > BITS:
            raise ClaimError(f"{name}: a number of more than {BITS} bits")  # too many to be shown
        if not isinstance(given, bool):
            return sp.Rational(given)
    remedy = (
        f"{name}={given!r}: want '2..8' (whole numbers), '(0, 1/2]' (real numbers), or one number"
    )
    if isinstance(given, sp.Interval | sp.Range):
        _require_ends(name, given, names)
        return _nonempty(name, given, given)
    if isinstance(given, range):
        refuse(
            (
                given.step != 1,
                f"{name}={given!r}: a range of step 1, please; or say what it means as an "
                "assumption",
            )
        )
        return _nonempty(name, sp.Range(given.start, given.stop), given)
    if not isinstance(given, str):
        inexact = "; floats are not exact, write it as text" * isinstance(given, float)
        raise ClaimError(remedy + inexact)
    text = given.strip()
    if whole := re.fullmatch(r"(.+?)\.\.(.*)", text):
        low, high = (
            sp.oo if t.strip() in ("", "oo") else read_expression(t, names) for t in whole.groups()
        )
        for end in (low, high):
            if end != sp.oo and not end.is_Integer:
                raise ClaimError(
                    f"{name}={given!r}: {end} is not a whole number; real numbers are written "
                    "[a, b], and what depends on other symbols is an assumption"
                )
        return _nonempty(name, sp.Range(low, high + 1), given)
    if real := re.fullmatch(r"([\[(])([^,]+),([^,]+)([\])])", text):
        low, high = (_end(t, names) for t in (real[2], real[3]))
        left, right = real[1] == "(" or low == -sp.oo, real[4] == ")" or high == sp.oo
        return _nonempty(name, sp.Interval(low, high, left, right), given)
    refuse((re.search(r"[\[\](,]", text) and not re.search(r"\w\(", text), remedy))
    return read_expression(text, names)


def _require_ends(name: str, given: sp.Set, names: Names) -> None:
    """Refuse ends of a SymPy set that text could not have."""
    stray = given.free_symbols - set(names.values())
    ranged = isinstance(given, sp.Range)
    refuse(
        (
            bool(stray),
            f"{name}={given}: {min(map(str, stray), default='')!r} is not declared before it; ends "
            "that depend on other symbols are written as text",
        ),
        (
            ranged and bool(given.free_symbols or given.step != 1),
            f"{name}={given}: a range of whole numbers and step 1, please; or say what it means as "
            "an assumption",
        ),
        (
            not ranged and bool(given.atoms(sp.Float)),
            f"{name}={given}: floats are not exact, write it as text",
        ),
    )


def _end(text: str, names: Names) -> sp.Expr:
    stripped = text.strip()
    if stripped in ("oo", "inf", "-oo", "-inf"):
        return -sp.oo if stripped.startswith("-") else sp.oo
    return read_expression(stripped, names)


def _nonempty(name: str, found: sp.Set, given: object) -> sp.Set:
    empty = found is sp.S.EmptySet or (isinstance(found, sp.Range) and found.size == 0)
    refuse(
        (empty, f"{name}={given!r} is empty: it starts beyond its end"),
        (
            not isinstance(found, sp.Interval | sp.Range),
            f"{name}={given!r} is a single point; give the number alone",
        ),
    )
    return found
