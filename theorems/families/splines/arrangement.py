"""All boundaries of a first layer meet in the mean of the data, so that no region is bounded.

A region is a set of points with the same signs of ⟨w_r,y⟩ - μ_r, r over the units.
"""

from __future__ import annotations

from typing import Any

import sympy as sp

from theorems.checking.pointwise import Pointwise
from theorems.families.splines import inputs
from theorems.families.splines.notation import (
    BB22,
    DATA,
    DIMENSION,
    FAMILY,
    INPUTS,
    NUDGE,
    ROCQ,
    average,
    d,
    defined,
    i,
    k,
    z,
)
from theorems.statement import Assumption, Proof, Quantifier, Sentinel, Statement, Variable, Verdict

units = sp.Symbol("m", integer=True, positive=True)
r = sp.Symbol("r", integer=True, nonnegative=True)
t = sp.Symbol("t", positive=True)
radius = sp.Symbol("rho", nonnegative=True)
W = sp.IndexedBase("W", real=True)
y = sp.IndexedBase("y", real=True)
threshold = sp.Symbol("mu_r", real=True)
square = sp.Symbol("q", nonnegative=True)

_UNITS = Variable(units, sp.Range(1, sp.oo), "number of units")
_WEIGHTS = Variable(W, sp.Reals, "weights, one unit a row", size=(units, d))
_UNIT = Variable(r, sp.Range(0, units), "number of the unit")
_POINT = Variable(y, sp.Reals, "a point of the region", size=(d,))
_THRESHOLD = {threshold: average(sp.Sum(W[r, k] * z[i, k], (k, 0, d - 1)), i)}

#: Coordinate k of the mean of the data.
centre = average(z[i, k], i)


def ray(share: sp.Expr) -> sp.Expr:
    """Coordinate k of the point on the ray from the mean of the data through y, y itself at share
    1.
    """
    return centre + share * (y[k] - centre)


def _values(definitions: Any) -> Any:
    return lambda item: defined(item, definitions)


#: Hypotheses that the theorems do without, spelled out, so that the kernel compares them too.
_PINNED = r"(have _ : [/\ (1 <= N)%N, (1 <= d)%N & (1 <= m)%N] := And3 N1 d1 m1); "
_arrangement: dict[str, Any] = dict(
    family=FAMILY,
    theorem="central_arrangement",
    quantifier=Quantifier.POINTWISE,
    source=BB22,
    expected=Verdict.CERTIFIED,
)
COMMON = Statement(
    variant="common",
    title="Every boundary of the layer passes through the mean of the data",
    variables=(INPUTS, DIMENSION, DATA, _UNITS, _WEIGHTS, _UNIT),
    definitions=_THRESHOLD,
    lhs=sp.Sum(W[r, k] * centre, (k, 0, d - 1)),
    relation="==",
    rhs=threshold,
    sentinel=Sentinel("a threshold one part in a million off", rhs=threshold * (1 + NUDGE)),
    checks=(
        Pointwise(_values(_THRESHOLD), inputs.layers, inputs.layer_corners, inputs.layer_of_batch),
    ),
    proof=Proof(
        theorem=f"{ROCQ}.CentralArrangement.central_arrangement",
        also=(f"{ROCQ}.TotalLeastSquares.boundary_contains_mean",),
        script=f"by move=> R N d z m W r mu N1 d1 m1 ->; {_PINNED}under eq_bigr do rewrite -mulrA; "
        "apply: (@THEOREM R m N d W z _ _ (fun=> erefl) (fun=> erefl) r)",
    ),
    **_arrangement,
)
RAY = Statement(
    variant="ray",
    title="The ray from the mean of the data through a point stays in the point's region",
    variables=(
        INPUTS,
        DIMENSION,
        DATA,
        _UNITS,
        _WEIGHTS,
        _UNIT,
        _POINT,
        Variable(t, sp.Interval.Lopen(0, sp.oo), "share of the way"),
    ),
    definitions=_THRESHOLD,
    lhs=sp.sign(sp.Sum(W[r, k] * ray(t), (k, 0, d - 1)) - threshold),
    relation="==",
    rhs=sp.sign(sp.Sum(W[r, k] * y[k], (k, 0, d - 1)) - threshold),
    sentinel=Sentinel(
        "the ray from the origin",
        lhs=sp.sign(sp.Sum(W[r, k] * (t * y[k]), (k, 0, d - 1)) - threshold),
    ),
    checks=(
        Pointwise(_values(_THRESHOLD), inputs.layers, inputs.layer_corners, inputs.layer_of_batch),
    ),
    proof=Proof(
        theorem=f"{ROCQ}.CentralArrangement.central_arrangement_ray",
        script=f"by move=> R N d z m W r y t mu N1 d1 m1 t0 ->; {_PINNED}"
        "apply: (@THEOREM R m N d W z _ y _ t (fun=> erefl) (fun=> erefl) t0 r)",
    ),
    **_arrangement,
)
_SQUARE = {square: sp.Sum((y[k] - centre) ** 2, (k, 0, d - 1))}
UNBOUNDED = Statement(
    variant="unbounded",
    title="No region is bounded: at t = 1 + ρ²/‖y - z̄‖² its ray is farther than ρ from z̄",
    variables=(INPUTS, DIMENSION, DATA, _POINT, Variable(radius, sp.Interval(0, sp.oo), "radius")),
    definitions=_SQUARE,
    assumptions=(Assumption(sp.Gt(square, 0), "y is not the mean of the data"),),
    lhs=radius**2,
    relation="<",
    rhs=sp.Sum((ray(1 + radius**2 / square) - centre) ** 2, (k, 0, d - 1)),
    sentinel=Sentinel("farther than √5 ρ", lhs=5 * radius**2),
    checks=(
        Pointwise(_values(_SQUARE), inputs.layers, inputs.layer_corners, inputs.layer_of_batch),
    ),
    proof=Proof(
        theorem=f"{ROCQ}.CentralArrangement.central_arrangement_beyond",
        also=(f"{ROCQ}.CentralArrangement.central_arrangement_unbounded",),
        script=r"by move=> R N d z y rho q N1 d1 rho0 -> q0; "
        r"(have _ : [/\ (1 <= N)%N, (1 <= d)%N & 0 <= rho] := And3 N1 d1 rho0); "
        r"have := @THEOREM R d (fun k => (\sum_(i < N) z i k) / N%:R) y rho q0; congr (_ < _); "
        "apply: eq_bigr => k _ /=; rewrite addrAC subrr add0r exprMn [1 + _]addrC",
    ),
    depends_on=("splines.central_arrangement:ray",),
    **_arrangement,
)

STATEMENTS = (COMMON, RAY, UNBOUNDED)
