"""Claims about every input, decided without rounding: exact rationals first, balls where roots occur.

Inputs are the corners given with the check, draws of a Hypothesis strategy, and the user's own batch. A
violation is shrunk by Hypothesis and decided again exactly before it is reported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import flint
import hypothesis
import sympy as sp
from hypothesis.strategies import SearchStrategy

from theorems.checking.context import Context
from theorems.expressions import InexactError, compiled

if TYPE_CHECKING:
    from theorems.statement import Statement
from theorems.statement import Evidence, Verdict

__all__ = ["Decision", "Pointwise", "decide"]

#: Balls are tried at these precisions (bits) before a question is left open.
PRECISIONS = (128, 256, 512, 1024, 2048, 4096)


@dataclass(frozen=True)
class Decision:
    """``holds`` is None when the enclosure stayed wider than the question."""

    holds: bool | None
    ratio: float | None = None  # lhs / rhs, for tightness


Values = Callable[[Any], Mapping[str, Any]]


def _arguments(expression: sp.Expr) -> tuple[Any, ...]:
    bases = expression.atoms(sp.IndexedBase)
    labels = {b.label for b in bases}
    free = {s for s in expression.free_symbols if isinstance(s, sp.Symbol) and s not in labels}
    return tuple(sorted(bases | free, key=str))


def _evaluate(expression: sp.Expr, values: Mapping[str, Any], exactly: bool) -> Any:
    arguments = _arguments(expression)
    function = compiled(expression, arguments)
    given = [values[str(a)] for a in arguments]
    return function.exact(*given) if exactly else function.balls(*given)


def _compare(left: Any, relation: str, right: Any) -> bool | None:
    """Certain truth or falsehood of a relation between balls; None when they overlap."""
    if relation in (">=", ">"):
        left, right, relation = right, left, {">=": "<=", ">": "<"}[relation]
    if relation == "<=":
        return True if left <= right else False if left > right else None
    if relation == "<":
        return True if left < right else False if left >= right else None
    return False if left != right else None  # equality of balls is never certain


def _equal_by_radicals(statement: Statement, values: Mapping[str, Any]) -> bool | None:
    """Equality of two expressions with square roots of rationals, decided by SymPy's exact radicals."""
    plain: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, flint.arb) or (not isinstance(value, int | Fraction | flint.fmpq)
                                            and any(isinstance(v, flint.arb) for v in value)):
            return None
        plain[name] = [_radical(v) for v in value] if not isinstance(value, int | Fraction | flint.fmpq) else (
            _radical(value))
    difference = statement.lhs - statement.rhs
    scalars = {s: plain[str(s)] for s in difference.free_symbols if str(s) in plain and not isinstance(
        plain[str(s)], list)}
    opened = difference.subs(scalars).doit()
    opened = opened.xreplace({x: plain[str(x.base)][int(x.indices[0])] for x in opened.atoms(sp.Indexed)})
    return bool(sp.expand(sp.nsimplify(opened)) == 0)


def _radical(value: Any) -> sp.Rational:
    q = flint.fmpq(value.numerator, value.denominator) if isinstance(value, Fraction) else flint.fmpq(value)
    return sp.Rational(int(q.p), int(q.q))


def decide(statement: Statement, values: Callable[[], Mapping[str, Any]], *, squares: bool = False) -> Decision:
    """Decide ``lhs relation rhs`` at one input, exactly.

    ``values()`` is called again at every working precision and returns integers, ``Fraction``, ``fmpq``,
    or ``arb`` enclosures, or sequences of them, by symbol name. With ``squares`` both sides are known to
    be nonnegative and are compared squared, which removes one layer of roots.
    """
    power = 2 if squares else 1
    lhs, rhs = statement.lhs**power, statement.rhs**power
    given = values()
    try:
        left, right = _evaluate(lhs, given, True), _evaluate(rhs, given, True)
    except (InexactError, TypeError):
        pass  # a root or a ball: leave exact arithmetic
    else:
        holds = {"<=": left <= right, "<": left < right, ">=": left >= right, ">": left > right,
                 "==": left == right}[statement.relation]
        return Decision(holds, _ratio(flint.arb(left), flint.arb(right), power))
    if statement.relation == "==" and (equal := _equal_by_radicals(statement, given)):
        return Decision(True, 1.0)
    difference, ratio = _difference(lhs, rhs), None
    for precision in PRECISIONS:
        with flint.ctx.workprec(precision):
            given = values()
            gap = _evaluate(difference, given, False)
            ratio = _ratio(_evaluate(lhs, given, False), _evaluate(rhs, given, False), power)
            if (certain := _compare(gap, statement.relation, flint.arb(0))) is not None:
                return Decision(certain, ratio)
    return Decision(None, ratio)


@lru_cache(maxsize=1024)
def _difference(lhs: sp.Expr, rhs: sp.Expr) -> sp.Expr:
    """lhs - rhs multiplied out, so that what is common to both sides (1/n, say) does not swamp what differs."""
    return sp.expand(lhs - rhs)


