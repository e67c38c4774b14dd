"""What a claim is: symbols with domains, sides, assumptions, quantifier, source, false neighbour.

Everything here is data. The checkers read the same assumptions and sides that are printed for
people.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from itertools import accumulate, chain
from typing import Protocol

import numpy as np
import sympy as sp
from numpy.typing import ArrayLike, NDArray
from sympy.core.relational import Relational

from theorems.context import Context
from theorems.definedness import Condition, conditions_of, distinct
from theorems.evidence import Evidence, Verdict, combine
from theorems.expressions import arguments_of, compiled
from theorems.number_systems import Floats

__all__ = [
    "NUDGE",
    "Assumption",
    "Check",
    "ClaimError",
    "Evidence",
    "Proof",
    "Quantifier",
    "Sentinel",
    "Source",
    "Statement",
    "Variable",
    "Verdict",
    "combine",
]


class ClaimError(ValueError):
    """A claim that does not say anything that can be checked; one line says why and what would.

    Example:
        >>> from theorems import conjecture
        >>> conjecture("x <= x", over="parameters", x="[0, 1]", name="same")
        Traceback (most recent call last):
        theorems.statement.ClaimError: same: ...
    """


class Quantifier(StrEnum):
    """Over what a statement is claimed: every input, a mean, an event, a law, two chains, or a
    limit.

    Example:
        >>> Quantifier("mean field")
        <Quantifier.MEAN_FIELD: 'mean field'>
    """

    POINTWISE = "pointwise"  # every input
    EXPECTATION = "expectation"
    PROBABILITY = "probability"
    LAW = "law"  # what else there is of a distribution: a median, a variance
    COMPARISON = "comparison"  # two chains on the same weights
    LIMIT = "limit"  # depth or time to infinity
    MEAN_FIELD = "mean field"  # width to infinity


@dataclass(frozen=True)
class Source:
    """Where a claim is printed, or "ours".

    - ``paper``: a short name with an identifier, such as an arXiv number
    - ``place``: theorem, equation or figure in it; may be empty

    Example:
        >>> print(Source("D20 (arXiv 2003.01652)", "Theorem 2"))
        D20 (arXiv 2003.01652), Theorem 2
    """

    paper: str
    place: str

    def __post_init__(self) -> None:
        if not self.paper.strip():
            raise ValueError(f"paper={self.paper!r}: want where the claim is printed, or 'ours'")

    def __str__(self) -> str:
        return f"{self.paper}, {self.place}" if self.place else self.paper


@dataclass(frozen=True)
class Variable:
    """A symbol, or an indexed family when ``size`` is given, with its domain and meaning.

    - ``symbol``: a SymPy ``Symbol``, or an ``IndexedBase`` for a family
    - ``domain``: a SymPy set, ``Interval``, ``Reals``, or ``Range`` for whole numbers; its ends
      may name variables declared before it
    - ``meaning``: in a few words, as ``theorems show`` prints it
    - ``size``: of a family, one expression an axis; indices run from 0

    Example:
        >>> n, d = sp.symbols("n d", integer=True, positive=True)
        >>> width = Variable(d, sp.Range(n, sp.oo), "width, at least the batch size")
        >>> width.admit({"n": 4, "d": 8})
        >>> width.admit({"n": 4, "d": 3})
        Traceback (most recent call last):
        ValueError: d=...3...: width, at least the batch size, must lie in Range(n, oo, 1)
    """

    symbol: sp.Symbol | sp.IndexedBase
    domain: sp.Set
    meaning: str
    size: tuple[sp.Expr, ...] = ()

    @cached_property
    def name(self) -> str:
        return str(self.symbol)

    def admit(self, values: Mapping[str, ArrayLike]) -> None:
        """Refuse a value that leaves the domain, or a family of another size.

        ``values``: numbers or arrays by symbol name, of this variable and of all that its domain
        and size name; a value may have further axes, and then its worst entry is refused.

        Raises ``ValueError`` and names the symbol, what it got and what it wants.
        """
        array = np.asarray(values[self.name])
        want = tuple(int(_end_value(extent, values)) for extent in self.size)
        if array.shape[: len(want)] != want:
            raise ValueError(f"{self.name} has shape {array.shape}: {self.meaning}, of size {want}")
        if array.dtype.kind not in "biuf" or array.dtype.kind == "b":
            raise ValueError(
                f"{self.name}={values[self.name]!r}: want real numbers in {self.domain}"
            )
        domain = self.domain
        if isinstance(domain, sp.Range):
            low, high, left_open, right_open = domain.start, domain.stop - 1, False, False
            inside = np.isfinite(array) & np.equal(array, np.floor(array))
        else:
            low, high = domain.start, domain.end
            left_open, right_open = bool(domain.left_open), bool(domain.right_open)
            inside = np.isfinite(array)
        for end, compare in (
            (low, np.greater if left_open else np.greater_equal),
            (high, np.less if right_open else np.less_equal),
        ):
            if end not in (sp.oo, -sp.oo):
                inside = inside & compare(array, _end_value(end, values))
        if not np.all(inside):
            worst = np.broadcast_to(array, np.shape(inside))[~inside].flat[0]
            raise ValueError(f"{self.name}={worst!r}: {self.meaning}, must lie in {self.domain}")


def _admit_defined(symbol: sp.Symbol | sp.IndexedBase, value: ArrayLike) -> None:
    """Refuse a value that the defined quantity cannot take: not real and finite, or negative."""
    array = np.asarray(value)
    if array.dtype.kind not in "iuf" or not np.all(np.isfinite(array)):
        raise ValueError(f"{symbol}={value!r}: want finite real numbers")
    if symbol.is_nonnegative and np.any(array < 0):
        raise ValueError(f"{symbol}={value!r}: want numbers of at least 0")


def _end_value(end: sp.Expr, values: Mapping[str, ArrayLike]) -> Floats:
    """The number at the end of a domain, which may depend on other variables."""
    return _floats(end, tuple(sorted(end.free_symbols, key=str)), values)


def _floats(
    expression: sp.Expr,
    arguments: tuple[sp.Symbol | sp.IndexedBase, ...],
    values: Mapping[str, ArrayLike],
) -> Floats:
    given = (np.asarray(values[str(a)], dtype=float) for a in arguments)
    return compiled(expression, arguments).floats(*given)


@dataclass(frozen=True)
class Assumption:
    """A relation that inputs or every layer of a path must meet.

    The strategy that draws inputs, the simulator's event and the printed statement read this one
    relation. Where a side of it has no value it is not met.

    - ``words``: what people read
    - ``along``: "input" or "path"
    - ``defined``: where its sides have a value, as read from text before SymPy simplified it; None
      for what can be seen in the relation

    Example:
        >>> x = sp.Symbol("x", real=True)
        >>> Assumption(sp.Gt(x, 0), "x is positive").along
        'input'
    """

    relation: Relational
    words: str
    along: str = "input"
    defined: tuple[Condition, ...] | None = None

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """What must hold for the relation to say anything: each a comparison of an expression with
        0.

        Example:
            >>> x = sp.Symbol("x", real=True)
            >>> [str(c.relation) for c in Assumption(sp.Gt(1 / x, 1), "1/x above 1").conditions]
            ['Ne(x, 0)']
        """
        return conditions_of(self.relation) if self.defined is None else self.defined


NUDGE = sp.Rational(1, 10**6)
"""How far a sentinel may be off where exact arithmetic decides: a relative change to notice."""


@dataclass(frozen=True)
class Sentinel:
    """A false neighbour: the statement with one side or both replaced. It must be refuted.

    - ``words``: what was changed
    - ``lhs``, ``rhs``: the side in place of the statement's; None leaves it as it is

    Example:
        >>> n = sp.Symbol("n", positive=True)
        >>> Sentinel("twice as much", rhs=2 / n).rhs
        2/n
    """

    words: str
    lhs: sp.Expr | None = None
    rhs: sp.Expr | None = None


@dataclass(frozen=True, kw_only=True)
class Proof:
    """The Rocq theorem that speaks for a statement, and how the two are tied.

    - ``theorem``: its qualified name
    - ``link``: "kernel" where the statement can be printed to Rocq, so that the kernel compares the
      print with the theorem, and "name" where it cannot
    - ``gloss``: of a theorem tied by name, what it says in words
    - ``leaves``: what the theorem does not cover or takes as a hypothesis; unless it is empty, the
      proof is of a part only
    - ``script``: one tactic expression, in which THEOREM stands for the theorem, that leads to the
      print where the two differ in shape; the kernel checks its result
    - ``refutes``: the theorem is the negation of the statement
    - ``structure``: the field the statement is printed over, where the least that its operations
      need is not what the theorem has: a structure of mathcomp, or ``R`` for Coq's real numbers
    - ``also``: theorems that say more on the same subject

    Raises ``ValueError`` for a link of another kind, one by name without ``gloss``, one by the
    kernel that leaves something, and a script that is no single tactic expression.

    Example:
        >>> Proof(theorem="BatchNorm.common.Sums.cauchy_schwarz").link
        'kernel'
    """

    theorem: str
    link: str = "kernel"
    gloss: str = ""
    leaves: str = ""
    script: str = ""
    refutes: bool = False
    structure: str = ""
    also: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.link not in ("kernel", "name"):
            raise ValueError(f"link={self.link!r}: want 'kernel' or 'name'")
        if self.link == "name" and not self.gloss:
            raise ValueError(f"{self.theorem}: linked by name only, so gloss must say what it says")
        if self.link == "kernel" and self.leaves:
            raise ValueError(
                f"{self.theorem}: what the kernel ties is the statement itself; it leaves nothing"
            )
        steps = ((c == "(") - (c == ")") for c in self.script)
        depths = [0, *accumulate(steps)]
        if min(depths) < 0 or depths[-1] or re.search(r"\.(\s|$)", self.script):
            raise ValueError(
                f"{self.theorem}: the script {self.script!r} is not one tactic expression"
            )


class Check(Protocol):
    """Attacks a statement and, with the same means, its false neighbour.

    A check may also have ``words``, a text or a function of the statement that gives one: what it
    does, from its own settings, for ``theorems show``; without them the head of its docstring is
    shown.
    """

    def __call__(self, statement: Statement, context: Context) -> Evidence: ...


_RELATIONS = {"<=": sp.Le, "<": sp.Lt, ">=": sp.Ge, ">": sp.Gt, "==": sp.Eq, "!=": sp.Ne}


@dataclass(frozen=True, kw_only=True)
class Statement:
    """A claim ``lhs relation rhs`` with everything needed to print it, attack it and prove it.

    Free symbols of the sides and assumptions must be declared in ``variables`` (what a user may set
    or a strategy draws) or in ``definitions`` (symbols that stand for a quantity computed from the
    variables, such as an expectation or an integral; the value is its definition, SymPy or words).
    A family defined entry by entry is an ``IndexedBase`` with a shape, and its definition a
    ``Lambda`` of its indices, which run from 0. A variable with a ``Range`` that a family is
    indexed by is an index: the claim is about every one.

    - ``family``, ``theorem``, ``variant``: its name, ``family.theorem:variant``
    - ``title``, ``remark``: for people; ``source``: where it is printed
    - ``ceiling``: the trivial upper bound of ``lhs``: where ``rhs`` reaches it the statement is
      vacuous
    - ``defined``: the conditions under which both sides have a value, as read from text before
      SymPy simplified it; None for what can be seen in the sides and definitions. Where one fails,
      inside the domains and assumptions, a claim about every input is false: it says something
      about what is not there
    - ``relation``: one of ``<=``, ``<``, ``>=``, ``>``, ``==``, ``!=``
    - ``sentinel``: its false neighbour; ``expected``: the verdict that a run should find
    - ``checks``: what attacks it, called with the statement and a ``Context``
    - ``chain``, ``observables``: what it is about, in the simulators' words
    - ``depends_on``: full names of statements; it is no stronger than the weakest of them
    - ``proof``: the Rocq theorem that speaks for it

    Raises ``ValueError`` for what cannot be a claim: a stray symbol, a float, a name declared
    twice, a sentinel that changes nothing.

    Example:
        >>> from theorems.templates.pointwise import STATEMENT
        >>> STATEMENT.claim
        Sum(lambda[i]**2, (i, 0, n - 1)) >= 1/n
        >>> STATEMENT.neighbour.rhs
        1001/(1000*n)
    """

    family: str
    theorem: str
    title: str
    quantifier: Quantifier
    source: Source
    variables: tuple[Variable, ...]
    lhs: sp.Expr
    relation: str
    rhs: sp.Expr
    sentinel: Sentinel
    expected: Verdict
    checks: tuple[Check, ...]
    variant: str = ""
    assumptions: tuple[Assumption, ...] = ()
    definitions: Mapping[sp.Symbol | sp.IndexedBase, sp.Expr | str] = field(default_factory=dict)
    chain: str | None = None
    observables: tuple[str, ...] = ()
    ceiling: sp.Expr | None = None
    depends_on: tuple[str, ...] = ()
    remark: str = ""
    proof: Proof | None = None
    defined: tuple[Condition, ...] | None = None

    def __post_init__(self) -> None:
        if self.relation not in _RELATIONS:
            raise ValueError(f"relation={self.relation!r}: want one of {', '.join(_RELATIONS)}")
        optional = (self.ceiling, self.sentinel.lhs, self.sentinel.rhs)
        sides = [
            *(self.lhs, self.rhs),
            *(a.relation for a in self.assumptions),
            *(side for side in optional if side is not None),
            *(c.relation for c in self.defined or ()),
        ]
        names = [v.name for v in self.variables] + [str(x) for x in self.definitions]
        for side in sides:
            free = {s for s in side.free_symbols if not isinstance(s, sp.Indexed)}
            used = {str(x) for x in free | side.atoms(sp.IndexedBase)}
            if stray := ", ".join(sorted(used.difference(names))):
                raise ValueError(
                    f"{self.name}: symbol(s) {stray} are neither variables nor definitions"
                )
            if floats := side.atoms(sp.Float):
                raise ValueError(
                    f"{self.name}: {floats.pop()} is a float; write an exact number, sp.Rational"
                )
        self._require_distinct_names(names, sides)
        for name, meaning in self.definitions.items():
            if isinstance(name, sp.IndexedBase) and not (
                isinstance(meaning, sp.Lambda) and len(name.shape or ()) == len(meaning.variables)
            ):
                raise ValueError(
                    f"{self.name}: the family {name} needs a shape, and a Lambda of as many indices"
                )
        if self.neighbour_sides == (self.lhs, self.rhs):
            raise ValueError(f"{self.name}: the sentinel changes nothing, so it cannot be refuted")

    def _require_distinct_names(self, names: list[str], sides: Sequence[sp.Basic]) -> None:
        """A name stands for one thing, a definition for what was declared before it.

        Else nothing may satisfy both.
        """
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"{self.name}: {twice.pop()} is declared twice")
        meanings = {str(x): m for x, m in self.definitions.items() if isinstance(m, sp.Basic)}
        for name, meaning in meanings.items():
            if early := {str(x) for x in meaning.free_symbols} & set(names[names.index(name) :]):
                raise ValueError(
                    f"{self.name}: {name} is defined by {early.pop()}, which is not declared "
                    "before it"
                )
        symbols: dict[str, sp.Symbol] = {}
        for e in (*sides, *meanings.values()):
            for x in e.atoms(sp.Symbol) - {base.label for base in e.atoms(sp.IndexedBase)}:
                if symbols.setdefault(str(x), x) != x:
                    raise ValueError(
                        f"{self.name}: two symbols are named {x}; give them the same assumptions"
                    )

    @property
    def name(self) -> str:
        """Its name among all: ``family.theorem`` or, of a variant, ``family.theorem:variant``."""
        return f"{self.family}.{self.theorem}" + (f":{self.variant}" if self.variant else "")

    @property
    def claim(self) -> sp.Basic:
        """The claim as one SymPy relation, unevaluated: ``lhs`` and ``rhs`` stand as they were
        given.

        Example:
            >>> from theorems.templates.pointwise import STATEMENT
            >>> str(STATEMENT.claim)
            'Sum(lambda[i]**2, (i, 0, n - 1)) >= 1/n'
        """
        return _RELATIONS[self.relation](self.lhs, self.rhs, evaluate=False)

    @property
    def neighbour(self) -> Statement:
        """The sentinel as a statement of its own, false on purpose.

        By its values, never for want of one.
        """
        lhs, rhs = self.neighbour_sides
        # its own sentinel must differ from it, and may as well be the claim
        claim = Sentinel("the claim", self.lhs, self.rhs)
        return replace(self, lhs=lhs, rhs=rhs, sentinel=claim, defined=())

    @property
    def along_path(self) -> tuple[Relational, ...]:
        """What is assumed of every layer of a path, in the order of the assumptions."""
        return tuple(a.relation for a in self.assumptions if a.along == "path")

    @cached_property
    def conditions(self) -> tuple[Condition, ...]:
        """What must hold for both sides to have a value.

        What a part needs stands before what the whole needs.
        """
        if self.defined is not None:
            return self.defined
        sizes = {v.name: v.size for v in self.variables if v.size}
        sizes |= {str(x): tuple(x.shape) for x in self.definitions if isinstance(x, sp.IndexedBase)}
        bounds = {
            v.symbol: (v.domain.start, v.domain.stop - 1)
            for v in self.variables
            if isinstance(v.domain, sp.Range)
        }
        read: list[sp.Basic] = []
        for name, meaning in self.definitions.items():
            if isinstance(meaning, sp.Lambda):
                ends = zip(meaning.variables, name.shape, strict=True)
                read.append(sp.Sum(meaning.expr, *((i, 0, size - 1) for i, size in ends)))
            elif isinstance(meaning, sp.Basic) and not meaning.has(sp.Integral):
                read.append(meaning)
        read += [self.lhs, self.rhs]
        return distinct(chain.from_iterable(conditions_of(e, sizes, bounds) for e in read))

    @property
    def conditions_read(self) -> tuple[Condition, ...]:
        """Those of the sides and of the assumptions that were read with them.

        They cannot be seen in them.
        """
        read = [self.defined, *(a.defined for a in self.assumptions)]
        return distinct(chain.from_iterable(found or () for found in read))

    @property
    def definedness(self) -> tuple[Statement, ...]:
        """Each of its conditions as a claim of its own about the same inputs.

        For whoever decides claims.
        """
        none = Sentinel("none is needed", lhs=sp.S.Zero, rhs=sp.S.One)
        return tuple(
            replace(
                self,
                lhs=c.relation.lhs,
                relation=c.relation.rel_op,
                rhs=c.relation.rhs,
                ceiling=None,
                defined=(),
                title=c.words,
                sentinel=none,
            )
            for c in self.conditions
        )

    @property
    def neighbour_sides(self) -> tuple[sp.Expr, sp.Expr]:
        """The left and the right side of the false neighbour; of what its sentinel leaves, those of
        the claim.
        """
        s = self.sentinel
        return (self.lhs if s.lhs is None else s.lhs), (self.rhs if s.rhs is None else s.rhs)

    def bound(self, **values: ArrayLike) -> Floats:
        """``rhs`` at ``values``, in float64, broadcasting over arrays.

        - ``values``: numbers or arrays by the names of symbols, one for each that ``rhs`` needs

        Assumptions are not asked: they may speak of what ``rhs`` does not need, and no value is
        given for.

        Raises ``TypeError`` for a missing or unknown symbol and ``ValueError`` outside a domain.
        Cost: one compiled NumPy expression.

        Example:
            >>> from theorems.templates.expectation import STATEMENT
            >>> STATEMENT.bound(n=4, d=np.array([64, 256])).tolist()
            [0.25, 0.125]
        """
        return self._floats(self.rhs, values)

    def top(self, **values: ArrayLike) -> Floats:
        """The trivial ceiling of ``lhs`` at ``values``, in float64; infinite where none is known.

        Raises as `bound` does.

        Example:
            >>> from theorems.templates.expectation import STATEMENT
            >>> round(float(STATEMENT.top(n=4, d=64)), 3)
            0.866
        """
        if self.ceiling is None:
            return np.inf
        return self._floats(self.ceiling, _named(values, self.ceiling.free_symbols))

    def trivial(self, **values: ArrayLike) -> bool | NDArray[np.bool_]:
        """True where the bound cannot fail: ``rhs`` at or above the ceiling of ``lhs``.

        Raises as `bound` does.

        Example:
            >>> from theorems.templates.expectation import STATEMENT
            >>> STATEMENT.trivial(n=4, d=np.array([4, 64])).tolist()
            [True, False]
        """
        names = {v.symbol for v in self.variables} | self.rhs.free_symbols
        return self.bound(**_named(values, names)) >= self.top(**values)

    def _floats(self, expression: sp.Expr, values: Mapping[str, ArrayLike]) -> Floats:
        arguments = arguments_of(expression)
        declared = {v.name for v in self.variables} | {str(s) for s in self.definitions}
        if missing := {str(a) for a in arguments} - set(values):
            raise TypeError(f"{self.name}: value needed for {', '.join(sorted(missing))}")
        if unknown := set(values) - declared:
            known = ", ".join(sorted(declared))
            raise TypeError(f"{self.name}: no symbol {', '.join(sorted(unknown))}; it has {known}")
        for variable in self.variables:
            if variable.name in values:
                variable.admit(values)
        for symbol in self.definitions:
            if str(symbol) in values:
                _admit_defined(symbol, values[str(symbol)])
        return _floats(expression, arguments, values)


def _named(values: Mapping[str, ArrayLike], symbols: Iterable[sp.Basic]) -> dict[str, ArrayLike]:
    """Those of the values that are of one of these symbols."""
    names = {str(x) for x in symbols}
    return {name: value for name, value in values.items() if name in names}
