"""What z3 says of a stated claim at given sizes, with the quantities written out in the
eigenvalues.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cmp_to_key
from itertools import islice, product
from typing import Any

import sympy as sp

from theorems.algebraic import Root, order
from theorems.statement import Assumption, Sentinel, Statement, Variable
from theorems.workbench.exact_values import INDEX, LAMBDA, LEAST
from theorems.workbench.spaces import Item, Space

__all__ = ["LEAST", "Choice", "Solved", "chosen", "opened_claim", "proposed", "solved"]

_WORK = 1_000_000  # for one question to z3, in its units: about a second
#: Of the sizes, the first so many are asked for a counterexample, and a domain of at most so many
#: for a proof.
_ASKED, _PROVED = 3, 8
#: After so many questions that it gave up on, no more are asked: larger sizes would cost as much.
_GIVEN_UP = 1

Choice = tuple[tuple[str, int], ...]


def chosen(sizes: Mapping[str, Any]) -> Choice:
    """A choice of whole numbers by name, to be looked up."""
    return tuple(sorted((name, int(size)) for name, size in sizes.items()))


def proposed(space: Space, statement: Statement) -> Iterator[Item | None]:
    """What z3 says of polynomial claims at the smallest sizes; nothing where it does not apply or
    is not installed.

    Of the comparison alone: whether the sides have a value is a claim of its own
    (``Statement.definedness``).
    """
    if (opened := opened_claim(space, statement)) is None:
        return
    whole = [x for x in space.domains if x.whole]
    choices = product(*[[(x.name, int(v)) for v in x.corners({})[:2]] for x in whole])
    for sizes in islice(choices, _ASKED):
        if (answer := _answer(opened, dict(sizes))) is None:
            return
        yield None if answer.witness is None else _item(answer.witness)


def _item(witness: Mapping[str, Any]) -> Item:
    item = {k: _numbers(v) for k, v in witness.items() if k != "lambda"}
    if "lambda" in witness:
        item["spectrum"] = tuple(
            sorted(_numbers(witness["lambda"]), key=cmp_to_key(order), reverse=True)
        )
    return item


@dataclass(frozen=True)
class Solved:
    """What z3 made of a claim: ``words`` if it proved all of it, an input that violates, how many
    choices it settled.

    ``settled`` are choices of whole numbers at which the claim is proved.
    """

    words: str | None = None
    witness: Item | None = None
    settled: frozenset[Choice] = frozenset()


def solved(
    space: Space,
    statement: Statement,
    refutes: Callable[[Item], bool],
    known: frozenset[Choice] = frozenset(),
    stop: Callable[[], bool] = lambda: False,
) -> Solved:
    """Ask z3 at every choice of whole numbers, but those ``known`` to be settled, if they are few.

    Where they are many, or go on without end, the first are asked for inputs that violate. A proof
    speaks of inputs at which every root and quotient is defined; that there are no others is
    another claim. ``refutes(item)`` decides an input again.
    """
    if space.computed or (opened := opened_claim(space, statement)) is None:
        return Solved()
    whole = [x for x in space.domains if x.whole]
    ends = [[int(e) for e in x.ends({})] for x in whole]
    choices = [
        dict(zip([x.name for x in whole], c, strict=True))
        for c in islice(product(*[range(low, high + 1) for low, high in ends]), _PROVED + 1)
    ]
    all_of_them = len(choices) <= _PROVED and not any(x.endless for x in whole)
    solver, settled, given_up = "", set(known), 0
    for sizes in choices[: _PROVED if all_of_them else _ASKED]:
        if chosen(sizes) in known:
            continue
        if stop() or given_up == _GIVEN_UP or (answer := _answer(opened, sizes)) is None:
            break
        if answer.witness is not None and refutes(item := _item(answer.witness)):
            return Solved(None, item, frozenset(settled))
        solver, given_up = answer.solver, given_up + (answer.holds is None)
        if answer.holds:
            settled.add(chosen(sizes))
    if not (solver and all_of_them and {chosen(c) for c in choices} <= settled):
        return Solved(settled=frozenset(settled))
    return Solved(
        f"{solver}: the negation has no solution"
        + f", at each of {len(choices)} sizes" * bool(whole),
        None,
        frozenset(settled),
    )


def _answer(opened: Statement, sizes: Mapping[str, int]) -> Any:
    from theorems.checking.smt import MissingSolverError, UntranslatableError, ask

    try:
        return ask(opened, sizes, work=_WORK)
    except (MissingSolverError, UntranslatableError, ValueError):
        return None


def opened_claim(space: Space, statement: Statement) -> Statement | None:
    """The comparison about its variables alone, quantities written out in the eigenvalues."""
    if space.over == "parameters":
        return replace(statement, defined=())
    if space.over != "spectra":
        return None
    n = next(x.symbol for x in space.domains if x.name == "n")
    written = {q.symbol: q.in_eigenvalues(n) for q in space.measured}
    if None in written.values():
        return None
    present = {v.name for v in statement.variables}
    family = (
        ()
        if "lambda" in present
        else (Variable(LAMBDA, sp.Interval(0, 1), "eigenvalues", size=(n,)),)
    )
    unit = Assumption(
        sp.Eq(sp.Sum(LAMBDA[INDEX], (INDEX, 0, n - 1)), 1), "the eigenvalues sum to 1"
    )
    lhs, rhs = (side.subs(written) for side in (statement.lhs, statement.rhs))
    given = [
        replace(a, relation=a.relation.subs(written), defined=None) for a in statement.assumptions
    ]
    return replace(
        statement,
        lhs=lhs,
        rhs=rhs,
        variables=(*statement.variables, *family),
        ceiling=None,
        assumptions=(*given, unit),
        definitions={LEAST: "min_i lambda[i]"},
        defined=(),
        sentinel=Sentinel("none is needed", lhs=lhs + 1, rhs=rhs + 2),
    )


def _numbers(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return tuple(map(_numbers, value))
    return value if isinstance(value, Root) else Fraction(value)
