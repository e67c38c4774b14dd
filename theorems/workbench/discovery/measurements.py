"""What quantities are at inputs: exactly, enclosed to far more than floats, or as means over random
weights with their standard errors.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import flint
import numpy as np
import sympy as sp
from numpy.typing import NDArray

from simulators import simulate
from theorems.checking.pointwise import admitted
from theorems.checking.symbol_values import NoValueError, in_balls
from theorems.workbench.discovery.inputs import Proposed
from theorems.workbench.discovery.question import Question, Side
from theorems.workbench.domains import floats_at
from theorems.workbench.starts import Item

__all__ = ["Row", "Table", "measured", "simulated"]

Floats = NDArray[np.float64]
#: Bits of enclosures: ratios of what is 1e-18 apart are then known to float precision.
BITS = 192
#: An enclosure wider than this, relatively, is no value.
_WIDEST = 1e-9
#: Networks of each start; so many standard errors are allowed for on either side of a mean.
NETWORKS, ERRORS = 64, 4.0
#: Random numbers for one start, about, and networks for it at least.
_NORMALS, _FEWEST = 2_000_000, 16
#: A mean that is nearer to 0 is 0 but for rounding.
_ROUNDING = 1e-12


@dataclass(frozen=True)
class Row:
    """One input.

    - ``group``: which choice of sizes it is of
    - ``near``: as of `theorems.workbench.discovery.inputs.Proposed`
    - ``now``, ``start``: every quantity and reference at the object or layer ell, and at the start;
      NaN where it has no value
    - ``errors``: of ``now``, relatively: 0 where it is exact
    """

    group: int
    near: int
    item: Item
    now: tuple[float, ...]
    start: tuple[float, ...]
    errors: tuple[float, ...]


@dataclass(frozen=True)
class Table:
    """All inputs that were looked at."""

    question: Question
    rows: tuple[Row, ...]

    @cached_property
    def groups(self) -> NDArray[np.int64]:
        """Which choice of sizes each row is of, (rows,)."""
        return np.array([row.group for row in self.rows], dtype=np.int64)

    @cached_property
    def near(self) -> NDArray[np.int64]:
        """How near each row is to a degenerate input, (rows,)."""
        return np.array([row.near for row in self.rows], dtype=np.int64)

    @cached_property
    def sizes(self) -> dict[str, Floats]:
        """Every size, (rows,)."""
        names = [domain.name for domain in self.question.sizes]
        return {name: np.array([float(row.item[name]) for row in self.rows]) for name in names}

    def column(self, place: int, *, start: bool = False, errors: float = 0.0) -> Floats:
        """A quantity or reference at all rows, (rows,).

        - ``place``: among those asked about, references after quantities
        - ``start``: at the start of the chain instead
        - ``errors``: by how many standard errors it is moved up
        """
        if start:
            return np.array([row.start[place] for row in self.rows])
        moved = [row.now[place] * (1 + errors * row.errors[place]) for row in self.rows]
        return np.array(moved, dtype=np.float64)


def _sides(question: Question) -> tuple[Side, ...]:
    return (*question.of, *question.against)


def measured(question: Question, proposed: Iterable[Proposed], group: int) -> list[Row]:
    """The inputs among those proposed that count, with exact values.

    Args:
        question: of what is exact.
        proposed: inputs of one choice of sizes.
        group: its number.

    Example:
        >>> from theorems.workbench.discovery.question import read_question
        >>> asked = read_question("parameters", "k**2", symbols={"k": "1..3"})
        >>> [row.now for row in measured(asked, [Proposed({"k": Fraction(3)})], 0)]
        [(9.0,)]
    """
    found = []
    space, statement, sides = question.space, question.statement, _sides(question)
    with flint.ctx.workprec(BITS):
        for each in proposed:
            if not space.contains(each.item):
                continue
            values = space.values(each.item)
            given = values if space.layers is None else space.given(each.item)
            if admitted(statement, given) is not True:
                continue
            now = tuple(_known(side.expression, values) for side in sides)
            start: tuple[float, ...] = ()
            if question.follows_layers:
                start = tuple(_known(side.start, values) for side in sides)
            exact = (0.0,) * len(sides)
            found.append(Row(group, each.near, each.item, now, start, exact))
    return found


def _known(expression: sp.Expr | None, values: Item) -> float:
    """The value to float precision; NaN where there is none, or where the enclosure is wide."""
    if expression is None:
        return math.nan
    try:
        ball = in_balls(expression, values)
    except (NoValueError, ArithmeticError):
        return math.nan
    if not ball.is_finite():
        return math.nan
    middle, radius = float(ball.mid()), float(ball.rad())
    if radius == 0 or radius <= _WIDEST * abs(middle):
        return middle
    return math.nan


def simulated(
    question: Question, proposed: Sequence[Proposed], groups: Mapping[int, int], *, seed: int
) -> list[Row]:
    """The starts among those proposed that count, with means over random weights, layer by layer.

    Args:
        question: about random weights.
        proposed: starts of one choice of n and d, at the deepest layer.
        groups: the numbers of choices of sizes by their layer.
        seed: of the weights.

    Cost: a simulation of up to `NETWORKS` networks for each start.
    """
    design = question.design
    if design is None:
        return []
    found: list[Row] = []
    for place, each in enumerate(proposed):
        if not design.allows(question.statement, each.item):
            continue
        instance, numbers = design.instance(each.item), design.numbers(each.item)
        size = int(numbers["d"] * numbers["n"] * instance.depth)
        run = simulate(
            instance.chain,
            instance.start,
            depth=instance.depth,
            replicas=min(max(_NORMALS // size, _FEWEST), NETWORKS),
            seed=(seed, *groups.values(), place),
            observables=design.observables,
        )
        start = tuple(_start(side, numbers) for side in _sides(question))
        for ell, group in groups.items():
            at = {**numbers, "ell": float(ell)}
            layer = {o.name: run.values[o.name][:, ell] for o in design.observables}
            means = [_mean(side, {**at, **layer}, run.replicas) for side in _sides(question)]
            now, errors = (tuple(column) for column in zip(*means, strict=True))
            item = {**each.item, "ell": Fraction(ell)}
            found.append(Row(group, each.near, item, now, start, errors))
    return found


def _mean(side: Side, values: Mapping[str, object], networks: int) -> tuple[float, float]:
    """The mean over networks, and its standard error relatively."""
    with np.errstate(all="ignore"):
        sampled = np.broadcast_to(floats_at(side.expression, values), (networks,))
    mean = float(np.mean(sampled))
    if abs(mean) < _ROUNDING:
        return 0.0, 0.0
    spread = float(np.std(sampled)) / math.sqrt(networks)
    return mean, spread / abs(mean)


def _start(side: Side, numbers: Mapping[str, float]) -> float:
    names = {str(symbol) for symbol in side.start.free_symbols} if side.start is not None else set()
    if side.start is None or not names <= set(numbers):
        return math.nan
    return float(floats_at(side.start, numbers))
