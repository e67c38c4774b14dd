"""One layer on two blocks: how far apart their norms are, and how fast a spread within one grows.

The smaller block is pushed further out. A recentred row is (n-m)δ/n on the first block and -mδ/n on
the other, with δ = ⟨w, c-o⟩. Half of the rows pass the first block, so of a small squared distance
within it half is left; of ‖c-o‖² what is left is ((n-m)² + m²)/(2n²). Their ratio grows by
n²/(m² + (n-m)²).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from functools import partial
from itertools import product
from typing import TypeAlias, TypedDict

import flint
import numpy as np
import sympy as sp

from simulators import Chain, Trajectory, recenter_relu_chain
from simulators.engines.mean_field import recenter_relu_map_enclosure
from simulators.layers import Activation, Linear, Normalize, Recenter
from simulators.lazy import strategies as st
from simulators.observables import Observable
from theorems.checking.expectation import Floats, Instance
from theorems.checking.pointwise import Pointwise
from theorems.checking.rational_inputs import as_given
from theorems.families.cluster import inputs
from theorems.families.cluster.notation import (
    BATCH,
    BLOCK,
    FAMILY,
    FIRST,
    INPUT,
    NUDGE,
    OTHER,
    OURS,
    ROCQ,
    W,
    Z,
    from_own_starts,
    i,
    in_first,
    in_other,
    j,
    m,
    n,
    p,
    r,
    two_blocks,
)
from theorems.statement import Proof, Quantifier, Sentinel, Statement, Variable, Verdict

__all__ = ["NORMS", "SPREAD", "two_block_batch"]

Number: TypeAlias = Fraction | flint.arb


class _Start(TypedDict):
    """m samples alike but for a squared distance s, n - m of squared norm ``norm``, and the product
    of the two kinds.
    """

    n: int
    m: int
    s: Fraction
    norm: Fraction
    product: Fraction


e = sp.Symbol("e", positive=True)
S, GROWTH, SHARE = sp.symbols("E_S r E_q", nonnegative=True)

# --- every finite symmetric law -------------------------------------------------------------------

P = sp.IndexedBase("P", real=True)
E_c, E_o = sp.symbols("E_c E_o", real=True)


def _mean_square(column: sp.Symbol) -> sp.Expr:
    """E‖column‖² per row of weights: outcome r or its negative, each with probability P[r]/2."""
    return (
        sp.Sum(P[r] * (sp.Max(Z[r, column], 0) ** 2 + sp.Max(-Z[r, column], 0) ** 2), (r, 0, p - 1))
        / 2
    )


NORM_RATIO = Statement(
    family=FAMILY,
    theorem="norm_ratio",
    variant="finite",
    source=OURS,
    quantifier=Quantifier.POINTWISE,
    title="Any finite symmetric law: (n-m)² E‖o′‖² = m² E‖c′‖², so a lone outlier is n-1 times as "
    "long",
    variables=(
        BATCH,
        BLOCK,
        INPUT,
        Variable(p, sp.Range(1, sp.oo), "pairs of opposite outcomes of a row of weights"),
        Variable(
            W, sp.Reals, "one row of weights for each pair of outcomes", size=(p, INPUT.symbol)
        ),
        Variable(P, sp.Interval(0, 1), "probability of each pair", size=(p,)),
        FIRST,
        OTHER,
        in_first(i),
        in_other(j),
    ),
    definitions={**two_blocks, E_c: _mean_square(i), E_o: _mean_square(j)},
    lhs=(n - m) ** 2 * E_o,
    relation="==",
    rhs=m**2 * E_c,
    chain="recenter_relu",
    sentinel=Sentinel("the ratio is m/(n-m), not its square", rhs=m * (n - m) * E_c),
    expected=Verdict.CERTIFIED,
    checks=(Pointwise(as_given, inputs.law_inputs, inputs.law_corners, examples=100),),
    proof=Proof(
        theorem=f"{ROCQ}.NormRatio.norm_ratio",
        link="name",
        also=(f"{ROCQ}.NormRatio.norm_ratio_quotient",),
        gloss="for every finite law of the whole W that a sign change of W keeps, after recentring "
        "and ReLU "
        "(n-m)² E‖o′‖² = m² E‖c′‖²",
    ),
)

# --- laws that are sampled ------------------------------------------------------------------------


def two_block_batch(d: int, first: int, size: int, seed: int) -> Floats:
    """(d, size) batch of two Gaussian directions: ``first`` columns equal to one, the others to the
    other.

    Example:
        >>> two_block_batch(8, 2, 5, seed=0).shape
        (8, 5)
    """
    c, o = np.random.default_rng(seed).standard_normal((2, d))
    return np.stack([c] * first + [o] * (size - first), axis=1)


def _share(H: Floats, *, width: int) -> Floats:
    """Squared norms of the first and the last sample, over the first's and the last's sum."""
    squares = (H * H).sum(-2)[..., [0, -1]]
    return np.asarray(squares / squares.sum(-1)[..., None])


_NORMS = Observable("ends", _share, gram=True)


def _splits(law: str) -> Iterator[Instance]:
    chain = Chain((Linear(32, law), Recenter(), Activation("relu"), Normalize()))
    for size, first in ((2, 1), (3, 2), (5, 4), (5, 2), (5, 1), (10, 9), (30, 29)):
        start = two_block_batch(32, first, size, seed=size)
        readouts = ({"n": size, "m": first},)
        yield Instance(f"n={size}, m={first}", chain, start, 1, readouts, (0.0, 1.0))


def _outer_share(statement: Statement, trajectory: Trajectory, instance: Instance) -> Floats:
    """(n-m)²‖o′‖² over (n-m)²‖o′‖² + m²‖c′‖²: free of the layer's scale, and in [0, 1]."""
    n, m = (instance.readouts[0][name] for name in "nm")
    ends = trajectory.values["ends"][:, 1] * np.array([m**2, (n - m) ** 2])
    return np.asarray(ends[:, 1:] / ends.sum(axis=1, keepdims=True))


