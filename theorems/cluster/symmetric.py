"""The symmetric configuration: equal norms and equal angles, reached in one step at infinite width, and stable."""

from __future__ import annotations

from typing import Any

import sympy as sp

from theorems.checking.pointwise import Pointwise
from theorems.cluster import inputs
from theorems.cluster.notation import FAMILY, OURS, ROCQ, i, j, k, n
from theorems.proofs.reals import REALS
from theorems.statement import Assumption, Proof, Quantifier, Sentinel, Statement, Variable, Verdict

__all__ = ["STATEMENTS", "kappa_of"]

rho, kappa, slope, a, b, t = sp.symbols("rho kappa slope a b t", real=True)
h = sp.Symbol("l", integer=True)
G, K, C, G_next = (sp.IndexedBase(name, shape=(n, n), real=True) for name in ("G", "K", "C", "F"))


def kappa_of(x: sp.Expr) -> sp.Expr:
    """E[ReLU(u) ReLU(v)] over its value at x = 1, for standard normal u, v of correlation x."""
    return (sp.sqrt(1 - x**2) + (sp.pi - sp.acos(x)) * x) / sp.pi


SIZE = Variable(n, sp.Range(3, sp.oo), "batch size")
_ANGLE = {rho: -1 / (n - 1)}
_KAPPA = {**_ANGLE, kappa: kappa_of(rho)}
_SLOPE = {**_KAPPA, slope: 1 - sp.acos(rho) / sp.pi}
_LEAF = f"{ROCQ}.leaf"

_pairs = slope * n / ((1 - kappa) * (n - 1))
_single = ((n - 2) * (1 - kappa + rho * slope) + 2 * slope) / ((n - 1) * (1 - kappa))
_stable: dict[str, Any] = dict(
    family=FAMILY, theorem="symmetric_fixed_point", quantifier=Quantifier.POINTWISE, source=OURS, variables=(SIZE,),
    definitions=_SLOPE, relation="<", expected=Verdict.CERTIFIED, chain="recenter_relu",
    checks=(Pointwise(lambda size: {"n": size}, inputs.sizes, lambda: range(3, 65), examples=60),),
)
_INTRODUCE = (
    "move=> n rho kappa slope n3 defrho defkappa defslope; "
    "(have angle : rho = -1 / (INR n - 1) by rewrite defrho /Rdiv; ring); "
    "(have value : kappa = (sqrt (1 - rho ^ 2) + (PI - acos rho) * rho) / PI by rewrite defkappa /Rdiv; ring); ")


def _eigenvalue(variant: str, title: str, value: sp.Expr, part: str, shape: str, **more: Any) -> Statement:
    """One eigenvalue of the layer's derivative at the symmetric point, below 1."""
    return Statement(
        variant=variant, title=title, lhs=value, rhs=sp.Integer(1),
        sentinel=Sentinel("below ⅔", rhs=sp.Rational(2, 3)),
        proof=Proof(theorem=f"{_LEAF}.SymmetricFixedPointReLU.symmetric_jacobian_relu", structure=REALS,
                    script=_INTRODUCE + f"apply: (eq_ind_r (fun x => x < 1) (THEOREM n3 angle value defslope).{part}.2); "
                                       f"by rewrite {shape}/Rdiv; ring",
                    also=(f"{ROCQ}.SymmetricFixedPoint.jacobian_eigenvalues_below_one",
                          f"{ROCQ}.SymmetricJacobian.jacobian_{variant.removeprefix('eigenvalue_')}")),
        **_stable, **more)


STABILITY = Statement(
    variant="stability", title="The symmetric configuration is stable: κ′ n/(n-1) < 1 - κ at ρ = -1/(n-1)",
    lhs=slope * n / (n - 1), rhs=1 - kappa,
    sentinel=Sentinel("κ′ n/(n-1) < ⅔ (1 - κ)", rhs=sp.Rational(2, 3) * (1 - kappa)),
    proof=Proof(theorem=f"{_LEAF}.StabilityInequality.stability_inequality", structure=REALS,
                script=_INTRODUCE + "(have -> : INR n * slope / (INR n - 1) = slope * (INR n / (INR n - 1)) "
                       "by rewrite /Rdiv; ring); exact: (THEOREM n rho kappa slope (leP n3) angle value defslope)",
                also=(f"{_LEAF}.StabilityInequality.stability_general",)),
    remark="n/(n-1) = 1 - ρ, and 1 - κ - κ′(1-ρ) = (θ - sin θ)/π with θ = arccos ρ.", **_stable,
)
EIGENVALUE_PAIRS = _eigenvalue(
    "eigenvalue_pairs", "Changes of the angles alone shrink: κ′ n/((1-κ)(n-1)) < 1", _pairs, "1", "")
EIGENVALUE_SINGLE = _eigenvalue(
    "eigenvalue_single", "Changes of the norms shrink: [(n-2)(1-κ+ρκ′)+2κ′]/[(n-1)(1-κ)] < 1", _single, "2",
    "(Rmult_comm (1 - kappa)) ")
STATEMENTS: tuple[Statement, ...] = (STABILITY, EIGENVALUE_PAIRS, EIGENVALUE_SINGLE)
