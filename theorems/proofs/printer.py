"""A pointwise statement as a Rocq proposition, over an ordered field of mathcomp or Coq's reals.

Variables become binders and their domains hypotheses, then come the definitions and the
assumptions, in the order of the statement. Everything is spelled out, so that what the text means
depends on mathcomp alone, or on Coq's ``Reals``. What has no faithful form there (expectations,
integrals, other functions) is refused with the reason.

Division and square root are total in mathcomp: 1/0 = 0, and the root of a negative number is 0. A
claim read from text carries the conditions under which its sides have a value; they are hypotheses
of what is printed. A statement without such says at a point where a side has none, if its domains
let one in, what mathcomp says.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import chain, product, starmap

import sympy as sp

from theorems.proofs.formulas import (
    REALS,
    Formulas,
    RealFormulas,
    UnprintableError,
    binder_names,
)
from theorems.statement import Quantifier, Statement, Variable

__all__ = ["UnprintableError", "beside", "proposition"]

#: The one definition in words that has a printed form.
_EXTREME = re.compile(r"(min|max)_i (\w+)\[i\]")


def proposition(statement: Statement, *, negated: bool = False, structure: str = "") -> str:
    """The statement as a closed Rocq proposition, several lines.

    - ``negated``: puts a ``~`` before it
    - ``structure``: the mathcomp structure of the field, by default ``rcfType`` where a root
      occurs, else ``realFieldType``; or ``R``, Coq's reals

    Raises `UnprintableError`, saying what has no printed form.

    Example:
        >>> from theorems.templates.pointwise import STATEMENT
        >>> print(proposition(STATEMENT).partition(",")[0])
        forall (R : realFieldType) (n : nat) (lambda : 'I_n -> R)
    """
    return _texts(statement, negated, structure, lambda given: [given])[0]


def beside(statement: Statement, *, negated: bool = False, structure: str = "") -> list[str]:
    """Propositions that differ from `proposition` in one hypothesis.

    They are no print of the statement: one hypothesis more, ``False`` or ``0 = 0``, stands before
    or behind the others, or one of them is ``False``. Arguments and errors are as there.
    """
    return _texts(statement, negated, structure, _changed)


def _changed(given: list[str]) -> list[list[str]]:
    ends = product(sorted({0, len(given)}), ("False", "(0 = 0 :> R)"))
    more = [[*given[:k], one, *given[k:]] for k, one in ends]
    return more + [[*given[:k], "False", *given[k + 1 :]] for k in range(len(given))]


def _texts(
    statement: Statement,
    negated: bool,
    structure: str,
    hypotheses: Callable[[list[str]], list[list[str]]],
) -> list[str]:
    """One text for each list of hypotheses that is made of the statement's own."""
    if statement.quantifier is not Quantifier.POINTWISE:
        raise UnprintableError(
            f"{statement.name}: claimed of {statement.quantifier.value}, which mathcomp has no "
            "library for; only pointwise statements are printed"
        )
    try:
        found = _Proposition(statement, RealFormulas if structure == REALS else Formulas)
        return [found.text(given, negated, structure) for given in hypotheses(found.hypotheses())]
    except UnprintableError as error:
        raise UnprintableError(f"{statement.name}: {error}") from None


class _Proposition:
    """The parts of one statement, printed once."""

    def __init__(self, statement: Statement, kind: type[Formulas] = Formulas) -> None:
        self.statement = statement
        used = self._used()
        self.definitions: Mapping[sp.Symbol | sp.IndexedBase, sp.Expr | str] = {
            name: meaning for name, meaning in statement.definitions.items() if str(name) in used
        }
        symbols = [*(v.symbol for v in statement.variables), *self.definitions]
        self.names = binder_names([str(symbol) for symbol in symbols])
        naturals = {
            str(v.symbol): int(v.domain.start)
            for v in statement.variables
            if isinstance(v.domain, sp.Range) and sp.sympify(v.domain.start).is_Integer
        }
        self.sizes = {v.name: v.size for v in statement.variables if v.size}
        families = (x for x in self.definitions if isinstance(x, sp.IndexedBase))
        self.sizes |= {str(name): tuple(name.shape) for name in families}
        self.indices = self._indexing()
        self.formulas = kind(self.names, naturals, self.sizes, self.indices)

    def _used(self) -> set[str]:
        """Symbols of the sides and assumptions, and of the definitions these need."""
        s = self.statement
        meanings = {str(name): meaning for name, meaning in s.definitions.items()}
        used: set[str] = set()
        pending = [s.lhs, s.rhs]
        pending += [a.relation for a in s.assumptions] + [c.relation for c in s.conditions_read]
        while pending:
            fresh = {str(x) for x in pending.pop().free_symbols} - used
            used |= fresh
            pending += [m for x in fresh if isinstance(m := meanings.get(x), sp.Basic)]
        return used

    def _indexing(self) -> dict[str, sp.Expr]:
        """Variables by which families are indexed, with what they run below."""
        s = self.statement
        sides = (s.lhs, s.rhs, *(a.relation for a in s.assumptions))
        members = set().union(*(side.atoms(sp.Indexed) for side in sides))
        whole = {v.name for v in s.variables if isinstance(v.domain, sp.Range)}
        places = (
            zip(map(str, x.indices), self.sizes.get(str(x.base.label), ()), strict=False)
            for x in sorted(members, key=str)
        )
        return {i: size for i, size in chain.from_iterable(places) if i in whole}

    def hypotheses(self) -> list[str]:
        """Domains, definitions and assumptions, in the order of the statement."""
        s = self.statement
        domains = map(self._domain, s.variables)
        definitions = starmap(self._definition, self.definitions.items())
        relations = (c.relation for c in s.conditions_read)
        return [
            *chain.from_iterable((*domains, *definitions)),
            *(self._assumption(a.relation, a.along) for a in s.assumptions),
            *(self.formulas.relation(r.rel_op, r.lhs, r.rhs) for r in relations),
        ]

    def text(self, hypotheses: Sequence[str], negated: bool, structure: str) -> str:
        """The proposition with these hypotheses."""
        s = self.statement
        claim = self.formulas.relation(s.relation, s.lhs, s.rhs)
        field = structure or ("rcfType" if self.formulas.roots else "realFieldType")
        binders = " ".join(
            [
                *(self._binder(v) for v in s.variables),
                *(self._family(str(x), self.sizes.get(str(x), ())) for x in self.definitions),
            ]
        )
        body = "".join(f"{line} ->\n  " for line in hypotheses) + claim
        if structure == REALS:
            return f"{'~ ' if negated else ''}(forall {binders},\n  {body})"
        if negated:
            inner = body.replace("\n", "\n  ")
            return f"forall R : {field},\n  ~ (forall {binders},\n    {inner})"
        return f"forall (R : {field}) {binders},\n  {body}"

    def _binder(self, variable: Variable) -> str:
        name = variable.name
        if name in self.indices:
            return f"({self.names[name]} : {self.formulas.ordinal(self.indices[name])})"
        if isinstance(variable.domain, sp.Range) and not variable.size:
            return f"({self.names[name]} : nat)"
        return self._family(name, variable.size)

    def _family(self, symbol: str, size: tuple[sp.Expr, ...]) -> str:
        arguments = "".join(f"{self.formulas.ordinal(x)} -> " for x in size)
        return f"({self.names[symbol]} : {arguments}R)"

    def _domain(self, variable: Variable) -> list[str]:
        name, domain = self.names[variable.name], variable.domain
        if isinstance(domain, sp.Range):
            if variable.size:
                raise UnprintableError(f"{variable.name} is a family of whole numbers")
            return self._whole(name, domain, self.indices.get(variable.name))
        if not isinstance(domain, sp.Interval):
            raise UnprintableError(f"{variable.name} ranges over {domain}")
        low, high = (
            "" if end in (sp.oo, -sp.oo) else self.formulas.real(end)
            for end in (domain.start, domain.end)
        )
        if not low and not high:
            return []
        indices = self.formulas.fresh_indices(len(variable.size))
        member = " ".join((name, *indices))
        after, before = (
            "<" if is_open else "<=" for is_open in (domain.left_open, domain.right_open)
        )
        lower = f"{low} {after} " if low else ""
        upper = f" {before} {high}" if high else ""
        if not indices:
            return [f"{lower}{member}{upper}"]
        bound = self.formulas.binders(indices, variable.size)
        return [f"(forall {bound}, {lower}{member}{upper})"]

    def _whole(self, name: str, domain: sp.Range, size: sp.Expr | None) -> list[str]:
        if (
            domain.step != 1
            or domain.start == -sp.oo
            or (domain.start.is_Integer and domain.start < 0)
        ):
            raise UnprintableError(
                f"{name} ranges over {domain}, not over natural numbers one by one"
            )
        found = []
        if domain.start != 0:
            found.append(f"({self.formulas.natural(domain.start)} <= {name})%N")
        if domain.stop not in (sp.oo, size):
            found.append(f"({name} < {self.formulas.natural(domain.stop)})%N")
        return found

    def _definition(self, symbol: sp.Symbol | sp.IndexedBase, meaning: sp.Expr | str) -> list[str]:
        name = self.names[str(symbol)]
        if isinstance(meaning, sp.Lambda):
            return [self.formulas.entries(str(symbol), meaning)]
        if isinstance(meaning, sp.Basic):
            return [f"{name} = {self.formulas.real(meaning)}"]
        extreme = _EXTREME.fullmatch(meaning)
        if extreme is None:
            raise UnprintableError(f"{symbol} is defined in words, {meaning!r}")
        which, family = extreme.groups()
        size = self.sizes.get(family, ())
        if len(size) != 1:
            raise UnprintableError(
                f"{symbol} is defined as {meaning!r}, and {family} is no family with one index"
            )
        index = self.formulas.fresh_indices(1)
        member = f"{self.names[family]} {index[0]}"
        low, high = (name, member) if which == "min" else (member, name)
        typed = self.formulas.binders(index, size)
        return [f"(forall {typed}, {low} <= {high})", f"(exists {typed}, {name} = {member})"]

    def _assumption(self, relation: sp.core.relational.Relational, along: str) -> str:
        if along != "input":
            raise UnprintableError(f"{relation} is assumed along a random path")
        if not isinstance(relation, sp.core.relational.Relational):
            raise UnprintableError(
                f"an assumption that SymPy takes for {relation}; give its relation evaluate=False"
            )
        return self.formulas.relation(relation.rel_op, relation.lhs, relation.rhs)
