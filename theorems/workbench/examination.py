"""What can be said of a claim before it is attacked.

Has all that it declares an effect: its symbols, computed quantities, assumptions? Otherwise a
verdict would read as if something had been varied, or restricted, that never was. Does it speak of
anything, are its sides defined, and could it fail, or hold, at all?
"""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from itertools import chain, islice
from typing import NoReturn

import flint
import numpy as np
import sympy as sp
from sympy.core.relational import Relational

from simulators.chains import NamedChain
from theorems.algebraic import rational
from theorems.checking.hypothesis_search import search
from theorems.checking.pointwise import admitted, holds, undefined
from theorems.checking.symbol_values import in_balls
from theorems.definedness import Condition, conditions_of, of_quotient
from theorems.expressions import arguments_of
from theorems.statement import Assumption, Quantifier, Statement
from theorems.witnesses import spelled
from theorems.workbench.declaration import Declaration, facing
from theorems.workbench.design import Design
from theorems.workbench.domains import Domain, floats_at, nested_floats
from theorems.workbench.parsing import ClaimError, refuse
from theorems.workbench.quantities import Quantity
from theorems.workbench.ranged_neighbours import Ends, Sides
from theorems.workbench.spaces import Item, Space
from theorems.workbench.whole_domain import choices

__all__ = [
    "examine",
    "require_chain_parameters",
    "require_effects",
    "require_working_assumptions",
]

_NAME = re.compile(r"[^\W\d]\w*")
_RANDOM = 48
_KEPT = 4
#: And where an input takes tenths of a second to decide, all of those that are tried.
_KEPT_OF_SLOW = 24
#: So many choices of the whole numbers that a condition names are gone through.
_CHOICES = 1000
#: And from so many choices of all whole numbers a sign is followed along the real ones.
_BASES = 8
#: What has a value everywhere, and what is continuous wherever its own conditions hold.
_TOTAL = (sp.Symbol, sp.Rational, sp.Add, sp.Mul, sp.Abs, sp.Min, sp.Max)
_CONTINUOUS = (sp.Symbol, sp.Number, sp.Add, sp.Mul, sp.Pow, sp.exp, sp.log, sp.Abs, sp.Min, sp.Max)
#: What makes a function transcendental.
_BEYOND = (sp.exp, sp.log)
_ROUNDING = 1e-12
#: A range no longer than this, relatively, is one number: ends come widened by rounding.
_ONE_NUMBER = 1e-8


# --- effects --------------------------------------------------------------------------------------


def require_effects(
    declaration: Declaration,
    given: Mapping[str, object],
    sides: Iterable[sp.Basic],
    written: Iterable[object],
    taken: Iterable[str],
) -> None:
    """Raise `ClaimError` for a symbol or a computed quantity that nothing depends on.

    - ``given``: the symbols with their domains as the author wrote them
    - ``sides``: those of claim, event and assumptions
    - ``written``: the same as the author gave them (text, function or relation), where constants
      still have their names
    - ``taken``: what the chain, or the object the claim is about, takes

    Example:
        >>> from theorems import conjecture
        >>> conjecture("x**2 >= x", over="parameters", x="[1, 2]", y="[0, 1]", name="c")
        Traceback (most recent call last):
        theorems.statement.ClaimError: c: y='[0, 1]' has no effect: ...
    """
    free = set(map(str, chain.from_iterable(side.free_symbols for side in sides)))
    named = _named(written)
    used = free | set(taken) | (named & set(declaration.constants))
    for computed in declaration.computed:
        refuse(
            (
                computed.name not in free,
                f"computed: {computed.name} has no effect, for neither claim nor "
                "assumptions depend on it; leave it out",
            )
        )
        used |= set(computed.arguments)
    for domain in reversed(declaration.domains):  # ends name only what was declared before
        if domain.name in used:
            used |= {str(s) for s in domain.set.free_symbols} | _named([given.get(domain.name)])
    for name in given:
        if name not in used:
            cancels = " (it cancels)" * (name in named)
            raise ClaimError(
                f"{name}={str(given[name])[:60]!r} has no effect{cancels}: neither claim, event, "
                "assumptions, computed quantities, domains of other symbols nor the chain depend "
                "on it; leave it out, or use it"
            )


