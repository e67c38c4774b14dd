"""Exact inputs by symbol name: the definitions there, whether the domains admit them, whether a claim falls."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Any

import sympy as sp

from theorems.algebraic import Root, true, within
from theorems.checking.declared import determined, exact_values, rational, smallest_of
from theorems.checking.pointwise import admitted, decide
from theorems.expressions import InexactError
from theorems.minibatch_averages import Average

if TYPE_CHECKING:
    from theorems.statement import Statement

__all__ = ["admit", "determined", "exact_values", "rational", "refutes", "smallest_of"]

#: Whole-numbered variables (sizes) above this are refused: arithmetic with them could go on for ever.
_LARGEST_SIZE = 10**6
#: Families that are defined entry by entry and have more entries are refused: each entry may be a sum over all.
_LARGEST_FAMILY = 1000
#: So are averages over more draws.
_MOST_DRAWS = 10**5


def admit(statement: Statement, values: Mapping[str, Any]) -> None:
    """Raise ``ValueError``, naming the symbol, unless exact values lie in the domains and meet the assumptions."""
    sizes = {
        v.symbol: rational(values[v.name])
        for v in statement.variables
        if isinstance(v.domain, sp.Range)
    }
    if any(size > _LARGEST_SIZE for size in sizes.values()):
        raise ValueError(f"a size above {_LARGEST_SIZE}")
    for variable in statement.variables:
        domain, given = variable.domain.subs(sizes), values[variable.name]
        shape = [int(extent.subs(sizes)) for extent in variable.size]
        _require_shape(variable.name, given, shape)
        for place in product(*map(range, shape)):
            number = reduce(lambda part, k: part[k], place, given)
            if not _lies_in(domain, number):
                raise ValueError(f"{variable.name} = {number} is not in {domain}")
    for family in (s for s in statement.definitions if isinstance(s, sp.IndexedBase)):
        if prod(int(extent.subs(sizes)) for extent in family.shape) > _LARGEST_FAMILY:
            raise ValueError(f"{family} would have more than {_LARGEST_FAMILY} entries")
    for average in statement.claim.atoms(Average):
        if (
            average.count(int(average.population.subs(sizes)), int(average.size.subs(sizes)))
            > _MOST_DRAWS
        ):
            raise ValueError(f"an average over more than {_MOST_DRAWS} draws")
    if admitted(statement, values) is not True:
        words = "; ".join(a.words for a in statement.assumptions)
        raise ValueError(f"an assumption does not hold, or is left open: {words}")


def _lies_in(domain: sp.Set, number: Any) -> bool:
    if isinstance(number, Root):
        return isinstance(domain, sp.Interval) and all(
            true(r) is True for r in within(number, domain)
        )
    return domain.contains(rational(number)) is sp.true


def _require_shape(name: str, given: Any, shape: list[int]) -> None:
    if not shape:
        return
    if not isinstance(given, list | tuple) or len(given) != shape[0]:
        raise ValueError(f"{name}: want {shape[0]} entries")
    for part in given:
        _require_shape(name, part, shape[1:])


def refutes(statement: Statement, variables: Mapping[str, Any]) -> bool:
    """Whether the claim is certainly false at these exact values, which its domains and assumptions admit."""
    try:
        values = exact_values(statement, variables)
        admit(statement, values)
        return decide(statement, lambda: values).holds is False
    except (InexactError, ZeroDivisionError, ValueError):
        return False
