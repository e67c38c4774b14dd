"""Rescaled rows without activation: E‖G‖² grows by (n - 1)/(n - 2) a layer.

Problem. Layers H⁺ = d^(-1/2) BN(WH) without mean subtraction make the samples orthogonal. What do
they do to gradients that go back?

Method. A row a of WH is normal with covariance I/n, where the samples are orthogonal; what comes
back is (I - uuᵀ)g/(√d‖a‖), u = a/‖a‖. Of the law of a row this takes E[u uᵀ/‖a‖²] = I/(n - 2) and
no more: the factor follows by algebra, proved in Rocq. Then Wᵀ: given WH it is fresh on the
complement of the samples, and both parts can be added up exactly for one layer. The exact law is
simulated; deep growth is a median over networks.

Guarantee. One layer back from a standard normal G, from orthonormal samples at width d:
E‖G_0‖² = ((n - 1)/(n - 2))(1 - 2/d) E‖G_1‖², exactly. Deep, as d → ∞: (n - 1)/(n - 2) a layer; at
d = 512, n = 8, half of all networks lie within a share 10/d of it.

Reference. Ours.

Example:

    >>> round(float(ONE_STEP.bound(n=8, d=32)), 4)
    1.0938
"""

from __future__ import annotations

from functools import partial

from simulators import rescale_chain
from theorems.families.gradient.growth import (
    Network,
    a_layer,
    growth_of_means,
    growth_of_medians,
    orthonormal,
)
from theorems.families.gradient.moments import moments
from theorems.families.gradient.notation import (
    FAMILY,
    INNER,
    OURS,
    ROCQ,
    SAMPLES,
    WIDTH,
    d,
    growth,
    layer_growth,
    n,
)
from theorems.statement import Proof, Quantifier, Sentinel, Statement, Verdict

__all__ = ["FIGURES", "STATEMENTS"]


def _network(size: int, width: int, depth: int, replicas: int = 100) -> Network:
    start = orthonormal(width, size) / (width * size) ** 0.5
    return Network(rescale_chain(width), start, depth, {"n": size, "d": width}, replicas)


_factor = (n - 1) / (n - 2)
_rescale = partial(
    Statement,
    family=FAMILY,
    theorem="rescale_factor",
    source=OURS,
    variables=(SAMPLES, WIDTH),
    chain="rescale",
    observables=("gradient_norm",),
    expected=Verdict.SUPPORTED,
)

ONE_STEP = _rescale(
    variant="one_step",
    title="One layer back, rescaled: E‖G_0‖² = ((n-1)/(n-2))(1 - 2/d) E‖G_1‖², exactly",
    quantifier=Quantifier.EXPECTATION,
    definitions={growth: "E‖G_0‖²/E‖G_1‖² from orthonormal samples, G_1 standard normal"},
    lhs=growth,
    relation="==",
    rhs=_factor * (1 - 2 / d),
    sentinel=Sentinel("that of infinite width", rhs=_factor),
    checks=(growth_of_means((_network(8, 32, 1), _network(12, 24, 1)), 20, 0.03),),
)
MOMENTS = moments(
    theorem="rescale_factor",
    title="The factor (n-1)/(n-2) from E[uuᵀ/‖a‖²] = I/(n-2) alone",
    source=OURS,
    centred=False,
    proof=Proof(
        theorem=f"{ROCQ}.rescale_moments",
        link="name",
        gloss="for unit rows u_s and numbers q_s with Σ_s q_s u_si u_sk = δ_ik/(n-2): "
        "Σ_s q_s ‖(I - u_s u_sᵀ)g‖² = ((n-1)/(n-2)) ‖g‖²",
    ),
)
_deep = partial(
    _rescale,
    quantifier=Quantifier.LAW,
    definitions={layer_growth: INNER.format(20)},
    lhs=layer_growth,
)
_NETWORK = _network(8, 512, 20, replicas=150)
DEEP = (
    _deep(
        variant="deep_lower",
        title="Deep, half of all networks: ‖G‖² grows by (n-1)/(n-2) a layer or more, but for 10/d",
        relation=">=",
        rhs=_factor * (1 - 10 / d),
        sentinel=Sentinel("(n-2)/(n-3), as with recentring", rhs=(n - 2) / (n - 3) * (1 - 10 / d)),
        checks=(growth_of_medians((_NETWORK,), "layer_growth", a_layer),),
    ),
    _deep(
        variant="deep_upper",
        title="Deep, half of all networks: ‖G‖² grows by (n-1)/(n-2) a layer or less, but for 10/d",
        relation="<=",
        rhs=_factor * (1 + 10 / d),
        sentinel=Sentinel("(n-1)/n times that", rhs=(n - 1) ** 2 / (n * (n - 2)) * (1 + 10 / d)),
        checks=(growth_of_medians((_NETWORK,), "layer_growth", a_layer),),
    ),
)

STATEMENTS = (ONE_STEP, MOMENTS, *DEEP)
FIGURES = ()
