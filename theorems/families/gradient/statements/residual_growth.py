"""Around a residual branch with batch normalisation gradients grow as a power of depth, at most ℓ².

Problem. H⁺ = H + BN(WH): the stream H grows by one unit of variance a layer, and BN's derivative is
one over its standard deviation. Do gradients explode all the same?

Method. At infinite width the branch is uncorrelated with the stream, so that a stream of variance q
at the batch has variance q + k after k layers, and a layer there multiplies E‖G‖² of a gradient
orthogonal to 1 by 1 + f/(q + k), f = (n-2)/(n-3), which is between 1 and 2 for every n ≥ 4. The
product is bounded on both sides by products that telescope. Exact rationals, and Rocq, for every q,
f and ℓ.

Guarantee. (q + ℓ)/q ≤ Π_{k<ℓ} (1 + f/(q + k)) ≤ (q + ℓ)(q + ℓ + 1)/(q(q + 1)) for 1 ≤ f ≤ 2. With
q = 1 the growth lies between ℓ + 1 and (ℓ + 1)(ℓ + 2)/2: polynomial, of degree f, where without the
residual it is f^ℓ (and exponential with BN after the sum: `residual_factor`). With branches scaled
by 1/√L, as if q = ℓ = L, it lies between 2 and 4 at any depth. The step from networks to the
product is an argument at infinite width, and not simulated here.

Reference. Ours.

Example:

    >>> [float(statement.bound(q=1, ell=3)) for statement in STATEMENTS]
    [4.0, 10.0]
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import partial

import sympy as sp

from simulators.lazy import strategies as st
from theorems.checking.pointwise import Pointwise
from theorems.checking.rational_inputs import as_given
from theorems.families.gradient.notation import FAMILY, OURS, ROCQ, ell, k
from theorems.statement import NUDGE, Proof, Quantifier, Sentinel, Statement, Variable, Verdict

__all__ = ["FIGURES", "STATEMENTS"]

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


_growth = partial(
    Statement,
    family=FAMILY,
    theorem="residual_growth",
    quantifier=Quantifier.POINTWISE,
    source=OURS,
    variables=(
        Variable(ell, sp.Range(0, sp.oo), "number of layers"),
        Variable(f, sp.Interval(1, 2), "factor of batch normalisation, (n-2)/(n-3)"),
        Variable(q, sp.Interval.open(0, sp.oo), "variance of the stream at the batch"),
    ),
    lhs=sp.Product(1 + f / (q + k), (k, 0, ell - 1)),
    expected=Verdict.CERTIFIED,
    checks=(Pointwise(as_given, _inputs, _corners, examples=60),),
)
_lower = (q + ell) / q
_upper = (q + ell) * (q + ell + 1) / (q * (q + 1))

STATEMENTS = (
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
FIGURES = ()
