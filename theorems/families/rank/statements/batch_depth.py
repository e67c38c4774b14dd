"""From orthogonal samples a rescaled network comes to its stationary rank within some √d layers.

Problem. `batch_law` is about great depth. How deep is that?

Method. To leading order layers act on the spectrum in units of √d. Near stationarity it relaxes at
the rate κ/√d a layer, κ = μ(4 - c²)/(2c) with μ between 2 (c → 0) and 1 (c → 2) the zero of the
hypergeometric F(-μ, 1; 2-μ; c²/4): 4/n a layer for few samples, as 1/r - 1/n falls by (n/(n+2))²,
and slower and slower towards n = 2√d. Beyond it samples too many die out, and finite width alone
ends that. Sampled: the median of r after 6√d layers.

Guarantee. r(H_ℓ) is at most a tenth above the law with its next order at ℓ = 6√d, for the sizes
tried, 6 √d samples among them; at ℓ = √d/2 it is more than that above it for n ≥ 3√d.

Reference. Ours. The rate is derived by linearising the limit of `moment_recursion`, and no more.

Example:

    >>> [statement.name for statement in STATEMENTS]
    ['rank.batch_depth']
"""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import sympy as sp

from simulators import rescale_chain, simulate
from theorems.checking.lost_samples import rounding_of
from theorems.checking.medians import Case, Floats, Medians, Sample
from theorems.context import Context
from theorems.families.rank.batches import CORRECTED, SIZES
from theorems.families.rank.notation import FAMILY, OURS
from theorems.statement import Quantifier, Sentinel, Statement, Verdict

__all__ = ["FIGURES", "STATEMENTS"]

r_deep, r_early = sp.symbols("r_deep r_early", nonnegative=True)
#: Widths, batch sizes and networks.
SIZES_TRIED = (
    (64, 4, 96),
    (64, 8, 96),
    (64, 16, 200),
    (64, 48, 200),
    (256, 32, 64),
    (256, 48, 64),
)
TRIED = "n = 4, 8, 16, 48 at d = 64; n = 32, 48 at d = 256"


def _ranks(width: int, size: int, replicas: int, context: Context) -> Sample:
    """r after √d/2 and after 6√d layers."""
    early = math.isqrt(width) // 2
    run = simulate(
        rescale_chain(width),
        np.eye(width, size),
        depth=12 * early,
        every=early,
        replicas=replicas,
        dtype="float32",
        observables=("effective_rank",),
        seed=context.stream("depth", width, size),
    )
    ranks = np.asarray(run["effective_rank"], dtype=np.float64)
    ranks[run.spoiled] = np.nan
    notes: dict[str, object] = {"networks": replicas, "layers": [early, 12 * early]}
    values = {"r_deep": [ranks[:, 12]], "r_early": [ranks[:, 1]]}
    return Sample(values, rounding=rounding_of(run), notes=notes)


def _cases(batch: Floats | None) -> list[Case]:
    tried = SIZES_TRIED if batch is None else ()
    return [
        Case(
            f"d={width}, n={size}, from orthogonal samples",
            {"d": width, "n": size},
            partial(_ranks, width, size, replicas),
            2,
        )
        for width, size, replicas in tried
    ]


STATEMENTS = (
    Statement(
        family=FAMILY,
        theorem="batch_depth",
        title=f"After 6√d layers r is at most 11/10 of its stationary value: {TRIED}",
        quantifier=Quantifier.LIMIT,
        source=OURS,
        variables=SIZES,
        chain="rescale",
        observables=("effective_rank",),
        definitions={
            r_deep: "median over networks of r(H_ℓ) after ℓ = 6√d layers from orthogonal samples",
            r_early: "the same after √d/2 layers",
        },
        lhs=r_deep,
        relation="<=",
        rhs=sp.Rational(11, 10) * CORRECTED,
        sentinel=Sentinel("after √d/2 layers", lhs=r_early),
        expected=Verdict.SUPPORTED,
        checks=(Medians(_cases, wants="the claim is made of orthogonal samples"),),
    ),
)
FIGURES = ()
