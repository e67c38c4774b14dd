"""Inputs of a statement from what it declares: its variables, their domains and sizes, and nothing else.

A family's own strategy meets the assumptions of its statements by construction, and so cannot notice
that one is missing. Here every variable is given a value of its domain, in the order of declaration,
as later domains and sizes may depend on earlier variables. What is assumed is for the caller to ask;
an equality that is assumed is only aimed at, by solving it for one number in which it is affine.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cmp_to_key, lru_cache, reduce
from itertools import product
from typing import TYPE_CHECKING, Any, Protocol

import flint
import sympy as sp

from simulators.lazy import strategies as st
from simulators.strategies import fractions_between
from theorems.algebraic import Root, order
from theorems.checking.symbol_values import Completed, evaluate
from theorems.expressions import InexactError, arguments_of

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

    from theorems.statement import Statement, Variable

__all__ = ["Declared", "DeclaredInputs", "determined", "exact_values", "rational", "smallest_of"]

Values = Mapping[str, Any]

_SMALLEST_OF = re.compile(r"min_(\w+) (\w+)\[\1\]")
#: So many values from its least on does a whole number without end take, and a family so many entries.
_WHOLE, _ENTRIES = 3, 16
#: What real numbers are tried at, besides the ends of their domains.
_PLAIN = tuple(Fraction(x) for x in ("0", "1", "-1", "1/2", "2", "-2", "1/3", "3", "10", "1/1000"))
#: Inputs that are always tried; how often one is drawn before fewer do.
_CORNERS, _PATIENCE = 160, 8


def smallest_of(meaning: Any) -> str | None:
    """The family that a definition in words, "min_i lambda[i]", takes the least of; None for others."""
    found = _SMALLEST_OF.fullmatch(meaning) if isinstance(meaning, str) else None
    return None if found is None else found[2]


def determined(statement: Statement) -> bool:
    """Whether the sides are functions of the declared variables alone: no expectation, no other words.

    Definitions may build on those before them.
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


def exact_values(statement: Statement, variables: Values) -> dict[str, Any]:
    """The variables' values, and those of what is defined in words, of a :func:`determined` statement.

    What its other definitions make of them, rational or not, is for ``symbol_values.Completed``.
    """
    return _with_least(statement.definitions, variables)


def _with_least(definitions: Mapping[Any, sp.Expr | str], variables: Values) -> dict[str, Any]:
    least = {
        str(symbol): family
        for symbol, meaning in definitions.items()
        if (family := smallest_of(meaning)) is not None
    }
    return {**variables, **{name: _least(variables[family]) for name, family in least.items()}}


def _least(values: Sequence[Any]) -> Any:
    if any(isinstance(x, Root) for x in values):
        return min(
            (x if isinstance(x, Root) else Fraction(x) for x in values), key=cmp_to_key(order)
        )
    return min(values)


def rational(value: Any) -> sp.Rational:
    """An exact number as SymPy holds it. ``TypeError`` for what is none."""
    q = (
        flint.fmpq(value.numerator, value.denominator)
        if isinstance(value, Fraction)
        else flint.fmpq(value)
    )
    return sp.Rational(int(q.p), int(q.q))


class _Choice(Protocol):
    """Where choices come from: a generator, or Hypothesis, which can make them simpler."""

    def of(self, options: Sequence[Any]) -> Any: ...

    def between(self, low: Fraction, high: Fraction) -> Fraction: ...


@dataclass(frozen=True)
class _Seeded:
    generator: random.Random

    def of(self, options: Sequence[Any]) -> Any:
        return self.generator.choice(options)

    def between(self, low: Fraction, high: Fraction) -> Fraction:
        return low + (high - low) * Fraction(self.generator.randint(0, 12), 12)


@dataclass(frozen=True)
class _Drawn:
    draw: st.DrawFn

    def of(self, options: Sequence[Any]) -> Any:
        return self.draw(st.sampled_from(options))

    def between(self, low: Fraction, high: Fraction) -> Fraction:
        share = self.draw(fractions_between(Fraction(0), Fraction(1), 60))
        return low + (high - low) * share


class Declared(dict[str, Any]):
    """Values of a statement's variables by name, which no strategy of a family had a hand in."""


