"""How far the boundary of a unit bends where it crosses that of an earlier unit.

Problem. From the second layer on boundaries are folded: each bends where an earlier unit turns from
inactive to active. By which angle?

Method. Across the boundary of the earlier unit, whose normal is h, the gradient of the later unit
changes from g to g + c h, c = ±(1-a)ω: ω its derivative by what the earlier unit gives, a the slope
of the activation below 0; + towards the positive side. Lagrange's identity gives the sine, proved
in Rocq in every dimension. In the plane every bend that the exact enumeration of regions finds is
compared with it: directions from the partition's vertices, normals by the chain rule from the
weights, in rationals, for ReLU, leaky ReLU and absolute values, two layers and three. Where several
earlier units are crossed at once the normals on both sides are compared, by the chain rule too.

Guarantee. sin φ = |c|‖h‖ sin∠(g, h)/‖g + c h‖, and tan φ = c g×h/(‖g‖² + c⟨g, h⟩) in the plane,
with its sign. A boundary that is crossed at a right angle by that of the earlier unit bends by
arctan(|c|‖h‖/‖g‖). In full, from -180° to 180°, φ is the angle from g to the normal behind the bend,
however many units are crossed.

Reference. Ours.

Example:

    >>> [statement.variant for statement in STATEMENTS]
    ['sine', 'enumerated', 'full_turn']
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import sympy as sp

from simulators.lazy import strategies as st
from theorems.checking.pointwise import Pointwise
from theorems.checking.rational_inputs import as_given
from theorems.families.splines.bends import (
    Layers,
    bend_corners,
    bend_inputs,
    bend_items,
    full_turn_corners,
    full_turn_inputs,
)
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

if TYPE_CHECKING:
    from theorems.report.style import Drawing

__all__ = ["FIGURES", "STATEMENTS", "draw"]

f, g, h, u, v = (sp.IndexedBase(name, real=True) for name in "fghuv")
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
_turned = _dot(u, v) * _dot(g, f), _cross(u, v) * _cross(g, f)
_lengths = sp.sqrt(_dot(u, u) * _dot(v, v) * _dot(g, g) * _dot(f, f))
_sine = _squared(g[k]) * _squared(h[k]) - _product(g[k], h[k]) ** 2
_change = s * (1 - a) * omega
_TWO = (sp.Integer(2),)
_BEFORE = Variable(u, sp.Reals, "direction of the boundary before the bend", size=_TWO)
_BEHIND = Variable(v, sp.Reals, "direction behind it", size=_TWO)
_NORMAL = Variable(g, sp.Reals, "normal of the unit before the bend", size=_TWO)
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
        title="At every bend tan φ = (1-a)ω g×h/(‖g‖² + (1-a)ω⟨g, h⟩), where one unit is crossed",
        variables=(
            _BEFORE,
            _BEHIND,
            _NORMAL,
            Variable(h, sp.Reals, "normal of the unit that is crossed", size=_TWO),
            Variable(omega, sp.Reals, "derivative by what that unit gives"),
            Variable(a, sp.Interval(-1, 1), "slope of the activation below 0"),
            Variable(s, sp.Interval(-1, 1), "1 if the unit crossed is negative before, else -1"),
        ),
        lhs=_cross(u, v) * (_dot(g, g) + _change * _dot(g, h)),
        rhs=_tangent(_change),
        sentinel=Sentinel("ω one part in a million larger", rhs=(1 + NUDGE) * _tangent(_change)),
        checks=(Pointwise(as_given, bend_inputs, bend_corners, walks=False),),
        remark="u and v are read off the enumeration; g, h and ω come from the weights alone. Where "
        "several units are crossed: `full_turn`.",
    ),
    _fold(
        variant="full_turn",
        title="φ is the angle from the normal g before a bend to f behind it, by side and size",
        variables=(
            _BEFORE,
            _BEHIND,
            _NORMAL,
            Variable(f, sp.Reals, "normal of the unit behind it", size=_TWO),
        ),
        lhs=_turned[0] + _turned[1],
        rhs=_lengths,
        sentinel=Sentinel("turned to the other side", lhs=_turned[0] - _turned[1]),
        checks=(
            Pointwise(as_given, full_turn_inputs, full_turn_corners, walks=False, squares=True),
        ),
        remark="It says that the cosine of the difference of both angles is 1. However many earlier "
        "units are crossed at the bend, unless an edge lies along a boundary of theirs.",
    ),
)

#: What is drawn: networks of each slope of the activation below 0.
_DRAWN = (
    (Fraction(0), "ReLU", "measured", "o", "-"),
    (Fraction(1, 8), "leaky ReLU, slope 1/8", "corrected", "^", "--"),
    (Fraction(-1), "absolute value", "as_printed", "s", ":"),
)
_SHAPE, _NETWORKS = (2, 4, 4, 3), 2


def _degrees(item: Item) -> tuple[float, float]:
    """How far a boundary should bend, by its weights, and how far the enumerated one does."""
    a, s, omega = (item[name] for name in ("a", "s", "omega"))
    change = float(s * (1 - a) * omega)  # type: ignore[operator]
    (u, v, g, h) = (np.array(item[name], dtype=np.float64) for name in "uvgh")
    turned = [_cross(g, change * h), g @ (g + change * h)], [_cross(u, v), u @ v]
    predicted, found = (float(np.degrees(np.arctan2(*pair))) for pair in turned)
    return predicted, found


def draw(document: Mapping[str, Any]) -> Drawing | None:
    """Bends of enumerated boundaries against the angle that the weights predict, and how large they
    are; None if the enumeration was not run.

    ``document`` is the JSON value of a run. Cost: a second.
    """
    from theorems.report.document import find
    from theorems.report.figure_parts import seed_of
    from theorems.report.style import COLOURS, INK, Drawing, drawing, new_figure

    name = STATEMENTS[1].name
    if find(document, name) is None:
        return None
    seed = seed_of(document)
    with drawing():
        figure = new_figure(7.4, 3.4)
        scatter, sizes = figure.subplots(1, 2)
        scatter.plot([-180, 180], [-180, 180], color=INK, linewidth=0.8, zorder=1)
        bins = np.linspace(0, 180, 19)
        for slope, label, colour, mark, stroke in _DRAWN:
            pairs = [
                _degrees(item)
                for number in range(_NETWORKS)
                for item in bend_items(Layers.drawn(_SHAPE, slope, seed + number))
            ]
            predicted, found = np.array(pairs).reshape(-1, 2).T
            look = {"color": COLOURS[colour]}
            scatter.plot(predicted, found, mark, markersize=4, alpha=0.7, label=label, **look)
            shares = np.full(len(found), 1 / max(len(found), 1))
            sizes.hist(
                np.abs(found), bins, weights=shares, histtype="step", linestyle=stroke, **look
            )
        turns = range(-180, 181, 90)
        scatter.set(
            xlabel="bend predicted by the weights, degrees",
            ylabel="bend of the enumerated boundary, degrees",
            xticks=turns,
            yticks=turns,
        )
        scatter.legend(loc="upper left", fontsize=8)
        sizes.set(
            xlabel="size of the bend, degrees", ylabel="share of bends", xticks=range(0, 181, 45)
        )
    return Drawing(
        "fold_angle",
        "How far boundaries bend where they cross earlier ones",
        "All bends in [-4, 4]² of boundaries of "
        f"{_NETWORKS} networks {'-'.join(map(str, _SHAPE))} of each activation: on the line the "
        "enumerated boundary bends as far as the weights say, and to that side.",
        figure,
        ("splines.fold_angle",),
    )


FIGURES = (draw,)
