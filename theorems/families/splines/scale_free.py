"""Batch normalisation does not see the length of a weight: pre-activations are signed distances
over their r.m.s.
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
    WEIGHT,
    N,
    average,
    d,
    defined,
    j,
    k,
    mean,
    norm_squared,
    pre_activation,
    variance,
    w,
    z,
)
from theorems.statement import Assumption, Proof, Quantifier, Sentinel, Statement, Variable, Verdict

c = sp.Symbol("c", positive=True)
r = sp.Symbol("r", integer=True, nonnegative=True)
scaled_mean = sp.Symbol("mean_c", real=True)
scaled_variance = sp.Symbol("variance_c", nonnegative=True)
spread = sp.Symbol("spread", nonnegative=True)

_INDEX = Variable(r, sp.Range(0, N), "number of the input")
_VARIED = Assumption(sp.Gt(variance, 0), "the pre-activations are not all equal")


def _scaled(index: sp.Expr) -> sp.Expr:
    """⟨c w, z_index⟩."""
    return sp.Sum(c * w[k] * z[index, k], (k, 0, d - 1))


def _checked(definitions: Any) -> Any:
    return (
        Pointwise(
            lambda item: defined(item, definitions),
            inputs.indexed_units,
            inputs.indexed_corners,
            inputs.indexed_of_batch,
            squares=True,
        ),
    )


_TWO = {
    **DEFINITIONS,
    scaled_mean: average(_scaled(j), j),
    scaled_variance: average((_scaled(j) - scaled_mean) ** 2, j),
}
_DISTANCES = {**DEFINITIONS, spread: average((pre_activation(j) - mean) ** 2 / norm_squared, j)}
#: Hypotheses that the theorems do without, spelled out, so that the kernel compares them too.
_PINNED = r"(have _ : [/\ (1 <= N)%N, (1 <= d)%N & 0 < v] := And3 N1 d1 v0); "
_scale_free: dict[str, Any] = dict(
    family=FAMILY,
    theorem="scale_free",
    quantifier=Quantifier.POINTWISE,
    source=BB22,
    relation="==",
    expected=Verdict.CERTIFIED,
)
_normalised = (pre_activation(r) - mean) / sp.sqrt(variance)
LENGTH = Statement(
    variant="length",
    title="Batch normalisation does not see ‖w‖: pre-activations are the same for w and c w, c > 0",
    variables=(
        INPUTS,
        DIMENSION,
        WEIGHT,
        Variable(c, sp.Interval.Lopen(0, sp.oo), "factor"),
        DATA,
        _INDEX,
    ),
    definitions=_TWO,
    assumptions=(_VARIED,),
    lhs=(_scaled(r) - scaled_mean) / sp.sqrt(scaled_variance),
    rhs=_normalised,
    checks=_checked(_TWO),
    sentinel=Sentinel(
        "with ε = 1e-6 beside the variance",
        lhs=(_scaled(r) - scaled_mean) / sp.sqrt(scaled_variance + NUDGE),
        rhs=(pre_activation(r) - mean) / sp.sqrt(variance + NUDGE),
    ),
    proof=Proof(
        theorem=f"{ROCQ}.ScaleFree.scale_free",
        script="move=> R N d w c z r m v mc vc N1 d1 c0 defm defv defmc defvc v0; "
        f"{_PINNED}rewrite defvc defmc defv defm; "
        "exact: (THEOREM c0 (fun=> erefl) (fun=> erefl) r)",
    ),
    remark="Exact for ε = 0 only, as the sentinel shows.",
    **_scale_free,
)
_distance = (pre_activation(r) - mean) / sp.sqrt(norm_squared)
DISTANCE = Statement(
    variant="distance",
    title="Pre-activations are the signed distances to the boundary over their r.m.s.",
    variables=(INPUTS, DIMENSION, WEIGHT, DATA, _INDEX),
    definitions=_DISTANCES,
    assumptions=(NONZERO, _VARIED),
    lhs=_normalised,
    rhs=_distance / sp.sqrt(spread),
    checks=_checked(_DISTANCES),
    sentinel=Sentinel(
        "N - 1 for N in the mean square", rhs=_distance / sp.sqrt(spread * N / (N - 1))
    ),
    proof=Proof(
        theorem=f"{ROCQ}.ScaleFree.scale_free_distance",
        script=f"by move=> R N d w z r mean v s N1 d1 defmean defv defs w2 v0; {_PINNED}rewrite "
        f"defs defv; "
        f"rewrite (THEOREM ({NORM} w2) (fun=> erefl) defmean (fun=> erefl) r) invfM mulrA /=; "
        "congr (_ / Num.sqrt (_ / _)); "
        "apply: eq_bigr => j _; rewrite expr_div_n sqr_sqrtr ?ltW",
    ),
    **_scale_free,
)

STATEMENTS = (LENGTH, DISTANCE)
