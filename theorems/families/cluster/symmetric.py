"""The symmetric configuration: equal norms and equal angles, reached in one step at infinite width,
and stable.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import partial

import sympy as sp

from theorems.checking.pointwise import Pointwise
from theorems.families.cluster import inputs
from theorems.families.cluster.notation import FAMILY, OURS, ROCQ, i, j, k, n
from theorems.proofs.formulas import REALS
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

__all__ = ["STATEMENTS", "kappa_of"]

rho, kappa, slope, a, b, t = sp.symbols("rho kappa slope a b t", real=True)
h = sp.Symbol("l", integer=True)
G, K, C, F = (sp.IndexedBase(name, shape=(n, n), real=True) for name in "GKCF")


def kappa_of(x: sp.Expr) -> sp.Expr:
    """E[ReLU(u) ReLU(v)] over its value at x = 1, for standard normal u, v of correlation x.

    Example:
        >>> kappa_of(sp.Integer(1))
        1
    """
    return (sp.sqrt(1 - x**2) + (sp.pi - sp.acos(x)) * x) / sp.pi


SIZE = Variable(n, sp.Range(3, sp.oo), "batch size")
_ANGLE = {rho: -1 / (n - 1)}
_KAPPA = {**_ANGLE, kappa: kappa_of(rho)}
_SLOPE = {**_KAPPA, slope: 1 - sp.acos(rho) / sp.pi}
_LEAF = f"{ROCQ}.leaf"

_pairs = slope * n / ((1 - kappa) * (n - 1))
_single = ((n - 2) * (1 - kappa + rho * slope) + 2 * slope) / ((n - 1) * (1 - kappa))
_stable = partial(
    Statement,
    family=FAMILY,
    theorem="symmetric_fixed_point",
    quantifier=Quantifier.POINTWISE,
    source=OURS,
    variables=(SIZE,),
    definitions=_SLOPE,
    relation="<",
    expected=Verdict.CERTIFIED,
    chain="recenter_relu",
    checks=(Pointwise(lambda size: {"n": size}, inputs.sizes, lambda: range(3, 65), examples=60),),
)
_AS_THERE = (
    "(have angle : rho = -1 / (INR n - 1) by rewrite defrho /Rdiv; ring); (have value : kappa = "
    "(sqrt (1 - rho ^ 2) + (PI - acos rho) * rho) / PI by rewrite defkappa /Rdiv; ring); "
)
_INTRODUCE = f"move=> n rho kappa slope n3 defrho defkappa defslope; {_AS_THERE}"


def _eigenvalue(variant: str, title: str, value: sp.Expr, part: str, shape: str) -> Statement:
    """One eigenvalue of the layer's derivative at the symmetric point, below 1."""
    return _stable(
        variant=variant,
        title=title,
        lhs=value,
        rhs=sp.Integer(1),
        sentinel=Sentinel("below ⅔", rhs=sp.Rational(2, 3)),
        proof=Proof(
            theorem=f"{_LEAF}.SymmetricFixedPointReLU.symmetric_jacobian_relu",
            structure=REALS,
            script=f"{_INTRODUCE}apply: (eq_ind_r (fun x => x < 1) (THEOREM n3 angle value "
            f"defslope).{part}.2); by rewrite {shape}/Rdiv; ring",
            also=(
                f"{ROCQ}.SymmetricFixedPoint.jacobian_eigenvalues_below_one",
                f"{ROCQ}.SymmetricJacobian.jacobian_{variant.removeprefix('eigenvalue_')}",
            ),
        ),
    )


STABILITY = _stable(
    variant="stability",
    title="The symmetric configuration is stable: κ′ n/(n-1) < 1 - κ at ρ = -1/(n-1)",
    lhs=slope * n / (n - 1),
    rhs=1 - kappa,
    sentinel=Sentinel("κ′ n/(n-1) < ⅔ (1 - κ)", rhs=sp.Rational(2, 3) * (1 - kappa)),
    proof=Proof(
        theorem=f"{_LEAF}.StabilityInequality.stability_inequality",
        structure=REALS,
        script=_INTRODUCE
        + "(have -> : INR n * slope / (INR n - 1) = slope * (INR n / (INR n - 1)) "
        "by rewrite /Rdiv; ring); exact: (THEOREM n rho kappa slope (leP n3) angle value defslope)",
        also=(f"{_LEAF}.StabilityInequality.stability_general",),
    ),
    remark="n/(n-1) = 1 - ρ, and 1 - κ - κ′(1-ρ) = (θ - sin θ)/π with θ = arccos ρ.",
)
EIGENVALUE = (
    _eigenvalue(
        "eigenvalue_pairs",
        "Changes of the angles alone shrink: κ′ n/((1-κ)(n-1)) < 1",
        _pairs,
        "1",
        "",
    ),
    _eigenvalue(
        "eigenvalue_single",
        "Changes of the norms shrink: [(n-2)(1-κ+ρκ′)+2κ′]/[(n-1)(1-κ)] < 1",
        _single,
        "2",
        "(Rmult_comm (1 - kappa)) ",
    ),
)