def _sampled(variant: str, words: str, law: str, expected: Verdict, remark: str) -> Statement:
    return Statement(
        family=FAMILY,
        theorem="norm_ratio",
        variant=variant,
        source=OURS,
        quantifier=Quantifier.EXPECTATION,
        title=f"{words} weights: of m²‖c′‖² + (n-m)²‖o′‖² the outlying block has half on average",
        variables=(BATCH, BLOCK),
        definitions={S: "E of (n-m)²‖o′‖² over (n-m)²‖o′‖² + m²‖c′‖²"},
        lhs=S,
        relation="==",
        rhs=sp.Rational(1, 2),
        chain="recenter_relu",
        observables=("norms",),
        sentinel=Sentinel("‖o′‖² is to ‖c′‖² as m to n-m: share (n-m)/n", rhs=(n - m) / n),
        checks=(from_own_starts(partial(_splits, law), _outer_share, (_NORMS,), resolution=0.02),),
        expected=expected,
        remark=remark,
    )


_EXCHANGE = (
    "Changing the sign of W exchanges m‖c′‖ and (n-m)‖o′‖, so their law is symmetric at "
    "every width."
)
NORMS: tuple[Statement, ...] = (
    NORM_RATIO,
    *(
        _sampled(law, words, law, Verdict.SUPPORTED, _EXCHANGE)
        for law, words in (("gaussian", "Gaussian"), ("uniform", "Uniform"), ("rademacher", "Sign"))
    ),
    _sampled(
        "asymmetric",
        "Positive",
        "uniform_positive",
        Verdict.REFUTED,
        "Weights uniform on [0, 2√3]: without a symmetric law the ratio depends on c and o.",
    ),
)

# --- a spread within a block ----------------------------------------------------------------------

growth = n**2 / (m**2 + (n - m) ** 2)
_SPLIT = Variable(m, sp.Range(2, n), "columns in the first block, the one with a spread")
_SIZE = Variable(n, sp.Range(3, sp.oo), "batch size")
_SPREAD = Variable(e, sp.Interval.open(0, 1), "‖h₁-h₂‖²/‖h₁-o‖² for two samples of the first block")

