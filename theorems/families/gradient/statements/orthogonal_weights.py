"""With orthogonal weights batch normalisation keeps gradients: half of a gradient never fades.

Problem. Layers H⁺ = BN(WH) without mean subtraction, W orthogonal and uniform, as many samples as
units and these orthogonal: the same chain with Gaussian weights explodes (`rescale_factor`). What
becomes of gradients here?

Method. H = QT, Q orthogonal, stays of that form, and BN takes no length but the component of each
row's gradient along its row: the diagonal of S = G Qᵀ goes to 0, and W turns S to WᵀSW. The
antisymmetric part of S has no diagonal and is never touched. The symmetric part, turned uniformly,
has no trace after the first layer and loses 2/(n+2) of its square in every other: n - 1 diagonal
coordinates of (n-1)(n+2)/2. Sampled at every depth's own mean.

Guarantee. From orthogonal samples, d = n, G_ℓ standard normal, rows of their own length n^(-1/2):
E‖G_0‖²/E‖G_ℓ‖² = ((n-1)/2n)(1 + (n/(n+2))^(ℓ-1)), exactly, at every width and depth. From one other
start, n = 4 with singular values 1 to 10 in geometric progression, half of all networks: over the
inner half of 40 layers neither growth nor fall beyond a hundredth a layer. That depth is too small
for n = 16 of the same spread, where growth is 1.012 a layer: the start is not forgotten by then.

Reference. Ours; after M23 (arXiv 2310.02012), which shows that gradients of this chain are bounded.

Example:

    >>> [round(float(EXACT.bound(n=6, ell=depth)), 6) for depth in (1, 100)]
    [0.833333, 0.416667]
"""

from __future__ import annotations

from functools import partial

import numpy as np
import sympy as sp

from simulators import Chain
from simulators.layers import Linear, Rescale
from theorems.families.gradient.growth import (
    Floats,
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
    ell,
    growth,
    layer_growth,
    n,
)
from theorems.statement import Quantifier, Sentinel, Statement, Variable, Verdict

__all__ = ["EXACT", "FIGURES", "STATEMENTS"]

#: Of the start that is not orthogonal.
_SIZE, _DEPTH = 4, 40
_SAMPLES = Variable(n, sp.Range(2, sp.oo), "batch size, and width")


def _network(start: Floats, depth: int) -> Network:
    """Rows after every layer have length n^(-1/2), as those of the start should."""
    size = len(start)
    chain = Chain((Linear(size, "orthogonal"), Rescale()))
    return Network(chain, start, depth, {"n": size, "ell": depth}, replicas=100)


def _equal_rows(size: int, depth: int) -> Network:
    return _network(orthonormal(size, size) / size, depth)


def _uneven(size: int) -> Floats:
    """Singular values from 1 to 10, rows of the mean square that a layer gives them."""
    singular = np.geomspace(1, 10, size)
    turned = orthonormal(size, size) / size**0.5
    start: Floats = turned * (singular / np.linalg.norm(singular))
    return start


_weights = partial(
    Statement,
    family=FAMILY,
    theorem="orthogonal_weights",
    source=OURS,
    observables=("gradient_norm",),
    expected=Verdict.SUPPORTED,
)
EXACT = _weights(
    variant="exact",
    title="Orthogonal weights: E‖G_0‖² = ((n-1)/2n)(1 + (n/(n+2))^(ℓ-1)) E‖G_ℓ‖², exactly",
    quantifier=Quantifier.EXPECTATION,
    variables=(_SAMPLES, LAYERS),
    definitions={growth: "E‖G_0‖²/E‖G_ℓ‖² from orthogonal samples, G_ℓ standard normal"},
    lhs=growth,
    relation="==",
    rhs=(n - 1) / (2 * n) * (1 + (n / (n + 2)) ** (ell - 1)),
    sentinel=Sentinel(
        "the symmetric part loses 1/(n+2) a layer",
        rhs=(n - 1) / (2 * n) * (1 + ((n + 1) / (n + 2)) ** (ell - 1)),
    ),
    checks=(growth_of_means((_equal_rows(3, 3), _equal_rows(8, 6)), 20, 0.03),),
)
_deep = partial(
    _weights,
    quantifier=Quantifier.LAW,
    variables=(Variable(n, sp.Range(_SIZE, _SIZE + 1), "batch size, and width"),),
    definitions={layer_growth: f"{INNER.format(_DEPTH)}, from singular values 1 to 10, geometric"},
    lhs=layer_growth,
    checks=(growth_of_medians((_network(_uneven(_SIZE), _DEPTH),), "layer_growth", a_layer),),
)
DEEP = (
    _deep(
        variant="deep_upper",
        title="Orthogonal weights, n = 4, singular values 1 to 10: no inner growth above a hundredth",
        relation="<=",
        rhs=sp.Rational(101, 100),
        sentinel=Sentinel("a fall of a hundredth a layer", rhs=sp.Rational(99, 100)),
    ),
    _deep(
        variant="deep_lower",
        title="Orthogonal weights, n = 4, singular values 1 to 10: no inner fall above a hundredth",
        relation=">=",
        rhs=sp.Rational(99, 100),
        sentinel=Sentinel("a growth of a hundredth a layer", rhs=sp.Rational(101, 100)),
    ),
)

STATEMENTS = (EXACT, *DEEP)
FIGURES = ()
