"""The chain that a stretch of a network is, simulated from what enters the stretch and, on the way
back, from the gradient that enters at its end.

Whether the network is one of the chain's draws is a Monte Carlo test (Barnard 1963) of a mean over
depth of the gap, of the rank, and of how gradients grow: under the chain's law the network's rank
among the replicas is uniform, so the level is exact. For gradients that asks that the one at the
end does not depend on the weights of the stretch, as behind linear maps with random output
gradients.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simulators import simulate
from simulators.arguments import ArgumentError
from simulators.engines import factor
from theorems.inspection.condition import Floats, Measures
from theorems.inspection.recognition import Recognised
from theorems.inspection.stretches import Stretch

__all__ = ["COSINE", "GAP", "GROWTH", "RANK", "Back", "Line", "Simulated", "simulated"]

_REPLICAS = (99, 19)
_MOST_WORK = 4e8  # in entries drawn, a few seconds; beyond it fewer replicas are simulated


@dataclass(frozen=True)
class Back:
    """Gradients of one draw along a stretch: log‖∂L/∂H_ℓ‖_F of what comes out of each of its
    layers, and ∂L/∂H of the last, (d, n).
    """

    logs: tuple[float, ...]
    last: Floats


@dataclass(frozen=True)
class Line:
    """One quantity along the stretch: the network's, (depth,), beside the replicas', (replicas,
    depth); and of a number that sums it up, ``measured`` and ``predicted``, the test.
    """

    quantity: str
    seen: Floats
    replicas: Floats
    measured: float
    predicted: Floats

    @property
    def p_value(self) -> float:
        """Two-sided; of replicas that agree with the network half."""
        least = int((self.predicted <= self.measured).sum())
        most = int((self.predicted >= self.measured).sum())
        return min(1.0, 2 * (1 + min(least, most)) / (len(self.predicted) + 1))

    @property
    def level(self) -> float:
        """The smallest p-value that so many replicas allow."""
        return 2 / (len(self.predicted) + 1)

    @property
    def holds(self) -> bool:
        """Whether the network is among the replicas."""
        return self.p_value > self.level

    def as_json(self) -> dict[str, object]:
        """The network's path, the replicas' mean, smallest and largest, and the test."""
        return {
            "quantity": self.quantity,
            "measured": self.measured,
            "predicted": float(np.median(self.predicted)),
            "range": [float(self.predicted.min()), float(self.predicted.max())],
            "p_value": self.p_value,
            "level": self.level,
            "holds": self.holds,
            "path": self.seen.tolist(),
            "predicted_path": np.median(self.replicas, axis=0).tolist(),
        }


@dataclass(frozen=True)
class Simulated:
    """The chain of a stretch from the same batch: gaps (replicas, depth + 1), and the test of this
    network's, ``measured``, the mean over its layers.

    ``lines`` are what is compared: the gap, the effective rank, the mean |cosine|, unless a sample
    of a replica is 0, and, where gradients were measured, their growth. ``stretch`` tells of which
    layers, and what differs from the chain, ``batch`` is what enters them, (d₀, n). ``arriving`` is
    log‖∂L/∂H‖_F at its end, of the network and of the replicas, NaN where no gradients were
    measured.
    """

    gaps: Floats
    measured: float
    stretch: Stretch
    batch: Floats
    lines: tuple[Line, ...]
    arriving: float = math.nan

    @property
    def p_value(self) -> float:
        """Of the gap."""
        return self.lines[0].p_value

    @property
    def level(self) -> float:
        """Of each test."""
        return self.lines[0].level

    @property
    def holds(self) -> bool:
        """Whether the network's gaps are like the chain's."""
        return self.lines[0].holds

    def line(self, quantity: str) -> Line | None:
        """That of a quantity, such as `GROWTH`; None where it was not measured."""
        return next((line for line in self.lines if line.quantity == quantity), None)

    @property
    def means(self) -> Floats:
        """The gap averaged over depth, the batch left out, for each replica: shape (replicas,)."""
        return np.asarray(self.gaps[:, 1:].mean(axis=1))

    def as_json(self) -> dict[str, object]:
        """What was simulated, and the tests."""
        return {
            "replicas": len(self.gaps),
            "layers": [self.stretch.first + 1, self.stretch.end],
            "chain": self.stretch.words,
            "differs": list(self.stretch.differs),
            "mean_gap": self.measured,
            "simulated_mean_gap": float(self.means.mean()),
            "simulated_range": [float(self.means.min()), float(self.means.max())],
            "p_value": self.p_value,
            "level": self.level,
            "holds": self.holds,
            "lines": [line.as_json() for line in self.lines],
        }


GAP, RANK, COSINE = "mean gap", "mean effective rank", "mean |cosine|"
GROWTH = "gradient factor a layer"


def simulated(
    recognised: Recognised,
    batch: Floats,
    seen: Sequence[Measures],
    seed: int,
    back: Back | None = None,
) -> Simulated | str:
    """Simulate the chain of a stretch from what enters it; or say why not.

    Args:
        recognised: the chain, if there is one.
        batch: (d₀, n), what enters the stretch, one sample per column.
        seen: of each layer of the stretch.
        seed: of the simulation.
        back: of the stretch, the gradients; without them none are compared.

    Cost: some seconds; of wide networks fewer replicas are simulated.

    Example:
        >>> simulated(Recognised("not recognised", None, "its widths differ"), np.eye(4), [], 0)
        'its widths differ'
    """
    stretch = recognised.stretch
    if stretch is None:
        return recognised.obstacle or "no chain"
    if not batch.any():
        return "all that enters the chain is zero"
    if (dead := next((k for k, item in enumerate(seen) if item.dead), None)) is not None:
        return f"all that layer {stretch.first + dead + 1} gives is zero"
    d, n = batch.shape
    width, depth = seen[0].width, len(seen)
    if n > min(d, width):
        return (
            f"{n} samples are more than the smallest width {min(d, width)}, "
            "and the simulators take no more"
        )
    back = back if back is not None and depth > 1 and np.isfinite(back.logs).all() else None
    thin = factor.obstacle(stretch.chain) is None
    work = depth * (width * n * n / 8 if thin else width * width) * (1 if back is None else 2)
    replicas = next((count for count in _REPLICAS if count * work < _MOST_WORK), _REPLICAS[-1])
    names = ["orthogonality_gap", "effective_rank", "mean_absolute_cosine"]
    try:
        run = simulate(
            stretch.chain,
            batch * stretch.scale,
            depth=depth,
            replicas=replicas,
            seed=seed,
            observables=names if back is None else [*names, "log_gradient_norm"],
            backward=None if back is None else back.last,
        )
    except ArgumentError as error:
        return f"the chain cannot be simulated: {error}"
    if run.spoiled.any():
        spoiled = int(run.spoiled[:, -1].sum())
        return f"rounding spoils {spoiled} of {replicas} simulated networks from this batch"
    gaps = run["orthogonality_gap"]
    if lost := int(np.isnan(gaps).any(axis=1).sum()):
        return f"{lost} of {replicas} simulated networks give nothing but zero from this batch"
    lines = [
        _line(GAP, [item.gap for item in seen], gaps[:, 1:]),
        _line(RANK, [item.effective_rank for item in seen], run["effective_rank"][:, 1:]),
    ]
    # a simulated sample that is 0 has no cosine
    if np.isfinite(cosines := run["mean_absolute_cosine"][:, 1:]).all():
        lines.append(_line(COSINE, [item.mean_cosine for item in seen], cosines))
    if back is not None:
        logs = run["log_gradient_norm"][:, 1:]
        lines.append(_growth(np.array(back.logs), logs))
    arriving = math.nan if back is None else back.logs[-1]
    return Simulated(gaps, lines[0].measured, stretch, batch, tuple(lines), arriving)


def _line(quantity: str, seen: Sequence[float], replicas: Floats) -> Line:
    values = np.array(seen)
    return Line(quantity, values, replicas, float(values.mean()), replicas.mean(axis=1))


def _growth(seen: Floats, replicas: Floats) -> Line:
    """The factor by which gradients grow a layer from the last to the first."""

    def factor_of(logs: Floats) -> Floats:
        grown: Floats = np.exp((logs[..., 0] - logs[..., -1]) / (logs.shape[-1] - 1))
        return grown

    relative = np.exp(np.clip(seen - seen[-1], -_LARGEST, _LARGEST))
    others = np.exp(np.clip(replicas - replicas[:, -1:], -_LARGEST, _LARGEST))
    return Line(GROWTH, relative, others, float(factor_of(seen)), factor_of(replicas))


_LARGEST = math.log(np.finfo(float).max) / 2
