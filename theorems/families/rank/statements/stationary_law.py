"""With as many samples as rows a deep rescaled network keeps the rank √d, and a semicircle of it.

Problem. D20's own setting, n = d: its bound is Ω(√d). What are rank, spectrum and largest
eigenvalue of the stationary chain?

Method. `batch_law` beyond its transition: by size, the eigenvalues of M/√d have the law of a
semicircle of radius 1 about 1, some 2√d of them. Its second moment is ¼, its right edge 2. The next
order is ¼ + a_2/(2√d) for γ = ∞. A real Wishart matrix of 2√d rows and columns has this law by
size, and the largest eigenvalue of one lies 1.2065·2^(-1/3) d^(-1/3) below that edge, on average.
Sampled from orthogonal rows.

Guarantee. (1 - 5/(4√d))√d ≤ r̄ ≤ √d, for three sizes of branch, Gaussian weights and signs; a_3 -
a_2² between ¼ + a_2/(2√d) - 2/d and ¼ + a_2/(2√d), and λ_max/√d between
2 - 0.9576 d^(-1/3) and that plus 1/√d, for γ = ∞ and 1; the soft rank of threshold ½ over √d, which
tends to 2, between s and (1 - 5/(4√d))s, s = 2 - (2/π)(arccos(1-x) + √(x(2-x))) the share of that law
above x = 1/(2√d). The sizes tried are in the title.

Reference. Ours; after D20 (arXiv 2003.01652), Theorem 2. A conjecture, sampled.

Example:

    >>> float(STATEMENTS[0].bound(d=100))
    8.75
"""

from __future__ import annotations

import math
from functools import partial

import sympy as sp

from simulators import Chain, residual_chain
from theorems.families.rank.batch_ranks import BatchRun, batch_medians
from theorems.families.rank.batches import SIZES
from theorems.families.rank.notation import FAMILY, OURS, d, n
from theorems.statement import Assumption, Quantifier, Sentinel, Statement, Verdict

__all__ = ["FIGURES", "STATEMENTS"]

r_bar, skew, a_2, top, half = sp.symbols("r_bar skew a_2 top half", nonnegative=True)
_AVERAGE = "over 60√d layers, after 30√d, from orthogonal rows; its median over networks"
WORDS = {
    r_bar: f"1 over the average of 1/r(H_ℓ) {_AVERAGE}",
    skew: f"a_3 - a_2², of the averages of d Tr C³ and √d Tr C² {_AVERAGE}",
    a_2: f"average of √d Tr C² = √d/r(H_ℓ) {_AVERAGE}",
    top: f"average of λ_max(M)/√d {_AVERAGE}",
    half: f"average of the number of eigenvalues of M above ½, over √d, {_AVERAGE}",
}


def _chain(gamma: float, law: str, width: int) -> Chain:
    return residual_chain(width, gamma, law)


def _run(width: int, gamma: float, law: str = "gaussian", replicas: int = 40) -> BatchRun:
    branch = "∞" if gamma == math.inf else f"{gamma:g}"
    label = f"γ={branch}" + ("" if law == "gaussian" else f", {law}")
    return BatchRun(width, width, replicas, partial(_chain, gamma, law), label, 60)


# as many as tell the third moment at the level of a statement of the whole library
NORMAL = (
    _run(16, math.inf, replicas=64),
    _run(16, 1.0, replicas=64),
    _run(36, math.inf, replicas=96),
)
OTHERS = (_run(36, 0.1), _run(36, math.inf, "rademacher"), _run(36, 1.0, "rademacher"))


def _square(width: int, size: int) -> bool:
    """Whether there are as many samples as rows."""
    return width == size


_root = sp.sqrt(d)
_edge = 2 - sp.Rational(9576, 10000) / sp.cbrt(d)
_skew = sp.Rational(1, 4) + a_2 / (2 * _root)
#: How many eigenvalues of M the law has above ½, over √d: ∫ (2/π)√((2-t)/t) dt from x on.
_x = 1 / (2 * _root)
_above = 2 - 2 / sp.pi * (sp.acos(1 - _x) + sp.sqrt(_x * (2 - _x)))

