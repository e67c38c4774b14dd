"""What a claim declares must have an effect: a symbol, a computed quantity, an assumption.

Otherwise a verdict would read as if something had been varied, or restricted, that never was.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import flint
import sympy as sp

from simulators.chains import NamedChain
from theorems.checking.pointwise import holds
from theorems.expressions import arguments_of, compiled
from theorems.statement import Assumption
from theorems.workbench.declaring import Declaration
from theorems.workbench.domains import Domain
from theorems.workbench.parsing import ClaimError
from theorems.workbench.quantities import Quantity

__all__ = ["require_chain_parameters", "require_effects", "require_working_assumptions"]

_NAME = re.compile(r"[^\W\d]\w*")


def require_effects(
    declaration: Declaration,
    given: Mapping[str, Any],
    sides: Iterable[sp.Basic],
    written: Iterable[Any],
    taken: Iterable[str],
) -> None:
    """Raise :class:`ClaimError` for a symbol or a computed quantity that nothing depends on.

    ``given`` are the symbols with their domains as the author wrote them. ``sides`` are those of
    claim, event and assumptions, ``written`` the same as the author gave them (text, function or
    relation), where constants still have their names. ``taken`` are what the chain, or the object
    the claim is about, takes.
    """
    free = {str(s) for side in sides for s in side.free_symbols}
    named = _named(written)
    used = free | set(taken) | (named & set(declaration.constants))
    for computed in declaration.computed:
        if computed.name not in free:
            raise ClaimError(
                f"computed: {computed.name} has no effect, for neither claim nor "
                "assumptions depend on it; leave it out"
            )
        used |= set(computed.arguments)
    for domain in reversed(declaration.domains):  # ends name only what was declared before
        if domain.name in used:
            used |= {str(s) for s in domain.set.free_symbols} | _named([given.get(domain.name)])
    for name in given:
        if name not in used:
            cancels = " (it cancels)" * (name in named)
            raise ClaimError(
                f"{name}={str(given[name])[:60]!r} has no effect{cancels}: neither claim, event, "
                "assumptions, computed quantities, domains of other symbols nor the chain depend "
                "on it; leave it out, or use it"
            )


def _named(written: Iterable[Any]) -> set[str]:
    """Names that occur in text, or are parameters of a function."""
    found: set[str] = set()
    for one in written:
        if isinstance(one, str):
            found |= set(_NAME.findall(one))
        elif callable(one) and not isinstance(one, sp.Basic):
            found |= set(inspect.signature(one).parameters)
    return found


def require_chain_parameters(
    chain: NamedChain,
    domains: Iterable[Domain],
    width: int = 4,
) -> None:
    """Raise :class:`ClaimError` for a parameter at every corner of which the chain is the same."""
    ends = {
        x.name: x.corners({}) for x in domains if x.name in chain.numbers and not x.set.free_symbols
    }
    middle = {name: corners[len(corners) // 2] for name, corners in ends.items() if corners}
    if set(middle) != set(chain.numbers):
        return  # a parameter whose domain depends on others, or a fixed one
    for name, corners in ends.items():
        built = [chain(width, middle | {name: value}) for value in corners]
        if all(one == built[0] for one in built[1:]):
            raise ClaimError(
                f"{name} has no effect: the chain {chain.name} is the same at {name} "
                f"= {', '.join(map(str, corners))}; leave it out"
            )


def require_working_assumptions(
    assumptions: Sequence[Assumption],
    domains: Sequence[Domain],
    quantities: Mapping[sp.Symbol, Quantity],
) -> None:
    """Raise :class:`ClaimError` for an assumption that certainly holds on the domain, or twice.

    ``quantities`` are those that assumptions may name, by symbol: their ranges count as domains.
    """
    hulls = _hulls(domains, quantities)
    for number, assumption in enumerate(assumptions):
        if any(assumption.relation == other.relation for other in assumptions[:number]):
            raise ClaimError(f"the assumption {assumption.words} is given twice; leave one out")
        if _implied(assumption.relation, domains, hulls):
            raise ClaimError(
                f"the assumption {assumption.words} has no effect: it holds on the "
                "whole domain; leave it out"
            )


def _hulls(
    domains: Sequence[Domain],
    quantities: Mapping[sp.Symbol, Quantity],
) -> dict[str, flint.arb]:
    """Balls that certainly hold every value of a symbol, of those that are bounded."""
    found: dict[str, flint.arb] = {}
    for domain in domains:
        if {str(s) for s in domain.set.free_symbols} <= found.keys() and (
            ends := domain.hull(found)
        ) is not None:
            found[domain.name] = _between(*ends)
    names = {x.name for x in domains}
    for symbol, quantity in quantities.items():
        low, high = quantity.range_in(names)
        known = found.keys()
        if high is not None and {str(s) for s in low.free_symbols | high.free_symbols} <= known:
            found[str(symbol)] = _balls(low, found).union(_balls(high, found))
    return found


def _between(low: Fraction, high: Fraction) -> flint.arb:
    return flint.arb(flint.fmpq(low.numerator, low.denominator)).union(
        flint.arb(flint.fmpq(high.numerator, high.denominator))
    )


def _balls(expression: sp.Expr, values: Mapping[str, flint.arb]) -> flint.arb:
    names = arguments_of(expression)
    return compiled(expression, names).balls(*(values[str(s)] for s in names))


def _implied(
    relation: sp.core.relational.Relational,
    domains: Sequence[Domain],
    hulls: Mapping[str, flint.arb],
) -> bool:
    """Certainly true on the whole domain; False where that is open."""
    if _is_end(relation, domains):
        return True
    if _total(relation) and relation.func(relation.lhs, relation.rhs) == sp.true:
        return True  # by the signs that the domains give the symbols
    needed = {str(s) for side in (relation.lhs, relation.rhs) for s in arguments_of(side)}
    if not needed <= hulls.keys():
        return False
    left, right = (_balls(side, hulls) for side in (relation.lhs, relation.rhs))
    return left.is_finite() and right.is_finite() and holds(left, relation, right) is True


def _total(relation: sp.core.relational.Relational) -> bool:
    """Whether both sides have a value everywhere, so that it is not there to keep them defined."""
    plain = (sp.Symbol, sp.Rational, sp.Add, sp.Mul, sp.Abs, sp.Min, sp.Max)
    parts = [p for side in (relation.lhs, relation.rhs) for p in sp.preorder_traversal(side)]
    return all(
        isinstance(part, plain)
        or (isinstance(part, sp.Pow) and part.exp.is_Integer and part.exp > 0)
        for part in parts
    )


def _is_end(relation: sp.core.relational.Relational, domains: Sequence[Domain]) -> bool:
    """Whether a symbol is compared with an end of its own domain, or with a number beyond that."""
    for domain in domains:
        for symbol, end, operator in (
            (relation.lhs, relation.rhs, relation.rel_op),
            (relation.rhs, relation.lhs, relation.reversed.rel_op),
        ):
            if symbol != domain.symbol or operator not in ("<=", "<", ">=", ">"):
                continue
            upper, strict = operator in ("<=", "<"), operator in ("<", ">")
            own = domain.set.sup if upper else domain.set.inf
            opened = isinstance(domain.set, sp.Interval) and bool(
                domain.set.right_open if upper else domain.set.left_open
            )
            if own == end:
                return not strict or opened
            if own.is_Rational and end.is_Rational:
                return bool(own < end) if upper else bool(own > end)
    return False
