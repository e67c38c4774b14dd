"""The angle under which two points are seen from a point of the boundary, against their distance.

Problem. A unit with Gaussian weight whose boundary goes through g separates u and v with
probability ∠(u-g, v-g)/π (R26, Lemma 1). How large is that angle, by r = ‖u-v‖/2 and the distance ρ
of g from the midpoint of u and v alone?

Method. ⟨u-g, v-g⟩ = ρ² - r² and ‖u-g‖² + ‖v-g‖² = 2(ρ² + r²), the parallelogram; the product of the
two lengths is at most ρ² + r². Exact rationals and radicals; Rocq's kernel proves all three.

Guarantee. cos ∠ ≤ (ρ² - r²)/(ρ² + r²) for ρ ≤ r, that is ∠ ≥ 2 arctan(r/ρ) ≥ π/2: the two are
separated with probability (2/π) arctan(r/ρ) or more, at least a half. For ρ ≥ r the reverse.
Equality where g is as far from u as from v. Written without division, so that g = u is no
exception.

Reference. R26 (PMLR 334), Lemma 1: its algebra.

Example:

    >>> [statement.variant for statement in STATEMENTS]
    ['inner_product', 'near', 'far']
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import sympy as sp

from theorems.checking.pointwise import Pointwise
from theorems.checking.rational_inputs import as_given
from theorems.families.splines.notation import FAMILY, ROCQ
from theorems.families.splines.two_points import (
    DISTANCES,
    LENGTHS,
    POINTS,
    Item,
    a_2,
    b_2,
    corners,
    inner,
    inputs,
    r_2,
    rho_2,
)
from theorems.statement import (
    NUDGE,
    Assumption,
    Proof,
    Quantifier,
    Sentinel,
    Source,
    Statement,
    Verdict,
)

if TYPE_CHECKING:
    from theorems.report.style import Drawing

__all__ = ["FIGURES", "STATEMENTS", "draw"]

_lengths = sp.sqrt(a_2) * sp.sqrt(b_2)
_angle = partial(
    Statement,
    family=FAMILY,
    theorem="separation_angle",
    quantifier=Quantifier.POINTWISE,
    source=Source("R26", "Lemma 1, its algebra"),
    variables=POINTS,
    expected=Verdict.CERTIFIED,
)
_left, _right = inner * (rho_2 + r_2), (rho_2 - r_2) * _lengths


def _checks(reach: int) -> tuple[Pointwise[Item], ...]:
    return (Pointwise(as_given, partial(inputs, reach), corners),)


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
        definitions=DISTANCES,
        lhs=inner,
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
        definitions={**DISTANCES, **LENGTHS},
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
        definitions={**DISTANCES, **LENGTHS},
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


def draw(document: Mapping[str, Any]) -> Drawing | None:
    """Angles under which two points are seen against the distance, with the bound; None if the
    statements were not run.

    ``document`` is the JSON value of a run.
    """
    from theorems.report.document import find
    from theorems.report.figure_parts import seed_of
    from theorems.report.style import COLOURS, MUTED, Drawing, drawing, new_figure

    if find(document, STATEMENTS[1].name) is None:
        return None
    draws = np.random.default_rng(seed_of(document))
    end = np.array([1.0, 0.0, 0.0])
    ratios = 3 * draws.random(600)
    aside = draws.standard_normal((600, 3))
    seen_from = ratios[:, None] * aside / np.linalg.norm(aside, axis=1)[:, None]
    first, second = end - seen_from, -end - seen_from
    across = np.linalg.norm(np.cross(first, second), axis=1)
    angles = np.degrees(np.arctan2(across, (first * second).sum(axis=1)))
    along = np.linspace(1e-3, 3, 301)
    with drawing():
        figure = new_figure(4.5, 3.2)
        axes = figure.add_subplot()
        axes.plot(
            ratios,
            angles,
            "o",
            markersize=2.5,
            alpha=0.6,
            color=COLOURS["measured"],
            label="seen from random points",
        )
        axes.plot(
            along,
            2 * np.degrees(np.arctan(1 / along)),
            color=COLOURS["sharp"],
            label="2 arctan(r/ρ)",
        )
        axes.axvline(1, color=MUTED, linewidth=0.8, linestyle=":")
        axes.set(
            xlabel="ρ/r, distance from the midpoint",
            ylabel="angle of u and v, degrees",
            yticks=range(0, 181, 45),
        )
        axes.legend(loc="upper right")
    return Drawing(
        "separation_angle",
        "Under which angle two points are seen",
        "Random points of space about the midpoint of u and v. Up to ρ = r (dotted) the angle is at "
        "least 2 arctan(r/ρ), at least 90°; beyond it is at most that.",
        figure,
        ("splines.separation_angle",),
    )


FIGURES = (draw,)
