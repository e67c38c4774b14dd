"""Where the false neighbour of a claim about a bounded quantity stays within its range.

A bound that is moved past what was measured may leave the range of what is compared: then no law
has what the neighbour says, it falls whatever is measured, and a check that refutes it shows
nothing. Such a bound is moved towards the end of the range instead, by a share of its distance, to
a place between what was seen and that end.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

import sympy as sp

from theorems.algebraic import number
from theorems.simple_fractions import simplest_between
from theorems.statement import NUDGE, Sentinel, Statement

__all__ = [
    "Ends",
    "Move",
    "Sides",
    "SymbolicEnds",
    "fineness_of",
    "half_way_inside",
    "half_ways",
    "past_share",
    "toward_end",
    "turned_about",
]

#: The left and the right side of a claim, in floats, at each point that was looked at.
Sides: TypeAlias = Sequence[tuple[float, float]]
#: The least and the greatest that what is compared can be.
Ends: TypeAlias = tuple[float, float]
#: The same in symbols of the claim; None where an end is not known so.
SymbolicEnds: TypeAlias = tuple[sp.Expr | None, sp.Expr | None]

#: Ranges come widened by rounding, relatively; what is nearer to an end is there.
_AT_END = 1e-8
#: The least share of the way to the end at which something must be seen for a neighbour to be
#: placed beyond it: to refute nearer ones takes more samples than there are.
_ROOM = 0.05


@dataclass(frozen=True)
class Move:
    """What becomes of a bound.

    - ``words``: what is done to it
    - ``scale``, ``shift``: by what it is multiplied, and what is added then

    Example:
        >>> moved = Move("the bound times 3/2", scale=sp.Rational(3, 2))
        >>> moved.at(0.5), moved.inside([(0.75, 0.5)], [(0.0, 1.0)])
        (0.75, True)
        >>> moved.inside([(0.95, 0.9)], [(0.0, 1.0)])
        False
    """

    words: str
    scale: sp.Expr = sp.S.One
    shift: sp.Expr = sp.S.Zero

    def sentinel(self, rhs: sp.Expr) -> Sentinel:
        """The claim with its bound moved so."""
        return Sentinel(self.words, rhs=self.scale * rhs + self.shift)

    def at(self, right: float) -> float:
        """Where a bound comes to."""
        return float(self.scale) * right + float(self.shift)

    def inside(self, seen: Sides, ends: Sequence[Ends]) -> bool:
        """Whether every bound that is in the range stays there.

        - ``seen``: both sides wherever it was looked at
        - ``ends``: the range of what is compared, there
        """
        return all(
            low <= self.at(right) <= high
            for (_, right), (low, high) in zip(seen, ends, strict=True)
            if low <= right <= high
        )

    def apart(self, seen: Sides) -> float:
        """How far the bound comes to lie from what was seen, at least."""
        return min(abs(left - self.at(right)) for left, right in seen)


def half_way_inside(
    rhs: sp.Expr, seen: Sides, ends: Sequence[Ends], symbolic: SymbolicEnds
) -> Sentinel | None:
    """An equality with its right side half of the way to the end of the range, as it is at each
    place, that is the farther one: there it stays in the range at all sizes.

    Args:
        rhs: its right side.
        seen: both sides wherever it was looked at.
        ends: the range of what is compared, there.
        symbolic: that range in symbols.

    Returns:
        The neighbour; None where neither end is known in symbols, or each is there already.

    Example:
        >>> n = sp.Symbol("n")
        >>> half_way_inside(sp.S.One, [(1, 1), (1, 1)], [(1, 1), (1, 2)], (sp.S.One, n)).rhs
        n/2 + 1/2
    """
    farthest, found = _AT_END, None
    for side, end in enumerate(symbolic):
        apart = max(abs(at[side] - right) for at, (_, right) in zip(ends, seen, strict=True))
        if end is not None and apart > farthest:
            farthest, found = apart, end
    if found is None:
        return None
    return Sentinel(f"the right side half of the way to {found}", rhs=(rhs + found) / 2)


def half_ways(ends: Sequence[Ends]) -> list[Move]:
    """To the middle between a bound and either end of the range, as far as it has one.

    Example:
        >>> [move.at(0.5) for move in half_ways([(0.0, 1.0)])]
        [0.25, 0.75]
    """
    found = [number(end) for end in (_end(ends, False), _end(ends, True)) if end is not None]
    half = sp.Rational(1, 2)
    return [Move(f"the right side half of the way to {end}", half, end / 2) for end in found]


def past_share(ratio: float, lower: bool, sampled: bool) -> sp.Expr:
    """By what a bound that was met to a share is multiplied so that it is not met.

    - ``ratio``: the share, above 0; ``lower``: whether the bound is to grow
    - ``sampled``: whether the share is rough

    Example:
        >>> past_share(0.5, False, True), past_share(0.5, True, True)
        (2/5, 5/2)
    """
    if ratio >= 1 - 1e-9 and not sampled:
        return 1 + NUDGE if lower else 1 - NUDGE
    near, far = (0.7, 0.8) if sampled else (0.9, 0.99)
    low, high = (Fraction(part * min(ratio, 1.0)) for part in (near, far))
    return number(simplest_between(1 / high, 1 / low) if lower else simplest_between(low, high))


def toward_end(
    rhs: sp.Expr,
    relation: str,
    seen: Sides,
    ends: Sequence[Ends],
    *,
    sampled: bool,
    symbolic: SymbolicEnds = (None, None),
) -> tuple[Sentinel, float] | None:
    """An inequality with its bound between what was seen and the end of the range.

    Args:
        rhs: its right side.
        relation: an inequality sign.
        seen: both sides wherever it was looked at, what is rough moved by its noise.
        ends: the range of what is compared, there.
        sampled: whether what was seen is rough.
        symbolic: that range in symbols; where an end is not known so, and differs between places,
            the narrowest counts.

    Returns:
        The neighbour, and the half-width, relative to the bound, that tells it; None where nothing
        was seen far enough from the end.

    Example:
        >>> found, _ = toward_end(sp.Rational(9, 10), ">=", [(0.95, 0.9)], [(0, 1)], sampled=True)
        >>> found.rhs, found.words
        (24/25, 'the distance of the bound from 1 times 2/5, past the largest share seen, 0.5')
    """
    lower = relation in (">=", ">")
    narrowest = _end(ends, lower)
    if narrowest is None:
        return None
    exact = symbolic[lower]
    there = [float(narrowest)] * len(ends) if exact is None else [each[lower] for each in ends]
    shares = []
    for (left, right), end in zip(seen, there, strict=True):
        room = abs(end - right)
        if (right < end) is lower and room > _AT_END * max(abs(end), 1.0):
            share = ((end - left) if lower else (left - end)) / room
            shares.append((share, right, end))
    share, right, end = max(shares, default=(0.0, 0.0, float(narrowest)))
    apart = share * abs(end - right)
    if apart <= _AT_END * max(abs(end), 1.0) or (sampled and share < _ROOM):
        return None
    k, at = past_share(share, False, sampled), number(narrowest) if exact is None else exact
    of = "the bound" if at == 0 else f"the distance of the bound from {at}"
    words = f"{of} times {k}, past the largest share seen, {share:.3g}"
    return Sentinel(words, rhs=at + k * (rhs - at)), fineness_of(min(share, 1.0), right, end)


def turned_about(statement: Statement, seen: Sides, ends: Sequence[Ends]) -> tuple[Sentinel, float]:
    """The opposite of an inequality, of a number between its bound and what was seen, where that
    lies at the end of the range and leaves no room beyond.

    Args:
        statement: the claim.
        seen: both sides at one place at least.
        ends: the range of what is compared, there.

    Returns:
        The neighbour, which is about minus the left side, and the half-width, relative to the
        bound of the claim, that tells it.

    Example:
        >>> from theorems.templates.expectation import STATEMENT
        >>> found, _ = turned_about(STATEMENT, [(0.0, 0.25)], [(0.0, 1.0)])
        >>> found.rhs
        -1/6
    """
    lower = statement.relation in (">=", ">")
    rooms = [
        (left - right if lower else right - left, left, right)
        for (left, right), (low, high) in zip(seen, ends, strict=True)
        if low <= right <= high
    ]
    room, left, right = max(rooms, default=(0.0, *seen[0]))
    start = right
    if room <= _AT_END:  # the bound is there as well: a number from the middle of the range
        low, high = ends[0]
        start = low if lower else high
        start = start if math.isfinite(start) else left + (-1 if lower else 1)
    near, far = sorted(Fraction(start + part * (left - start)) for part in (0.25, 0.5))
    at = number(simplest_between(near, far))
    words = (
        f"the other way about, with the bound {at}: what was seen lies at the end of the range, "
        "and leaves no room beyond"
    )
    return Sentinel(words, lhs=-statement.lhs, rhs=-at), fineness_of(1.5, right, left)


def fineness_of(share: float, right: float, end: float) -> float:
    """The half-width, relative to a bound, that tells a neighbour at a share of its distance from
    an end; at most a tenth, and that where the bound is there, or 0.

    Example:
        >>> round(fineness_of(0.5, 0.9, 1.0), 6)
        0.008333
    """
    found = 0.15 * share * abs(end - right)
    return min(0.1, found / abs(right)) if found and right else 0.1


def _end(ends: Sequence[Ends], lower: bool) -> Fraction | None:
    """The narrowest end on the side to which the bound is moved, without the rounding by which it
    is widened; None where there is none.
    """
    found = min(high for _, high in ends) if lower else max(low for low, _ in ends)
    if not math.isfinite(found):
        return None
    end, off = Fraction(found), Fraction(4e-9 * max(abs(found), 1.0))
    return simplest_between(end - off, end) if lower else simplest_between(end, end + off)
