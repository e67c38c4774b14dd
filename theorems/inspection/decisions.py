"""What a network decides on a square of a plane, and how that moves with the mini-batch.

Floats on a grid, for the eye: the class of each grid point with the statistics of the whole batch,
and with those of mini-batches drawn from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from simulators.splines.network import Network
from simulators.splines.operations import Activation, Affine
from simulators.splines.rationals import nearest
from simulators.splines.slices import Slice
from simulators.splines.torch_networks import read_network

if TYPE_CHECKING:
    from torch import nn

__all__ = ["Decisions", "decide", "decide_by_minibatches", "decides", "minibatch_networks"]

Floats = NDArray[np.float64]

_WORK = 4e9  # multiplications, some seconds
_FINEST, _COARSEST = 240, 48
_AT_ONCE = 4096  # grid points


@dataclass(frozen=True, eq=False)
class Decisions:
    """Classes on a grid of G × G points.

    - ``first``, ``second`` (G,): the coordinates of the grid
    - ``margins`` (M, G, G): what is 0 where the decision changes: of one output itself, of two
      their difference, of more each less the largest of the others; rows along ``second``
    - ``classes`` (G, G): the number of the class, of one output whether it is positive
    - ``disagreement`` (G, G): the share of mini-batches that decide otherwise; None without any
    """

    first: Floats
    second: Floats
    margins: Floats
    classes: NDArray[np.int64]
    disagreement: Floats | None = None


def decides(network: Network) -> bool:
    """Whether the outputs can be read as a decision: they do not come straight from an activation.

    Example:
        >>> import torch
        >>> from simulators.splines.torch_networks import read_network
        >>> decides(read_network(torch.nn.Linear(2, 1), np.eye(2)))
        True
    """
    return not isinstance(network.operations[-1], Activation)


def decide(
    network: Network, plane: Slice, centre: tuple[float, float], half_side: float, runs: int = 1
) -> Decisions:
    """The classes on a grid, as fine as some seconds allow for so many ``runs``.

    Example:
        >>> import torch
        >>> from simulators.splines.slices import coordinate_slice
        >>> from simulators.splines.torch_networks import read_network
        >>> network = read_network(torch.nn.Linear(2, 1), np.eye(2))
        >>> decide(network, coordinate_slice(2), (0.0, 0.0), 1.0).classes.shape
        (240, 240)
    """
    entries = [
        getattr(each.weights, "nnz", each.weights.size)
        for each in network.operations
        if isinstance(each, Affine)
    ]
    cost = max(sum(entries), 1) * max(runs, 1)
    side = int(np.clip(np.sqrt(_WORK / cost), _COARSEST, _FINEST))
    steps = np.linspace(-half_side, half_side, side)
    first, second = centre[0] + steps, centre[1] + steps
    outputs = _outputs(network, plane, first, second)
    margins, classes = _decided(outputs)
    return Decisions(first, second, margins, classes)


def minibatch_networks(
    module: nn.Module, batch: Floats, *, size: int, count: int = 20, seed: int = 0
) -> list[Network]:
    """A module with the statistics of mini-batches, drawn without replacement.

    Args:
        module: with batch normalisation.
        batch: (N, …).
        size: of a mini-batch, at least 2.
        count: of mini-batches.
        seed: of the draws.

    Raises:
        ValueError: a mini-batch has no such statistics, as of a constant feature with ε = 0.

    Example:
        >>> import torch
        >>> network = torch.nn.Sequential(torch.nn.Linear(2, 1), torch.nn.BatchNorm1d(1))
        >>> len(minibatch_networks(network, np.eye(2), size=2, count=3))
        3
    """
    draws = np.random.default_rng(seed)
    chosen = [np.sort(draws.choice(len(batch), size, replace=False)) for _ in range(count)]
    return [read_network(module, batch[each], "train") for each in chosen]


def decide_by_minibatches(networks: Sequence[Network], plane: Slice, whole: Decisions) -> Decisions:
    """The same with the share of mini-batches that decide otherwise than the whole batch.

    Args:
        networks: one a mini-batch, as of `minibatch_networks`.
        plane: of the grid.
        whole: what the whole batch decides.

    Example:
        >>> import torch
        >>> from simulators.splines.slices import coordinate_slice
        >>> module = torch.nn.Sequential(torch.nn.Linear(2, 1), torch.nn.BatchNorm1d(1))
        >>> batch = np.random.default_rng(0).standard_normal((9, 2))
        >>> plane, network = coordinate_slice(2), read_network(module, batch)
        >>> whole = decide(network, plane, (0.0, 0.0), 1.0, runs=3)
        >>> parts = minibatch_networks(module, batch, size=4, count=2)
        >>> bool(decide_by_minibatches(parts, plane, whole).disagreement.max() <= 1)
        True
    """
    shares = np.zeros(whole.classes.shape)
    for network in networks:
        classes = _decided(_outputs(network, plane, whole.first, whole.second))[1]
        shares += classes != whole.classes
    return Decisions(
        whole.first, whole.second, whole.margins, whole.classes, shares / len(networks)
    )


def _outputs(network: Network, plane: Slice, first: Floats, second: Floats) -> Floats:
    """The outputs (G, G, K) on a grid."""
    v, u = np.meshgrid(second, first, indexing="ij")
    origin, along, across = (nearest(c) for c in (plane.origin, plane.first, plane.second))
    flat = np.stack([u.ravel(), v.ravel()], axis=1)
    parts = [
        network(origin + part[:, :1] * along + part[:, 1:] * across)
        for part in np.array_split(flat, -(-len(flat) // _AT_ONCE))
    ]
    return np.concatenate(parts).reshape(*u.shape, -1)


def _decided(outputs: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """Margins and classes."""
    kinds = outputs.shape[-1]
    if kinds <= 2:
        margins = outputs[..., 0] if kinds == 1 else outputs[..., 1] - outputs[..., 0]
        return margins[None], (margins > 0).astype(np.int64)
    second, largest = np.moveaxis(np.partition(outputs, kinds - 2, axis=-1)[..., -2:], -1, 0)
    columns = np.moveaxis(outputs, -1, 0)
    others = np.where(columns == largest, second, largest)
    return columns - others, outputs.argmax(axis=-1)
