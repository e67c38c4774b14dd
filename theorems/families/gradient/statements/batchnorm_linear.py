"""Batch normalisation without activation: E‖G‖² grows by (n - 2)/(n - 3) a layer.

Problem. Layers H⁺ = BN(WH), recentred and rescaled, keep the samples apart. Y19 found that their
gradients grow by (n - 2)/(n - 3) a layer. What is exact at finite width, and what of the law of a
row does it take?

Method. As `rescale_factor`, on the complement of 1: a recentred row is normal there, and
E[u uᵀ/‖a‖²] = (I - 11ᵀ/n)/(n - 3) gives the factor by algebra, proved in Rocq. The last layer sees
a gradient that has a part along 1, which recentring removes: (n - 1)/n less there. One layer is
exact at finite width and simulated; deep growth is a median over networks.

Guarantee. One layer back from a standard normal G, from samples with HᵀH a multiple of I - 11ᵀ/n at
width d: E‖G_0‖² = ((n-1)(n-2)/(n(n-3)))(1 - 2/d) E‖G_1‖², exactly. Deep, as d → ∞: (n-2)/(n-3) a
layer; at d = 512, n = 8, half of all networks lie within a share 10/d of it.

Reference. Y19 (arXiv 1902.08129) for (n-2)/(n-3); the exact law at finite width is ours.

Example:

    >>> round(float(ONE_STEP.bound(n=8, d=32)), 4)
    0.9844
"""

from __future__ import annotations

from functools import partial

import sympy as sp

from simulators import batchnorm_chain
from theorems.families.gradient.growth import (
    Network,
    a_layer,
    centred,
    growth_of_means,
    growth_of_medians,
)
from theorems.families.gradient.moments import moments
from theorems.families.gradient.notation import (
    FAMILY,
    INNER,
    ROCQ,
    SAMPLES,
    WIDTH,
    d,
    growth,
    layer_growth,
    n,
    y19,
)
from theorems.statement import Proof, Quantifier, Sentinel, Statement, Verdict

__all__ = ["FIGURES", "STATEMENTS"]


def _network(size: int, width: int, depth: int, replicas: int = 100) -> Network:
    """From centred samples, each row of variance 1."""
    start = centred(width, size) * (size / (size - 1)) ** 0.5
    values = {"n": size, "d": width}
    return Network(batchnorm_chain(width, "identity"), start, depth, values, replicas)


_factor = (n - 2) / (n - 3)
_first = (n - 1) / n * _factor
_linear = partial(
    Statement,
    family=FAMILY,
    theorem="batchnorm_linear",
    source=y19("the linear factor"),
    variables=(SAMPLES, WIDTH),
    chain="batchnorm(identity)",
    observables=("gradient_norm",),
    expected=Verdict.SUPPORTED,
)

ONE_STEP = _linear(
    variant="one_step",
    title="One layer back, linear: E‖G_0‖² = ((n-1)(n-2)/(n(n-3)))(1 - 2/d) E‖G_1‖², exactly",
    quantifier=Quantifier.EXPECTATION,
    definitions={growth: "E‖G_0‖²/E‖G_1‖² from centred orthogonal samples, G_1 standard normal"},
    lhs=growth,
    relation="==",
    rhs=_first * (1 - 2 / d),
    sentinel=Sentinel("that of infinite width", rhs=_first),
    checks=(growth_of_means((_network(10, 32, 1), _network(12, 24, 1)), 20, 0.03),),
)
MOMENTS = moments(
    theorem="batchnorm_linear",
    title="The factor (n-2)/(n-3) from E[uuᵀ/‖a‖²] = (I - 11ᵀ/n)/(n-3) alone",
    source=y19("the linear factor"),
    centred=True,
    proof=Proof(
        theorem=f"{ROCQ}.batchnorm_moments",
        link="name",
        gloss="for unit rows u_s, numbers q_s with Σ_s q_s u_si u_sk = (δ_ik - 1/n)/(n-3), and g "
        "of mean 0: Σ_s q_s ‖(I - u_s u_sᵀ)g‖² = ((n-2)/(n-3)) ‖g‖²",
    ),
)
_DEPTH = 20
_deep = partial(
    _linear,
    quantifier=Quantifier.LAW,
    definitions={layer_growth: INNER.format(_DEPTH)},
    lhs=layer_growth,
    checks=(growth_of_medians((_network(8, 512, _DEPTH, replicas=150),), "layer_growth", a_layer),),
)
DEEP = (
    _deep(
        variant="deep_lower",
        title="Deep, half of all networks: ‖G‖² grows by (n-2)/(n-3) a layer or more, but for 10/d",
        relation=">=",
        rhs=_factor * (1 - 10 / d),
        sentinel=Sentinel("a twentieth more", rhs=sp.Rational(21, 20) * _factor * (1 - 10 / d)),
    ),
    _deep(
        variant="deep_upper",
        title="Deep, half of all networks: ‖G‖² grows by (n-2)/(n-3) a layer or less, but for 10/d",
        relation="<=",
        rhs=_factor * (1 + 10 / d),
        sentinel=Sentinel("n/(n-1)", rhs=n / (n - 1) * (1 + 10 / d)),
    ),
)

STATEMENTS = (ONE_STEP, MOMENTS, *DEEP)
FIGURES = ()
