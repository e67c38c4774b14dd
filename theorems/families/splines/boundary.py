"""The boundary of a normalised unit: where it lies, where a layer's meet, and how far points are.

- The mean is the best threshold: the boundary is the total least squares fit to the inputs. The
  squared distance of z to the boundary {z : ⟨w,z⟩ = μ} is (⟨w,z⟩ - μ)²/‖w‖².
- All boundaries of a first layer meet in the mean of the data, so that no region is bounded. A
  region is a set of points with the same signs of ⟨w_r,y⟩ - μ_r, r over the units.
- Pre-activations are signed distances over their r.m.s., whatever the length of the weight.
"""

from __future__ import annotations

from functools import partial

import sympy as sp

from theorems.checking.pointwise import Pointwise
from theorems.checking.rational_inputs import as_given
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
    ROCQ,
    THRESHOLD,
    WEIGHT,
    N,
    average,
    d,
    i,
    j,
    k,
    mean,
    mean_activation,
    mu,
    norm_squared,
    pre_activation,
    variance,
    w,
    z,
)
from theorems.statement import (
    NUDGE,
    Assumption,
    Proof,
    Quantifier,
    Sentinel,
    Statement,
    Variable,
    Verdict,
)

_ROOT = f"{ROCQ}.TotalLeastSquares"
#: Hypotheses that the theorems do without, spelled out, so that the kernel compares them too.
_DIMENSION = "(have _ : (1 <= d)%N := d1); "
_SIZES = r"(have _ : [/\ (1 <= N)%N, (1 <= d)%N & (1 <= m)%N] := And3 N1 d1 m1); "
_VARIED_SIZES = r"(have _ : [/\ (1 <= N)%N, (1 <= d)%N & 0 < v] := And3 N1 d1 v0); "

units = sp.Symbol("m", integer=True, positive=True)
r = sp.Symbol("r", integer=True, nonnegative=True)
c, t = sp.symbols("c t", positive=True)
radius, square, scaled_variance, spread = sp.symbols("rho q variance_c spread", nonnegative=True)
threshold, scaled_mean = sp.symbols("mu_r mean_c", real=True)
W, y = (sp.IndexedBase(name, real=True) for name in "Wy")

_UNITS = Variable(units, sp.Range(1, sp.oo), "number of units")
_WEIGHTS = Variable(W, sp.Reals, "weights, one unit a row", size=(units, d))
_UNIT = Variable(r, sp.Range(0, units), "number of the unit")
_POINT = Variable(y, sp.Reals, "a point of the region", size=(d,))
_INDEX = Variable(r, sp.Range(0, N), "number of the input")
_THRESHOLD = {threshold: average(sp.Sum(W[r, k] * z[i, k], (k, 0, d - 1)), i)}
_VARIED = Assumption(sp.Gt(variance, 0), "the pre-activations are not all equal")

# --- the best threshold ---------------------------------------------------------------------------


def distances(threshold: sp.Expr) -> sp.Expr:
    """The sum of the inputs' squared distances to the boundary with this threshold.

    Example:
        >>> distances(mu).limits
        ((i, 0, N - 1),)
    """
    return sp.Sum((pre_activation(i) - threshold) ** 2 / norm_squared, (i, 0, N - 1))


_MEAN = {mean: mean_activation}
_UNIT_TRIED = (Pointwise(as_given, inputs.units, inputs.unit_corners, inputs.unit_of_batch),)
_least = partial(
    Statement,
    family=FAMILY,
    theorem="total_least_squares",
    quantifier=Quantifier.POINTWISE,
    source=BB22,
    variables=(INPUTS, DIMENSION, WEIGHT, DATA, THRESHOLD),
    definitions=_MEAN,
    expected=Verdict.CERTIFIED,
    checks=_UNIT_TRIED,
)
LEAST = (
    _least(
        variant="least",
        title="The mean of ⟨w,z_i⟩ is the best threshold: no μ has a smaller Σ dist(z_i, "
        "boundary)²",
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
            script=f"move=> R N d w z mu mean N1 d1 defmean /{NORM} w0; {_DIMENSION}"
            "exact: (THEOREM N1 w0 (fun=> erefl) defmean mu).1",
        ),
    ),
    _least(
        variant="unique",
        title="No other threshold fits as well as the mean of ⟨w,z_i⟩",
        assumptions=(NONZERO, Assumption(sp.Ne(mu, mean), "μ is not the mean")),
        lhs=distances(mean),
        relation="<",
        rhs=distances(mu),
        sentinel=Sentinel("strict by a part in a thousand", rhs=distances(mu) * (1 - 1000 * NUDGE)),
        proof=Proof(
            theorem=f"{_ROOT}.total_least_squares",
            script=f"by move=> R N d w z mu mean N1 d1 defmean /{NORM} w0 off; {_DIMENSION}rewrite "
            "lt_neqAle; have [-> same] := THEOREM N1 w0 (fun=> erefl) defmean mu; rewrite andbT; "
            "apply: contraNneq off => tie; apply/eqP/same",
        ),
    ),
    _least(
        variant="identity",
        title="What another threshold costs: Σ dist² at μ is Σ dist² at the mean and N(μ - "
        "mean)²/‖w‖²",
        assumptions=(NONZERO,),
        lhs=distances(mu),
        relation="==",
        rhs=distances(mean) + N * (mu - mean) ** 2 / norm_squared,
        sentinel=Sentinel(
            "N - 1 for N", rhs=distances(mean) + (N - 1) * (mu - mean) ** 2 / norm_squared
        ),
        proof=Proof(
            theorem=f"{_ROOT}.offset_identity",
            script=f"move=> R N d w z mu mean N1 d1 -> w0; {_DIMENSION}"
            r"(have _ : 0 < \sum_(k < d) w k ^+ 2 := w0); "
            "rewrite -!mulr_suml (THEOREM _ mu N1) mulrDl addrC -[(mu - _) ^+ 2]sqrrN opprB; "
            "exact: "
            "erefl",
        ),
    ),
)

