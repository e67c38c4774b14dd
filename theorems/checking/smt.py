"""Pointwise claims at small sizes, decided by the solver z3 (package z3-solver, extra ``smt``).

At given sizes a claim about families is one about finitely many reals: sums are opened, roots and
reciprocals become auxiliary variables (r ≥ 0, r² = x; x y = 1), so that only inputs where every
root and quotient is defined are spoken of; those of a case only where that case holds. If the
negation has no solution the claim is a theorem at that size, on z3's word. If it has one, a
rational input near it is sought, and only one at which our own exact arithmetic refutes the claim
is reported.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial, reduce
from importlib import import_module
from math import prod
from types import ModuleType
from typing import TYPE_CHECKING

import flint
import sympy as sp

from theorems.algebraic import Point, Root, fraction, number, real_roots, within
from theorems.checking.declared import determined, smallest_of
from theorems.checking.pointwise import refutes
from theorems.checking.symbol_values import Nested, Values, changed, entries, entry_of, table
from theorems.minibatch_averages import Average
from theorems.number_systems import ORDER
from theorems.statement import Statement

if TYPE_CHECKING:
    from z3 import ArithRef, BoolRef, CheckSatResult, Context, Solver

__all__ = [
    "WORK",
    "Answer",
    "MissingSolverError",
    "Question",
    "UntranslatableError",
    "ask",
    "require_algebraic",
    "solver",
    "translate",
]

#: What one question may cost, in z3's own units, the same on every machine: some million a second,
#: or ten if easy.
WORK = 20_000_000
#: Denominators of the rationals that are tried near a solution.
_DENOMINATORS = (1, 10, 100, 10**4, 10**8, 10**16)
#: Sizes whose product, and averages over draws whose number, is above this are refused: opening
#: sums costs as much.
_LARGEST_PRODUCT = _MOST_DRAWS = 1000


class MissingSolverError(RuntimeError):
    """z3 is not installed."""


class UntranslatableError(ValueError):
    """The claim is not one about polynomials, roots and cases in finitely many reals."""


@dataclass(frozen=True)
class Answer:
    """What z3 says of a claim at given sizes.

    - ``holds``: None if z3 gave up, or nothing rational was found near its solution
    - ``words``: which of these; ``solver``: its name and version
    - ``witness``: exact values by symbol name of an input at which the claim is false
    """

    holds: bool | None
    words: str
    solver: str
    witness: Values | None = None


def solver() -> ModuleType:
    """The module z3, imported when this is first called.

    Raises `MissingSolverError` with the command that installs it.
    """
    try:
        return import_module("z3")
    except ImportError:
        raise MissingSolverError(
            "z3 is not installed: pip install 'batchnorm-theorems[smt]'"
        ) from None


# --- from a statement to finitely many reals ------------------------------------------------------


@dataclass(frozen=True)
class Question:
    """A statement at given sizes in plain symbols: one for each entry of a family, and each scalar.

    - ``families``: the symbols by variable name, nested as the variable is
    - ``given``: domains and assumptions
    - ``smallest``: of which symbols a symbol is the least
    """

    statement: Statement
    sizes: Mapping[str, int]
    families: Values
    given: tuple[sp.Basic, ...]
    smallest: Mapping[sp.Symbol, tuple[sp.Symbol, ...]]
    claim: sp.Basic

    @property
    def unknowns(self) -> tuple[sp.Symbol, ...]:
        """The symbols of all families, variable by variable, entry by entry.

        In this order `at` and the solvers take numbers for them. Sizes are none of them: they are
        fixed.
        """
        return tuple(entries(self.families))

    def at(self, values: Mapping[sp.Symbol, Point]) -> dict[str, Nested]:
        """The input, by name, at which the unknowns have these values.

        - ``values``: a rational or an algebraic number for each of `unknowns`
        """
        filled = {name: changed(e, values.__getitem__) for name, e in self.families.items()}
        return {**self.sizes, **filled}


def translate(statement: Statement, sizes: Mapping[str, int]) -> Question:
    """The statement at these sizes: a whole number for each whole-numbered variable.

    Raises `UntranslatableError` for statements that are not about polynomials and roots of
    their variables, ``ValueError`` for sizes that are missing, unknown or outside their domain.
    """
    if statement.quantifier.value != "pointwise" or not determined(statement):
        raise UntranslatableError(f"{statement.name}: not a claim about its variables alone")
    whole = {v.name: v for v in statement.variables if isinstance(v.domain, sp.Range)}
    if set(sizes) != set(whole):
        raise ValueError(f"sizes={dict(sizes)!r}: want {', '.join(sorted(whole)) or 'none'}")
    for variable in whole.values():
        variable.admit(sizes)
    if prod(max(size, 1) for size in sizes.values()) > _LARGEST_PRODUCT:
        raise ValueError(f"sizes={dict(sizes)!r}: their product is above {_LARGEST_PRODUCT}")
    fixed = {v.symbol: sp.Integer(sizes[v.name]) for v in whole.values()}
    families: dict[str, Nested] = {}
    given: list[sp.Basic] = []
    for variable in statement.variables:
        if variable.name in whole:
            continue
        shape = [int(extent.subs(fixed)) for extent in variable.size]
        families[variable.name] = table(shape, partial(_symbol, variable.name))
        domain = variable.domain.subs(fixed)
        if not isinstance(domain, sp.Interval):
            raise UntranslatableError(f"{variable.name}: its domain {domain} is no interval")
        for symbol in entries(families[variable.name]):
            given += within(symbol, domain)
    members = dict(families)
    scalars = {name for name, e in families.items() if isinstance(e, sp.Symbol)}
    smallest: dict[sp.Symbol, tuple[sp.Symbol, ...]] = {}
    exact: dict[sp.Symbol, sp.Expr] = {}

    def opened(expression: sp.Basic, at: Mapping[sp.Symbol, sp.Integer] = fixed) -> sp.Basic:
        plain = expression.subs(exact, simultaneous=True).subs(at)
        if any(a.count(int(a.population), int(a.size)) > _MOST_DRAWS for a in plain.atoms(Average)):
            raise UntranslatableError(
                f"{expression}: an average over more than {_MOST_DRAWS} draws"
            )
        plain = plain.doit()
        plain = plain.xreplace(
            {x: entry_of(members[str(x.base)], x.indices) for x in plain.atoms(sp.Indexed)}
        )
        plain = plain.xreplace(
            {s: families[str(s)] for s in plain.free_symbols if str(s) in scalars}
        )
        require_algebraic(plain)
        return plain

    def compared(relation: sp.Basic) -> sp.Basic:
        return relation.func(opened(relation.lhs), opened(relation.rhs), evaluate=False)

    def entry(meaning: sp.Lambda, place: tuple[int, ...]) -> sp.Expr:
        return opened(meaning.expr, {**fixed, **dict(zip(meaning.variables, place, strict=True))})

    for symbol, meaning in statement.definitions.items():  # each may build on those before it
        if (family := smallest_of(meaning)) is not None:
            exact[symbol] = sp.Symbol(str(symbol), real=True)
            smallest[exact[symbol]] = tuple(entries(families[family]))
        elif isinstance(meaning, sp.Lambda):
            shape = [int(extent.subs(fixed)) for extent in symbol.shape]
            members[str(symbol)] = table(shape, partial(entry, meaning))
        else:
            exact[symbol] = opened(meaning)
    given += [compared(assumption.relation) for assumption in statement.assumptions]
    return Question(
        statement,
        dict(sizes),
        families,
        tuple(given),
        smallest,
        compared(statement.claim),
    )


def _symbol(name: str, place: tuple[int, ...]) -> sp.Symbol:
    return sp.Symbol(name + "".join(f"[{k}]" for k in place), real=True)


_TRANSLATABLE = (sp.Rational, Root, sp.Symbol, sp.Add, sp.Mul, sp.Abs, sp.Max, sp.Min, sp.Piecewise)
_Case = sp.functions.elementary.piecewise.ExprCondPair


def require_algebraic(e: sp.Basic) -> None:
    """Refuse what has no terms in z3, before a solver is asked.

    Raises `UntranslatableError` for what is no polynomial, root or case.

    Example:
        >>> require_algebraic(sp.exp(sp.Symbol("x")))
        Traceback (most recent call last):
        theorems.checking.smt.UntranslatableError: exp(x) is no polynomial, root or case
    """
    if not isinstance(e, sp.Expr):
        return
    power = isinstance(e, sp.Pow) and (isinstance(e.exp, sp.Rational) or e.base == 0)
    if not power and not isinstance(e, _TRANSLATABLE):
        raise UntranslatableError(f"{e} is no polynomial, root or case")
    for part in e.args:
        require_algebraic(part.expr if isinstance(part, _Case) else part)


# --- from SymPy to z3 -----------------------------------------------------------------------------


class _Translator:
    """SymPy to z3 terms; ``conditions`` collects what defines the auxiliary variables.

    Those met within a case are defined where it holds, and nothing is asked of them elsewhere.
    """

    def __init__(self, z3: ModuleType, context: Context) -> None:
        self.z3, self.context = z3, context
        self.conditions: list[BoolRef] = []
        self._case: tuple[BoolRef, ...] = ()  # what must hold for the term at hand to count
        self._found: dict[tuple[object, ...], ArithRef] = {}

    def relation(self, relation: sp.Basic) -> BoolRef:
        if relation in (sp.true, sp.false):
            return self.z3.BoolVal(relation == sp.true, self.context)
        if isinstance(relation, sp.And):
            return self.z3.And(*map(self.relation, relation.args))
        if not isinstance(relation, sp.core.relational.Relational):
            raise UntranslatableError(f"{relation} is no comparison, nor several at once")
        return ORDER[relation.rel_op](self.term(relation.lhs), self.term(relation.rhs))

    def term(self, e: sp.Expr) -> ArithRef:
        z3 = self.z3
        if isinstance(e, sp.Rational):
            return z3.RealVal(f"{e.p}/{e.q}", self.context)
        if isinstance(e, sp.Symbol):
            return z3.Real(str(e), self.context)
        if isinstance(e, sp.Add | sp.Mul):
            return reduce(
                operator.add if isinstance(e, sp.Add) else operator.mul, map(self.term, e.args)
            )
        if isinstance(e, sp.Pow) and isinstance(e.exp, sp.Rational):
            return self._power(e.base, e.exp)
        if isinstance(e, sp.Pow) and e.base == 0:
            exponent = self.term(e.exp)
            self._require(exponent >= 0)
            return z3.If(exponent == 0, z3.RealVal(1, self.context), z3.RealVal(0, self.context))
        if isinstance(e, sp.Abs):
            inside = self.term(e.args[0])
            return z3.If(inside >= 0, inside, -inside)
        if isinstance(e, sp.Max | sp.Min):
            found, *rest = (self.term(a) for a in e.args)
            for other in rest:
                found = z3.If(
                    (found >= other) if isinstance(e, sp.Max) else (found <= other), found, other
                )
            return found
        if isinstance(e, sp.Piecewise) and e.args[-1].cond == sp.true:
            return self._cases(e.args)
        raise UntranslatableError(f"{e} is no polynomial, root or case")

    def _power(self, base: sp.Expr, exponent: sp.Rational) -> ArithRef:
        factor = self.term(base) if exponent.q == 1 else self._root(base, int(exponent.q))
        if exponent < 0:
            root = base if exponent.q == 1 else base ** sp.Rational(1, exponent.q)
            factor = self._reciprocal(root, factor)
        return self._product([factor] * (abs(int(exponent.p)) or 1))

    @staticmethod
    def _product(factors: Sequence[ArithRef]) -> ArithRef:
        return reduce(operator.mul, factors)

    def _cases(self, cases: Sequence[sp.Basic]) -> ArithRef:
        (value, condition), *rest = cases
        if condition == sp.true:
            return self.term(value)
        test, outer = self.relation(condition), self._case
        self._case = (*outer, test)
        then = self.term(value)
        self._case = (*outer, self.z3.Not(test))
        otherwise = self._cases(rest)
        self._case = outer
        return self.z3.If(test, then, otherwise)

    def _root(self, base: sp.Expr, degree: int) -> ArithRef:
        inside = self.term(base)
        return self._auxiliary(
            ("root", base, degree),
            lambda found: (found >= 0, self._product([found] * degree) == inside),
        )

    def _reciprocal(self, base: sp.Expr, term: ArithRef) -> ArithRef:
        return self._auxiliary(("over", base), lambda found: (found * term == 1,))

    def _auxiliary(
        self,
        what: tuple[object, ...],
        defining: Callable[[ArithRef], tuple[BoolRef, ...]],
    ) -> ArithRef:
        key = (*what, tuple(test.get_id() for test in self._case))
        if key not in self._found:
            self._found[key] = found = self.z3.Real(f"{what[0]}!{len(self._found)}", self.context)
            for condition in defining(found):
                self._require(condition)
        return self._found[key]

    def _require(self, condition: BoolRef) -> None:
        """In the case at hand."""
        if self._case:
            condition = self.z3.Implies(self.z3.And(*self._case), condition)
        self.conditions.append(condition)


def ask(statement: Statement, sizes: Mapping[str, int], *, work: int = WORK) -> Answer:
    """Decide the statement at these sizes: of each whole-numbered variable, by name.

    ``work`` is what z3 may spend, in its own count, so that no clock has a say in the answer.

    Raises `MissingSolverError`, `UntranslatableError`, and ``ValueError`` for sizes
    outside their domain.
    """
    question, z3 = translate(statement, sizes), solver()
    # of its own, so that what was asked before leaves no trace in the answer
    context = z3.Context()
    translator = _Translator(z3, context)
    base = [translator.relation(relation) for relation in question.given]
    for symbol, members in question.smallest.items():
        least, terms = translator.term(symbol), [translator.term(x) for x in members]
        base += [z3.Or([least == x for x in terms]), *(least <= x for x in terms)]
    claim = translator.relation(question.claim)
    base += translator.conditions

    def check(*extra: BoolRef) -> tuple[CheckSatResult, Solver]:
        # a new solver each time: one that is extended and taken back uses weaker means
        asked = z3.SolverFor("QF_NRA", context)
        asked.set("rlimit", work)
        asked.add(*base, *extra)
        return asked.check(), asked

    def answer(holds: bool | None, words: str, witness: Values | None = None) -> Answer:
        return Answer(holds, words, f"z3 {z3.get_version_string()}", witness)

    found, asked = check(z3.Not(claim))
    if found == z3.unsat:
        if check()[0] != z3.sat:  # a claim about nothing
            return answer(None, "could not show that any input meets the assumptions")
        return answer(True, "the negation has no solution")
    if found != z3.sat:
        return answer(None, f"gave up ({asked.reason_unknown()})")
    model = asked.model()
    values = {s: model.eval(translator.term(s), model_completion=True) for s in question.unknowns}
    near = {s: _value(z3, term) for s, term in values.items()}
    for witness in _rationals_near(question, near):
        if refutes(statement, witness):
            return answer(False, "false at a rational input", witness)
    points = {s: _point(z3, term) for s, term in values.items()}
    known = {s: point for s, point in points.items() if point is not None}
    if len(known) == len(points) and refutes(statement, question.at(known)):
        return answer(False, "false at an algebraic input", question.at(known))
    return answer(
        None,
        "found a solution, but no input near it, nor the solution itself, certainly refutes "
        "the claim",
    )


def _value(z3: ModuleType, term: ArithRef) -> Fraction:
    if z3.is_algebraic_value(term):
        term = term.approx(30)
    return Fraction(term.numerator_as_long(), term.denominator_as_long())


def _point(z3: ModuleType, term: ArithRef) -> Point | None:
    """The number itself; None where it is not among the roots of the polynomial that z3 gives."""
    near = _value(z3, term)
    if not z3.is_algebraic_value(term):
        return near
    coefficients = [_value(z3, c) for c in term.poly()]
    polynomial = flint.fmpq_poly([flint.fmpq(c.numerator, c.denominator) for c in coefficients])
    roots = real_roots(polynomial.numer())
    return min(roots, key=lambda root: abs(Fraction(float(root)) - near), default=None)


# --- rational inputs near a solution --------------------------------------------------------------


def _rationals_near(
    question: Question, near: Mapping[sp.Symbol, Fraction]
) -> Iterator[dict[str, Nested]]:
    """Rational inputs ever nearer to the solution, moved onto the equations that are assumed."""
    equations = [sp.expand(r.lhs - r.rhs) for r in question.given if isinstance(r, sp.Eq)]
    for denominator in _DENOMINATORS:
        values = {s: v.limit_denominator(denominator) for s, v in near.items()}
        if all(_meet(equation, values) for equation in equations):
            yield question.at(values)


def _meet(equation: sp.Expr, values: dict[sp.Symbol, Fraction]) -> bool:
    """Change values so that the polynomial vanishes, if that can be done.

    It is solved for a symbol that it is linear in, or the values are moved onto a unit sphere.
    """
    unknowns = sorted(equation.free_symbols, key=str)
    at = {s: number(v) for s, v in values.items()}
    if equation.subs(at) == 0:
        return True
    for symbol in reversed(unknowns):
        linear = sp.Poly(equation, symbol)
        if linear.degree() == 1:
            solved = (-linear.nth(0) / linear.nth(1)).subs(at)
            if solved.is_Rational:
                values[symbol] = fraction(solved)
                return True
    if sp.expand(equation - (sum(s**2 for s in unknowns) - 1)) == 0:
        # project along a pole, from the farther side
        pole = min(unknowns, key=lambda s: abs(values[s]))
        plane = {s: values[s] / (1 + abs(values[pole])) for s in unknowns if s != pole}
        square = sum((v * v for v in plane.values()), Fraction(0))
        values.update({s: 2 * v / (1 + square) for s, v in plane.items()})
        values[pole] = (1 if values[pole] >= 0 else -1) * (1 - square) / (1 + square)
        return True
    return False
