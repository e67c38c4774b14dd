"""A claim about every input decided on its whole domain: input by input, on the real line, by z3,
or box by box.

What is left of a claim at one choice of its whole numbers (of the batch size, for spectra) is a
claim in some real numbers. In one it is decided on the real line; in two and three z3 may decide
it, or branch and bound, which encloses both sides over boxes. An algebraic claim in so few numbers
that stays open is not for draws: they never meet the curves and points on which it may fail.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cmp_to_key
from itertools import chain, islice, pairwise, product
from typing import Any, TypeAlias

import sympy as sp
from sympy.core.relational import Relational

from theorems.algebraic import Point, Root, number, order, rational, within
from theorems.checking.covering import Cover, Region, cover
from theorems.checking.real_line import as_point, decide_on_line
from theorems.checking.smt import (
    Answer,
    MissingSolverError,
    UntranslatableError,
    ask,
    require_algebraic,
)
from theorems.context import Context
from theorems.statement import Assumption, Sentinel, Statement, Variable
from theorems.workbench.domains import Domain, in_turn
from theorems.workbench.exact_values import INDEX, LAMBDA, LEAST
from theorems.workbench.spaces import Item, Space

__all__ = [
    "Choice",
    "Settled",
    "ask_z3",
    "choices",
    "covered",
    "covered_at",
    "every_item",
    "exact_witness",
    "on_lines",
    "proposed",
    "solved",
]

Choice: TypeAlias = tuple[tuple[str, int], ...]
Refutes: TypeAlias = Callable[[Item], bool]

#: A domain of more inputs than this is not gone through one by one.
_FEW = 1000
#: Choices of the whole numbers that are gone through, and of one that goes on without end.
_CHOICES, _FIRST = 200, 3
#: Boxes have so many sides at most.
_REALS = 3
#: A claim in more numbers may be left to draws; in one less, if eigenvalues are among them.
_VARYING = 3
#: For one question to z3, in its units: about a second.
_WORK = 1_000_000
#: Of the sizes, the first so many are asked for a counterexample, and a domain of at most so many
#: for a proof.
_ASKED, _PROVED = 3, 8
#: After so many questions that z3 gave up on, no more are asked: larger sizes would cost as much.
_GIVEN_UP = 1


# --- choices of whole numbers ---------------------------------------------------------------------


def choices(
    domains: Sequence[Domain], first: int | None = None, known: Mapping[str, Fraction] | None = None
) -> Iterator[dict[str, Fraction]]:
    """Every choice of whole numbers, in order, one at a time: there may be any number of them.

    - ``domains``: of whole numbers
    - ``first``: so many alone of those that go on without end
    - ``known``: what is chosen already

    Example:
        >>> n = Domain(sp.Symbol("n"), sp.Range(2, 4))
        >>> list(map(chosen, choices([n])))
        [(('n', 2),), (('n', 3),)]
    """

    def numbers(domain: Domain, before: Mapping[str, Fraction]) -> Iterator[Fraction]:
        low, high = (int(e) for e in domain.ends(before))
        if first is not None and domain.endless:
            high = min(high, low + first - 1)
        return map(Fraction, range(low, high + 1))

    return in_turn(domains, numbers, known or {})


def chosen(sizes: Mapping[str, Fraction | int]) -> Choice:
    """A choice of whole numbers as a key.

    - ``sizes``: by name, in any order

    Example:
        >>> chosen({"n": Fraction(2), "d": 4})
        (('d', 4), ('n', 2))
    """
    return tuple(sorted((name, int(size)) for name, size in sizes.items()))


def every_item(space: Space) -> list[Item] | None:
    """All inputs of a finite domain of whole numbers.

    None if it is infinite, has more than a thousand, or is one of spectra or matrices.

    Example:
        >>> coin = Space("parameters", (Domain(sp.Symbol("k"), sp.Range(0, 2)),))
        >>> every_item(coin)
        [{'k': Fraction(0, 1)}, {'k': Fraction(1, 1)}]
    """
    if space.over != "parameters" or any(not x.whole or x.endless for x in space.domains):
        return None
    found = list(islice(choices(space.domains), _FEW + 1))
    return [x for x in found if space.contains(x)] if len(found) <= _FEW else None


@dataclass(frozen=True)
class Settled:
    """What became of one comparison over the whole domain.

    - ``words``: how all of it was found to hold; None if it was not
    - ``witness``: an input that violates
    - ``choices``: those of whole numbers at which it holds
    - ``open``: those at which it stays open though algebraic
    - ``details``: what else is to be recorded
    """

    words: str | None = None
    witness: Item | None = None
    choices: frozenset[Choice] = frozenset()
    open: frozenset[Choice] = frozenset()
    details: dict[str, Any] = field(default_factory=dict)


# --- claims about spectra as claims about numbers -------------------------------------------------


def opened_claim(space: Space, statement: Statement) -> Statement | None:
    """The comparison about its variables alone, quantities written out in the eigenvalues.

    None where they cannot be.
    """
    if space.over == "parameters":
        return replace(statement, defined=())
    if space.over != "spectra":
        return None
    n = space.domain("n").symbol
    written = {q.symbol: q.in_eigenvalues(n) for q in space.measured}
    if None in written.values():
        return None
    variables = list(statement.variables)
    if "lambda" not in {v.name for v in variables}:
        variables.append(Variable(LAMBDA, sp.Interval(0, 1), "eigenvalues", size=(n,)))
    total = sp.Sum(LAMBDA[INDEX], (INDEX, 0, n - 1))
    given = [
        replace(a, relation=a.relation.subs(written), defined=None) for a in statement.assumptions
    ]
    return _plain_claim(
        statement,
        (statement.lhs.subs(written), statement.rhs.subs(written)),
        [*given, Assumption(sp.Eq(total, 1), "the eigenvalues sum to 1")],
        variables,
        {LEAST: "min_i lambda[i]"},
    )


def _plain_claim(
    statement: Statement,
    sides: tuple[sp.Expr, sp.Expr],
    assumptions: Sequence[Assumption],
    variables: Sequence[Variable],
    definitions: Mapping[sp.Symbol, str],
) -> Statement:
    lhs, rhs = sides
    return replace(
        statement,
        lhs=lhs,
        rhs=rhs,
        assumptions=tuple(assumptions),
        variables=tuple(variables),
        definitions=definitions,
        ceiling=None,
        defined=(),
        sentinel=Sentinel("none is needed", lhs=lhs + 1, rhs=rhs + 2),
    )


def smaller_eigenvalues(size: int) -> list[sp.Symbol]:
    """The eigenvalues after the largest, descending; no author can declare these names.

    - ``size``: the number n of all eigenvalues, at least 1

    Example:
        >>> smaller_eigenvalues(3)
        [lambda[1], lambda[2]]
    """
    return [sp.Symbol(f"lambda[{k}]", nonnegative=True) for k in range(1, size)]


def at_size(space: Space, statement: Statement, size: int) -> Statement | None:
    """The claim about spectra of one size as one about the smaller eigenvalues.

    None where that cannot be written.
    """
    if (opened := opened_claim(space, statement)) is None:
        return None
    n = space.domain("n").symbol
    smaller = smaller_eigenvalues(size)
    spectrum = (sp.S.One - sum(smaller), *smaller)

    def at(side: sp.Expr) -> sp.Expr:
        plain = side.subs(n, size).doit()
        places = {x: spectrum[int(x.indices[0])] for x in plain.atoms(sp.Indexed)}
        return plain.xreplace(places).subs(LEAST, spectrum[-1])

    def at_assumption(given: Assumption) -> Assumption:
        relation = given.relation.func(*map(at, given.relation.args), evaluate=False)
        return replace(given, relation=relation, defined=None)

    try:
        sides = at(opened.lhs), at(opened.rhs)
        given = list(map(at_assumption, opened.assumptions))
    except (IndexError, TypeError):
        return None  # an eigenvalue that is not there at this size
    given += [
        Assumption(sp.Le(b, a, evaluate=False), "the eigenvalues descend")
        for a, b in pairwise(spectrum)
    ]
    variables = [v for v in opened.variables if not v.size]
    variables += [Variable(s, sp.Interval(0, 1), "eigenvalue") for s in smaller]
    return _plain_claim(opened, sides, given, variables, {})


def _with_spectrum(space: Space, values: Item) -> Item:
    """An item of the values of all symbols, the smaller eigenvalues among them."""
    found = {x.name: values[x.name] for x in space.domains}
    if space.over == "spectra":
        rest = [values[str(s)] for s in smaller_eigenvalues(int(found["n"]))]
        plain = all(isinstance(x, Fraction) for x in rest)
        largest = 1 - sum(rest, Fraction(0)) if plain else as_point(1 - sum(map(number, rest)))
        found["spectrum"] = (largest, *rest)
    return found


def _key(what: str, space: Space, statement: Statement) -> tuple[object, ...]:
    """Under what the outcome for a claim is remembered, for all who ask."""
    sides = (statement.lhs, statement.relation, statement.rhs)
    return (what, *sides, statement.assumptions, space.domains)


# --- on the real line -----------------------------------------------------------------------------


@dataclass(frozen=True)
class _Piece:
    """The claim at one choice of whole numbers, and the numbers that still vary."""

    known: Mapping[str, Fraction]
    claim: Relational
    given: tuple[Relational, ...]
    varying: tuple[sp.Symbol, ...]
    integers: bool

    @property
    def algebraic(self) -> bool:
        try:
            for side in chain.from_iterable(
                relation.args for relation in (self.claim, *self.given)
            ):
                require_algebraic(side)
        except UntranslatableError:
            return False
        return True


def on_lines(space: Space, statement: Statement, refutes: Refutes, context: Context) -> Settled:
    """Decide every piece in one number exactly; those in two and three stay open.

    - ``refutes``: decides a witness again, by the meaning that the space gives it
    - ``context``: one run serves all who ask with its memory

    Example:
        >>> from theorems import conjecture
        >>> claim = conjecture("(x - 1)**2 >= 0", over="parameters", x="[0, 2]", name="square")
        >>> statement, context = claim.statement(falsify=False), Context(seed=0, level=1e-6)
        >>> on_lines(claim.space, statement, lambda item: False, context).words
        'decided on the whole line, in 7 cells where nothing changes sign'
    """
    return context.remembered(
        _key("lines", space, statement), lambda: _on_lines(space, statement, refutes, context)
    )


def _on_lines(space: Space, statement: Statement, refutes: Refutes, context: Context) -> Settled:
    settled: set[Choice] = set()
    left: set[Choice] = set()
    whole, cells = not any(x.endless for x in _listed(space)), 0
    for count, piece in enumerate(_pieces(space, statement)):
        if count == _CHOICES:
            whole = False
            break
        if piece is None or not piece.algebraic:
            whole = False
            continue
        choice = chosen(piece.known)
        if context.expired or len(piece.varying) > 1:
            left.add(choice)
            continue
        x = piece.varying[0] if piece.varying else sp.Dummy("x", real=True)
        outcome = decide_on_line(piece.claim, piece.given, x, whole=piece.integers)
        point = outcome.undefined if outcome.witness is None else outcome.witness
        if point is not None:
            item = _with_spectrum(space, {**piece.known, str(x): point})
            if refutes(item):
                return Settled(witness=item)
        if outcome.holds or outcome.nothing:
            settled.add(choice)
            cells += outcome.cells
        else:
            left.add(choice)
    words = None
    if whole and settled and not left:
        at = f", at each of {len(settled)} choices of whole numbers" * (len(settled) != 1)
        many = f"{cells} cell{'s' * (cells != 1)}"
        words = f"decided on the whole line, in {many} where nothing changes sign{at}"
    return Settled(words, None, frozenset(settled), frozenset(left))


def _listed(space: Space) -> tuple[Domain, ...]:
    """The whole numbers that are chosen one by one.

    All are, but for the last one where no real number varies.
    """
    whole = tuple(x for x in space.domains if x.whole)
    if space.over == "spectra" or len(whole) < len(space.domains):
        return whole
    kept = max(whole, key=lambda x: (x.endless, x.ends({})[1] - x.ends({})[0]))
    return tuple(x for x in whole if x is not kept)


def _pieces(space: Space, statement: Statement) -> Iterator[_Piece | None]:
    """The claim at each choice of whole numbers.

    None for one in more numbers than a few, or that cannot be written out.
    """
    if space.computed or space.over not in ("parameters", "spectra"):
        yield None
        return
    listed = _listed(space)
    rest = tuple(x for x in space.domains if x not in listed)
    for known in islice(choices(listed, _FIRST), _CHOICES + 1):
        size = int(known["n"]) if space.over == "spectra" else 1
        if len(rest) + size - 1 > (_VARYING if size == 1 else _VARYING - 1):
            yield None
            continue
        part = at_size(space, statement, size) if space.over == "spectra" else statement
        if part is None:
            yield None
            continue
        fixed = {x.symbol: sp.Integer(int(known[x.name])) for x in listed}
        relations = [part.claim, *(a.relation for a in part.assumptions)]
        claim, *given = (
            r.func(r.lhs.subs(fixed), r.rhs.subs(fixed), evaluate=False) for r in relations
        )
        places = {x.symbol: x.set.subs(fixed) for x in rest}
        places |= dict.fromkeys(smaller_eigenvalues(size), sp.Interval(0, 1))
        inside = chain.from_iterable(within(x, _interval(place)) for x, place in places.items())
        integers = [isinstance(place, sp.Range) for place in places.values()] == [True]
        yield _Piece(known, claim, (*inside, *given), tuple(places), integers)


def _interval(place: sp.Set) -> sp.Interval:
    return sp.Interval(place.inf, place.sup) if isinstance(place, sp.Range) else place


# --- by z3 ----------------------------------------------------------------------------------------


def proposed(space: Space, statement: Statement) -> Iterator[Item | None]:
    """What z3 says of polynomial claims at the smallest sizes; None where it shows no input.

    Of the comparison alone: whether the sides have a value is a claim of its own
    (``Statement.definedness``). Nothing comes where it does not apply or is not installed.
    """
    if (opened := opened_claim(space, statement)) is None:
        return
    whole = [x for x in space.domains if x.whole]
    smallest = product(*[product([x.name], map(int, x.corners({})[:2])) for x in whole])
    for sizes in islice(smallest, _ASKED):
        if (answer := ask_z3(opened, dict(sizes))) is None:
            return
        yield None if answer.witness is None else _solved_item(answer.witness)


def solved(
    space: Space,
    statement: Statement,
    refutes: Refutes,
    known: frozenset[Choice] = frozenset(),
    stop: Callable[[], bool] = lambda: False,
) -> Settled:
    """Ask z3 at every choice of whole numbers, if they are few.

    - ``refutes``: decides an input again
    - ``known``: choices that are settled already
    - ``stop``: whether no time is left

    Where they are many, or go on without end, the first are asked for inputs that violate. A proof
    speaks of inputs at which every root and quotient is defined; that there are no others is
    another claim.
    """
    if space.computed or (opened := opened_claim(space, statement)) is None:
        return Settled()
    whole = [x for x in space.domains if x.whole]
    listed = list(map(chosen, islice(choices(whole), _PROVED + 1)))
    all_of_them = len(listed) <= _PROVED and not any(x.endless for x in whole)
    solver, settled, given_up = "", set(known), 0
    for choice in listed[: _PROVED if all_of_them else _ASKED]:
        if choice in known:
            continue
        if stop() or given_up == _GIVEN_UP or (answer := ask_z3(opened, dict(choice))) is None:
            break
        if answer.witness is not None and refutes(item := _solved_item(answer.witness)):
            return Settled(witness=item)
        solver, given_up = answer.solver, given_up + (answer.holds is None)
        if answer.holds:
            settled.add(choice)
    words = None
    if solver and all_of_them and set(listed) <= settled:
        sizes = f", at each of {len(listed)} sizes" * bool(whole)
        words = f"{solver}: the negation has no solution{sizes}"
    return Settled(words, None, frozenset(settled))


def ask_z3(opened: Statement, sizes: Mapping[str, int]) -> Answer | None:
    """What z3 says of a statement at these sizes.

    - ``sizes``: a whole number for each whole-numbered variable

    None where z3 is not installed, or the claim is not one about polynomials, roots and cases.
    Cost: about a second, in z3's own count.
    """
    try:
        return ask(opened, sizes, work=_WORK)
    except (MissingSolverError, UntranslatableError, ValueError):
        return None


def _solved_item(witness: Item) -> Item:
    item = {name: exact_witness(value) for name, value in witness.items()}
    if "lambda" in item:
        descending = sorted(item.pop("lambda"), key=cmp_to_key(order), reverse=True)
        item["spectrum"] = tuple(descending)
    return item


def exact_witness(value: Any) -> Any:
    """What z3 found for a symbol or a family, as fractions and roots, nested in tuples.

    Example:
        >>> exact_witness([1, [Fraction(1, 2)]])
        (Fraction(1, 1), (Fraction(1, 2),))
    """
    if isinstance(value, list | tuple):
        return tuple(map(exact_witness, value))
    return value if isinstance(value, Root) else Fraction(value)


# --- box by box -----------------------------------------------------------------------------------

_Part: TypeAlias = tuple[Statement, list[Region]]


def covered(space: Space, statement: Statement, refutes: Refutes, context: Context) -> Cover | None:
    """Branch and bound over the domain; None where it is not made of a few boxes.

    - ``refutes``: decides an input again
    - ``context``: one search serves all who ask with its memory

    Of the comparison alone: whether the sides have a value is a claim of its own
    (``Statement.definedness``). The witness is an item of the space. Spectra of two and three
    eigenvalues are boxes of all but the largest.

    Example:
        >>> from theorems import conjecture
        >>> claim = conjecture("x*y <= 2", over="parameters", x="[0, 1]", y="[0, 1]", name="c")
        >>> statement, context = claim.statement(falsify=False), Context(seed=0, level=1e-6)
        >>> covered(claim.space, statement, lambda item: False, context).complete
        True
    """
    return context.remembered(
        _key("cover", space, statement),
        lambda: _cover(space, _parts(space, statement), refutes, context),
    )


def covered_at(
    space: Space, statement: Statement, known: Choice, refutes: Refutes, context: Context
) -> Cover | None:
    """As `covered`, at one choice of the whole numbers, of which there may be endlessly many.

    - ``known``: the choice, as `chosen` gives it; it is not remembered
    """
    whole = {name: Fraction(value) for name, value in known}
    size = dict(known)["n"] if space.over == "spectra" else None
    return _cover(space, [_part(space, statement, [whole], size)], refutes, context)


def _cover(
    space: Space, parts: Sequence[_Part | None], refutes: Refutes, context: Context
) -> Cover | None:
    def violates(values: Mapping[str, Point]) -> bool:
        return refutes(_with_spectrum(space, values))

    there = [part for part in parts if part is not None]
    if len(there) < len(parts):
        return None
    covers = [cover(part, regions, violates, lambda: context.expired) for part, regions in there]
    witness = next((c.witness for c in covers if c.witness is not None), None)
    touching = chain.from_iterable(c.touching for c in covers)
    return Cover(
        sum(c.settled for c in covers),
        sum(c.open for c in covers),
        sum(c.share for c in covers) / len(covers),
        None if witness is None else _with_spectrum(space, witness),
        tuple(_with_spectrum(space, values) for values in touching),
    )


def _parts(space: Space, statement: Statement) -> list[_Part | None]:
    """The claim in real symbols alone with its boxes, for each batch size if about spectra."""
    whole = [x for x in space.domains if x.whole]
    if any(x.endless for x in whole) or space.over not in ("parameters", "spectra"):
        return [None]
    if space.over == "parameters":
        return [_part(space, statement, choices(whole), None)]
    low, high = (int(e) for e in space.domain("n").ends({}))
    others = [x for x in whole if x.name != "n"]
    if high > _REALS:
        return [None]
    return [
        _part(space, statement, choices(others, known={"n": Fraction(size)}), size)
        for size in range(low, high + 1)
    ]


def _part(
    space: Space, statement: Statement, listed: Iterable[Mapping[str, Fraction]], size: int | None
) -> _Part | None:
    """The claim with the boxes of the real symbols at each choice.

    At a batch size, also of all eigenvalues but the largest.
    """
    real, smaller = tuple(x for x in space.domains if not x.whole), smaller_eigenvalues(size or 1)
    names = (*(x.name for x in real), *map(str, smaller))
    depend = set(chain.from_iterable(c.arguments for c in space.computed))
    depend |= set(map(str, chain.from_iterable(x.set.free_symbols for x in real)))
    few = (real or size) and len(names) <= _REALS
    if statement.relation == "==" or not few or depend & {x.name for x in real}:
        return None
    if size is not None and space.computed:
        return None
    found: list[Region] = []
    for choice in listed:
        hulls = [x.hull(choice) for x in real]
        ends = [hull for hull in hulls if hull is not None]
        if len(found) == _CHOICES or len(ends) < len(hulls):
            return None
        ends += [(Fraction(0), Fraction(1, k + 2)) for k in range(len(smaller))]
        box = tuple((rational(low), rational(high)) for low, high in ends)
        if all(low <= high for low, high in box):
            computed = {c.name: c.at(choice) for c in space.computed}
            found.append(Region({**choice, **computed}, names, box))
    plain = replace(statement, defined=()) if size is None else at_size(space, statement, size)
    return None if plain is None else (plain, found)
