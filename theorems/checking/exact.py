"""Exact inputs by symbol name: the definitions there, whether the domains admit them, whether a claim falls."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from functools import reduce
from itertools import product
from typing import TYPE_CHECKING, Any

import flint
import sympy as sp

from theorems.checking.pointwise import decide, holds
from theorems.expressions import InexactError, arguments_of, compiled

if TYPE_CHECKING:
    from theorems.statement import Statement

__all__ = ["admit", "determined", "exact_values", "rational", "refutes", "smallest_of"]

_SMALLEST_OF = re.compile(r"min_(\w+) (\w+)\[\1\]")
#: Whole-numbered variables (sizes) above this are refused: arithmetic with them could go on for ever.
_LARGEST_SIZE = 10**6


def smallest_of(meaning: Any) -> str | None:
    """The family that a definition in words, "min_i lambda[i]", takes the least of; None for any other."""
    found = _SMALLEST_OF.fullmatch(meaning) if isinstance(meaning, str) else None
    return None if found is None else found[2]


def determined(statement: Statement) -> bool:
    """Whether the sides are functions of the declared variables alone: no expectation, nothing given in other words."""
    known = {v.name for v in statement.variables}
    for meaning in statement.definitions.values():
        needed = {smallest_of(meaning)} if isinstance(meaning, str) else {str(a) for a in arguments_of(meaning)}
        if needed - known:
            return False
    return True


def exact_values(statement: Statement, variables: Mapping[str, Any]) -> dict[str, Any]:
    """The variables' values, completed by those of the definitions. The statement must be :func:`determined`."""
    values = dict(variables)
    for symbol, meaning in statement.definitions.items():
        if (family := smallest_of(meaning)) is not None:
            values[str(symbol)] = min(variables[family])
        else:
            names = arguments_of(meaning)
            values[str(symbol)] = compiled(meaning, names).exact(*(variables[str(a)] for a in names))
    return values


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
        if variable.symbol in sizes:
            domain = variable.domain
        shape = [int(extent.subs(sizes)) for extent in variable.size]
        _require_shape(variable.name, given, shape)
        for place in product(*map(range, shape)):
            number = rational(reduce(lambda part, k: part[k], place, given))
            if domain.contains(number) is not sp.true:
                raise ValueError(f"{variable.name} = {number} is not in {domain}")
    for assumption in statement.assumptions:
        relation = assumption.relation
        left, right = (compiled(side, names := arguments_of(side)).exact(*(values[str(a)] for a in names))
                       for side in (relation.lhs, relation.rhs))
        if holds(left, relation, right) is not True:
            raise ValueError(f"the assumption does not hold: {assumption.words}")


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
        if statement.claim.has(sp.Piecewise):  # a case that a ball leaves open would be taken for false
            compiled(statement.lhs - statement.rhs, names := arguments_of(statement.lhs - statement.rhs)).exact(
                *(values[str(a)] for a in names))
        return decide(statement, lambda: values).holds is False
    except (InexactError, ZeroDivisionError, ValueError):
        return False
