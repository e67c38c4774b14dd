"""Where one symbol of a claim lives: read from text or SymPy, its corners, a strategy, and maps from [0, 1].

``"2..8"`` are whole numbers, ``"16.."`` whole numbers without end, ``"(0, 1/n]"`` real numbers; a number alone is
a fixed value. Ends may name symbols declared before.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import flint
import numpy as np
import sympy as sp
from hypothesis import strategies as st

from theorems.algebraic import Root, true, within
from theorems.expressions import InexactError, arguments_of, compiled
from theorems.workbench.parsing import BITS, ClaimError, Names, read_expression

__all__ = ["Domain", "read_domain"]

#: Where an unbounded real domain is cut off when inputs are drawn from it.
FAR = Fraction(10**6)
#: Whole numbers without an end are tried up to so much above their start.
LONG = 10**4
_GRID = 10**12


@dataclass(frozen=True)
class Domain:
    """One symbol with its SymPy set (``Range`` or ``Interval``). Ends may depend on symbols declared before it."""

    symbol: sp.Symbol
    set: sp.Set

    @cached_property
    def name(self) -> str:
        return str(self.symbol)

    @property
    def whole(self) -> bool:
        return isinstance(self.set, sp.Range)

    @property
    def _limits(self) -> tuple[sp.Expr, sp.Expr]:
        return (self.set.inf, self.set.sup) if self.whole else (self.set.start, self.set.end)

    @property
    def endless(self) -> bool:
        """Without an upper end."""
        return bool(self._limits[1] == sp.oo)

    def ends(self, values: Mapping[str, Any]) -> tuple[Fraction, Fraction]:
        """Both ends as rationals, cut off where they are infinite; open or irrational ends are moved inside."""
        low, high = (self._end(e, values) for e in self._limits)
        if self.whole:
            least = math.ceil(low) if low is not None else -LONG
            return Fraction(least), Fraction(math.floor(high) if high is not None else least + LONG)
        if low is None:
            low = -FAR if high is None else min(-FAR, 2 * high)
        if high is None:
            high = max(FAR, 2 * low)
        inside = (high - low) / 10**9
        return (low + inside if self._open(0, values) else low), (
            high - inside if self._open(1, values) else high
        )

    def hull(self, values: Mapping[str, Any]) -> tuple[Fraction, Fraction] | None:
        """Rationals between which it certainly lies, however open or irrational its ends; None if it is unbounded."""
        found = []
        for side, end in enumerate(self._limits):
            if end in (sp.oo, -sp.oo):
                return None
            if (exact := self._exact(end, values)) is None:
                names = arguments_of(end)
                ball = compiled(end, names).balls(*(values[str(s)] for s in names))
                if not ball.is_finite():
                    return None
                mantissa, exponent = (ball.upper() if side else ball.lower()).man_exp()
                exact = Fraction(int(mantissa)) * Fraction(2) ** int(exponent)
            found.append(exact)
        return found[0], found[1]

    def _stretched(self, low: Any, high: Any) -> bool:
        """Whether points between these ends are spaced by their logarithm."""
        return self.endless or bool(self.whole and high - low > 64 and low > 0)

    @property
    def law(self) -> str:
        """In words, how :meth:`exactly` is distributed for a uniform argument."""
        low, high = self._limits
        stretched = self.endless or (
            not low.free_symbols | high.free_symbols and self._stretched(*self.ends({}))
        )
        first = f"{-FAR}" if low == -sp.oo else str(low)
        last = str(high) if high != sp.oo else f"{first} + {LONG}" if self.whole else f"{FAR}"
        return f"{self.name} {'log-uniform' if stretched else 'uniform'} from {first} to {last}"

    def _open(self, side: int, values: Mapping[str, Any]) -> bool:
        if self._limits[side] in (sp.oo, -sp.oo):
            return False
        return (
            bool(self.set.right_open if side else self.set.left_open)
            or self._exact(self._limits[side], values) is None
        )

    def _exact(self, end: sp.Expr, values: Mapping[str, Any]) -> Fraction | None:
        names = arguments_of(end)
        try:
            q = compiled(end, names).exact(*(values[str(s)] for s in names))
        except (InexactError, TypeError):
            return None
        return Fraction(int(q.p), int(q.q))

    def _end(self, end: sp.Expr, values: Mapping[str, Any]) -> Fraction | None:
        if end in (sp.oo, -sp.oo):
            return None
        if (exact := self._exact(end, values)) is not None:
            return exact
        names = arguments_of(end)
        try:
            with np.errstate(all="ignore"):
                return Fraction(
                    float(compiled(end, names).floats(*(float(values[str(s)]) for s in names)))
                )
        except (ArithmeticError, ValueError):
            at = ", ".join(f"{s}={values[str(s)]}" for s in names)
            raise ClaimError(
                f"{self.name}: the end {end} of its domain is undefined at {at}"
            ) from None

    def contains(self, value: Any, values: Mapping[str, Any]) -> bool:
        """Exactly for rational ends, by enclosure for irrational ones; False where that leaves it open."""
        if isinstance(value, Root):
            return not self.whole and self._between_ends(value, values)
        if self.whole and Fraction(value).denominator != 1:
            return False
        return self._beyond(0, value, values) and self._beyond(1, value, values)

    def _between_ends(self, value: Root, values: Mapping[str, Any]) -> bool:
        """Whether an algebraic number certainly lies in the interval."""
        return all(
            true(relation, {s: values[str(s)] for s in relation.free_symbols}) is True
            for relation in within(value, self.set)
        )

    def _beyond(self, side: int, value: Any, values: Mapping[str, Any]) -> bool:
        """Whether ``value`` is certainly on the inner side of an end."""
        end = self._limits[side]
        if end in (sp.oo, -sp.oo):
            return True
        if (exact := self._exact(end, values)) is not None:
            closed = self.whole or not (self.set.right_open if side else self.set.left_open)
            return bool((value == exact and closed) or (value < exact if side else value > exact))
        names = arguments_of(end)
        with flint.ctx.workprec(256):
            given = Fraction(value)
            ball = compiled(end, names).balls(*(values[str(s)] for s in names))
            inside = ball - flint.fmpq(given.numerator, given.denominator)
            return bool(inside > 0 if side else inside < 0)

    def corners(self, values: Mapping[str, Any]) -> list[Fraction]:
        """The ends and a few values between, most extreme last."""
        low, high = self.ends(values)
        if low > high:
            return []
        if self.whole:
            middle = (math.isqrt(int(4 * low * high)) + 1) // 2 if low > 0 else (low + high) // 2
            return sorted({low, min(low + 1, high), Fraction(middle), high})
        found = {low, high, (low + high) / 2, low + (high - low) / 1000}
        return sorted(found | ({Fraction(0)} if low < 0 < high else set()))

    def strategy(self, values: Mapping[str, Any]) -> st.SearchStrategy[Fraction]:
        low, high = self.ends(values)
        if self.whole:
            return st.integers(int(low), int(high)).map(Fraction)
        if low == high:
            return st.just(low)
        if (
            high - low < Fraction(1, 100)
            or max(low.denominator, high.denominator) > 1000
            or self.set.left_open
        ):
            return st.fractions(0, 1, max_denominator=1000).map(lambda t: low + t * (high - low))
        return st.fractions(low, high, max_denominator=1000)

    def at(self, u: Any, values: Mapping[str, Any], xp: Any = np) -> Any:
        """The float at ``u`` in [0, 1], an array of any library; whole numbers are rounded (no gradient there).

        ``values`` may hold arrays, of the symbols that the ends depend on.
        """
        low, high = self._floats(values, xp)
        if self._stretched(low, high):
            span = xp.log1p(high - low) if hasattr(high - low, "shape") else math.log1p(high - low)
            found = low + xp.expm1(
                u * span
            )  # logarithmic: most is tried near the start, and the far end too
        else:
            found = low + u * (high - low)
        return xp.floor(found + 0.5) if self.whole else found

    def _floats(self, values: Mapping[str, Any], xp: Any) -> tuple[Any, Any]:
        names = {str(s) for end in self._limits for s in arguments_of(end)}
        if all(isinstance(values[s], int | Fraction) for s in names):
            low, high = self.ends(values)
            return float(low), float(high)
        found: list[Any] = [
            None
            if end in (sp.oo, -sp.oo)
            else (compiled(end, order).tensors if xp is not np else compiled(end, order).floats)(
                *(values[str(s)] for s in order)
            )
            for end in self._limits
            for order in [arguments_of(end)]
        ]
        if found[0] is None:
            found[0] = xp.minimum(2 * found[1], 0 * found[1] - float(FAR))
        if found[1] is None:
            found[1] = xp.maximum(2 * found[0], 0 * found[0] + float(FAR))
        return found[0], found[1]

    def exactly(self, u: float, values: Mapping[str, Any]) -> Fraction:
        """A rational of the domain at ``u``."""
        low, high = self.ends(values)
        found = float(self.at(np.float64(u), values))
        if self.whole:
            return Fraction(min(max(round(found), int(low)), int(high)))
        return min(max(Fraction(round(found * _GRID), _GRID), low), high)


def read_domain(name: str, given: Any, names: Names) -> sp.Set | sp.Expr:
    """A SymPy set, or a number for a fixed value. Raises :class:`ClaimError` saying what is understood."""
    if isinstance(given, int | Fraction | sp.Rational) and max(
        abs(given.numerator), given.denominator
    ).bit_length() > (BITS):
        raise ClaimError(
            f"{name}: a number of more than {BITS} bits"
        )  # which could not even be shown
    remedy = (
        f"{name}={given!r}: want '2..8' (whole numbers), '(0, 1/2]' (real numbers), or one number"
    )
    if isinstance(given, sp.Interval | sp.Range):
        _require_ends(name, given, names)
        return _nonempty(name, given, given)
    if isinstance(given, range):
        if given.step != 1:
            raise ClaimError(
                f"{name}={given!r}: a range of step 1, please; or say what it means as an assumption"
            )
        return _nonempty(name, sp.Range(given.start, given.stop), given)
    if isinstance(given, bool) or not isinstance(given, str | int | Fraction | sp.Rational):
        raise ClaimError(
            remedy
            + ("; floats are not exact, write it as text" if isinstance(given, float) else "")
        )
    if not isinstance(given, str):
        return sp.Rational(given)
    text = given.strip()
    if whole := re.fullmatch(r"(.+?)\.\.(.*)", text):
        low, high = (
            read_expression(t, names) if t.strip() not in ("", "oo") else sp.oo
            for t in whole.groups()
        )
        for end in (low, high):
            if end != sp.oo and not end.is_Integer:
                raise ClaimError(
                    f"{name}={given!r}: {end} is not a whole number; real numbers are written [a, b], and "
                    "what depends on other symbols is an assumption"
                )
        return _nonempty(name, sp.Range(low, high + 1), given)
    if real := re.fullmatch(r"([\[(])([^,]+),([^,]+)([\])])", text):
        low, high = (_end(t, names) for t in (real[2], real[3]))
        found = sp.Interval(
            low, high, real[1] == "(" or low == -sp.oo, real[4] == ")" or high == sp.oo
        )
        return _nonempty(name, found, given)
    if re.search(r"[\[\](,]", text) and not re.search(r"\w\(", text):
        raise ClaimError(remedy)
    return read_expression(text, names)


def _require_ends(name: str, given: sp.Set, names: Names) -> None:
    """Refuse ends of a SymPy set that text could not have."""
    declared = set(names.values())
    if stray := next((s for s in sorted(given.free_symbols, key=str) if s not in declared), None):
        raise ClaimError(
            f"{name}={given}: {str(stray)!r} is not declared before it; ends that depend on other symbols "
            "are written as text"
        )
    if isinstance(given, sp.Range):
        if given.free_symbols or given.step != 1:
            raise ClaimError(
                f"{name}={given}: a range of whole numbers and step 1, please; or say what it means as an "
                "assumption"
            )
    elif given.atoms(sp.Float):
        raise ClaimError(f"{name}={given}: floats are not exact, write it as text")


def _end(text: str, names: Names) -> sp.Expr:
    stripped = text.strip()
    if stripped in ("oo", "inf", "-oo", "-inf"):
        return -sp.oo if stripped.startswith("-") else sp.oo
    return read_expression(stripped, names)


def _nonempty(name: str, found: sp.Set, given: Any) -> sp.Set:
    if found is sp.S.EmptySet or (isinstance(found, sp.Range) and found.size == 0):
        raise ClaimError(f"{name}={given!r} is empty: it starts beyond its end")
    if not isinstance(found, sp.Interval | sp.Range):
        raise ClaimError(f"{name}={given!r} is a single point; give the number alone")
    return found
