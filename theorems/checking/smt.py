"""Pointwise claims at small sizes, decided by the solver z3 (package z3-solver, extra ``smt``).

At given sizes a claim about families is one about finitely many reals: sums are opened, roots and reciprocals become
auxiliary variables (r ≥ 0, r² = x; x y = 1), so that only inputs where every root and quotient is defined are spoken
of; those of a case only where that case holds. If the negation has no solution the claim is a theorem at that size,
on z3's word. If it has one, a rational input near it is sought, and only one at which our own exact arithmetic refutes
the claim is reported.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from math import prod
from typing import TYPE_CHECKING, Any

import flint
import sympy as sp

from theorems.algebraic import Point, Root, real_roots, within
from theorems.checking.exact import determined, refutes, smallest_of
from theorems.minibatch_averages import Average

if TYPE_CHECKING:
    from theorems.statement import Statement

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

#: What one question may cost, in z3's own units, the same on every machine: some million a second, or ten if easy.
WORK = 20_000_000
#: Denominators of the rationals that are tried near a solution.
_DENOMINATORS = (1, 10, 100, 10**4, 10**8, 10**16)
#: Sizes whose product, and averages over draws whose number, is above this are refused: opening sums costs as much.
_LARGEST_PRODUCT = _MOST_DRAWS = 1000


class MissingSolverError(RuntimeError):
    """z3 is not installed."""


class UntranslatableError(ValueError):
    """The claim is not one about polynomials, roots and cases in finitely many reals."""


@dataclass(frozen=True)
class Answer:
    """``holds`` is None if z3 gave up, or nothing rational was found near its solution; ``words`` say which.

    ``witness`` are the values by symbol name, exact, of an input at which the claim is false.
    """

    holds: bool | None
    words: str
    solver: str
    witness: Mapping[str, Any] | None = None


def solver() -> Any:
    """The module z3. Raises :class:`MissingSolverError` with the command that installs it."""
    try:
        import z3
    except ImportError:
        raise MissingSolverError(
            "z3 is not installed: pip install 'batchnorm-theorems[smt]'"
        ) from None
    return z3


# --- from a statement to finitely many reals -------------------------------------------------------------------


@dataclass(frozen=True)
class Question:
    """A statement at given sizes in plain symbols: one for each entry of a family, one for each scalar.

    ``families`` are the symbols by variable name, nested as the variable is; ``given`` are domains and assumptions;
    ``smallest`` says of which symbols a symbol is the least.
    """

    statement: Statement
    sizes: Mapping[str, int]
    families: Mapping[str, Any]
    given: tuple[sp.Basic, ...]
    smallest: Mapping[sp.Symbol, tuple[sp.Symbol, ...]]
    claim: sp.Basic

    @property
    def unknowns(self) -> tuple[sp.Symbol, ...]:
        return tuple(_flat(self.families))


def _flat(nested: Any) -> Iterator[sp.Symbol]:
    if isinstance(nested, sp.Symbol):
        yield nested
        return
    for part in nested.values() if isinstance(nested, Mapping) else nested:
        yield from _flat(part)


def translate(statement: Statement, sizes: Mapping[str, int]) -> Question:
    """The statement at these sizes: a whole number for each whole-numbered variable.

    Raises :class:`UntranslatableError` for statements that are not about polynomials and roots of their variables,
    ``ValueError`` for sizes that are missing, unknown or outside their domain.
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
    families: dict[str, Any] = {}
    given: list[sp.Basic] = []
    for variable in statement.variables:
        if variable.name in whole:
            continue
        shape = [int(extent.subs(fixed)) for extent in variable.size]
        families[variable.name] = _entries(variable.name, shape)
        domain = variable.domain.subs(fixed)
        for symbol in _flat(families[variable.name]):
            given += _within(symbol, domain)
    members = dict(families)
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
            {x: _pick(members[str(x.base)], x.indices) for x in plain.atoms(sp.Indexed)}
        )
        plain = plain.xreplace(
            {
                s: families[str(s)]
                for s in plain.free_symbols
                if str(s) in families and isinstance(families[str(s)], sp.Symbol)
            }
        )
        require_algebraic(plain)
        return plain

    def entry(meaning: sp.Lambda, place: tuple[sp.Integer, ...]) -> sp.Expr:
        return opened(meaning.expr, {**fixed, **dict(zip(meaning.variables, place, strict=True))})

    for symbol, meaning in statement.definitions.items():  # each may build on those before it
        if (family := smallest_of(meaning)) is not None:
            exact[symbol] = sp.Symbol(str(symbol), real=True)
            smallest[exact[symbol]] = tuple(families[family])
        elif isinstance(meaning, sp.Lambda):
            shape = [int(extent.subs(fixed)) for extent in symbol.shape]
            members[str(symbol)] = _table(shape, partial(entry, meaning))
        else:
            exact[symbol] = opened(meaning)
    for assumption in statement.assumptions:
        relation = assumption.relation
        given.append(relation.func(opened(relation.lhs), opened(relation.rhs), evaluate=False))
    relation = statement.claim
    return Question(
        statement,
        dict(sizes),
        families,
        tuple(given),
        smallest,
        relation.func(opened(relation.lhs), opened(relation.rhs), evaluate=False),
    )