_stationary = partial(
    Statement,
    family=FAMILY,
    theorem="stationary_law",
    quantifier=Quantifier.LIMIT,
    source=OURS,
    variables=SIZES,
    assumptions=(Assumption(sp.Eq(n, d), "n = d"),),
    chain="residual",
    observables=("effective_rank",),
    expected=Verdict.SUPPORTED,
)
_ranks = (batch_medians((*NORMAL, *OTHERS), ("r_bar",), holds=_square),)
_thirds = (batch_medians(NORMAL, ("skew", "a_2"), holds=_square),)
_tops = (batch_medians(NORMAL, ("top",), holds=_square),)
_halves = (batch_medians(NORMAL, ("half",), holds=_square),)
TRIED = "d = 16 (γ = ∞, 1), 36 (γ = ∞, 1/10; signs: γ = ∞, 1)"
TRIED_NORMAL = "d = 16 (γ = ∞, 1), 36 (γ = ∞)"

STATEMENTS = (
    _stationary(
        variant="rank",
        title=f"r̄ ≥ (1 - 5/(4√d))√d: {TRIED}",
        definitions={r_bar: WORDS[r_bar]},
        lhs=r_bar,
        relation=">=",
        rhs=(1 - 5 / (4 * _root)) * _root,
        sentinel=Sentinel("√d", rhs=_root),
        checks=_ranks,
    ),
    _stationary(
        variant="rank_above",
        title=f"r̄ ≤ √d: {TRIED}",
        definitions={r_bar: WORDS[r_bar]},
        lhs=r_bar,
        relation="<=",
        rhs=_root,
        sentinel=Sentinel("⅘√d", rhs=sp.Rational(4, 5) * _root),
        checks=_ranks,
        remark="√d - r̄ tends to 13/12 for Gaussian weights and γ = ∞ (`batch_law`), about as much "
        "for γ = 1, and is less for small γ and for signs.",
    ),
    _stationary(
        variant="third",
        title=f"a_3 - a_2² ≥ ¼ + a_2/(2√d) - 2/d: {TRIED_NORMAL}",
        definitions={skew: WORDS[skew], a_2: WORDS[a_2]},
        lhs=skew,
        relation=">=",
        rhs=_skew - 2 / d,
        sentinel=Sentinel("⅖ in place of ¼", rhs=sp.Rational(3, 20) + _skew - 2 / d),
        checks=_thirds,
    ),
    _stationary(
        variant="third_above",
        title=f"a_3 - a_2² ≤ ¼ + a_2/(2√d): {TRIED_NORMAL}",
        definitions={skew: WORDS[skew], a_2: WORDS[a_2]},
        lhs=skew,
        relation="<=",
        rhs=_skew,
        sentinel=Sentinel("¼ alone", rhs=sp.Rational(1, 4)),
        checks=_thirds,
    ),
    _stationary(
        variant="edge",
        title=f"λ_max/√d ≥ 2 - 0.9576 d^(-1/3): {TRIED_NORMAL}",
        definitions={top: WORDS[top]},
        lhs=top,
        relation=">=",
        rhs=_edge,
        sentinel=Sentinel("2 - ½ d^(-1/3)", rhs=2 - 1 / (2 * sp.cbrt(d))),
        checks=_tops,
        remark="1.2065 is minus the mean of the Tracy–Widom law of real symmetric matrices.",
    ),
    _stationary(
        variant="edge_above",
        title=f"λ_max/√d ≤ 2 - 0.9576 d^(-1/3) + 1/√d: {TRIED_NORMAL}",
        definitions={top: WORDS[top]},
        lhs=top,
        relation="<=",
        rhs=_edge + 1 / _root,
        sentinel=Sentinel("without 1/√d", rhs=_edge),
        checks=_tops,
    ),
    _stationary(
        variant="soft_rank",
        title=f"Soft rank of threshold ½ ≥ (1 - 5/(4√d)) × that of the law, 2√d: {TRIED_NORMAL}",
        definitions={half: WORDS[half]},
        lhs=half,
        relation=">=",
        rhs=(1 - 5 / (4 * _root)) * _above,
        sentinel=Sentinel("without 1 - 5/(4√d)", rhs=_above),
        checks=_halves,
    ),
    _stationary(
        variant="soft_rank_above",
        title=f"Soft rank of threshold ½ ≤ that of the law, which tends to 2√d: {TRIED_NORMAL}",
        definitions={half: WORDS[half]},
        lhs=half,
        relation="<=",
        rhs=_above,
        sentinel=Sentinel("⅘ of it", rhs=sp.Rational(4, 5) * _above),
        checks=_halves,
        remark="Slowly: the law itself has 1.78√d above ½ at d = 1024.",
    ),
)
FIGURES = ()
