"""The mean is the best threshold: the boundary of a normalised unit is the total least squares fit
to the inputs.

The squared distance of z to the boundary {z : ⟨w,z⟩ = μ} is (⟨w,z⟩ - μ)²/‖w‖².
"""

from __future__ import annotations

from typing import Any

import sympy as sp

from theorems.checking.pointwise import Pointwise
from theorems.families.splines import inputs
from theorems.families.splines.notation import (
    BB22,
    DATA,
    DEFINITIONS,
    DIMENSION,
    FAMILY,
    INPUTS,
    NONZERO,
    NORM,
    NUDGE,
    ROCQ,
    THRESHOLD,
    WEIGHT,
    N,
    average,
    defined,
    i,
    mean,
    mean_activation,
    mu,
    norm_squared,
    pre_activation,
    variance,
)
from theorems.statement import Assumption, Proof, Quantifier, Sentinel, Statement, Verdict

_ROOT = f"{ROCQ}.TotalLeastSquares"
#: A hypothesis that the theorems do without, spelled out, so that the kernel compares it too.
_PINNED = "(have _ : (1 <= d)%N := d1); "


def distances(threshold: sp.Expr) -> sp.Expr:
    """The sum of the inputs' squared distances to the boundary with this threshold."""
    return sp.Sum((pre_activation(i) - threshold) ** 2 / norm_squared, (i, 0, N - 1))


def _checked(definitions: Any) -> Any:
    return (
        Pointwise(
            lambda item: defined(item, definitions),
            inputs.units,
            inputs.unit_corners,
            inputs.unit_of_batch,
        ),
    )


_MEAN = {mean: mean_activation}
_least: dict[str, Any] = dict(
    family=FAMILY,
    theorem="total_least_squares",
    quantifier=Quantifier.POINTWISE,
    source=BB22,
    variables=(INPUTS, DIMENSION, WEIGHT, DATA, THRESHOLD),
    definitions=_MEAN,
    expected=Verdict.CERTIFIED,
    checks=_checked(_MEAN),
)
LEAST = Statement(
    variant="least",
    title="The mean of ⟨w,z_i⟩ is the best threshold: no μ has a smaller Σ dist(z_i, boundary)²",
    assumptions=(NONZERO,),
    lhs=distances(mean),
    relation="<=",
    rhs=distances(mu),
    sentinel=Sentinel(
        "a threshold one part in a million off the mean", lhs=distances(mean * (1 + NUDGE))
    ),
    proof=Proof(
        theorem=f"{_ROOT}.total_least_squares",
        also=(f"{_ROOT}.boundary_distance",),
        script=f"move=> R N d w z mu mean N1 d1 defmean /{NORM} w0; {_PINNED}"
        "exact: (THEOREM N1 w0 (fun=> erefl) defmean mu).1",
    ),
    **_least,
)
UNIQUE = Statement(
    variant="unique",
    title="No other threshold fits as well as the mean of ⟨w,z_i⟩",
    assumptions=(NONZERO, Assumption(sp.Ne(mu, mean), "μ is not the mean")),
    lhs=distances(mean),
    relation="<",
    rhs=distances(mu),
    sentinel=Sentinel("strict by a part in a thousand", rhs=distances(mu) * (1 - 1000 * NUDGE)),
    proof=Proof(
        theorem=f"{_ROOT}.total_least_squares",
        script=f"by move=> R N d w z mu mean N1 d1 defmean /{NORM} w0 off; {_PINNED}rewrite "
        f"lt_neqAle; "
        "have [-> same] := THEOREM N1 w0 (fun=> erefl) defmean mu; rewrite andbT; "
        "apply: contraNneq off => tie; apply/eqP/same",
    ),
    **_least,
)
PYTHAGORAS = Statement(
    variant="identity",
    title="What another threshold costs: Σ dist² at μ is Σ dist² at the mean and N(μ - mean)²/‖w‖²",
    assumptions=(NONZERO,),
    lhs=distances(mu),
    relation="==",
    rhs=distances(mean) + N * (mu - mean) ** 2 / norm_squared,
    sentinel=Sentinel(
        "N - 1 for N", rhs=distances(mean) + (N - 1) * (mu - mean) ** 2 / norm_squared
    ),
    proof=Proof(
        theorem=f"{_ROOT}.offset_identity",
        script=f"move=> R N d w z mu mean N1 d1 -> w0; {_PINNED}"
        r"(have _ : 0 < \sum_(k < d) w k ^+ 2 := w0); "
        "rewrite -!mulr_suml (THEOREM _ mu N1) mulrDl addrC -[(mu - _) ^+ 2]sqrrN opprB; exact: "
        "erefl",
    ),
    **_least,
)

_SQUARES = {mean: mean_activation, variance: average(pre_activation(i) ** 2, i) - mean**2}
_residual: dict[str, Any] = dict(
    family=FAMILY,
    theorem="residual_variance",
    quantifier=Quantifier.POINTWISE,
    source=BB22,
    expected=Verdict.CERTIFIED,
)
RESIDUAL_IDENTITY = Statement(
    variant="identity",
    title="The best fit leaves Σ dist² = Nσ²/‖w‖², σ² the mean square minus the squared mean",
    variables=(INPUTS, DIMENSION, WEIGHT, DATA),
    assumptions=(NONZERO,),
    definitions=_SQUARES,
    lhs=distances(mean),
    relation="==",
    rhs=N * variance / norm_squared,
    checks=_checked(_SQUARES),
    sentinel=Sentinel("N - 1 for N", rhs=(N - 1) * variance / norm_squared),
    proof=Proof(
        theorem=f"{_ROOT}.residual_variance",
        script=f"by move=> R N d w z mean v N1 d1 defmean defv /{NORM} w0; {_PINNED}"
        "apply: (THEOREM N1 w0 (fun=> erefl) defmean defv)",
    ),
    **_residual,
)
RESIDUAL_LEAST = Statement(
    variant="least",
    title="Every boundary normal to w has Σ dist(z_i, boundary)² ≥ Nσ²/‖w‖²",
    variables=(INPUTS, DIMENSION, WEIGHT, DATA, THRESHOLD),
    assumptions=(NONZERO,),
    definitions=DEFINITIONS,
    lhs=N * variance / norm_squared,
    relation="<=",
    rhs=distances(mu),
    checks=_checked(DEFINITIONS),
    sentinel=Sentinel("one part in a million more", lhs=(1 + NUDGE) * N * variance / norm_squared),
    proof=Proof(
        theorem=f"{_ROOT}.residual_variance_min",
        script=f"move=> R N d w z mu mean v N1 d1 defmean defv /{NORM} w0; {_PINNED}"
        "exact: (THEOREM N1 w0 (fun=> erefl) defmean defv mu).1",
    ),
    remark="Equality at μ = mean, and only there.",
    **_residual,
)

STATEMENTS = (LEAST, UNIQUE, PYTHAGORAS, RESIDUAL_IDENTITY, RESIDUAL_LEAST)
