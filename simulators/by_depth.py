"""Gradients of networks of several depths, each gone back from its own last layer.

The networks are the first layers of one: a stream is drawn layer by layer, so that a seed gives the
same weights at any depth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from simulators.arguments import require
from simulators.chains import Chain
from simulators.first_tangents import Forward
from simulators.last_gradient import Backward
from simulators.observables import Observable
from simulators.simulate import simulate
from simulators.streams import Seed
from simulators.trajectory import Trajectory

__all__ = ["Gradients", "simulate_depths"]


@dataclass(frozen=True, eq=False)
class Gradients:
    """Which gradients are read: of networks of these ``depths``, in each at its own last layer, or
    at the batch for the observables named in ``at_batch``; ``last`` is what G = ∂L/∂H is at the
    last layer, as `simulators.simulate` takes it.

    Example:
        >>> Gradients("gaussian", (8, 32), frozenset({"gradient_norm_0"})).depths
        (8, 32)
    """

    last: Backward
    depths: tuple[int, ...]
    at_batch: frozenset[str] = frozenset()


def simulate_depths(
    chain: Chain,
    batch: ArrayLike,
    gradients: Gradients,
    *,
    observables: Sequence[Observable],
    replicas: int = 1,
    seed: Seed = 0,
    engine: str = "auto",
    tangents: Forward | None = None,
) -> Trajectory:
    """One trajectory of networks of several depths.

    Args:
        chain: the layers of a block, as `simulators.simulate` takes it.
        batch: (d₀, n), one sample a column.
        gradients: the depths, whole numbers ≥ 1, and which gradients are read where.
        observables: of another name each. Those that read the backward pass are measured in the
            network of ell layers and stand in column ell, NaN where no network has that depth; the
            others are those of the deepest network, in all columns.
        replicas: networks of each depth, at least 1; the n-th of each depth have the same weights.
        seed: as `simulators.simulate` takes it.
        engine: as `simulators.simulate` takes it.
        tangents: at the batch, as `simulators.simulate` takes them.

    Returns:
        A trajectory as long as the deepest network. In column ell the rounding errors are those of
        the network of ell layers, from the batch on.

    Raises:
        ValueError: for no depths, and as `simulators.simulate`, which raises `TypeError` too.

    Cost: that of a simulation of each depth.

    Example:
        >>> from simulators import batchnorm_chain
        >>> from simulators.observables import OBSERVABLES
        >>> norm = OBSERVABLES["gradient_norm"].measured
        >>> found = simulate_depths(
        ...     batchnorm_chain(64, "identity"), np.eye(64, 8),
        ...     Gradients("gaussian", (1, 3), frozenset({"gradient_norm"})),
        ...     observables=(norm,), replicas=5)
        >>> np.isnan(found["gradient_norm"]).any(axis=0).tolist()
        [True, False, True, False]
    """
    depths, deep = gradients.depths, max(gradients.depths, default=0)
    require(depths, "depths=() is empty; give at least one depth")
    back = [measure for measure in observables if measure.backward]
    along = [measure for measure in observables if measure.jvp]  # with the same weights, then
    runs = {
        depth: simulate(
            chain,
            batch,
            depth=depth,
            replicas=replicas,
            seed=seed,
            observables=observables if depth == deep else [*back, *along],
            engine=engine,
            backward=gradients.last,
            tangents=tangents,
        )
        for depth in sorted(set(depths))
    }
    deepest = runs[deep]
    values, rounding = dict(deepest.values), np.array(deepest.rounding)
    for measure in back:
        values[measure.name] = np.full(deepest[measure.name].shape, np.nan)
        for depth, run in runs.items():
            column = 0 if measure.name in gradients.at_batch else depth
            values[measure.name][:, depth] = run[measure.name][:, column]
    for depth, run in runs.items():
        rounding[:, depth] = run.rounding.max(axis=1)
    return replace(deepest, values=values, rounding=rounding)
