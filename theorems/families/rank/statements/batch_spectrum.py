"""The spectrum of a deep batch of √d samples or more: third and fourth moments, and its edge.

Problem. `batch_law` says which rank n samples keep at depth. Is the spectrum that of the
semicircle, below the transition too, and how far is it from it at a finite width?

Method. Setting L_k + N_k/√d of `moment_recursion` to 0 for k = 2, 3 gives, for every a_2 = √d/r,

    a_3 = a_2² + ¼ + a_2/(2√d),    a_4 = a_2 a_3 + a_2/2 + (a_2² + 1/24)/√d,

to order 1/√d: the semicircle's moments of orders 2 and 3 about a_2, with a next term. The semicircle
ends at a_2 + 1, and largest eigenvalues lie below such an end by some d^(-1/3). Networks of
`batch_law` are read.

Guarantee. For n ≥ √d, from orthogonal samples: a_3 is at most the above and at least that less 3/d,
a_4 - a_2 a_3 likewise less 8/d, and λ_max(M)/√d lies between a_2 + 1 - (3/2)d^(-1/3) and
a_2 + 1 - d^(-1/3). The sizes tried are in the titles. For fewer samples 3/d is too little:
3.3/d is measured at n = 4, d = 64.

Reference. Ours; after D20 (arXiv 2003.01652) and DJB21 (arXiv 2106.03970). A conjecture, sampled.

Example:

    >>> [statement.variant for statement in STATEMENTS]
    ['third', 'third_above', 'fourth', 'fourth_above', 'edge', 'edge_above']
"""

from __future__ import annotations

from functools import partial

import sympy as sp

from theorems.families.rank.batch_ranks import BatchRun, batch_medians
from theorems.families.rank.batches import SIZES
from theorems.families.rank.notation import FAMILY, OURS, d, n
from theorems.statement import Assumption, Quantifier, Sentinel, Statement, Verdict

__all__ = ["FIGURES", "STATEMENTS"]

skew, lift, a_2 = sp.symbols("skew lift a_2", nonnegative=True)
short = sp.Symbol("short", real=True)
_AVERAGE = (
    "over 100√d layers of the rescale chain, from full rank, after 30√d; its median over networks"
)
WORDS = {
    skew: f"a_3 - a_2², of the averages of d Tr C³ and √d Tr C² {_AVERAGE}",
    lift: f"a_4 - a_2 a_3, of the averages of d^(3/2) Tr C⁴, d Tr C³ and √d Tr C² {_AVERAGE}",
    a_2: f"average of √d Tr C² = √d/r(H_ℓ) {_AVERAGE}",
    short: f"1 + a_2 less the average of λ_max(M)/√d {_AVERAGE}",
}
RUNS = tuple(BatchRun(*each) for each in ((16, 4), (16, 8), (64, 8), (64, 16)))
TRIED = "n = 4, 8 at d = 16; 8, 16 at d = 64"

_root = sp.sqrt(d)
_third = sp.Rational(1, 4) + a_2 / (2 * _root)
_fourth = a_2 / 2 + (a_2**2 + sp.Rational(1, 24)) / _root


def _many(width: int, size: int) -> bool:
    """Whether there are √d samples or more."""
    return size * size >= width


def _of(*names: sp.Symbol) -> dict[str, object]:
    """What the variants about one quantity share, the first of ``names``."""
    return {
        "definitions": {name: WORDS[name] for name in names},
        "lhs": names[0],
        "checks": (batch_medians(RUNS, [str(name) for name in names], holds=_many),),
    }


_spectrum = partial(
    Statement,
    family=FAMILY,
    theorem="batch_spectrum",
    quantifier=Quantifier.LIMIT,
    source=OURS,
    variables=SIZES,
    assumptions=(Assumption(sp.Ge(n**2, d), "n ≥ √d"),),
    chain="rescale",
    observables=("effective_rank",),
    expected=Verdict.SUPPORTED,
)
_thirds = partial(_spectrum, **_of(skew, a_2))
_fourths = partial(_spectrum, **_of(lift, a_2))
_ends = partial(_spectrum, **_of(short))

STATEMENTS = (
    _thirds(
        variant="third",
        title=f"a_3 - a_2² ≥ ¼ + a_2/(2√d) - 3/d: {TRIED}",
        relation=">=",
        rhs=_third - 3 / d,
        sentinel=Sentinel("⅖ in place of ¼", rhs=sp.Rational(3, 20) + _third - 3 / d),
    ),
    _thirds(
        variant="third_above",
        title=f"a_3 - a_2² ≤ ¼ + a_2/(2√d): {TRIED}",
        relation="<=",
        rhs=_third,
        sentinel=Sentinel("¼ alone", rhs=sp.Rational(1, 4)),
    ),
    _fourths(
        variant="fourth",
        title=f"a_4 - a_2 a_3 ≥ a_2/2 + (a_2² + 1/24)/√d - 8/d: {TRIED}",
        relation=">=",
        rhs=_fourth - 8 / d,
        sentinel=Sentinel("¾a_2 in place of a_2/2", rhs=a_2 / 4 + _fourth - 8 / d),
    ),
    _fourths(
        variant="fourth_above",
        title=f"a_4 - a_2 a_3 ≤ a_2/2 + (a_2² + 1/24)/√d: {TRIED}",
        relation="<=",
        rhs=_fourth,
        sentinel=Sentinel("a_2/2 alone", rhs=a_2 / 2),
    ),
    _ends(
        variant="edge",
        title=f"λ_max/√d ≥ 1 + a_2 - (3/2) d^(-1/3): {TRIED}",
        relation="<=",
        rhs=sp.Rational(3, 2) / sp.cbrt(d),
        sentinel=Sentinel("d^(-1/3)", rhs=1 / sp.cbrt(d)),
    ),
    _ends(
        variant="edge_above",
        title=f"λ_max/√d ≤ 1 + a_2 - d^(-1/3): {TRIED}",
        relation=">=",
        rhs=1 / sp.cbrt(d),
        sentinel=Sentinel("(3/2) d^(-1/3)", rhs=sp.Rational(3, 2) / sp.cbrt(d)),
    ),
)
FIGURES = ()
