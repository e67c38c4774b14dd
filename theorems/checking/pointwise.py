"""Claims about every input, decided without rounding: exact rationals first, balls where roots
occur.

Inputs are the corners given with the check, draws of a Hypothesis strategy, the product of the
domains that the statement declares, and the user's own batch. A violation is shrunk by Hypothesis
and decided again exactly before it is reported.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import flint
import numpy as np
import sympy as sp

from simulators.arrays import Floats
from theorems.algebraic import Root, number, sign
from theorems.checking.check import CheckBase
from theorems.checking.declared import (
    Declared,
    DeclaredInputs,
    determined,
    exact_values,
    require_inside,
)
from theorems.checking.hypothesis_search import search
from theorems.checking.symbol_values import (
    Completed,
    Nested,
    Number,
    Values,
    changed,
    entry_of,
    evaluate,
)
from theorems.context import Context
from theorems.definedness import Condition
from theorems.evidence import Details, Evidence, Verdict, combine, typed
from theorems.expressions import InexactError, UndefinedError, arguments_of, compare
from theorems.minibatch_averages import Average
from theorems.number_systems import ORDER
from theorems.statement import Statement

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

__all__ = [
    "Decision",
    "Pointwise",
    "admit",
    "admitted",
    "compare",
    "decide",
    "exact_sign",
    "fault",
    "holds",
    "readable",
    "refutes",
    "short",
    "undefined",
]

Item = TypeVar("Item")

#: Balls are tried at these precisions (bits) before a question is left open.
PRECISIONS = (128, 256, 512, 1024, 2048, 4096)
#: After so many of them, algebraic numbers are compared exactly.
_BALLS_FIRST = 2
#: Whole-numbered variables (sizes) above this are refused: arithmetic with them could take for
#: ever.
_LARGEST_SIZE = 10**6
#: So are families defined entry by entry with more entries, each of which may be a sum over all.
_LARGEST_FAMILY = 1000
#: So are averages over more draws.
_MOST_DRAWS = 10**5
#: To how much of itself, or of 1, a ratio of sides has to be known to be told.
_RATIO_TO = 1e-3


@dataclass(frozen=True)
class Decision:
    """``holds`` is None when the enclosure stayed wider than the question.

    It is False where a side has no value, and then ``undefined`` is the condition that fails.
    """

    holds: bool | None
    ratio: float | None = (
        None  # measured / bound, or bound / measured for a lower bound: 1 is the tight end
    )
    undefined: Condition | None = None


def exact_sign(lhs: sp.Expr, rhs: sp.Expr, values: Completed) -> int | None:
    """The sign of lhs - rhs at exact values, if it is algebraic; 0 too if it cancels term by term;
    else None.

    Terms are compared with symbols for the numbers, and, where those are small, with the numbers
    themselves.

    Args:
        lhs: one side of a comparison.
        rhs: the other.
        values: of every symbol, by name, completed by the definitions.
    """
    held = _Held(values)
    left, right = held.opened(lhs), held.opened(rhs)
    if left is None or right is None:
        return None
    difference = left - right
    try:
        if (
            sign(left, held.numbers) is not None
            and sign(right, held.numbers) is not None
            and (found := sign(difference, held.numbers)) is not None
        ):
            return found
    except UndefinedError:
        return None
    return 0 if _cancels(difference) or _cancels(held.plain(difference)) else None


def _cancels(difference: sp.Expr | None) -> bool:
    """Whether an expression is 0 term by term once multiplied out."""
    return (
        difference is not None
        and _terms(difference) <= _MOST_TERMS
        and bool(sp.expand(difference) == 0)
    )


class _Held:
    """Expressions with symbols for their numbers, so that SymPy computes with none of them: it
    would factor them.

    ``values`` are exact; what they define is opened to its definition where it is irrational.
    ``numbers`` are the symbols' values.
    """

    def __init__(self, values: Completed) -> None:
        self.values = values
        self.numbers: dict[sp.Symbol, sp.Expr] = {}
        self._symbols: dict[sp.Expr, sp.Symbol] = {}

    def opened(self, e: sp.Expr) -> sp.Expr | None:
        """Without the statement's symbols; None where a value is a ball, or a sum stays closed."""
        given: dict[str, Nested] = {}
        opened: dict[sp.Symbol | sp.IndexedBase, sp.Expr] = {}
        pending = list(arguments_of(e))
        while pending:
            symbol = pending.pop()
            name = str(symbol)
            if name in given or symbol in opened:
                continue
            try:
                given[name] = self._held(self.values[name])
            except InexactError:
                opened[symbol] = self.values.meaning(name)
                pending += arguments_of(opened[symbol])
            except TypeError:  # a ball
                return None
        whole = {k: v for k, v in given.items() if isinstance(v, sp.Integer)}
        plain = _unrolled(e, tuple(sorted(whole.items())), tuple(opened.items()))
        if plain is None:
            return None
        entries = {
            s: given[str(s)] for s in plain.free_symbols if isinstance(given.get(str(s)), sp.Expr)
        }
        for x in plain.atoms(sp.Indexed):
            entries[x] = entry_of(given[str(x.base)], x.indices)
        return plain.xreplace(entries)

    def plain(self, e: sp.Expr) -> sp.Expr | None:
        """With the numbers themselves, where SymPy can afford to factor them; else None."""
        numbers = self.numbers.values()
        if all(x.is_Rational and max(abs(x.p), x.q) < _AFFORDABLE for x in numbers):
            return e.xreplace(self.numbers)
        return None

    def _held(self, value: Nested) -> Nested:
        """A number as a symbol, but for small whole ones, which sums and places need; nested as it
        came.
        """
        if isinstance(value, list | tuple):
            return [self._held(v) for v in value]
        exact = number(value)
        if exact.is_Integer and abs(exact) < _SMALL:
            return exact
        if exact not in self._symbols:
            symbol = sp.Dummy(real=True)
            if isinstance(exact, sp.Rational | Root):
                symbol = sp.Dummy(positive=True) if exact > 0 else sp.Dummy(negative=True)
            self._symbols[exact], self.numbers[symbol] = symbol, exact
        return self._symbols[exact]


