"""Exact inputs by symbol name: the definitions there, whether the domains admit them, whether a claim falls."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import cmp_to_key, reduce
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Any

import flint
import sympy as sp

from theorems.algebraic import Root, order, true, within
from theorems.checking.pointwise import admitted, decide
from theorems.draws import Average
from theorems.expressions import InexactError, arguments_of

if TYPE_CHECKING:
    from theorems.statement import Statement

__all__ = ["admit", "determined", "exact_values", "rational", "refutes", "smallest_of"]

_SMALLEST_OF = re.compile(r"min_(\w+) (\w+)\[\1\]")
#: Whole-numbered variables (sizes) above this are refused: arithmetic with them could go on for ever.
_LARGEST_SIZE = 10**6
#: Families that are defined entry by entry and have more entries are refused: each entry may be a sum over all.
_LARGEST_FAMILY = 1000
#: So are averages over more draws.
_MOST_DRAWS = 10**5


def smallest_of(meaning: Any) -> str | None:
    """The family that a definition in words, "min_i lambda[i]", takes the least of; None for any other."""
    found = _SMALLEST_OF.fullmatch(meaning) if isinstance(meaning, str) else None
    return None if found is None else found[2]


def determined(statement: Statement) -> bool:
    """Whether the sides are functions of the declared variables alone: no expectation, nothing given in other words.

    Definitions may build on those before them.
    """
    known = {v.name for v in statement.variables}
    for symbol, meaning in statement.definitions.items():
        needed = {smallest_of(meaning)} if isinstance(meaning, str) else {str(a) for a in arguments_of(meaning)}
        if needed - known or (isinstance(meaning, sp.Basic) and meaning.has(sp.Integral)):
            return False
        known.add(str(symbol))
    return True


def exact_values(statement: Statement, variables: Mapping[str, Any]) -> dict[str, Any]:
    """The variables' values, and those of what is defined in words. The statement must be :func:`determined`.

    What its other definitions make of them, rational or not, is for ``tables.Completed``.
    """
    least = {str(symbol): family for symbol, meaning in statement.definitions.items()
             if (family := smallest_of(meaning)) is not None}
    return {**variables, **{name: _least(variables[family]) for name, family in least.items()}}


def _least(values: Sequence[Any]) -> Any:
    if any(isinstance(x, Root) for x in values):
        return min((x if isinstance(x, Root) else Fraction(x) for x in values), key=cmp_to_key(order))
    return min(values)


def rational(value: Any) -> sp.Rational:
    """An exact number as SymPy holds it. ``TypeError`` for what is none."""
    q = flint.fmpq(value.numerator, value.denominator) if isinstance(value, Fraction) else flint.fmpq(value)
    return sp.Rational(int(q.p), int(q.q))


def admit(statement: Statement, values: Mapping[str, Any]) -> None:
    """Raise ``ValueError``, naming the symbol, unless exact values lie in the domains and meet the assumptions."""
    sizes = {v.symbol: rational(values[v.name]) for v in statement.variables if isinstance(v.domain, sp.Range)}
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
        if average.count(int(average.population.subs(sizes)), int(average.size.subs(sizes))) > _MOST_DRAWS:
            raise ValueError(f"an average over more than {_MOST_DRAWS} draws")
    if admitted(statement, values) is not True:
        words = "; ".join(a.words for a in statement.assumptions)
        raise ValueError(f"an assumption does not hold, or is left open: {words}")


def _lies_in(domain: sp.Set, number: Any) -> bool:
    if isinstance(number, Root):
        return isinstance(domain, sp.Interval) and all(true(r) is True for r in within(number, domain))
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
