"""What the theory predicts of a network whose chain was recognised, and whether that is what is seen.

Statements about means over networks are compared with one network, and say so. The chain itself is also simulated
from the same batch; whether the network is one of its draws is a Monte Carlo test (Barnard 1963) of the gap averaged
over depth: under the chain's law its rank among the replicas is uniform, so the level is exact.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulators import simulate
from simulators.layers import Activation, Linear, Recenter, Rescale
from simulators.observables import orthogonality_gap, resolve, smallest_eigenvalue, smallest_eigenvalue_gap
from simulators.simulate import choose_engine
from theorems.inspection.judging import Floats, Measures
from theorems.inspection.recognition import Recognised
from theorems.registry import get

__all__ = ["Finding", "Simulated", "findings", "simulated"]

_REPLICAS = (99, 19)
_MOST_WORK = 4e8  # in entries drawn, a few seconds; beyond it fewer replicas are simulated


@dataclass(frozen=True)
class Finding:
    """A statement and this network: whether its assumptions are met, what it predicts, what is seen.

    ``holds`` is None where the assumptions are not met, or the bound says nothing.
    """

    statement: str
    met: bool
    why: str
    predicted: float | None = None
    measured: float | None = None
    holds: bool | None = None

    def as_json(self) -> dict[str, Any]:
        return dict(self.__dict__)


@dataclass(frozen=True)
class Simulated:
    """The recognised chain from the same batch: gaps (replicas, depth + 1), and the test of this network's."""

    gaps: Floats
    measured: float
    p_value: float
    level: float

    @property
    def holds(self) -> bool:
        return self.p_value > self.level

    def as_json(self) -> dict[str, Any]:
        mean = self.gaps[:, 1:].mean(axis=1)
        return {"replicas": len(self.gaps), "mean_gap": self.measured, "simulated_mean_gap": float(mean.mean()),
                "simulated_range": [float(mean.min()), float(mean.max())], "p_value": self.p_value,
                "level": self.level, "holds": self.holds}


def simulated(recognised: Recognised, batch: Floats, seen: Sequence[Measures], seed: int) -> Simulated | str:
    """Simulate the chain from ``batch``, (d₀, n); or say why not."""
    if recognised.chain is None:
        return recognised.obstacle or "no chain"
    d, n = batch.shape
    width, depth = seen[0].width, len(seen)
    if n > min(d, width):
        return f"{n} samples are more than the smallest width {min(d, width)}, and the simulators take no more"
    gram = choose_engine("auto", recognised.chain, [resolve("orthogonality_gap")], 1)[0] == "gram"
    work = depth * (width * n * n / 8 if gram else width * width)
    replicas = next((count for count in _REPLICAS if count * work < _MOST_WORK), _REPLICAS[-1])
    gaps = simulate(recognised.chain, batch, depth=depth, replicas=replicas, seed=seed)["orthogonality_gap"]
    means = gaps[:, 1:].mean(axis=1)
    measured = float(np.mean([item.gap for item in seen]))
    below, above = int((means <= measured).sum()), int((means >= measured).sum())
    return Simulated(gaps, measured, min(1.0, 2 * (1 + min(below, above)) / (replicas + 1)), 2 / (replicas + 1))


def findings(recognised: Recognised, batch: Floats, seen: Sequence[Floats]) -> list[Finding]:
    """The statements of the rescale chain, which recentred linear batchnorm is for the n − 1 recentred coordinates.

    WHJ = (WHU)Uᵀ with U an orthonormal basis of the vectors of sum zero, so rescaled rows of WHJ are rescaled rows of
    W(HU): the same chain, for a batch of n − 1 samples.
    """
    names = ("orthogonality.one_step_drift:sharp", "orthogonality.averaged_stability:sharp",
             "orthogonality.decay:sharp")
    if (objection := _objection(recognised)) is not None:
        return [Finding(name, False, objection) for name in names]
    n, d = batch.shape[1] - 1, float(seen[0].shape[0])
    if n < 2:
        return [Finding(name, False, "fewer than two samples are left by recentring") for name in names]
    basis = _sum_zero(n + 1)
    gaps = np.array([float(smallest_eigenvalue_gap(H @ basis)) for H in (batch, *seen)])
    drift, average = get(names[0]), get(names[1])
    bounds = [float(drift.bound(n=n, d=d, s=max(1 / n - gap, 0.0))) for gap in gaps[:-1]]
    found = [_compared(names[0], float(np.mean(bounds)), float(gaps[1:].mean()), 1 / n,
                       "mean over the layers of V̂ after each, in the recentred coordinates")]
    path = gaps[:-1]
    bound = float(average.bound(Vhat_0=path[0], n=n, d=d, L=len(path)))
    found.append(_compared(names[1], bound, float((path * (1 / n - path)).mean()), 1 / (4 * n * n),
                           "mean over the layers of V̂(1/n − V̂), in the recentred coordinates"))
    return [*found, _decay(names[2], [H @ basis for H in seen], d)]


def _decay(name: str, path: Sequence[Floats], d: float) -> Finding:
    """The gap after the last layer, from the first one's, with the largest α that the path allows."""
    n = path[0].shape[1]
    least = min(float(smallest_eigenvalue(H)) for H in path[:-1]) if len(path) > 1 else 0.0
    if least <= 0:
        return Finding(name, False, "σₙ² ≥ α > 0 at every layer is assumed, and no α > 0 fits")
    bound = float(get(name).bound(n=n, d=d, ell=len(path) - 1, alpha=min(least, 1 / n),
                                  Vhat_1=float(smallest_eigenvalue_gap(path[0]))))
    return _compared(name, bound, float(orthogonality_gap(path[-1])), math.sqrt(1 - 1 / n),
                     f"V after the last layer, in the recentred coordinates, with α = {least:.3g}")


def _compared(name: str, bound: float, value: float, ceiling: float, what: str) -> Finding:
    if bound >= ceiling:
        return Finding(name, True, f"{what}; the bound is vacuous at this width", bound, value, None)
    return Finding(name, True, f"{what}; bounds a mean over networks, and this is one", bound, value, value <= bound)


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