def _is_placed(entry: sp.Indexed) -> bool:
    return all(index.is_Integer for index in entry.indices)


@lru_cache(maxsize=1024)
def _unrolled(
    e: sp.Expr,
    whole: tuple[tuple[str, sp.Integer], ...],
    opened: tuple[tuple[sp.Symbol | sp.IndexedBase, sp.Expr], ...],
) -> sp.Expr | None:
    """An expression with its small whole numbers, without the symbols and families that are opened
    to their definitions, and with every sum written out; None where SymPy leaves one closed.
    """
    given: dict[str, sp.Expr] = dict(whole)
    families = {str(s): meaning for s, meaning in opened if isinstance(meaning, sp.Lambda)}
    given |= {str(s): meaning for s, meaning in opened if str(s) not in families}
    while True:
        scalars = {s: given[str(s)] for s in e.free_symbols if str(s) in given}
        e = e.subs(scalars).doit()
        members = e.atoms(sp.Indexed)
        entries = {x: families[str(x.base)](*x.indices) for x in members if str(x.base) in families}
        if not all(_is_placed(x) for x in members - entries.keys()):
            return None
        if not entries and not scalars:
            return e
        e = e.xreplace(entries)


#: Whole numbers below the first are factored at once, roots of those below the second in no time.
_SMALL, _AFFORDABLE = 10**6, 10**15


def decide(
    statement: Statement, values: Callable[[], Values], *, squares: bool = False
) -> Decision:
    """Decide ``lhs relation rhs`` at one input, exactly: false where a side has no value, before
    any simplification.

    ``values()`` is called again at every working precision and returns integers, ``Fraction``,
    ``fmpq``, ``arb`` enclosures or exact SymPy radicals, or sequences of them, by symbol name. With
    ``squares`` the sides are compared squared, which removes one layer of roots, wherever both are
    certainly nonnegative (for an equality: or both certainly not positive).

    Example:
        >>> from theorems.templates.pointwise import STATEMENT
        >>> spectrum = {"n": 2, "lambda": (Fraction(1, 2), Fraction(1, 2))}
        >>> [decide(s, lambda: spectrum).holds for s in (STATEMENT, STATEMENT.neighbour)]
        [True, False]
    """
    missing, known = undefined(statement, values)
    if missing is not None:
        return Decision(False, undefined=missing)
    found = _compared(statement, values, squares)
    return found if known or not found.holds else Decision(None, found.ratio)


