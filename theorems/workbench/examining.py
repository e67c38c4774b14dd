"""What can be said of a claim before it is attacked: does it speak of anything, and could it fail, or hold, at all?"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from itertools import islice
from typing import Any

import numpy as np
import sympy as sp

from theorems.checking.hypothesis_search import search
from theorems.checking.pointwise import admitted, undefined
from theorems.definedness import Condition, conditions_of, of_quotient
from theorems.expressions import arguments_of, compiled
from theorems.statement import Quantifier, Statement
from theorems.witnesses import spelled
from theorems.workbench import quantities
from theorems.workbench.declaring import facing
from theorems.workbench.design import Design
from theorems.workbench.parsing import ClaimError, Relation
from theorems.workbench.quantities import Quantity
from theorems.workbench.sentinels import Measured
from theorems.workbench.spaces import Item, Space
from theorems.workbench.whole_domain import choices

__all__ = ["Points", "examine"]

_RANDOM = 48
_KEPT = 4
#: So many choices of the whole numbers that a condition names are gone through.
_CHOICES = 1000
#: And from so many choices of all whole numbers a sign is followed along the real ones.
_BASES = 8


@dataclass(frozen=True)
class Points:
    """Where the claim was looked at in floats: both sides, and the inputs at which it is tightest."""

    sides: Measured
    items: tuple[Item, ...]


def examine(
    statement: Statement, space: Space, design: Design | None, quantity: Quantity | None
) -> Points:
    """Raise :class:`ClaimError` for a claim about nothing, or one that its quantity's range settles everywhere."""
    if design is None:
        candidates = [*space.corners(), *_random(space)]
        items = [x for x in candidates if admitted(statement, space.values(x)) is not False]
    else:
        candidates = items = design.items(statement)
    if not items:
        sizes = [] if design is None else ["2 ≤ n ≤ d and ell ≥ 1"]
        words = (
            ", ".join([*sizes, *(a.words for a in statement.assumptions)]) or "n ≤ d and ell ≥ 1"
        )
        raise ClaimError(
            f"nothing meets the assumptions ({words}) on this domain: none of the inputs looked at does"
        )
    if statement.quantifier is Quantifier.LIMIT:
        return Points(Measured([], []), ())
    _require_defined_sizes(statement, space, design)
    for item in items:
        _require_defined(statement, space, item)
    _require_defined_between(statement, space, items)
    rows = [
        (_number(statement.lhs, v) if design is None else math.nan, _number(statement.rhs, v), v, x)
        for x in items
        for v in [_floats(space, x)]
    ]
    beyond = [
        x
        for left, right, _, x in rows
        if not (math.isfinite(right) and (design or math.isfinite(left)))
    ]
    if beyond:
        raise ClaimError(
            f"a side is beyond all floats, or has no value, at {_shown(beyond[0])}; assume= such points "
            "away"
        )
    if design is not None and design.event is not None and len(design.observables) == 1:
        measured = quantities.quantity(design.observables[0].name)
        _require_open_event(statement, design.event, measured, [v for *_, v, _ in rows])
    low, high = _range(statement, quantity)
    if low is not None:
        _require_range(
            statement,
            quantity,
            [
                (r, _number(low, v), math.inf if high is None else _number(high, v))
                for _, r, v, _ in rows
            ],
        )
    sides = Measured([r[0] for r in rows], [r[1] for r in rows])
    rows.sort(key=lambda r: -_tight(statement.relation, r[0], r[1]))
    return Points(sides, tuple(r[3] for r in rows[:_KEPT]) if design is None else ())


def _require_defined_sizes(statement: Statement, space: Space, design: Design | None) -> None:
    """Raise :class:`ClaimError` if a condition on whole numbers alone fails at one of few choices of them."""
    for condition in statement.conditions:
        names = {str(s) for s in condition.relation.free_symbols}
        alone = tuple(
            a for a in statement.assumptions if {str(s) for s in a.relation.free_symbols} <= names
        )
        asked = tuple(x for x in space.domains if x.name in names)
        if (
            len(asked) < len(names)
            or not all(x.whole and not x.endless for x in asked)
            or any(a.along == "input" and a not in alone for a in statement.assumptions)
        ):
            continue
        claim = replace(statement, defined=(condition,), assumptions=alone)
        for at in islice(choices(asked), _CHOICES):
            if (
                _occurs(at, space, design)
                and admitted(claim, at) is True
                and undefined(claim, partial(dict, at))[0] is not None
            ):
                _refuse(condition, at, space)


