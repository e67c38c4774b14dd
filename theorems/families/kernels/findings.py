"""The family kernels: where the cosines of samples go that go through one by one.

A wide layer takes the cosine ρ of two samples to κ(ρ). How far from that layers of this width may
be is read off the chain itself, simulated from the same batch.
"""

from __future__ import annotations

import numpy as np

from simulators.engines.mean_field import kernel_map
from simulators.engines.mean_field.kernels import DualKernel
from simulators.layers import Activation, LayerNorm, Linear, RMSNorm
from theorems.inspection.finding import Finding, Reading, Watched
from theorems.inspection.predictions import COSINE, Line, Simulated
from theorems.inspection.stretches import Stretch

__all__ = ["cosine_finding", "findings", "fixed_point", "kernel_of"]

ALIGNED = "kernels.relu_alignment:upper"
ATTRACTED = "kernels.fixed_point_attraction:mended"
_ITERATIONS = 100_000
_SETTLED = 1e-9


def findings(watched: Watched) -> list[Finding]:
    """What is said of the longest stretch that is a chain of the theory or nearly one."""
    seen = watched.simulation
    if isinstance(seen, str) or (kappa := kernel_of(seen.stretch)) is None:
        return []
    line = seen.line(COSINE)
    slope = float(kappa.derivative(1.0))
    name = ALIGNED if kappa.name == "relu" else ATTRACTED
    if line is None or (name == ATTRACTED and slope <= 1):
        return []
    return [cosine_finding(name, kappa, seen, line)]


def kernel_of(stretch: Stretch) -> DualKernel | None:
    """The kernel that each layer of a chain applies to cosines; None where none does.

    Example:
        >>> from simulators import vanilla_chain
        >>> kernel_of(Stretch(0, 2, vanilla_chain(64, "relu"), "")).name
        'relu'
        >>> kernel_of(Stretch(0, 2, vanilla_chain(64, "tanh"), "")) is None
        True
    """
    match stretch.chain.layers:
        case (Linear(), Activation("relu")):
            return kernel_map("relu")
        case (Linear(), LayerNorm() | RMSNorm(), Activation(str(name))) if name != "identity":
            return kernel_map(name)
    return None


def fixed_point(kappa: DualKernel, rho: float = 0.0) -> float:
    """Where iteration of κ takes a cosine.

    Example:
        >>> round(fixed_point(kernel_map("tanh"), 0.5), 6)
        0.0
    """
    for _ in range(_ITERATIONS):
        after = float(kappa(rho))
        if abs(after - rho) < _SETTLED:
            return after
        rho = after
    return rho


def cosine_finding(name: str, kappa: DualKernel, seen: Simulated, line: Line) -> Finding:
    """The mean |cosine| after the last layer, beside κ iterated.

    Args:
        name: of the statement.
        kappa: of a layer.
        seen: the stretch, simulated.
        line: of it, that of cosines.

    Returns:
        The distance over the largest of the replicas; of a stretch that differs from the chain, or
        whose weights are not Gaussian, only words.
    """
    samples = seen.batch
    norms = np.linalg.norm(samples, axis=0)
    if not norms.all():
        return Finding(name, False, "samples that are not 0 are assumed, and one is")
    rho = np.clip(samples.T @ samples / np.outer(norms, norms), -1.0, 1.0)
    rho = rho[np.triu_indices(len(norms), 1)]
    for _ in range(len(line.seen)):
        rho = kappa(rho)
    predicted, measured = float(np.abs(rho).mean()), float(line.seen[-1])
    end = fixed_point(kappa, predicted) if name == ATTRACTED else 1.0
    what = (
        f"mean |cosine| {measured:.3g} after the last layer, {predicted:.3g} predicted at infinite "
        f"width, on its way to {end:.3g}"
    )
    departures = list(seen.stretch.differs)
    law = getattr(seen.stretch.chain.layers[0], "law", "gaussian")
    if law != "gaussian":
        departures.append(f"weights that look {law}")
    if departures:
        return Finding(name, False, f"{'; '.join(departures)}: compared all the same, {what}")
    allowed = float(np.abs(line.replicas[:, -1] - predicted).max())
    distance = abs(measured - predicted) / allowed if allowed > 0 else 0.0
    return Finding(
        name,
        True,
        f"{what}; distance over the largest of {len(line.replicas)} networks of this chain",
        1.0,
        distance,
        distance <= 1,
        (Reading("mean |cosine|", predicted, measured),),
    )