# --- infinite width, in balls ---------------------------------------------------------------------


def _gram(item: _Start) -> list[list[Fraction]]:
    """m columns c + √(s/2) eᵢ, eᵢ orthonormal and orthogonal to c and o, and n - m columns o."""
    first, others = item["m"], item["n"] - item["m"]
    found = [[Fraction(1)] * first + [item["product"]] * others for _ in range(first)]
    found += [[item["product"]] * first + [item["norm"]] * others for _ in range(others)]
    for k in range(first):
        found[k][k] += item["s"] / 2
    return found


def _relative(gram: Sequence[Sequence[Number]]) -> Number:
    """‖h₁-h₂‖²/‖h₁-h_n‖²."""

    def distance(i: int, j: int) -> Number:
        return gram[i][i] + gram[j][j] - 2 * gram[i][j]

    return distance(0, 1) / distance(0, -1)


def _growth_values(item: _Start) -> Mapping[str, object]:
    """The growth in balls; a small spread costs digits, so the layer is enclosed with more."""
    start = _gram(item)
    before = _relative(start)
    after = recenter_relu_map_enclosure(start, precision=flint.ctx.prec + 200)
    with flint.ctx.workprec(flint.ctx.prec + 200):
        ratio = _relative(after) / flint.arb(flint.fmpq(before.numerator, before.denominator))
    return {"n": item["n"], "m": item["m"], "e": before, "r": ratio}


def _items() -> st.SearchStrategy[Mapping[str, object]]:
    return st.integers(3, 9).flatmap(
        lambda size: st.fixed_dictionaries(
            {
                "n": st.just(size),
                "m": st.integers(2, size - 1),
                "s": st.integers(4, 40).map(lambda k: Fraction(1, 10**k)),
                "norm": st.fractions(Fraction(1, 2), 3, max_denominator=9),
                "product": st.fractions(0, Fraction(1, 2), max_denominator=9),
            }
        )
    )


def _every_split() -> list[Mapping[str, object]]:
    splits = (pair for pair in product(range(3, 11), range(2, 10)) if pair[1] < pair[0])
    return [
        {"n": n, "m": m, "s": Fraction(1, 10**k), "norm": Fraction(1), "product": Fraction(0)}
        for (n, m), k in product(splits, (4, 30))
    ]


_growth = partial(
    Statement,
    family=FAMILY,
    theorem="spread_growth",
    source=OURS,
    chain="recenter_relu",
)
MEAN_FIELD = _growth(
    variant="mean_field",
    quantifier=Quantifier.MEAN_FIELD,
    title="At infinite width a small spread grows by n²/(m²+(n-m)²) a layer, up to 4√e",
    variables=(_SIZE, _SPLIT, _SPREAD),
    definitions={GROWTH: "growth of ‖h₁-h₂‖²/‖h₁-o‖² in one layer"},
    lhs=sp.Abs(GROWTH - growth),
    relation="<=",
    rhs=4 * sp.sqrt(e),
    expected=Verdict.CERTIFIED,
    sentinel=Sentinel(
        "n²/(m²+(n-m)²), one part in a million larger", lhs=sp.Abs(GROWTH - (1 + NUDGE) * growth)
    ),
    checks=(Pointwise(_growth_values, _items, _every_split, examples=40),),
    remark="Extrapolated to zero spread: e runs down to 1e-40, where 4√e leaves no room. The error "
    "is of order √e, "
    "from the rows in which the two samples differ in sign.",
)

# --- which split is the least unstable ------------------------------------------------------------


def _any_split() -> st.SearchStrategy[Mapping[str, int]]:
    return st.integers(3, 10**6).flatmap(
        lambda size: st.fixed_dictionaries({"n": st.just(size), "m": st.integers(1, size - 1)})
    )


