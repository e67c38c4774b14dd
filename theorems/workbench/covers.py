"""A stated claim's whole domain, where it can be gone through: input by input, or box by box."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

import flint

from theorems.checking.context import Context
from theorems.checking.covering import Cover, Region, cover
from theorems.statement import Statement
from theorems.workbench.domains import Domain
from theorems.workbench.spaces import Item, Space

__all__ = ["covered", "every_item"]

#: A domain of more inputs than this is not gone through one by one.
_FEW = 1000
#: Boxes start from so many choices of the whole numbers at most, with so many real symbols each.
_CHOICES, _REALS = 200, 3


def every_item(space: Space) -> list[Item] | None:
    """All inputs of a finite domain; None if it is infinite, or has more than :data:`_FEW`."""
    if space.over != "parameters" or any(not x.whole or x.endless for x in space.domains):
        return None
    found: list[Item] = []
    for item in _choices(space.domains):
        if len(found) == _FEW:
            return None
        found.append(item)
    return [x for x in found if space.contains(x)]


def covered(space: Space, statement: Statement, refutes: Callable[[Item], bool], context: Context) -> Cover | None:
    """Branch and bound over the domain; None where it is not made of a few boxes. One search serves all who ask."""
    key = ("cover", statement.lhs, statement.relation, statement.rhs, statement.assumptions, space.domains)
    if key not in context.memory:
        regions = _regions(space, statement)
        names = {x.name for x in space.domains}

        def violates(values: Mapping[str, Any]) -> bool:
            return refutes({k: v for k, v in values.items() if k in names})
        found = None if regions is None else cover(statement, regions, violates, lambda: context.expired)
        if found is not None and found.witness is not None:
            found = replace(found, witness={k: v for k, v in found.witness.items() if k in names})
        context.memory[key] = found
    known: Cover | None = context.memory[key]
    return known


def _choices(domains: tuple[Domain, ...], known: Mapping[str, Any] | None = None) -> Iterator[dict[str, Any]]:
    """Every choice of whole numbers, in order."""
    known = known or {}
    if not domains:
        yield dict(known)
        return
    low, high = (int(e) for e in domains[0].ends(known))
    for value in range(low, high + 1):
        yield from _choices(domains[1:], {**known, domains[0].name: Fraction(value)})


def _regions(space: Space, statement: Statement) -> list[Region] | None:
    whole = tuple(x for x in space.domains if x.whole)
    real = tuple(x for x in space.domains if not x.whole)
    moving = {x.name for x in real}
    if (space.over != "parameters" or statement.relation == "==" or not 1 <= len(real) <= _REALS
            or any(x.endless for x in whole) or any(set(c.arguments) & moving for c in space.computed)
            or any(str(s) in moving for x in real for s in x.set.free_symbols)):
        return None
    found: list[Region] = []
    for choice in _choices(whole):
        hulls = [x.hull(choice) for x in real]
        if len(found) == _CHOICES or None in hulls:
            return None
        box = tuple((flint.fmpq(a.numerator, a.denominator), flint.fmpq(b.numerator, b.denominator))
                    for a, b in (h for h in hulls if h is not None))
        if all(low <= high for low, high in box):
            found.append(Region(choice | {c.name: c.at(choice) for c in space.computed}, tuple(x.name for x in real),
                                box))
    return found