def undefined(statement: Statement, values: Callable[[], Values]) -> tuple[Condition | None, bool]:
    """The first condition that certainly fails at one input, or None, and whether that is known for
    certain.

    Args:
        statement: the claim, whose sides' conditions are looked at in order.
        values: as `decide` takes them.
    """
    for condition in statement.conditions:
        if (met := _truth(statement, condition.relation, values)) is not True:
            return (
                condition if met is False else None
            ), met is False  # what builds on it is not asked
    return None, True


def _truth(
    statement: Statement,
    relation: sp.core.relational.Relational,
    values: Callable[[], Values],
) -> bool | None:
    """Whether a relation holds at one input; None if the finest enclosure leaves that open."""
    exact = Completed(values(), statement.definitions, True)
    try:
        return holds(
            evaluate(relation.lhs, exact, True), relation, evaluate(relation.rhs, exact, True)
        )
    except (InexactError, TypeError):
        pass
    for precision in PRECISIONS:
        with flint.ctx.workprec(precision):
            balls = Completed(values(), statement.definitions, False)
            left, right = (
                flint.arb(evaluate(side, balls, False)) for side in (relation.lhs, relation.rhs)
            )
            if (certain := holds(left, relation, right)) is not None:
                return certain
        if (
            left.is_finite()
            and (found := exact_sign(relation.lhs, relation.rhs, exact)) is not None
        ):
            return holds(flint.fmpq(found), relation, flint.fmpq(0))
    return None


def _compared(statement: Statement, values: Callable[[], Values], squares: bool) -> Decision:
    """The comparison itself, at an input where both sides have a value."""
    plain, definitions = values(), statement.definitions
    given = Completed(plain, definitions, True)
    sides = (statement.lhs, statement.rhs)
    alike = (
        all(_nonnegative(side, statement, plain) for side in sides)
        or (
            statement.relation == "=="
            and all(_nonnegative(-side, statement, plain) for side in sides)
        )
        if squares
        else False
    )
    power = 2 if alike else 1
    lhs, rhs = statement.lhs**power, statement.rhs**power
    try:
        left, right = evaluate(lhs, given, True), evaluate(rhs, given, True)
    except (InexactError, TypeError):
        pass  # a root or a ball: leave exact arithmetic
    else:
        holds = ORDER[statement.relation](left, right)
        return Decision(holds, _ratio(statement, flint.arb(left), flint.arb(right), power))
    # balls never make an equality certain
    if statement.relation == "==" and exact_sign(statement.lhs, statement.rhs, given) == 0:
        return Decision(True, 1.0)
    difference, ratio = _difference(lhs, rhs), None
    for tried, precision in enumerate(PRECISIONS):
        if (
            tried == _BALLS_FIRST
            and (exact := exact_sign(statement.lhs, statement.rhs, given)) is not None
        ):
            return Decision(ORDER[statement.relation](exact, 0), 1.0 if exact == 0 else ratio)
        with flint.ctx.workprec(precision):
            balls = Completed(values(), definitions, False)
            gap = evaluate(difference, balls, False)
            ratio = _ratio(
                statement, evaluate(lhs, balls, False), evaluate(rhs, balls, False), power
            )
            if (certain := compare(gap, statement.relation, flint.arb(0))) is not None:
                return Decision(certain, ratio)
    return Decision(None, ratio)


def _nonnegative(side: sp.Expr, statement: Statement, values: Values) -> bool:
    """Certainly nonnegative: a square root, or so by its value."""
    if isinstance(side, sp.Pow) and side.exp == sp.Rational(1, 2):
        return True
    try:
        return bool(evaluate(side, Completed(values, statement.definitions, True), True) >= 0)
    except (InexactError, TypeError):
        return bool(evaluate(side, Completed(values, statement.definitions, False), False) >= 0)


@lru_cache(maxsize=1024)
def _difference(lhs: sp.Expr, rhs: sp.Expr) -> sp.Expr:
    """lhs - rhs multiplied out, so that what is common to both sides (1/n, say) does not swamp what
    differs.

    Left as it is where that would take too many terms.
    """
    return sp.expand(lhs - rhs) if _terms(lhs - rhs) <= _MOST_TERMS else lhs - rhs


#: Formulas that multiply out to more terms than this are left alone.
_MOST_TERMS = 5000


