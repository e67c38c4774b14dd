"""Inputs from what a statement declares: its variables, their domains and sizes, and nothing else.

A family's own strategy meets the assumptions of its statements by construction, and so cannot
notice that one is missing. Here every variable is given a value of its domain, in the order of
declaration, as later domains and sizes may depend on earlier variables. What is assumed is for the
caller to ask; an equality that is assumed is only aimed at, by solving it for one number in which
it is affine.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, cmp_to_key, lru_cache
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import flint
import sympy as sp

from simulators.lazy import strategies as st
from simulators.strategies import fractions_between
from theorems.algebraic import Root, fraction, number, order, true, within
from theorems.checking.symbol_values import (
    Completed,
    Definitions,
    Nested,
    Number,
    Values,
    entries,
    entry_of,
    evaluate,
    fits,
    table,
)
from theorems.expressions import InexactError, arguments_of
from theorems.statement import Statement, Variable

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

__all__ = [
    "Declared",
    "DeclaredInputs",
    "OutsideError",
    "determined",
    "exact_values",
    "require_inside",
    "smallest_of",
]

Item = TypeVar("Item")
Option = TypeVar("Option")

_SMALLEST_OF = re.compile(r"min_(\w+) (\w+)\[\1\]")
#: So many values from its least on does a whole number without end take, and a family so many
#: entries.
_WHOLE, _ENTRIES = 3, 16
#: What real numbers are tried at, besides the ends of their domains.
_PLAIN = tuple(Fraction(x) for x in ("0", "1", "-1", "1/2", "2", "-2", "1/3", "3", "10", "1/1000"))
#: Inputs that are always tried; how often one is drawn before fewer do.
_CORNERS, _PATIENCE = 160, 8


def smallest_of(meaning: sp.Expr | str) -> str | None:
    """The family that a definition in words takes the least entry of; None for other definitions.

    Example:
        >>> smallest_of("min_i lambda[i]")
        'lambda'
    """
    found = _SMALLEST_OF.fullmatch(meaning) if isinstance(meaning, str) else None
    return None if found is None else found[2]


def determined(statement: Statement) -> bool:
    """Whether the sides are functions of the declared variables alone: no expectation, no other
    words.

    Definitions may build on those before them.

    Example:
        >>> from theorems.templates.pointwise import STATEMENT
        >>> determined(STATEMENT)
        True
    """
    known = {v.name for v in statement.variables}
    for symbol, meaning in statement.definitions.items():
        needed = (
            {smallest_of(meaning)}
            if isinstance(meaning, str)
            else {str(a) for a in arguments_of(meaning)}
        )
        if needed - known or (isinstance(meaning, sp.Basic) and meaning.has(sp.Integral)):
            return False
        known.add(str(symbol))
    return True


def exact_values(statement: Statement, variables: Values) -> dict[str, Nested]:
    """The variables' values, and those of what is defined in words, of a `determined`
    statement.

    What its other definitions make of them, rational or not, is for ``symbol_values.Completed``.

    Example:
        >>> from theorems.templates.pointwise import STATEMENT
        >>> exact_values(STATEMENT, {"n": 1, "lambda": (1,)})["n"]
        1
    """
    return _with_least(statement.definitions, variables)


def _with_least(definitions: Definitions, variables: Values) -> dict[str, Nested]:
    found = dict(variables)
    for symbol, meaning in definitions.items():
        if (family := smallest_of(meaning)) is not None:
            found[str(symbol)] = _least(variables[family])
    return found


def _least(family: Nested) -> Number:
    values = list(entries(family))
    if any(isinstance(x, Root) for x in values):
        points = (x if isinstance(x, Root) else Fraction(x) for x in values)
        return min(points, key=cmp_to_key(order))
    return min(values)


@dataclass(frozen=True)
class _Seeded:
    """Choices of a generator."""

    generator: random.Random

    def of(self, options: Sequence[Option]) -> Option:
        return self.generator.choice(options)

    def between(self, low: Fraction, high: Fraction) -> Fraction:
        return low + (high - low) * Fraction(self.generator.randint(0, 12), 12)


@dataclass(frozen=True)
class _Drawn:
    """Choices of Hypothesis, which can make them simpler."""

    draw: st.DrawFn

    def of(self, options: Sequence[Option]) -> Option:
        return options[self.draw(_places(len(options)))]

    def between(self, low: Fraction, high: Fraction) -> Fraction:
        share: Fraction = self.draw(fractions_between(Fraction(0), Fraction(1), 60))
        return low + (high - low) * share


@cache
def _places(count: int) -> SearchStrategy[int]:
    return st.sampled_from(range(count))


_Choice = _Seeded | _Drawn


class Declared(dict[str, Nested]):
    """Values of a statement's variables by name, which no strategy of a family had a hand in."""


