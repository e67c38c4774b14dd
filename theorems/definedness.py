"""Where an expression has a value: the conditions under which no part of it is undefined.

A quotient wants a denominator that is not 0, a root and a power that is not whole a base of at
least 0, a logarithm a positive number, an arc cosine one in [-1, 1], a negative power a base that
is not 0, a member of a family a place that is there. 0**0 is 1, as in Python, SymPy and Rocq. What
stands in a branch is wanted only where the branch is taken.

SymPy simplifies what it is given: x**2/x becomes x, and 0*log(x) becomes 0. So the reader of text
collects conditions from the syntax, while it reads; of SymPy expressions `conditions_of` says
what can still be seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import chain
from typing import TypeAlias

import sympy as sp
from sympy.core.relational import Relational

from theorems.minibatch_averages import Average, AverageWithoutReplacement, BatchSum

__all__ = ["Condition", "conditions_of", "distinct", "of_function", "of_power", "of_quotient"]


@dataclass(frozen=True)
class Condition:
    """What must hold for a part of an expression to have a value.

    - ``relation``: an expression >= 0, > 0 or != 0
    - ``words``: which part has no value where it fails
    - ``counts``: on the left is minus the number of failures

    Example:
        >>> x = sp.Symbol("x", real=True)
        >>> Condition(sp.Ne(x, 0), "x**2/x divides by x").counts
        False
    """

    relation: Relational
    words: str
    counts: bool = False


Conditions: TypeAlias = tuple[Condition, ...]
Sizes: TypeAlias = Mapping[str, tuple[sp.Expr, ...]]
_Bounds: TypeAlias = Mapping[sp.Symbol, tuple[sp.Expr, sp.Expr]]


def of_quotient(denominator: sp.Expr, words: str) -> Conditions:
    """That the denominator is not 0, factor by factor.

    Args:
        denominator: of the quotient, as it was written.
        words: the quotient, for people.

    Example:
        >>> x = sp.Symbol("x", real=True)
        >>> [c.relation for c in of_quotient(2 * x * abs(x - 1), "1/(2*x*abs(x - 1))")]
        [Ne(x, 0), Ne(x - 1, 0)]
    """
    found: Conditions = ()
    for factor in sp.Mul.make_args(denominator):
        core = factor
        while isinstance(core, sp.Abs) or (isinstance(core, sp.Pow) and core.exp.is_positive):
            core = core.args[0]
        if core.is_zero is not False:
            found += (Condition(sp.Ne(core, 0, evaluate=False), words),)
    return found


def of_power(base: sp.Expr, exponent: sp.Expr, words: str) -> Conditions:
    """That ``base**exponent`` is a real number; ``0**0`` is, and is 1.

    Args:
        base: what is raised.
        exponent: to which power.
        words: the power, for people.

    Example:
        >>> x = sp.Symbol("x", real=True)
        >>> [c.relation for c in of_power(x, sp.Rational(1, 2), "sqrt(x)")]
        [x >= 0]
    """
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
    """That a function has a value: sqrt, log, acos or digamma; any other is defined everywhere.

    Example:
        >>> x = sp.Symbol("x", real=True)
        >>> [c.relation for c in of_function("acos", [x], "acos(x)")]
        [1 - x >= 0, x + 1 >= 0]
    """
    if name == "sqrt":
        return _at_least(arguments[0], words)
    if name in ("log", "digamma"):
        x = arguments[0]
        return () if x.is_positive else (Condition(sp.Gt(x, 0, evaluate=False), words),)
    if name == "acos":
        return _at_least(1 - arguments[0], words) + _at_least(1 + arguments[0], words)
    return ()


def distinct(conditions: Iterable[Condition]) -> Conditions:
    """Each relation once, in order: what a part needs stands before what the whole needs.

    Example:
        >>> condition = Condition(sp.Ne(sp.Symbol("x"), 0), "1/x divides by x")
        >>> len(distinct([condition, condition]))
        1
    """
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

    - ``sizes``: the extents of indexed families, by name
    - ``bounds``: the least and greatest value of symbols that are indices

    What the symbols' own assumptions settle is left out.

    Example:
        >>> x, y = sp.Symbol("x", real=True), sp.Symbol("y", positive=True)
        >>> [c.words for c in conditions_of(1 / x + 1 / y)]
        ['1/x divides by x']
    """
    return _cached(expression, tuple((sizes or {}).items()), tuple((bounds or {}).items()))


def _of(e: sp.Basic, sizes: Sizes, bounds: _Bounds) -> Conditions:
    own: Conditions = ()
    match e:
        case sp.Integral():
            return ()  # what is under it is a definition's own affair
        case sp.Derivative():
            return _of(e.doit(), sizes, bounds)
        case sp.Piecewise():
            return _of_cases(e.args, sizes, bounds)
        case sp.Sum() | sp.Product():
            return _of_loop(e, sizes, bounds)
        case BatchSum():
            return _everywhere(
                _of(e.function, sizes, bounds), lambda body: BatchSum(body, e.index, e.batch)
            )
        case Average():
            return _of_average(e, sizes, bounds)
        case sp.Indexed():
            own = _of_place(e, sizes, bounds)
        case sp.Pow():
            own = of_power(e.base, e.exp, _power_in_words(e))
        case sp.log():
            own = of_function("log", e.args, f"{e} takes the logarithm of {e.args[0]}")
        case sp.acos():
            own = of_function("acos", e.args, f"{e} takes the arc cosine of {e.args[0]}")
        case sp.polygamma():
            own = of_function("digamma", e.args[1:], f"{e} is of {e.args[1]}")
    return _of_all(e.args, sizes, bounds) + own


