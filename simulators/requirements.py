"""What a simulation requires, told before it starts: of its batch, by chain and dtype, and of the
machine. What cannot run is refused at the door.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np

from simulators.arguments import require
from simulators.arrays import Floats
from simulators.chains import Chain
from simulators.engines import dense, rows
from simulators.engines.round_trip import kept_entries
from simulators.layer_trials import require_as_declared
from simulators.layers import Recenter, RowLayer, ScaleResponse

__all__ = [
    "MOST_DRAWN",
    "Extent",
    "memory",
    "require_affordable",
    "require_memory",
    "require_representable",
    "require_runnable",
]

MOST_DRAWN = 10**11
"""Numbers that one replica may draw for one layer: a quarter of an hour of a core, or more."""

_DOUBLE = 8
_PER_BLOCK = 40
"""Bytes that the engine factor notes for every block of rows, of some thousands each."""

_JOURNEYS = {"dense": dense.JOURNEY, "rows": rows.JOURNEY}

_IN_HAND = {"dense": (3, 2), "rows": (2, 4)}
"""Arrays of the size of a representation in hand on the way back, beside what is kept: with one
gradient, and for each further one, which is there with what becomes of it."""

_LARGEST_WEIGHT = 64.0
"""In standard deviations; a normal entry exceeds it with probability below 1e-890."""


def require_runnable(batch: Floats, chain: Chain, dtype: str) -> None:
    """Raise `ValueError` unless ``chain`` can run on ``batch``, from `validate_batch`, in
    ``dtype``, and its layers from elsewhere are what they declare: see
    `simulators.layer_trials.require_as_declared`.

    Example:
        >>> from simulators.chains import rescale_chain
        >>> require_runnable(np.eye(8, 4), rescale_chain(8), "float64")
    """
    rows, n = batch.shape
    narrowest = min(chain.widths(rows))
    require(
        n <= narrowest,
        f"batch has n={n} samples, more than the width {narrowest} of the chain; "
        f"give at most {narrowest} of them, or a wider chain",
    )
    require(
        not chain.recentres or (batch != batch[:, :1]).any(),
        "batch has all columns equal, so the chain's Recenter leaves nothing; vary them",
    )
    require_representable("batch", batch, dtype)
    largest, most = float(abs(batch).max()), float(np.finfo(dtype).max)
    require(
        chain.scaling is not ScaleResponse.BOUND or largest <= most / (_LARGEST_WEIGHT * rows),
        f"batch has largest entry {largest:.3g}: its products with weights overflow {dtype}; "
        "rescale it",
    )
    nonnegative = False
    for layer, width in zip(chain.layers, chain.widths(rows), strict=True):
        ours = type(layer).__module__ == Recenter.__module__
        if isinstance(layer, RowLayer) and not ours:
            require_as_declared(layer, width, nonnegative=nonnegative)
        nonnegative = layer.nonnegative or (nonnegative and layer.keeps_nonnegative)


def require_representable(name: str, entries: Floats, dtype: str) -> None:
    """Raise `ValueError` where the largest of the ``entries``, of any shape, is none of ``dtype``.

    Example:
        >>> require_representable("batch", np.ones(2), "float32")
    """
    largest, limits = float(abs(entries).max()), np.finfo(dtype)
    require(
        float(limits.smallest_normal) <= largest <= float(limits.max) or dtype != "float32",
        f"{name} has largest entry {largest:.3g}, outside float32; rescale it or use float64",
    )


@dataclass(frozen=True, kw_only=True)
class Extent:
    """How far a simulation goes, and how much of it is measured.

    - ``replicas``, ``depth``: networks, and blocks of each, at least 1
    - ``layers``: those that are measured, at most ``depth``; ``observables``: how many are
    - ``gradients``: those of a replica that go back together, 0 where none does

    Example:
        >>> Extent(replicas=4, layers=100).gradients
        0
    """

    replicas: int
    layers: int
    depth: int = 1
    observables: int = 1
    gradients: int = 0


def require_affordable(
    engine: str, chain: Chain, batch_shape: tuple[int, int], extent: Extent, dtype: str = "float64"
) -> None:
    """Refuse a simulation that draws too much for a layer, or cannot be held in memory.

    Args:
        engine: "factor", "rows", "dense" or "mean_field".
        chain: the layers of a block.
        batch_shape: (d₀, n).
        extent: how far it goes, and how much is measured.
        dtype: "float32" or "float64".

    Raises:
        ValueError: for more than `MOST_DRAWN` numbers a layer, or more bytes than this machine
            has. What is counted is certain to be needed: the values, the batch twice, two
            representations of a layer and, on the way back, what is kept of the way forward and in
            hand; a simulation that passes may still need more.

    Example:
        >>> from simulators.chains import rescale_chain
        >>> extent = Extent(replicas=4, layers=100)
        >>> require_affordable("factor", rescale_chain(10**6), (10**6, 4), extent)
    """
    height, n = batch_shape
    widths = (height, *chain.widths(height))
    widest = max(widths)
    if engine != "mean_field":
        inner = widths if engine == "dense" else [n]
        drawn = widest * max(inner)
        require(
            drawn <= MOST_DRAWN,
            f"width={widest} with n={n} samples: one layer draws {drawn:.2g} numbers "
            f"(engine={engine!r}), and at most {MOST_DRAWN:.0e} are drawn; give a smaller width, "
            "or engine='mean_field' for an infinite one",
        )
    entry = np.dtype(dtype).itemsize
    held = {
        "values": _DOUBLE * extent.replicas * (extent.layers + 1) * extent.observables,
        "batch": (_DOUBLE + entry) * height * n,
        "layers": {
            "dense": 2 * entry * widest * n,
            "rows": 2 * entry * widest * n,
            "factor": _PER_BLOCK * (widest // 2**12),
        }.get(engine, 0),
    }
    if extent.gradients:
        kept = kept_entries(_JOURNEYS[engine], chain, batch_shape, extent.depth, dtype)
        with_one, another = _IN_HAND[engine]
        in_hand = (with_one + another * (extent.gradients - 1)) * widths[-1] * n
        held["way back"] = entry * (kept + in_hand)
    require_memory(
        sum(held.values()),
        f"width={widest}, n={n}, {extent.layers} layers, replicas={extent.replicas}",
    )


def require_memory(needed: int, what: str) -> None:
    """Raise `ValueError` if ``what`` needs more bytes than this machine has.

    ``needed`` are bytes; ``what`` says in words of what.

    Example:
        >>> require_memory(2**10, "width=8")
    """
    there = memory()
    require(
        needed <= there,
        f"{what}: needs {needed / 2**30:.3g} GiB of memory or more, and this machine has "
        f"{there / 2**30:.3g}; give less, or measure less often with every",
    )


def memory() -> int:
    """Bytes of memory of this machine, in use or not; without limit where the system does not
    say.

    Example:
        >>> memory() > 2**20
        True
    """
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return 2**63
