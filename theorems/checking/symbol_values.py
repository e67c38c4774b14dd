"""The numbers of a statement at one input: those given, and what its definitions make of them.

The value of a family of symbols is a sequence, nested as deep as the family has indices.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Any, SupportsInt, TypeAlias

import flint
import sympy as sp

from theorems.expressions import Compiled, InexactError, arguments_of, compiled, converted

__all__ = [
    "Completed",
    "Definitions",
    "Nested",
    "NoValueError",
    "Number",
    "Values",
    "changed",
    "entries",
    "entry_of",
    "evaluate",
    "exactly_or_in_balls",
    "fits",
    "in_balls",
    "table",
]

Number: TypeAlias = int | Fraction | flint.fmpq | flint.arb | sp.Expr
"""An exact number, or a ball."""

Nested: TypeAlias = "Number | Sequence[Nested]"
Values: TypeAlias = Mapping[str, Nested]
"""The values of symbols and families, by name."""

#: Symbols and families with what defines them: a formula, the ``Lambda`` of a family, or words.
Definitions = Mapping[sp.Symbol | sp.IndexedBase, sp.Expr | str]


class NoValueError(ValueError, KeyError):
    """A symbol that no value is given for; one line names it, and those that have one."""

    __str__ = ValueError.__str__


@lru_cache(maxsize=4096)
def _prepared(expression: sp.Expr) -> tuple[Compiled, tuple[str, ...]]:
    """An expression compiled, and the names of what it needs values for."""
    arguments = arguments_of(expression)
    return compiled(expression, arguments), tuple(map(str, arguments))


def evaluate(expression: sp.Expr, values: Values, exactly: bool) -> flint.fmpq | flint.arb:
    """``expression`` as a rational, or in a ball, with its symbols' values by name.

    Args:
        expression: of SymPy.
        values: exact numbers or balls by the names of symbols, and sequences of them for families.
        exactly: whether a rational is wanted, and not a ball.

    Example:
        >>> x = sp.Symbol("x")
        >>> evaluate(x / 3, {"x": 1}, True)
        1/3
    """
    function, names = _prepared(expression)
    if isinstance(values, Completed | _Beside):
        given = [values.converted(name, exactly) for name in names]
    else:
        given = [converted(values[name], exactly) for name in names]
    return function.exactly(given) if exactly else function.enclosed(given)


def in_balls(expression: sp.Expr, values: Values) -> flint.arb:
    """An enclosure of ``expression`` at values by name, at the precision of the moment.

    Args:
        expression: of SymPy.
        values: as `evaluate` takes them.

    Example:
        >>> x = sp.Symbol("x")
        >>> in_balls(sp.sqrt(x), {"x": 4}).contains(2)
        True
    """
    return evaluate(expression, values, False)


def exactly_or_in_balls(expression: sp.Expr, values: Values) -> flint.fmpq | flint.arb:
    """``expression`` as a rational where it is one, else in a ball at the current precision.

    Args:
        expression: of SymPy.
        values: as `evaluate` takes them.

    Example:
        >>> x = sp.Symbol("x")
        >>> exactly_or_in_balls(sp.sqrt(x), {"x": 4})
        2
    """
    try:
        return evaluate(expression, values, True)
    except (InexactError, TypeError):
        return evaluate(expression, values, False)


class Completed(Mapping[str, Nested]):
    """``values``, and the symbols and families that ``definitions`` compute from them, when asked
    for.

    Rationals if ``exactly``. Else what is rational stays so, for the root of 1 - c² has no value at
    a ball around c = 1, and the rest are balls at the precision of the moment: make a new one to
    work at another. A value given goes before a definition. Raises ``InexactError`` for an
    irrational value if ``exactly``, ``NoValueError`` for a symbol that is neither given nor defined
    by an expression.

    Example:
        >>> x, y = sp.symbols("x y")
        >>> Completed({"x": 2}, {y: x**2}, True)["y"]
        4
    """

    def __init__(self, values: Values, definitions: Definitions, exactly: bool) -> None:
        self._values = dict(values)
        self._converted: dict[tuple[str, int], Nested] = {}
        self._meanings = {
            _name(symbol): (symbol, meaning)
            for symbol, meaning in definitions.items()
            if isinstance(meaning, sp.Basic) and not _has_integral(meaning)
        }
        self._exactly = exactly

    def __getitem__(self, name: str) -> Nested:
        if name not in self._values:
            if name not in self._meanings:
                raise NoValueError(
                    f"no value for {name} among those given: {', '.join(map(str, self._values))}"
                )
            symbol, meaning = self._meanings[name]
            self._values[name] = (
                self._table(symbol, meaning)
                if isinstance(meaning, sp.Lambda)
                else self._number(meaning, self)
            )
        return self._values[name]

    def converted(self, name: str, exactly: bool) -> Nested:
        """A value as rationals, or as enclosures at the current precision; a table only once.

        Raises ``TypeError`` for a ball if ``exactly``, ``InexactError`` for an irrational number.

        Args:
            name: of a symbol or family.
            exactly: whether rationals are wanted, and not balls.
        """
        key = (name, 0 if exactly else flint.ctx.prec)
        if key not in self._converted:
            self._converted[key] = converted(self[name], exactly)
        return self._converted[key]

    def _number(self, expression: sp.Expr, values: Values) -> Number:
        if self._exactly:
            return evaluate(expression, values, True)
        return exactly_or_in_balls(expression, values)

    def meaning(self, name: str) -> sp.Expr:
        """The definition of a symbol, or the ``Lambda`` of a family.

        Raises ``KeyError`` for a name that no formula defines.

        Args:
            name: of a symbol or family.
        """
        return self._meanings[name][1]

    def _table(self, family: sp.IndexedBase, meaning: sp.Lambda) -> Nested:
        names = [str(index) for index in meaning.variables]

        def entry(place: tuple[int, ...]) -> Number:
            here = _Beside(self, dict(zip(names, place, strict=True)))
            return self._number(meaning.expr, here)

        return table([int(evaluate(size, self, True).p) for size in family.shape], entry)

    def __iter__(self) -> Iterator[str]:
        return iter(self._values.keys() | self._meanings.keys())

    def __len__(self) -> int:
        return len(self._values.keys() | self._meanings.keys())


@lru_cache(maxsize=4096)
def _name(symbol: sp.Symbol | sp.IndexedBase) -> str:
    return str(symbol)


@lru_cache(maxsize=4096)
def _has_integral(meaning: sp.Basic) -> bool:
    return bool(meaning.has(sp.Integral))


class _Beside(dict[str, Nested]):
    """Indices, with everything else looked up elsewhere."""

    def __init__(self, values: Completed, indices: Mapping[str, int]) -> None:
        super().__init__(indices)
        self._rest = values

    def __missing__(self, name: str) -> Nested:
        return self._rest[name]

    def converted(self, name: str, exactly: bool) -> Nested:
        """A value as rationals or enclosures; an index is its own."""
        return (
            converted(self[name], exactly) if name in self else self._rest.converted(name, exactly)
        )


# --- numbers nested in sequences ------------------------------------------------------------------


def table(
    shape: Sequence[int], entry: Callable[[tuple[int, ...]], Nested], head: tuple[int, ...] = ()
) -> Nested:
    """Tuples nested as deep as ``shape`` is long, with ``entry`` at every place; one entry for ().

    Args:
        shape: the extent of each axis, at least 0.
        entry: gives what stands at a place, of as many indices from 0.
        head: indices that come before those of every place.

    Example:
        >>> table((2, 2), sum)
        ((0, 1), (1, 2))
    """
    if not shape:
        return entry(head)
    return tuple(table(shape[1:], entry, (*head, k)) for k in range(shape[0]))


def entry_of(nested: Nested, place: Iterable[SupportsInt]) -> Nested:
    """What stands at a place, one index an axis.

    Raises ``IndexError`` or ``TypeError`` where nothing does.

    Args:
        nested: a number, or numbers in sequences of any depth.
        place: indices from 0.

    Example:
        >>> entry_of(((1, 2), (3, 4)), (1, 0))
        3
    """
    for index in place:
        if not isinstance(nested, Sequence):
            raise TypeError(f"{nested} is no sequence, and has no entry {index}")
        nested = nested[int(index)]
    return nested


def entries(nested: Nested | Values) -> Iterator[Number]:
    """What sequences and mappings hold that is neither, in order.

    Args:
        nested: numbers in mappings and sequences of any depth.

    Example:
        >>> list(entries({"n": 2, "spectrum": (1, (3, 4))}))
        [2, 1, 3, 4]
    """
    if isinstance(nested, Mapping):
        nested = list(nested.values())
    if isinstance(nested, Sequence):
        for part in nested:
            yield from entries(part)
    else:
        yield nested


def changed(nested: object, change: Callable[[Any], object]) -> object:
    """The same lists and mappings, by text, with every entry changed.

    Args:
        nested: whatever, in mappings and sequences of any depth.
        change: makes of an entry what stands in its place.

    Example:
        >>> changed({"spectrum": (Fraction(1, 3), 2)}, str)
        {'spectrum': ['1/3', '2']}
    """
    if isinstance(nested, Mapping):
        return {str(name): changed(part, change) for name, part in nested.items()}
    if isinstance(nested, tuple | list):
        return [changed(part, change) for part in nested]
    return change(nested)


def fits(nested: object, shape: Sequence[int]) -> bool:
    """Whether sequences are nested as ``shape`` says, and hold no sequence where it ends.

    Args:
        nested: numbers in sequences of any depth, or a number.
        shape: the extent of each axis; empty for a number.

    Example:
        >>> fits(((1, 2), (3, 4)), (2, 2)), fits((1, 2), ())
        (True, False)
    """
    if not isinstance(nested, tuple | list):
        return not shape
    inner = shape[1:]
    return bool(shape) and len(nested) == shape[0] and all(fits(part, inner) for part in nested)