@dataclass(frozen=True)
class DeclaredInputs(Generic[Item]):
    """The product of a statement's declared domains, of which an input is a `Declared`.

    ``item`` turns one into what a check's own ``values`` reads, where definitions are in words that
    only the family understands; without it the statement must be `determined`.
    """

    statement: Statement
    values_of: Callable[[Item], Values]
    item: Callable[[Mapping[str, Any]], Item] | None = None

    def recognised(self, item: Item) -> Item | Declared:
        """An input that was written down, or made simpler: one of these if it has just the
        variables' names.
        """
        names = {v.name for v in self.statement.variables}
        return Declared(item) if isinstance(item, Mapping) and set(item) == names else item

    def values(self, item: Item | Declared) -> Values:
        """Numbers by symbol name, of these inputs and of the family's own; not a number for what
        has no value.
        """
        if not isinstance(item, Declared):
            return self.values_of(item)
        if self.item is None:
            return exact_values(self.statement, item)
        try:
            return {**self.values_of(self.item(item)), **item}
        except ZeroDivisionError:
            return {**{str(s): flint.arb.nan() for s in self.statement.definitions}, **item}

    def contains(self, item: Values) -> bool:
        """Whether every value lies in its domain, exactly, and every family has its size.

        - ``item``: values of all variables by name

        What is assumed beyond the domains is not asked. False where an end of a domain is
        irrational.
        """
        return _lies_inside(self.statement.variables, item)

    def corners(self) -> list[Declared]:
        """Inputs that are always tried, small ones first; they are the same in every run.

        At most 160, all different. Made once for every statement.
        """
        return list(_corners(self._domains))

    def strategy(self) -> SearchStrategy[Declared]:
        """Any input of the declared domains, shrinking towards small sizes and plain numbers.

        Three of four are moved onto the equalities that are assumed, where that can be done.
        """
        domains = self._domains

        @st.composite
        def items(draw: st.DrawFn) -> Declared | None:
            return domains.input(_Drawn(draw))

        return items().filter(lambda item: item is not None)  # type: ignore[return-value]

    @property
    def _domains(self) -> _Domains:
        statement = self.statement
        equalities = (a.relation for a in statement.assumptions if isinstance(a.relation, sp.Eq))
        return _Domains(
            statement.variables, tuple(equalities), tuple(statement.definitions.items())
        )


@dataclass(frozen=True)
class _Domains:
    """What inputs are made of: variables with their domains, the equalities assumed, and the
    definitions.
    """

    variables: tuple[Variable, ...]
    equalities: tuple[sp.Eq, ...]
    definitions: tuple[tuple[sp.Symbol | sp.IndexedBase, sp.Expr | str], ...]

    def input(self, choice: _Choice) -> Declared | None:
        """One input; None where a domain turned out empty."""
        found = Declared()
        for variable in self.variables:
            try:
                value = _value(variable, found, choice)
            except InexactError:
                return None
            if value is None:
                return None
            found[variable.name] = value
        return self._aimed(found, choice)

    def _aimed(self, item: Declared, choice: _Choice) -> Declared:
        """The input moved onto the equalities that are assumed, one number for each, where that can
        be done.
        """
        taken: set[str] = set()
        for relation in self.equalities if choice.of((True, True, True, False)) else ():
            solved = next(self._solutions(relation, item, taken), None)
            if solved is not None:
                name, item = solved
                taken.add(name)
        return item

    def _solutions(
        self, relation: sp.Eq, item: Declared, taken: set[str]
    ) -> Iterator[tuple[str, Declared]]:
        """Inputs that meet an equality which is affine in one number, and the variable it belongs
        to.
        """
        for variable in reversed(self.variables):
            if variable.name in taken or isinstance(variable.domain, sp.Range):
                continue
            base = item[variable.name]

            def moved(x: Fraction, variable: Variable = variable, base: Nested = base) -> Declared:
                return Declared(item | {variable.name: _ending(base, x) if variable.size else x})

            try:
                gaps = [self._gap(relation, moved(Fraction(x))) for x in range(3)]
            except (InexactError, ZeroDivisionError, KeyError, TypeError):
                continue
            slope = gaps[1] - gaps[0]
            if slope == 0 or gaps[2] - gaps[1] != slope:
                continue
            candidate = moved(Fraction(-gaps[0] / slope))
            if _lies_inside(self.variables, candidate):
                yield variable.name, candidate

    def _gap(self, relation: sp.Eq, item: Values) -> Fraction:
        definitions = dict(self.definitions)
        given = Completed(_with_least(definitions, item), definitions, True)
        return fraction(evaluate(relation.lhs, given, True) - evaluate(relation.rhs, given, True))


@lru_cache(maxsize=256)
def _corners(domains: _Domains) -> tuple[Declared, ...]:
    found: dict[str, Declared] = {}
    for corner in range(_CORNERS):
        for attempt in range(_PATIENCE):
            seeded = _Seeded(random.Random(corner * _PATIENCE + attempt))
            if (item := domains.input(seeded)) is not None:
                found.setdefault(str(item), item)
                break
    return tuple(sorted(found.values(), key=lambda item: len(str(item))))


class OutsideError(ValueError):
    """A value outside the domain declared for it; the words are made when they are asked for.

    Raised by `require_inside`, which says of what.
    """

    def __str__(self) -> str:
        variable, entry, item = self.args
        domain = variable.domain
        known = {s: item.get(str(s)) for s in domain.free_symbols}
        sizes = {
            s: number(x) for s, x in known.items() if isinstance(x, int | Fraction | flint.fmpq)
        }
        return f"{variable.name} = {entry} is not in {domain.subs(sizes)}"


