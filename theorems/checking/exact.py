"""Exact inputs by symbol name: whether a statement admits them, and whether it falls there."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

import sympy as sp

from theorems.algebraic import number
from theorems.checking.declared import determined, exact_values, require_inside, smallest_of
from theorems.checking.nested import Values
from theorems.checking.pointwise import admitted, decide
from theorems.expressions import InexactError
from theorems.minibatch_averages import Average

if TYPE_CHECKING:
    from theorems.statement import Statement

__all__ = ["admit", "determined", "exact_values", "refutes", "smallest_of"]

#: Whole-numbered variables (sizes) above this are refused: arithmetic with them could take for
#: ever.
_LARGEST_SIZE = 10**6
#: So are families defined entry by entry with more entries, each of which may be a sum over all.
_LARGEST_FAMILY = 1000
#: So are averages over more draws.
_MOST_DRAWS = 10**5


def admit(statement: Statement, values: Values) -> None:
    """Refuse exact values that the statement's domains or assumptions do not admit.

    ``values``: of every variable, by name, and of what is defined in words.

    Raises ``ValueError``, naming the symbol, the value and the domain, or the assumption; also for
    sizes with which arithmetic would not end. Cost: one evaluation of every assumption.

    Example:
        >>> from theorems.templates.pointwise import STATEMENT
        >>> admit(STATEMENT, {"n": 2, "lambda": (-1, 2)})
        Traceback (most recent call last):
        theorems.checking.declared.OutsideError: lambda = -1 is not in Interval(0, 1)
    """
    sizes = {
        v.symbol: number(values[v.name])
        for v in statement.variables
        if isinstance(v.domain, sp.Range)
    }
    if any(size > _LARGEST_SIZE for size in sizes.values()):
        raise ValueError(f"a size above {_LARGEST_SIZE}")
    for variable in statement.variables:
        require_inside(variable, values)
    for family in (s for s in statement.definitions if isinstance(s, sp.IndexedBase)):
        if prod(int(extent.subs(sizes)) for extent in family.shape) > _LARGEST_FAMILY:
            raise ValueError(f"{family} would have more than {_LARGEST_FAMILY} entries")
    for average in statement.claim.atoms(Average):
        population, size = (int(x.subs(sizes)) for x in (average.population, average.size))
        if average.count(population, size) > _MOST_DRAWS:
            raise ValueError(f"an average over more than {_MOST_DRAWS} draws")
    if admitted(statement, values) is not True:
        words = "; ".join(a.words for a in statement.assumptions)
        raise ValueError(f"an assumption does not hold, or is left open: {words}")


def refutes(statement: Statement, variables: Values) -> bool:
    """Whether a claim is certainly false at exact values that it admits.

    Example:
        >>> from theorems.templates.pointwise import STATEMENT
        >>> from fractions import Fraction
        >>> at = {"n": 2, "lambda": (Fraction(1, 2), Fraction(1, 2))}
        >>> refutes(STATEMENT, at), refutes(STATEMENT.neighbour, at)
        (False, True)
    """
    try:
        values = exact_values(statement, variables)
        admit(statement, values)
        return decide(statement, lambda: values).holds is False
    except (InexactError, ZeroDivisionError, ValueError):
        return False
