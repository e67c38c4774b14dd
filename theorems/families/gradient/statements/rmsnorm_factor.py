"""RMSNorm: E‖G‖² grows by exactly (d - 1)/(d - 2) a layer, at every width and depth.

Problem. Layers h⁺ = √d Wh/‖Wh‖ normalise each sample alone. How do gradients grow there, where
under batch normalisation they explode at a rate that does not depend on the width?

Method. Wh is √variance times a direction u, uniform and independent of its length, a χ_d. What
comes back is (√d/‖Wh‖)(I - uuᵀ)g, then Wᵀ of it, and Wᵀ(I - uuᵀ)g is fresh on the complement of
h: d - 1 of d directions. E χ_d⁻² = 1/(d - 2). The output does not depend on ‖h‖, so that the
gradient at every layer but the last is orthogonal to its h, and I - uuᵀ leaves it as it is.
Simulation of the whole at small widths; the projection is exact and proved.

Guarantee. E‖G_0‖² = ((d - 1)/(d - 2))^ℓ (1 - 1/d) E‖G_ℓ‖² for Gaussian weights, no activation, a
standard normal G_ℓ and any batch: about e^(ℓ/d), which is harmless below ℓ = d. Then: I - uuᵀ
lengthens no gradient, and its trace is d - 1.

Reference. Ours.

Example:

    >>> round(float(LAW.bound(d=32, ell=8)), 4)
    1.2593
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import sympy as sp

from simulators import Chain
from simulators.layers import Linear, RMSNorm
from simulators.lazy import composite
from simulators.lazy import strategies as st
from theorems.checking.pointwise import Pointwise
from theorems.checking.rational_inputs import as_given, sphere_point
from theorems.families.gradient.growth import Network, growth_of_means, orthonormal
from theorems.families.gradient.notation import (
    FAMILY,
    LAYERS,
    OURS,
    ROCQ,
    d,
    ell,
    g,
    growth,
    i,
    k,
    n,
    u,
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

__all__ = ["FIGURES", "STATEMENTS"]


def _network(width: int, depth: int) -> Network:
    chain = Chain((Linear(width), RMSNorm()))
    return Network(chain, orthonormal(width, 2), depth, {"d": width, "ell": depth})


LAW = Statement(
    family=FAMILY,
    theorem="rmsnorm_factor",
    variant="law",
    title="RMSNorm, linear: E‖G_0‖² = ((d-1)/(d-2))^ℓ (1 - 1/d) E‖G_ℓ‖², exactly",
    quantifier=Quantifier.EXPECTATION,
    source=OURS,
    variables=(Variable(d, sp.Range(3, sp.oo), "width"), LAYERS),
    definitions={growth: "E‖G_0‖²/E‖G_ℓ‖² for Gaussian weights and a standard normal G_ℓ"},
    lhs=growth,
    relation="==",
    rhs=((d - 1) / (d - 2)) ** ell * (1 - 1 / d),
    chain="rmsnorm",
    observables=("gradient_norm",),
    sentinel=Sentinel("no growth after the last layer", rhs=(d - 1) ** 2 / (d * (d - 2))),
    expected=Verdict.SUPPORTED,
    checks=(growth_of_means((_network(32, 8),), kurtosis=100, resolution=0.08),),
)

# --- the projection -------------------------------------------------------------------------------

Item = Mapping[str, object]


@composite
def _rows(draw: st.DrawFn) -> Item:
    """A unit vector of 1 to 5 entries, and a gradient."""
    size = draw(st.integers(1, 5))
    entry = st.fractions(-3, 3, max_denominator=12)
    unit = sphere_point(draw(st.lists(entry, min_size=size - 1, max_size=size - 1)))
    row = draw(st.lists(entry, min_size=size, max_size=size))
    return {"n": size, "u": unit, "g": tuple(row)}


def _corners() -> list[Item]:
    """The first axis, with a gradient along it, across it, and none."""
    unit = (Fraction(1), Fraction(0))
    gradients = ((1, 0), (0, 1), (0, 0))
    return [{"n": 2, "u": unit, "g": tuple(map(Fraction, each))} for each in gradients]


_ALL = (i, 0, n - 1)
_UNIT = Assumption(sp.Eq(sp.Sum(u[i] ** 2, _ALL), 1), "u is a unit vector")
_SIZE = Variable(n, sp.Range(1, sp.oo), "entries of a row or sample")
_DIRECTION = Variable(u, sp.Reals, "direction of the row or sample", size=(n,))
_GRADIENT = Variable(g, sp.Reals, "gradient at it", size=(n,))
_product = sp.Sum(u[k] * g[k], (k, 0, n - 1))
_projected = sp.Sum((g[i] - _product * u[i]) ** 2, _ALL)
_CHECKS = (Pointwise(as_given, _rows, _corners, examples=110),)

CONTRACTS = Statement(
    family=FAMILY,
    theorem="rmsnorm_factor",
    variant="contracts",
    title="The derivative of normalisation lengthens no gradient: ‖(I - uuᵀ)g‖ ≤ ‖g‖",
    quantifier=Quantifier.POINTWISE,
    source=OURS,
    variables=(_SIZE, _DIRECTION, _GRADIENT),
    assumptions=(_UNIT,),
    lhs=_projected,
    relation="<=",
    rhs=sp.Sum(g[i] ** 2, _ALL),
    sentinel=Sentinel(
        "shorter by one part in a million", rhs=(1 - NUDGE) * sp.Sum(g[i] ** 2, _ALL)
    ),
    expected=Verdict.CERTIFIED,
    checks=_CHECKS,
    proof=Proof(
        theorem=f"{ROCQ}.normalised_contracts",
        script="move=> R n u g n1; (have _ : (1 <= n)%N := n1); exact: THEOREM",
    ),
)
TRACE = Statement(
    family=FAMILY,
    theorem="rmsnorm_factor",
    variant="trace",
    title="tr(I - uuᵀ) = n - 1",
    quantifier=Quantifier.POINTWISE,
    source=OURS,
    variables=(_SIZE, _DIRECTION),
    assumptions=(_UNIT,),
    lhs=sp.Sum(1 - u[i] ** 2, _ALL),
    relation="==",
    rhs=n - 1,
    sentinel=Sentinel("n", rhs=n),
    expected=Verdict.CERTIFIED,
    checks=_CHECKS,
    proof=Proof(
        theorem=f"{ROCQ}.normalised_trace",
        script="move=> R n u n1; (have _ : (1 <= n)%N := n1); exact: THEOREM",
    ),
)

STATEMENTS = (LAW, CONTRACTS, TRACE)
FIGURES = ()
