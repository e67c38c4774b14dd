"""The edge of chaos of tanh, in closed bounds, and gradients on both sides of it.

Problem. Layers h⁺ = tanh(Wh + b), weights of variance σ_w²/d, biases of σ_b². At infinite width the
squared length of a pre-activation goes to q = σ_w² E tanh²(√q z) + σ_b², and gradients are
multiplied by χ₁ = σ_w² E sech⁴(√q z) there. Where is χ₁ = 1?

Method. Each q > 0 is the length of one critical chain: σ_w² = 1/E sech⁴(√q z) and
σ_b² = q - E tanh²(√q z)/E sech⁴(√q z), which Gaussian Poincaré keeps from being negative. Both in
balls over cells that cover every q > 0 (`critical_line`). Simulation for gradients.

Guarantee. For every q > 0

    1 + 9πq/8 + (139/1000) q/(1+q) ≤ σ_w⁴ ≤ 1 + 4q - (23/50) q²/(1+q),
    0 ≤ σ_b² ≤ (4/3) q³/(1 + 29q/5 + 4q²/3),

exact to leading order both as q → 0 (the upper for weights and that for biases) and as q → ∞. So
√(1 + 9πq/8) ≤ σ_w² ≤ √(1 + 4q) and σ_b² ≤ 4q³/3, and the critical line leaves (1, 0) as
σ_w² ≈ 1 + (6σ_b²)^(1/3). Half of all networks multiply ‖G‖² by χ₁ a layer, up to 10/d, from the
length ½, tried at width 512: for a χ₁ below 1 (order, where 1/|log χ₁| is also how many layers a
correlation takes), at 1 and above (chaos).

Reference. Ours; χ₁ and the two phases are those of mean-field theory (Poole and others 2016,
Schoenholz and others 2017, not read). At σ_b² = .05, σ_w² = 1.76095.

Example:

    >>> weights, biases = critical(Fraction(57, 100))
    >>> round(float(weights.mid()), 3), round(float(biases.mid()), 3)
    (1.761, 0.05)
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache, partial

import numpy as np
import sympy as sp
from flint import arb, fmpq

from simulators import Chain
from simulators.layers import Activation, Bias, Linear
from theorems.checking.enclosures import Enclosed
from theorems.families.gradient.critical_line import line_parts
from theorems.families.gradient.enclosures import tanh_means
from theorems.families.gradient.growth import Network, a_layer, growth_of_medians
from theorems.families.gradient.notation import (
    FAMILY,
    INNER,
    OURS,
    d,
    layer_growth,
)
from theorems.statement import Quantifier, Sentinel, Statement, Variable, Verdict

__all__ = ["FIGURES", "STATEMENTS", "critical"]

below, above, biases = sp.symbols("below above biases", real=True)
chi = sp.Symbol("chi", nonnegative=True)


@lru_cache(maxsize=512)
def _means(length: Fraction) -> tuple[arb, arb]:
    return tanh_means(arb(fmpq(*length.as_integer_ratio())))


def critical(length: Fraction) -> tuple[arb, arb]:
    """σ_w² and σ_b² of the critical chain whose pre-activations have the squared length q.

    - ``length``: q > 0

    Example:
        >>> round(float(critical(Fraction(1))[1].mid()), 4)
        0.151
    """
    tanh, slope = _means(length)
    return 1 / slope, arb(fmpq(*length.as_integer_ratio())) - tanh / slope


# --- the line -------------------------------------------------------------------------------------

_edge = partial(
    Statement,
    family=FAMILY,
    theorem="edge_of_chaos",
    source=OURS,
    chain="vanilla(tanh)",
)
_weights = "(σ_w⁴ - 1)/q where χ₁ = 1"
_line = partial(
    _edge,
    quantifier=Quantifier.MEAN_FIELD,
    variables=(),
    relation=">=",
    expected=Verdict.CERTIFIED,
    checks=(Enclosed(parts=line_parts),),
)
LINE = (
    _line(
        variant="weights_upper",
        title="tanh's edge of chaos has σ_w⁴ ≤ 1 + 4q - (23/50) q²/(1+q), for every q > 0",
        definitions={below: f"(4 - w)(1 + q)/q, w = {_weights}, at every q > 0"},
        lhs=below,
        rhs=sp.Rational(23, 50),
        sentinel=Sentinel("½ for 23/50", rhs=sp.Rational(1, 2)),
    ),
    _line(
        variant="weights_lower",
        title="tanh's edge of chaos has σ_w⁴ ≥ 1 + 9πq/8 + (139/1000) q/(1+q), for every q > 0",
        definitions={above: f"(w - 9π/8)(1 + q), w = {_weights}, at every q > 0"},
        lhs=above,
        rhs=sp.Rational(139, 1000),
        sentinel=Sentinel("3/20 for 139/1000", rhs=sp.Rational(3, 20)),
    ),
    _line(
        variant="biases_upper",
        title="tanh's edge of chaos has σ_b² ≤ (4/3) q³/(1 + 29q/5 + 4q²/3), for every q > 0",
        definitions={
            biases: "(4q³/(3σ_b²) - 1)/q - 4q/3 where χ₁ = 1, at every q > 0; above 16 a lower bound "
            "of it"
        },
        lhs=biases,
        rhs=sp.Rational(29, 5),
        sentinel=Sentinel("6 for 29/5", rhs=sp.Integer(6)),
    ),
)

# --- networks -------------------------------------------------------------------------------------

_WIDTH, _DEPTH, _LENGTH = 512, 20, Fraction(1, 2)


def _network(factor: Fraction) -> Network:
    """A chain of χ₁ = ``factor`` at the length ½, one sample of the length it keeps."""
    tanh, slope = (float(mean.mid()) for mean in _means(_LENGTH))
    variance = float(factor) / slope
    bias = float(_LENGTH) - variance * tanh
    layers = (Linear(_WIDTH, std=variance**0.5), Bias(bias**0.5), Activation("tanh"))
    start = np.full((_WIDTH, 1), tanh**0.5)
    values = {"d": _WIDTH, "chi": float(factor)}
    return Network(Chain(layers), start, _DEPTH, values, replicas=200)


_FACTORS = (Fraction(9, 10), Fraction(1), Fraction(21, 20))
_NETWORKS = tuple(_network(factor) for factor in _FACTORS)
_deep = partial(
    _edge,
    quantifier=Quantifier.LAW,
    variables=(
        Variable(d, sp.Range(_WIDTH, sp.oo), f"width, tried at {_WIDTH}"),
        Variable(
            chi, sp.Interval(*map(sp.sympify, _FACTORS[::2])), "χ₁ at q = ½, tried at .9, 1, 1.05"
        ),
    ),
    definitions={layer_growth: INNER.format(_DEPTH)},
    lhs=layer_growth,
    observables=("gradient_norm",),
    expected=Verdict.SUPPORTED,
    checks=(growth_of_medians(_NETWORKS, "layer_growth", a_layer),),
)
DEEP = (
    _deep(
        variant="deep_lower",
        title="tanh, q = ½, d ≥ 512, χ₁ = .9 … 1.05: ‖G‖² grows by χ₁ a layer or more, but for 10/d",
        relation=">=",
        rhs=chi * (1 - 10 / d),
        sentinel=Sentinel("a twenty-fifth more", rhs=sp.Rational(26, 25) * chi),
    ),
    _deep(
        variant="deep_upper",
        title="tanh, q = ½, d ≥ 512, χ₁ = .9 … 1.05: ‖G‖² grows by χ₁ a layer or less, but for 10/d",
        relation="<=",
        rhs=chi * (1 + 10 / d),
        sentinel=Sentinel("a twenty-fifth less", rhs=sp.Rational(24, 25) * chi),
    ),
)

STATEMENTS = (*LINE, *DEEP)
FIGURES = ()