def _of_all(parts: Iterable[sp.Basic], sizes: Sizes, bounds: _Bounds) -> Conditions:
    return tuple(chain.from_iterable(_of(part, sizes, bounds) for part in parts))


def _of_average(e: Average, sizes: Sizes, bounds: _Bounds) -> Conditions:
    drawn: Conditions = ()
    if isinstance(e, AverageWithoutReplacement):
        drawn = _at_least(e.population - e.size, f"{e} draws more than there are")
    inside = _of(e.function, sizes, bounds)
    return drawn + _everywhere(inside, lambda body: type(e)(body, e.batch, e.size, e.population))


def _power_in_words(e: sp.Pow) -> str:
    if e.exp.is_negative:
        return f"{e} divides by {e.base}"
    verb = "takes the root of" if e.exp.is_Rational and e.exp.q > 1 else "raises"
    return f"{e} {verb} {e.base}"


def _at_least(x: sp.Expr, words: str) -> Conditions:
    return () if x.is_nonnegative else (Condition(sp.Ge(x, 0, evaluate=False), words),)


def _where(condition: Condition, given: Sequence[sp.Basic]) -> Condition:
    """The condition, wanted only where all of these comparisons hold."""
    if not given:
        return condition
    return _cased(condition, (condition.relation.lhs, sp.And(*given)), (_met(condition), True))


def _unless(condition: Condition, given: Sequence[sp.Basic]) -> Condition:
    """The condition, wanted only where not all of these comparisons hold."""
    return _cased(condition, (_met(condition), sp.And(*given)), (condition.relation.lhs, True))


def _met(condition: Condition) -> sp.Expr:
    return sp.S.Zero if condition.counts else sp.S.One


def _cased(condition: Condition, *cases: tuple[sp.Expr, sp.Basic | bool]) -> Condition:
    left = sp.Piecewise(*cases, evaluate=False)
    return replace(condition, relation=condition.relation.func(left, 0, evaluate=False))


def _everywhere(inside: Conditions, over: Callable[[sp.Expr], sp.Expr]) -> Conditions:
    """The conditions at every place that ``over``, a sum, goes through: none of them counts as a
    failure.
    """
    found: Conditions = ()
    for condition in inside:
        left = condition.relation.lhs
        failures = over(left if condition.counts else _failing(left, condition.relation))
        found += (Condition(sp.Ge(failures, 0, evaluate=False), condition.words, counts=True),)
    return found


def _failing(left: sp.Expr, relation: Relational) -> sp.Expr:
    """-1 where ``left`` does not stand to 0 as ``relation`` says, else 0.

    No case stands within a comparison.
    """
    if isinstance(left, sp.Piecewise):
        return sp.Piecewise(
            *((_failing(value, relation), test) for value, test in left.args), evaluate=False
        )
    if left.is_number:
        return sp.S.Zero if relation.func(left, 0) == sp.true else sp.S.NegativeOne
    return sp.Piecewise((0, relation.func(left, 0, evaluate=False)), (-1, True), evaluate=False)


def _of_cases(cases: Sequence[sp.Basic], sizes: Sizes, bounds: _Bounds) -> Conditions:
    """Comparisons are read in turn; a value is wanted where its own holds and none before it."""
    (value, test), *rest = cases
    comparisons = () if test == sp.true else sp.And.make_args(test)
    found = _of_all(comparisons, sizes, bounds)
    found += tuple(_where(c, comparisons) for c in _of(value, sizes, bounds))
    if rest and comparisons:
        found += tuple(_unless(c, comparisons) for c in _of_cases(rest, sizes, bounds))
    return found


def _of_loop(e: sp.Sum | sp.Product, sizes: Sizes, bounds: _Bounds) -> Conditions:
    found: Conditions = ()
    for _, first, last in e.limits:
        found += _of(first, sizes, bounds) + _of(last, sizes, bounds)
    within = {**bounds, **{index: (first, last) for index, first, last in e.limits}}
    return found + _everywhere(_of(e.function, sizes, within), lambda body: sp.Sum(body, *e.limits))


def _of_place(e: sp.Indexed, sizes: Sizes, bounds: _Bounds) -> Conditions:
    found: Conditions = ()
    for index, size in zip(e.indices, sizes.get(str(e.base.label), ()), strict=False):
        first, last = bounds.get(index, (index, index))
        words = f"{e} names a place that is not there"
        if not (first.is_nonnegative and (size - 1 - last).is_nonnegative):
            found += _at_least(index, words) + _at_least(size - 1 - index, words)
    return found
