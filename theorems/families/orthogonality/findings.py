"""The family orthogonality: how the smallest-eigenvalue gap shrinks where rows are rescaled in a
linear chain.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from simulators.layers import Activation, Linear, Recenter, Rescale
from simulators.observables import orthogonality_gap, smallest_eigenvalue, smallest_eigenvalue_gap
from theorems.inspection.condition import Floats
from theorems.inspection.finding import Finding, Watched, mean_at_most
from theorems.inspection.recognition import Recognised
from theorems.registry import get

__all__ = ["findings"]


def findings(watched: Watched) -> list[Finding]:
    """The statements of the rescale chain, which recentred linear batchnorm is for the n − 1
    recentred coordinates.

    WHJ = (WHU)Uᵀ with U an orthonormal basis of the vectors of sum zero, so rescaled rows of WHJ
    are rescaled rows of W(HU): the same chain, for a batch of n − 1 samples.
    """
    names = (
        "orthogonality.one_step_drift:sharp",
        "orthogonality.averaged_stability:sharp",
        "orthogonality.decay:sharp",
    )
    if (objection := _objection(watched.recognised)) is not None:
        return [Finding(name, False, objection) for name in names]
    batch, seen = watched.batch, watched.features
    n, d = batch.shape[1] - 1, float(seen[0].shape[0])
    if n < 2:
        return [
            Finding(name, False, "fewer than two samples are left by recentring") for name in names
        ]
    basis = _sum_zero(n + 1)
    gaps = np.array([float(smallest_eigenvalue_gap(H @ basis)) for H in (batch, *seen)])
    drift, average = get(names[0]), get(names[1])
    bounds = [float(drift.bound(n=n, d=d, s=max(1 / n - gap, 0.0))) for gap in gaps[:-1]]
    found = [
        mean_at_most(
            names[0],
            "mean over the layers of V̂ after each, in the recentred coordinates",
            float(np.mean(bounds)),
            float(gaps[1:].mean()),
            1 / n,
        )
    ]
    path = gaps[:-1]
    bound = float(average.bound(Vhat_0=path[0], n=n, d=d, L=len(path)))
    found.append(
        mean_at_most(
            names[1],
            "mean over the layers of V̂(1/n − V̂), in the recentred coordinates",
            bound,
            float((path * (1 / n - path)).mean()),
            1 / (4 * n * n),
        )
    )
    return [*found, _decay(names[2], [H @ basis for H in seen], d)]


def _decay(name: str, path: Sequence[Floats], d: float) -> Finding:
    """The gap after the last layer, from the first's, with the largest α that the path allows."""
    n = path[0].shape[1]
    least = min(float(smallest_eigenvalue(H)) for H in path[:-1]) if len(path) > 1 else 0.0
    if least <= 0:
        return Finding(name, False, "σₙ² ≥ α > 0 at every layer is assumed, and no α > 0 fits")
    bound = float(
        get(name).bound(
            n=n,
            d=d,
            ell=len(path) - 1,
            alpha=min(least, 1 / n),
            Vhat_1=float(smallest_eigenvalue_gap(path[0])),
        )
    )
    return mean_at_most(
        name,
        f"V after the last layer, in the recentred coordinates, with α = {least:.3g}",
        bound,
        float(orthogonality_gap(path[-1])),
        math.sqrt(1 - 1 / n),
    )


def _objection(recognised: Recognised) -> str | None:
    if recognised.chain is None:
        return recognised.obstacle
    match recognised.chain.layers:
        case (Linear(law="gaussian"), Recenter(), Rescale(), Activation("identity")):
            return None
        case (Linear(law=law), Recenter(), Rescale(), Activation("identity")):
            return f"Gaussian weights are assumed, and these look {law}"
    return f"the linear chain that rescales rows is assumed, and this one is: {recognised.words}"


def _sum_zero(n: int) -> NDArray[np.float64]:
    """(n, n − 1): an orthonormal basis of the vectors whose entries sum to zero."""
    basis = np.linalg.qr(np.column_stack([np.full(n, 1 / math.sqrt(n)), np.eye(n)[:, 1:]])).Q
    return np.asarray(basis[:, 1:])
