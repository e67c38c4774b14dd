"""The family cluster: two blocks, the fixed points of recentring and ReLU, and the agreement of all
cosines.

A fixed point is one of infinite width. How far from it layers of this width may be is read off the
chain itself, simulated from that point: the last layers' means hold the prediction if they are as
near as those of all replicas.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import takewhile

import numpy as np
from numpy.typing import NDArray

from simulators import Chain, batchnorm_chain, recenter_relu_chain, simulate
from simulators.engines.mean_field import outlier_fixed_point
from simulators.layers import Activation, Linear, Normalize, Recenter, Rescale
from simulators.observables import Observable, cosine_range
from theorems.inspection.condition import (
    LEAST_FOR_OUTLIER,
    Condition,
    Floats,
    Measures,
    fixed_cosine,
)
from theorems.inspection.finding import Finding, Reading, Watched, mean_at_most
from theorems.registry import get

__all__ = [
    "findings",
    "fixed_point_finding",
    "outlier_point",
    "symmetric_point",
    "two_blocks",
]

OUTLIER = "cluster.outlier_fixed_point:stable"
SYMMETRIC = "cluster.symmetric_fixed_point:one_step"
RESTORED = "cluster.rescaling_restores_symmetry"
BLOCKS = "cluster.two_block_invariance:orthogonal"

_REPLICAS = 199
_LAYERS = 10  # whose mean is compared
# In entries drawn; beyond it a narrower chain, which fluctuates more, is simulated.
_MOST_WORK = 4e8
_EXACT = 1e-3  # of an identity, in float32


def findings(watched: Watched) -> list[Finding]:
    return [two_blocks(watched), *_fixed_points(watched), _restored(watched)]


def two_blocks(watched: Watched) -> Finding:
    """A batch of two blocks of equal samples keeps them through recentring and ReLU, which makes
    them orthogonal.
    """
    first = _block(watched.batch)
    if first is None:
        return Finding(BLOCKS, False, "a batch of two blocks of equal samples is assumed")
    actions = watched.stages[0].actions
    recentred = len(actions) == 2 and (
        actions[0] in {"recenter", "batchnorm"} or actions[0].startswith("BatchNorm")
    )
    if not recentred or actions[1] != "relu":
        return Finding(
            BLOCKS, False, "recentring or batchnorm and then ReLU are assumed at the first layer"
        )
    H = watched.features[0]
    c, o = H[:, first], H[:, ~first]
    norms = math.sqrt(float(np.square(c[:, 0]).sum() * np.square(o[:, 0]).sum()))
    size = math.sqrt(float(np.square(H).mean(axis=1).sum()))
    spread = max(float(np.linalg.norm(part - part[:, :1], axis=0).max()) for part in (c, o)) / size
    cosine = abs(float(c[:, 0] @ o[:, 0])) / norms if norms > 0 else 0.0
    worst = max(spread, cosine)
    return Finding(
        BLOCKS,
        True,
        f"blocks of {first.sum()} and {(~first).sum()} samples after layer 1: cosine between "
        f"them {cosine:.2g}, spread within {spread:.2g}, 0 predicted",
        _EXACT,
        worst,
        worst <= _EXACT,
        (Reading("cosine between blocks", 0.0, cosine),),
    )


def _block(batch: Floats) -> NDArray[np.bool_] | None:
    """Which samples equal the first, if the others equal each other."""
    first = (batch == batch[:, :1]).all(axis=0)
    others = batch[:, ~first]
    return first if others.shape[1] and (others == others[:, :1]).all() else None


# --- fixed points ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Point:
    """A fixed point: what is read there, how it is named, the values at the point that it is to be
    told from.
    """

    statement: str
    gram: Floats
    names: tuple[str, ...]
    values: Floats
    other: float


def _fixed_points(watched: Watched) -> list[Finding]:
    """The outlier's, where one has lasted; the symmetric one, where none is."""
    d, n = watched.measures[0].width, watched.batch.shape[1]
    make, objection = _chain(watched)
    if make is None:
        return [Finding(name, False, objection) for name in (OUTLIER, SYMMETRIC)]
    lasted = _lasted(watched)
    last, found = watched.features[-_LAYERS:], []
    for name, at in ((OUTLIER, outlier_point), (SYMMETRIC, symmetric_point)):
        if why := _unmet(name, n, d, make is batchnorm_chain, lasted, len(watched.measures)):
            found.append(Finding(name, False, why))
        else:
            found.append(fixed_point_finding(at(n), make, last, watched.seed))
    return found


