"""The angle under which two points are seen from a point of the boundary, against their distance.

Problem. A unit with Gaussian weight whose boundary goes through g separates u and v with
probability ∠(u-g, v-g)/π (R26, Lemma 1). How large is that angle, by r = ‖u-v‖/2 and the distance ρ
of g from the midpoint of u and v alone?

Method. ⟨u-g, v-g⟩ = ρ² - r² and ‖u-g‖² + ‖v-g‖² = 2(ρ² + r²), the parallelogram; the product of the
two lengths is at most ρ² + r². Exact rationals and radicals; Rocq's kernel proves all three.

Guarantee. cos ∠ ≤ (ρ² - r²)/(ρ² + r²) for ρ ≤ r, that is ∠ ≥ 2 arctan(r/ρ) ≥ π/2: the two are
separated with probability (2/π) arctan(r/ρ) or more, at least a half. For ρ ≥ r the reverse.
Equality where g is as far from u as from v. Written without division, so that g = u is no exception.

Reference. R26 (PMLR 334), Lemma 1: its algebra.

Example:

    >>> [statement.variant for statement in STATEMENTS]
    ['inner_product', 'near', 'far']
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import partial

import sympy as sp

from simulators.lazy import strategies as st
from theorems.checking.pointwise import Pointwise
from theorems.checking.rational_inputs import as_given
from theorems.families.splines.notation import DIMENSION, FAMILY, ROCQ, d, k
from theorems.statement import (
    NUDGE,
    Assumption,
    Proof,
    Quantifier,
    Sentinel,
    Source,
    Statement,
    Variable,
    Verdict,
)

__all__ = ["FIGURES", "STATEMENTS"]

u, v, g = (sp.IndexedBase(name, real=True) for name in "uvg")
r_2, rho_2, a_2, b_2 = sp.symbols("r_2 rho_2 a_2 b_2", nonnegative=True)
Item = Mapping[str, object]
Point = Sequence[Fraction | int]


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


def _inputs(reach: int) -> st.SearchStrategy[Item]:
    """Points in sixths up to 2, seen from up to ``reach`` sixths beside the midpoint."""
    number, off = (
        st.integers(-most, most).map(lambda whole: Fraction(whole, 6)) for most in (12, reach)
    )

    def of(size: int) -> st.SearchStrategy[Item]:
        points, aside = (st.tuples(*(one,) * size) for one in (number, off))
        return st.builds(_drawn, points, points, off, aside)

    return st.integers(1, 3).flatmap(of)


def _corners() -> list[Item]:
    return [
        _item((1, 0), (-1, 0), (0, 0)),
        _item((1, 0), (-1, 0), (0, Fraction(1, 2))),
        _item((1, 0), (-1, 0), (0, 3)),
        _item((1, 0), (-1, 0), (0, 1)),
        _item((1, 0), (-1, 0), (Fraction(1, 2), 0)),
        _item((1, 0, 2), (-1, 4, 0), (5, 5, 5)),
        _item((3,), (1,), (3,)),
    ]


def _squared(term: sp.Expr) -> sp.Expr:
    return sp.Sum(term**2, (k, 0, d - 1))


_inner = sp.Sum((u[k] - g[k]) * (v[k] - g[k]), (k, 0, d - 1))
_DISTANCES = {
    r_2: _squared(u[k] - v[k]) / 4,
    rho_2: _squared((u[k] + v[k]) / 2 - g[k]),
}
_LENGTHS = {a_2: _squared(u[k] - g[k]), b_2: _squared(v[k] - g[k])}
_lengths = sp.sqrt(a_2) * sp.sqrt(b_2)
_angle = partial(
    Statement,
    family=FAMILY,
    theorem="separation_angle",
    quantifier=Quantifier.POINTWISE,
    source=Source("R26", "Lemma 1, its algebra"),
    variables=(
        DIMENSION,
        Variable(u, sp.Reals, "one point", size=(d,)),
        Variable(v, sp.Reals, "the other", size=(d,)),
        Variable(g, sp.Reals, "a point of the boundary", size=(d,)),
    ),
    expected=Verdict.CERTIFIED,
)
_left, _right = _inner * (rho_2 + r_2), (rho_2 - r_2) * _lengths


def _checks(reach: int) -> tuple[Pointwise[Item], ...]:
    return (Pointwise(as_given, partial(_inputs, reach), _corners),)


_SIZE = "(have _ : (1 <= d)%N := d1)"


def _proof(name: str, script: str) -> Proof:
    return Proof(theorem=f"{ROCQ}.SeparationAngle.{name}", script=script)


def _bounded(name: str) -> Proof:
    steps = "move=> R d u v g r_2 rho_2 a_2 b_2 d1 rE rhoE aE bE given"
    return _proof(name, f"{steps}; {_SIZE}; exact: (THEOREM rE rhoE aE bE given)")


STATEMENTS = (
    _angle(
        variant="inner_product",
        title="⟨u-g, v-g⟩ = ρ² - r², ρ the distance of g from the midpoint, r half that of u and v",
        definitions=_DISTANCES,
        lhs=_inner,
        relation="==",
        rhs=rho_2 - r_2,
        sentinel=Sentinel("r one part in a million longer", rhs=rho_2 - (1 + NUDGE) * r_2),
        checks=_checks(12),
        proof=_proof(
            "inner_product",
            f"move=> R d u v g r_2 rho_2 d1 rE rhoE; {_SIZE}; exact: (THEOREM rE rhoE)",
        ),
    ),
    _angle(
        variant="near",
        title="ρ ≤ r: cos ∠(u-g, v-g) ≤ (ρ² - r²)/(ρ² + r²), so ∠ ≥ 2 arctan(r/ρ) ≥ π/2",
        definitions={**_DISTANCES, **_LENGTHS},
        assumptions=(Assumption(sp.Le(rho_2, r_2), "g is in the ball whose diameter is uv"),),
        lhs=_left,
        relation="<=",
        rhs=_right,
        sentinel=Sentinel("lengths one part in a million longer", rhs=(1 + NUDGE) * _right),
        checks=_checks(2),
        proof=_bounded("seen_from_near"),
    ),
    _angle(
        variant="far",
        title="ρ ≥ r: cos ∠(u-g, v-g) ≥ (ρ² - r²)/(ρ² + r²), so ∠ ≤ 2 arctan(r/ρ) ≤ π/2",
        definitions={**_DISTANCES, **_LENGTHS},
        assumptions=(
            Assumption(sp.Ge(rho_2, r_2), "g is not inside the ball whose diameter is uv"),
        ),
        lhs=_left,
        relation=">=",
        rhs=_right,
        sentinel=Sentinel("lengths one part in a million longer", rhs=(1 + NUDGE) * _right),
        checks=_checks(12),
        proof=_bounded("seen_from_far"),
    ),
)
FIGURES = ()