def _entries(name: str, shape: Sequence[int], suffix: str = "") -> Any:
    if not shape:
        return sp.Symbol(name + suffix, real=True)
    return [_entries(name, shape[1:], f"{suffix}[{k}]") for k in range(shape[0])]


def _table(
    shape: Sequence[int],
    entry: Callable[[tuple[sp.Integer, ...]], sp.Expr],
    head: tuple[sp.Integer, ...] = (),
) -> Any:
    if len(head) == len(shape):
        return entry(head)
    return [_table(shape, entry, (*head, sp.Integer(k))) for k in range(shape[len(head)])]


_TRANSLATABLE = (sp.Rational, Root, sp.Symbol, sp.Add, sp.Mul, sp.Abs, sp.Max, sp.Min, sp.Piecewise)


def require_algebraic(e: sp.Basic) -> None:
    """Raise :class:`UntranslatableError` for what :class:`_Translator` has no terms for, before a solver is asked."""
    known = isinstance(e, _TRANSLATABLE) or (
        isinstance(e, sp.Pow) and (isinstance(e.exp, sp.Rational) or e.base == 0)
    )
    if isinstance(e, sp.Expr) and not known:
        raise UntranslatableError(f"{e} is no polynomial, root or case")
    for part in e.args if isinstance(e, sp.Expr) else ():
        for expression in (
            part.args[:1]
            if isinstance(part, sp.functions.elementary.piecewise.ExprCondPair)
            else [part]
        ):
            require_algebraic(expression)


def _pick(nested: Any, indices: Sequence[sp.Expr]) -> Any:
    for index in indices:
        nested = nested[int(index)]
    return nested


def _within(symbol: sp.Symbol, domain: sp.Set) -> list[sp.Basic]:
    if not isinstance(domain, sp.Interval):
        raise UntranslatableError(f"{symbol}: its domain {domain} is no interval")
    return within(symbol, domain)


# --- from SymPy to z3 ------------------------------------------------------------------------------------------


_SIGNS = {
    sp.Le: operator.le,
    sp.Lt: operator.lt,
    sp.Ge: operator.ge,
    sp.Gt: operator.gt,
    sp.Eq: operator.eq,
    sp.Ne: operator.ne,
}


class _Translator:
    """SymPy to z3 terms. ``conditions`` collects what defines the auxiliary variables.

    Those met within a case are defined where it holds, and nothing is asked of them elsewhere.
    """

    def __init__(self, z3: Any, context: Any) -> None:
        self.z3, self.context = z3, context
        self.conditions: list[Any] = []
        self._case: tuple[
            Any, ...
        ] = ()  # what must hold for the term at hand to count, in z3's terms
        self._found: dict[tuple[Any, ...], Any] = {}

    def relation(self, relation: sp.Basic) -> Any:
        if relation in (sp.true, sp.false):
            return self.z3.BoolVal(relation == sp.true, self.context)
        if isinstance(relation, sp.And):
            return self.z3.And(*map(self.relation, relation.args))
        if relation.func not in _SIGNS:
            raise UntranslatableError(f"{relation} is no comparison, nor several at once")
        return _SIGNS[relation.func](self.term(relation.lhs), self.term(relation.rhs))

    def term(self, e: sp.Expr) -> Any:
        z3 = self.z3
        if isinstance(e, sp.Rational):
            return z3.RealVal(f"{e.p}/{e.q}", self.context)
        if isinstance(e, sp.Symbol):
            return z3.Real(str(e), self.context)
        if isinstance(e, sp.Add | sp.Mul):
            total, *rest = (self.term(a) for a in e.args)
            for other in rest:
                total = total + other if isinstance(e, sp.Add) else total * other
            return total
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

    def _power(self, base: sp.Expr, exponent: sp.Rational) -> Any:
        factor = self.term(base) if exponent.q == 1 else self._root(base, int(exponent.q))
        if exponent < 0:
            factor = self._reciprocal(
                base if exponent.q == 1 else base ** sp.Rational(1, exponent.q), factor
            )
        result = factor
        for _ in range(abs(int(exponent.p)) - 1):
            result = result * factor
        return result

    def _cases(self, cases: Sequence[Any]) -> Any:
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

    def _root(self, base: sp.Expr, degree: int) -> Any:
        inside = self.term(base)

        def defining(root: Any) -> tuple[Any, ...]:
            power = root
            for _ in range(degree - 1):
                power = power * root
            return root >= 0, power == inside

        return self._auxiliary(("root", base, degree), defining)

    def _reciprocal(self, base: sp.Expr, term: Any) -> Any:
        return self._auxiliary(("over", base), lambda found: (found * term == 1,))

    def _auxiliary(self, what: tuple[Any, ...], defining: Callable[[Any], tuple[Any, ...]]) -> Any:
        key = (*what, tuple(test.get_id() for test in self._case))
        if key not in self._found:
            self._found[key] = found = self.z3.Real(f"{what[0]}!{len(self._found)}", self.context)
            for condition in defining(found):
                self._require(condition)
        return self._found[key]

    def _require(self, condition: Any) -> None:
        """In the case at hand."""
        self.conditions.append(
            self.z3.Implies(self.z3.And(*self._case), condition) if self._case else condition
        )