def _named(written: Iterable[object]) -> set[str]:
    """Names that occur in text, or are parameters of a function."""
    found: set[str] = set()
    for one in written:
        if isinstance(one, str):
            found |= set(_NAME.findall(one))
        elif callable(one) and not isinstance(one, sp.Basic):
            found |= set(inspect.signature(one).parameters)
    return found


def require_chain_parameters(kind: NamedChain, domains: Iterable[Domain], width: int = 4) -> None:
    """Raise `ClaimError` for a parameter at every corner of which the chain is the same.

    - ``kind``: the chain
    - ``width``: at which chains are compared
    """
    ends = {
        x.name: x.corners({}) for x in domains if x.name in kind.numbers and not x.set.free_symbols
    }
    middle = {name: corners[len(corners) // 2] for name, corners in ends.items() if corners}
    if set(middle) != set(kind.numbers):
        return  # a parameter whose domain depends on others, or a fixed one
    for name, corners in ends.items():
        built = [kind(width, middle | {name: value}) for value in corners]
        refuse(
            (
                all(one == built[0] for one in built[1:]),
                f"{name} has no effect: the chain {kind.name} is the same at {name} "
                f"= {', '.join(map(str, corners))}; leave it out",
            )
        )


def require_working_assumptions(
    assumptions: Sequence[Assumption],
    domains: Sequence[Domain],
    quantities: Mapping[sp.Symbol, Quantity],
) -> None:
    """Raise `ClaimError` for an assumption that certainly holds on the domain, or twice.

    - ``quantities``: those that assumptions may name, by symbol: their ranges count as domains

    Example:
        >>> from theorems import conjecture
        >>> conjecture("x**2 >= x", over="parameters", x="[1, 2]", assume="x >= 1", name="c")
        Traceback (most recent call last):
        theorems.statement.ClaimError: c: the assumption x >= 1 has no effect: ...
    """
    hulls = _hulls(domains, quantities)
    for number, assumption in enumerate(assumptions):
        twice = any(assumption.relation == other.relation for other in assumptions[:number])
        refuse(
            (twice, f"the assumption {assumption.words} is given twice; leave one out"),
            (
                _implied(assumption.relation, domains, hulls),
                f"the assumption {assumption.words} has no effect: it holds on the "
                "whole domain; leave it out",
            ),
        )


def _hulls(
    domains: Sequence[Domain], quantities: Mapping[sp.Symbol, Quantity]
) -> dict[str, flint.arb]:
    """Balls that certainly hold every value of a symbol, of those that are bounded."""
    found: dict[str, flint.arb] = {}
    for domain in domains:
        known = {str(s) for s in domain.set.free_symbols} <= found.keys()
        if known and (ends := domain.hull(found)) is not None:
            low, high = (flint.arb(rational(end)) for end in ends)
            found[domain.name] = low.union(high)
    names = {x.name for x in domains}
    for symbol, each in quantities.items():
        floor, top = each.range_in(names)
        if top is None or floor == -sp.oo:
            continue
        if {str(s) for s in floor.free_symbols | top.free_symbols} <= found.keys():
            found[str(symbol)] = in_balls(floor, found).union(in_balls(top, found))
    return found


def _implied(
    relation: Relational, domains: Sequence[Domain], hulls: Mapping[str, flint.arb]
) -> bool:
    """Whether it is certainly true on the whole domain; False where that is open."""
    if any(_is_end(relation, domain) for domain in domains):
        return True
    sides = (relation.lhs, relation.rhs)
    if all(map(_total, sides)) and relation.func(*sides) == sp.true:
        return True  # by the signs that the domains give the symbols
    if not set(map(str, chain.from_iterable(map(arguments_of, sides)))) <= hulls.keys():
        return False
    left, right = (in_balls(side, hulls) for side in sides)
    return left.is_finite() and right.is_finite() and holds(left, relation, right) is True


def _total(side: sp.Expr) -> bool:
    """Whether a side has a value everywhere, so that it is not there to keep it defined."""
    return all(
        isinstance(part, _TOTAL)
        or (isinstance(part, sp.Pow) and part.exp.is_Integer and part.exp > 0)
        for part in sp.preorder_traversal(side)
    )


def _is_end(relation: Relational, domain: Domain) -> bool:
    """Whether a symbol is compared with an end of its own domain, or with a number beyond it."""
    if domain.symbol not in (relation.lhs, relation.rhs):
        return False
    turned = relation if relation.lhs == domain.symbol else relation.reversed
    if turned.rel_op not in ("<=", "<", ">=", ">"):
        return False
    upper, strict, end = turned.rel_op in ("<=", "<"), turned.rel_op in ("<", ">"), turned.rhs
    own = domain.set.sup if upper else domain.set.inf
    if own == end:
        side = "right_open" if upper else "left_open"
        return not strict or bool(getattr(domain.set, side, False))
    if not (own.is_Rational and end.is_Rational):
        return False
    return bool(own < end) if upper else bool(own > end)


# --- sense ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Row:
    """One input with all symbols and both sides in floats; no left side of what is sampled."""

    item: Item
    values: Mapping[str, object]
    left: float
    right: float

    @property
    def tight(self) -> float:
        """How near an upper bound is, relatively."""
        scale = abs(self.left) + abs(self.right)
        return (self.left - self.right) / scale if scale else 0.0


def examine(
    statement: Statement,
    space: Space,
    design: Design | None,
    measured: Quantity | None,
    given: sp.Expr | None = None,
) -> tuple[Sides, list[Ends], tuple[Item, ...]]:
    """Look at a claim at some inputs.

    - ``design``: of what is sampled; None of a claim about every input
    - ``measured``: the quantity that is compared with a bound, if it is one
    - ``given``: the right side of the false neighbour, where the author gave it

    Returns both sides in floats wherever it was looked at, the range of what is measured there, if
    anything is, and of a claim about every input the inputs at which it is tightest.

    Raises `ClaimError` for a claim about nothing, one without a value somewhere, one that its
    quantity's range settles everywhere, and a neighbour that is true or false whatever is measured.

    Example:
        >>> from theorems import conjecture
        >>> conjecture("x**2/x <= 1", over="parameters", x="[-1, 1]", name="c")
        Traceback (most recent call last):
        theorems.statement.ClaimError: c: undefined at x=0: x**2/x divides by x; ...
    """
    if design is None:
        candidates = [*space.corners(), *_random(space)]
        items = [x for x in candidates if admitted(statement, space.given(x)) is not False]
    else:
        items = design.items(statement)
    if not items:
        sizes = [] if design is None else ["n ≤ d and ell ≥ 1"]
        words = ", ".join([*sizes, *(a.words for a in statement.assumptions)])
        raise ClaimError(
            f"nothing meets the assumptions ({words or 'n ≤ d and ell ≥ 1'}) on this domain: none "
            "of the inputs looked at does"
        )
    if statement.quantifier is Quantifier.LIMIT:
        if given is not None:  # the claim is abs(slope - a) <= b, with numbers a and b
            values = {**space.roughly(items[0])}
            row = _Row(items[0], values, math.nan, float(statement.rhs))
            _require_telling(statement, given, [row], [(0.0, math.inf)])
        return [], [], ()
    _require_defined_sizes(statement, space, design)
    for item in items:
        missing, _ = undefined(statement, partial(space.values, item))
        if missing is not None and admitted(statement, space.given(item)) is True:
            _refuse(missing, item, space)
    _require_defined_between(statement, space, items)
    rows = [_row(statement, space, item, design is not None) for item in items]
    for row in rows:
        if not math.isfinite(row.right) or (design is None and not math.isfinite(row.left)):
            raise ClaimError(
                f"a side is beyond all floats, or has no value, at {_shown(row.item)}; assume= "
                "such points away"
            )
    if design is not None and design.event is not None and len(design.observables) == 1:
        _require_open_event(statement, design, rows)
    _require_range(statement, measured, design, rows)
    if given is not None:
        found = _ranges(statement, measured, design, rows)
        unlimited = [(-math.inf, math.inf)] * len(rows)
        _require_telling(statement, given, rows, unlimited if found is None else found[1])
    sides, ends = [(row.left, row.right) for row in rows], []
    if measured is not None:
        range_ = measured.range_in({v.name for v in statement.variables})
        ends = [_ends(*range_, row) for row in rows]
    lower = statement.relation in (">=", ">")
    rows.sort(key=lambda row: row.tight if lower else -row.tight)
    kept = _KEPT if space.quick else _KEPT_OF_SLOW
    return sides, ends, tuple(row.item for row in rows[:kept]) if design is None else ()


def _row(statement: Statement, space: Space, item: Item, sampled: bool) -> _Row:
    values = space.roughly(item)
    left = math.nan if sampled else _number(statement.lhs, values)
    right = _number(statement.rhs, values)
    if not (math.isfinite(left + right) or sampled or space.quick):
        values = {name: nested_floats(value) for name, value in space.values(item).items()}
        left, right = (_number(side, values) for side in (statement.lhs, statement.rhs))
    return _Row(item, values, left, right)


def _number(expression: sp.Expr, values: Mapping[str, object]) -> float:
    """The value in floats; NaN for an integer beyond them, and for what is not there."""
    with np.errstate(all="ignore"):
        try:
            return float(floats_at(expression, values))
        except (ArithmeticError, IndexError):
            return math.nan


def _random(space: Space) -> list[Item]:
    found: list[Item] = []
    if space.drawn is not None:

        def collect(item: Item) -> bool:
            found.append(item)
            return False

        search(space.strategy(), collect, seed=0, examples=_RANDOM)
        return found
    generator = np.random.default_rng(0)
    shapes = space.shapes({"n": 6, "d": 6, "ell": 12})
    for sizes in shapes:
        points = (max(2, _RANDOM // len(shapes)), space.coordinates(sizes))
        found += [space.item(sizes, u) for u in generator.random(points)]
    return [x for x in found if space.contains(x)]


# --- defined --------------------------------------------------------------------------------------


def _require_defined_sizes(statement: Statement, space: Space, design: Design | None) -> None:
    """Raise `ClaimError` if a condition on few whole numbers alone fails at one choice of them."""
    for condition in statement.conditions:
        names = {str(s) for s in condition.relation.free_symbols}
        asked = tuple(x for x in space.domains if x.name in names)
        alone = tuple(
            a for a in statement.assumptions if set(map(str, a.relation.free_symbols)) <= names
        )
        others = [a for a in statement.assumptions if a.along == "input" and a not in alone]
        listed = len(asked) == len(names) and all(x.whole and not x.endless for x in asked)
        if others or not listed:
            continue
        claim = replace(statement, defined=(condition,), assumptions=alone)
        for at in islice(choices(asked), _CHOICES):
            counts = _occurs(at, space, design) and admitted(claim, at) is True
            if counts and undefined(claim, partial(dict, at))[0] is not None:
                _refuse(condition, at, space)


def _occurs(sizes: Mapping[str, Fraction], space: Space, design: Design | None) -> bool:
    """Whether there are batches of these sizes, some of which may be left out: n ≤ d, and a layer
    to look at.
    """
    if design is None and space.over != "matrices":
        return True
    widest = next((x.ends({})[1] for x in space.domains if x.name == "d"), Fraction(1))
    narrow = Fraction(2 if design is not None and design.recentres else 1)
    fits = narrow <= sizes.get("n", narrow) <= sizes.get("d", widest)
    return fits and (design is None or sizes.get("ell", 1) >= 1)


def _require_defined_between(statement: Statement, space: Space, items: Sequence[Item]) -> None:
    """Raise `ClaimError` if what must not be 0 certainly changes its sign between two inputs.

    A domain is connected along its real symbols, so a function that is continuous on it is 0
    somewhere between. Zeros of algebraic functions are found exactly elsewhere.
    """
    if space.over != "parameters":
        return
    given = [a.relation.free_symbols for a in statement.assumptions if a.along == "input"]
    assumed = set().union(*given)
    real = {domain.symbol for domain in space.domains if not domain.whole}
    for condition in statement.conditions:
        for core in _not_zero(condition):
            moved = core.free_symbols & real
            if moved and not core.free_symbols & assumed and core.has(*_BEYOND):
                _require_one_sign(statement, space, items, condition, core)


def _not_zero(condition: Condition) -> list[sp.Expr]:
    """The continuous functions that are nowhere 0 if the condition holds everywhere."""
    relation = condition.relation
    if condition.counts or not isinstance(relation, sp.Ne | sp.Gt):
        return []
    cores = [c.relation.lhs for c in of_quotient(relation.lhs, condition.words)]
    return [core for core in cores if _continuous(core) and not conditions_of(core)]


def _continuous(core: sp.Expr) -> bool:
    return all(isinstance(part, _CONTINUOUS) for part in sp.preorder_traversal(core))


def _require_one_sign(
    statement: Statement,
    space: Space,
    items: Sequence[Item],
    condition: Condition,
    core: sp.Expr,
) -> None:
    claim = replace(statement, defined=(Condition(sp.Gt(core, 0, evaluate=False), ""),))
    wholes = [domain.name for domain in space.domains if domain.whole]
    bases = {tuple(map(item.get, wholes)): item for item in items}
    for base in islice(bases.values(), _BASES):
        ends: dict[bool, Item] = {}
        for item in _moved(base, items, core, space):
            if admitted(statement, space.values(item)) is True:
                failed, certain = undefined(claim, partial(space.values, item))
                if certain:
                    ends.setdefault(failed is None, item)
        if len(ends) == 2:
            raise ClaimError(
                f"undefined somewhere between {_shown(ends[False])} and {_shown(ends[True])}: "
                f"{condition.words}, and {core} changes its sign there; keep such inputs out, "
                f"as by assume='{core} != 0'"
            )


def _moved(base: Item, items: Sequence[Item], core: sp.Expr, space: Space) -> Iterator[Item]:
    """``base``, and what it becomes where the real symbols of ``core`` are as in another item."""
    real = {domain.name for domain in space.domains if not domain.whole}
    names = real & {str(s) for s in core.free_symbols}
    for other in (base, *items):
        item = {**base, **{name: other[name] for name in names}}
        if space.contains(item):
            yield item


def _refuse(missing: Condition, item: Item, space: Space) -> NoReturn:
    relation = missing.relation
    remedy = "assume="
    if not relation.has(sp.Piecewise, sp.Sum):
        remedy = f"assume='{relation.lhs} {relation.rel_op} 0'"
    elif space.over == "matrices" and any(q.wants == missing for q in space.measured):
        remedy = "assume='alive'"
    raise ClaimError(
        f"undefined at {_shown(item)}: {missing.words}; keep such inputs out, as by {remedy}"
    )


# --- open -----------------------------------------------------------------------------------------


def _require_range(
    statement: Statement, measured: Quantity | None, design: Design | None, rows: Sequence[_Row]
) -> None:
    """Raise `ClaimError` for a bound that lies beyond the range of what is measured everywhere."""
    found = _ranges(statement, measured, design, rows)
    if found is None:
        return
    name = found[0]
    ends = [(row.right, *end) for row, end in zip(rows, found[1], strict=True)]
    bounds = f"between {min(r for r, _, _ in ends):.4g} and {max(r for r, _, _ in ends):.4g}"
    ranges = f"[{min(a for _, a, _ in ends):.4g}, {max(b for _, _, b in ends):.4g}]"
    upper, lower = statement.relation in ("<=", "<"), statement.relation in (">=", ">")
    # a strict claim about every input fails where the quantity reaches the end of its range
    attained = statement.quantifier is Quantifier.POINTWISE and statement.relation in ("<", ">")
    beyond = _ROUNDING if attained else 0.0
    slack = 2 * beyond - _ROUNDING
    above = all(r >= b + slack and r > b * (1 + slack) for r, _, b in ends)
    below = all(r <= a - beyond for r, a, _ in ends)
    never = all(r < a for r, a, _ in ends)
    far = all(r > b * (1 + _ROUNDING) for r, _, b in ends)
    only = all(
        math.isfinite(b) and max(b - a, abs(b - r)) <= _ONE_NUMBER * max(abs(b), 1.0)
        for r, a, b in ends
    )
    refuse(
        (
            (upper and above) or (lower and below) or only,
            f"vacuous everywhere: {name} lies in {ranges} anyway, and the bound is {bounds} at all "
            f"{len(rows)} inputs looked at",
        ),
        (
            (not lower and never) or (not upper and far),
            f"out of range everywhere: {name} lies in {ranges}, and the bound is {bounds}; do the "
            "units fit?",
        ),
    )


def _ranges(
    statement: Statement, measured: Quantity | None, design: Design | None, rows: Sequence[_Row]
) -> tuple[str, list[Ends]] | None:
    """What is compared with the bound, in words, and its range at each input; None where it has
    none.
    """
    if measured is not None:
        floor, ceiling = measured.range_in({v.name for v in statement.variables})
        return measured.name, [_ends(floor, ceiling, row) for row in rows]
    if design is None:
        return None
    name = "a probability" if design.event is not None else str(design.estimand)
    return name, [design.support(row.item) for row in rows]


def _require_telling(
    statement: Statement, given: sp.Expr, rows: Sequence[_Row], ends: Sequence[Ends]
) -> None:
    """Raise `ClaimError` for a neighbour that follows from the claim, and for one that no law has.

    - ``given``: the right side of the neighbour
    - ``ends``: the range of what is compared, at each of the rows
    """
    sentinel = f"sentinel='{given}'"
    known = {str(s) for s in statement.rhs.free_symbols} | set(rows[0].values)
    unknown = sorted({str(s) for s in given.free_symbols} - known)
    refuse((unknown, f"{sentinel} names {', '.join(unknown)}, which a bound cannot depend on"))
    bounds = [_number(given, row.values) for row in rows]
    for row, bound in zip(rows, bounds, strict=True):
        refuse((math.isnan(bound), f"{sentinel} has no value at {_shown(row.item)}"))
    upper, lower = statement.relation in ("<=", "<"), statement.relation in (">=", ">")
    gains = [
        (bound - row.right) / max(abs(row.right), 1.0)
        for row, bound in zip(rows, bounds, strict=True)
    ]
    tighter_below = not lower and min(gains) < -_ROUNDING
    tighter_above = not upper and max(gains) > _ROUNDING
    refuse(
        (
            not (tighter_below or tighter_above),
            f"{sentinel} follows from the claim: its bound is nowhere the tighter one at the "
            f"{len(rows)} inputs looked at, so that it is no false neighbour",
        )
    )
    for row, bound, (low, high) in zip(rows, bounds, ends, strict=True):
        below, above = bound < low and not lower, bound > high and not upper
        refuse(
            (
                low <= row.right <= high and (below or above),
                f"{sentinel} falls whatever is measured: it is {bound:.4g} at {_shown(row.item)}, "
                f"and what is compared lies in [{low:.4g}, {high:.4g}]",
            )
        )


def _ends(floor: sp.Expr, ceiling: sp.Expr | None, row: _Row) -> tuple[float, float]:
    high = math.inf if ceiling is None else _number(ceiling, row.values)
    return -math.inf if floor == -sp.oo else _number(floor, row.values), high


def _require_open_event(statement: Statement, design: Design, rows: Sequence[_Row]) -> None:
    """Raise `ClaimError` for an event that its quantity's range makes certain, or impossible."""
    event, measured = design.event, design.quantities[0]
    if event is None or measured.symbol not in (event.lhs, event.rhs):
        return
    turned = facing(event, measured.symbol)
    upper, strict = turned.relation in ("<=", "<"), turned.relation in ("<", ">")
    if turned.relation == "==" or not rows:
        return
    floor, ceiling = measured.range_in({v.name for v in statement.variables})
    ends = [(*_ends(floor, ceiling, row), _number(turned.rhs, row.values)) for row in rows]
    if upper:
        sure = all(b < r or (b == r and not strict) for _, b, r in ends)
        never = all(a > r or (a == r and strict) for a, _, r in ends)
    else:
        sure = all(a > r or (a == r and not strict) for a, _, r in ends)
        never = all(b < r or (b == r and strict) for _, b, r in ends)
    refuse(
        (
            sure or never,
            f"vacuous everywhere: the event {event} "
            f"{'always' if sure else 'never'} happens, as {measured.name} lies in "
            f"[{min(a for a, *_ in ends):.4g}, {max(b for _, b, _ in ends):.4g}]",
        )
    )


def _shown(item: Item) -> str:
    return ", ".join(f"{k}={_text(v)}" for k, v in item.items())


def _text(value: object) -> str:
    if isinstance(value, Mapping):
        return spelled(value)
    if isinstance(value, tuple):
        return f"({', '.join(map(_text, value))})"
    if isinstance(value, Fraction) and len(str(value)) >= 20:
        return f"{float(value):.6g}"
    return str(value)
