"""ReLU without normalisation: E‖G_0‖² = (σ_w²/2)^ℓ E‖G_ℓ‖² at every width; He's σ_w² = 2 keeps it.

Problem. Layers h⁺ = ReLU(Wh) with entries of W of variance σ_w²/d. What becomes of gradients?

Method. ‖G_0‖² is a sum over paths through the network. Two different paths have a weight that one
of them alone goes through, of symmetric law given the gates, so only the squares stay; along a path
each gate is open with probability ½, whatever the others are. Simulation at small widths.

Guarantee. E‖G_0‖² = (σ_w²/2)^ℓ E‖G_ℓ‖² for Gaussian weights, a standard normal G_ℓ, any width,
depth, and batch of nonzero samples; χ₁ = σ_w² E φ′² = σ_w²/2 of mean-field theory is exact here.
He's initialisation preserves the mean; the typical gradient shrinks all the same.

Reference. Ours; for fully connected ReLU networks known since Hanin 2018 and He and others 2015.

Example:

    >>> float(STATEMENT.bound(v=2, ell=10))
    1.0
"""

from __future__ import annotations

import sympy as sp

from simulators import Chain
from simulators.layers import Activation, Linear
from theorems.families.gradient.growth import Network, growth_of_means, orthonormal
from theorems.families.gradient.notation import FAMILY, LAYERS, WIDTH, d, ell, growth
from theorems.statement import Quantifier, Sentinel, Source, Statement, Variable, Verdict

__all__ = ["FIGURES", "STATEMENT", "STATEMENTS"]

v = sp.Symbol("v", positive=True)


def _network(width: int, depth: int, variance: float) -> Network:
    chain = Chain((Linear(width, std=variance**0.5), Activation("relu")))
    values = {"d": width, "ell": depth, "v": variance}
    return Network(chain, orthonormal(width, 2), depth, values)


STATEMENT = Statement(
    family=FAMILY,
    theorem="vanilla_factor",
    title="ReLU without normalisation: E‖G_0‖² = (σ_w²/2)^ℓ E‖G_ℓ‖², exactly",
    quantifier=Quantifier.EXPECTATION,
    source=Source("ours", "known in substance since Hanin 2018"),
    variables=(
        WIDTH,
        LAYERS,
        Variable(v, sp.Interval.Lopen(0, sp.oo), "σ_w², d times the variance of a weight"),
    ),
    definitions={growth: "E‖G_0‖²/E‖G_ℓ‖² for Gaussian weights and a standard normal G_ℓ"},
    lhs=growth,
    relation="==",
    rhs=(v / 2) ** ell,
    chain="vanilla(relu)",
    observables=("gradient_norm",),
    sentinel=Sentinel("a share 1/d less a layer", rhs=(v / 2 * (1 - 1 / d)) ** ell),
    expected=Verdict.SUPPORTED,
    checks=(
        growth_of_means(
            (_network(16, 3, 2.0), _network(16, 3, 2.25)), kurtosis=100, resolution=0.08
        ),
    ),
)

STATEMENTS = (STATEMENT,)
FIGURES = ()