_SQUARES = {mean: mean_activation, variance: average(pre_activation(i) ** 2, i) - mean**2}
_residual = partial(
    Statement,
    family=FAMILY,
    theorem="residual_variance",
    quantifier=Quantifier.POINTWISE,
    source=BB22,
    assumptions=(NONZERO,),
    expected=Verdict.CERTIFIED,
    checks=_UNIT_TRIED,
)
RESIDUAL = (
    _residual(
        variant="identity",
        title="The best fit leaves Σ dist² = Nσ²/‖w‖², σ² the mean square minus the squared mean",
        variables=(INPUTS, DIMENSION, WEIGHT, DATA),
        definitions=_SQUARES,
        lhs=distances(mean),
        relation="==",
        rhs=N * variance / norm_squared,
        sentinel=Sentinel("N - 1 for N", rhs=(N - 1) * variance / norm_squared),
        proof=Proof(
            theorem=f"{_ROOT}.residual_variance",
            script=f"by move=> R N d w z mean v N1 d1 defmean defv /{NORM} w0; {_DIMENSION}"
            "apply: (THEOREM N1 w0 (fun=> erefl) defmean defv)",
        ),
    ),
    _residual(
        variant="least",
        title="Every boundary normal to w has Σ dist(z_i, boundary)² ≥ Nσ²/‖w‖²",
        variables=(INPUTS, DIMENSION, WEIGHT, DATA, THRESHOLD),
        definitions=DEFINITIONS,
        lhs=N * variance / norm_squared,
        relation="<=",
        rhs=distances(mu),
        sentinel=Sentinel(
            "one part in a million more", lhs=(1 + NUDGE) * N * variance / norm_squared
        ),
        proof=Proof(
            theorem=f"{_ROOT}.residual_variance_min",
            script=f"move=> R N d w z mu mean v N1 d1 defmean defv /{NORM} w0; {_DIMENSION}"
            "exact: (THEOREM N1 w0 (fun=> erefl) defmean defv mu).1",
        ),
        remark="Equality at μ = mean, and only there.",
    ),
)

# --- a layer ------------------------------------------------------------------------------------

#: Coordinate k of the mean of the data.
centre = average(z[i, k], i)


def ray(share: sp.Expr) -> sp.Expr:
    """Coordinate k of the point on the ray from the mean of the data through y.

    ``share`` is how far along it lies: the mean at 0, y itself at 1.

    Example:
        >>> ray(sp.Integer(1)).expand()
        y[k]
    """
    return centre + share * (y[k] - centre)


