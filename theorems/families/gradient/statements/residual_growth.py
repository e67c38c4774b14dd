"""Around a residual branch with batch normalisation gradients grow as a power of depth, at most ℓ².

Problem. H⁺ = H + BN(WH): the stream H grows by one unit of variance a layer, and BN's derivative is
one over its standard deviation. Do gradients explode all the same?

Method. At infinite width the branch is uncorrelated with the stream, so that a stream of variance q
at the batch has variance q + k after k layers, and a layer there multiplies E‖G‖² of a gradient
orthogonal to 1 by 1 + f/(q + k), f = (n-2)/(n-3), which is between 1 and 2 for every n ≥ 4. The
product is bounded on both sides by products that telescope. Exact rationals, and Rocq, for every q,
f and ℓ. Networks are simulated by their rows, exact in law (`residual_stream`).

Guarantee. (q + ℓ)/q ≤ Π_{k<ℓ} (1 + f/(q + k)) ≤ (q + ℓ)(q + ℓ + 1)/(q(q + 1)) for 1 ≤ f ≤ 2. With
q = 1 the growth lies between ℓ + 1 and (ℓ + 1)(ℓ + 2)/2: polynomial, of degree f, where without the
residual it is f^ℓ (and exponential with BN after the sum: `residual_factor`). With branches scaled
by 1/√L, as if q = ℓ = L, it lies between 2 and 4 at any depth. At n = 8 and q = 1 half of all
networks of width 256 are within an eighth of the product, at depths 16 and 48 (`networks_lower`,
`networks_upper`). At n = 4 half of them fall below that.

Reference. Ours.

Example:

    >>> [float(statement.bound(q=1, ell=3)) for statement in BOUNDS]
    [4.0, 10.0]
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache, partial

import sympy as sp

from simulators.lazy import strategies as st
from theorems.checking.medians import Case, Floats, Medians, Sample
from theorems.checking.pointwise import Pointwise
from theorems.checking.rational_inputs import as_given
from theorems.context import Context
from theorems.families.gradient.notation import FAMILY, OURS, ROCQ, d, ell, growth, k, n
from theorems.families.gradient.residual_stream import stream_growths
from theorems.statement import NUDGE, Proof, Quantifier, Sentinel, Statement, Variable, Verdict

__all__ = ["BOUNDS", "FIGURES", "STATEMENTS"]

f, q = sp.symbols("f q", positive=True)
Item = Mapping[str, object]


def _inputs() -> st.SearchStrategy[Item]:
    depth = st.integers(1, 12)
    variance = st.fractions(Fraction(1, 20), 20, max_denominator=20)
    factor = st.fractions(1, 2, max_denominator=20)
    return st.builds(
        lambda *given: dict(zip("fq", given[1:], strict=True)) | {"ell": given[0]},
        depth,
        factor,
        variance,
    )


def _corners() -> list[Item]:
    """f = 1 and f = 2, where the bounds are attained, at q = 1 and at q = ℓ."""
    return [
        {"ell": 3, "f": Fraction(factor), "q": Fraction(variance)}
        for factor, variance in ((1, 1), (2, 1), (1, 3), (2, 3))
    ]


_streams = partial(
    Statement,
    family=FAMILY,
    theorem="residual_growth",
    source=OURS,
)
_product = sp.Product(1 + f / (q + k), (k, 0, ell - 1))
_growth = partial(
    _streams,
    quantifier=Quantifier.POINTWISE,
    variables=(
        Variable(ell, sp.Range(0, sp.oo), "number of layers"),
        Variable(f, sp.Interval(1, 2), "factor of batch normalisation, (n-2)/(n-3)"),
        Variable(q, sp.Interval.open(0, sp.oo), "variance of the stream at the batch"),
    ),
    lhs=_product,
    expected=Verdict.CERTIFIED,
    checks=(Pointwise(as_given, _inputs, _corners, examples=60),),
)
_lower = (q + ell) / q
_upper = (q + ell) * (q + ell + 1) / (q * (q + 1))

BOUNDS = (
    _growth(
        variant="lower",
        title="A residual stream's gradients grow at least linearly: Π (1 + f/(q+k)) ≥ (q+ℓ)/q",
        relation=">=",
        rhs=_lower,
        sentinel=Sentinel("one part in a million more", rhs=(1 + NUDGE) * _lower),
        proof=Proof(theorem=f"{ROCQ}.residual_lower"),
    ),
    _growth(
        variant="upper",
        title="... and at most quadratically: Π (1 + f/(q+k)) ≤ (q+ℓ)(q+ℓ+1)/(q(q+1))",
        relation="<=",
        rhs=_upper,
        sentinel=Sentinel("one part in a million less", rhs=(1 - NUDGE) * _upper),
        proof=Proof(theorem=f"{ROCQ}.residual_upper"),
    ),
)

# --- networks -------------------------------------------------------------------------------------

_WIDTH, _SIZE, _REPLICAS = 256, 8, 200
_DEPTHS = 16, 48

_LEAST, _MOST = sp.Rational(7, 8), sp.Rational(9, 8)


@lru_cache(maxsize=4)
def _growths(depth: int, seed: int) -> Floats:
    return stream_growths(_WIDTH, _SIZE, depth, _REPLICAS, [seed, depth])


def _drawn(depth: int, context: Context) -> Sample:
    return Sample({growth.name: [_growths(depth, context.seed)]})


def _cases(batch: object) -> list[Case]:
    factor = (_SIZE - 2) / (_SIZE - 3)
    return [
        Case(
            f"n={_SIZE}, d={_WIDTH}, {depth} layers",
            {"ell": depth, "n": _SIZE, "d": _WIDTH, "f": factor, "q": 1.0},
            partial(_drawn, depth),
            2,
        )
        for depth in _DEPTHS
    ]


_networks = partial(
    _streams,
    quantifier=Quantifier.LAW,
    variables=(
        Variable(
            ell,
            sp.Range(1, _DEPTHS[1] + 1),
            f"number of layers, tried at {_DEPTHS[0]} and {_DEPTHS[1]}",
        ),
        Variable(n, sp.Range(_SIZE, _SIZE + 1), "batch size"),
        Variable(d, sp.Range(_WIDTH, _WIDTH + 1), "width"),
        Variable(f, sp.Interval(1, 2), "(n-2)/(n-3), which is 6/5"),
        Variable(q, sp.Range(1, 2), "variance of the stream at the batch"),
    ),
    definitions={growth: "‖G_0‖²/‖G_ℓ‖² in half of all networks H⁺ = H + BN(WH), G_ℓ normal"},
    lhs=growth,
    expected=Verdict.SUPPORTED,
    checks=(Medians(_cases),),
)
NETWORKS = (
    _networks(
        variant="networks_lower",
        title="n = 8, d = 256: half of all residual streams grow ‖G‖² by ⅞ of Π (1 + f/(1+k)) or more",
        relation=">=",
        rhs=_LEAST * _product,
        sentinel=Sentinel("the quadratic upper bound", rhs=_LEAST * _upper),
    ),
    _networks(
        variant="networks_upper",
        title="n = 8, d = 256: half of all residual streams grow ‖G‖² by 9/8 of Π (1 + f/(1+k)) or less",
        relation="<=",
        rhs=_MOST * _product,
        sentinel=Sentinel("the linear lower bound", rhs=_MOST * _lower),
    ),
)

STATEMENTS = (*BOUNDS, *NETWORKS)
FIGURES = ()