def _chain(watched: Watched) -> tuple[Callable[[int], Chain] | None, str]:
    """What makes the network's chain of any width, if it is one of recentring and ReLU."""
    recognised = watched.recognised
    match recognised.chain.layers if recognised.chain else ():
        case (Linear(law="gaussian"), Recenter(), Activation("relu"), Normalize()):
            return recenter_relu_chain, ""
        case (Linear(law="gaussian"), Recenter(), Rescale(), Activation("relu")):
            return batchnorm_chain, ""
        case ():
            return None, recognised.obstacle or "no chain"
    return (
        None,
        f"Gaussian weights, recentring and ReLU are assumed, and this chain is: {recognised.words}",
    )


def _lasted(watched: Watched) -> int:
    """Layers at the end at which one and the same sample is a lone outlier."""
    n, last = watched.batch.shape[1], watched.measures[-1]

    def lone(item: Measures) -> bool:
        apart = item.condition is Condition.CLUSTERING and item.largest_cluster >= n - 1
        return apart and item.outlier == last.outlier

    return len(list(takewhile(lone, reversed(watched.measures))))


def _unmet(name: str, n: int, d: int, rescaled: bool, lasted: int, depth: int) -> str:
    if n > d:
        return f"{n} samples are more than the width {d}, and the simulators take no more"
    if depth < 2 * _LAYERS:
        return f"{2 * _LAYERS} layers or more are wanted for a fixed point, and there are {depth}"
    if name == SYMMETRIC:
        return "" if not lasted else "a lone outlier is there, and the fixed point is symmetric"
    if rescaled:
        return "recentring without rescaling is assumed, and rows are rescaled"
    if n < LEAST_FOR_OUTLIER:
        return f"n ≥ {LEAST_FOR_OUTLIER} is assumed, and there are {n} samples"
    return (
        ""
        if lasted >= 2 * n
        else (
            f"a lone outlier that has lasted 2n = {2 * n} layers is assumed, as 1 − 1/n of "
            f"a distance is left by each, and it lasted {lasted}"
        )
    )


def outlier_point(n: int) -> _Point:
    """The fixed point with one outlier, as `fixed_point_finding` compares it.

    ``n`` samples; raises ``ValueError`` where there is no such point, for n ≤ 6.
    """
    point = outlier_fixed_point(n)
    if point is None:
        raise ValueError(f"n={n} has no outlier fixed point; want n ≥ {LEAST_FOR_OUTLIER}")
    values = np.array([point.cluster_cosine, point.outlier_cosine, math.sqrt(point.norm_ratio)])
    names = ("cosine in the cluster", "cosine with the outlier", "outlier's norm over the others'")
    return _Point(OUTLIER, point.gram, names, values, fixed_cosine(n))


def symmetric_point(n: int) -> _Point:
    """The fixed point of equal norms and cosines, as `fixed_point_finding` compares it.

    ``n`` ≥ 3 samples.
    """
    kappa = fixed_cosine(n)
    return _Point(
        SYMMETRIC,
        np.full((n, n), kappa) + (1 - kappa) * np.eye(n),
        ("mean cosine",),
        np.array([kappa]),
        1.0,
    )


