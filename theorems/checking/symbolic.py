"""Claims that a computer-algebra identity settles for every parameter at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

import sympy as sp

from theorems.checking.pointwise import decide
from theorems.context import Context
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

    @property
    def takes_batch(self) -> bool:
        """Whether a user's batch has a part in it."""
        return False

    def words(self, statement: Statement) -> str:
        return (
            "computer algebra: the difference of the sides simplifies to zero, for all parameters at "
            "once"
        )

    def __call__(self, statement: Statement, context: Context) -> Evidence:
        _require(statement, "==")
        verdict, summary = self._judge(statement)
        sentinel, difference = self._judge(statement.neighbour)
        return Evidence(
            method="symbolic",
            verdict=verdict,
            summary=summary,
            sentinel=sentinel,
            power=0.0 if verdict.holds else None,
            details={"scale": sp.sstr(self.scale), "sentinel_found": difference},
        )

    def _judge(self, statement: Statement) -> tuple[Verdict, str]:
        # points first: simplifying what is not zero can take for ever
        for point in self.points:
            if _at(statement, point) is False:
                return Verdict.REFUTED, "the sides differ at " + _written(point)
        if sp.simplify((statement.lhs - statement.rhs).doit() / self.scale) == 0:
            return Verdict.CERTIFIED, "difference of the sides simplifies to 0"
        return Verdict.INCONCLUSIVE, "the difference of the sides does not simplify to 0"


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

    @property
    def takes_batch(self) -> bool:
        """Whether a user's batch has a part in it."""
        return False

    def words(self, statement: Statement) -> str:
        return (
            "computer algebra: the difference of the sides is a positive factor times a sum of "
            "nonnegative terms, for all parameters at once"
        )

    def __call__(self, statement: Statement, context: Context) -> Evidence:
        _require(statement, ">=")
        fallen = [p for p in self.points if _at(statement, p) is False]
        if fallen:
            verdict, summary = Verdict.REFUTED, "violated at " + _written(fallen[0])
        else:
            verdict, summary = self._prove(statement)
        fallen = [p for p in self.points if _at(statement.neighbour, p) is False]
        return Evidence(
            method="symbolic",
            verdict=verdict,
            summary=summary,
            power=0.0 if verdict.holds else None,
            sentinel=Verdict.REFUTED if fallen else Verdict.INCONCLUSIVE,
            details={
                "factor": sp.sstr(self.factor),
                "terms": [sp.sstr(t) for t in self.terms],
                "sentinel_witness": {k: str(v) for k, v in fallen[0].items()} if fallen else None,
            },
        )

    def _prove(self, statement: Statement) -> tuple[Verdict, str]:
        difference = (statement.lhs - statement.rhs).doit()
        product = replace(
            statement, lhs=difference, rhs=self.factor * sum(self.terms), relation="=="
        )
        if (
            any(_at(product, p) is False for p in self.points)
            or sp.simplify(difference / self.factor - sum(self.terms)) != 0
        ):
            return Verdict.INCONCLUSIVE, "the terms do not add up to the difference of the sides"
        for part in sp.Mul.make_args(self.factor):
            if not sp.factor(part.as_base_exp()[0].subs(self.substitution)).is_positive:
                return Verdict.INCONCLUSIVE, f"the factor {sp.sstr(part)} may not be positive"
        for term in self.terms:
            if not sp.factor(term.subs(self.substitution)).is_nonnegative:
                return Verdict.INCONCLUSIVE, f"the sign of {sp.sstr(term)} is open"
        return (
            Verdict.CERTIFIED,
            f"a positive factor times a sum of {len(self.terms)} nonnegative terms",
        )


def _require(statement: Statement, relation: str) -> None:
    if statement.relation != relation:
        raise ValueError(
            f"{statement.name}: this check certifies {relation!r}, not {statement.relation!r}"
        )


def _at(statement: Statement, point: Mapping[str, Fraction | int]) -> bool | None:
    return decide(statement, lambda: point).holds


def _written(point: Mapping[str, Fraction | int]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in point.items())