def _occurs(sizes: Mapping[str, Any], space: Space, design: Design | None) -> bool:
    """Whether there are batches of these sizes, some of which may be left out: n ≤ d, and a layer to look at."""
    if design is None and space.over != "matrices":
        return True
    widest = next((x.ends({})[1] for x in space.domains if x.name == "d"), 1)
    narrow = 2 if design is not None and design.chain.recentres else 1
    fits: bool = narrow <= sizes.get("n", narrow) <= sizes.get("d", widest)
    return fits and (design is None or sizes.get("ell", 1) >= 1)


def _require_defined(statement: Statement, space: Space, item: Item) -> None:
    """Raise :class:`ClaimError` if a side has no value at an input that certainly counts."""
    missing, _ = undefined(statement, lambda: space.values(item))
    if missing is None or admitted(statement, space.values(item)) is not True:
        return
    _refuse(missing, item, space)


#: Continuous wherever all of their own conditions hold.
_CONTINUOUS = (sp.Symbol, sp.Number, sp.Add, sp.Mul, sp.Pow, sp.exp, sp.log, sp.Abs, sp.Min, sp.Max)


def _require_defined_between(statement: Statement, space: Space, items: Sequence[Item]) -> None:
    """Raise :class:`ClaimError` if what must not be 0 certainly changes its sign between two inputs.

    A domain is connected along its real symbols, so a function that is continuous on it is 0 somewhere between.
    Zeros of algebraic functions are found exactly elsewhere.
    """
    if space.over != "parameters":
        return
    assumed = {
        s for a in statement.assumptions if a.along == "input" for s in a.relation.free_symbols
    }
    real = {domain.symbol for domain in space.domains if not domain.whole}
    for condition in statement.conditions:
        for core in _not_zero(condition):
            moved = core.free_symbols & real
            if core.free_symbols - assumed == core.free_symbols and moved and core.has(*_BEYOND):
                _require_one_sign(statement, space, items, condition, core)


#: What makes a function transcendental.
_BEYOND = (sp.exp, sp.log)


def _not_zero(condition: Condition) -> list[sp.Expr]:
    """The continuous functions that are nowhere 0 if the condition holds everywhere."""
    relation = condition.relation
    if condition.counts or not isinstance(relation, sp.Ne | sp.Gt):
        return []
    cores = [c.relation.lhs for c in of_quotient(relation.lhs, condition.words)]
    return [
        core
        for core in cores
        if all(isinstance(part, _CONTINUOUS) for part in sp.preorder_traversal(core))
        and not conditions_of(core)
    ]


def _require_one_sign(
    statement: Statement,
    space: Space,
    items: Sequence[Item],
    condition: Condition,
    core: sp.Expr,
) -> None:
    claim = replace(statement, defined=(Condition(sp.Gt(core, 0, evaluate=False), ""),))
    wholes = [domain.name for domain in space.domains if domain.whole]
    bases = {tuple(item[name] for name in wholes): item for item in items}
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


def _refuse(missing: Condition, item: Item, space: Space) -> None:
    relation = missing.relation
    plain = not relation.has(sp.Piecewise, sp.Sum)
    remedy = (
        f"assume='{relation.lhs} {relation.rel_op} 0'"
        if plain
        else "assume='alive'"
        if (space.over == "matrices" and any(q.wants == missing for q in space.measured))
        else "assume="
    )
    raise ClaimError(
        f"undefined at {_shown(item)}: {missing.words}; keep such inputs out, as by {remedy}"
    )


