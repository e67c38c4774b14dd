"""Claims that a computer-algebra identity settles for every parameter at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial

import sympy as sp

from theorems.checking.check import ExactCheck, Judgement
from theorems.checking.pointwise import decide
from theorems.context import Context
from theorems.evidence import Details, Verdict
from theorems.statement import Statement

__all__ = ["SymbolicIdentity", "SymbolicSign"]


Point = Mapping[str, Fraction | int]
Points = tuple[Point, ...]


@dataclass(frozen=True)
class Simplified(Details):
    """By what the difference of the sides was divided, and what was found of the neighbour's."""

    scale: str
    sentinel_found: str


@dataclass(frozen=True)
class Factorised(Details):
    """The factor and the terms, and the point at which the neighbour falls."""

    factor: str
    terms: tuple[str, ...]
    sentinel_witness: Mapping[str, str] | None


@dataclass(frozen=True)
class SymbolicIdentity(ExactCheck[None]):
    """``lhs == rhs`` for all parameters: (lhs - rhs) / ``scale`` simplifies to zero. ``scale`` is
    nonzero.

    A difference that does not simplify to zero refutes nothing: that takes one of ``points``, at
    which the sides certainly differ.
    """

    points: Points
    scale: sp.Expr = sp.S.One

    method = "symbolic"

    def words(self, statement: Statement) -> str:
        return (
            "computer algebra: the difference of the sides simplifies to zero, for all parameters "
            "at once"
        )

    def judge(self, claim: Statement, context: Context) -> Judgement[None]:
        """A point where the sides differ, or what their difference simplifies to.

        Raises ``ValueError`` for a claim that is no equality. Cost: SymPy's ``simplify``.
        """
        _require(claim, "==")
        # points first: simplifying what is not zero can take for ever
        if (point := _falls(claim, self.points)) is not None:
            return Judgement(Verdict.REFUTED, "the sides differ at " + _written(point), None)
        difference = sp.simplify((claim.lhs - claim.rhs).doit() / self.scale)
        if difference == 0:
            return Judgement(Verdict.CERTIFIED, "difference of the sides simplifies to 0", None)
        words = "the difference of the sides does not simplify to 0"
        return Judgement(Verdict.INCONCLUSIVE, words, None)

    def details(self, found: Judgement[None], fallen: Judgement[None]) -> Details:
        return Simplified(sp.sstr(self.scale), fallen.words)


@dataclass(frozen=True)
class SymbolicSign(ExactCheck[Point | None]):
    """``lhs >= rhs`` for all parameters: the difference is a positive ``factor`` times a sum of
    ``terms``.

    The factors of ``factor`` must be positive, and each term nonnegative, by SymPy's assumptions
    after ``substitution``, which encodes the domain, or a dense part of it if both sides are
    continuous: say n -> m + 1 with m positive. The factorisation itself is verified. The false
    neighbour, which has no such certificate, must fall in ball arithmetic at one of ``points``,
    where the claim must stand.
    """

    factor: sp.Expr
    terms: tuple[sp.Expr, ...]
    substitution: Mapping[sp.Symbol, sp.Expr]
    points: Points

    method = "symbolic"

    def words(self, statement: Statement) -> str:
        return (
            "computer algebra: the difference of the sides is a positive factor times a sum of "
            "nonnegative terms, for all parameters at once"
        )

    def judge(self, claim: Statement, context: Context) -> Judgement[Point | None]:
        """A point where the claim fails, or what its certificate is worth.

        Raises ``ValueError`` for a claim that is not ``>=``. Cost: SymPy's ``simplify``.
        """
        _require(claim, ">=")
        if (point := _falls(claim, self.points)) is not None:
            return Judgement(Verdict.REFUTED, "violated at " + _written(point), point)
        verdict, words = self._prove(claim)
        return Judgement(verdict, words, None)

    def details(self, found: Judgement[Point | None], fallen: Judgement[Point | None]) -> Details:
        witness = None
        if fallen.seen is not None:
            witness = {name: str(value) for name, value in fallen.seen.items()}
        return Factorised(sp.sstr(self.factor), tuple(map(sp.sstr, self.terms)), witness)

    def _prove(self, statement: Statement) -> tuple[Verdict, str]:
        difference = (statement.lhs - statement.rhs).doit()
        product = replace(
            statement, lhs=difference, rhs=self.factor * sum(self.terms), relation="=="
        )
        if (
            _falls(product, self.points) is not None
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


def _falls(statement: Statement, points: Points) -> Point | None:
    """The first point at which a claim is certainly false."""
    return next((p for p in points if decide(statement, partial(dict, p)).holds is False), None)


def _written(point: Point) -> str:
    return ", ".join(f"{name} = {value}" for name, value in point.items())
