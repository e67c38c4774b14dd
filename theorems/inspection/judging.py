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
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulators.observables import effective_rank, gram, orthogonality_gap, smallest_eigenvalue_gap, soft_rank

__all__ = ["SOFT", "Condition", "Measures", "fixed_cosine", "fixed_rank", "measure"]

SOFT = 0.5
"""τ of the soft rank."""

Floats = NDArray[np.float64]


class Condition(StrEnum):
    HEALTHY = "healthy"
    COLLAPSING = "collapsing"
    CLUSTERING = "clustering"


@dataclass(frozen=True)
class Measures:
    """Of one representation, n samples of dimension d: gaps, ranks, |cos| and energy shares, and what they say.

    ``outlier`` is the sample with the largest share of the recentred energy, ``outlier_share`` that share;
    ``largest_cluster`` the number of samples in the largest group, n if all are aligned, 1 if there are no groups.
    """

    width: int
    gap: float
    smallest_gap: float
    effective_rank: float
    soft_rank: int
    mean_cosine: float
    outlier: int
    outlier_share: float
    largest_cluster: int
    condition: Condition

    def as_json(self) -> dict[str, Any]:
        return {**self.__dict__, "condition": self.condition.value}


def fixed_cosine(n: int) -> float:
    """κ(−1/(n−1)), the cosine at the symmetric fixed point of recentring and ReLU; n ≥ 2."""
    rho = -1 / (n - 1)
    return (math.sqrt(1 - rho * rho) + (math.pi - math.acos(rho)) * rho) / math.pi


def fixed_rank(n: int, width: float = math.inf) -> float:
    """The effective rank r* of a layer of this width there."""
    return 1 / ((1 + (n - 1) * fixed_cosine(n) ** 2) / n + 1 / width)


def measure(H: Floats) -> Measures:
    """Measure (d, n) features, finite, n ≥ 3. All-zero ones count as collapsing, of rank zero. Cost: O(d n²)."""
    d, n = H.shape
    if not H.any():
        return Measures(d, math.nan, math.nan, 0.0, 0, math.nan, 0, math.nan, n, Condition.COLLAPSING)
    G = gram(H)
    norms = np.sqrt(np.diag(G))
    norms[norms == 0] = np.inf  # a sample that is zero is at right angles to all
    cosines = np.abs(G / np.outer(norms, norms))
    np.fill_diagonal(cosines, 0)
    alignment = cosines.sum(axis=1) / (n - 1)
    rank = float(effective_rank(H))
    aligned = math.cos(math.acos(fixed_cosine(n)) / 2)
    K = G - G.mean(axis=0) - G.mean(axis=1)[:, None] + G.mean()
    shares = np.diag(K) / max(np.trace(K), np.finfo(float).tiny)
    outlier = int(np.argmax(shares))
    cluster, condition = 1, Condition.HEALTHY
    if rank < math.sqrt(fixed_rank(n, d)):
        condition = Condition.COLLAPSING
    if condition is Condition.COLLAPSING and alignment.min() > aligned:
        cluster = n
    elif n >= 7 and shares[outlier] > 0.5 and alignment[outlier] < aligned:
        cluster, condition = n - 1, Condition.CLUSTERING
    elif n > 3 and (groups := _two_groups(K, cosines, aligned)) is not None:
        cluster, condition = max(len(group) for group in groups), Condition.CLUSTERING
    return Measures(
        width=d, gap=float(orthogonality_gap(H)), smallest_gap=float(smallest_eigenvalue_gap(H)), effective_rank=rank,
        soft_rank=int(soft_rank(H, SOFT)), mean_cosine=float(alignment.mean()), outlier=outlier,
        outlier_share=float(shares[outlier]), largest_cluster=cluster, condition=condition)


def _two_groups(K: Floats, cosines: Floats, aligned: float) -> tuple[list[int], list[int]] | None:
    """The groups that the leading direction of the recentred samples cuts them into, if they are two clusters."""
    values, vectors = np.linalg.eigh(K)
    if values[-1] <= 0.5 * values.sum():
        return None
    above = vectors[:, -1] > 0
    groups = [int(i) for i in np.flatnonzero(above)], [int(i) for i in np.flatnonzero(~above)]
    if min(len(group) for group in groups) < 2:
        return None
    inside = [cosines[np.ix_(group, group)].sum() / (len(group) * (len(group) - 1)) for group in groups]
    across = cosines[np.ix_(*groups)].mean()
    return groups if min(inside) > aligned > across else None
