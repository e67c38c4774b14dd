"""Two points u and v, and a point g of the boundary from which they are seen: symbols, exact inputs.

r is half the distance of u and v, ρ that of g from their midpoint; a and b are the distances of u
and v from g. Inputs are mappings by symbol name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

import sympy as sp

from simulators.lazy import strategies as st
from theorems.families.splines.notation import DIMENSION, d, k
from theorems.statement import Variable

__all__ = [
    "DISTANCES",
    "LENGTHS",
    "POINTS",
    "Item",
    "a_2",
    "b_2",
    "corners",
    "inner",
    "inputs",
    "r_2",
    "rho_2",
    "u",
    "v",
]

Item = Mapping[str, object]
Point = Sequence[Fraction | int]

u, v, g = (sp.IndexedBase(name, real=True) for name in "uvg")
r_2, rho_2, a_2, b_2 = sp.symbols("r_2 rho_2 a_2 b_2", nonnegative=True)

POINTS = (
    DIMENSION,
    Variable(u, sp.Reals, "one point", size=(d,)),
    Variable(v, sp.Reals, "the other", size=(d,)),
    Variable(g, sp.Reals, "a point of the boundary", size=(d,)),
)
#: ⟨u-g, v-g⟩.
inner = sp.Sum((u[k] - g[k]) * (v[k] - g[k]), (k, 0, d - 1))


def _squared(term: sp.Expr) -> sp.Expr:
    return sp.Sum(term**2, (k, 0, d - 1))


DISTANCES = {
    r_2: _squared(u[k] - v[k]) / 4,
    rho_2: _squared((u[k] + v[k]) / 2 - g[k]),
}
LENGTHS = {a_2: _squared(u[k] - g[k]), b_2: _squared(v[k] - g[k])}


def _item(first: Point, second: Point, seen_from: Point) -> Item:
    points = {"u": first, "v": second, "g": seen_from}
    return {"d": len(first), **{name: tuple(map(Fraction, x)) for name, x in points.items()}}


def _drawn(
    first: Sequence[Fraction],
    second: Sequence[Fraction],
    along: Fraction,
    aside: Sequence[Fraction],
) -> Item:
    """Seen from the midpoint, moved along the line of the two points and aside."""
    pairs = zip(first, second, aside, strict=True)
    seen_from = [(x + y) / 2 + along * (x - y) + z for x, y, z in pairs]
    return _item(first, second, seen_from)


def inputs(reach: int) -> st.SearchStrategy[Item]:
    """Points in sixths up to 2, seen from up to ``reach`` sixths beside the midpoint.

    Example:
        >>> inputs(2).validate()
    """
    number, off = (
        st.integers(-most, most).map(lambda whole: Fraction(whole, 6)) for most in (12, reach)
    )

    def of(size: int) -> st.SearchStrategy[Item]:
        points, aside = (st.tuples(*(one,) * size) for one in (number, off))
        return st.builds(_drawn, points, points, off, aside)

    return st.integers(1, 3).flatmap(of)


def corners() -> list[Item]:
    """Seen from the midpoint, from near it, from afar, at right angles, from aside, from a point.

    Example:
        >>> corners()[0]["g"]
        (Fraction(0, 1), Fraction(0, 1))
    """
    return [
        _item((1, 0), (-1, 0), (0, 0)),
        _item((1, 0), (-1, 0), (0, Fraction(1, 2))),
        _item((1, 0), (-1, 0), (0, 3)),
        _item((1, 0), (-1, 0), (0, 1)),
        _item((1, 0), (-1, 0), (Fraction(1, 2), 0)),
        _item((1, 0, 2), (-1, 4, 0), (5, 5, 5)),
        _item((3,), (1,), (3,)),
    ]
