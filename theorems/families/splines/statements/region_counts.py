"""Into how many regions m lines cut the plane: 1 + m + m(m-1)/2 in general position, 2m through
a point.

Problem. A layer of m units on two inputs cuts the plane along m lines, which batch normalisation
lets all pass through the mean of the data. How many linear regions does that cost?

Method. Regions are counted as the sign vectors around every crossing, in exact rationals, without
the formula. Rocq proves the sums: a further line in general position is cut into m + 1 pieces by m
others, and each piece cuts a region in two; a further line through the point adds two.

Guarantee. 1 + m + m(m-1)/2 for lines of which no two are parallel and no three meet; 2m for
distinct lines through one point. (In k dimensions Σ_{i≤k} C(m, i), and 2 Σ_{i<k} C(m-1, i).)

Reference. Classical; its use for centred layers after R26 (PMLR 334), Lemmas 4 and 5.

Example:

    >>> [float(statement.bound(m=4)) for statement in STATEMENTS]
    [11.0, 8.0]
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import partial
from itertools import combinations, product
from typing import TYPE_CHECKING, Any

import numpy as np
import sympy as sp

from simulators.lazy import strategies as st
from theorems.checking.pointwise import Pointwise
from theorems.checking.rational_inputs import as_given
from theorems.families.splines.notation import FAMILY, ROCQ
from theorems.statement import (
    Assumption,
    Proof,
    Quantifier,
    Sentinel,
    Source,
    Statement,
    Variable,
    Verdict,
)

if TYPE_CHECKING:
    from theorems.report.style import Drawing

__all__ = ["FIGURES", "STATEMENTS", "draw", "regions"]

m = sp.Symbol("m", integer=True, positive=True)
R = sp.Symbol("R", integer=True, nonnegative=True)
i, j, k = sp.symbols("i j k", integer=True)
a, b, c = (sp.IndexedBase(name, real=True) for name in "abc")
Item = Mapping[str, object]
#: a x + b y = c.
Line = tuple[Fraction | int, Fraction | int, Fraction | int]
Pair = tuple[Fraction | int, Fraction | int]


def _sign(x: Fraction | int) -> int:
    return (x > 0) - (x < 0)


def _crossing(first: Line, second: Line) -> Pair | None:
    """Where two lines meet, if they do in one point."""
    det = first[0] * second[1] - first[1] * second[0]
    if det == 0:
        return None
    x = Fraction(first[2] * second[1] - first[1] * second[2], det)
    return x, Fraction(first[0] * second[2] - first[2] * second[0], det)


def _seen(lines: Sequence[Line], point: Pair, along: Pair) -> tuple[int, ...]:
    """On which side of every line a step from a point leads, however short; 0 for along it."""

    def side(line: Line) -> int:
        return _sign(line[0] * point[0] + line[1] * point[1] - line[2]) or _sign(
            line[0] * along[0] + line[1] * along[1]
        )

    return tuple(side(line) for line in lines)


def regions(lines: Sequence[Line]) -> int:
    """How many regions lines a x + b y = c leave of the plane, exactly.

    - ``lines``: exact numbers (a, b, c); they may be parallel, meet, or be equal, and (0, 0, c) is
      no line

    Unless all are parallel every region has a corner, and beside a corner of lines with the
    directions e and f it is met along one of ±e ± f. Cost: O(m³) sign vectors.

    Example:
        >>> regions([(1, 0, 0), (0, 1, 0), (1, 1, 1)]), regions([(1, 0, 0), (1, 0, 1)])
        (7, 3)
    """
    lines = [line for line in lines if line[0] or line[1]]
    found = set()
    crossed = False
    for first, second in combinations(lines, 2):
        point = _crossing(first, second)
        if point is None:
            continue
        crossed = True
        for s, t in product((-1, 1), repeat=2):
            along = (-s * first[1] - t * second[1], s * first[0] + t * second[0])
            found.add(_seen(lines, point, along))
    if not crossed:
        scaled = {tuple(Fraction(x, line[0] or line[1]) for x in line) for line in lines}
        return len(scaled) + 1
    return len({vector for vector in found if all(vector)})


def _declared(given: Mapping[str, Any]) -> Item:
    """What the declared variables are of: lines, counted."""
    return _item(list(zip(given["a"], given["b"], given["c"], strict=True)))


def _item(lines: Sequence[Line]) -> Item:
    columns = zip("abc", zip(*lines, strict=True), strict=True)
    numbers = {name: tuple(map(Fraction, column)) for name, column in columns}
    return {"m": len(lines), **numbers, "R": regions(lines)}


#: Directions of which no two are parallel.
_DIRECTIONS = [(1, 0), *((x, y) for y in range(1, 8) for x in range(-8, 9) if math.gcd(x, y) == 1)]


def _lines(offset: int) -> st.SearchStrategy[Item]:
    line = st.tuples(st.sampled_from(_DIRECTIONS), st.integers(-offset, offset))
    some = st.lists(line, min_size=1, max_size=6, unique_by=lambda one: one[0])
    return some.map(lambda lines: _item([(*normal, shift) for normal, shift in lines]))


def _corners(offset: int) -> list[Item]:
    """Some for every number of lines, and two that are parallel, three that meet, three apart."""
    directions = [(1, 0), (0, 1), (1, 1), (1, -2), (3, 1), (2, 5)]
    lines = [(*e, offset * place * place) for place, e in enumerate(directions)]
    given = [lines[:size] for size in range(1, 7)]
    given += [[(1, 0, 0), (1, 0, offset)], [(1, 0, 0), (0, 1, 0), (1, 1, 0)]]
    given += [[(1, 0, 0), (0, 1, 0), (1, 1, 1)], [(0, 0, offset)]]
    return [_item(one) for one in given]


def _each_pair(term: sp.Expr) -> sp.Expr:
    return sp.Product(sp.Product(term, (j, 0, i - 1)), (i, 0, m - 1))


_det = a[i] * b[j] - a[j] * b[i]
_triple = c[i] * (a[j] * b[k] - a[k] * b[j]) - c[j] * (a[i] * b[k] - a[k] * b[i]) + c[k] * _det
_meet = _each_pair(sp.Product(_triple**2, (k, 0, j - 1)))
_NOT_PARALLEL = Assumption(sp.Gt(_each_pair(_det**2), 0), "no two lines are parallel")
_counts = partial(
    Statement,
    family=FAMILY,
    theorem="region_counts",
    quantifier=Quantifier.POINTWISE,
    source=Source("classical", "arrangements of lines"),
    definitions={R: "regions of the plane without the lines a x + b y = c"},
    lhs=R,
    relation="==",
    expected=Verdict.CERTIFIED,
)
_VARIABLES = (
    Variable(m, sp.Range(1, sp.oo), "lines"),
    Variable(a, sp.Reals, "first coordinates of normals", size=(m,)),
    Variable(b, sp.Reals, "second coordinates of normals", size=(m,)),
)
_NORMALS = Assumption(sp.Gt(sp.Product(a[i] ** 2 + b[i] ** 2, (i, 0, m - 1)), 0), "no normal is 0")
_OFFSETS = Variable(c, sp.Reals, "offsets", size=(m,))
_LEAVES = "how many regions one further line adds: geometry"

STATEMENTS = (
    _counts(
        variant="general",
        title="m lines in general position leave 1 + m + m(m-1)/2 regions",
        variables=(*_VARIABLES, _OFFSETS),
        assumptions=(
            _NORMALS,
            _NOT_PARALLEL,
            Assumption(sp.Gt(_meet, 0), "no three lines meet"),
        ),
        rhs=1 + m + m * (m - 1) / 2,
        sentinel=Sentinel("as if all met in a point", rhs=2 * m),
        checks=(Pointwise(as_given, partial(_lines, 9), partial(_corners, 1), item=_declared),),
        proof=Proof(
            theorem=f"{ROCQ}.RegionCounts.general_position",
            link="name",
            gloss="f(0) = 1 and f(m+1) = f(m) + m + 1 have the one solution 1 + m + C(m, 2)",
            leaves=_LEAVES,
            also=(f"{ROCQ}.RegionCounts.any_dimension",),
        ),
    ),
    _counts(
        variant="central",
        title="m distinct lines through a point leave 2m regions",
        variables=(*_VARIABLES, _OFFSETS),
        assumptions=(
            _NORMALS,
            _NOT_PARALLEL,
            Assumption(sp.Eq(sp.Sum(c[i] ** 2, (i, 0, m - 1)), 0), "all pass through 0"),
        ),
        rhs=2 * m,
        sentinel=Sentinel("one more", rhs=2 * m + 1),
        checks=(Pointwise(as_given, partial(_lines, 0), partial(_corners, 0), item=_declared),),
        proof=Proof(
            theorem=f"{ROCQ}.RegionCounts.central",
            link="name",
            gloss="f(1) = 2 and f(m+1) = f(m) + 2 for m ≥ 1 have the one solution 2m",
            leaves=_LEAVES,
        ),
    ),
)

_MOST, _SHOWN = 12, 5


def _random_lines(draws: np.random.Generator, offset: int) -> list[Line]:
    """Lines with distinct directions, in whole numbers: ``offset`` 0 for all through a point."""
    chosen = draws.permutation(len(_DIRECTIONS))[:_MOST]
    shifts = draws.permutation(2 * offset + 1)[:_MOST] - offset if offset else np.zeros(_MOST, int)
    pairs = zip(chosen.tolist(), shifts.tolist(), strict=True)
    return [(*_DIRECTIONS[place], shift) for place, shift in pairs]


def draw(document: Mapping[str, Any]) -> Drawing | None:
    """Lines in general position and through a point, and how many regions they leave, counted and by
    the formulas; None if these were not run.

    ``document`` is the JSON value of a run. Cost: a second.
    """
    from theorems.report.document import find
    from theorems.report.figure_parts import seed_of
    from theorems.report.style import COLOURS, Drawing, drawing, new_figure

    if any(find(document, statement.name) is None for statement in STATEMENTS):
        return None
    draws = np.random.default_rng(seed_of(document))
    kinds = (
        (STATEMENTS[0], _random_lines(draws, 97), "general position", "as_printed", "s", "--"),
        (STATEMENTS[1], _random_lines(draws, 0), "through a point", "measured", "o", "-"),
    )
    sizes = list(range(1, _MOST + 1))
    with drawing():
        figure = new_figure(8.2, 3.0)
        *planes, axes = figure.subplots(1, 3, width_ratios=(1, 1, 1.35))
        for plane, (statement, lines, words, colour, mark, stroke) in zip(
            planes, kinds, strict=True
        ):
            look: dict[str, Any] = {"color": COLOURS[colour]}
            for normal_x, normal_y, shift in lines[:_SHOWN]:
                square = normal_x**2 + normal_y**2
                foot = (shift * normal_x / square, shift * normal_y / square)
                plane.axline(foot, (foot[0] - normal_y, foot[1] + normal_x), linewidth=1.2, **look)
            plane.set(xlim=(-60, 60), ylim=(-60, 60), xticks=(), yticks=(), aspect="equal")
            plane.set_title(f"{words}: {regions(lines[:_SHOWN])} regions", fontsize=9)
            plane.spines[:].set_visible(True)
            exact = [int(statement.bound(m=size)) for size in sizes]
            axes.plot(sizes, exact, linestyle=stroke, label=f"{words}: formula", **look)
            counts = [regions(lines[:size]) for size in sizes]
            axes.plot(sizes, counts, mark, markersize=4.5, label="counted", **look)
        axes.set(xlabel="lines", ylabel="regions of the plane", xticks=range(2, _MOST + 1, 2))
        axes.legend(fontsize=8)
    return Drawing(
        "region_counts",
        "Into how many regions lines cut the plane",
        f"{_SHOWN} random lines in general position and {_SHOWN} through a point, as batch "
        "normalisation places a layer's boundaries, with their regions; the counts of up to "
        f"{_MOST} lines, with 1 + m + m(m-1)/2 and 2m.",
        figure,
        ("splines.region_counts",),
    )


FIGURES = (draw,)