def _read(H: Floats, *, width: int, alone: bool) -> Floats:
    """What is compared of (..., d, n): of the sample with the most recentred energy and the others,
    or of all alike.
    """
    G = H.swapaxes(-1, -2) @ H
    norms = np.sqrt(np.diagonal(G, axis1=-2, axis2=-1))
    norms = np.where(norms > 0, norms, np.inf)
    cosines = G / (norms[..., None] * norms[..., None, :])
    n = G.shape[-1]
    off = cosines * (1 - np.eye(n))
    if not alone:
        return np.asarray(off.sum(axis=(-2, -1)) / (n * (n - 1)))[..., None]
    recentred = np.square(H - H.mean(axis=-1, keepdims=True)).sum(axis=-2)
    lone = np.arange(n) == recentred.argmax(axis=-1)[..., None]
    across = np.where(lone, off.sum(axis=-1), 0).sum(axis=-1)
    inside = off.sum(axis=(-2, -1)) - 2 * across
    own = np.where(lone, norms, 0).sum(axis=-1)
    others = np.sqrt(np.where(lone, 0, norms**2).sum(axis=-1) / (n - 1))
    return np.stack([inside / ((n - 1) * (n - 2)), across / (n - 1), own / others], axis=-1)


def fixed_point_finding(
    point: _Point, make: Callable[[int], Chain], last: Sequence[Floats], seed: int
) -> Finding:
    """Compare the means over the ``last`` layers' features with replicas of the chain that start at
    the point.
    """
    n, layers = len(point.gram), len(last)
    alone = point.statement == OUTLIER
    burn = min(2 * n, 4 * _LAYERS) if alone else _LAYERS
    widest = max(n, int(8 * _MOST_WORK / (_REPLICAS * (burn + layers) * n * n)))
    chain = make(min(len(last[0]), widest))
    observable = Observable(
        "readings", lambda H, width: _read(H, width=width, alone=alone), gram=True
    )
    start = np.linalg.cholesky(point.gram).T
    paths = simulate(
        chain, start, depth=burn + layers, replicas=_REPLICAS, seed=seed, observables=(observable,)
    )
    if paths.spoiled.any():
        return Finding(point.statement, False, "rounding spoils what is simulated for comparison")
    allowed = np.abs(paths["readings"][:, -layers:].mean(axis=1) - point.values).max(axis=0)
    measured = np.mean([_read(H, width=len(H), alone=alone) for H in last], axis=0)
    distances = np.abs(measured - point.values) / allowed
    worst = int(np.argmax(distances))
    holds: bool | None = bool(distances[worst] <= 1)
    if holds and allowed[0] >= abs(point.values[0] - point.other):
        holds = None
    readings = tuple(
        Reading(name, float(p), float(m))
        for name, p, m in zip(point.names, point.values, measured, strict=True)
    )
    told = ", ".join(
        f"{item.quantity} {item.measured:.3g} ({item.predicted:.3g} predicted)" for item in readings
    )
    end = "; the width is too small to tell" if holds is None else ""
    return Finding(
        point.statement,
        True,
        f"mean of the last {layers} layers: {told}; distance from the infinite width's value "
        f"over the largest of {_REPLICAS} networks of this width that start there{end}",
        1.0,
        float(distances[worst]),
        holds,
        readings,
    )


# --- full batchnorm -------------------------------------------------------------------------------


def _restored(watched: Watched) -> Finding:
    """After 20 layers of batchnorm and ReLU all cosines agree to within 8/√d, on average over
    networks.
    """
    d, n = watched.measures[0].width, watched.batch.shape[1]
    make, objection = _chain(watched)
    if make is None:
        return Finding(RESTORED, False, objection)
    if make is not batchnorm_chain:
        return Finding(
            RESTORED, False, "rows are to be rescaled after recentring, and they are not"
        )
    if n > 32 or len(watched.features) < 20:
        return Finding(
            RESTORED,
            False,
            f"at most 32 samples and 20 layers or more are assumed, and there are {n} and "
            f"{len(watched.features)}",
        )
    bound, value = float(get(RESTORED).bound(d=d)), float(cosine_range(watched.features[-1]))
    what = "largest less smallest cosine of two samples after the last layer"
    readings = (Reading("range of cosines", bound, value),)
    return mean_at_most(RESTORED, what, bound, value, 1.0, readings)
