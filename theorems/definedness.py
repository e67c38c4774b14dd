"""Where an expression has a value: the conditions under which no part of it is undefined.

A quotient wants a denominator that is not 0, a root and a power that is not whole a base of at least 0, a logarithm a
positive number, an arc cosine one in [-1, 1], a negative power a base that is not 0, a member of a family a place that
is there. 0**0 is 1, as in Python, SymPy and Rocq. What stands in a branch is wanted only where the branch is taken.

SymPy simplifies what it is given: x**2/x becomes x, and 0*log(x) becomes 0. So the reader of text collects conditions
from the syntax, while it reads; of SymPy expressions :func:`conditions_of` says what can still be seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TypeAlias

import sympy as sp
from sympy.core.relational import Relational

from theorems.minibatch_averages import Average, AverageWithoutReplacement, BatchSum

__all__ = ["Condition", "conditions_of", "distinct", "of_function", "of_power", "of_quotient"]


@dataclass(frozen=True)
class Condition:
    """``relation``, an expression >= 0, > 0 or != 0, must hold: else a part has no value, and ``words`` say which.

    ``Condition(sp.Ne(x, 0), "x**2/x divides by x")``. A condition that ``counts`` has minus the number of failures on
    its left.
    """

    relation: Relational
    words: str
    counts: bool = False


Conditions: TypeAlias = tuple[Condition, ...]
Sizes: TypeAlias = Mapping[str, tuple[sp.Expr, ...]]
_Bounds: TypeAlias = Mapping[sp.Symbol, tuple[sp.Expr, sp.Expr]]


def of_quotient(denominator: sp.Expr, words: str) -> Conditions:
    """That the denominator is not 0, factor by factor."""
    found: Conditions = ()
    for factor in sp.Mul.make_args(denominator):
        core = factor
        while isinstance(core, sp.Abs) or (isinstance(core, sp.Pow) and core.exp.is_positive):
            core = core.args[0]
        if core.is_zero is not False:
            found += (Condition(sp.Ne(core, 0, evaluate=False), words),)
    return found


def of_power(base: sp.Expr, exponent: sp.Expr, words: str) -> Conditions:
    """That ``base**exponent`` is a real number; ``0**0`` is, and is 1."""
    found: Conditions = ()
    if exponent.is_integer is not True:
        found += _at_least(base, words)
    if exponent.is_nonnegative or base.is_zero is False:
        return found
    if exponent.is_negative:
        return found + of_quotient(base, words)
    kept = _where(
        Condition(sp.Ne(base, 0, evaluate=False), words), (sp.Lt(exponent, 0, evaluate=False),)
    )
    return (*found, kept)


def of_function(name: str, arguments: Sequence[sp.Expr], words: str) -> Conditions:
    """That the function of that name (sqrt, log, acos, digamma; any other is defined everywhere) has a value."""
    if name == "sqrt":
        return _at_least(arguments[0], words)
    if name in ("log", "digamma"):
        x = arguments[0]
        return () if x.is_positive else (Condition(sp.Gt(x, 0, evaluate=False), words),)
    if name == "acos":
        return _at_least(1 - arguments[0], words) + _at_least(1 + arguments[0], words)
    return ()


def distinct(conditions: Iterable[Condition]) -> Conditions:
    """Each relation once, in order: what a part needs stands before what the whole needs."""
    found: dict[Relational, Condition] = {}
    for condition in conditions:
        found.setdefault(condition.relation, condition)
    return tuple(found.values())


@lru_cache(maxsize=1024)
def _cached(
    expression: sp.Basic,
    sizes: tuple[tuple[str, tuple[sp.Expr, ...]], ...],
    bounds: tuple[tuple[sp.Symbol, tuple[sp.Expr, sp.Expr]], ...],
) -> Conditions:
    return distinct(_of(expression, dict(sizes), dict(bounds)))


def conditions_of(
    expression: sp.Basic, sizes: Sizes | None = None, bounds: _Bounds | None = None
) -> Conditions:
    """The conditions of a SymPy expression or relation as it stands, unevaluated parts included.

    ``sizes`` are the extents of indexed families by name, ``bounds`` the least and greatest value of symbols that are
    indices. What the symbols' own assumptions settle is left out. Example: ``1/x`` for a real x wants x != 0, for a
    positive one nothing.
    """
    return _cached(expression, tuple((sizes or {}).items()), tuple((bounds or {}).items()))


def _of(e: sp.Basic, sizes: Sizes, bounds: _Bounds) -> Conditions:
    if isinstance(e, sp.Piecewise):
        return _of_cases(e.args, sizes, bounds)
    if isinstance(e, sp.Derivative):
        return _of(e.doit(), sizes, bounds)
    if isinstance(e, sp.Integral):
        return ()  # what is under it is a definition's own affair
    if isinstance(e, sp.Sum | sp.Product):
        return _of_loop(e, sizes, bounds)
    if isinstance(e, BatchSum):
        return tuple(
            _everywhere(c, lambda body: BatchSum(body, e.index, e.batch))
            for c in _of(e.function, sizes, bounds)
        )
    if isinstance(e, Average):
        drawn = (
            _at_least(e.population - e.size, f"{e} draws more than there are")
            if isinstance(e, AverageWithoutReplacement)
            else ()
        )
        return drawn + tuple(
            _everywhere(c, lambda body: type(e)(body, e.batch, e.size, e.population))
            for c in _of(e.function, sizes, bounds)
        )
    inner: Conditions = ()
    for part in e.args:
        inner += _of(part, sizes, bounds)
    if isinstance(e, sp.Indexed):
        return inner + _of_place(e, sizes, bounds)
    if isinstance(e, sp.Pow):
        return inner + of_power(e.base, e.exp, _power_in_words(e))
    if isinstance(e, sp.log):
        return inner + of_function("log", e.args, f"{e} takes the logarithm of {e.args[0]}")
    if isinstance(e, sp.acos):
        return inner + of_function("acos", e.args, f"{e} takes the arc cosine of {e.args[0]}")
    if isinstance(e, sp.polygamma):
        return inner + of_function("digamma", e.args[1:], f"{e} is of {e.args[1]}")
    return inner


def _power_in_words(e: sp.Pow) -> str:
    if e.exp.is_negative:
        return f"{e} divides by {e.base}"
    verb = "takes the root of" if e.exp.is_Rational and e.exp.q > 1 else "raises"
    return f"{e} {verb} {e.base}"


def _at_least(x: sp.Expr, words: str) -> Conditions:
    return () if x.is_nonnegative else (Condition(sp.Ge(x, 0, evaluate=False), words),)


def _where(condition: Condition, given: Sequence[sp.Basic]) -> Condition:
    """The condition, wanted only where all of these comparisons hold."""
    return (
        _cased(condition, (condition.relation.lhs, sp.And(*given)), (_met(condition), True))
        if given
        else condition
    )


def _unless(condition: Condition, given: Sequence[sp.Basic]) -> Condition:
    """The condition, wanted only where not all of these comparisons hold."""
    return _cased(condition, (_met(condition), sp.And(*given)), (condition.relation.lhs, True))


def _met(condition: Condition) -> sp.Expr:
    return sp.S.Zero if condition.counts else sp.S.One


def _cased(condition: Condition, *cases: tuple[sp.Expr, sp.Basic | bool]) -> Condition:
    left = sp.Piecewise(*cases, evaluate=False)
    return replace(condition, relation=condition.relation.func(left, 0, evaluate=False))


def _everywhere(condition: Condition, over: Callable[[sp.Expr], sp.Expr]) -> Condition:
    """The condition at every place that ``over``, a sum, goes through: none of them counts as a failure."""
    left = condition.relation.lhs
    failures = left if condition.counts else _failing(left, condition.relation)
    return Condition(sp.Ge(over(failures), 0, evaluate=False), condition.words, counts=True)


def _failing(left: sp.Expr, relation: Relational) -> sp.Expr:
    """-1 where ``left`` does not stand to 0 as ``relation`` says, else 0; no case within a comparison."""
    if isinstance(left, sp.Piecewise):
        return sp.Piecewise(
            *((_failing(value, relation), test) for value, test in left.args), evaluate=False
        )
    if left.is_number:
        return sp.S.Zero if relation.func(left, 0) == sp.true else sp.S.NegativeOne
    return sp.Piecewise((0, relation.func(left, 0, evaluate=False)), (-1, True), evaluate=False)


def _of_cases(cases: Sequence[sp.Basic], sizes: Sizes, bounds: _Bounds) -> Conditions:
    """Comparisons are read in turn; a value is wanted where its own holds and none before it does."""
    (value, test), *rest = cases
    comparisons = () if test == sp.true else sp.And.make_args(test)
    found: Conditions = ()
    for comparison in comparisons:
        found += _of(comparison, sizes, bounds)
    found += tuple(_where(c, comparisons) for c in _of(value, sizes, bounds))
    if rest and comparisons:
        others = _of_cases(rest, sizes, bounds)
        found += tuple(_unless(c, comparisons) for c in others)
    return found


def _of_loop(e: sp.Sum | sp.Product, sizes: Sizes, bounds: _Bounds) -> Conditions:
    found: Conditions = ()
    for _, first, last in e.limits:
        found += _of(first, sizes, bounds) + _of(last, sizes, bounds)
    within = {**bounds, **{index: (first, last) for index, first, last in e.limits}}
    return found + tuple(
        _everywhere(c, lambda body: sp.Sum(body, *e.limits)) for c in _of(e.function, sizes, within)
    )


def _of_place(e: sp.Indexed, sizes: Sizes, bounds: _Bounds) -> Conditions:
    found: Conditions = ()
    for index, size in zip(e.indices, sizes.get(str(e.base.label), ()), strict=False):
        first, last = bounds.get(index, (index, index))
        words = f"{e} names a place that is not there"
        if not (first.is_nonnegative and (size - 1 - last).is_nonnegative):
            found += _at_least(index, words) + _at_least(size - 1 - index, words)
    return found
