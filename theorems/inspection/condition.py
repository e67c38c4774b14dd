"""What is measured of a representation, and what it says: healthy, collapsing or clustering.

The yardsticks are the theory's fixed points. At the symmetric one of recentring and ReLU, the least
spread of the healthy ones, norms are equal and every cosine is κ = κ(−1/(n−1)), so that
1/r = (1 + (n−1)κ²)/n. A layer of width d scatters the Gram matrix about its mean, which adds to
‖C‖² = 1/r some 1/d (Lemma 6 of DJB21, there the most that it can be), so that
r* = 1/((1 + (n−1)κ²)/n + 1/d).

- *collapsing*: r below √r*, nearer on a logarithmic scale to rank one than to r*
- aligned: a mean |cos| with the others above cos(½ arccos κ), nearer in angle to a common line than
  to the fixed point
- *clustering*, a lone outlier: one sample that is not aligned has more than half of the energy left
  by recentring. With y = −K_co/K_cc (one-dimensional reduction) that is y > 1, which lies between
  the separatrix (y ≤ 0.36) and the attracting fixed point (y ≥ 2.4) for every n ≥ 7; in smaller
  batches no outlier lasts
- *clustering*, two groups: the signs of the leading direction of the recentred samples cut them
  into two groups, each of which is aligned in itself and not with the other; that direction has
  more than half of the energy

By how much a layer is past its yardstick is its *strength*, from 0 to 1. Narrow layers pass
yardsticks by chance: a healthy network, weights → batchnorm → ReLU, of width 8 does now and then,
one of width 500 hardly ever. So `chance` compares the evidence against a network, the sum of its
strengths over the unhealthy layers at its end, with that of healthy networks of the same widths
and number of samples, each of which has forgotten an orthogonal start. If it is such a network
itself, the evidence is exchangeable with theirs, and is the largest of all with probability at most
1/(`REPLICAS` + 1), whatever the yardsticks: a Monte Carlo test (Barnard 1963).

Not all that is past a yardstick hinders learning. `harmless` says what does not: where recentring
leaves the rank, nearly, and a share of the energy not much below the batch's, a bias takes away the
rest; and over fewer than `DEEP` layers any loss that leaves `LEARNABLE` of the energy in further
directions, from where gradient descent was measured to learn (`bench/shares_learned.py`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from simulators.observables import gram, orthogonality_gap, smallest_eigenvalue_gap, soft_rank

__all__ = [
    "DEEP",
    "FLOOR",
    "KEPT",
    "LEARNABLE",
    "LEAST_FOR_OUTLIER",
    "REPLICAS",
    "SOFT",
    "SPREAD",
    "Chance",
    "Condition",
    "Measures",
    "chance",
    "collinear",
    "driven_by_mean",
    "evidence",
    "final_run",
    "fixed_cosine",
    "fixed_rank",
    "fixed_recentred_rank",
    "further_share",
    "harmless",
    "judge",
    "measure",
    "strength",
    "strengths_of_healthy",
]

SOFT = 0.5
"""τ of the soft rank."""
LEAST_FOR_OUTLIER = 7
"""The smallest batch in which a lone outlier lasts."""
KEPT = 0.05
"""Of the batch's share of energy, below which what differs between samples is lost beside their
mean."""
FLOOR = 1e-3
"""The same share, whatever the batch had."""
SPREAD = 0.6
"""A share of the fixed point's rank, below which what differs has lost its own."""
LEARNABLE = 1e-5
"""A share of the energy in further directions, below which gradient descent fails to learn."""
DEEP = 10
"""Layers past a yardstick, from which on a loss of rank is a matter of depth."""

Floats = NDArray[np.float64]


class Condition(StrEnum):
    HEALTHY = "healthy"
    COLLAPSING = "collapsing"
    CLUSTERING = "clustering"


