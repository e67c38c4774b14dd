"""What is measured of a representation, and what it says: healthy, collapsing or clustering.

The yardsticks are the theory's fixed points. At the symmetric one of recentring and ReLU, the least spread of the
healthy ones, norms are equal and every cosine is κ = κ(−1/(n−1)), so that 1/r = (1 + (n−1)κ²)/n. A layer of width d
scatters the Gram matrix about its mean, which adds to ‖C‖² = 1/r some 1/d (Lemma 6 of DJB21, there the most that it
can be): r* = 1/((1 + (n−1)κ²)/n + 1/d).

- *collapsing*: r below √r*, nearer on a logarithmic scale to rank one than to r*
- aligned: a mean |cos| with the others above cos(½ arccos κ), nearer in angle to a common line than to the fixed point
- *clustering*, a lone outlier: one sample that is not aligned has more than half of the energy left by recentring.
  With y = −K_co/K_cc (one-dimensional reduction) that is y > 1, which lies between the separatrix (y ≤ 0.36) and the
  attracting fixed point (y ≥ 2.4) for every n ≥ 7; in smaller batches no outlier lasts
- *clustering*, two groups: the signs of the leading direction of the recentred samples cut them into two groups,
  each of which is aligned in itself and not with the other; that direction has more than half of the energy

By how much a layer is past its yardstick is its *strength*, from 0 to 1. Narrow layers pass yardsticks by chance;
`fluctuation` says how often.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulators.observables import gram, orthogonality_gap, smallest_eigenvalue_gap, soft_rank

__all__ = [
    "LEAST_FOR_OUTLIER",
    "SOFT",
    "Condition",
    "Measures",
    "fixed_cosine",
    "fixed_rank",
    "fixed_recentred_rank",
    "measure",
    "strength",
]

SOFT = 0.5
"""τ of the soft rank."""
LEAST_FOR_OUTLIER = 7
"""The smallest batch in which a lone outlier lasts."""

Floats = NDArray[np.float64]


class Condition(StrEnum):
    HEALTHY = "healthy"
    COLLAPSING = "collapsing"
    CLUSTERING = "clustering"


@dataclass(frozen=True)
class Measures:
    """Of one representation, n samples of dimension d: gaps, ranks, |cos| and energy shares, and what they say.

    ``mean_share`` is the part of ‖H‖² in the mean that the samples share, ``recentred_rank`` the effective rank of
    what recentring leaves, at most n − 1. ``outlier`` is the sample with the largest share of the recentred energy,
    ``outlier_share`` that share; ``largest_cluster`` the number of samples in the largest group, n if all are aligned,
    1 if there are no groups. ``reason`` is the quantity that decided, beside its yardstick, empty for a healthy one.
    """

    width: int
    gap: float
    smallest_gap: float
    effective_rank: float
    soft_rank: float
    mean_cosine: float
    mean_share: float
    recentred_rank: float
    outlier: int
    outlier_share: float
    largest_cluster: int
    strength: float
    reason: str
    condition: Condition

    @property
    def dead(self) -> bool:
        """Whether all features are zero, so that no rank, gap or cosine has a value."""
        return math.isnan(self.effective_rank)

    def as_json(self) -> dict[str, Any]:
        return {**self.__dict__, "condition": self.condition.value}


def fixed_cosine(n: int) -> float:
    """κ(−1/(n−1)), the cosine at the symmetric fixed point of recentring and ReLU; n ≥ 2."""
    rho = -1 / (n - 1)
    return (math.sqrt(1 - rho * rho) + (math.pi - math.acos(rho)) * rho) / math.pi


def fixed_rank(n: int, width: float = math.inf) -> float:
    """The effective rank r* of a layer of this width there."""
    return 1 / ((1 + (n - 1) * fixed_cosine(n) ** 2) / n + 1 / width)


def fixed_recentred_rank(n: int, width: float = math.inf) -> float:
    """The same after recentring, which leaves n − 1 equal directions."""
    return 1 / (1 / (n - 1) + 1 / width)


def measure(H: Floats) -> Measures:
    """Measure (d, n) features, finite, n ≥ 3. All-zero ones are dead: collapsed, without ranks. Cost: O(d n²)."""
    d, n = H.shape
    if not H.any():
        return Measures(
            d,
            math.nan,
            math.nan,
            math.nan,
            math.nan,
            math.nan,
            math.nan,
            math.nan,
            0,
            math.nan,
            n,
            1.0,
            "all features are zero",
            Condition.COLLAPSING,
        )
    seen = _look(gram(H), d)
    energy = float(np.trace(seen.K))
    cluster, condition, reason = 1, Condition.HEALTHY, ""
    if seen.collapse > 0:
        condition = Condition.COLLAPSING
        reason = f"effective rank {seen.rank:.3g}, below √r* = {math.sqrt(fixed_rank(n, d)):.3g}"
        cluster = n if seen.alignment.min() > seen.aligned else 1
    if cluster < n and seen.lone > 0:
        cluster, condition = n - 1, Condition.CLUSTERING
        reason = f"sample {seen.outlier} alone has {seen.shares[seen.outlier]:.0%} of the recentred energy, above 50%"
    elif cluster < n and seen.groups:
        cluster, condition = max(seen.groups), Condition.CLUSTERING
        reason = (
            f"one direction has {seen.leading:.0%} of the recentred energy, above 50%, and parts the samples "
            f"into {seen.groups[0]} and {seen.groups[1]}"
        )
    return Measures(
        width=d,
        gap=float(orthogonality_gap(H)),
        smallest_gap=float(smallest_eigenvalue_gap(H)),
        effective_rank=seen.rank,
        soft_rank=int(soft_rank(H, SOFT)),
        mean_cosine=float(seen.alignment.mean()),
        mean_share=1 - energy,
        recentred_rank=energy**2 / float(np.square(seen.K).sum()) if energy > 0 else 0.0,
        outlier=seen.outlier,
        outlier_share=float(seen.shares[seen.outlier]),
        largest_cluster=cluster,
        strength=seen.strength,
        reason=reason,
        condition=condition,
    )


def strength(G: Floats, width: int) -> float:
    """The strength of a representation with this (n, n) Gram matrix of trace 1, as `measure` gives it."""
    return _look(G, width).strength


@dataclass(frozen=True)
class _Look:
    """What the yardsticks are held to, and by how much each is passed, from 0 to 1."""

    rank: float
    alignment: Floats
    aligned: float
    K: Floats
    shares: Floats
    outlier: int
    leading: float
    groups: tuple[int, ...]
    collapse: float
    lone: float

    @property
    def strength(self) -> float:
        return max(self.collapse, self.lone, 2 * self.leading - 1 if self.groups else 0.0)


def _look(G: Floats, d: int) -> _Look:
    n = len(G)
    norms = np.sqrt(np.diag(G))
    norms[norms == 0] = np.inf  # a sample that is zero is at right angles to all
    cosines = np.abs(G / np.outer(norms, norms))
    np.fill_diagonal(cosines, 0)
    alignment = cosines.sum(axis=1) / (n - 1)
    rank = 1 / float(np.square(G).sum())
    aligned = math.cos(math.acos(fixed_cosine(n)) / 2)
    K = G - G.mean(axis=0) - G.mean(axis=1)[:, None] + G.mean()
    shares = np.diag(K) / max(np.trace(K), np.finfo(float).tiny)
    outlier = int(np.argmax(shares))
    apart = n >= LEAST_FOR_OUTLIER and alignment[outlier] < aligned
    leading, groups = _two_groups(K, cosines, aligned) if n > 3 else (0.0, ())
    return _Look(
        rank,
        alignment,
        aligned,
        K,
        shares,
        outlier,
        leading,
        groups,
        collapse=min(1.0, max(0.0, 1 - math.log(rank) / math.log(math.sqrt(fixed_rank(n, d))))),
        lone=min(1.0, max(0.0, 2 * float(shares[outlier]) - 1)) if apart else 0.0,
    )


def _two_groups(K: Floats, cosines: Floats, aligned: float) -> tuple[float, tuple[int, ...]]:
    """The leading direction's share of the recentred energy, and the sizes of the groups it cuts the samples into.

    No sizes where they are no two clusters; no share where it cannot be half.
    """
    energy = float(np.trace(K))
    if (
        np.square(K).sum() <= energy**2 / 4
    ):  # an eigenvalue above half of the energy alone would give more
        return 0.0, ()
    values, vectors = np.linalg.eigh(K)
    leading = float(values[-1]) / energy
    above = vectors[:, -1] > 0
    groups = [int(i) for i in np.flatnonzero(above)], [int(i) for i in np.flatnonzero(~above)]
    if leading <= 0.5 or min(len(group) for group in groups) < 2:
        return leading, ()
    inside = [
        cosines[np.ix_(group, group)].sum() / (len(group) * (len(group) - 1)) for group in groups
    ]
    across = cosines[np.ix_(*groups)].mean()
    return leading, tuple(len(group) for group in groups) if min(inside) > aligned > across else ()
