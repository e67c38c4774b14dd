"""LayerNorm: E‖G‖² grows by exactly (d - 2)/(d - 3) a layer, as batch normalisation's with d for n.

Problem. Layers h⁺ = √d P Wh/‖P Wh‖, P = I - 11ᵀ/d, recentre and normalise each sample over its
features. How do gradients grow there?

Method. As for RMSNorm (`rmsnorm_factor`), with P Wh a direction of 1^⊥ times a χ_{d-1}. The
gradient at every layer but the last is orthogonal to its h and isotropic beside it, and 1 is
orthogonal to h: P keeps d - 2 of its d - 1 directions. Simulation at small widths.

Guarantee. E‖G_0‖² = ((d - 2)/(d - 3))^ℓ (1 - 1/d) E‖G_ℓ‖² for Gaussian weights, no activation, a
standard normal G_ℓ and any batch: the factors of linear batch normalisation with the width in the
place of the batch size, so that they are 1 + O(1/d).

Reference. Ours.

Example:

    >>> round(float(STATEMENT.bound(d=32, ell=8)), 4)
    1.2706
"""

from __future__ import annotations

from simulators import Chain
from simulators.layers import LayerNorm, Linear
from theorems.families.gradient.growth import Network, growth_of_means, orthonormal
from theorems.families.gradient.notation import FAMILY, LAYERS, OURS, WIDTH, d, ell, growth
from theorems.statement import Quantifier, Sentinel, Statement, Verdict

__all__ = ["FIGURES", "STATEMENT", "STATEMENTS"]

_DEEP = Network(Chain((Linear(32), LayerNorm())), orthonormal(32, 2), 8, {"d": 32, "ell": 8})
_factor = (d - 2) / (d - 3)

STATEMENT = Statement(
    family=FAMILY,
    theorem="layernorm_factor",
    title="LayerNorm, linear: E‖G_0‖² = ((d-2)/(d-3))^ℓ (1 - 1/d) E‖G_ℓ‖², exactly",
    quantifier=Quantifier.EXPECTATION,
    source=OURS,
    variables=(WIDTH, LAYERS),
    definitions={growth: "E‖G_0‖²/E‖G_ℓ‖² for Gaussian weights and a standard normal G_ℓ"},
    lhs=growth,
    relation="==",
    rhs=_factor**ell * (1 - 1 / d),
    chain="layernorm",
    observables=("gradient_norm",),
    sentinel=Sentinel("no growth after the last layer", rhs=_factor * (1 - 1 / d)),
    expected=Verdict.SUPPORTED,
    checks=(growth_of_means((_DEEP,), kurtosis=100, resolution=0.08),),
)

STATEMENTS = (STATEMENT,)
FIGURES = ()
