"""Numbers nested in sequences, as the value of a family of symbols is: an entry for every place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import SupportsInt, TypeAlias

import flint
import sympy as sp

__all__ = ["Nested", "Number", "Values", "changed", "entries", "entry_of", "fits", "table"]

Number: TypeAlias = int | Fraction | flint.fmpq | flint.arb | sp.Expr
"""An exact number, or a ball."""

Nested: TypeAlias = "Number | Sequence[Nested]"
Values: TypeAlias = Mapping[str, Nested]
"""The values of symbols and families, by name."""


def table(
    shape: Sequence[int], entry: Callable[[tuple[int, ...]], Nested], head: tuple[int, ...] = ()
) -> Nested:
    """Tuples nested as deep as ``shape`` is long, with ``entry`` at every place; one entry for ().

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


def changed(nested: object, change: Callable[[object], object]) -> object:
    """The same lists and mappings, by text, with every entry changed.

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

    Example:
        >>> fits(((1, 2), (3, 4)), (2, 2)), fits((1, 2), ())
        (True, False)
    """
    if not isinstance(nested, tuple | list):
        return not shape
    inner = shape[1:]
    return bool(shape) and len(nested) == shape[0] and all(fits(part, inner) for part in nested)
