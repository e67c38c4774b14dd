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


@dataclass(frozen=True)
class SymbolicIdentity:
    """``lhs == rhs`` for all parameters: (lhs - rhs) / ``scale`` simplifies to zero. ``scale`` is nonzero."""

    scale: sp.Expr = sp.S.One

    def __call__(self, statement: Statement, context: Context) -> Evidence:
        residue = self._residue(statement)
        neighbour = self._residue(statement.neighbour)
        holds = residue == 0
        return Evidence(
            method="symbolic", verdict=Verdict.CERTIFIED if holds else Verdict.REFUTED,
            summary="difference of the sides simplifies to 0" if holds else f"sides differ by {sp.sstr(residue)}",
            sentinel=Verdict.REFUTED if neighbour != 0 else Verdict.CERTIFIED,
            power=0.0 if holds else None,
            details={"residue": sp.sstr(residue), "scale": sp.sstr(self.scale)},
        )

    def _residue(self, statement: Statement) -> sp.Expr:
        return sp.factor(sp.simplify((statement.lhs - statement.rhs).doit() / self.scale))


@dataclass(frozen=True)
class SymbolicSign:
    """``lhs >= rhs`` for all parameters: the difference is a positive ``factor`` times a sum of ``terms``.

    Each term must be nonnegative by SymPy's assumptions after ``substitution`` (which encodes the domain,
    say n -> m + 1 with m positive), and the factorisation itself is verified. The false neighbour, which
    has no such certificate, must fall in ball arithmetic at one of ``points``, where the claim must stand.
    """

    factor: sp.Expr
    terms: tuple[sp.Expr, ...]
    substitution: Mapping[sp.Symbol, sp.Expr]
    points: tuple[Mapping[str, Fraction | int], ...]

    def __call__(self, statement: Statement, context: Context) -> Evidence:
        verdict, summary = self._prove(statement)
        if verdict is Verdict.CERTIFIED and not all(self._at(statement, p) for p in self.points):
            verdict, summary = Verdict.REFUTED, "a point contradicts the factorisation"
        fallen = [p for p in self.points if self._at(statement.neighbour, p) is False]
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
        for term in self.terms:
            if not sp.factor(term.subs(self.substitution)).is_nonnegative:
                return Verdict.INCONCLUSIVE, f"the sign of {sp.sstr(term)} is open"
        return Verdict.CERTIFIED, "a positive factor times " + " + ".join(f"({sp.sstr(t)})" for t in self.terms)

    @staticmethod
    def _at(statement: Statement, point: Mapping[str, Fraction | int]) -> bool | None:
        return decide(statement, lambda: point).holds
