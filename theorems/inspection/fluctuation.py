"""How often chance alone takes a healthy network past the yardsticks: a Monte Carlo test of the last layers.

A healthy network, weights → batchnorm → ReLU, of width 8 passes them now and then; one of width 500 hardly ever. So
the evidence against a network, the sum of its strengths over the unhealthy layers at its end, is compared with
that of healthy networks of the same widths and number of samples, each of which has forgotten an orthogonal start.
If it is such a network itself, the evidence is exchangeable with theirs, and is the largest of all with probability
at most 1/(`REPLICAS` + 1), whatever the yardsticks (Barnard 1963).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from theorems.inspection.judging import Floats, fixed_rank, strength

__all__ = ["REPLICAS", "Chance", "chance", "evidence", "final_run"]

REPLICAS = 99
_BURN_IN = 8  # layers in which the start is forgotten
_WINDOW = 32  # layers at the end that are compared, at most
_WIDEST = 256  # wider ones are compared with this width, which fluctuates more
_MOST_WORK = 2e10  # in floating-point operations, some ten seconds
_ENTRIES = 2**20  # of the features handled together


@dataclass(frozen=True)
class Chance:
    """How the evidence compares with that of healthy networks: ``exceeded`` by how many of ``replicas``.

    Counting stops at the first that exceeds it, so only whether there is one is a test.
    """

    evidence: float
    replicas: int
    exceeded: int

    @property
    def explains(self) -> bool:
        """Whether a healthy network may do as much; at most 1 in 100 of them is told otherwise."""
        return self.exceeded > 0

    def as_json(self) -> dict[str, Any]:
        return {**self.__dict__, "level": 1 / (REPLICAS + 1), "explains": self.explains}


def final_run(strengths: Sequence[float]) -> int:
    """Number of layers at the end that are not healthy."""
    healthy = [place for place, value in enumerate(strengths) if value == 0]
    return len(strengths) - (healthy[-1] + 1 if healthy else 0)


def evidence(strengths: Sequence[float]) -> float:
    """The sum of the strengths over the layers at the end that are not healthy."""
    return math.fsum(strengths[len(strengths) - final_run(strengths) :])


def chance(strengths: Sequence[float], widths: Sequence[int], n: int, seed: int) -> Chance | None:
    """Compare the layers' strengths with healthy networks of these widths and n samples; None if that is too much work.

    Cost: `REPLICAS` · (8 + depth, at most 40) layers of O(d n²), d at most 256; less where chance explains it.
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
        values = [evidence(each) for each in _healthy(path, n, count, window, rng)]
        seen, exceeded = seen + count, sum(value >= observed for value in values)
    return Chance(observed, seen, exceeded)


def _healthy(
    widths: Sequence[int], n: int, count: int, window: int, rng: np.random.Generator
) -> Any:
    """Strengths (count, window) over the last layers of so many healthy networks.

    For any H = QR with orthonormal Q, WH has the law of GR, G Gaussian, so only R is carried where it is smaller.
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


def _suspect(G: Floats, width: int) -> Any:
    """Where a (count, n, n) stack of Gram matrices may be past a yardstick: everywhere else the strength is 0.

    An outlier or two groups take an eigenvalue above half of the recentred energy.
    """
    n = G.shape[-1]
    K = G - G.mean(axis=1, keepdims=True)
    K -= K.mean(axis=2, keepdims=True)
    energy = np.trace(K, axis1=1, axis2=2)
    low = np.square(G).sum(axis=(1, 2)) * math.sqrt(fixed_rank(n, width)) > 1
    return low | (4 * np.square(K).sum(axis=(1, 2)) > energy**2)
