"""Around a residual branch with tanh gradients grow as exp(√ℓ): neither a power nor an exponential.

Problem. h⁺ = h + tanh(Wh), entries of W of variance 1/d: the stream grows, the slope of tanh falls
with it, and no layer divides by its length as batch normalisation does (`residual_growth`). How
fast do gradients grow?

Method. At infinite width q⁺ = q + E tanh²(√q z) is the stream's variance, and a layer multiplies
E‖G‖² by 1 + E sech⁴(√q z), which for large q is 1 + (4/3)/√(2πq): the logarithm grows by some
1.06 (√(ℓ+1) - √ℓ) a layer. The path from q = 1 is followed in balls. Networks are simulated by
their rows, exact in law (`residual_stream`).

Guarantee. √ℓ - 3/4 ≤ log Π (1 + E sech⁴(√q_k z)) ≤ 11√ℓ/10 at every depth ℓ up to 256.
Half of all networks of width 512 are within a sixth of the product at 16 and 64 layers. At 64 the
growth is some 3900: with batch normalisation in the branch (n = 8) it is 136, without residual and
with batch normalisation alone 1.2^64 = 117,000.

Reference. Ours; that residual networks with tanh are subexponential is known (Yang and Schoenholz,
arXiv 1712.08969, by summaries).

Example:

    >>> [round(float(log_growths()[depth].mid()), 3) for depth in (1, 16)]
    [0.381, 3.634]
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache, partial

import sympy as sp
from flint import arb

from simulators.lazy import strategies as st
from theorems.checking.medians import Case, Floats, Medians, Sample
from theorems.checking.pointwise import Pointwise
from theorems.context import Context
from theorems.families.gradient.enclosures import tanh_means
from theorems.families.gradient.notation import FAMILY, OURS, d, ell, growth
from theorems.families.gradient.residual_stream import tanh_growths
from theorems.statement import Quantifier, Sentinel, Statement, Variable, Verdict

__all__ = ["FIGURES", "STATEMENTS", "log_growths"]

logarithm = sp.Symbol("logarithm", real=True)
F = sp.Symbol("F", positive=True)
#: Paths are followed to this depth.
_DEEPEST = 256


@lru_cache(maxsize=1)
def log_growths() -> Mapping[int, arb]:
    """log Π_{k<ℓ} (1 + E sech⁴(√q_k z)) from q_0 = 1, by ℓ from 1 to 256.

    Cost: a second.

    Example:
        >>> round(float(log_growths()[1].mid()), 4)
        0.3814
    """
    length, total = arb(1), arb(0)
    found = {}
    for layer in range(1, _DEEPEST + 1):
        square, slope = tanh_means(length)
        length, total = length + square, total + (1 + slope).log()
        found[layer] = total
    return found


def _values(item: Mapping[str, int]) -> Mapping[str, object]:
    return {**item, "logarithm": log_growths()[item["ell"]]}


def _depths() -> st.SearchStrategy[Mapping[str, int]]:
    return st.builds(lambda depth: {"ell": depth}, st.integers(1, _DEEPEST))


def _corners() -> list[Mapping[str, int]]:
    """Every depth."""
    return [{"ell": depth} for depth in range(1, _DEEPEST + 1)]


_LAYERS = Variable(ell, sp.Range(1, _DEEPEST + 1), "number of layers, at most 256")
_tanh = partial(
    Statement,
    family=FAMILY,
    theorem="residual_tanh",
    source=OURS,
)
_path = partial(
    _tanh,
    quantifier=Quantifier.POINTWISE,
    variables=(_LAYERS,),
    definitions={logarithm: "log Π_{k<ℓ} (1 + E sech⁴(√q_k z)), q⁺ = q + E tanh²(√q z), q_0 = 1"},
    lhs=logarithm,
    expected=Verdict.CERTIFIED,
    checks=(Pointwise(_values, _depths, _corners, walks=False, examples=20),),
)
PATH = (
    _path(
        variant="path_lower",
        title="tanh residual streams: for ℓ ≤ 256 gradients grow at least as exp(√ℓ - 3/4)",
        relation=">=",
        rhs=sp.sqrt(ell) - sp.Rational(3, 4),
        sentinel=Sentinel("√ℓ - 3/5", rhs=sp.sqrt(ell) - sp.Rational(3, 5)),
    ),
    _path(
        variant="path_upper",
        title="... and at most as exp(11√ℓ/10), for ℓ ≤ 256",
        relation="<=",
        rhs=sp.Rational(11, 10) * sp.sqrt(ell),
        sentinel=Sentinel("21/20 for 11/10", rhs=sp.Rational(21, 20) * sp.sqrt(ell)),
    ),
)

# --- networks -------------------------------------------------------------------------------------

_WIDTH, _REPLICAS = 512, 500
_DEPTHS = 16, 64
_LEAST, _MOST = sp.Rational(5, 6), sp.Rational(7, 6)


@lru_cache(maxsize=4)
def _growths(depth: int, seed: int) -> Floats:
    return tanh_growths(_WIDTH, depth, _REPLICAS, [seed, depth])


def _drawn(depth: int, context: Context) -> Sample:
    return Sample({growth.name: [_growths(depth, context.seed)]})


def _cases(batch: object) -> list[Case]:
    return [
        Case(
            f"d={_WIDTH}, {depth} layers",
            {"ell": depth, "d": _WIDTH, "F": float(log_growths()[depth].exp().mid())},
            partial(_drawn, depth),
            2,
        )
        for depth in _DEPTHS
    ]


_networks = partial(
    _tanh,
    quantifier=Quantifier.LAW,
    variables=(
        Variable(
            ell,
            sp.Range(1, _DEPTHS[1] + 1),
            f"number of layers, tried at {_DEPTHS[0]} and {_DEPTHS[1]}",
        ),
        Variable(d, sp.Range(_WIDTH, _WIDTH + 1), "width"),
        Variable(F, sp.Interval(1, sp.oo), "Π (1 + E sech⁴(√q_k z)), of infinite width"),
    ),
    definitions={growth: "‖G_0‖²/‖G_ℓ‖² in half of all networks h⁺ = h + tanh(Wh), G_ℓ normal"},
    lhs=growth,
    expected=Verdict.SUPPORTED,
    checks=(Medians(_cases),),
)
NETWORKS = (
    _networks(
        variant="networks_lower",
        title="d = 512: half of all tanh residual streams grow ‖G‖² by ⅚ of that product or more",
        relation=">=",
        rhs=_LEAST * F,
        sentinel=Sentinel("(6/5)^ℓ, an exponential", rhs=_LEAST * sp.Rational(6, 5) ** ell),
    ),
    _networks(
        variant="networks_upper",
        title="d = 512: half of all tanh residual streams grow ‖G‖² by 7/6 of that product or less",
        relation="<=",
        rhs=_MOST * F,
        sentinel=Sentinel("(ℓ+1)(ℓ+2)/2, a power", rhs=_MOST * (ell + 1) * (ell + 2) / 2),
    ),
)

STATEMENTS = (*PATH, *NETWORKS)
FIGURES = ()
