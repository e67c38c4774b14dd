"""Batch normalisation after a residual sum: gradients explode, by ½(1 + n(1+1/β) I) a layer.

Problem. Layers H⁺ = BN(H + γWH) without mean subtraction, β = γ²d the variance of the branch: do
they explode as without the residual, as a power of depth as with BN inside the branch
(`residual_growth`), or not at all?

Method. At infinite width a row a = h + √β z has h of norm √n and z normal. What comes back, g_a, is
orthogonal to the new direction and isotropic beside it, and G = g_a + √β (fresh): its share along
the old direction is that of g_a, by the angle that the layer turned, and 1/n of the fresh part. Two
means over the noncentral χ² law of ‖a‖² remain, and by parts one integral:
I = ∫₀¹ t^(n-3) exp(-n(1-t²)/2β) dt. With J the same for n + 2 in the exponent of t,
(n-2) I + (n/β) J = 1 and J ≤ I, which bounds the factor, proved in Rocq. Networks are simulated.

Guarantee. F = ½(1 + n(1+1/β) I) ≥ 1 + 1/(n-2+n/β) for every n ≥ 4 and β > 0: the growth is
exponential at every strength of the branch; F → (n-1)/(n-2) as β → ∞, and 1 + 2β/n + O(β²) as
β → 0, so that depth L is bearable for β of order n/L. At n = 8: 1.1227 for β = 1, 1.0518 for
β = ¼. At d = 512 half of all networks lie within a share 10/d of it.

Reference. Ours; the chain is that of D20 (arXiv 2003.01652).

Example:

    >>> round(float(residual_factor(8, Fraction(1)).mid()), 4)
    1.1227
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import partial

import sympy as sp

from simulators import residual_chain
from simulators.lazy import strategies as st
from theorems.checking.pointwise import Pointwise
from theorems.checking.rational_inputs import as_given
from theorems.families.gradient.enclosures import residual_factor
from theorems.families.gradient.growth import Network, a_layer, growth_of_medians, orthonormal
from theorems.families.gradient.notation import (
    FAMILY,
    INNER,
    OURS,
    ROCQ,
    SAMPLES,
    WIDTH,
    d,
    layer_growth,
    n,
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

Item = Mapping[str, object]
beta, I, J, F = sp.symbols("beta I J F", real=True)
_STRENGTH = Variable(beta, sp.Interval.open(0, sp.oo), "variance of the branch, γ²d")


def _item(size: int, strength: Fraction, share: Fraction) -> Item:
    """J = ``share`` of I, and I as the relation between them says."""
    first = 1 / (size - 2 + size * share / strength)
    return {"n": size, "beta": strength, "I": first, "J": share * first}


def _inputs() -> st.SearchStrategy[Item]:
    strengths = st.fractions(Fraction(1, 50), 50, max_denominator=50)
    shares = st.fractions(0, 1, max_denominator=30)
    return st.builds(_item, st.integers(4, 60), strengths, shares)


def _corners() -> list[Item]:
    """J = I, where the bound is attained, J = 0, and one that breaks each assumption."""
    met = [_item(8, Fraction(1), Fraction(share)) for share in (1, 0)]
    return [*met, _item(8, Fraction(1), Fraction(2)), {**met[0], "I": Fraction(1, 100)}]


_bound = 1 + 1 / (n - 2 + n / beta)
BOUND = Statement(
    family=FAMILY,
    theorem="residual_factor",
    variant="bound",
    title="½(1 + n(1+1/β)I) ≥ 1 + 1/(n-2+n/β): after a residual sum gradients explode as well",
    quantifier=Quantifier.POINTWISE,
    source=OURS,
    variables=(
        SAMPLES,
        _STRENGTH,
        Variable(I, sp.Reals, "∫₀¹ t^(n-3) exp(-n(1-t²)/2β) dt"),
        Variable(J, sp.Reals, "∫₀¹ t^(n-1) exp(-n(1-t²)/2β) dt"),
    ),
    assumptions=(
        Assumption(sp.Eq((n - 2) * I + n / beta * J, 1), "by parts"),
        Assumption(sp.Le(J, I), "t^(n-1) ≤ t^(n-3)"),
    ),
    lhs=(1 + n * (1 + 1 / beta) * I) / 2,
    relation=">=",
    rhs=_bound,
    sentinel=Sentinel("one part in a million more", rhs=(1 + NUDGE) * _bound),
    expected=Verdict.CERTIFIED,
    checks=(Pointwise(as_given, _inputs, _corners, examples=110),),
    proof=Proof(theorem=f"{ROCQ}.residual_factor_bound"),
)

# --- networks -------------------------------------------------------------------------------------

_WIDTH, _DEPTH = 512, 20


def _network(size: int, strength: Fraction) -> Network:
    chain = residual_chain(_WIDTH, (float(strength) / _WIDTH) ** 0.5)
    factor = float(residual_factor(size, strength).mid())
    values = {"n": size, "d": _WIDTH, "beta": float(strength), "F": factor}
    return Network(chain, orthonormal(_WIDTH, size), _DEPTH, values, replicas=100)


_deep = partial(
    Statement,
    family=FAMILY,
    theorem="residual_factor",
    quantifier=Quantifier.LAW,
    source=OURS,
    variables=(SAMPLES, WIDTH, _STRENGTH, Variable(F, sp.Interval(1, 2), "½(1 + n(1+1/β) I)")),
    definitions={layer_growth: INNER.format(_DEPTH)},
    lhs=layer_growth,
    chain="residual",
    observables=("gradient_norm",),
    expected=Verdict.SUPPORTED,
    checks=(
        growth_of_medians(
            (_network(8, Fraction(1)), _network(8, Fraction(1, 4))), "layer_growth", a_layer
        ),
    ),
)
DEEP = (
    _deep(
        variant="deep_lower",
        title="Half of all networks: ‖G‖² grows by F a layer or more, but for 10/d",
        relation=">=",
        rhs=F * (1 - 10 / d),
        sentinel=Sentinel("a twentieth more", rhs=sp.Rational(21, 20) * F * (1 - 10 / d)),
    ),
    _deep(
        variant="deep_upper",
        title="Half of all networks: ‖G‖² grows by F a layer or less, but for 10/d",
        relation="<=",
        rhs=F * (1 + 10 / d),
        sentinel=Sentinel(
            "the bound 1 + 1/(n-2+n/β) and a hundredth", rhs=_bound + sp.Rational(1, 100)
        ),
    ),
)

STATEMENTS = (BOUND, *DEEP)
FIGURES = ()