def require_inside(variable: Variable, item: Values) -> None:
    """Refuse a variable's value, among the others of ``item``, outside its domain or size.

    Exact: rationals and algebraic numbers are compared with the ends of the domain.

    Raises ``ValueError`` that names the symbol, what it got and what it wants, ``TypeError`` for
    what is no number, ``InexactError`` where an end of the domain is irrational.

    Example:
        >>> from theorems.statement import Variable
        >>> share = Variable(sp.Symbol("x"), sp.Interval(0, 1), "a share")
        >>> require_inside(share, {"x": Fraction(1, 2)})
        >>> require_inside(share, {"x": 2})
        Traceback (most recent call last):
        theorems.checking.declared.OutsideError: x = 2 is not in Interval(0, 1)
    """
    value = item[variable.name]
    shape = [int(_end(extent, item)) for extent in variable.size]
    if not fits(value, shape):
        raise ValueError(f"{variable.name}: want {' × '.join(map(str, shape)) or 'no'} entries")
    for place in product(*map(range, shape)):
        entry = entry_of(value, place)
        if not _inside(variable.domain, entry, item):
            raise OutsideError(variable, entry, item)


def _lies_inside(variables: Iterable[Variable], item: Values) -> bool:
    try:
        for variable in variables:
            require_inside(variable, item)
    except (TypeError, ValueError, InexactError):
        return False
    return True


def _end(end: sp.Expr, known: Values) -> Fraction:
    """The end of a domain, or the size of a family; ``InexactError`` if it is irrational."""
    return fraction(end if isinstance(end, sp.Rational) else evaluate(end, known, True))


def _rational(value: Number) -> Fraction:
    if isinstance(value, int | Fraction):
        return Fraction(value)
    exact = number(value)
    if not isinstance(exact, sp.Rational):
        raise TypeError(f"{value} is not rational")
    return fraction(exact)


def _inside(domain: sp.Set, value: Number, known: Values) -> bool:
    if isinstance(value, Root):
        return isinstance(domain, sp.Interval) and all(
            true(r) is True for r in within(value, domain)
        )
    place = _rational(value)
    if isinstance(domain, sp.Range):
        low, high, opened = domain.start, domain.stop, (False, True)
        if place.denominator != 1:
            return False
    else:
        low, high = domain.start, domain.end
        opened = bool(domain.left_open), bool(domain.right_open)

    def reached(gap: Fraction, end_is_open: bool) -> bool:
        return gap > 0 or (gap == 0 and not end_is_open)

    above = low is sp.S.NegativeInfinity or reached(place - _end(low, known), opened[0])
    below = high is sp.S.Infinity or reached(_end(high, known) - place, opened[1])
    return above and below


def _value(variable: Variable, known: Values, choice: _Choice) -> Nested | None:
    """A value of the domain, given those before it; None if there is none."""
    domain = variable.domain
    if isinstance(domain, sp.Range):
        low = int(_end(domain.start, known))
        most = low + _WHOLE - 1 if domain.stop == sp.oo else int(_end(domain.stop, known)) - 1
        options = list(range(low, min(low + _WHOLE, most + 1)))
        if most not in options and most >= low:
            options.append(most)
        return choice.of(options) if options else None
    levels = _levels(domain, known)
    if not levels:
        return None
    shape = [int(_end(extent, known)) for extent in variable.size]
    if prod(shape) > _ENTRIES:
        return None
    if not shape:
        return _number(levels, choice)
    pattern = choice.of(("equal", "one other", "free", "free"))
    level, other = _number(levels, choice), _number(levels, choice)
    places = list(product(*map(range, shape)))
    marked = choice.of(places)

    def entry(place: tuple[int, ...]) -> Fraction:
        if pattern == "free":
            return _number(levels, choice)
        return other if pattern == "one other" and place == marked else level

    return table(shape, entry)


def _levels(domain: sp.Interval, known: Values) -> list[Fraction]:
    """Ends, a point just inside, the middle and plain numbers, of those that the domain holds."""
    ends = [None if abs(end) == sp.oo else _end(end, known) for end in (domain.start, domain.end)]
    low, high = ends
    near = [] if low is None else [low, low + Fraction(1, 1000), low + 1]
    near += [] if high is None else [high, high - Fraction(1, 1000), high - 1]
    if low is not None and high is not None:
        near += [(low + high) / 2, low + (high - low) / 1000, high - (high - low) / 1000]
    return [x for x in dict.fromkeys((*_PLAIN, *near)) if _inside(domain, x, known)]


def _number(levels: Sequence[Fraction], choice: _Choice) -> Fraction:
    """A level, or a number between two of them."""
    first = choice.of(levels)
    return choice.between(first, choice.of(levels)) if choice.of((False, True)) else first


def _ending(value: Nested, last: Fraction) -> Nested:
    """The family with its last entry replaced."""
    return (*value[:-1], _ending(value[-1], last)) if isinstance(value, tuple) else last