def _ratio(left: flint.arb, right: flint.arb, power: int) -> float | None:
    if not right > 0:
        return None
    value = float((left / right).mid())
    return value ** (1 / power) if value >= 0 else None


class _ViolationError(Exception):
    """Carries the input that violates a claim through Hypothesis, which shrinks it."""


@dataclass
class _Tally:
    decided: int = 0
    outside: int = 0
    open: list[Any] = field(default_factory=list)
    ratio: float | None = None
    worst: Any = None

    def add(self, item: Any, decision: Decision) -> None:
        self.decided += decision.holds is not None
        if decision.holds is None:
            self.open.append(item)
        if decision.ratio is not None and (self.ratio is None or decision.ratio > self.ratio):
            self.ratio, self.worst = decision.ratio, item


def readable(item: Any) -> Any:
    """An input as JSON: fractions as text, nested sequences as lists."""
    if isinstance(item, Fraction | flint.fmpq | flint.arb):
        return str(item)
    if isinstance(item, tuple | list):
        return [readable(v) for v in item]
    return item


@dataclass(frozen=True)
class Pointwise:
    """Exact decisions over corners, a Hypothesis strategy, and the user's batch.

    ``values(input)`` turns an input into numbers by symbol name, at the current ball precision.
    ``inputs()`` builds the strategy; ``corners`` are always tried; ``from_batch`` makes an input of the
    user's (d, n) array, or is None where a batch has nothing to say.
    """

    values: Values
    inputs: Callable[[], SearchStrategy[Any]]
    corners: Callable[[], Iterable[Any]] = tuple
    from_batch: Callable[[Any], Any] | None = None
    examples: int = 200
    squares: bool = False

    def __call__(self, statement: Statement, context: Context) -> Evidence:
        verdict, tally, witness = self._attack(statement, context)
        neighbour, _, counterexample = self._attack(statement.neighbour, context)
        details: dict[str, Any] = {"decided": tally.decided, "outside": tally.outside, "open": len(tally.open),
                                   "sentinel_witness": readable(counterexample)}
        if tally.worst is not None:
            details["tightest_at"] = readable(tally.worst)
        if witness is not None:
            details["witness"] = readable(witness)
        summary = f"{tally.decided} inputs decided exactly"
        if context.batch is not None and self.from_batch is not None:
            summary += ", the batch first"
        if witness is not None:
            summary = f"violated at {_short(witness)}"
        elif tally.open:
            summary += f", {len(tally.open)} left open"
        return Evidence(method="certificate" if witness is None else "search", verdict=verdict, summary=summary,
                        sentinel=neighbour, tightness=tally.ratio if verdict.holds else None,
                        power=0.0 if verdict.holds else None, details=details)

    def _attack(self, statement: Statement, context: Context) -> tuple[Verdict, _Tally, Any]:
        tally = _Tally()

        def examine(item: Any) -> None:
            if not self._admits(statement, item):
                tally.outside += 1
                return
            decision = decide(statement, lambda: self.values(item), squares=self.squares)
            tally.add(item, decision)
            if decision.holds is False:
                raise _ViolationError(item)

        try:
            fixed = list(self.corners())
            if context.batch is not None and self.from_batch is not None:
                fixed.insert(0, self.from_batch(context.batch.array))
            for item in fixed:
                examine(item)
            self._search(examine, context)
        except _ViolationError as violation:
            return Verdict.REFUTED, tally, violation.args[0]
        if tally.open:
            return Verdict.INCONCLUSIVE, tally, None
        return (Verdict.CERTIFIED if tally.decided else Verdict.OUTSIDE), tally, None

    def _search(self, examine: Callable[[Any], None], context: Context) -> None:
        quiet = hypothesis.settings(
            max_examples=self.examples, database=None, deadline=None, derandomize=False, print_blob=False,
            report_multiple_bugs=False, suppress_health_check=list(hypothesis.HealthCheck),
            phases=(hypothesis.Phase.generate, hypothesis.Phase.shrink),
        )
        hypothesis.seed(context.seed)(quiet(hypothesis.given(self.inputs())(examine)))()

    def _admits(self, statement: Statement, item: Any) -> bool:
        given = self.values(item)
        for assumption in statement.assumptions:
            relation = assumption.relation
            try:
                left, right = (_evaluate(side, given, True) for side in (relation.lhs, relation.rhs))
            except (InexactError, TypeError):
                left, right = (_evaluate(side, given, False) for side in (relation.lhs, relation.rhs))
            if not _holds(left, relation, right):
                return False
        return True


def _holds(left: Any, relation: sp.core.relational.Relational, right: Any) -> bool:
    if isinstance(relation, sp.Ne):
        return bool(left != right)
    if isinstance(relation, sp.Eq):
        return bool(left == right)
    symbol = {sp.Ge: ">=", sp.Gt: ">", sp.Le: "<=", sp.Lt: "<"}[type(relation)]
    return _compare(left, symbol, right) is True


def _short(item: Any, limit: int = 80) -> str:
    text = str(readable(item)).replace("'", "")
    return text if len(text) <= limit else text[: limit - 1] + "…"
