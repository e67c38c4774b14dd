"""A stated claim decided exactly where one number varies, at every choice of the whole numbers.

What is left of a claim at one choice of its whole numbers (of the batch size, for spectra) is a claim in some real
numbers. In one it is decided on the real line; in two and three z3 may decide it (``solving``). An algebraic claim in
so few numbers that stays open is not for draws: they never meet the curves and points on which it may fail.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, TypeAlias

import sympy as sp

from theorems.algebraic import number, within
from theorems.checking.real_line import as_point, decide_on_line
from theorems.checking.smt import UntranslatableError, require_algebraic
from theorems.context import Context
from theorems.statement import Statement
from theorems.workbench.covers import at_size, choices, smaller_eigenvalues
from theorems.workbench.domains import Domain
from theorems.workbench.solving import Choice, chosen
from theorems.workbench.spaces import Item, Space

__all__ = ["Exactly", "on_lines"]

#: Choices of the whole numbers that are gone through at most, and of one that goes on without end.
_CHOICES, _FIRST = 200, 3
#: A claim in more numbers than this may be left to draws; in one less, if eigenvalues are among them.
_FEW = 3
Relation: TypeAlias = sp.core.relational.Relational


@dataclass(frozen=True)
class Exactly:
    """What came of it: the choices of whole numbers that were ``settled``, and those ``open`` though algebraic.

    ``whole``: no other choice is left. ``cells`` of real lines were decided; ``witness`` violates.
    """

    settled: frozenset[Choice] = frozenset()
    open: frozenset[Choice] = frozenset()
    whole: bool = False
    cells: int = 0
    witness: Item | None = None

    @property
    def complete(self) -> bool:
        return self.whole and not self.open and bool(self.settled)

    @property
    def words(self) -> str:
        at = (
            ""
            if len(self.settled) == 1
            else f", at each of {len(self.settled)} choices of whole numbers"
        )
        cells = f"{self.cells} cell{'s' * (self.cells != 1)}"
        return f"decided on the whole line, in {cells} where nothing changes sign{at}"


@dataclass(frozen=True)
class _Piece:
    """The claim at one choice of whole numbers, and the numbers that still vary."""

    known: Mapping[str, Any]
    claim: Relation
    given: tuple[Relation, ...]
    varying: tuple[sp.Symbol, ...]
    integers: bool = False


def on_lines(
    space: Space, statement: Statement, refutes: Callable[[Item], bool], context: Context
) -> Exactly:
    """Decide every piece in one number exactly, and count those in two and three. One run serves all who ask.

    ``refutes(item)`` decides a witness again, by the meaning that the space gives it.
    """
    key = (
        "lines",
        statement.lhs,
        statement.relation,
        statement.rhs,
        statement.assumptions,
        space.domains,
    )
    if key not in context.memory:
        context.memory[key] = _decided(space, statement, refutes, context)
    found: Exactly = context.memory[key]
    return found


def _decided(
    space: Space, statement: Statement, refutes: Callable[[Item], bool], context: Context
) -> Exactly:
    found = Exactly(whole=not any(x.endless for x in _listed(space)))
    for number_, piece in enumerate(_pieces(space, statement)):
        if piece is None or number_ == _CHOICES or not _is_algebraic(piece):
            found = replace(found, whole=False)
            if number_ == _CHOICES:
                break
            continue
        choice = chosen(piece.known)
        if context.expired or len(piece.varying) > 1:
            found = replace(found, open=found.open | {choice})
            continue
        x = piece.varying[0] if piece.varying else sp.Dummy("x", real=True)
        outcome = decide_on_line(piece.claim, piece.given, x, whole=piece.integers)
        point = outcome.undefined if outcome.witness is None else outcome.witness
        if point is not None and refutes(item := _item(space, piece, point)):
            return replace(found, witness=item)
        if outcome.holds or outcome.nothing:
            found = replace(
                found, settled=found.settled | {choice}, cells=found.cells + outcome.cells
            )
        else:
            found = replace(found, open=found.open | {choice})
    return found


def _item(space: Space, piece: _Piece, point: Any) -> Item:
    found = {**piece.known, **{str(s): point for s in piece.varying}}
    if space.over != "spectra":
        return found
    smaller = [found.pop(str(s)) for s in smaller_eigenvalues(int(found["n"]))]
    return {**found, "spectrum": (as_point(1 - sum(map(number, smaller))), *smaller)}


def _listed(space: Space) -> tuple[Domain, ...]:
    """The whole numbers that are chosen one by one: all, but for the last one where no real number varies."""
    whole = tuple(x for x in space.domains if x.whole)
    if space.over == "spectra" or len(whole) < len(space.domains):
        return whole
    kept = max(whole, key=lambda x: (x.endless, x.ends({})[1] - x.ends({})[0]))
    return tuple(x for x in whole if x is not kept)


def _pieces(space: Space, statement: Statement) -> Iterator[_Piece | None]:
    """The claim at each choice of whole numbers; None for one in more numbers than a few, or not to be written out."""
    if space.computed or space.over not in ("parameters", "spectra"):
        yield None
        return
    listed = _listed(space)
    rest = tuple(x for x in space.domains if x not in listed)
    for known in islice(choices(listed, first=_FIRST), _CHOICES + 1):
        size = int(known["n"]) if space.over == "spectra" else 1
        if len(rest) + size - 1 > (_FEW if size == 1 else _FEW - 1):
            yield None
            continue
        part = at_size(space, statement, size) if space.over == "spectra" else statement
        if part is None:
            yield None
            continue
        fixed = {x.symbol: sp.Integer(int(known[x.name])) for x in listed}
        relations = [
            r.func(r.lhs.subs(fixed), r.rhs.subs(fixed), evaluate=False)
            for r in (part.claim, *(a.relation for a in part.assumptions))
        ]
        places = [(x.symbol, x.set.subs(fixed)) for x in rest]
        places += [
            (s, sp.Interval(0, 1))
            for s in (smaller_eigenvalues(size) if space.over == "spectra" else ())
        ]
        given = [r for s, place in places for r in within(s, _interval(place))]
        yield _Piece(
            known,
            relations[0],
            (*given, *relations[1:]),
            tuple(s for s, _ in places),
            integers=len(places) == 1 and isinstance(places[0][1], sp.Range),
        )


def _interval(place: sp.Set) -> sp.Interval:
    return sp.Interval(place.inf, place.sup) if isinstance(place, sp.Range) else place


def _is_algebraic(piece: _Piece) -> bool:
    try:
        for relation in (piece.claim, *piece.given):
            for side in relation.args:
                require_algebraic(side)
    except UntranslatableError:
        return False
    return True