@dataclass(frozen=True)
class Measures:
    """Of one representation, n samples of dimension d: gaps, ranks, |cos| and energy shares, and
    what they say.

    ``mean_share`` is the part of ‖H‖² in the mean that the samples share, ``recentred_rank`` the
    effective rank of what recentring leaves, at most n − 1. ``outlier`` is the sample with the
    largest share of the recentred energy, ``outlier_share`` that share; ``largest_cluster`` the
    number of samples in the largest group, n if all are aligned, 1 if there are no groups.
    ``reason`` is the quantity that decided, beside its yardstick, empty for a healthy one.
    ``log_norm`` is log‖H‖_F, −∞ of zero.
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
    log_norm: float

    @property
    def dead(self) -> bool:
        """Whether all features are zero, so that no rank, gap or cosine has a value."""
        return math.isnan(self.effective_rank)

    @property
    def word(self) -> str:
        """``condition``, but ``"dead"`` of features that are all zero.

        >>> measure(np.zeros((8, 8))).word, measure(np.ones((8, 8))).word
        ('dead', 'collapsing')
        """
        return "dead" if self.dead else self.condition.value


def fixed_cosine(n: int) -> float:
    """κ(−1/(n−1)), the cosine at the symmetric fixed point of recentring and ReLU; n ≥ 2.

    >>> round(fixed_cosine(10), 4), round(fixed_cosine(2), 4)
    (0.2647, 0.0)
    """
    rho = -1 / (n - 1)
    return (math.sqrt(1 - rho * rho) + (math.pi - math.acos(rho)) * rho) / math.pi


def fixed_rank(n: int, width: float = math.inf) -> float:
    """The effective rank r* of a layer of this width there, n ≥ 2.

    >>> round(fixed_rank(10), 2), round(fixed_rank(10, width=20), 2)
    (6.13, 4.69)
    """
    return 1 / ((1 + (n - 1) * fixed_cosine(n) ** 2) / n + 1 / width)


def fixed_recentred_rank(n: int, width: float = math.inf) -> float:
    """The same after recentring, which leaves n − 1 equal directions.

    >>> fixed_recentred_rank(10), round(fixed_recentred_rank(10, width=20), 2)
    (9.0, 6.21)
    """
    return 1 / (1 / (n - 1) + 1 / width)


def measure(H: Floats) -> Measures:
    """Measure (d, n) features, finite, n ≥ 3. All-zero ones are dead: collapsed, without ranks.

    Cost: O(d n²).

    Example:
        >>> seen = measure(np.eye(8))
        >>> round(seen.effective_rank, 6), seen.soft_rank, seen.condition.value
        (8.0, 8, 'healthy')
        >>> round(measure(np.full((8, 8), 1e-300)).log_norm - measure(np.ones((8, 8))).log_norm)
        -691
        >>> measure(np.ones((8, 8))).reason
        'effective rank 1, below √r* = 1.81'
    """
    d, n = H.shape
    if not H.any():
        return Measures(
            width=d,
            gap=math.nan,
            smallest_gap=math.nan,
            effective_rank=math.nan,
            soft_rank=math.nan,
            mean_cosine=math.nan,
            mean_share=math.nan,
            recentred_rank=math.nan,
            outlier=0,
            outlier_share=math.nan,
            largest_cluster=n,
            strength=1.0,
            reason="all features are zero",
            condition=Condition.COLLAPSING,
            log_norm=-math.inf,
        )
    R = _triangle(H)
    seen = _look(np.asarray(gram(R)), d)
    energy = float(np.trace(seen.K))
    cluster, condition, reason = 1, Condition.HEALTHY, ""
    if seen.collapse > 0:
        condition = Condition.COLLAPSING
        reason = f"effective rank {seen.rank:.3g}, below √r* = {math.sqrt(fixed_rank(n, d)):.3g}"
        cluster = n if seen.alignment.min() > seen.aligned else 1
    if cluster < n and seen.lone > 0:
        cluster, condition = n - 1, Condition.CLUSTERING
        share = f"{seen.shares[seen.outlier]:.0%} of the recentred energy"
        reason = f"sample {seen.outlier} alone has {share}, above 50%"
    elif cluster < n and seen.groups:
        cluster, condition = max(seen.groups), Condition.CLUSTERING
        reason = (
            f"one direction has {seen.leading:.0%} of the recentred energy, above 50%, and parts "
            f"the samples into {seen.groups[0]} and {seen.groups[1]}"
        )
    return Measures(
        width=d,
        gap=float(orthogonality_gap(R)),
        smallest_gap=float(smallest_eigenvalue_gap(R)),
        effective_rank=seen.rank,
        soft_rank=int(float(soft_rank(R, SOFT, width=d))),
        mean_cosine=float(seen.alignment.mean()),
        mean_share=1 - energy,
        recentred_rank=_recentred_rank(seen.K),
        outlier=seen.outlier,
        outlier_share=float(seen.shares[seen.outlier]),
        largest_cluster=cluster,
        strength=seen.strength,
        reason=reason,
        condition=condition,
        log_norm=_log_norm(H),
    )


def _log_norm(H: Floats) -> float:
    """log‖H‖_F of features that are not zero, of which no square is lost."""
    largest = float(np.abs(H).max())
    return math.log(largest) + math.log(float(np.linalg.norm(H / largest)))


def _triangle(H: Floats) -> Floats:
    """A matrix with the same scalar products of its columns, up to scale: R of H = QR where H is
    much higher than wide, so that singular values are those of a small matrix.
    """
    d, n = H.shape
    if d < 4 * n:
        return H
    return np.asarray(np.linalg.qr(H / np.abs(H).max(), mode="r"))


def strength(G: Floats, width: int) -> float:
    """The strength of a representation with this (n, n) Gram matrix of trace 1, as `measure` gives
    it, from 0 to 1.

    >>> strength(np.eye(8) / 8, width=8), strength(np.ones((8, 8)) / 8, width=8)
    (0.0, 1.0)
    """
    return _look(G, width).strength


def collinear(H: Floats) -> tuple[float, bool, bool]:
    """The mean |cos| of two columns of (d, n) features, n ≥ 3, whether they are collapsed by both
    yardsticks, of the rank and of the angle, and whether that leaves less than `LEARNABLE` to learn
    from.

    >>> collinear(np.eye(8)), collinear(np.ones((8, 8)))[1:], collinear(np.eye(8) + 1)[1:]
    ((0.0, False, False), (True, True), (True, False))
    """
    if not H.any():
        return 1.0, True, True
    seen = _look(np.asarray(gram(_triangle(H))), len(H))
    cosine = float(seen.alignment.mean())
    collapsed = seen.collapse > 0 and cosine > seen.aligned
    further = _further(float(np.trace(seen.K)), _recentred_rank(seen.K))
    return cosine, collapsed, collapsed and further < LEARNABLE


def _recentred_rank(K: Floats) -> float:
    energy = float(np.trace(K))
    return energy**2 / float(np.square(K).sum()) if energy > 0 else 0.0


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
    healthy = fixed_rank(n, d)  # at most 1 of width 1, which leaves no rank to lose
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
        collapse=min(1.0, max(0.0, 1 - 2 * math.log(rank) / math.log(healthy)))
        if healthy > 1
        else 0.0,
        lone=min(1.0, max(0.0, 2 * float(shares[outlier]) - 1)) if apart else 0.0,
    )


def _two_groups(K: Floats, cosines: Floats, aligned: float) -> tuple[float, tuple[int, ...]]:
    """The leading direction's share of the recentred energy, and the sizes of the groups it cuts
    the samples into.

    No sizes where they are no two clusters; no share where it cannot be half: an eigenvalue above
    half of the energy alone has squares of above a quarter of its square; nor where the samples
    differ by no more than the rounding of a Gram matrix of trace 1.
    """
    energy = float(np.trace(K))
    if energy <= len(K) * np.finfo(float).eps or np.square(K).sum() <= energy**2 / 4:
        return 0.0, ()
    values, vectors = np.linalg.eigh(K)
    leading = float(values[-1]) / energy
    above = vectors[:, -1] > 0
    groups = np.flatnonzero(above), np.flatnonzero(~above)
    sizes = tuple(len(group) for group in groups)
    if leading <= 0.5 or min(sizes) < 2:
        return leading, ()
    inside = [cosines[np.ix_(x, x)].sum() / (len(x) * (len(x) - 1)) for x in groups]
    across = cosines[np.ix_(*groups)].mean()
    return leading, sizes if min(inside) > aligned > across else ()


# --- how often chance alone takes a healthy network past the yardsticks ---------------------------

REPLICAS = 99
"""Healthy networks that a network is compared with, at most."""
_BURN_IN = 8  # layers in which the start is forgotten
_WINDOW = 32  # layers at the end that are compared, at most
_WIDEST = 256  # wider ones are compared with this width, which fluctuates more
_MOST_WORK = 2e10  # in floating-point operations, some ten seconds
_ENTRIES = 2**20  # of the features handled together


@dataclass(frozen=True)
class Chance:
    """How the evidence compares with that of healthy networks: ``exceeded`` by how many of
    ``replicas``. Counting stops at the first that exceeds it, so only whether there is one is a
    test.
    """

    evidence: float
    replicas: int
    exceeded: int

    @property
    def explains(self) -> bool:
        """Whether a healthy network may do as much as this one does.

        Of healthy networks at most 1 in ``REPLICAS`` + 1, that is in 100, is told that none may.
        """
        return self.exceeded > 0

    def as_json(self) -> dict[str, float]:
        return {**self.__dict__, "level": 1 / (REPLICAS + 1), "explains": self.explains}


def final_run(strengths: Sequence[float]) -> int:
    """Number of layers at the end that are not healthy, of these strengths from 0 to 1.

    >>> final_run([0.4, 0.0, 0.2, 0.3])
    2
    """
    healthy = [place for place, value in enumerate(strengths) if value == 0]
    return len(strengths) - (healthy[-1] + 1 if healthy else 0)


def evidence(strengths: Sequence[float]) -> float:
    """The sum of the strengths over the layers at the end that are not healthy.

    >>> evidence([0.9, 0.0, 0.25, 0.5])
    0.75
    """
    return math.fsum(strengths[len(strengths) - final_run(strengths) :])


def chance(strengths: Sequence[float], widths: Sequence[int], n: int, seed: int) -> Chance | None:
    """Compare the layers' strengths with healthy networks of these widths and n samples.

    Args:
        strengths: of each layer, from 0 to 1.
        widths: of each layer, as many.
        n: the number of samples, at least 3.
        seed: of the networks compared with.

    Returns:
        The comparison; None where it is too much work.

    Cost: `REPLICAS` · (8 + depth, at most 40) layers of O(d n²), d at most 256; less where chance
    explains it.

    Source: Barnard (1963), for the Monte Carlo test.

    Example:
        >>> wide, narrow = chance([0.0, 0.3], [200] * 2, 10, 0), chance([0.0, 0.05], [4] * 2, 10, 0)
        >>> wide.explains, narrow.explains
        (False, True)
    """
    widths = [min(width, _WIDEST) for width in widths]
    cost = REPLICAS * max(2 * width * n * (min(width, n) + n) + n**3 for width in widths)
    window = min(_WINDOW, len(widths), int(_MOST_WORK / cost) - _BURN_IN)
    if window < 1:
        return None
    observed = evidence(strengths[-window:])
    path = [widths[-window]] * _BURN_IN + list(widths[-window:])
    rng = np.random.default_rng([seed, n])
    together = max(1, min(REPLICAS, _ENTRIES // (n * max(*widths, n))))
    seen = exceeded = 0
    while seen < REPLICAS and not exceeded:
        count = min(together, REPLICAS - seen)
        values = [evidence(each) for each in strengths_of_healthy(path, n, count, window, rng)]
        seen, exceeded = seen + count, sum(value >= observed for value in values)
    return Chance(observed, seen, exceeded)


def strengths_of_healthy(
    widths: Sequence[int], n: int, count: int, window: int, rng: np.random.Generator
) -> Floats:
    """Strengths (count, window) over the last layers of ``count`` healthy networks of these widths.

    For any H = QR with orthonormal Q, WH has the law of GR, G Gaussian, so only R is carried where
    it is smaller.

    >>> strengths_of_healthy([200] * 4, 10, count=3, window=2, rng=np.random.default_rng(0))
    array([[0., 0.],
           [0., 0.],
           [0., 0.]])
    """
    factor: Floats = np.broadcast_to(np.eye(n), (count, n, n))
    strengths = np.zeros((count, window))
    for place, width in enumerate(widths, start=window - len(widths)):
        H = rng.standard_normal((count, width, factor.shape[1])) @ factor
        H -= H.mean(axis=2, keepdims=True)
        H /= np.sqrt(np.square(H).mean(axis=2, keepdims=True))
        np.maximum(H, 0, out=H)
        if place >= 0:
            G = H.swapaxes(1, 2) @ H
            G /= np.trace(G, axis1=1, axis2=2)[:, None, None]
            for network in np.flatnonzero(_suspect(G, width)):
                strengths[network, place] = strength(G[network], width)
        factor = np.asarray(np.linalg.qr(H, mode="r")) if width > n else H
    return strengths


def _suspect(G: Floats, width: int) -> NDArray[np.bool_]:
    """Where a (count, n, n) stack of Gram matrices may be past a yardstick: everywhere else the
    strength is 0. An outlier or two groups take an eigenvalue above half of the recentred energy.
    """
    n = G.shape[-1]
    K = G - G.mean(axis=1, keepdims=True)
    K -= K.mean(axis=2, keepdims=True)
    energy = np.trace(K, axis1=1, axis2=2)
    low = np.square(G).sum(axis=(1, 2)) * math.sqrt(fixed_rank(n, width)) > 1
    suspect: NDArray[np.bool_] = low | (4 * np.square(K).sum(axis=(1, 2)) > energy**2)
    return suspect


def driven_by_mean(seen: Measures, n: int) -> bool:
    """Whether most of the energy is in a mean that all n samples share, and recentring leaves a
    rank nearer to the fixed point's than to one, on a logarithmic scale.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> driven_by_mean(measure(3 + rng.standard_normal((64, 8))), 8)
        True
    """
    enough = seen.recentred_rank >= math.sqrt(fixed_recentred_rank(n, seen.width))
    return enough and seen.mean_share > 0.5


def further_share(seen: Measures) -> float:
    """The share of the energy neither in the mean that samples share nor in one direction more, at
    least: of recentred energy of effective rank r, one direction has at most 1/√r.

    Example:
        >>> further_share(measure(np.ones((8, 8)))), round(further_share(measure(np.eye(8))), 2)
        (0.0, 0.54)
    """
    return _further(1 - seen.mean_share, seen.recentred_rank)


def _further(energy: float, rank: float) -> float:
    return energy * (1 - rank**-0.5) if rank > 1 else 0.0


def harmless(seen: Sequence[Measures], n: int, batch: Measures | None = None) -> bool:
    """Whether learning is not hindered by what the last of these layers is past a yardstick by.

    Args:
        seen: of each layer, at least one; n: the number of samples, at least 3.
        batch: of what enters, which no network has to improve; without it that has all its rank.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> shared = [measure(mean + rng.standard_normal((64, 8))) for mean in (2, 1e3)]
        >>> harmless(shared[:1] * 12, 8), harmless(shared[1:], 8)
        (True, False)
        >>> harmless([measure(4 + rng.standard_normal((64, 8)))] * 12, 8, shared[0])
        True
    """
    last = seen[-1]
    if last.dead:
        return False
    harmed = final_run([0.0 if _spread(item, n, batch) else item.strength for item in seen])
    return harmed == 0 or (harmed < DEEP and further_share(last) >= LEARNABLE)


def _spread(seen: Measures, n: int, batch: Measures | None) -> bool:
    """Whether recentring leaves `KEPT` of the energy that differs in the batch, `FLOOR` at least,
    and `SPREAD` of the rank that it may have, or of few the square root of that, which is more.
    """
    if seen.dead:
        return False
    known = batch is not None and not batch.dead
    shared, rank = (batch.mean_share, batch.recentred_rank) if batch and known else (0.0, math.inf)
    fixed = 1 / (1 / min(max(rank, 1.0), n - 1) + 1 / seen.width)
    enough = max(FLOOR, KEPT * (1 - shared))
    return (
        seen.condition is not Condition.CLUSTERING
        and 1 - seen.mean_share >= enough
        and seen.recentred_rank >= max(SPREAD * fixed, math.sqrt(fixed))
    )


def judge(
    seen: Sequence[Measures], n: int, seed: int, batch: Measures | None = None
) -> tuple[Condition, int | None, Chance | None]:
    """The last layer's condition, the layer, from 1, where the run begins that it ends, and whether
    chance explains that run.

    Args:
        seen: of each layer, at least one.
        n: the number of samples, at least 3.
        seed: of the healthy networks that it is compared with.
        batch: of what enters.

    Returns:
        Of a healthy network, one that chance explains, or one past its yardsticks without harm, no
        layer; None for chance where it was not asked.

    Example:
        >>> judge([measure(np.eye(8)), measure(np.zeros((8, 8)))], 8, seed=0)
        (<Condition.COLLAPSING: 'collapsing'>, 2, None)
    """
    strengths = [item.strength for item in seen]
    if (run := final_run(strengths)) == 0:
        return Condition.HEALTHY, None, None
    since = len(seen) - run + 1
    if seen[-1].dead:  # narrow healthy networks may die too, and are dead then
        return seen[-1].condition, since, None
    if harmless(seen, n, batch):
        return Condition.HEALTHY, None, None
    found = chance(strengths, [item.width for item in seen], n, seed)
    if found is not None and found.explains:
        return Condition.HEALTHY, None, found
    return seen[-1].condition, since, found