def _terms(expression: sp.Expr) -> int:
    """How many terms an expression has once multiplied out, at most."""
    if expression.is_Add:
        return sum(_terms(a) for a in expression.args)
    if expression.is_Mul:
        return math.prod(_terms(a) for a in expression.args)
    if expression.is_Pow and expression.exp.is_Integer and expression.exp > 1:
        k = int(expression.exp)
        return math.comb(_terms(expression.base) + k - 1, k)
    return max((_terms(a) for a in expression.args), default=1)


def _ratio(statement: Statement, left: flint.arb, right: flint.arb, power: int) -> float | None:
    over, under = (right, left) if statement.relation in (">=", ">") else (left, right)
    if not under > 0:
        return None
    ratio = over / under
    value = float(ratio.mid())
    if value < 0 or float(ratio.rad()) > _RATIO_TO * max(value, 1.0):
        return None
    return value if power == 1 else float(value ** (1 / power))


@dataclass
class _Tally(Generic[Item]):
    decided: int = 0
    outside: int = 0
    open: list[Item | Declared] = field(default_factory=list)
    ratio: float | None = None
    fixed: float | None = None  # the part of ``ratio`` that does not depend on draws
    worst: Item | Declared | None = None
    batch: Verdict | None = None  # what was found of the user's batch, if there is one
    cut: bool = False  # out of time

    def add(self, item: Item | Declared, decision: Decision) -> None:
        self.decided += decision.holds is not None
        if decision.holds is None:
            self.open.append(item)
        if decision.ratio is not None and (self.ratio is None or decision.ratio > self.ratio):
            self.ratio, self.worst = decision.ratio, item


def readable(item: object) -> object:
    """An input as JSON: fractions as text, nested sequences as lists, a batch by its shape.

    Args:
        item: numbers in mappings and sequences of any depth, arrays (d, n) among them.

    Example:
        >>> readable({"x": Fraction(1, 3), "batch": np.eye(2)})
        {'x': '1/3', 'batch': 'the batch, 2×2'}
    """
    return changed(item, _written)


def _written(entry: object) -> object:
    if isinstance(entry, np.ndarray):
        return "the batch, " + "×".join(map(str, entry.shape))
    return str(entry) if isinstance(entry, Fraction | flint.fmpq | flint.arb | sp.Expr) else entry


@dataclass(frozen=True, kw_only=True)
class DecidedInputs(Details):
    """How many inputs were decided, outside the assumptions, left open; where it is tightest, where
    it fails.
    """

    decided: int
    outside: int
    open: int
    sentinel_witness: object
    tightest_at: object = None
    witness: object = None


@dataclass(frozen=True, kw_only=True)
class DecidedBatch(Details):
    """What was found of a user's batch, and of how many inputs it gave."""

    batch: Verdict = field(metadata=typed(Verdict))
    decided: int
    outside: int
    open: int
    witness: object = None


