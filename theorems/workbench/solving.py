"""What z3 says of a stated claim at given sizes, with the quantities written out in the eigenvalues."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from itertools import islice, product
from typing import Any

import sympy as sp

from theorems.statement import Assumption, Sentinel, Statement, Variable
from theorems.workbench.declaring import LAMBDA
from theorems.workbench.spaces import Item, Space

__all__ = ["LEAST", "opened_claim", "proposed", "proved"]

_WORK = 10_000_000  # for one question to z3, in its units: about a second
#: Of the sizes, the first so many are asked for a counterexample, and a domain of at most so many for a proof.
_ASKED, _PROVED = 3, 8

#: Internal symbols have names that no author can declare: they are no identifiers.
_index = sp.Symbol("place of lambda", integer=True)
LEAST = sp.Symbol("least of lambda", real=True)


def proposed(space: Space, statement: Statement) -> Iterator[Item | None]:
    """What z3 says of polynomial claims at the smallest sizes; nothing where it does not apply or is not installed.

    Of the comparison alone: whether the sides have a value is a claim of its own (``Statement.definedness``).
    """
    if (opened := opened_claim(space, statement)) is None:
        return
    whole = [x for x in space.domains if x.whole]
    choices = product(*[[(x.name, int(v)) for v in x.corners({})[:2]] for x in whole])
    for sizes in islice(choices, _ASKED):
        if (answer := _answer(opened, dict(sizes))) is None:
            return
        if answer.witness is None:
            yield None
        else:
            item = {k: _fractions(v) for k, v in answer.witness.items() if k != "lambda"}
            if "lambda" in answer.witness:
                item["spectrum"] = tuple(sorted(_fractions(answer.witness["lambda"]), reverse=True))
            yield item


def proved(space: Space, statement: Statement) -> str | None:
    """What z3 proved, in words: the claim at every one of its sizes, if they are few. None if it did not.

    It speaks of inputs at which every root and quotient is defined; that there are no others is another claim.
    """
    if space.computed or any(x.whole and x.endless for x in space.domains) or (
            opened := opened_claim(space, statement)) is None:
        return None
    whole = [x for x in space.domains if x.whole]
    ends = [[int(e) for e in x.ends({})] for x in whole]
    choices = [dict(zip([x.name for x in whole], c, strict=True))
               for c in islice(product(*[range(low, high + 1) for low, high in ends]), _PROVED + 1)]
    if not 0 < len(choices) <= _PROVED:
        return None
    solver = ""
    for sizes in choices:
        answer = _answer(opened, sizes)
        if answer is None or not answer.holds:
            return None
        solver = answer.solver
    return f"{solver}: the negation has no solution" + f", at each of {len(choices)} sizes" * bool(whole)


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
    if space.over != "spectra" or any(q.name not in _FORMULAS for q in space.measured):
        return None
    n = next(x.symbol for x in space.domains if x.name == "n")
    written = {q.symbol: _FORMULAS[q.name](n) for q in space.measured}
    present = {v.name for v in statement.variables}
    family = () if "lambda" in present else (Variable(LAMBDA, sp.Interval(0, 1), "eigenvalues", size=(n,)),)
    unit = Assumption(sp.Eq(sp.Sum(LAMBDA[_index], (_index, 0, n - 1)), 1), "the eigenvalues sum to 1")
    lhs, rhs = (side.subs(written) for side in (statement.lhs, statement.rhs))
    given = [replace(a, relation=a.relation.subs(written), defined=None) for a in statement.assumptions]
    return replace(
        statement, lhs=lhs, rhs=rhs, variables=(*statement.variables, *family), ceiling=None,
        assumptions=(*given, unit),
        definitions={LEAST: "min_i lambda[i]"}, defined=(),
        sentinel=Sentinel("none is needed", lhs=lhs + 1, rhs=rhs + 2))


_FORMULAS: dict[str, Any] = {
    "orthogonality_gap": lambda n: sp.sqrt(sp.Sum((LAMBDA[_index] - 1 / n) ** 2, (_index, 0, n - 1))),
    "effective_rank": lambda n: 1 / sp.Sum(LAMBDA[_index] ** 2, (_index, 0, n - 1)),
    "smallest_eigenvalue": lambda n: LEAST,
    "smallest_eigenvalue_gap": lambda n: 1 / n - LEAST,
}


def _fractions(value: Any) -> Any:
    return tuple(map(_fractions, value)) if isinstance(value, list | tuple) else Fraction(value)