def ask(statement: Statement, sizes: Mapping[str, int], *, work: int = WORK) -> Answer:
    """Decide the statement at these sizes, giving z3 ``work`` units of its own count: no clock has a say in it.

    Raises :class:`MissingSolverError`, :class:`UntranslatableError`, and ``ValueError`` for sizes outside their domain.
    """
    question, z3 = translate(statement, sizes), solver()
    name = f"z3 {z3.get_version_string()}"
    context = (
        z3.Context()
    )  # of its own, so that what was asked before leaves no trace in the answer
    translator = _Translator(z3, context)
    base = [translator.relation(relation) for relation in question.given]
    for symbol, entries in question.smallest.items():
        least, terms = translator.term(symbol), [translator.term(x) for x in entries]
        base += [z3.Or([least == x for x in terms]), *(least <= x for x in terms)]
    claim = translator.relation(question.claim)
    base += translator.conditions

    def check(*extra: Any) -> tuple[Any, Any]:
        # a new solver each time: one that is extended and taken back uses weaker means
        asked = z3.SolverFor("QF_NRA", context)
        asked.set("rlimit", work)
        asked.add(*base, *extra)
        return asked.check(), asked

    found, asked = check(z3.Not(claim))

    def answer(holds: bool | None, words: str, witness: Mapping[str, Any] | None = None) -> Answer:
        return Answer(holds, words, name, witness)

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
    if None not in points.values():
        witness = {
            **question.sizes,
            **{name: _fill(entries, points) for name, entries in question.families.items()},
        }
        if refutes(statement, witness):
            return answer(False, "false at an algebraic input", witness)
    return answer(
        None,
        "found a solution, but no input near it, nor the solution itself, certainly refutes the claim",
    )


def _value(z3: Any, term: Any) -> Fraction:
    if z3.is_algebraic_value(term):
        term = term.approx(30)
    return Fraction(term.numerator_as_long(), term.denominator_as_long())


def _point(z3: Any, term: Any) -> Point | None:
    """The number itself; None where it is not among the roots of the polynomial that z3 gives."""
    if not z3.is_algebraic_value(term):
        return _value(z3, term)
    near = _value(z3, term)
    polynomial = flint.fmpq_poly([_flint(_value(z3, c)) for c in term.poly()]).numer()
    return min(
        real_roots(polynomial), key=lambda root: abs(Fraction(float(root)) - near), default=None
    )


def _flint(value: Fraction) -> flint.fmpq:
    return flint.fmpq(value.numerator, value.denominator)


# --- rational inputs near a solution ----------------------------------------------------------------------------------


def _rationals_near(
    question: Question, near: Mapping[sp.Symbol, Fraction]
) -> Iterator[dict[str, Any]]:
    """Rational inputs ever nearer to the solution, moved onto the equations among the assumptions where possible."""
    equations = [r for r in question.given if isinstance(r, sp.Eq)]
    for denominator in _DENOMINATORS:
        values = {s: v.limit_denominator(denominator) for s, v in near.items()}
        if all(_meet(sp.expand(e.lhs - e.rhs), values) for e in equations):
            filled = {name: _fill(entries, values) for name, entries in question.families.items()}
            yield {**question.sizes, **filled}


def _fill(nested: Any, values: Mapping[sp.Symbol, Any]) -> Any:
    if isinstance(nested, sp.Symbol):
        return values[nested]
    return [_fill(part, values) for part in nested]


def _meet(equation: sp.Expr, values: dict[sp.Symbol, Fraction]) -> bool:
    """Change values so that the polynomial vanishes: solve for one it is linear in, or move onto a unit sphere."""
    unknowns = sorted(equation.free_symbols, key=str)
    at = {s: sp.Rational(v.numerator, v.denominator) for s, v in values.items()}
    if equation.subs(at) == 0:
        return True
    for symbol in reversed(unknowns):
        linear = sp.Poly(equation, symbol)
        if linear.degree() == 1:
            solved = (-linear.nth(0) / linear.nth(1)).subs(at)
            if solved.is_Rational:
                values[symbol] = Fraction(int(solved.p), int(solved.q))
                return True
    if sp.expand(equation - (sum(s**2 for s in unknowns) - 1)) == 0:
        pole = min(
            unknowns, key=lambda s: abs(values[s])
        )  # project along it, from the farther side
        plane = {s: values[s] / (1 + abs(values[pole])) for s in unknowns if s != pole}
        square = sum((v * v for v in plane.values()), Fraction(0))
        values.update({s: 2 * v / (1 + square) for s, v in plane.items()})
        values[pole] = (1 if values[pole] >= 0 else -1) * (1 - square) / (1 + square)
        return True
    return False
