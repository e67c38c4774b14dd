"""A stated claim's whole domain, where it can be gone through: input by input, or box by box."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from typing import Any

import flint
import sympy as sp

from theorems.checking.covering import Cover, Region, cover
from theorems.context import Context
from theorems.statement import Assumption, Sentinel, Statement, Variable
from theorems.workbench.domains import Domain
from theorems.workbench.solving import LEAST, opened_claim
from theorems.workbench.spaces import Item, Space

__all__ = ["at_size", "choices", "covered", "covered_at", "every_item", "smaller_eigenvalues"]

#: A domain of more inputs than this is not gone through one by one.
_FEW = 1000
#: Boxes start from so many choices of the whole numbers at most, with so many real symbols each.
_CHOICES, _REALS = 200, 3


def every_item(space: Space) -> list[Item] | None:
    """All inputs of a finite domain; None if it is infinite, or has more than :data:`_FEW`."""
    if space.over != "parameters" or any(not x.whole or x.endless for x in space.domains):
        return None
    found: list[Item] = []
    for item in choices(space.domains):
        if len(found) == _FEW:
            return None
        found.append(item)
    return [x for x in found if space.contains(x)]


def covered(
    space: Space, statement: Statement, refutes: Callable[[Item], bool], context: Context
) -> Cover | None:
    """Branch and bound over the domain; None where it is not made of a few boxes. One search serves all who ask.

    Of the comparison alone: whether the sides have a value is a claim of its own (``Statement.definedness``).
    The witness is an item of the space. Spectra of two and three eigenvalues are boxes of all but the largest.
    """
    key = (
        "cover",
        statement.lhs,
        statement.relation,
        statement.rhs,
        statement.assumptions,
        space.domains,
    )
    if key not in context.memory:
        parts = _parts(space, statement)
        context.memory[key] = (
            None
            if parts is None
            else _together(
                [
                    cover(
                        part,
                        regions,
                        lambda values: refutes(_item(space, values)),
                        lambda: context.expired,
                    )
                    for part, regions in parts
                ],
                space,
            )
        )
    found: Cover | None = context.memory[key]
    return found


def _together(covers: list[Cover], space: Space) -> Cover:
    witness = next((c.witness for c in covers if c.witness is not None), None)
    share = sum(c.share for c in covers) / len(covers)
    return Cover(
        sum(c.settled for c in covers),
        sum(c.open for c in covers),
        share,
        None if witness is None else _item(space, witness),
        tuple(_item(space, values) for c in covers for values in c.touching),
    )


def _item(space: Space, values: Mapping[str, Any]) -> Item:
    found = {x.name: values[x.name] for x in space.domains}
    if space.over == "spectra":
        rest = [values[str(s)] for s in smaller_eigenvalues(int(values["n"]))]
        found["spectrum"] = (1 - sum(rest, Fraction(0)), *rest)
    return found


def choices(
    domains: tuple[Domain, ...], known: Mapping[str, Any] | None = None, first: int | None = None
) -> Iterator[dict[str, Any]]:
    """Every choice of whole numbers, in order; only the ``first`` of those that go on without end, if it is given."""
    known = known or {}
    if not domains:
        yield dict(known)
        return
    low, high = (int(e) for e in domains[0].ends(known))
    if first is not None and domains[0].endless:
        high = min(high, low + first - 1)
    for value in range(low, high + 1):
        yield from choices(domains[1:], {**known, domains[0].name: Fraction(value)}, first)


def _parts(space: Space, statement: Statement) -> list[tuple[Statement, list[Region]]] | None:
    """The claim in real symbols alone with its boxes, for each batch size if it is about spectra."""
    whole = tuple(x for x in space.domains if x.whole)
    if (
        statement.relation == "=="
        or any(x.endless for x in whole)
        or space.over not in ("parameters", "spectra")
    ):
        return None
    if space.over == "parameters":
        regions = _regions(space, choices(whole))
        return None if regions is None else [(replace(statement, defined=()), regions)]
    low, high = (int(e) for e in next(x for x in whole if x.name == "n").ends({}))
    found = []
    for size in range(low, high + 1):
        regions = (
            _regions(space, choices(whole), size) if size <= _REALS and not space.computed else None
        )
        part = None if regions is None else at_size(space, statement, size)
        if regions is None or part is None:
            return None
        found.append((part, regions))
    return found


def covered_at(
    space: Space,
    statement: Statement,
    known: Mapping[str, Any],
    refutes: Callable[[Item], bool],
    context: Context,
) -> Cover | None:
    """As :func:`covered`, at one choice of the whole numbers, of which there may be others without end."""
    size = int(known["n"]) if space.over == "spectra" else None
    whole = {name: Fraction(int(value)) for name, value in known.items()}
    regions = None if space.computed else _regions(space, [whole], size)
    part = replace(statement, defined=()) if size is None else at_size(space, statement, size)
    if statement.relation == "==" or regions is None or part is None:
        return None
    return _together(
        [
            cover(
                part, regions, lambda values: refutes(_item(space, values)), lambda: context.expired
            )
        ],
        space,
    )


def _regions(
    space: Space, listed: Iterable[Mapping[str, Any]], size: int | None = None
) -> list[Region] | None:
    """The boxes of the real symbols at each choice and, at a batch size, of all eigenvalues but the largest."""
    real, smaller = tuple(x for x in space.domains if not x.whole), smaller_eigenvalues(size or 1)
    moving = {x.name for x in real}
    if (
        not (real or size)
        or len(real) + len(smaller) > _REALS
        or any(set(c.arguments) & moving for c in space.computed)
        or any(str(s) in moving for x in real for s in x.set.free_symbols)
    ):
        return None
    names = (*(x.name for x in real), *map(str, smaller))
    found: list[Region] = []
    for choice in listed:
        if size is not None and choice["n"] != size:
            continue
        hulls = [x.hull(choice) for x in real]
        if len(found) == _CHOICES or None in hulls:
            return None
        ends = [h for h in hulls if h is not None] + [
            (Fraction(0), Fraction(1, k + 2)) for k in range(len(smaller))
        ]
        box = tuple(
            (flint.fmpq(a.numerator, a.denominator), flint.fmpq(b.numerator, b.denominator))
            for a, b in ends
        )
        if all(low <= high for low, high in box):
            found.append(
                Region({**choice} | {c.name: c.at(choice) for c in space.computed}, names, box)
            )
    return found


def smaller_eigenvalues(size: int) -> list[sp.Symbol]:
    """The eigenvalues after the largest, descending; no author can declare these names."""
    return [sp.Symbol(f"lambda[{k}]", nonnegative=True) for k in range(1, size)]


def at_size(space: Space, statement: Statement, size: int) -> Statement | None:
    """The claim about spectra of one size as one about the smaller eigenvalues; None where that cannot be written."""
    if (opened := opened_claim(space, statement)) is None:
        return None
    n = next(x.symbol for x in space.domains if x.name == "n")
    smaller = smaller_eigenvalues(size)
    spectrum = (sp.S.One - sum(smaller), *smaller)

    def at(side: sp.Expr) -> sp.Expr:
        plain = side.subs(n, size).doit()
        return plain.xreplace(
            {x: spectrum[int(x.indices[0])] for x in plain.atoms(sp.Indexed)}
        ).subs(LEAST, spectrum[-1])

    try:
        lhs, rhs = at(opened.lhs), at(opened.rhs)
        given = [
            replace(
                a, relation=a.relation.func(*map(at, a.relation.args), evaluate=False), defined=None
            )
            for a in opened.assumptions
        ]
    except (IndexError, TypeError):
        return None  # an eigenvalue that is not there at this size
    order = [
        Assumption(sp.Le(b, a, evaluate=False), "the eigenvalues descend")
        for a, b in pairwise(spectrum)
    ]
    variables = [v for v in opened.variables if not v.size]
    return replace(
        opened,
        lhs=lhs,
        rhs=rhs,
        assumptions=(*given, *order),
        definitions={},
        variables=(*variables, *(Variable(s, sp.Interval(0, 1), "eigenvalue") for s in smaller)),
        sentinel=Sentinel("none is needed", lhs=lhs + 1, rhs=rhs + 2),
    )