_arrangement = partial(
    Statement,
    family=FAMILY,
    theorem="central_arrangement",
    quantifier=Quantifier.POINTWISE,
    source=BB22,
    expected=Verdict.CERTIFIED,
    checks=(Pointwise(as_given, inputs.layers, inputs.layer_corners, inputs.layer_of_batch),),
)
ARRANGEMENT = (
    _arrangement(
        variant="common",
        title="Every boundary of the layer passes through the mean of the data",
        variables=(INPUTS, DIMENSION, DATA, _UNITS, _WEIGHTS, _UNIT),
        definitions=_THRESHOLD,
        lhs=sp.Sum(W[r, k] * centre, (k, 0, d - 1)),
        relation="==",
        rhs=threshold,
        sentinel=Sentinel("a threshold one part in a million off", rhs=threshold * (1 + NUDGE)),
        proof=Proof(
            theorem=f"{ROCQ}.CentralArrangement.central_arrangement",
            also=(f"{ROCQ}.TotalLeastSquares.boundary_contains_mean",),
            script=f"by move=> R N d z m W r mu N1 d1 m1 ->; {_SIZES}under eq_bigr do rewrite "
            "-mulrA; apply: (@THEOREM R m N d W z _ _ (fun=> erefl) (fun=> erefl) r)",
        ),
    ),
    _arrangement(
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
        proof=Proof(
            theorem=f"{ROCQ}.CentralArrangement.central_arrangement_ray",
            script=f"by move=> R N d z m W r y t mu N1 d1 m1 t0 ->; {_SIZES}"
            "apply: (@THEOREM R m N d W z _ y _ t (fun=> erefl) (fun=> erefl) t0 r)",
        ),
    ),
)
_SQUARE = {square: sp.Sum((y[k] - centre) ** 2, (k, 0, d - 1))}
UNBOUNDED = _arrangement(
    variant="unbounded",
    title="No region is bounded: at t = 1 + ρ²/‖y - z̄‖² its ray is farther than ρ from z̄",
    variables=(INPUTS, DIMENSION, DATA, _POINT, Variable(radius, sp.Interval(0, sp.oo), "radius")),
    definitions=_SQUARE,
    assumptions=(Assumption(sp.Gt(square, 0), "y is not the mean of the data"),),
    lhs=radius**2,
    relation="<",
    rhs=sp.Sum((ray(1 + radius**2 / square) - centre) ** 2, (k, 0, d - 1)),
    sentinel=Sentinel("farther than √5 ρ", lhs=5 * radius**2),
    proof=Proof(
        theorem=f"{ROCQ}.CentralArrangement.central_arrangement_beyond",
        also=(f"{ROCQ}.CentralArrangement.central_arrangement_unbounded",),
        script=r"by move=> R N d z y rho q N1 d1 rho0 -> q0; "
        r"(have _ : [/\ (1 <= N)%N, (1 <= d)%N & 0 <= rho] := And3 N1 d1 rho0); "
        r"have := @THEOREM R d (fun k => (\sum_(i < N) z i k) / N%:R) y rho q0; congr (_ < _); "
        "apply: eq_bigr => k _ /=; rewrite addrAC subrr add0r exprMn [1 + _]addrC",
    ),
    depends_on=("splines.central_arrangement:ray",),
)

# --- the length of the weight ---------------------------------------------------------------------


def _scaled(index: sp.Expr) -> sp.Expr:
    """⟨c w, z_index⟩."""
    return sp.Sum(c * w[k] * z[index, k], (k, 0, d - 1))


_TWO = {
    **DEFINITIONS,
    scaled_mean: average(_scaled(j), j),
    scaled_variance: average((_scaled(j) - scaled_mean) ** 2, j),
}
_DISTANCES = {**DEFINITIONS, spread: average((pre_activation(j) - mean) ** 2 / norm_squared, j)}
_scale_free = partial(
    Statement,
    family=FAMILY,
    theorem="scale_free",
    quantifier=Quantifier.POINTWISE,
    source=BB22,
    relation="==",
    expected=Verdict.CERTIFIED,
    checks=(
        Pointwise(
            as_given,
            inputs.indexed_units,
            inputs.indexed_corners,
            inputs.indexed_of_batch,
            squares=True,
        ),
    ),
)
_normalised = (pre_activation(r) - mean) / sp.sqrt(variance)
LENGTH = _scale_free(
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
    sentinel=Sentinel(
        "with ε = 1e-6 beside the variance",
        lhs=(_scaled(r) - scaled_mean) / sp.sqrt(scaled_variance + NUDGE),
        rhs=(pre_activation(r) - mean) / sp.sqrt(variance + NUDGE),
    ),
    proof=Proof(
        theorem=f"{ROCQ}.ScaleFree.scale_free",
        script="move=> R N d w c z r m v mc vc N1 d1 c0 defm defv defmc defvc v0; "
        f"{_VARIED_SIZES}rewrite defvc defmc defv defm; exact: (THEOREM c0 (fun=> erefl) (fun=> "
        "erefl) r)",
    ),
    remark="Exact for ε = 0 only, as the sentinel shows.",
)
_distance = (pre_activation(r) - mean) / sp.sqrt(norm_squared)
DISTANCE = _scale_free(
    variant="distance",
    title="Pre-activations are the signed distances to the boundary over their r.m.s.",
    variables=(INPUTS, DIMENSION, WEIGHT, DATA, _INDEX),
    definitions=_DISTANCES,
    assumptions=(NONZERO, _VARIED),
    lhs=_normalised,
    rhs=_distance / sp.sqrt(spread),
    sentinel=Sentinel(
        "N - 1 for N in the mean square", rhs=_distance / sp.sqrt(spread * N / (N - 1))
    ),
    proof=Proof(
        theorem=f"{ROCQ}.ScaleFree.scale_free_distance",
        script="by move=> R N d w z r mean v s N1 d1 defmean defv defs w2 v0; "
        f"{_VARIED_SIZES}rewrite defs defv; rewrite (THEOREM ({NORM} w2) (fun=> erefl) defmean "
        "(fun=> erefl) r) invfM mulrA /=; congr (_ / Num.sqrt (_ / _)); apply: eq_bigr => j _; "
        "rewrite expr_div_n sqr_sqrtr ?ltW",
    ),
)

STATEMENTS = (
    *LEAST,
    *RESIDUAL,
    *ARRANGEMENT,
    UNBOUNDED,
    LENGTH,
    DISTANCE,
)
