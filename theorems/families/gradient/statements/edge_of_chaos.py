"""The edge of chaos of tanh, in closed bounds, and gradients on both sides of it.

Problem. Layers h⁺ = tanh(Wh + b), weights of variance σ_w²/d, biases of σ_b². At infinite width the
squared length of a pre-activation goes to q = σ_w² E tanh²(√q z) + σ_b², and gradients are
multiplied by χ₁ = σ_w² E sech⁴(√q z) there. Where is χ₁ = 1?

Method. Each q > 0 is the length of one critical chain: σ_w² = 1/E sech⁴(√q z) and
σ_b² = q - E tanh²(√q z)/E sech⁴(√q z), which Gaussian Poincaré keeps from being negative. Both
means in balls, at lengths between 1/100 and 40 drawn by Hypothesis and five that are named, the
least 1/400. Simulation for gradients.

Guarantee. √(1 + 9πq/8) ≤ σ_w² ≤ √(1 + 4q), the upper exact to first order as q → 0, the lower as
q → ∞; 0 ≤ σ_b² ≤ 4q³/3, exact to leading order as q → 0. So the critical line leaves (1, 0) as
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

from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache, partial
from typing import Any

import numpy as np
import sympy as sp
from flint import arb, fmpq

from simulators import Chain
from simulators.layers import Activation, Bias, Linear
from simulators.lazy import strategies as st
from theorems.checking.pointwise import Pointwise
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

q, weights, biases, chi = sp.symbols("q sigma_w2 sigma_b2 chi", nonnegative=True)
Item = Mapping[str, object]


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


def _values(item: Mapping[str, Any]) -> Item:
    found = critical(item["q"])
    return {**item, "sigma_w2": found[0], "sigma_b2": found[1]}


def _lengths() -> st.SearchStrategy[Item]:
    lengths = st.fractions(Fraction(1, 100), 40, max_denominator=100)
    return st.builds(lambda length: {"q": length}, lengths)


def _corners() -> list[Item]:
    return [{"q": Fraction(*length)} for length in ((1, 400), (1, 20), (57, 100), (3, 1), (40, 1))]


_edge = partial(
    Statement,
    family=FAMILY,
    theorem="edge_of_chaos",
    source=OURS,
    chain="vanilla(tanh)",
)
_line = partial(
    _edge,
    quantifier=Quantifier.POINTWISE,
    variables=(
        Variable(
            q,
            sp.Interval(sp.Rational(1, 400), 40),
            "squared length of a pre-activation, tried at some 110 values",
        ),
    ),
    definitions={
        weights: "1/E sech⁴(√q z), σ_w² where χ₁ = 1",
        biases: "q - E tanh²(√q z)/E sech⁴(√q z), σ_b² there",
    },
    expected=Verdict.CERTIFIED,
    checks=(Pointwise(_values, _lengths, _corners, walks=False, examples=110),),
)
LINE = (
    _line(
        variant="weights_upper",
        title="On tanh's edge of chaos σ_w² ≤ √(1 + 4q), q from 1/400 to 40",
        lhs=weights,
        relation="<=",
        rhs=sp.sqrt(1 + 4 * q),
        sentinel=Sentinel("3.9 for 4", rhs=sp.sqrt(1 + sp.Rational(39, 10) * q)),
    ),
    _line(
        variant="weights_lower",
        title="On tanh's edge of chaos σ_w² ≥ √(1 + 9πq/8), q from 1/400 to 40",
        lhs=weights,
        relation=">=",
        rhs=sp.sqrt(1 + 9 * sp.pi * q / 8),
        sentinel=Sentinel("4q for 9πq/8", rhs=sp.sqrt(1 + 4 * q)),
    ),
    _line(
        variant="biases_upper",
        title="On tanh's edge of chaos σ_b² ≤ 4q³/3, q from 1/400 to 40",
        lhs=biases,
        relation="<=",
        rhs=4 * q**3 / 3,
        sentinel=Sentinel("1.3 for 4/3", rhs=sp.Rational(13, 10) * q**3),
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
