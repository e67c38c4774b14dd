"""Claims over boxes of real numbers: both sides are enclosed over a box, which is halved where that
leaves it open.

Over a box the claim reads excess ≤ 0 (or < 0), excess = lhs - rhs for an upper bound and rhs - lhs
for a lower one. A box is settled

- where some assumption certainly fails on all of it
- where the excess is largest at one corner, by the signs of its enclosed slopes, and the claim
  holds there exactly
- by the enclosure of the excess, or by its value at the middle and the enclosed slopes

Both sides must be finite over it. Whether they have a value before any simplification is a claim of
its own. The middle of a box, or that corner, may violate the claim: it is then decided exactly.
What is tight inside a box stays open, at any depth.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from math import isfinite
from typing import Any

import flint
import sympy as sp

from theorems.algebraic import fraction
from theorems.checking.pointwise import decide, holds
from theorems.checking.symbol_values import Nested, Values, in_balls
from theorems.expressions import compare
from theorems.statement import Statement

__all__ = ["Box", "Cover", "Region", "cover", "halves"]

#: The least and the largest value of every coordinate.
Box = tuple[tuple[flint.fmpq, flint.fmpq], ...]

PRECISION = 96
#: A search is given up after so many boxes, or operations on balls, of which some hundred thousand
#: take a second.
MOST_BOXES, MOST_OPERATIONS = 4000, 1_500_000
#: So many boxes that stay open are looked at with this precision, by so many steps of Newton's
#: method.
_POLISHED, _FINE, _STEPS = 4, 1024, 12
#: Terms that a sum is taken to have where its region does not tell.
_TERMS = 100
#: A box of less of its region's volume is left open, so that one point where the claim is tight
#: costs little.
_SMALLEST = Fraction(1, 2**90)
#: What is continuous with slopes that SymPy takes correctly; a jump would have a slope of 0 on both
#: sides.
_SMOOTH = (sp.exp, sp.log, sp.Abs, sp.acos)


def halves(box: Box, j: int) -> tuple[Box, Box]:
    """The two boxes that a box with rational ends is cut into along coordinate ``j``, exactly.

    Example:
        >>> from flint import fmpq
        >>> halves(((fmpq(0), fmpq(1)),), 0)
        (((0, 1/2),), ((1/2, 1),))
    """
    low, high = box[j]
    middle = (low + high) / 2
    return (*box[:j], (low, middle), *box[j + 1 :]), (*box[:j], (middle, high), *box[j + 1 :])


@dataclass(frozen=True)
class Region:
    """The box of the real symbols ``names``, with the values of all others ``fixed``.

    Example:
        >>> Region({"n": 2}, ("x",), ((flint.fmpq(0), flint.fmpq(1)),)).at([flint.fmpq(1, 3)])
        {'n': 2, 'x': Fraction(1, 3)}
    """

    fixed: Values
    names: tuple[str, ...]
    box: Box

    def at(self, point: Iterable[flint.fmpq]) -> dict[str, Nested]:
        """Every symbol's value at one point of the box, exactly.

        - ``point``: a rational for each of ``names``, in their order; more or fewer are a
          ``ValueError``
        """
        return {**self.fixed, **dict(zip(self.names, map(fraction, point), strict=True))}

    @property
    def middle(self) -> tuple[flint.fmpq, ...]:
        """The middle of the box: a rational for each of ``names``, in their order.

        Example:
            >>> from flint import fmpq
            >>> Region({}, ("x", "y"), ((fmpq(0), fmpq(1)), (fmpq(-1), fmpq(1)))).middle
            (1/2, 0)
        """
        return tuple((low + high) / 2 for low, high in self.box)


@dataclass(frozen=True)
class Cover:
    """What came of it: boxes settled and left open, the open share of the volume, and a point that
    violates.

    ``touching`` are points of boxes that stayed open however small: there the sides touch, or come
    nearer than balls tell, and what is strict may fail. Next to an open end, which is not part of
    the domain, none is counted.
    """

    settled: int
    open: int = 0
    share: float = 0.0
    witness: Values | None = None
    touching: tuple[Values, ...] = ()

    @property
    def complete(self) -> bool:
        return not self.open and self.witness is None


def cover(
    statement: Statement,
    regions: Iterable[Region],
    refutes: Callable[[Mapping[str, Any]], bool],
    stop: Callable[[], bool] = lambda: False,
) -> Cover:
    """Settle every box of the regions, breadth first: ``MOST_BOXES`` and ``MOST_OPERATIONS`` at
    most.

    ``refutes(values)`` decides one point exactly, domain and assumptions included. The share of
    what is open is by volume, each region counting alike. An equality is never settled. Raises
    nothing: what cannot be enclosed is open.
    """
    sides, work = _Sides(statement), 0
    queue = deque(
        _Part(region, region.box, Fraction(1), sides.operations(region.fixed)) for region in regions
    )
    total, met, settled = len(queue), 0, 0
    stuck: list[_Part] = []
    with flint.ctx.workprec(PRECISION):
        while queue and met < MOST_BOXES and work < MOST_OPERATIONS and not stop():
            part = queue.popleft()
            region = part.region
            met, work = met + 1, work + part.price
            found = sides.settle(region)
            if found.settled:
                settled += 1
                continue
            for point in found.suspects:
                if refutes(region.at(point)):
                    left = [part, *queue, *stuck]
                    return Cover(settled, len(left), _volume(left, total), region.at(point))
            if found.halve is None or part.share < _SMALLEST:
                stuck.append(part)
                continue
            queue += [
                replace(part, region=Region(region.fixed, region.names, half), share=part.share / 2)
                for half in halves(region.box, found.halve)
            ]
    left = [*queue, *stuck]
    touching = [part.region for part in stuck if not sides.at_open_end(part)][:_POLISHED]
    for region in touching:
        for near in sides.polished(region):
            if refutes(region.at([near])):
                return Cover(settled, len(left), _volume(left, total), region.at([near]))
    return Cover(
        settled,
        len(left),
        _volume(left, total),
        None,
        tuple(region.at(region.middle) for region in touching),
    )


@dataclass(frozen=True)
class _Part:
    """A box of the box ``whole``: its share of that, and what one look at it costs."""

    region: Region
    whole: Box
    share: Fraction
    price: int


def _volume(left: Iterable[_Part], total: int) -> float:
    return float(sum((part.share for part in left), Fraction(0)) / max(total, 1))


@dataclass(frozen=True)
class _Look:
    """What one look at a box gave: settled, or points that seem to violate, and the coordinate to
    halve.
    """

    settled: bool
    suspects: tuple[tuple[flint.fmpq, ...], ...] = ()
    halve: int | None = None


@dataclass(frozen=True)
class _Sides:
    """The claim as its excess, with slopes."""

    statement: Statement

    @cached_property
    def excess(self) -> sp.Expr:
        """By how much the claim is missed."""
        s = self.statement
        return s.rhs - s.lhs if s.relation in (">=", ">") else s.lhs - s.rhs

    @cached_property
    def relation(self) -> str:
        """That of the excess to 0."""
        return self.statement.relation.replace(">", "<")

    @cached_property
    def slopes(self) -> Mapping[str, sp.Expr]:
        """The slope along each symbol, where it can be compiled; none of what may jump."""
        if self.excess.has(sp.Piecewise, sp.sign) or any(
            not isinstance(f, _SMOOTH) for f in self.excess.atoms(sp.Function)
        ):
            return {}
        return {str(s): sp.diff(self.excess, s) for s in self.excess.free_symbols}

    def operations(self, fixed: Values) -> int:
        """What one look at a box costs, counted in the formulas with these values."""
        s = self.statement
        evaluated = [s.lhs, s.rhs, self.excess, self.excess, *self.slopes.values()]
        for assumption in s.assumptions:
            evaluated += assumption.relation.args
        return sum(_operations(e, fixed) for e in evaluated)

    def at_open_end(self, part: _Part) -> bool:
        """Whether a box ends where its domain does without its end."""
        domains = {v.name: v.domain for v in self.statement.variables}
        sides = zip(part.region.names, part.region.box, part.whole, strict=True)
        for name, (low, high), (first, last) in sides:
            domain = domains.get(name)
            if isinstance(domain, sp.Interval) and (
                (low == first and domain.left_open) or (high == last and domain.right_open)
            ):
                return True
        return False

    def polished(self, region: Region) -> list[flint.fmpq]:
        """The extremum of the excess near a box of one smooth symbol, by Newton, to ever more
        digits.
        """
        slope = self.slopes.get(region.names[0]) if len(region.names) == 1 else None
        if slope is None or self.excess.has(sp.Abs):
            return []
        symbol = next(s for s in self.excess.free_symbols if str(s) == region.names[0])
        curvature, (low, high) = sp.diff(slope, symbol), region.box[0]
        x = (low + high) / 2
        with flint.ctx.workprec(_FINE):
            for _ in range(_STEPS):
                here = region.at([x])
                step = self._ball(slope, here) / self._ball(curvature, here)
                if not step.is_finite():
                    return []
                mantissa, exponent = (flint.arb(x) - step).mid().man_exp()
                x = flint.fmpq(mantissa) * flint.fmpq(2) ** int(exponent)
        exact = fraction(x)
        rounded = [exact.limit_denominator(2**bits) for bits in (32, 64, 128, 256, _FINE)]
        return [flint.fmpq(r.numerator, r.denominator) for r in rounded]

    def _ball(self, expression: sp.Expr, values: Values) -> flint.arb:
        """An enclosure; NaN for a derivative, and for what is no single number."""
        try:
            return in_balls(expression, values)
        except (NameError, TypeError, ValueError, NotImplementedError):
            return flint.arb.nan()

    def _slope(self, name: str, values: Values) -> flint.arb:
        """The enclosed slope along a symbol; NaN where it is not known."""
        if name in self.slopes:
            return self._ball(self.slopes[name], values)
        known = name not in {str(s) for s in self.excess.free_symbols}
        return flint.arb(0) if known else flint.arb.nan()

    def settle(self, region: Region) -> _Look:
        """One look at a box."""
        values = _values(region, region.box)
        if self._outside(values):
            return _Look(True)
        if self.relation == "!=":
            return self._apart(region, values)
        finite = all(
            self._ball(side, values).is_finite()
            for side in (self.statement.lhs, self.statement.rhs)
        )
        slopes = [self._slope(name, values) for name in region.names]
        highest, suspects = self._highest(region, slopes), []
        if all(low == high for low, high in highest):
            corner = tuple(low for low, _ in highest)
            found = self._exactly(region.at(corner))
            if found and finite:
                return _Look(True)
            if found is False:
                suspects.append(corner)
        top = _values(region, highest)
        if finite and compare(self._ball(self.excess, top), self.relation, flint.arb(0)):
            return _Look(True)
        middle = tuple((low + high) / 2 for low, high in highest)
        value = self._ball(self.excess, region.at(middle))
        rise = sum(
            (
                slope * (top[name] - x)
                for name, slope, x in zip(region.names, slopes, middle, strict=True)
                if isinstance(top[name], flint.arb)
            ),
            flint.arb(0),
        )
        if finite and compare(value + rise, self.relation, flint.arb(0)):
            return _Look(True)
        if compare(value, self.relation, flint.arb(0)) is False:
            suspects.append(middle)
        return _Look(False, tuple(suspects), _widest(region, slopes))

    def _apart(self, region: Region, values: Values) -> _Look:
        """Of sides that are to differ: settled where their difference, over the box, is certainly
        not 0.
        """
        if compare(self._ball(self.excess, values), "!=", flint.arb(0)):
            return _Look(True)
        middle = region.middle
        corners = (tuple(low for low, _ in region.box), tuple(high for _, high in region.box))
        return _Look(
            False,
            tuple(dict.fromkeys((middle, *corners))),
            _widest(region, [flint.arb.nan()] * len(middle)),
        )

    def _outside(self, values: Values) -> bool:
        for assumption in self.statement.assumptions:
            left, right = (
                flint.arb(self._ball(side, values))
                for side in (assumption.relation.lhs, assumption.relation.rhs)
            )
            if holds(left, assumption.relation, right) is False:
                return True
        return False

    def _highest(self, region: Region, slopes: Iterable[flint.arb]) -> Box:
        """The part of the box where the excess is largest: an end along each symbol whose slope has
        a sign.
        """
        found = []
        for (low, high), slope in zip(region.box, slopes, strict=True):
            if slope >= 0:
                low = high
            elif slope <= 0:
                high = low
            found.append((low, high))
        return tuple(found)

    def _exactly(self, values: Values) -> bool | None:
        try:
            return decide(self.statement, lambda: values).holds
        except (ValueError, ArithmeticError):
            return None


def _operations(expression: sp.Basic, fixed: Values) -> int:
    inner = sum(_operations(part, fixed) for part in expression.args)
    limits = expression.limits if isinstance(expression, sp.Sum | sp.Product) else ()
    for _, low, high in limits:
        extent = (high - low + 1).subs(
            {
                s: sp.Rational(str(fixed[str(s)]))
                for s in (high - low).free_symbols
                if isinstance(fixed.get(str(s)), int | Fraction)
            }
        )
        inner *= max(int(extent), 1) if extent.is_Integer else _TERMS
    return 1 + inner


def _values(region: Region, box: Box) -> dict[str, Nested]:
    """Balls for the sides of the box that have a length, exact numbers for all else."""
    return {
        **region.fixed,
        **{
            name: low if low == high else flint.arb(low).union(flint.arb(high))
            for name, (low, high) in zip(region.names, box, strict=True)
        },
    }


def _widest(region: Region, slopes: Iterable[flint.arb]) -> int | None:
    """The coordinate along which the excess may change most; the longest where a slope is not
    known.
    """
    lengths = [high - low for low, high in region.box]
    if not any(lengths):
        return None
    weights = [float(slope.abs_upper()) for slope in slopes]
    if not all(map(isfinite, weights)):
        weights = [1.0] * len(weights)
    found = [
        float(flint.arb(length)) * (weight + 1e-9)
        for length, weight in zip(lengths, weights, strict=True)
    ]
    return max((k for k, length in enumerate(lengths) if length), key=found.__getitem__)