@dataclass(frozen=True)
class DeclaredInputs:
    """The product of a statement's declared domains, of which an input is a :class:`Declared`.

    ``item`` turns one into what a check's own ``values`` reads, where definitions are in words that only
    the family understands; without it the statement must be :func:`determined`.
    """

    statement: Statement
    values_of: Callable[[Any], Values]
    item: Callable[[Values], Any] | None = None

    def recognised(self, item: Any) -> Any:
        """An input that was written down, or made simpler: one of these if it has just the variables' names."""
        names = {v.name for v in self.statement.variables}
        return Declared(item) if isinstance(item, Mapping) and set(item) == names else item

    def values(self, item: Any) -> Values:
        """Numbers by symbol name, of these inputs and of the family's own; not a number for what has no value."""
        if not isinstance(item, Declared):
            return self.values_of(item)
        if self.item is None:
            return exact_values(self.statement, item)
        try:
            return {**self.values_of(self.item(item)), **item}
        except ZeroDivisionError:
            return {**{str(s): flint.arb.nan() for s in self.statement.definitions}, **item}

    def contains(self, item: Values) -> bool:
        """Whether every value lies in its domain, exactly, and every family has its size."""
        return self._domains.contains(item)

    def corners(self) -> list[Values]:
        """Inputs that are always tried, small ones first; they are the same in every run."""
        return list(_corners(self._domains))

    def strategy(self) -> SearchStrategy[Values]:
        """Any input, shrinking towards small sizes and plain numbers."""
        domains = self._domains

        @st.composite
        def items(draw: st.DrawFn) -> Values | None:
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
    """What inputs are made of: variables with their domains, the equalities assumed, and the definitions."""

    variables: tuple[Variable, ...]
    equalities: tuple[sp.Eq, ...]
    definitions: tuple[tuple[sp.Symbol | sp.IndexedBase, sp.Expr | str], ...]

    def contains(self, item: Values) -> bool:
        for variable in self.variables:
            value = item[variable.name]
            try:
                shape = [int(_end(extent, item)) for extent in variable.size]
                for place in product(*map(range, shape)):
                    entry = reduce(lambda part, k: part[k], place, value)
                    if not _inside(variable.domain, Fraction(entry), item):
                        return False
                if not _shaped(value, shape):
                    return False
            except (TypeError, IndexError, InexactError):
                return False
        return True

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
        """The input moved onto the equalities that are assumed, one number for each, where that can be done."""
        taken: set[str] = set()
        for relation in self.equalities if choice.of((True, True, True, False)) else ():
            solved = next(self._solutions(relation, item, taken), None)
            if solved is not None:
                name, item = solved
                taken.add(name)
        return item

    def _solutions(
        self,
        relation: sp.Eq,
        item: Declared,
        taken: set[str],
    ) -> Iterator[tuple[str, Declared]]:
        """Inputs that meet an equality which is affine in one number, and the variable it belongs to."""
        for variable in reversed(self.variables):
            if variable.name in taken or isinstance(variable.domain, sp.Range):
                continue
            base = item[variable.name]

            def moved(x: Fraction, variable: Variable = variable, base: Any = base) -> Declared:
                return Declared(item | {variable.name: _ending(base, x) if variable.size else x})

            try:
                gaps = [self._gap(relation, moved(Fraction(x))) for x in range(3)]
            except (InexactError, ZeroDivisionError, KeyError, TypeError):
                continue
            slope = gaps[1] - gaps[0]
            if slope == 0 or gaps[2] - gaps[1] != slope:
                continue
            candidate = moved(Fraction(-gaps[0] / slope))
            if self.contains(candidate):
                yield variable.name, candidate

    def _gap(self, relation: sp.Eq, item: Values) -> Fraction:
        definitions = dict(self.definitions)
        given = Completed(_with_least(definitions, item), definitions, True)
        q = evaluate(relation.lhs, given, True) - evaluate(relation.rhs, given, True)
        return Fraction(int(q.p), int(q.q))


@lru_cache(maxsize=256)
def _corners(domains: _Domains) -> tuple[Values, ...]:
    found: dict[str, Values] = {}
    for number in range(_CORNERS):
        for attempt in range(_PATIENCE):
            seeded = _Seeded(random.Random(number * _PATIENCE + attempt))
            if (item := domains.input(seeded)) is not None:
                found.setdefault(str(item), item)
                break
    return tuple(sorted(found.values(), key=lambda item: len(str(item))))


def _end(end: sp.Expr, known: Values) -> Fraction:
    """The number at the end of a domain, or the size of a family. ``InexactError`` if it is irrational."""
    if isinstance(end, sp.Rational):
        return Fraction(int(end.p), int(end.q))
    q = evaluate(end, known, True)
    return Fraction(int(q.p), int(q.q))


def _inside(domain: sp.Set, value: Fraction, known: Values) -> bool:
    if isinstance(domain, sp.Range):
        low, high, opened = domain.start, domain.stop, (False, True)
        if value.denominator != 1:
            return False
    else:
        low, high = domain.start, domain.end
        opened = bool(domain.left_open), bool(domain.right_open)
    above = (
        low is sp.S.NegativeInfinity
        or value > (least := _end(low, known))
        or (value == least and not opened[0])
    )
    below = (
        high is sp.S.Infinity
        or value < (most := _end(high, known))
        or (value == most and not opened[1])
    )
    return bool(above and below)


def _shaped(value: Any, shape: Sequence[int]) -> bool:
    if not shape:
        return not isinstance(value, list | tuple)
    return (
        isinstance(value, list | tuple)
        and len(value) == shape[0]
        and all(_shaped(part, shape[1:]) for part in value)
    )


def _value(variable: Variable, known: Values, choice: _Choice) -> Any:
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
    if reduce(lambda a, b: a * b, shape, 1) > _ENTRIES:
        return None
    if not shape:
        return _number(levels, choice)
    pattern = choice.of(("equal", "one other", "free", "free"))
    level, other = _number(levels, choice), _number(levels, choice)
    places = list(product(*map(range, shape)))
    marked = choice.of(places)
    numbers = {
        place: _number(levels, choice)
        if pattern == "free"
        else other
        if pattern == "one other" and place == marked
        else level
        for place in places
    }
    return _nested(numbers, shape)


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


def _nested(
    numbers: Mapping[tuple[int, ...], Any], shape: Sequence[int], head: tuple[int, ...] = ()
) -> Any:
    if len(head) == len(shape):
        return numbers[head]
    return tuple(_nested(numbers, shape, (*head, k)) for k in range(shape[len(head)]))


def _ending(value: Any, last: Fraction) -> Any:
    """The family with its last entry replaced."""
    if not isinstance(value, tuple):
        return last
    return (*value[:-1], _ending(value[-1], last))
