"""Claims that a computer-algebra identity settles for every parameter at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import sympy as sp

from theorems.checking.context import Context
from theorems.checking.pointwise import decide
from theorems.statement import Evidence, Verdict

if TYPE_CHECKING:
    from theorems.statement import Statement

__all__ = ["SymbolicIdentity", "SymbolicSign"]


Points = tuple[Mapping[str, Fraction | int], ...]


@dataclass(frozen=True)
class SymbolicIdentity:
    """``lhs == rhs`` for all parameters: (lhs - rhs) / ``scale`` simplifies to zero. ``scale`` is nonzero.

    A difference that does not simplify to zero refutes nothing: that takes one of ``points``, at which the
    sides certainly differ.
    """

    points: Points
    scale: sp.Expr = sp.S.One

    def __call__(self, statement: Statement, context: Context) -> Evidence:
        _require(statement, "==")
        residue = self._residue(statement)
        verdict, summary = self._judge(statement, residue), "difference of the sides simplifies to 0"
        if verdict is not Verdict.CERTIFIED:
            summary = f"sides differ by {sp.sstr(residue)}"
        return Evidence(
            method="symbolic", verdict=verdict, summary=summary,
            sentinel=self._judge(statement.neighbour, self._residue(statement.neighbour)),
            power=0.0 if verdict.holds else None,
            details={"residue": sp.sstr(residue), "scale": sp.sstr(self.scale)},
        )

    def _judge(self, statement: Statement, residue: sp.Expr) -> Verdict:
        if residue == 0:
            return Verdict.CERTIFIED
        fallen = any(_at(statement, point) is False for point in self.points)
        return Verdict.REFUTED if fallen else Verdict.INCONCLUSIVE

    def _residue(self, statement: Statement) -> sp.Expr:
        return sp.factor(sp.simplify((statement.lhs - statement.rhs).doit() / self.scale))


@dataclass(frozen=True)
class SymbolicSign:
    """``lhs >= rhs`` for all parameters: the difference is a positive ``factor`` times a sum of ``terms``.

    The factors of ``factor`` must be positive, and each term nonnegative, by SymPy's assumptions after
    ``substitution``, which encodes the domain, or a dense part of it if both sides are continuous: say
    n -> m + 1 with m positive. The factorisation itself is verified. The false neighbour, which has no such
    certificate, must fall in ball arithmetic at one of ``points``, where the claim must stand.
    """

    factor: sp.Expr
    terms: tuple[sp.Expr, ...]
    substitution: Mapping[sp.Symbol, sp.Expr]
    points: Points

    def __call__(self, statement: Statement, context: Context) -> Evidence:
        _require(statement, ">=")
        verdict, summary = self._prove(statement)
        if any(_at(statement, p) is False for p in self.points):
            verdict, summary = Verdict.REFUTED, "a point contradicts the claim"
        fallen = [p for p in self.points if _at(statement.neighbour, p) is False]
        return Evidence(
            method="symbolic", verdict=verdict, summary=summary, power=0.0 if verdict.holds else None,
            sentinel=Verdict.REFUTED if fallen else Verdict.INCONCLUSIVE,
            details={"factor": sp.sstr(self.factor), "terms": [sp.sstr(t) for t in self.terms],
                     "sentinel_witness": {k: str(v) for k, v in fallen[0].items()} if fallen else None},
        )

    def _prove(self, statement: Statement) -> tuple[Verdict, str]:
        difference = (statement.lhs - statement.rhs).doit()
        if sp.simplify(difference / self.factor - sum(self.terms)) != 0:
            return Verdict.INCONCLUSIVE, "the terms do not add up to the difference of the sides"
        for part in sp.Mul.make_args(self.factor):
            if not sp.factor(part.as_base_exp()[0].subs(self.substitution)).is_positive:
                return Verdict.INCONCLUSIVE, f"the factor {sp.sstr(part)} may not be positive"
        for term in self.terms:
            if not sp.factor(term.subs(self.substitution)).is_nonnegative:
                return Verdict.INCONCLUSIVE, f"the sign of {sp.sstr(term)} is open"
        return Verdict.CERTIFIED, "a positive factor times " + " + ".join(f"({sp.sstr(t)})" for t in self.terms)


def _require(statement: Statement, relation: str) -> None:
    if statement.relation != relation:
        raise ValueError(f"{statement.name}: this check certifies {relation!r}, not {statement.relation!r}")


def _at(statement: Statement, point: Mapping[str, Fraction | int]) -> bool | None:
    return decide(statement, lambda: point).holds