# the theorems do without 2 <= n, which is spelled out so that the kernel compares it too
_SCRIPT = "move=> R n m n2 m1 mn; (have _ : (2 <= n)%N := n2); exact: (@THEOREM R n m m1 mn)"
LEAST = _growth(
    variant="lone_least",
    quantifier=Quantifier.POINTWISE,
    title="Of all splits the lone outlier is the least unstable: n²/(m²+(n-m)²) ≥ n²/((n-1)²+1)",
    variables=(BATCH, BLOCK),
    lhs=growth,
    relation=">=",
    rhs=n**2 / ((n - 1) ** 2 + 1),
    expected=Verdict.CERTIFIED,
    sentinel=Sentinel(
        "and even by a part in a million", rhs=(1 + NUDGE) * n**2 / ((n - 1) ** 2 + 1)
    ),
    checks=(
        Pointwise(
            as_given,
            _any_split,
            lambda: [{"n": n, "m": m} for n, m in product(range(2, 40), range(1, 39)) if m < n],
            examples=200,
        ),
    ),
    proof=Proof(theorem=f"{ROCQ}.SpreadGrowth.growth_least", script=_SCRIPT),
)
UNSTABLE = _growth(
    variant="unstable",
    quantifier=Quantifier.POINTWISE,
    title="Every split is unstable: n²/(m²+(n-m)²) > 1",
    variables=(BATCH, BLOCK),
    lhs=growth,
    relation=">",
    rhs=sp.Integer(1),
    sentinel=Sentinel("by a tenth", rhs=sp.Rational(11, 10)),
    expected=Verdict.CERTIFIED,
    checks=LEAST.checks,
    proof=Proof(theorem=f"{ROCQ}.SpreadGrowth.growth_above_one", script=_SCRIPT),
)

# --- finite width ---------------------------------------------------------------------------------

WIDTH, STEP = 1000, 1e-4


def _distances(H: Floats, *, width: int) -> Floats:
    """‖h₁-h₂‖² and ‖h₁-h_n‖², over their sum."""
    found = ((H[..., [0, 0]] - H[..., [1, -1]]) ** 2).sum(-2)
    return np.asarray(found / found.sum(-1)[..., None])


def _finite() -> Iterator[Instance]:
    chain = recenter_relu_chain(WIDTH)
    for size, first in ((3, 2), (5, 2), (5, 3), (5, 4), (10, 5), (10, 9), (30, 29)):
        start = two_block_batch(WIDTH, first, size, seed=size)
        start[:, :first] += STEP * np.random.default_rng(first).standard_normal((WIDTH, first))
        readouts = ({"n": size, "m": first},)
        yield Instance(f"n={size}, m={first}", chain, start, 1, readouts, (0.0, 1.0))


def _growth_share(statement: Statement, trajectory: Trajectory, instance: Instance) -> Floats:
    """r/(1 + r), r the growth in one network."""
    within, across = np.moveaxis(trajectory.values["distances"], -1, 0)
    ratio = within / across
    r = ratio[:, 1] / ratio[:, 0]
    return np.asarray(r / (1 + r))[:, None]


FINITE = _growth(
    variant="finite",
    quantifier=Quantifier.EXPECTATION,
    title="At width 1000 the spread grows by n²/(m²+(n-m)²) on average, as far as can be told",
    variables=(_SIZE, _SPLIT),
    definitions={SHARE: "E[r/(1+r)], r the growth of ‖h₁-h₂‖²/‖h₁-o‖² in one layer"},
    lhs=SHARE,
    relation="==",
    rhs=growth / (1 + growth),
    expected=Verdict.SUPPORTED,
    observables=("distances",),
    sentinel=Sentinel("no growth: 1/2", rhs=sp.Rational(1, 2)),
    checks=(
        from_own_starts(
            _finite,
            _growth_share,
            (Observable("distances", _distances, gram=True),),
            resolution=0.01,
        ),
    ),
    remark="r/(1+r) is bounded, which r is not. Its mean is off g/(1+g) by some 1/d, below what is "
    "resolved.",
)

SPREAD: tuple[Statement, ...] = (MEAN_FIELD, LEAST, UNSTABLE, FINITE)