# --- one step at infinite width -------------------------------------------------------------------

_root = sp.sqrt(K[i, i] * K[j, j])
_total = sp.Sum(G[k, h], (h, 0, n - 1), (k, 0, n - 1))
_LAYER = {
    K: sp.Lambda(
        (i, j),
        G[i, j]
        - sp.Sum(G[i, k], (k, 0, n - 1)) / n
        - sp.Sum(G[k, j], (k, 0, n - 1)) / n
        + _total / n**2,
    ),
    C: sp.Lambda((i, j), K[i, j] / _root),
    F: sp.Lambda((i, j), t * _root * kappa_of(C[i, j])),
}
_TRACE = Assumption(
    sp.Eq(sp.Sum(F[k, k], (k, 0, n - 1)), sp.Sum(G[k, k], (k, 0, n - 1))),
    "the layer keeps the trace",
)
_LAYER_AS_THERE = _AS_THERE + (
    r"(have defK' x y : K x y = G x y - (\big[Rplus/0]_(k < n) G x k) / INR n "
    r"- (\big[Rplus/0]_(k < n) G k y) / INR n + (\big[Rplus/0]_(k < n) \big[Rplus/0]_(l < n) G k "
    r"l) / INR n ^ 2 "
    "by rewrite defK; ring); (have defF' x y : F x y = t * (sqrt (K x x * K y y) "
    "* ((sqrt (1 - C x y ^ 2) + (PI - acos (C x y)) * C x y) / PI)) by rewrite defF /Rdiv; ring); "
)
_SCALE = Variable(t, sp.Reals, "scale of the layer")
_INDEX = tuple(Variable(x, sp.Range(0, n), "sample") for x in (i, j))
_NORM = Variable(a, sp.Interval.open(0, sp.oo), "squared norm of every sample")


def _symmetric_values(item: Mapping[str, Fraction | int]) -> Mapping[str, Fraction | int]:
    """A symmetric start, and the scale that keeps its trace: K has (a - b)(n - 1)/n on its
    diagonal.
    """
    size, norm, product = item["n"], item["a"], item["b"]
    return {**item, "t": Fraction(size * norm) / ((norm - product) * (size - 1))}


ONE_STEP = Statement(
    family=FAMILY,
    theorem="symmetric_fixed_point",
    variant="one_step",
    source=OURS,
    title="At infinite width one layer takes any symmetric batch to equal norms and cosine "
    "κ(-1/(n-1))",
    quantifier=Quantifier.POINTWISE,
    variables=(SIZE, _NORM, Variable(b, sp.Reals, "inner product of every two"), _SCALE, *_INDEX),
    definitions={
        **_KAPPA,
        G: sp.Lambda((i, j), sp.Piecewise((a, sp.Eq(i, j)), (b, True))),
        **_LAYER,
    },
    assumptions=(Assumption(sp.Lt(b, a), "the samples are not all equal"), _TRACE),
    lhs=F[i, j],
    relation="==",
    rhs=sp.Piecewise((a, sp.Eq(i, j)), (a * kappa, True)),
    chain="recenter_relu",
    sentinel=Sentinel(
        "cosine κ, one part in a million smaller",
        rhs=sp.Piecewise((a, sp.Eq(i, j)), (a * kappa * (1 - NUDGE), True)),
    ),
    expected=Verdict.CERTIFIED,
    checks=(
        Pointwise(
            _symmetric_values, inputs.symmetric_inputs, inputs.symmetric_corners, examples=40
        ),
    ),
    proof=Proof(
        theorem=f"{_LEAF}.SymmetricFixedPointReLU.symmetric_one_step_relu",
        structure=REALS,
        script="move=> n a b t i j rho kappa G K C F n3 a0 defrho defkappa defG defK defC defF ba "
        f"trace; (have _ : 0 < a := a0); {_LAYER_AS_THERE}rewrite (THEOREM (ltnW n3) ba angle defG "
        "defK' defC defF' trace) value; exact: erefl",
        also=(
            f"{_LEAF}.SymmetricFixedPointReLU.symmetric_fixed_point_relu",
            f"{ROCQ}.SymmetricFixedPoint.symmetric_one_step",
            f"{ROCQ}.SymmetricFixedPoint.symmetric_fixed_point",
            f"{ROCQ}.SymmetricFixedPoint.recentred_gram_matrix",
        ),
    ),
    remark="The image is again symmetric, so it is a fixed point, and no other is symmetric.",
)

STATEMENTS: tuple[Statement, ...] = (ONE_STEP, STABILITY, *EIGENVALUE)
