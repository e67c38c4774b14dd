"""What the theory predicts of a network whose chain was recognised, and whether that is what is
seen.

Statements about means over networks are compared with one network, and say so. The chain itself is
also simulated from the same batch; whether the network is one of its draws is a Monte Carlo test
(Barnard 1963) of the gap averaged over depth: under the chain's law its rank among the replicas is
uniform, so the level is exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from simulators import simulate
from simulators.observables import resolve
from simulators.simulate import choose_engine
from theorems.family import FamilyError
from theorems.inspection.finding import Finding, Watched
from theorems.inspection.judging import Floats, Measures
from theorems.inspection.recognition import Recognised
from theorems.registry import brought, tolerated

__all__ = ["Simulated", "findings", "simulated"]

_REPLICAS = (99, 19)
_MOST_WORK = 4e8  # in entries drawn, a few seconds; beyond it fewer replicas are simulated


@dataclass(frozen=True)
class Simulated:
    """The recognised chain from the same batch: gaps (replicas, depth + 1), and the test of this
    network's.
    """

    gaps: Floats
    measured: float
    p_value: float
    level: float

    @property
    def holds(self) -> bool:
        return self.p_value > self.level

    def as_json(self) -> dict[str, Any]:
        mean = self.gaps[:, 1:].mean(axis=1)
        return {
            "replicas": len(self.gaps),
            "mean_gap": self.measured,
            "simulated_mean_gap": float(mean.mean()),
            "simulated_range": [float(mean.min()), float(mean.max())],
            "p_value": self.p_value,
            "level": self.level,
            "holds": self.holds,
        }


def simulated(
    recognised: Recognised, batch: Floats, seen: Sequence[Measures], seed: int
) -> Simulated | str:
    """Simulate the chain from ``batch``, (d₀, n); or say why not."""
    if recognised.chain is None:
        return recognised.obstacle or "no chain"
    d, n = batch.shape
    width, depth = seen[0].width, len(seen)
    if n > min(d, width):
        return (
            f"{n} samples are more than the smallest width {min(d, width)}, "
            "and the simulators take no more"
        )
    gram = choose_engine("auto", recognised.chain, [resolve("orthogonality_gap")], 1)[0] == "gram"
    work = depth * (width * n * n / 8 if gram else width * width)
    replicas = next((count for count in _REPLICAS if count * work < _MOST_WORK), _REPLICAS[-1])
    run = simulate(recognised.chain, batch, depth=depth, replicas=replicas, seed=seed)
    if run.spoiled.any():
        spoiled = int(run.spoiled[:, -1].sum())
        return f"rounding spoils {spoiled} of {replicas} simulated networks from this batch"
    gaps = run["orthogonality_gap"]
    means = gaps[:, 1:].mean(axis=1)
    measured = float(np.mean([item.gap for item in seen]))
    below, above = int((means <= measured).sum()), int((means >= measured).sum())
    return Simulated(
        gaps, measured, min(1.0, 2 * (1 + min(below, above)) / (replicas + 1)), 2 / (replicas + 1)
    )


def findings(watched: Watched) -> list[Finding]:
    """What each family has to say.

    What another package's family says is left out where it fails, and
    ``theorems.registry.refused()`` tells why.
    """
    found: list[Finding] = []
    for part in brought("findings"):
        with tolerated(part, "a finding"):
            said = part.item(watched)
            if strange := [item for item in said if not isinstance(item, Finding)]:
                raise FamilyError(f"{strange[0]!r}: want a theorems.inspection.finding.Finding")
            found += said
    return found
