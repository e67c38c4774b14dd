"""With mean subtraction the batch law has n - 1 for n.

Problem. Full batch normalisation, linear, subtracts the mean of every row before it rescales. What
does that do to `batch_law`?

Method. The recentred samples lie in the n - 1 dimensions orthogonal to 1, and Gaussian weights see
them there as they would n - 1 samples: the chain is the rescale chain in one dimension less.
Sampled, from orthogonal samples.

Guarantee. r̄ is within 2/d of the law with its next order for m = min(n - 1, 2√d), relatively. The
sizes tried are in the title.

Reference. Ours, after DJB21 (arXiv 2106.03970).

Example:

    >>> [statement.variant for statement in STATEMENTS]
    ['upper', 'lower']
"""

from __future__ import annotations

from functools import partial

import sympy as sp

from simulators import Chain, batchnorm_chain
from theorems.families.rank.batch_ranks import BatchRun, batch_medians
from theorems.families.rank.batches import corrected
from theorems.families.rank.notation import FAMILY, OURS, WIDTH, d, n
from theorems.statement import Quantifier, Sentinel, Statement, Variable, Verdict

__all__ = ["FIGURES", "STATEMENTS"]

r_bar = sp.Symbol("r_bar", nonnegative=True)


def linear(width: int) -> Chain:
    """Batch normalisation without activation.

    Example:
        >>> linear(8).linear
        True
    """
    return batchnorm_chain(width, "identity")


SIZES = ((16, 3), (16, 9), (64, 5), (64, 9))
RUNS = tuple(BatchRun(d, n, chain=linear, label="mean subtracted") for d, n in SIZES)
TRIED = "n = 3, 9 at d = 16; 5, 9 at d = 64"


def _of(less: int) -> sp.Expr:
    """The law with its next order for ``less`` samples less than there are."""
    return corrected(sp.Min(n - less, 2 * sp.sqrt(d)))


_recentred = partial(
    Statement,
    family=FAMILY,
    theorem="batch_law_recentred",
    quantifier=Quantifier.LIMIT,
    source=OURS,
    variables=(WIDTH, Variable(n, sp.Range(3, sp.oo), "batch size, at least 3")),
    chain="batchnorm",
    observables=("effective_rank",),
    definitions={
        r_bar: "1 over the average of 1/r(H_ℓ) over 100√d layers of linear batch normalisation, "
        "from full rank, after 30√d; its median over networks"
    },
    lhs=r_bar,
    expected=Verdict.SUPPORTED,
    checks=(batch_medians(RUNS, ("r_bar",), holds=lambda width, size: size >= 3),),
)

STATEMENTS = (
    _recentred(
        variant="upper",
        title=f"r̄ ≤ (1 + 2/d) × the law of n - 1 samples: {TRIED}",
        relation="<=",
        rhs=(1 + 2 / d) * _of(1),
        sentinel=Sentinel("of n - 2 samples", rhs=(1 + 2 / d) * _of(2)),
    ),
    _recentred(
        variant="lower",
        title=f"r̄ ≥ (1 - 2/d) × the law of n - 1 samples: {TRIED}",
        relation=">=",
        rhs=(1 - 2 / d) * _of(1),
        sentinel=Sentinel("of n samples", rhs=(1 - 2 / d) * _of(0)),
    ),
)
FIGURES = ()