def _random(space: Space) -> list[Item]:
    if space.drawn is not None:
        found: list[Item] = []

        def collect(item: Item) -> bool:
            found.append(item)
            return False

        search(space.strategy(), collect, seed=0, examples=_RANDOM)
        return found
    generator = np.random.default_rng(0)
    found = []
    shapes = space.shapes({"n": 6, "d": 6, "ell": 12})
    for sizes in shapes:
        width = space.coordinates(sizes)
        count = max(2, _RANDOM // len(shapes))
        found += [space.item(sizes, u) for u in generator.random((count, width))]
    return [x for x in found if space.contains(x)]


def _floats(space: Space, item: Item) -> dict[str, Any]:
    def plain(value: Any) -> Any:
        return [plain(v) for v in value] if isinstance(value, list | tuple) else float(value)

    return {k: plain(v) for k, v in space.values(item).items()}


def _number(expression: sp.Expr, values: Mapping[str, Any]) -> float:
    names = arguments_of(expression)
    with np.errstate(all="ignore"):
        try:
            return float(
                compiled(expression, names).floats(
                    *(
                        values[str(s)]
                        if isinstance(values[str(s)], list)
                        else np.float64(values[str(s)])
                        for s in names
                    )
                )
            )
        except (
            ArithmeticError,
            IndexError,
        ):  # an integer beyond all floats, too; what is not there
            return math.nan


def _range(
    statement: Statement, quantity: Quantity | None
) -> tuple[sp.Expr | None, sp.Expr | None]:
    if statement.quantifier is Quantifier.PROBABILITY:
        return sp.S.Zero, sp.S.One
    return (
        quantity.range_in({v.name for v in statement.variables})
        if quantity is not None
        else (None, None)
    )


def _require_range(
    statement: Statement, quantity: Quantity | None, rows: list[tuple[float, float, float]]
) -> None:
    name = quantity.name if quantity else "a probability"
    bounds = f"between {min(r for r, _, _ in rows):.4g} and {max(r for r, _, _ in rows):.4g}"
    ranges = f"[{min(a for _, a, _ in rows):.4g}, {max(b for _, _, b in rows):.4g}]"
    rounding = 1e-12
    upper, lower = statement.relation in ("<=", "<"), statement.relation in (">=", ">")
    # a strict claim about every input fails where the quantity reaches the end of its range
    attained = statement.quantifier is Quantifier.POINTWISE and statement.relation in ("<", ">")
    beyond = rounding if attained else 0.0
    if (
        upper
        and all(
            r >= b - rounding + 2 * beyond and r > b * (1 - rounding + 2 * beyond)
            for r, _, b in rows
        )
    ) or (lower and all(r <= a - beyond for r, a, _ in rows)):
        raise ClaimError(
            f"vacuous everywhere: {name} lies in {ranges} anyway, and the bound is {bounds} at all "
            f"{len(rows)} inputs looked at"
        )
    if (not lower and all(r < a for r, a, _ in rows)) or (
        not upper and all(r > b * (1 + rounding) for r, _, b in rows)
    ):
        raise ClaimError(
            f"out of range everywhere: {name} lies in {ranges}, and the bound is {bounds}; do the units "
            "fit?"
        )


def _require_open_event(
    statement: Statement,
    event: Relation,
    measured: Quantity,
    points: list[dict[str, Any]],
) -> None:
    """Raise :class:`ClaimError` for an event that the quantity's range makes certain, or impossible, everywhere."""
    if measured.symbol not in (event.lhs, event.rhs):
        return
    turned = facing(event, measured.symbol)
    low, high = measured.range_in({v.name for v in statement.variables})
    ends = [
        (_number(low, v), math.inf if high is None else _number(high, v), _number(turned.rhs, v))
        for v in points
    ]
    upper, strict = turned.relation in ("<=", "<"), turned.relation in ("<", ">")
    if turned.relation == "==" or not ends:
        return
    sure = all(
        (b < r or (b == r and not strict)) if upper else (a > r or (a == r and not strict))
        for a, b, r in ends
    )
    never = all(
        (a > r or (a == r and strict)) if upper else (b < r or (b == r and strict))
        for a, b, r in ends
    )
    if sure or never:
        raise ClaimError(
            f"vacuous everywhere: the event {event.lhs} {event.relation} {event.rhs} "
            f"{'always' if sure else 'never'} happens, as {measured.name} lies in "
            f"[{min(a for a, *_ in ends):.4g}, {max(b for _, b, _ in ends):.4g}]"
        )


def _tight(relation: str, left: float, right: float) -> float:
    if relation in (">=", ">"):
        left, right = right, left
    scale = abs(left) + abs(right)
    return (left - right) / scale if scale else 0.0


def _shown(item: Item) -> str:
    def text(value: Any) -> str:
        if isinstance(value, Mapping):
            return spelled(value)
        return (
            "(" + ", ".join(text(v) for v in value) + ")"
            if isinstance(value, tuple)
            else (
                str(value)
                if not isinstance(value, Fraction) or len(str(value)) < 20
                else f"{float(value):.6g}"
            )
        )

    return ", ".join(f"{k}={text(v)}" for k, v in item.items())
