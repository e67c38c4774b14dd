"""An algebraic claim in one real number, decided for every value it may have.

Where the claim's pieces change sign or stop being defined, some polynomial vanishes: radicals are
eliminated by resultants. Its roots, all of them and exactly, cut the line into points and open
cells. Every point is decided exactly; on a cell nothing changes sign, so that one number of it
decides for all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from functools import cmp_to_key
from itertools import pairwise
from typing import TypeAlias

import flint
import sympy as sp

from theorems.algebraic import (
    Point,
    Root,
    between,
    holds,
    number,
    order,
    real_roots,
    sign,
    whole_above,
    whole_below,
)
from theorems.number_systems import UndefinedError

__all__ = ["Outcome", "as_point", "decide_on_line"]

#: Beyond so many cells, radicals in one formula or degrees of a polynomial a claim is left open.
_MOST_CELLS, _MOST_RADICALS, _HIGHEST = 2000, 5, 120
Relation: TypeAlias = sp.core.relational.Relational
_End = Point | None


class _OpenError(ArithmeticError):
    """The claim is not algebraic, or would take too much work."""


@dataclass(frozen=True)
class Outcome:
    """``holds`` is None where the claim is not algebraic, or too large, or about ``nothing``: no
    number is admitted.

    ``witness`` is a number at which the claim is false, rational where there is a rational one;
    ``undefined`` one at which a side has no value. ``cells`` were decided, points among them.
    """

    holds: bool | None
    witness: Point | None = None
    undefined: Point | None = None
    cells: int = 0
    nothing: bool = False


def decide_on_line(
    claim: Relation, given: Sequence[Relation], x: sp.Symbol, *, whole: bool = False
) -> Outcome:
    """Decide ``claim`` for every real ``x`` (every integer, if ``whole``) at which all that is
    ``given`` holds.

    The relations are algebraic in ``x``: rationals, roots, + - * /, rational powers, Abs, Min, Max,
    sign, cases.

    Example:
        >>> x = sp.Symbol("x", real=True)
        >>> decide_on_line(sp.Gt((x**2 - 2) ** 2, 0), [sp.Ge(x, 0)], x).witness
        root 2 of x**2 - 2 (1.41421356237)
    """
    line = _Line(claim, tuple(given), x, whole)
    met, witnesses, undefined, cells = False, [], None, 0
    try:
        for found, point in line.verdicts():
            cells += 1
            met = met or found is not _Found.OUTSIDE
            if found is _Found.FALSE:
                witnesses.append(point)
            elif found is _Found.UNDEFINED:
                undefined = point if undefined is None else undefined
    except _OpenError:
        return Outcome(None, cells=cells)
    if witnesses:
        return Outcome(False, min(witnesses, key=_plainness), cells=cells)
    return Outcome(
        None if undefined is not None or not met else True, None, undefined, cells, not met
    )


def _plainness(point: Point) -> tuple[int, int]:
    if isinstance(point, Root):
        return len(point.coefficients), sum(map(abs, point.coefficients))
    return 0, abs(point.numerator) + point.denominator


class _Found:
    """What is so at one number."""

    OUTSIDE, TRUE, FALSE, UNDEFINED = "outside", "true", "false", "undefined"


@dataclass(frozen=True)
class _Line:
    claim: Relation
    given: tuple[Relation, ...]
    x: sp.Symbol
    whole: bool

    def verdicts(self) -> Iterator[tuple[str, Point]]:
        """What is so at every point and on every cell, with a number for each."""
        waiting: list[tuple[_End, _End]] = [(None, None)]
        met = 0
        while waiting:
            met += 1
            if met > _MOST_CELLS:
                raise _OpenError("too many cells")
            low, high = waiting.pop()
            sample = between(low, high)
            inside = self._inside(low, high, sample)
            if inside:
                ends = [low, *inside, high]
                waiting += list(pairwise(ends))[::-1]
                yield from ((self.at(p), p) for p in inside if not self.whole or _is_whole(p))
            elif not self.whole:
                yield self.at(sample), sample
            elif (integer := _whole_inside(low, high)) is not None:
                yield self.at(integer), integer

    def _inside(self, low: _End, high: _End, sample: Fraction) -> list[Point]:
        """Where something may change within an open interval, as it looks from one number of it."""
        found: set[Point] = set()
        for function in self._functions(sample):
            found.update(_zeros(function, self.x))
        inside = [
            p
            for p in found
            if (low is None or order(low, p) < 0) and (high is None or order(p, high) < 0)
        ]
        return sorted(inside, key=cmp_to_key(order))

    def _functions(self, sample: Fraction) -> list[sp.Expr]:
        """What must not change sign: differences of sides, as its cases are at the sample, and what
        decides cases.
        """
        found: list[sp.Expr] = []
        for relation in (*self.given, self.claim):
            branch = _Branch(self.x, sample, found)
            with suppress(
                UndefinedError
            ):  # it has none all over the cell, by what was found on the way
                found.append(branch.of(relation.lhs) - branch.of(relation.rhs))
        return found

    def at(self, point: Point) -> str:
        """What is so at one number."""
        here = {self.x: point}
        outcomes: list[bool | None] = []
        for relation in self.given:
            try:
                outcomes.append(self._true(relation, point))
            except UndefinedError:
                outcomes.append(None)
        if False in outcomes:
            return _Found.OUTSIDE
        if None in outcomes:
            raise _OpenError("an assumption has no value")
        try:
            for side in (self.claim.lhs, self.claim.rhs):
                if sign(side, here) is None:
                    raise _OpenError("a side is left open")
            return _Found.TRUE if self._true(self.claim, point) else _Found.FALSE
        except UndefinedError:
            return _Found.UNDEFINED

    def _true(self, relation: Relation, point: Point) -> bool:
        if (found := sign(relation.lhs - relation.rhs, {self.x: point})) is None:
            raise _OpenError(f"{relation} is left open")
        return holds(type(relation), found)


def _is_whole(point: Point) -> bool:
    return isinstance(point, Fraction) and point.denominator == 1


def _whole_inside(low: _End, high: _End) -> Fraction | None:
    if low is None:
        return Fraction(0) if high is None else whole_below(high)
    first = whole_above(low)
    return first if high is None or order(first, high) < 0 else None


@dataclass(frozen=True)
class _Branch:
    """Formulas without cases, as they are near one number; what their choice rests on goes to
    ``switches``.
    """

    x: sp.Symbol
    sample: Fraction
    switches: list[sp.Expr]

    def of(self, e: sp.Expr) -> sp.Expr:
        if isinstance(e, sp.Rational | Root) or e == self.x:
            return e
        if isinstance(e, sp.Add | sp.Mul):
            return e.func(*map(self.of, e.args))
        if isinstance(e, sp.Pow) and isinstance(e.exp, sp.Rational):
            base = self.of(e.base)
            if e.exp < 0 or e.exp.q > 1:
                self.switches.append(base)
            return base**e.exp
        if isinstance(e, sp.Pow) and e.base == 0:
            exponent = self._sign(self.of(e.exp))
            if exponent < 0:
                raise UndefinedError(f"{e} divides by zero")
            return sp.Integer(exponent == 0)
        if isinstance(e, sp.Abs | sp.sign):
            inside = self.of(e.args[0])
            found = self._sign(inside)
            if isinstance(e, sp.sign):
                return sp.Integer(found)
            return inside if found >= 0 else -inside
        if isinstance(e, sp.Max | sp.Min):
            best, *rest = map(self.of, e.args)
            for other in rest:
                if self._sign(other - best) == (1 if isinstance(e, sp.Max) else -1):
                    best = other
            return best
        if isinstance(e, sp.Piecewise):
            for value, condition in e.args:
                if self._true(condition):
                    return self.of(value)
            raise UndefinedError(f"{e} has no value")
        raise _OpenError(f"{e} is not algebraic in {self.x}")

    def _sign(self, switch: sp.Expr) -> int:
        self.switches.append(switch)
        if (found := sign(switch, {self.x: self.sample})) is None:
            raise _OpenError(f"{switch} is left open")
        return found

    def _true(self, condition: sp.Basic) -> bool:
        if condition in (sp.true, sp.false):
            return bool(condition)
        if isinstance(condition, sp.And):
            return all(self._true(c) for c in condition.args)
        if not isinstance(condition, sp.core.relational.Relational):
            raise _OpenError(f"{condition} is no comparison")
        return holds(type(condition), self._sign(self.of(condition.lhs) - self.of(condition.rhs)))


# --- where a formula vanishes
# ---------------------------------------------------------------------------------


def _zeros(e: sp.Expr, x: sp.Symbol) -> list[Point]:
    """Finitely many numbers outside which the formula, without cases, is nowhere 0 or 0 all along
    an interval.
    """
    if not e.has(x):
        return []
    radicals = sorted(
        (p for p in e.atoms(sp.Pow, Root) if isinstance(p, Root) or p.exp.q > 1), key=_depth
    )
    roots = list(
        dict.fromkeys((p if isinstance(p, Root) else (p.base, int(p.exp.q))) for p in radicals)
    )
    if len(roots) > _MOST_RADICALS:
        raise _OpenError(f"{e} has more than {_MOST_RADICALS} radicals")
    context = flint.fmpq_mpoly_ctx.get(["x", "y", *(f"t{k}" for k in range(len(roots)))], "lex")
    elimination = _Elimination(x, roots, context)
    top, bottom = elimination.quotient(e)
    found = elimination.eliminated(top)
    if (
        found.is_zero()
    ):  # some conjugate of it vanishes: then zeros of a formula that is not 0 are those of
        found = elimination.eliminated(
            top - context.gens()[1] * bottom
        )  # the norm of e - y over a power of y
        while not found.is_zero() and found.subs({"y": 0}).is_zero():
            found = found // context.gens()[1]
        found = found.subs({"y": 0})
    if found.is_zero():
        raise _OpenError(f"the norm of {e} is 0")
    return real_roots(_univariate(found))


def _depth(e: sp.Expr) -> tuple[int, str]:
    """Inner radicals first."""
    return max((1 + _depth(a)[0] for a in e.args), default=0), str(e)


def _univariate(polynomial: flint.fmpq_mpoly) -> flint.fmpz_poly:
    terms = {int(m[0]): c for m, c in polynomial.to_dict().items()}
    return flint.fmpq_poly([terms.get(k, flint.fmpq(0)) for k in range(max(terms) + 1)]).numer()


@dataclass(frozen=True)
class _Elimination:
    """Formulas as quotients of polynomials in x and one unknown for each radical; the unknowns
    eliminated.
    """

    x: sp.Symbol
    roots: list[Root | tuple[sp.Expr, int]]
    context: flint.fmpq_mpoly_ctx

    def quotient(self, e: sp.Expr) -> tuple[flint.fmpq_mpoly, flint.fmpq_mpoly]:
        one = self.context.constant(1)
        if isinstance(e, sp.Rational):
            return one * flint.fmpq(int(e.p), int(e.q)), one
        if e == self.x:
            return self.context.gens()[0], one
        if isinstance(e, Root):
            return self._unknown(e), one
        if isinstance(e, sp.Add | sp.Mul):
            top, bottom = self.quotient(e.args[0])
            for a in e.args[1:]:
                p, q = self.quotient(a)
                top, bottom = (
                    (top * q + p * bottom if isinstance(e, sp.Add) else top * p),
                    bottom * q,
                )
            return self._small(top), self._small(bottom)
        p, q = int(e.exp.p), int(e.exp.q)
        top, bottom = self.quotient(e.base) if q == 1 else (self._unknown((e.base, q)), one)
        if max(top.total_degree(), bottom.total_degree(), 1) * abs(p) > _HIGHEST:
            raise _OpenError(f"{e} is of too high a degree")
        return (top**p, bottom**p) if p > 0 else (bottom**-p, top**-p)

    def _unknown(self, root: Root | tuple[sp.Expr, int]) -> flint.fmpq_mpoly:
        return self.context.gens()[2 + self.roots.index(root)]

    @staticmethod
    def _small(polynomial: flint.fmpq_mpoly) -> flint.fmpq_mpoly:
        if polynomial.total_degree() > _HIGHEST:
            raise _OpenError("a polynomial of too high a degree")
        return polynomial

    def eliminated(self, polynomial: flint.fmpq_mpoly) -> flint.fmpq_mpoly:
        """The norm: it vanishes wherever the polynomial does. Outer radicals go first."""
        for k in reversed(range(len(self.roots))):
            root, unknown = self.roots[k], self.context.gens()[2 + k]
            if isinstance(root, Root):
                defining = sum(
                    (c * unknown**i for i, c in enumerate(root.coefficients)),
                    self.context.constant(0),
                )
            else:
                top, bottom = self.quotient(root[0])
                defining = bottom * unknown ** root[1] - top
            if polynomial.degrees()[2 + k]:
                polynomial = self._small(polynomial.resultant(defining, f"t{k}"))
            if polynomial.is_zero():
                break
        return polynomial


def as_point(e: sp.Expr) -> Point | None:
    """A closed algebraic expression as the rational or the root that it is; None where that takes
    too much work.

    Example:
        >>> as_point(sp.sqrt(2) * sp.sqrt(8))
        Fraction(4, 1)
    """
    x = sp.Dummy("x", real=True)
    try:
        return next((p for p in _zeros(x - e, x) if sign(e - number(p)) == 0), None)
    except (_OpenError, UndefinedError):
        return None
