"""How far apart the blocks' norms are after one layer: the smaller block is pushed further out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import sympy as sp

from simulators import Chain, Trajectory
from simulators.layers import Activation, Linear, Normalize, Recenter
from simulators.observables import Observable
from theorems.checking.expectation import Floats, Instance
from theorems.checking.pointwise import Pointwise
from theorems.families.cluster import inputs
from theorems.families.cluster.notation import (
    BATCH,
    BLOCK,
    FAMILY,
    FIRST,
    INPUT,
    OTHER,
    OURS,
    ROCQ,
    FromOwnStarts,
    W,
    Z,
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

__all__ = ["STATEMENTS", "two_block_batch"]

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
    checks=(Pointwise(lambda item: item, inputs.law_inputs, inputs.law_corners, examples=100),),
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

S = sp.Symbol("E_S", nonnegative=True)
WIDTH = 32


def two_block_batch(d: int, first: int, size: int, seed: int) -> Floats:
    """(d, size) batch of two Gaussian directions: ``first`` columns equal to one, the others to the
    other.
    """
    c, o = np.random.default_rng(seed).standard_normal((2, d))
    return np.stack([c] * first + [o] * (size - first), axis=1)


def _share(H: Any, *, width: int) -> Any:
    """Squared norms of the first and the last sample, over the first's and the last's sum."""
    squares = (H * H).sum(-2)[..., [0, -1]]
    return squares / squares.sum(-1)[..., None]


_NORMS = Observable("ends", _share, gram=True)


def _splits(law: str) -> Any:
    def instances(statement: Statement, batch: Floats | None) -> Iterator[Instance]:
        if batch is not None:
            return  # the claim is about other starts
        chain = Chain((Linear(WIDTH, law), Recenter(), Activation("relu"), Normalize()))
        for size, first in ((2, 1), (3, 2), (5, 4), (5, 2), (5, 1), (10, 9), (30, 29)):
            start = two_block_batch(WIDTH, first, size, seed=size)
            yield Instance(
                f"n={size}, m={first}", chain, start, 1, ({"n": size, "m": first},), (0.0, 1.0)
            )

    return instances


def _outer_share(statement: Statement, trajectory: Trajectory, instance: Instance) -> Floats:
    """(n-m)²‖o′‖² over (n-m)²‖o′‖² + m²‖c′‖²: free of the layer's scale, and in [0, 1]."""
    values: Mapping[str, float] = instance.readouts[0]
    ends = trajectory.values["ends"][:, 1] * np.array(
        [values["m"] ** 2, (values["n"] - values["m"]) ** 2]
    )
    found: Floats = ends[:, 1:] / ends.sum(axis=1, keepdims=True)
    return found


_LAWS = {"asymmetric": "uniform_positive"}


def _sampled(law: str, words: str, **parts: Any) -> Statement:
    return Statement(
        family=FAMILY,
        theorem="norm_ratio",
        variant=law,
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
        checks=(
            FromOwnStarts(_splits(_LAWS.get(law, law)), _outer_share, (_NORMS,), resolution=0.02),
        ),
        **parts,
    )


_EXCHANGE = "Changing the sign of W exchanges m‖c′‖ and (n-m)‖o′‖, so their law is symmetric at every width."
STATEMENTS: tuple[Statement, ...] = (
    NORM_RATIO,
    _sampled("gaussian", "Gaussian", expected=Verdict.SUPPORTED, remark=_EXCHANGE),
    _sampled("uniform", "Uniform", expected=Verdict.SUPPORTED, remark=_EXCHANGE),
    _sampled("rademacher", "Sign", expected=Verdict.SUPPORTED, remark=_EXCHANGE),
    _sampled(
        "asymmetric",
        "Positive",
        expected=Verdict.REFUTED,
        remark="Weights uniform on [0, 2√3]: without a symmetric law the ratio depends on c and o.",
    ),
)
