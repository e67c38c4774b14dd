"""LayerNorm: E‖G‖² grows by exactly (d - 2)/(d - 3) a layer, as batch normalisation's with d for n.

Problem. Layers h⁺ = √d P Wh/‖P Wh‖, P = I - 11ᵀ/d, recentre and normalise each sample over its
features. How do gradients grow there?

Method. As for RMSNorm (`rmsnorm_factor`), with P Wh a direction of 1^⊥ times a χ_{d-1}. The
gradient at every layer but the last is orthogonal to its h and isotropic beside it, and 1 is
orthogonal to h: P keeps d - 2 of its d - 1 directions. Simulation at small widths.

Guarantee. E‖G_0‖² = ((d - 2)/(d - 3))^ℓ (1 - 1/d) E‖G_ℓ‖² for Gaussian weights, no activation, a
standard normal G_ℓ and any batch: the factors of linear batch normalisation with the width in the
place of the batch size, so that they are 1 + O(1/d). With an activation E φ′²/E φ² as d → ∞, which
is 1 for ReLU, where batch normalisation has π/(π - 1) at best: at d = 512 half of all networks lie
within a share 12/d of it.

Reference. Ours.

Example:

    >>> round(float(LAW.bound(d=32, ell=8)), 4)
    1.2706
"""

from __future__ import annotations

from functools import partial

import sympy as sp

from simulators import Chain
from simulators.layers import Activation, LayerNorm, Linear
from theorems.families.gradient.growth import (
    Network,
    a_layer,
    growth_of_means,
    growth_of_medians,
    orthonormal,
)
from theorems.families.gradient.notation import (
    FAMILY,
    INNER,
    LAYERS,
    OURS,
    WIDTH,
    d,
    ell,
    growth,
    layer_growth,
)
from theorems.statement import Quantifier, Sentinel, Statement, Verdict

__all__ = ["FIGURES", "STATEMENTS"]

#: Narrow, so that the factor is told from its neighbours.
_NARROW = Network(Chain((Linear(12), LayerNorm())), orthonormal(12, 8), 3, {"d": 12, "ell": 3})
_factor = (d - 2) / (d - 3)

LAW = Statement(
    family=FAMILY,
    theorem="layernorm_factor",
    variant="law",
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
    sentinel=Sentinel("(d-1)/(d-2) a layer", rhs=((d - 1) / (d - 2)) ** ell * (1 - 1 / d)),
    expected=Verdict.SUPPORTED,
    checks=(growth_of_means((_NARROW,), kurtosis=100, resolution=0.02),),
)

# --- with ReLU ------------------------------------------------------------------------------------

_WIDTH, _DEPTH = 512, 20
_RELU = Network(
    Chain((Linear(_WIDTH), LayerNorm(), Activation("relu"))),
    orthonormal(_WIDTH, 8),
    _DEPTH,
    {"d": _WIDTH},
)
_relu = partial(
    Statement,
    family=FAMILY,
    theorem="layernorm_factor",
    quantifier=Quantifier.LAW,
    source=OURS,
    variables=(WIDTH,),
    definitions={layer_growth: INNER.format(_DEPTH)},
    lhs=layer_growth,
    chain="layernorm, relu",
    observables=("gradient_norm",),
    expected=Verdict.SUPPORTED,
    checks=(growth_of_medians((_RELU,), "layer_growth", a_layer),),
)
RELU = (
    _relu(
        variant="relu_lower",
        title="LayerNorm, ReLU: half of all networks keep ‖G‖² or raise it, but for 12/d a layer",
        relation=">=",
        rhs=1 - 12 / d,
        sentinel=Sentinel("a twentieth more", rhs=sp.Rational(21, 20) * (1 - 12 / d)),
    ),
    _relu(
        variant="relu_upper",
        title="LayerNorm, ReLU: half of all networks keep ‖G‖² or lower it, but for 12/d a layer",
        relation="<=",
        rhs=1 + 12 / d,
        sentinel=Sentinel("a twentieth less", rhs=sp.Rational(19, 20) * (1 + 12 / d)),
    ),
)

STATEMENTS = (LAW, *RELU)
FIGURES = ()