@dataclass(frozen=True)
class Pointwise(CheckBase, Generic[Item]):
    """Exact decisions over corners, a Hypothesis strategy, the declared domains, and the user's
    batch.

    ``values(input)`` turns an input into numbers by symbol name, at the current ball precision.
    ``inputs()`` builds the strategy; ``corners`` are always tried. Both are proposals: the search
    also walks the domains that the statement declares, whatever they propose, and its assumptions
    alone say which inputs count. ``item`` makes an input of values of the declared variables where
    only ``values`` understands a definition; ``walks`` is False where ``inputs`` are those domains
    already. ``from_batch`` makes an input of the user's (d, n) array, or is None where a batch has
    nothing to say; ``given`` in its place makes several, and none where the batch lies outside the
    domain; ``refuses`` says why a batch is outside whatever could be made of it, and is empty where
    it is not; ``reads`` says which part of a batch is read, where it is not all of it. With a batch
    the verdict is about the batch, ``outside`` where it lies outside domain or assumptions, and
    what is known of all other inputs stands beside it.

    An assumption on balls may be open, as equalities of enclosures are. A claim that holds whatever
    the assumption then counts; one that would fall is left open.

    ``examples`` is how many inputs the strategy draws; ``squares`` compares the squares of both
    sides first, where these are roots of rationals.

    Example:
        >>> from theorems.context import Context
        >>> from theorems.templates.pointwise import STATEMENT, corners, values
        >>> from simulators.strategies import spectra
        >>> found = Pointwise(values, spectra, corners, examples=20)(STATEMENT, Context(0, 1e-6))
        >>> found.verdict.value, found.sentinel.value
        ('certified', 'refuted')
    """

    values: Callable[[Any], Values]
    inputs: Callable[[], SearchStrategy[Item]]
    corners: Callable[[], Iterable[Item]] = tuple
    from_batch: Callable[[Floats], Item] | None = None
    examples: int = 200
    squares: bool = False
    given: Callable[[Floats], Sequence[Item]] | None = None
    refuses: Callable[[Floats], str] | None = None
    item: Callable[[Mapping[str, Any]], Item] | None = None
    walks: bool = True
    reads: Callable[[Floats], str] | None = None

    method = "certificate"

    def declared(self, statement: Statement) -> DeclaredInputs[Item] | None:
        """The inputs that the statement declares; None where only the family's own can be
        evaluated.

        Args:
            statement: the claim.
        """
        if not self.walks or (self.item is None and not determined(statement)):
            return None
        return DeclaredInputs(statement, self.values, self.item)

    def _values(self, statement: Statement) -> Callable[[Item | Declared], Values]:
        """Numbers of an input, of the family's own or declared."""
        return DeclaredInputs(statement, self.values, self.item).values

    def of_batch(self, batch: Floats) -> Sequence[Item] | None:
        """The inputs that a user's batch gives; None where a batch has nothing to say.

        - ``batch``: (d, n), a sample in each column; empty is the answer for one that lies outside
          the domain
        """
        if self.given is not None:
            return self.given(batch)
        return None if self.from_batch is None else [self.from_batch(batch)]

    @property
    def takes_batch(self) -> bool:
        return self.given is not None or self.from_batch is not None or self.refuses is not None

    def words(self, statement: Statement) -> str:
        batch = ", and the user's batch" if self.from_batch is not None else ""
        return (
            f"exact arithmetic: corner cases, {self.examples} generated inputs{batch}, "
            "each decided in rationals or, where roots occur, in balls"
        )

    def __call__(self, statement: Statement, context: Context) -> Evidence:
        plain = replace(context, batch=None)
        verdict, tally, witness = self.attack(statement, context)
        if tally.batch is not None:
            return self._of_batch(context, tally, verdict, self(statement, plain))
        values = self._values(statement)
        neighbour, _, counterexample = self.attack(statement.neighbour, plain)
        summary = f"{tally.decided} inputs decided exactly"
        if witness is not None:
            summary = f"{fault(statement, lambda: values(witness))} at {short(witness)}"
        elif verdict is Verdict.OUTSIDE:
            summary = "no input met the assumptions"
        elif tally.cut:
            summary += ", then out of time"
        elif tally.open:
            summary += f", {len(tally.open)} left open"
        return Evidence(
            method=self.method if witness is None else "search",
            verdict=verdict,
            summary=summary,
            sentinel=neighbour,
            tightness=tally.ratio,
            tightness_interval=None if tally.ratio is None else (tally.fixed or 0.0, tally.ratio),
            power=0.0 if verdict.holds else None,
            details=DecidedInputs(
                decided=tally.decided,
                outside=tally.outside,
                open=len(tally.open),
                sentinel_witness=readable(counterexample),
                tightest_at=readable(tally.worst),
                witness=readable(witness),
            ),
        )

    def _of_batch(
        self,
        context: Context,
        tally: _Tally[Item],
        found: Verdict,
        beside: Evidence,
    ) -> Evidence:
        """What was found of the batch, with what is known apart from it."""
        refuted = found is Verdict.REFUTED
        words = {
            Verdict.OUTSIDE: self._refusal(context)
            or "the batch lies outside the domain or the assumptions",
            Verdict.INCONCLUSIVE: "the batch is left open",
            Verdict.REFUTED: f"violated at {short(tally.worst)}",
        }
        return Evidence(
            method="search" if refuted else self.method,
            verdict=found,
            summary=words.get(found, "the batch decided exactly") + self._part(context),
            sentinel=beside.sentinel,
            tightness=tally.ratio,
            power=0.0 if found.holds else None,
            details=DecidedBatch(
                batch=found,
                decided=tally.decided,
                outside=tally.outside,
                open=len(tally.open),
                witness=readable(tally.worst) if refuted else None,
            ),
            beside=(beside,),
        )

    def _part(self, context: Context) -> str:
        words = self.reads(context.array) if self.reads and context.array is not None else ""
        return words and f" ({words})"

    def attack(
        self, statement: Statement, context: Context
    ) -> tuple[Verdict, _Tally[Item], Item | Declared | None]:
        """The verdict over all inputs, what was met on the way, and an input that violates the
        claim, or None.

        With a user's batch in which the check has a part, the verdict over that batch alone.

        Args:
            statement: the claim, or its false neighbour.
            context: whose seed draws the inputs, and whose batch is tried.
        """
        tally: _Tally[Item] = _Tally()
        declared, values = self.declared(statement), self._values(statement)

        def examine(item: Item | Declared) -> Verdict:
            met = admitted(statement, values(item))
            if met is False:
                tally.outside += 1
                return Verdict.OUTSIDE
            decision = decide(statement, lambda: values(item), squares=self.squares)
            if decision.holds is False and met is None:
                decision = Decision(None, decision.ratio)
            tally.add(item, decision)
            return {True: Verdict.CERTIFIED, False: Verdict.REFUTED, None: Verdict.INCONCLUSIVE}[
                decision.holds
            ]

        def violates(item: Item | Declared) -> bool:
            tally.cut = tally.cut or context.expired
            return not tally.cut and examine(item) is Verdict.REFUTED

        seen: list[Verdict] = []
        if self._refusal(context):
            tally.batch = Verdict.OUTSIDE
        elif context.array is not None and (items := self.of_batch(context.array)) is not None:
            for item in items:
                seen.append(examine(item))
                if seen[-1] is Verdict.REFUTED:
                    tally.batch, tally.worst = Verdict.REFUTED, item
                    return Verdict.REFUTED, tally, item
            tally.batch = combine(seen or [Verdict.OUTSIDE])
        if tally.batch is not None:
            return tally.batch, tally, None
        for item in (*self.corners(), *(() if declared is None else declared.corners())):
            if violates(item):
                return Verdict.REFUTED, tally, item
        tally.fixed = tally.ratio
        for strategy, examples in self._strategies(declared):
            drawn = search(
                strategy, violates, seed=context.seed, examples=examples, over=lambda: tally.cut
            )
            if drawn is not None and examine(drawn) is Verdict.REFUTED:
                return Verdict.REFUTED, tally, drawn
        if tally.cut or tally.open:
            return Verdict.INCONCLUSIVE, tally, None
        if not tally.decided:
            return Verdict.OUTSIDE, tally, None
        return Verdict.CERTIFIED, tally, None

    def _refusal(self, context: Context) -> str:
        return self.refuses(context.array) if self.refuses and context.array is not None else ""

    def _strategies(
        self, declared: DeclaredInputs[Item] | None
    ) -> Iterator[tuple[SearchStrategy[Item | Declared], int]]:
        """Where inputs are drawn from, with how many are."""
        yield self.inputs(), self.examples
        if declared is not None:
            yield declared.strategy(), -(-self.examples // 2)


def admitted(statement: Statement, plain: Values) -> bool | None:
    """Whether every assumption on inputs holds at these values of the symbols, by name.

    None if some enclosure leaves that open and none fails. An assumption that has no value there
    does not hold. What is assumed of a random path is no matter of an input.

    Args:
        statement: the claim with its assumptions.
        plain: exact numbers or balls, by the names of symbols, and sequences of them for families.

    Example:
        >>> from theorems.templates.pointwise import STATEMENT
        >>> admitted(STATEMENT, {"n": 2, "lambda": (Fraction(1, 2), Fraction(1, 3))})
        False
    """
    exact, balls = (Completed(plain, statement.definitions, exactly) for exactly in (True, False))
    found: bool | None = True
    for assumption in statement.assumptions:
        relations = [c.relation for c in assumption.conditions] + [assumption.relation]
        for relation in relations if assumption.along == "input" else ():
            answer = _met(relation, exact, balls)
            if answer is False:
                return False
            found = found and answer
    return found


def _met(
    relation: sp.core.relational.Relational, exact: Completed, balls: Completed
) -> bool | None:
    """Whether a relation holds: exactly, else in balls, else by the sign of an algebraic number."""
    sides = (relation.lhs, relation.rhs)
    try:
        left, right = (evaluate(side, exact, True) for side in sides)
    except (InexactError, TypeError):
        left, right = (flint.arb(evaluate(side, balls, False)) for side in sides)
    answer = holds(left, relation, right)
    if answer is None and (found := exact_sign(*sides, exact)) is not None:
        return holds(flint.fmpq(found), relation, flint.fmpq(0))
    return answer


def admit(statement: Statement, values: Values) -> None:
    """Refuse exact values that the statement's domains or assumptions do not admit.

    ``values``: of every variable, by name, and of what is defined in words.

    Raises ``ValueError``, naming the symbol, the value and the domain, or the assumption; also for
    sizes with which arithmetic would not end. Cost: one evaluation of every assumption.

    Example:
        >>> from theorems.templates.pointwise import STATEMENT
        >>> admit(STATEMENT, {"n": 2, "lambda": (-1, 2)})
        Traceback (most recent call last):
        theorems.checking.declared.OutsideError: lambda = -1 is not in Interval(0, 1)
    """
    sizes = {
        v.symbol: number(values[v.name])
        for v in statement.variables
        if isinstance(v.domain, sp.Range)
    }
    if any(size > _LARGEST_SIZE for size in sizes.values()):
        raise ValueError(f"a size above {_LARGEST_SIZE}")
    for variable in statement.variables:
        require_inside(variable, values)
    for family in (s for s in statement.definitions if isinstance(s, sp.IndexedBase)):
        if math.prod(int(extent.subs(sizes)) for extent in family.shape) > _LARGEST_FAMILY:
            raise ValueError(f"{family} would have more than {_LARGEST_FAMILY} entries")
    for average in statement.claim.atoms(Average):
        population, size = (int(x.subs(sizes)) for x in (average.population, average.size))
        if average.count(population, size) > _MOST_DRAWS:
            raise ValueError(f"an average over more than {_MOST_DRAWS} draws")
    if admitted(statement, values) is not True:
        words = "; ".join(a.words for a in statement.assumptions)
        raise ValueError(f"an assumption does not hold, or is left open: {words}")


def refutes(statement: Statement, variables: Values) -> bool:
    """Whether a claim is certainly false at exact values that it admits.

    Args:
        statement: the claim.
        variables: exact numbers by the names of variables, and sequences of them for families.

    Example:
        >>> from theorems.templates.pointwise import STATEMENT
        >>> at = {"n": 2, "lambda": (Fraction(1, 2), Fraction(1, 2))}
        >>> refutes(STATEMENT, at), refutes(STATEMENT.neighbour, at)
        (False, True)
    """
    try:
        values = exact_values(statement, variables)
        admit(statement, values)
        return decide(statement, lambda: values).holds is False
    except (InexactError, ZeroDivisionError, ValueError):
        return False


def fault(statement: Statement, values: Callable[[], Values]) -> str:
    """How a claim falls at an input that refutes it: ``violated``, or ``undefined``.

    - ``values``: as `decide` takes them

    Args:
        statement: a claim that is false there.

    Example:
        >>> from theorems.templates.pointwise import STATEMENT
        >>> fault(STATEMENT.neighbour, lambda: {"n": 1, "lambda": (Fraction(1),)})
        'violated'
    """
    return "violated" if decide(statement, values).undefined is None else "undefined"


def holds(left: Number, relation: sp.core.relational.Relational, right: Number) -> bool | None:
    """The relation between two rationals, or between two balls as far as they tell.

    Args:
        left: a rational or a ball.
        relation: of SymPy; only its sign counts.
        right: a rational or a ball.

    Example:
        >>> x = sp.Symbol("x")
        >>> holds(flint.fmpq(1), sp.Ge(x, 0), flint.fmpq(1))
        True
        >>> holds(flint.arb(1, 1), sp.Gt(x, 0), flint.arb(1))  # a ball that holds 1
    """
    symbol: str = relation.rel_op
    if symbol in ("==", "!="):
        if left == right:  # rationals, or two balls without radius
            return symbol == "=="
        return symbol == "!=" if left != right else None
    return compare(left, symbol, right)


def short(item: object, limit: int = 80) -> str:
    """An input on one line of at most so many characters.

    Args:
        item: as `readable` takes it.
        limit: characters, at least 1.

    Example:
        >>> short({"n": 2, "spectrum": (Fraction(2, 3), Fraction(1, 3))})
        '{n: 2, spectrum: [2/3, 1/3]}'
    """
    text = str(readable(item)).replace("'", "")
    return text if len(text) <= limit else text[: limit - 1] + "…"
