"""The cluster's angle at the outlier fixed point is 3π/n to first order, with the next order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import flint
import sympy as sp

from simulators.engines.mean_field.outlier_enclosure import cosines_enclosure
from theorems.checking.enclosures import Enclosed
from theorems.families.cluster.fixed_points import Point, find
from theorems.families.cluster.notation import FAMILY, OURS, n
from theorems.families.cluster.outlier import BEYOND, parts
from theorems.statement import Quantifier, Sentinel, Statement, Variable, Verdict

__all__ = ["STATEMENTS"]

tau = sp.Symbol("tau", real=True)


def _outlier(size: int) -> Point:
    point = find(size).outlier
    if point is None:
        raise ValueError(f"n={size} has no outlier point")
    return point


def _before(size: int) -> Mapping[str, Any]:
    return {"tau": size**2 * ((size + 1) * _outlier(size).cluster_angle / (3 * flint.arb.pi()) - 1)}


def _after(size: int) -> Mapping[str, Any]:
    angle = cosines_enclosure(_outlier(size).angle, size)[0].acos()
    return {"tau": size**2 * ((size + 2) * angle / (3 * flint.arb.pi()) - 1)}


def _from(least: int) -> tuple[Variable, ...]:
    return (Variable(n, sp.Range(least, sp.oo), "batch size"),)


_BEFORE = {
    tau: "n²((n+1)φ/(3π) - 1), φ the angle within the cluster at the outlier fixed point, after "
    "recentring"
}
_angle: dict[str, Any] = dict(
    family=FAMILY,
    theorem="angle_law",
    quantifier=Quantifier.MEAN_FIELD,
    source=OURS,
    relation="<=",
    expected=Verdict.CERTIFIED,
    chain="recenter_relu",
    depends_on=("cluster.outlier_fixed_point:count",),
)
RECENTRED = Statement(
    variant="recentred",
    title="The cluster's angle is 3π/(n+1) up to a factor 1 ± 4/n², so n times it tends to 3π",
    variables=_from(7),
    definitions=_BEFORE,
    lhs=sp.Abs(tau),
    rhs=sp.Integer(4),
    sentinel=Sentinel("a factor 1 ± 3/n², false at n = 7", rhs=sp.Integer(3)),
    checks=(Enclosed(BEYOND, _before, lambda: parts({"tau": "stretch"})),),
    **_angle,
)
NEXT_ORDER = Statement(
    variant="next_order",
    title="That factor is 1 + (3π²/20 - 1)/n² to next order: within 1/(20n²) for n ≥ 1024",
    variables=_from(1024),
    definitions=_BEFORE,
    lhs=sp.Abs(tau - (3 * sp.pi**2 / 20 - 1)),
    rhs=sp.Rational(1, 20),
    sentinel=Sentinel(
        "constant 3π²/20 - 9/10", lhs=sp.Abs(tau - (3 * sp.pi**2 / 20 - sp.Rational(9, 10)))
    ),
    checks=(Enclosed(BEYOND, _before, lambda: parts({"tau": "stretch"})),),
    remark="The difference is some 29/n; the ball for n ≥ 4096 contains the constant.",
    **_angle,
)
AFTER_RELU = Statement(
    variant="after_relu",
    title="After ReLU the cluster's angle is 3π/(n+2) up to a factor 1 ± 2/n²",
    variables=_from(7),
    lhs=sp.Abs(tau),
    rhs=sp.Integer(2),
    definitions={
        tau: "n²((n+2)φ⁺/(3π) - 1), cos φ⁺ the cosine in the cluster of the fixed point's Gram "
        "matrix"
    },
    sentinel=Sentinel("a factor 1 ± 1/n², false at n = 7", rhs=sp.Integer(1)),
    checks=(Enclosed(BEYOND, _after, lambda: parts({"tau": "stretch_after"})),),
    **_angle,
)

STATEMENTS: tuple[Statement, ...] = (RECENTRED, NEXT_ORDER, AFTER_RELU)
