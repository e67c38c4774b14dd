"""How far the boundary of a unit bends where it crosses that of an earlier unit.

Problem. From the second layer on boundaries are folded: each bends where an earlier unit turns from
inactive to active. By which angle?

Method. Across the boundary of the earlier unit, whose normal is h, the gradient of the later unit
changes from g to g + c h, c = ±(1-a)ω: ω its derivative by what the earlier unit gives, a the slope
of the activation below 0; + towards the positive side. Lagrange's identity gives the sine, proved
in Rocq in every dimension. In the plane every bend that the exact enumeration of regions finds is
compared with it: directions from the partition's vertices, normals by the chain rule from the
weights, in rationals, for ReLU, leaky ReLU and absolute values, two layers and three.

Guarantee. sin φ = |c|‖h‖ sin∠(g, h)/‖g + c h‖, and tan φ = c g×h/(‖g‖² + c⟨g, h⟩) in the plane,
with its sign. A boundary that is crossed at a right angle by that of the earlier unit bends by
arctan(|c|‖h‖/‖g‖).

Reference. Ours.

Example:

    >>> [statement.variant for statement in STATEMENTS]
    ['sine', 'enumerated']
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import partial

import sympy as sp

from simulators.lazy import strategies as st
from theorems.checking.pointwise import Pointwise
from theorems.checking.rational_inputs import as_given
from theorems.families.splines.bends import bend_corners, bend_inputs
from theorems.families.splines.notation import DIMENSION, FAMILY, ROCQ, d, k
from theorems.statement import (
    NUDGE,
    Proof,
    Quantifier,
    Sentinel,
    Source,
    Statement,
    Variable,
    Verdict,
)

__all__ = ["FIGURES", "STATEMENTS"]

g, h, u, v = (sp.IndexedBase(name, real=True) for name in "ghuv")
c, a, s, omega = sp.symbols("c a s omega", real=True)
Item = Mapping[str, object]


def _item(first: Sequence[Fraction], other: Sequence[Fraction], factor: Fraction) -> Item:
    return {"d": len(first), "g": tuple(first), "h": tuple(other), "c": factor}


def _inputs() -> st.SearchStrategy[Item]:
    number = st.integers(-12, 12).map(lambda whole: Fraction(whole, 6))

    def of(size: int) -> st.SearchStrategy[Item]:
        vector = st.tuples(*(number,) * size)
        return st.builds(_item, vector, vector, number)

    return st.integers(1, 4).flatmap(of)


def _corners() -> list[Item]:
    """At a right angle, aslant, parallel, and in three dimensions."""
    one, half = Fraction(1), Fraction(1, 2)
    return [
        _item((one, one - 1), (one - 1, one), 2 * one),
        _item((one, one), (one, -3 * half), half),
        _item((one, 2 * one), (2 * one, 4 * one), one),
        _item((one, 2 * one, 3 * one), (one, -one, half), -3 * one),
    ]


def _product(one: sp.Expr, other: sp.Expr) -> sp.Expr:
    return sp.Sum(one * other, (k, 0, d - 1))


def _squared(term: sp.Expr) -> sp.Expr:
    return sp.Sum(term**2, (k, 0, d - 1))


def _cross(x: sp.IndexedBase, y: sp.IndexedBase) -> sp.Expr:
    return x[0] * y[1] - x[1] * y[0]


def _dot(x: sp.IndexedBase, y: sp.IndexedBase) -> sp.Expr:
    return x[0] * y[0] + x[1] * y[1]


def _tangent(factor: sp.Expr) -> sp.Expr:
    """⟨u,v⟩ · c g×h, which is u×v · ⟨g, g + c h⟩ if tan φ is what it should be."""
    return _dot(u, v) * factor * _cross(g, h)


_behind = g[k] + c * h[k]
_sine = _squared(g[k]) * _squared(h[k]) - _product(g[k], h[k]) ** 2
_change = s * (1 - a) * omega
_TWO = (sp.Integer(2),)
_fold = partial(
    Statement,
    family=FAMILY,
    theorem="fold_angle",
    quantifier=Quantifier.POINTWISE,
    source=Source("ours", ""),
    relation="==",
    expected=Verdict.CERTIFIED,
)

STATEMENTS = (
    _fold(
        variant="sine",
        title="‖g‖²‖g + ch‖² sin²φ = c²‖g‖²‖h‖² sin²∠(g, h): the fold where normals are g and g + ch",
        variables=(
            DIMENSION,
            Variable(g, sp.Reals, "normal of the unit on one side", size=(d,)),
            Variable(h, sp.Reals, "normal of the unit that is crossed", size=(d,)),
            Variable(c, sp.Reals, "change of the derivative by what that unit gives"),
        ),
        lhs=_squared(g[k]) * _squared(_behind) - _product(g[k], _behind) ** 2,
        rhs=c**2 * _sine,
        sentinel=Sentinel("one part in a million more", rhs=(1 + NUDGE) * c**2 * _sine),
        checks=(Pointwise(as_given, _inputs, _corners),),
        proof=Proof(
            theorem=f"{ROCQ}.FoldAngle.fold_sine",
            script="move=> R d g h c d1; (have _ : (1 <= d)%N := d1); exact: THEOREM",
        ),
        remark="Both sides are squared areas, so that g = 0 and g + ch = 0 are no exceptions.",
    ),
    _fold(
        variant="enumerated",
        title="At every bend that is found tan φ = (1-a)ω g×h/(‖g‖² + (1-a)ω⟨g, h⟩), up to the side",
        variables=(
            Variable(u, sp.Reals, "direction of the boundary before the bend", size=_TWO),
            Variable(v, sp.Reals, "direction behind it", size=_TWO),
            Variable(g, sp.Reals, "normal of the unit before the bend", size=_TWO),
            Variable(h, sp.Reals, "normal of the unit that is crossed", size=_TWO),
            Variable(omega, sp.Reals, "derivative by what that unit gives"),
            Variable(a, sp.Interval(-1, 1), "slope of the activation below 0"),
            Variable(s, sp.Interval(-1, 1), "1 if the unit crossed is negative before, else -1"),
        ),
        lhs=_cross(u, v) * (_dot(g, g) + _change * _dot(g, h)),
        rhs=_tangent(_change),
        sentinel=Sentinel("ω one part in a million larger", rhs=(1 + NUDGE) * _tangent(_change)),
        checks=(Pointwise(as_given, bend_inputs, bend_corners, walks=False),),
        remark="u and v are read off the enumeration; g, h and ω come from the weights alone.",
    ),
)
FIGURES = ()
